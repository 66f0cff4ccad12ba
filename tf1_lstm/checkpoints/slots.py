"""An optimizer's variables told apart from the model's: slots, beta powers, the step counter."""

import re
from typing import Dict, List, Mapping, NamedTuple

from tf1_lstm.checkpoints.formats.tensors import VariableSpec

SLOT = re.compile(
    r"^(?P<primary>.+)/(?P<slot>(?:Adam|AdaMax|Momentum|RMSProp|Adagrad|Adadelta|Ftrl"
    r"|ExponentialMovingAverage)(?:_\d+)?)$"
)
CARRIED = re.compile(r"^carried_state/\d+$")  # a state that is carried from batch to batch
SCALARS = ("beta1_power", "beta2_power", "global_step")


class Separated(NamedTuple):
    """The variables of a checkpoint by what they are for.

    Attributes:
      primaries: the model's own.
      slots: the model's variable -> slot (``"Adam"``) -> the slot's variable.
      scalars: ``beta1_power``, ``beta2_power``, ``global_step`` -> variable.
    """

    primaries: List[str]
    slots: Dict[str, Dict[str, str]]
    scalars: Dict[str, str]


def separate(specs: Mapping[str, VariableSpec]) -> Separated:
    """Tell an optimizer's variables apart by their names and shapes.

    A slot belongs to the variable whose name it bears and whose shape it has; an optimizer made in
    a scope puts that scope in front. What only looks like a slot stays a variable of its own.
    """
    scalars: Dict[str, str] = {}
    for name in sorted(specs, key=lambda name: (name.count("/"), name)):
        last = name.rsplit("/", 1)[-1]
        if last in SCALARS and specs[name].shape == ():
            scalars.setdefault(last, name)
    taken = set(scalars.values())
    slots: Dict[str, Dict[str, str]] = {}
    primaries = []
    for name in sorted(specs):
        match = SLOT.match(name)
        owner = _owner(match.group("primary"), specs[name], specs) if match else ""
        if match and owner:
            slots.setdefault(owner, {})[match.group("slot")] = name
        elif CARRIED.match(name):
            scalars[name] = name
        elif name not in taken:
            primaries.append(name)
    return Separated(primaries, slots, scalars)


def _owner(primary: str, spec: VariableSpec, specs: Mapping[str, VariableSpec]) -> str:
    parts = primary.split("/")
    for start in range(len(parts)):  # the longest name first
        candidate = "/".join(parts[start:])
        if candidate in specs and specs[candidate].shape == spec.shape:
            return candidate
    return ""
