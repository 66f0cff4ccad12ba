"""Say how far a port has come while it runs, from the files that it leaves."""

import threading
import time
from pathlib import Path
from typing import Any, Callable, Sequence

Say = Callable[[str], Any]
EVERY = 0.5  # seconds


class Waiting:
    """While its block runs, say what the port is at.

    Args:
      folder: where the port leaves a file for each level.
      levels: in the order in which they are run.
      limit: seconds that the port may take.
      say: takes one line.
    """

    def __init__(self, folder: Path, levels: Sequence[str], limit: float, say: Say) -> None:
        self._folder, self._levels, self._limit, self._say = folder, levels, limit, say
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Waiting":
        self._thread.start()
        return self

    def __exit__(self, *error: Any) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        began = time.monotonic()
        while not self._done.wait(EVERY):
            seconds = time.monotonic() - began
            self._say(f"the port: {self._current()}, {seconds:.0f} s of at most {self._limit:g}")

    def _current(self) -> str:
        """Return the first level that has left nothing yet."""
        if not (self._folder / "port.json").exists():
            return "loading"
        endings = (".npz", ".json")
        for level in self._levels:
            if not any((self._folder / (level + ending)).exists() for ending in endings):
                return level
        return "ending"
