"""The parser of the command line: help with examples, and the nearest word beside one that does not exist."""

import argparse
import difflib
from typing import Any, Iterator, Sequence

QUIET = "no progress and no remarks: results and errors only"


class HelpFormatter(argparse.HelpFormatter):
    """Wraps texts of one paragraph, and leaves those with lines of their own (examples) as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if "\n" not in text:
            return super()._fill_text(text, width, indent)
        return "".join(indent + line for line in text.splitlines(keepends=True))


class Parser(argparse.ArgumentParser):
    """Says the nearest word that exists beside one that does not."""

    def __init__(self, *args: Any, **options: Any) -> None:
        options.setdefault("formatter_class", HelpFormatter)
        super().__init__(*args, **options)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As in argparse, but what is left over is an error of the very command, with its usage."""
        found, rest = super().parse_known_args(args, namespace)
        if rest:
            known = [word for action in self._actions for word in action.option_strings]
            self.error(
                f"unrecognized arguments: {' '.join(rest)}{did_you_mean(rest[0].split('=')[0], known)}"
            )
        return found, rest

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            known = [str(choice) for choice in action.choices]
            hint = did_you_mean(str(value), known) or f"; expected one of {', '.join(known)}"
            raise argparse.ArgumentError(action, f"found {str(value)!r}{hint}")


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """``; did you mean ...?``, or nothing where no known word is near."""
    near = difflib.get_close_matches(word, known, n=2, cutoff=0.6)
    return f"; did you mean {' or '.join(near)}?" if near else ""


def finish(parser: argparse.ArgumentParser, examples: str = "") -> None:
    """Give a command, and those within it, ``--quiet`` and their examples."""
    for each in _with_inner(parser):
        each.add_argument("--quiet", action="store_true", default=argparse.SUPPRESS, help=QUIET)
        if examples and examples not in (each.epilog or ""):
            each.epilog = "\n\n".join(filter(None, [each.epilog, examples]))


def _with_inner(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from _with_inner(inner)
