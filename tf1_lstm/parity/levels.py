"""Compare what a port showed with a bundle, level by level."""

from typing import Any, Dict, List, Mapping, NamedTuple, Optional

import numpy as np

from tf1_lstm.parity.bundle import Bundle
from tf1_lstm.parity.inputs import SEQUENCE, TABLE, expected_inputs
from tf1_lstm.parity.problem import problem_of
from tf1_lstm.parity.runner import Observed
from tf1_lstm.parity.updates import Seen, own_steps

PASS, FAIL, UNKNOWN = "PASS", "FAIL", "not available"
NAMES = ("inputs", "weights", "steps", "logits", "labels", "loss", "gradients", "updates")
TOLERANCE = 1e-5
Arrays = Mapping[str, np.ndarray]


class Level(NamedTuple):
    """The verdict of one level.

    Attributes:
      name: one of ``NAMES``.
      status: ``PASS``, ``FAIL`` or ``UNKNOWN``.
      tolerance: largest difference allowed, relative where a number is larger than 1, beyond
        ``rounding``; updated weights may also differ by what follows from the
        port's own gradients and weights (see ``updates``).
      rounding: TensorFlow 1.15's own rounding error, where it is known.
      absolute: largest absolute difference, or None.
      relative: largest difference over the largest number of its array.
      place: where the largest difference stands.
      reason: why it is not available, or what else there is to say.
      excess: largest difference beyond rounding, which is held against the tolerance; None where not known.
    """

    name: str
    status: str
    tolerance: float
    rounding: Optional[float] = None
    absolute: Optional[float] = None
    relative: Optional[float] = None
    place: str = ""
    reason: str = ""
    excess: Optional[float] = None

    def document(self) -> Dict[str, Any]:
        """Return it as JSON holds it."""
        return dict(self._asdict())


def compare_levels(
    bundle: Bundle,
    observed: Observed,
    tolerances: Mapping[str, float],
    truth: Optional[np.ndarray],
    allowance: float = 1.0,
) -> List[Level]:
    """Return every level.

    Args:
      bundle: the original.
      observed: the port.
      tolerances: level -> tolerance; others have the default.
      truth: logits of the split that the port ran over, or None where it ran over none.
      allowance: factor on what rounding explains, for measuring what the factor 1 is worth.
    """

    def limit(name: str) -> float:
        return tolerances.get(name, tolerances.get("", TOLERANCE))

    training = observed.arrays.get("training", {})
    updates = {n: a for n, a in training.items() if n.startswith("updates/")}
    gradients = {n: a for n, a in training.items() if n.startswith("gradients/")}
    right_updates = {
        f"updates/{k + 1}/{r}": a for k, step in enumerate(bundle.updates) for r, a in step.items()
    }
    right_gradients = {f"gradients/{role}": array for role, array in bundle.gradients.items()}
    logits = observed.arrays.get("logits", {})
    loss = {"loss": training["loss"]} if "loss" in training else {}
    inputs = {name: observed.arrays.get("inputs", {}).get(name) for name in (TABLE, SEQUENCE)}
    pairs: List[Any] = [
        ("inputs", "inputs", expected_inputs(bundle), {n: a for n, a in inputs.items() if a is not None}),
        ("weights", "weights", bundle.weights, observed.arrays.get("weights", {})),
        ("steps", "steps", bundle.steps, observed.arrays.get("steps", {})),
        ("logits", "logits", {"logits": bundle.logits}, logits),
        ("loss", "training", {"loss": np.asarray(bundle.loss, np.float32)}, loss),
        ("gradients", "training", right_gradients, gradients),
        ("updates", "updates" if "updates" in observed.reasons else "training", right_updates, updates),
    ]
    allowed = rounding_of(bundle)
    own = _update_allowances(bundle, training, allowed, allowance) if gradients and updates else {}
    allowed = {**{name: allowance * value for name, value in allowed.items()}, **own}
    found = {
        name: level_of(name, limit(name), right, seen, _reason(observed, source), allowed)
        for name, source, right, seen in pairs
    }
    found["labels"] = _labels(observed, truth, limit("labels"))
    return [found[name] for name in NAMES]


def rounding_of(bundle: Bundle) -> Dict[str, Any]:
    """Return how far TensorFlow 1.15's float32 numbers are from the exact ones, by name.

    The exact ones are the NumPy reference's in float64. A port that is as far from TensorFlow as
    TensorFlow is from the truth cannot be called wrong.
    """
    exact = problem_of(bundle).training()
    assert exact is not None
    pairs = {"logits": (bundle.logits, exact.forward.logits)}
    pairs.update({name: (array, exact.forward.steps()[name]) for name, array in bundle.steps.items()})
    pairs.update({f"gradients/{r}": (a, exact.gradients[r]) for r, a in bundle.gradients.items()})
    return {name: float(np.abs(theirs - right).max()) for name, (theirs, right) in pairs.items()}


