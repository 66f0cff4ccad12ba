"""The command line: parse, call, and turn errors into exit codes."""

import sys
from typing import List, Optional

from tf1_lstm.commands import COMMANDS
from tf1_lstm.commands.program import build_parser
from tf1_lstm.core.exits import exit_code_of
from tf1_lstm.core.quiet import be_quiet, is_quiet

__all__ = ["build_parser", "main"]


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
    return int(options.func(options))


def _with_stdin(arguments: List[str]) -> List[str]:
    """Write ``-`` as ``--stdin``: argparse takes no second positional argument after options."""
    before = [None, *arguments]
    return [
        "--stdin" if word == "-" and arguments[0] == "predict" and last not in ("--file", "--text") else word
        for last, word in zip(before, arguments)
    ]


if __name__ == "__main__":
    sys.exit(main())
