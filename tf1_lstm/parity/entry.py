"""One known mistake, as the modules that list them give it."""

from typing import Callable, Mapping, NamedTuple, Optional

from tf1_lstm.parity.problem import Problem

Change = Callable[[Problem], Optional[Problem]]


class Entry(NamedTuple):
    """As in ``mistakes.Mistake``, which adds the stage."""

    name: str
    variant: str
    says: str
    mends: Mapping[str, str]
    change: Change
    common: bool = True
