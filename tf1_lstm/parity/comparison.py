"""What comparing one port with one bundle gives."""

from pathlib import Path
from typing import NamedTuple, Optional, Sequence, Tuple

from tf1_lstm.parity.bundle import Bundle
from tf1_lstm.parity.diagnosis import Diagnosis
from tf1_lstm.parity.gates import Divergence
from tf1_lstm.parity.inputs import InputFault
from tf1_lstm.parity.levels import FAIL, UNKNOWN, Level
from tf1_lstm.parity.runner import Observed


class PortVerdicts(NamedTuple):
    """One port against one bundle.

    Attributes:
      bundle: the original.
      target: the port, as it was run.
      observed: what it showed.
      levels: all verdicts.
      divergence: the first step that differs, where states can be seen.
      diagnosis: what explains it; None where there are no logits.
      folder: where picture and tracebacks are.
      finding: what is wrong with the inputs, where no known mistake explains the port from the right
        ones; the diagnosis then begins with the inputs that the port reads.
      clues: where to look, where nothing explains the port.
    """

    bundle: Bundle
    target: str
    observed: Observed
    levels: Sequence[Level]
    divergence: Optional[Divergence]
    diagnosis: Optional[Diagnosis]
    folder: Path
    finding: Optional[InputFault] = None
    clues: Tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether something could be compared, all of it passes, and the port never failed."""
        statuses = [level.status for level in self.levels]
        agrees = self.diagnosis is None or not self.diagnosis.random
        compared = any(status != UNKNOWN for status in statuses)
        return compared and FAIL not in statuses and not self.observed.failed and agrees
