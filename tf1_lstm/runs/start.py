"""Start a training, or go on with one, from typed arguments alone: device, experiment, run folder.

TensorFlow is imported once the device is settled, so nothing of it at the top of this module.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Mapping, Optional

if TYPE_CHECKING:
    from tf1_lstm.runs.loop import Outcome


def start_run(
    recipe: str,
    *,
    data: Optional[Path] = None,
    sample: bool = False,
    corrected: bool = False,
    settings: Optional[Mapping[str, Any]] = None,
    run: Optional[Path] = None,
    seed: int = 1,
    keep: int = 0,
    exact: bool = True,
    summaries: bool = True,
    threads: int = 0,
    device: str = "auto",
    start_from: Optional[str] = None,
    save_minutes: int = 0,
    histograms: bool = False,
    engine: str = "exact",
    progress: bool = True,
) -> "Outcome":
    """Train a recipe from the beginning.

    Args:
      recipe: its name, ``FILE.py``, ``FILE.py:NAME``, or a run folder.
      data: the data folder; ``data`` by default.
      sample: use the embedded sample, and the settings that suit it.
      corrected: apply the recipe's corrected settings.
      settings: changes; they win over everything else.
      run: the run folder, new or empty; by default a new one below ``runs/``.
      seed: of sampler, dropout and initial values.
      keep: checkpoints to keep; 0 for all.
      exact: the same bits on every run; else the published random ops.
      summaries: write TensorBoard's event file.
      threads: TensorFlow's; 0 for one a core.
      device: ``auto``, ``cpu`` or ``gpu``.
      start_from: a checkpoint whose weights are the initial values.
      engine: ``exact`` or ``fast``.
      save_minutes: also save a checkpoint after so many minutes without one; 0 does not.
      histograms: write those of the weights at every checkpoint, for TensorBoard.
      progress: show a bar on standard error and the log lines on standard output.

    Raises:
      InputError: anything of this cannot be used.
      NotFiniteError: a loss or weight became NaN or infinite.
    """
    from tf1_lstm.runs.device import use_device

    device = use_device(device, exact=exact)
    from tf1_lstm.graphs.engine.recurrence import check_supported
    from tf1_lstm.runs.engine import engine_of
    from tf1_lstm.runs.loop import TrainOptions
    from tf1_lstm.runs.recorded import file_behind, named_experiment
    from tf1_lstm.runs.resolve import resolve
    from tf1_lstm.runs.train import train

    chosen = engine_of(engine, threads=threads, device=device, exact=exact)
    published = named_experiment(recipe)
    experiment = resolve(published, data=data, sample=sample, corrected=corrected, settings=settings)
    if chosen is not None:
        check_supported(experiment.recipe)
    options = TrainOptions(
        seed=seed,
        keep=keep,
        exact=exact,
        summaries=summaries,
        threads=threads,
        device=device,
        start_from=start_from,
        save_minutes=save_minutes,
        histograms=histograms,
    )
    folder = run or free_run_folder(published.name, seed, experiment.dataset.is_sample)
    return train(experiment, folder, options, progress, file_behind(recipe), chosen)


def resume_run(
    path: Path, data: Optional[Path] = None, wait: float = 0.0, other_processor: bool = False
) -> Optional["Outcome"]:
    """Check that nothing a run rests on has changed, and go on from its newest good checkpoint.

    Args:
      path: the run folder.
      data: where its data is now, if it was moved.
      wait: seconds to wait for another process that has the run.
      other_processor: go on upon another kind of processor than it began on; the record then says so.

    Returns:
      None where the run is at its end already.

    Raises:
      InputError: no run, an edited one, or the recipe or the data have changed since.
    """
    from tf1_lstm.runs.device import use_device
    from tf1_lstm.runs.folder import RunFolder

    run = RunFolder.open(path)
    run.lock(wait)
    run.check_unedited()
    record = run.record
    use_device(record["options"]["device"], record["options"]["exact"])
    from tf1_lstm.runs.loop import TrainOptions
    from tf1_lstm.runs.processors import check_processor
    from tf1_lstm.runs.recorded import check_unchanged, experiment_of, iterations_of
    from tf1_lstm.runs.train import resume

    experiment = experiment_of(run.path, record, data)
    check_unchanged(run.path, record, experiment)
    if run.record.get("ended"):
        print(f"{run.path}: already at its end ({iterations_of(record):,} iterations)")
        return None
    check_processor(run, other_processor)
    return resume(experiment, run, TrainOptions(**record["options"]))


def free_run_folder(recipe: str, seed: int, sample: bool) -> Path:
    """The first name below ``runs/`` that is not taken."""
    base = Path("runs") / f"{recipe}{'-sample' if sample else ''}-seed{seed}"
    candidate, number = base, 1
    while candidate.exists():
        number += 1
        candidate = base.with_name(f"{base.name}-{number}")
    return candidate


def say_where(outcome: "Outcome") -> int:
    """Draw the curves and print where a training's results are; returns its exit code."""
    from tf1_lstm.runs.engine import engine_words
    from tf1_lstm.runs.folder import RunFolder
    from tf1_lstm.runs.pictures import draw_curves

    if outcome.exit_code:
        print(
            f"tf1-lstm: stopped after {outcome.iterations:,} iterations; "
            f"`tf1-lstm resume {outcome.run}` goes on with the same bits",
            file=sys.stderr,
        )
        return outcome.exit_code
    print(f"engine          {engine_words(RunFolder.open(outcome.run).record.get('engine'))}")
    print(f"checkpoint      {outcome.checkpoint}")
    print(f"weights_sha256  {outcome.weights_sha256}")
    for path in draw_curves(outcome.run):
        print(f"curves          {path}")
    return 0
