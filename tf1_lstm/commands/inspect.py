"""The command ``inspect``: what a checkpoint is."""

import argparse
import json
from typing import Any

from tf1_lstm.commands.options import CHECKPOINT_PATH_HELP, add_json_option
from tf1_lstm.commands.printing import say


def add_parser(subparsers: Any) -> None:
    """Add ``inspect``."""
    parser = subparsers.add_parser(
        "inspect",
        help="say what a checkpoint is: format, naming, model, variables, which recipes it fits",
        description="Say what a checkpoint of any TensorFlow 1 version is, without TensorFlow.",
    )
    parser.add_argument("path", metavar="PATH", help=CHECKPOINT_PATH_HELP)
    add_json_option(parser)
    parser.set_defaults(func=run)


def run(options: argparse.Namespace) -> int:
    """Print what a checkpoint is."""
    from tf1_lstm.checkpoints.inspection import inspect, lines
    from tf1_lstm.recipes import all_recipes

    document = inspect(options.path, all_recipes())
    if options.json:
        print(json.dumps(document, indent=1, allow_nan=False))
    else:
        say("\n".join(lines(document)))
    return 0
