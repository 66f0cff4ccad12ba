"""``--quiet``: standard error shows what begins with ``tf1-lstm: ``, errors and warnings, and no more.

The environment variable hands it on to child processes.
"""

import os
import sys
from typing import Any

VARIABLE = "TF1_LSTM_QUIET"
# In a child process: that the data are the embedded sample is said by its parent.
NO_BANNER = "TF1_LSTM_NO_BANNER"
MARK = "tf1-lstm: "


class ErrorsOnly:
    """A text stream that lets errors and warnings through to another, and drops progress and remarks."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._open = False  # a line that was let through has not ended

    def write(self, text: str) -> int:
        """Write what begins with ``tf1-lstm: ``, and the end of its line."""
        passes = text.startswith(MARK) or (self._open and text == "\n")
        self._open = passes and not text.endswith("\n")
        if passes:
            self._stream.write(text)
        return len(text)

    def isatty(self) -> bool:
        """No: nothing is drawn here."""
        return False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def be_quiet() -> None:
    """Keep this process and its children quiet from now on."""
    os.environ[VARIABLE] = "1"
    if not isinstance(sys.stderr, ErrorsOnly):
        sys.stderr = ErrorsOnly(sys.stderr)  # type: ignore[assignment]


def is_quiet() -> bool:
    """Whether this process, or the one that started it, was asked to be."""
    return bool(os.environ.get(VARIABLE))
