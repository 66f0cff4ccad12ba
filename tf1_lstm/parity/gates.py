"""Which gate of a port diverges first, from its states and, where they can be seen, its weights.

One step is run from the port's own states of the step before, so what is compared is that step
alone and nothing that went wrong earlier.
"""

from typing import List, Mapping, NamedTuple, Optional, Tuple

import numpy as np

from tf1_lstm.parity import cells
from tf1_lstm.parity.bundle import Bundle
from tf1_lstm.parity.cells import Trace, cell_kind
from tf1_lstm.parity.problem import largest_error

LONG = {
    "i": "input gate",
    "j": "candidate",
    "f": "forget gate",
    "o": "output gate",
    "r": "reset gate",
    "u": "update gate",
    "candidate": "candidate",
}
Arrays = Mapping[str, np.ndarray]


class Divergence(NamedTuple):
    """Where a port first leaves the original.

    Attributes:
      direction: ``"fw"`` or ``"bw"``.
      layer: from 0.
      step: from 0, in the order in which the layer runs.
      place: the same step in the order of the inputs.
      gates: names of the gates that differ, or () where the states cannot tell.
      how: how the gates were found.
    """

    direction: str
    layer: int
    step: int
    place: int
    gates: List[str]
    how: str


def first_divergence(
    bundle: Bundle, steps: Arrays, weights: Optional[Arrays], tolerance: float
) -> Optional[Divergence]:
    """Return the lowest layer's first step whose states differ, with its gates; None where none does.

    Args:
      bundle: the original.
      steps: the port's states, as in ``Bundle.steps``; every array of the bundle's shape.
      weights: the port's weights by role, or None.
      tolerance: absolute, and relative where a number is larger than 1.
    """
    spec = bundle.spec
    for layer in range(spec.layers):
        for direction in spec.directions:
            names = [f"{direction}/{layer}/{part}" for part in ("h", "c")]
            errors = [
                np.abs(bundle.steps[n] - steps[n]) / np.maximum(1, np.abs(bundle.steps[n]))
                for n in names
                if n in steps
            ]
            if not errors:
                continue
            by_step = np.max([error.max(axis=(0, 2)) for error in errors], axis=0)
            order = -1 if direction == "bw" else 1
            wrong = np.flatnonzero(by_step[::order] > tolerance)
            if not len(wrong):
                continue
            step = int(wrong[0])
            place = len(by_step) - 1 - step if direction == "bw" else step
            if bundle.spec.mask != "none":
                return Divergence(direction, layer, step, place, [], "")
            gates, how = _gates(bundle, steps, weights, direction, layer, step, tolerance)
            return Divergence(direction, layer, step, place, gates, how)
    return None


def _gates(
    bundle: Bundle,
    steps: Arrays,
    weights: Optional[Arrays],
    direction: str,
    layer: int,
    step: int,
    tolerance: float,
) -> Tuple[List[str], str]:
    spec = bundle.spec
    right = _one_step(bundle, steps, bundle.weights, direction, layer, step)
    if weights is not None and all(role in weights for role in bundle.weights):
        theirs = _one_step(bundle, steps, weights, direction, layer, step)
        found = [g for g in right.gates if largest_error(theirs.gates[g], right.gates[g]) > tolerance]
        if found:
            return [LONG[g] for g in found], "computed from the port's weights"
    if cell_kind(spec.cell.name) != "lstm" or f"{direction}/{layer}/c" not in steps:
        return [], ""
    h, c, c_before = (
        _at(steps, direction, layer, part, at) for part, at in (("h", step), ("c", step), ("c", step - 1))
    )
    return _from_states(right, h, c, c_before, tolerance), "deduced from the states"


def _at(steps: Arrays, direction: str, layer: int, part: str, step: int) -> np.ndarray:
    """Return a state ``[batch, units]`` of one step in the order of processing; zeros before the first."""
    states = steps[f"{direction}/{layer}/{part}"][:, :: -1 if direction == "bw" else 1]
    return states[:, step] if step >= 0 else np.zeros_like(states[:, 0])


def _one_step(bundle: Bundle, steps: Arrays, weights: Arrays, direction: str, layer: int, step: int) -> Trace:
    """Run one step from the port's own states of the step before."""
    spec = bundle.spec
    if not layer:
        read = bundle.sequence()[:, :: -1 if direction == "bw" else 1][:, step]
    elif spec.joined_layers:
        place = bundle.inputs.shape[1] - 1 - step if direction == "bw" else step
        read = np.concatenate([steps[f"{name}/{layer - 1}/h"][:, place] for name in spec.directions], axis=1)
    else:
        read = _at(steps, direction, layer - 1, "h", step)
    h = _at(steps, direction, layer, "h", step - 1)
    has_c = f"{direction}/{layer}/c" in steps
    c = _at(steps, direction, layer, "c", step - 1) if has_c else np.zeros_like(h)
    parts = spec.parts(weights, direction, layer)
    return cells.run(spec.cell_of(layer), parts, read[:, None], state=(h, c))


def _from_states(
    right: Trace, h: np.ndarray, c: np.ndarray, c_before: np.ndarray, tolerance: float
) -> List[str]:
    """Return the gates of an LSTM step that its new states accuse.

    h = o * tanh(c) gives the port's o; a c that is wrong where c was zero before accuses what is
    added to it, and one that some f between 0 and 1 explains accuses f.
    """
    assert right.c is not None
    loose = 10 * tolerance
    squashed = np.tanh(c)
    usable = np.abs(squashed) > 0.05
    o = np.where(usable, h / np.where(usable, squashed, 1), right.gates["o"][:, 0])
    found = ["output gate"] if largest_error(o, right.gates["o"][:, 0]) > loose else []
    if largest_error(c, right.c[:, 0]) <= tolerance:
        return found
    added = right.gates["i"][:, 0] * right.gates["j"][:, 0]
    held = np.abs(c_before) > 0.05
    if not held.any():
        return [*found, "input gate or candidate"]
    f = (c - added)[held] / c_before[held]
    only_f = f.min() > -loose and f.max() < 1 + loose and np.abs((c - added)[~held]).max(initial=0) < 0.06
    return [*found, "forget gate" if only_f else "input gate, candidate or forget gate"]
