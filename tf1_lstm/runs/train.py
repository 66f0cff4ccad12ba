"""Train a recipe into a run folder: exact, interruptible, resumable.

Every number that enters an iteration is a function of the settings, the seed and the iteration's
number: the batch (``data.base.Sampler``), the dropout masks (``graphs.dropout``), the initial values
(op seeds). So a run that goes on from a checkpoint computes the same bits as one that was never
interrupted, and where a checkpoint is taken changes nothing.
"""

import sys
from pathlib import Path
from typing import Any, Dict, Optional

from tf1_lstm.checkpoints.restore import load_weights
from tf1_lstm.checkpoints.weights import Weights
from tf1_lstm.files import replacing
from tf1_lstm.graphs.build import op_seeds
from tf1_lstm.graphs.engine.library import EngineChoice
from tf1_lstm.recipes.load import OwnFile
from tf1_lstm.runs.engine import engine_record, recorded_engine
from tf1_lstm.runs.environment import describe_environment, short_environment
from tf1_lstm.runs.folder import RunFolder, utc_now
from tf1_lstm.runs.interruption import Interruption
from tf1_lstm.runs.loop import Outcome, TrainingLoop, TrainOptions
from tf1_lstm.runs.model import Model
from tf1_lstm.runs.recorded import OWN_COPY
from tf1_lstm.runs.resolve import Resolved


def train(
    experiment: Resolved,
    path: Path,
    options: TrainOptions,
    progress: bool = True,
    own: Optional[OwnFile] = None,
    engine: Optional[EngineChoice] = None,
) -> Outcome:
    """Train from the beginning into a new run folder.

    Args:
      experiment: recipe, settings and data.
      path: the run folder, new or empty.
      options: see ``TrainOptions``.
      progress: show a bar on standard error and the log lines on standard output.
      own: the file that the experiment came from, of which the folder keeps a copy.
      engine: calculates the recurrent layers; None for TensorFlow itself.

    Raises:
      InputError: the folder or the starting checkpoint cannot be used.
      NotFiniteError: a loss or weight became NaN or infinite.
    """
    run = RunFolder.create(path, _record(experiment, options, own, engine))
    try:
        if own is not None:
            with replacing(path / OWN_COPY) as stream:
                stream.write(own.content)
        with Interruption() as interruption, training_model(experiment, options, engine) as model:
            if options.start_from is None:
                model.initialise()
            else:
                weights = load_weights(options.start_from, model.expected())
                model.load(weights)
                run.save_record(start_weights_sha256=weights.digest())
            run.save_record(op_seeds=op_seeds(experiment.recipe, model.graph, options.seed))
            run.log("start", iterations=experiment.iterations)
            return TrainingLoop(run, model, experiment, options, progress).run_from(0, interruption)
    finally:
        run.close()


def resume(experiment: Resolved, run: RunFolder, options: TrainOptions, progress: bool = True) -> Outcome:
    """Go on with a run from its newest checkpoint whose files are as they were written.

    Args:
      experiment: as recorded in the run (see ``runs.commands``).
      run: opened and locked.
      options: as recorded in the run.
      progress: as for ``train``.
    """
    try:
        run.check_unedited()
        step, prefix = _newest_good(run)
        engine = recorded_engine(str(run.path), run.record)
        with Interruption() as interruption, training_model(experiment, options, engine) as model:
            if prefix is not None:
                model.load(with_slots(prefix, model), with_slots=True)
            elif options.start_from is not None:
                model.load(load_weights(options.start_from, model.expected()))
            else:
                model.initialise()
            # Not before here: until everything has been read nothing is taken back.
            run.rewind(step)
            run.log("resume", step=step, environment=short_environment())
            print(f"resuming {run.path} at iteration {step:,}", file=sys.stderr)
            return TrainingLoop(run, model, experiment, options, progress).run_from(step, interruption)
    finally:
        run.close()


def with_slots(prefix: Path, model: Model) -> Weights:
    """Read a checkpoint's weights and the slots of the optimizer that the model has."""
    graph = model.graph
    return load_weights(
        prefix,
        model.expected(),
        want_slots=True,
        slot_names=tuple(graph.slots),
        scalar_names=tuple(graph.scalars),
    )


def _newest_good(run: RunFolder) -> Any:
    """Return (step, prefix) of the newest undamaged checkpoint; (0, None) where there is none."""
    for checkpoint in reversed(run.checkpoints()):
        damage = run.damage(checkpoint)
        if damage is None:
            return checkpoint["step"], run.path / checkpoint["prefix"]
        print(
            f"tf1-lstm: checkpoint {checkpoint['step']:,}: {damage}; trying the one before", file=sys.stderr
        )
    return 0, None


def training_model(experiment: Resolved, options: TrainOptions, engine: Optional[EngineChoice]) -> Model:
    return Model(
        experiment.recipe,
        experiment.dataset.constants(),
        seed=options.seed,
        training=True,
        exact=options.exact,
        threads=options.threads,
        device=options.device,
        engine=engine,
    )


def _record(
    experiment: Resolved, options: TrainOptions, own: Optional[OwnFile], engine: Optional[EngineChoice]
) -> Dict[str, Any]:
    facts = {}
    if own is not None:
        facts["own_file"] = {
            "name": own.original or own.path.name,
            "variable": own.variable,
            "sha256": own.sha256,
            "folder": str(own.folder or own.path.resolve().parent),
        }
    return {
        "recipe": experiment.recipe.name,
        "source": experiment.recipe.source,
        "settings": experiment.recipe.settings(),
        "experiment": experiment.recipe.document(),
        "iterations": experiment.iterations,
        **facts,
        "deviations": experiment.deviations,
        "options": options._asdict(),
        "engine": engine_record(engine),
        "seeds": {"sampler": options.seed, "dropout": options.seed, "initial values": options.seed},
        "data_folder": str(experiment.dataset.folder),
        "sample": experiment.dataset.is_sample,
        "data": experiment.dataset.hashes(),
        "environment": describe_environment(),
        "started": utc_now(),
        "ended": None,
        "checkpoints": [],
    }
