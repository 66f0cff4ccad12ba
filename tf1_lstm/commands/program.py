"""The whole command line's parser, from the commands' modules."""

import argparse
import importlib
from typing import Sequence

from tf1_lstm import __version__
from tf1_lstm.commands import COMMANDS
from tf1_lstm.commands.parsing import Parser, finish

DESCRIPTION = "Old TensorFlow 1 LSTM results, run again exactly."
EPILOG = (
    "Exit codes: 0 done; 1 done, and what was checked does not hold; 2 bad usage or bad input; "
    "70 an error of this program; 75 in use by another process; 130, 143 stopped by a signal."
)


def build_parser(names: Sequence[str] = COMMANDS) -> argparse.ArgumentParser:
    """The parser with the commands of these names."""
    parser = Parser(prog="tf1-lstm", description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("--version", action="version", version=f"tf1-lstm {__version__}")
    subparsers = parser.add_subparsers(metavar="COMMAND", title="commands")
    subparsers.required = True
    subparsers.dest = "command"
    for name in names:
        module = importlib.import_module("tf1_lstm.commands." + name.replace("-", "_"))
        module.add_parser(subparsers)
        finish(subparsers.choices[name], getattr(module, "EXAMPLES", ""))
    return parser
