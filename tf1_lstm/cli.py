"""The command line: parse, call, print. Each room of the package adds its own commands."""

import argparse
import importlib
import os
import sys
from typing import List, Optional, Sequence

from tf1_lstm import __version__
from tf1_lstm.errors import InputError, NotFiniteError

DONE, DOES_NOT_HOLD, BAD_INPUT = 0, 1, 2

# Modules with add_parsers(subparsers), in the order of --help. They import nothing heavy until a
# command runs: help answers at once, and doctor runs where nothing else does.
COMMANDS = (
    "tf1_lstm.recipes.commands",
    "tf1_lstm.data.commands",
    "tf1_lstm.runs.train_commands",
    "tf1_lstm.runs.verify",
    "tf1_lstm.runs.use_commands",
    "tf1_lstm.runs.reproduce",
    "tf1_lstm.checkpoints.commands",
    "tf1_lstm.parity.commands",
    "tf1_lstm.doctor",
)

DESCRIPTION = "Old TensorFlow 1 LSTM results, run again exactly."
EPILOG = "Exit codes: 0 done; 1 done, and what was checked does not hold; 2 bad usage or bad input."


def main(arguments: Optional[List[str]] = None) -> int:
    """Run one command.

    Args:
      arguments: as typed, without the program's name; ``sys.argv`` by default.

    Returns:
      The exit code.
    """
    arguments = _with_stdin(sys.argv[1:] if arguments is None else arguments)
    # The doctor runs where the rest of the program cannot even be imported.
    modules = ("tf1_lstm.doctor",) if arguments[:1] == ["doctor"] else COMMANDS
    options = build_parser(modules).parse_args(arguments)
    try:
        return options.func(options)
    except InputError as error:
        print(f"tf1-lstm: {error}", file=sys.stderr)
        return BAD_INPUT
    except NotFiniteError as error:
        print(f"tf1-lstm: {error}", file=sys.stderr)
        return DOES_NOT_HOLD
    except KeyboardInterrupt:
        print("tf1-lstm: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output (head, less) has gone; that is no error of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except MemoryError:
        print("tf1-lstm: not enough memory for this input", file=sys.stderr)
        return BAD_INPUT


def _with_stdin(arguments: List[str]) -> List[str]:
    """Write ``-`` as ``--stdin``: argparse takes no second positional argument after options."""
    before = [None, *arguments]
    return [
        "--stdin" if word == "-" and arguments[0] == "predict" and last not in ("--file", "--text") else word
        for last, word in zip(before, arguments)
    ]


def build_parser(modules: Sequence[str] = COMMANDS) -> argparse.ArgumentParser:
    """The parser with the commands of ``modules``."""
    parser = argparse.ArgumentParser(prog="tf1-lstm", description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("--version", action="version", version=f"tf1-lstm {__version__}")
    subparsers = parser.add_subparsers(metavar="COMMAND", title="commands")
    subparsers.required = True
    subparsers.dest = "command"
    for name in modules:
        importlib.import_module(name).add_parsers(subparsers)
    return parser


if __name__ == "__main__":
    sys.exit(main())
