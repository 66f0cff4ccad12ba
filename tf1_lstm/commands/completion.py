"""The command ``completion``: what lets a shell complete commands, options, recipes and files."""

import argparse
from typing import Any

from tf1_lstm.errors import InputError

EXAMPLES = """\
examples:
  tf1-lstm completion bash > ~/.local/share/bash-completion/completions/tf1-lstm
  tf1-lstm completion zsh > ~/.zfunc/_tf1-lstm
  tf1-lstm completion tcsh > ~/.tf1-lstm.tcsh"""
SHELLS = ("bash", "zsh", "tcsh")
FOLDERS = ("DIR", "RUN")
FILES = ("FILE", "PATH", "CHECKPOINT", "BUNDLE", "F", "PORT")


def add_parser(subparsers: Any) -> None:
    """Add ``completion``."""
    parser = subparsers.add_parser(
        "completion",
        help="print what lets a shell complete commands, options, recipes and files",
        description="Print a shell's completion of tf1-lstm: commands, options, their words, recipes and files.",
        epilog=EXAMPLES,
    )
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))
    parser.set_defaults(func=run)


def run(options: argparse.Namespace) -> int:
    """Print the shell's script."""
    try:
        import shtab
    except ImportError as error:
        raise InputError("completion: found no shtab, expected it (make setup installs it)") from error
    from tf1_lstm.commands.program import build_parser

    parser = build_parser()
    _mark(parser, shtab)
    print(shtab.complete(parser, options.shell))
    return 0


def _mark(parser: argparse.ArgumentParser, shtab: Any) -> None:
    """Say of every argument what it may be: a folder, a file, or a recipe's name."""
    from tf1_lstm.recipes import all_recipes

    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                _mark(inner, shtab)
            continue
        words = str(action.metavar or "").split(".")[0]
        if action.dest in ("recipe", "name") and not action.option_strings:
            action.choices = list(all_recipes())
        elif action.choices is None and words in FOLDERS:
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
        elif action.choices is None and words in FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
