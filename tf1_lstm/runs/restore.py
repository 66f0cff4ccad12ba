"""A checkpoint in a graph with its data set, with the settings of the run that it came from."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, Mapping, NamedTuple, Optional, Union

if TYPE_CHECKING:
    from tf1_lstm.runs.model import Model
    from tf1_lstm.runs.resolve import Resolved


class Restored(NamedTuple):
    """A checkpoint in a graph, with its data set.

    Attributes:
      model: filled; close it.
      experiment: recipe with the settings in use, and data set.
      facts: what every report says: recipe, checkpoint, step, digest, sample, deviations.
    """

    model: "Model"
    experiment: "Resolved"
    facts: Dict[str, Any]


def restore(
    recipe: str,
    checkpoint: Union[str, Path],
    *,
    data: Optional[Path] = None,
    sample: bool = False,
    corrected: bool = False,
    settings: Optional[Mapping[str, Any]] = None,
    device: str = "auto",
    threads: int = 0,
    engine: str = "exact",
) -> Restored:
    """Open data and checkpoint, with the settings of the run that the checkpoint came from.

    Args:
      recipe: its name, ``FILE.py``, ``FILE.py:NAME``, or a run folder.
      checkpoint: a prefix, one of a checkpoint's files, or a folder (its newest checkpoint).
      data: the data folder; ``data`` by default.
      sample: use the embedded sample, as is done for a run that was trained on it.
      corrected: apply the recipe's corrected settings.
      settings: changes; they win over everything else.
      device: ``auto``, ``cpu`` or ``gpu``.
      threads: TensorFlow's; 0 for one a core.
      engine: ``exact`` or ``fast``.

    Raises:
      InputError: anything of this cannot be used, or the checkpoint does not fit.
    """
    from tf1_lstm.runs.device import use_device

    device = use_device(device)
    from tf1_lstm.checkpoints.locate import locate
    from tf1_lstm.checkpoints.restore import load_weights
    from tf1_lstm.runs.engine import engine_of, engine_record
    from tf1_lstm.runs.model import Model
    from tf1_lstm.runs.recorded import is_own, named_experiment, run_of
    from tf1_lstm.runs.resolve import resolve

    checkpoint = str(checkpoint)
    run = run_of(Path(checkpoint))
    published = named_experiment(recipe, run)
    if run is not None and run.record["recipe"] != published.name:
        run = None
    if run is not None and run.record.get("sample") and data is None:
        sample = True
    experiment = resolve(
        published,
        data=data,
        sample=sample,
        corrected=corrected,
        settings=settings,
        used=run.used if run else None,
    )
    constants = experiment.dataset.constants()
    chosen = engine_of(engine, threads=threads, device=device)
    model = Model(experiment.recipe, constants, threads=threads, device=device, engine=chosen)
    weights = load_weights(checkpoint, model.expected())
    model.load(weights)
    located = locate(checkpoint)
    facts = {
        "recipe": experiment.recipe.name,
        "checkpoint": str(located.prefix),
        "chosen": located.how,
        "step": weights.step,
        "weights_sha256": weights.digest(),
        "sample": experiment.dataset.is_sample,
        "own_file": is_own(recipe, run),
        "deviations": experiment.deviations,
        "engine": engine_record(chosen),
    }
    return Restored(model, experiment, facts)
