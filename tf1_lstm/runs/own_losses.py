"""Whether logged losses are those that the run's own checkpoints give.

The loss of an iteration is computed before its update, from the weights of the iterations before it. So a
checkpoint of N updates tells what the loss of iteration N + 1 must be, bit for bit, without training
again: batch and dropout masks follow from the seed and the number of the iteration.
"""

from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from tf1_lstm.runs.folder import RunFolder
from tf1_lstm.runs.loop import TrainOptions
from tf1_lstm.runs.resolve import Resolved
from tf1_lstm.runs.train import training_model, with_slots


def own_losses(
    folder: RunFolder, experiment: Resolved, checkpoints: List[Dict[str, Any]], engine: Any
) -> Optional[Tuple[bool, str]]:
    """Compute the loss after each checkpoint and compare it with the logged one.

    Args:
      folder: the run.
      experiment: as recorded in it.
      checkpoints: those whose files are as they were written.
      engine: what computes, as recorded.

    Returns:
      Whether all are the same bits, and what was seen; None where there is nothing to compare: no
      iteration after a checkpoint, random numbers of another run, or a state carried from batch to batch.

    Raises:
      InputError: a checkpoint cannot be restored.
    """
    logged, options = folder.losses(), TrainOptions(**folder.record["options"])
    wanted = [checkpoint for checkpoint in checkpoints if checkpoint["step"] < len(logged)]
    if not wanted or not options.exact:
        return None
    with training_model(experiment, options, engine) as model:
        graph = model.graph
        if graph.carry is not None:
            return None
        sampler = experiment.dataset.train_sampler(experiment.sampler, experiment.batch_size, options.seed)
        feeds = [graph.inputs, graph.labels, graph.iteration]
        feeds += [graph.lengths] if model.wants_lengths else []
        step = model.session.make_callable([graph.loss, graph.train_op], feed_list=feeds)
        for checkpoint in wanted:
            iteration = checkpoint["step"]
            model.load(with_slots(folder.path / checkpoint["prefix"], model), with_slots=True)
            batch = sampler.batch(iteration)
            lengths = [model.lengths(batch.inputs, batch.lengths)] if model.wants_lengths else []
            found = np.float32(step(batch.inputs, batch.labels, iteration, *lengths)[0])
            if found.tobytes() != logged[iteration].tobytes():
                return False, (
                    f"iteration {iteration + 1:,}: checkpoint {iteration:,} gives the loss {found!r}, logged "
                    f"{logged[iteration]!r}"
                )
    return True, f"{len(wanted):,} losses are those that the checkpoints before them give, bit for bit"
