"""One known mistake, as the modules that list them give it."""

from dataclasses import dataclass
from typing import Callable, Mapping, Optional, Tuple

from tf1_lstm.parity.problem import Problem

Change = Callable[[Problem], Optional[Problem]]
OF_BIAS = ("no-bias", "bias-twice", "biases-summed", "biases-swapped")


@dataclass(frozen=True)
class Mistake:
    """One way to be wrong.

    Attributes:
      name: what is reported, e.g. ``"forget-bias-missing"``.
      variant: which form of it, where there are several ("" otherwise).
      says: one sentence.
      fixes: framework (``keras``, ``torch`` or ``any``) -> the line of code that fixes it.
      change: the changed problem, or None where the mistake cannot be made on this model.
      common: whether it is tried in pairs too.
      stage: when it acts: inputs, weights, arithmetic, readout, training.
      mixes_examples: an example's logits depend on others of the batch.
    """

    name: str
    variant: str
    says: str
    fixes: Mapping[str, str]
    change: Change
    common: bool = True
    stage: int = 0
    mixes_examples: bool = False

    @property
    def group(self) -> str:
        """What cannot be got wrong twice: two mistakes of a group are not paired."""
        if self.name in OF_BIAS:
            return "bias"
        return next((g for g in ("gate-order", "forget-bias") if self.name.startswith(g)), self.name)

    def fix(self, framework: str) -> str:
        """Return the line for ``keras`` or ``torch``, or the general one."""
        return self.fixes.get(framework, self.fixes["any"])


Candidate = Tuple[Mistake, ...]