def _update_allowances(
    bundle: Bundle, training: Arrays, rounding: Mapping[str, float], allowance: float
) -> Dict[str, np.ndarray]:
    """Return how far each updated weight may be from TensorFlow's, by name: see ``updates.own_steps``."""
    problem, spec = problem_of(bundle), bundle.spec

    def group(prefix: str) -> Dict[str, np.ndarray]:
        return {name[len(prefix) :]: array for name, array in training.items() if name.startswith(prefix)}

    def gradient_of(step: int, now: Dict[str, np.ndarray]) -> Any:
        single = {role: array.astype(np.float32) for role, array in now.items()}
        exact, rounded = problem.training(now), problem.training(single)
        assert exact is not None
        assert rounded is not None
        return exact.gradients, rounded.gradients

    seen = Seen(group("gradients/"), [group(f"updates/{n + 1}/") for n in range(len(bundle.updates))])
    own = {role: rounding[f"gradients/{role}"] for role in bundle.gradients}
    found: Dict[str, np.ndarray] = {}
    with np.errstate(all="ignore"):  # what is not finite fails by itself
        steps = own_steps(
            spec.optimizer, problem.weights, bundle.gradients, own, seen, gradient_of, spec.factor, allowance
        )
        for number, (step, right) in enumerate(zip(steps, bundle.updates)):
            for role, array in right.items():
                allowed = np.abs(step.expected[role] - array) + step.margin[role]
                found[f"updates/{number + 1}/{role}"] = allowed
    return found


def _reason(observed: Observed, source: str) -> str:
    if source in observed.reasons:
        return observed.reasons[source]
    first = next((observed.reasons[s] for s in ("load", "logits") if s in observed.failed), "")
    return first or "the port did not get that far"


def level_of(name: str, tolerance: float, right: Arrays, seen: Arrays, reason: str, allowed: Arrays) -> Level:
    if not seen:
        return Level(name, UNKNOWN, tolerance, reason=reason)
    missing = sorted(set(right) - set(seen))
    scales = [allowed[key] for key in right if key in allowed and name != "updates"]
    worst = Level(name, PASS, tolerance, max(scales, default=None), 0.0, 0.0)
    excess = 0.0
    for key in right:
        if key not in seen:
            continue
        expected, found = np.asarray(right[key], np.float64), np.asarray(seen[key], np.float64)
        if found.shape != expected.shape:
            reason = f"{key}: shape {found.shape}, expected {expected.shape}"
            return Level(name, UNKNOWN if name == "steps" else FAIL, tolerance, place=key, reason=reason)
        if not np.isfinite(found).all():
            return Level(name, FAIL, tolerance, place=key, reason=f"{key}: holds NaN or infinity")
        if not found.size:
            continue
        difference = np.abs(found - expected)
        error = np.maximum(difference - allowed.get(key, 0.0), 0) / np.maximum(1.0, np.abs(expected))
        relative = float(difference.max()) / max(float(np.abs(expected).max()), tolerance)
        excess = max(excess, float(error.max()))
        if difference.max() >= (worst.absolute or 0.0):
            index = np.unravel_index(int(difference.argmax()), difference.shape)
            place = key + (f"[{', '.join(map(str, index))}]" if index else "")
            worst = worst._replace(absolute=float(difference.max()), place=place)
        worst = worst._replace(relative=max(worst.relative or 0.0, relative))
    status = PASS if excess <= tolerance else FAIL
    note = f"not seen: {', '.join(missing[:3])}" if missing else ""
    return worst._replace(status=status, reason=note, excess=excess)


def _labels(observed: Observed, truth: Optional[np.ndarray], tolerance: float) -> Level:
    if truth is None:
        reason = "the bundle holds no split, or no data were given (--data)"
        return Level("labels", UNKNOWN, tolerance, reason=reason)
    if "split" not in observed.arrays:
        return Level("labels", UNKNOWN, tolerance, reason=_reason(observed, "split"))
    seen = observed.arrays["split"]["logits"]
    # Where the two best logits are closer than rounding, either label is right.
    top = np.sort(truth, axis=1)
    clear = top[:, -1] - top[:, -2] > 2 * tolerance * np.maximum(1, np.abs(top[:, -1]))
    other = (seen.argmax(axis=1) != truth.argmax(axis=1)) & clear
    place = f"example {int(np.flatnonzero(other)[0])}" if other.any() else ""
    reason = f"{int(other.sum())} of {len(truth):,} labels differ"
    absolute = float(np.abs(seen - truth).max())
    return Level("labels", FAIL if other.any() else PASS, tolerance, None, absolute, None, place, reason)
