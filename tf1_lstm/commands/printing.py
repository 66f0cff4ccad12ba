"""Printing what a terminal may not be able to show, and the answers to many inputs."""

import sys
import time
from pathlib import Path
from typing import Any, Callable, Dict, Optional, Sequence

from tf1_lstm.core.exits import BAD_INPUT, DONE
from tf1_lstm.core.many import JsonLines, answer_all


def say(text: str) -> None:
    """Print what may hold a file name that this terminal's encoding does not have."""
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding))


def print_fact(name: str, text: Any) -> None:
    """Print a name and what it is; in a terminal broken between words."""
    from tf1_lstm.core.text_table import fitted

    say(fitted(f"{name:<16}{text}", " " * 16))


def answer_and_count(
    paths: Sequence[str],
    out: Optional[Path],
    question: Dict[str, Any],
    answer: Callable[[str], Dict[str, Any]],
) -> int:
    """Print a JSON line for each input, or append it to a file, and say at the end how many there are.

    Args:
      paths: the inputs.
      out: the file, which may have some of the answers already; None for standard output.
      question: what is asked, as JSON.
      answer: to one input; an ``InputError`` becomes its line.

    Returns:
      The exit code: 2 where an input could not be used.
    """
    from tqdm.auto import tqdm

    began = time.monotonic()
    with JsonLines(out, question) as lines:
        left = lines.left(paths)
        bar = tqdm(total=len(left), unit=" checkpoints", mininterval=0.5 if sys.stderr.isatty() else 30)
        with bar:
            for _ in answer_all(left, lines, answer):
                bar.update()
        failed = [path for path in paths if "error" in lines.done[path]]
    known = f", {len(paths) - len(left)} of them known before" if len(left) < len(paths) else ""
    print(f"{len(paths)} done{known}, in {time.monotonic() - began:.1f} s", file=sys.stderr)
    if failed:
        print(f"tf1-lstm: {len(failed)} of {len(paths)} cannot be used, e.g. {failed[0]}", file=sys.stderr)
        return BAD_INPUT
    return DONE
