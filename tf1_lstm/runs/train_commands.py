"""The commands ``train`` and ``resume``."""

import argparse
import sys
from pathlib import Path
from typing import Any, Dict, Optional

from tf1_lstm.errors import InputError
from tf1_lstm.options import (
    add_data_options,
    add_device_options,
    add_setting_options,
    at_least,
    parse_settings,
)


def add_parsers(subparsers: Any) -> None:
    """Add ``train`` and ``resume``."""
    train = subparsers.add_parser(
        "train",
        help="train a recipe into a run folder",
        description="Train a recipe. The same recipe, settings, data and seed give the same weights bit for "
        "bit on the same kind of processor, whatever the number of threads, also after an interruption.",
    )
    train.add_argument("recipe", metavar="RECIPE")
    add_data_options(train)
    add_setting_options(train)
    add_run_options(train)
    train.add_argument(
        "--from",
        dest="start_from",
        metavar="CHECKPOINT",
        help="begin with a checkpoint's weights, of any age",
    )
    train.set_defaults(func=run_train)

    resume = subparsers.add_parser(
        "resume",
        help="go on with an interrupted run; it ends with the same bits",
        description="Go on with an interrupted run from its newest good checkpoint.",
    )
    resume.add_argument("run", type=Path, metavar="RUN")
    resume.add_argument("--data", type=Path, metavar="DIR", help="where the data is now, if it was moved")
    resume.set_defaults(func=run_resume)


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Add what ``train`` and ``reproduce`` have in common."""
    parser.add_argument(
        "--run", type=Path, metavar="DIR", help="the run folder (default: a new one below runs/)"
    )
    parser.add_argument("--iterations", type=at_least(1), metavar="N", help="default: the recipe's")
    parser.add_argument("--seed", type=at_least(0), default=1, metavar="N", help="default: 1")
    parser.add_argument(
        "--save-every",
        type=at_least(1),
        metavar="N",
        help="iterations between checkpoints (default: the recipe's)",
    )
    parser.add_argument(
        "--keep",
        type=at_least(0),
        default=0,
        metavar="N",
        help="checkpoints to keep (default: 0, all of them)",
    )
    parser.add_argument(
        "--not-exact", action="store_true", help="the tutorial's own random ops: other numbers on every run"
    )
    parser.add_argument("--no-summaries", action="store_true", help="write no TensorBoard scalars")
    add_device_options(parser)


def run_train(options: argparse.Namespace) -> int:
    """Train, draw the curves, and print where everything is."""
    from tf1_lstm.runs.device import use_device

    device = use_device(options.device, exact=not options.not_exact)
    from tf1_lstm.runs.loop import TrainOptions
    from tf1_lstm.runs.train import train

    experiment = typed_experiment(options)
    run = options.run or free_run_folder(options.recipe, options.seed, experiment.dataset.is_sample)
    outcome = train(
        experiment,
        run,
        TrainOptions(
            seed=options.seed,
            keep=options.keep,
            exact=not options.not_exact,
            summaries=not options.no_summaries,
            threads=options.threads,
            device=device,
            start_from=options.start_from,
        ),
    )
    return finish(outcome)


def run_resume(options: argparse.Namespace) -> int:
    """Check that nothing the run rests on has changed, go on, and print where everything is."""
    from tf1_lstm.runs.device import use_device
    from tf1_lstm.runs.folder import RunFolder

    run = RunFolder.open(options.run)
    run.lock()
    record = run.record
    use_device(record["options"]["device"], record["options"]["exact"])
    from tf1_lstm.runs.loop import TrainOptions
    from tf1_lstm.runs.train import resume

    experiment = experiment_of(record, options.data)
    check_unchanged(run.path, record, experiment)
    if run.record.get("ended"):
        print(f"{run.path}: already at its end ({record['settings']['iterations']:,} iterations)")
        return 0
    return finish(resume(experiment, run, TrainOptions(**record["options"])))


def experiment_of(record: Dict[str, Any], data: Optional[Path]) -> Any:
    """Open the experiment that a run recorded; ``data`` is where its data is now, if it was moved."""
    from tf1_lstm.runs.resolve import resolve

    sample = record["sample"] and data is None
    folder = None if sample else data or Path(record["data_folder"])
    return resolve(record["recipe"], data=folder, sample=sample, run_settings=record["settings"])


def check_unchanged(path: Path, record: Dict[str, Any], experiment: Any) -> None:
    """Compare a run's record with the recipe and the data of today.

    Raises:
      InputError: one of them differs, so the run cannot be what it would have been.
    """
    published = experiment.published.settings()
    for name, (then, _) in record["deviations"].items():
        now = published.get(name)
        if now != then:
            raise InputError(
                f"{path}: the recipe has changed since: {name} was published as {then!r}, now {now!r}"
            )
    for name, value in record["settings"].items():
        expected = record["deviations"].get(name, [published.get(name), published.get(name)])[1]
        if value != expected:
            raise InputError(f"{path}: the recipe has changed since: {name} was {value!r}, now {expected!r}")
    for name, now in experiment.dataset.hashes().items():
        then = record["data"].get(name)
        if then != now:
            raise InputError(
                f"{experiment.dataset.folder / name}: changed since the run began: "
                f"SHA-256 {now[:16]}… found, {str(then)[:16]}… expected by {path}"
            )


def typed_experiment(options: argparse.Namespace) -> Any:
    """Open the experiment that ``train`` and ``reproduce`` were asked for."""
    from tf1_lstm.runs.resolve import resolve

    return resolve(
        options.recipe,
        data=options.data,
        sample=options.sample,
        corrected=options.corrected,
        settings=typed_settings(options),
    )


def typed_settings(options: argparse.Namespace) -> Dict[str, Any]:
    """``--set``, ``--iterations`` and ``--save-every`` as one mapping."""
    settings: Dict[str, Any] = dict(parse_settings(options.settings))
    if options.iterations is not None:
        settings["iterations"] = options.iterations
    if options.save_every is not None:
        settings["save_every"] = options.save_every
    return settings


def free_run_folder(recipe: str, seed: int, sample: bool) -> Path:
    """The first name below ``runs/`` that is not taken."""
    base = Path("runs") / f"{recipe}{'-sample' if sample else ''}-seed{seed}"
    candidate, number = base, 1
    while candidate.exists():
        number += 1
        candidate = base.with_name(f"{base.name}-{number}")
    return candidate


def finish(outcome: Any) -> int:
    """Draw the curves and print where a training's results are; returns its exit code."""
    from tf1_lstm.runs.pictures import draw_curves

    if outcome.exit_code:
        print(
            f"tf1-lstm: stopped after {outcome.iterations:,} iterations; "
            f"`tf1-lstm resume {outcome.run}` goes on with the same bits",
            file=sys.stderr,
        )
        return outcome.exit_code
    print(f"checkpoint      {outcome.checkpoint}")
    print(f"weights_sha256  {outcome.weights_sha256}")
    for path in draw_curves(outcome.run):
        print(f"curves          {path}")
    return 0
