"""What the doctor says: one finding for each thing that it looked at, and the time that is left."""

import time
from pathlib import Path
from typing import NamedTuple

PROJECT = Path(__file__).resolve().parents[2]

OK, UNCHECKED, WARNING, PROBLEM = "ok", "not checked", "warning", "problem"


class Finding(NamedTuple):
    """One thing that was looked at.

    Attributes:
      topic: ``machine``, ``python``, ``packages``, ``tensorflow``, ``engine``, ``gpu``,
        ``data``, ``checkpoints`` or ``folders``.
      name: the thing.
      status: ``"ok"``, ``"not checked"`` (the time was over before it was known), ``"warning"`` (something
        will not work, or differs) or ``"problem"`` (nothing will).
      found: what was found, and what was expected where that differs.
      fix: the command or the choice that fixes it; ``""`` where nothing has to be fixed.
    """

    topic: str
    name: str
    status: str
    found: str
    fix: str = ""


class Clock:
    """The time that an examination may take."""

    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds that are left, at least 0."""
        return max(0.0, self.end - time.monotonic())


def setup_command() -> str:
    """Tell how the environment is made again, here or in an image without the Makefile."""
    if (PROJECT / "Makefile").is_file():
        return "make setup"
    return "start from an unchanged image, or build it again (docs/container.md)"


def size_text(count: float) -> str:
    """Bytes as a short text: ``1.5 GB``."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit != "MB" else f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} GB"
