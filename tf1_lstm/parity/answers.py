"""What a port's process left, checked before anything is computed from it.

The process runs code of somebody else, which may leave anything: arrays of other names, shapes and
types, and JSON that is none. Here each level is kept only where it has the form in which
``parity.child`` leaves it; whether its numbers are right is not asked yet.
"""

from typing import Dict, Iterable, List, Mapping, Tuple

import numpy as np

from tf1_lstm.core.text import printable
from tf1_lstm.parity import inputs
from tf1_lstm.parity.bundle import Bundle
from tf1_lstm.parity.runner import Observed

Arrays = Mapping[str, np.ndarray]
NUMBERS = "fiu"  # kinds of NumPy's types


def checked(observed: Observed, bundle: Bundle) -> Observed:
    """Return what was observed without the levels that cannot be what they claim; these have failed.

    Args:
      observed: as collected from the port's files.
      bundle: what it is compared with; logits, states and weights have its names.
    """
    arrays = dict(observed.arrays)
    failed, reasons = dict(observed.failed), dict(observed.reasons)
    for level in observed.arrays:
        arrays[level] = _known(level, arrays[level], bundle)
        wrong = _wrong(level, arrays[level], bundle)
        if wrong:
            del arrays[level]
            reasons[level] = failed[level] = f"the port's process left {printable(wrong, 200)}"
    return observed._replace(arrays=arrays, failed=failed, reasons=reasons)


def _wrong(level: str, arrays: Arrays, bundle: Bundle) -> str:
    """Say what is wrong with the form of a level's arrays, or nothing."""
    strange = [
        f"{name} as {array.dtype}" for name, array in arrays.items() if array.dtype.kind not in NUMBERS
    ]
    if strange:
        return f"{strange[0]}, expected numbers"
    if level in ("logits", "repeats", "split"):
        return _wrong_logits(level, arrays, bundle)
    if level == "inputs":
        return _wrong_inputs(arrays, bundle)
    if level not in ("weights", "steps", "training", "tokens"):
        return f"arrays of {level}, expected none"
    if level == "training" and ("loss" not in arrays or arrays["loss"].shape):
        return "no loss, expected one number"
    wanted = "ids" in arrays if level == "tokens" else bool(arrays)
    return "" if wanted else f"{level} of which the bundle has none"


def _known(level: str, arrays: Dict[str, np.ndarray], bundle: Bundle) -> Dict[str, np.ndarray]:
    """Leave out what the bundle has no counterpart of: a port may have more layers."""
    names: Dict[str, Iterable[str]] = {
        "weights": bundle.weights,
        "steps": bundle.steps,
        "training": ["loss", *_training_names(bundle)],
    }
    known = set(names.get(level, arrays))
    return {name: array for name, array in arrays.items() if name in known}


def _training_names(bundle: Bundle) -> List[str]:
    roles = list(bundle.weights)
    found = [f"gradients/{role}" for role in roles]
    return found + [f"updates/{step + 1}/{role}" for step in range(len(bundle.updates)) for role in roles]


def _wrong_logits(level: str, arrays: Arrays, bundle: Bundle) -> str:
    array = arrays.get("logits")
    if array is None or len(arrays) != 1:
        return f"{', '.join(sorted(arrays)) or 'nothing'}, expected logits"
    expected: Tuple[int, ...] = bundle.logits.shape
    if level == "split":
        expected = expected if bundle.split_logits is None else bundle.split_logits.shape
    found = array.shape
    if level == "repeats":
        found = found[1:] if found and found[0] >= 2 else found
    if found != expected:
        return f"logits of shape {array.shape}, expected {expected}"
    return "" if np.isfinite(array).all() else "logits that are NaN or infinite"


def _wrong_inputs(arrays: Arrays, bundle: Bundle) -> str:
    more = set(arrays).difference((inputs.SEQUENCE, inputs.TABLE, inputs.PLACES, inputs.IDS, inputs.ROWS))
    if more:
        return f"{min(more)!r} among its inputs, which are not known"
    sequence = arrays.get(inputs.SEQUENCE)
    if sequence is not None and (sequence.ndim != 3 or not sequence.size or not np.isfinite(sequence).all()):
        return f"a sequence of shape {sequence.shape}, expected finite numbers [batch, steps, inputs]"
    if bundle.words is None:
        return ""
    table = inputs.expected_inputs(bundle)[inputs.TABLE]
    shapes: Dict[str, Tuple[int, ...]] = {
        inputs.TABLE: table.shape,
        inputs.PLACES: table.shape[:1],
        inputs.IDS: bundle.inputs.shape,
        inputs.ROWS: (),
    }
    for name, shape in shapes.items():
        if name in arrays and arrays[name].shape != shape:
            return f"{name} of shape {arrays[name].shape}, expected {shape}"
    if inputs.PLACES in arrays and inputs.ROWS not in arrays:
        return "places without the number of rows"
    return ""
