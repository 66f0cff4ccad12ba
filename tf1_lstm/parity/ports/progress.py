"""How far a training is, on standard error; the ports' Python has no tqdm."""

import sys
import time
from typing import Any

SECONDS_IN_TERMINAL, SECONDS_IN_FILE = 0.5, 30.0


class Progress:
    """A line with count, milliseconds for each and time left; within a ``with`` block.

    Args:
      what: the label before it.
      total: how many are expected.
    """

    def __init__(self, what: str, total: int) -> None:
        self._what, self._total, self._done = what, total, 0
        self._began = self._shown = time.monotonic()
        self._in_terminal = sys.stderr.isatty()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *unused: Any) -> None:
        if self._in_terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def update(self, note: str = "") -> None:
        """Count one more, and show it where the last time was long enough ago."""
        self._done += 1
        now = time.monotonic()
        if now - self._shown < (SECONDS_IN_TERMINAL if self._in_terminal else SECONDS_IN_FILE):
            return
        self._shown = now
        each = (now - self._began) / self._done
        left = (self._total - self._done) * each
        text = (
            f"{self._what}: {self._done}/{self._total}, {1000 * each:.0f} ms each, {left:.0f} s left  {note}"
        )
        start, end = ("\r\033[K", "") if self._in_terminal else ("", "\n")
        print(start + text, end=end, file=sys.stderr, flush=True)
