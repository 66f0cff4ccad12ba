"""Whether the NumPy reference is the model of a bundle: only then may its rounding excuse a port's.

What a port may differ by grows with the distance between TensorFlow's recorded float32 numbers and the
reference's float64 ones. If the reference computed something else, that distance would be its own error, and
a wrong port would be excused by it. So the distance itself is held against what float32 explains: the
reference, run in float32.
"""

from typing import Dict, Tuple

import numpy as np

from tf1_lstm.errors import InputError
from tf1_lstm.parity.bundle import Bundle
from tf1_lstm.parity.problem import problem_of
from tf1_lstm.parity.reference import LossGradient

# How many times the rounding of the reference's own float32 run TensorFlow's may be; chosen, and measured on
# bundles that had no part in the choice, by benchmarks/tolerances.py.
MARGIN = 30.0
CLOSE = 1e-5  # of a number, or of 1 where it is smaller


def distances(bundle: Bundle, margin: float = MARGIN) -> Dict[str, Tuple[float, float]]:
    """Return name -> (largest distance of TensorFlow's numbers from the reference's, what is explained).

    Args:
      bundle: any.
      margin: see ``MARGIN``.
    """
    problem = problem_of(bundle)
    exact, single = problem.training(), problem.in_type(np.float32).training()
    assert exact is not None
    assert single is not None
    theirs = _named(bundle.logits, bundle.loss, bundle.steps, bundle.gradients)
    rights, rounded = (_named_of(found) for found in (exact, single))
    found = {}
    for name, array in theirs.items():
        if not array.size or array.shape != rights[name].shape:
            continue
        right = rights[name]
        own = float(np.abs(rounded[name].astype(np.float64) - right).max())
        explained = margin * own + CLOSE * max(1.0, float(np.abs(right).max()))
        found[name] = float(np.abs(array - right).max()), explained
    return found


def check_reference(bundle: Bundle, where: str) -> None:
    """Refuse a bundle whose recorded numbers are not those of the reference.

    Args:
      bundle: the original.
      where: what an error names.

    Raises:
      InputError: naming the number, how far apart they are, and what float32 explains.
    """
    with np.errstate(all="ignore"):
        found = distances(bundle)
    for name, (distance, explained) in found.items():
        if not distance <= explained:
            raise InputError(
                f"{where}: {name}: found TensorFlow's numbers {distance:.2g} from the NumPy reference's, expected "
                f"{explained:.2g} at most (float32's rounding): no port can be judged by it"
            )


def _named_of(found: LossGradient) -> Dict[str, np.ndarray]:
    forward = found.forward
    return _named(forward.logits, found.loss, forward.steps(), found.gradients)


def _named(
    logits: np.ndarray, loss: float, steps: Dict[str, np.ndarray], gradients: Dict[str, np.ndarray]
) -> Dict[str, np.ndarray]:
    return {
        **steps,
        "logits": logits,
        "loss": np.asarray(loss),
        **{f"gradients/{role}": array for role, array in gradients.items()},
    }
