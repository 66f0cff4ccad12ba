"""The command line: parse, call, and turn errors into exit codes."""

import argparse
import importlib
import sys
from typing import List, Optional, Sequence

from tf1_lstm import __version__
from tf1_lstm.commands import COMMANDS
from tf1_lstm.commands.parsing import Parser, finish
from tf1_lstm.core.exits import exit_code_of
from tf1_lstm.core.quiet import be_quiet, is_quiet

DESCRIPTION = "Old TensorFlow 1 LSTM results, run again exactly."
EPILOG = (
    "Exit codes: 0 done; 1 done, and what was checked does not hold; 2 bad usage or bad input; "
    "70 an error of this program; 75 in use by another process; 130, 143 stopped by a signal."
)


def main(arguments: Optional[List[str]] = None) -> int:
    """Run one command.

    Args:
      arguments: as typed, without the program's name; ``sys.argv`` by default.

    Returns:
      The exit code.
    """
    return exit_code_of(lambda: _run(sys.argv[1:] if arguments is None else arguments))


def _run(arguments: List[str]) -> int:
    arguments = _with_stdin(arguments)
    # No other command's module is imported: the doctor runs where the rest of the program cannot be.
    names = arguments[:1] if arguments[:1] and arguments[0] in COMMANDS else COMMANDS
    options = build_parser(names).parse_args(arguments)
    if getattr(options, "quiet", False) or is_quiet():
        be_quiet()
    return options.func(options)


def _with_stdin(arguments: List[str]) -> List[str]:
    """Write ``-`` as ``--stdin``: argparse takes no second positional argument after options."""
    before = [None, *arguments]
    return [
        "--stdin" if word == "-" and arguments[0] == "predict" and last not in ("--file", "--text") else word
        for last, word in zip(before, arguments)
    ]


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


if __name__ == "__main__":
    sys.exit(main())
