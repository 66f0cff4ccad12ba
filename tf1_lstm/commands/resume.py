"""The command ``resume``: go on with an interrupted run."""

import argparse
from pathlib import Path
from typing import Any

from tf1_lstm.commands.options import add_wait_option

EXAMPLES = """\
examples:
  tf1-lstm resume runs/imdb-lstm-seed1
  tf1-lstm resume runs/imdb-lstm-seed1 --data /mnt/data   the data was moved"""


def add_parser(subparsers: Any) -> None:
    """Add ``resume``."""
    parser = subparsers.add_parser(
        "resume",
        help="go on with an interrupted run; it ends with the same bits",
        description="Go on with an interrupted run from its newest good checkpoint.",
    )
    parser.add_argument("run", type=Path, metavar="RUN")
    parser.add_argument("--data", type=Path, metavar="DIR", help="where the data is now, if it was moved")
    add_wait_option(parser)
    parser.add_argument(
        "--other-processor",
        action="store_true",
        help="go on upon another kind of processor than the run began on: the bits differ, the record says so",
    )
    parser.set_defaults(func=run)


def run(options: argparse.Namespace) -> int:
    """Check that nothing the run rests on has changed, go on, and print where everything is."""
    from tf1_lstm.runs.start import resume_run, say_where

    outcome = resume_run(options.run, options.data, options.wait, options.other_processor)
    return 0 if outcome is None else say_where(outcome)
