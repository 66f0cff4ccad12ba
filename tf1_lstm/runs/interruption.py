"""Ctrl-C and SIGTERM end a training after the running iteration, with everything saved."""

import signal
from types import FrameType
from typing import Any, Dict, Optional


class Interruption:
    """Within the ``with`` block the two signals set ``signal_number`` in place of ending the process.

    A second Ctrl-C while the last checkpoint is being written is ignored on purpose: the write
    takes less than a second.

    Attributes:
      signal_number: the signal that arrived, or None.
    """

    SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self.signal_number: Optional[int] = None
        self._before: Dict[int, Any] = {}

    def __enter__(self) -> "Interruption":
        for number in self.SIGNALS:
            self._before[number] = signal.signal(number, self._arrived)
        return self

    def __exit__(self, *unused: Any) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _arrived(self, number: int, frame: Optional[FrameType]) -> None:
        self.signal_number = number

    @property
    def exit_code(self) -> int:
        """130 for Ctrl-C, 143 for SIGTERM."""
        return 128 + (self.signal_number or 0)
