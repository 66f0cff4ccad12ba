"""The command ``train``: a recipe into a run folder."""

import argparse
from typing import Any

from tf1_lstm.commands.options import (
    add_data_options,
    add_run_options,
    add_setting_options,
    settings_of,
)

EXAMPLES = """\
examples:
  tf1-lstm train imdb-lstm --sample --iterations 200      seconds, no data needed
  tf1-lstm train mnist-lstm --data data --seed 2 --run runs/two
  tf1-lstm train mnist-lstm --from runs/two/checkpoints --iterations 1000"""


def add_parser(subparsers: Any) -> None:
    """Add ``train``."""
    parser = subparsers.add_parser(
        "train",
        help="train a recipe into a run folder",
        description="Train a recipe. The same recipe, settings, data and seed give the same weights bit for "
        "bit on the same kind of processor, whatever the number of threads, also after an interruption.",
    )
    parser.add_argument("recipe", metavar="RECIPE")
    add_data_options(parser)
    add_setting_options(parser)
    add_run_options(parser)
    parser.add_argument(
        "--from",
        dest="start_from",
        metavar="CHECKPOINT",
        help="begin with a checkpoint's weights",
    )
    parser.add_argument(
        "--histograms",
        action="store_true",
        help="write histograms of the weights at every checkpoint, for TensorBoard",
    )
    parser.set_defaults(func=run)


def run(options: argparse.Namespace) -> int:
    """Train, draw the curves, and print where everything is."""
    from tf1_lstm.core.quiet import is_quiet
    from tf1_lstm.runs.start import say_where, start_run

    outcome = start_run(
        options.recipe,
        data=options.data,
        sample=options.sample,
        corrected=options.corrected,
        settings=settings_of(options),
        run=options.run,
        seed=options.seed,
        keep=options.keep,
        exact=not options.not_exact,
        summaries=not options.no_summaries,
        save_minutes=options.save_minutes,
        histograms=options.histograms,
        threads=options.threads,
        device=options.device,
        start_from=options.start_from,
        progress=not is_quiet(),
        engine=options.engine,
    )
    return say_where(outcome)
