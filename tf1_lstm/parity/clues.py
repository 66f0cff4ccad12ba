"""Where to look when no known mistake explains a port: what passes narrows it down, and so do the numbers."""

from typing import Dict, Iterator, List, Mapping, Sequence

import numpy as np

from tf1_lstm.parity.bundle import Bundle
from tf1_lstm.parity.levels import FAIL, PASS, Level
from tf1_lstm.parity.losses import softmax
from tf1_lstm.parity.rounding import short_type
from tf1_lstm.parity.runner import Observed

Arrays = Mapping[str, np.ndarray]
CLOSE = 1e-5
# A pattern in fewer numbers than these may be chance.
FEWEST = 6
ORDER = ("inputs", "weights", "steps", "logits", "loss", "gradients")


def clues_of(bundle: Bundle, observed: Observed, levels: Sequence[Level]) -> List[str]:
    """Return sentences on where the fault is, the surest first.

    Args:
      bundle: the original.
      observed: the port.
      levels: the verdicts.
    """
    status = {level.name: level.status for level in levels}
    found = [*_of_types(bundle, observed), *_of_levels(bundle, observed, status)]
    if status["logits"] == FAIL:
        found += _of_logits(bundle, observed.arrays["logits"]["logits"])
    return found


def _of_types(bundle: Bundle, observed: Observed) -> Iterator[str]:
    """Tell numbers that were rounded to half precision by their bits."""
    for what, arrays in (("weights", bundle.weights), ("logits", {"logits": bundle.logits})):
        seen = observed.arrays.get(what, {})
        numbers = [np.asarray(a, np.float32).reshape(-1) for n, a in seen.items() if n in arrays]
        right = [np.asarray(arrays[n], np.float32).reshape(-1) for n in seen if n in arrays]
        if not numbers:
            continue
        kind = short_type(np.concatenate(numbers))
        if kind and short_type(np.concatenate(right)) is None:
            yield f"the {what} are rounded to {kind}: all of their bits beyond it are zero; use float32"


def _of_levels(bundle: Bundle, observed: Observed, status: Dict[str, str]) -> Iterator[str]:
    passes = [
        name for name in ("inputs", "weights", "steps", "logits", "loss", "gradients") if status[name] == PASS
    ]
    agree = f"{' and '.join([', '.join(passes[:-1]), passes[-1]] if len(passes) > 1 else passes)} agree"
    agree = agree if len(passes) > 1 else agree + "s" if passes == ["loss"] else agree
    if status["inputs"] == FAIL:
        yield "what the first layer reads differs: look at the inputs before anything else"
    elif status["weights"] == FAIL:
        yield _roles("weights", bundle.weights, observed.arrays["weights"], "look at the loading")
    elif status["steps"] == FAIL and passes:
        yield f"{agree}, the states differ: look at the arithmetic of the recurrent layers"
    elif status["logits"] == FAIL and status["steps"] == PASS:
        behind = "the fault is behind the recurrence (what is read of the states, the last layers)"
        yield f"{agree}, the logits differ: {behind}"
    elif status["logits"] == FAIL and status["weights"] == PASS:
        hidden = "the states cannot be seen: look at what is done with the weights"
        yield f"{agree}, the logits differ, {hidden}"
    elif status["logits"] == PASS and status["loss"] == FAIL:
        yield f"{agree}, the loss differs: look at the loss and the labels"
    elif status["gradients"] == FAIL:
        training = observed.arrays["training"]
        seen = {n[len("gradients/") :]: a for n, a in training.items() if n.startswith("gradients/")}
        yield _roles("gradients", bundle.gradients, seen, f"{agree}: look at what is trained")
    elif status["updates"] == FAIL:
        yield f"{agree}, the updates differ: look at the optimizer and its settings"


def _roles(what: str, right: Arrays, seen: Arrays, then: str) -> str:
    """Say which arrays of a level differ, and which do not."""
    wrong = [role for role in right if role in seen and not _near(right[role], seen[role])]
    fine = [role for role in right if role in seen and role not in wrong]
    return (
        f"of the {what} {', '.join(wrong)} differ{', ' + ', '.join(fine) + ' agree' if fine else ''}: {then}"
    )


def _near(right: np.ndarray, seen: np.ndarray) -> bool:
    if right.shape != seen.shape:
        return False
    return bool((np.abs(right - seen) <= 10 * CLOSE * np.maximum(1, np.abs(right))).all())


def _of_logits(bundle: Bundle, seen: np.ndarray) -> Iterator[str]:
    """Tell what was done to the right logits, by the numbers alone."""
    right, seen = bundle.logits.astype(np.float64), seen.astype(np.float64)
    if seen.shape != right.shape:
        return
    if bundle.spec.output == "sigmoid":
        right, seen = right[:, 1:], seen[:, 1:]
    if right.size < FEWEST:
        return
    limit = 10 * CLOSE * np.maximum(1, np.abs(right))
    difference = seen - right
    if right.shape[1] > 1:
        by_row = difference - difference.mean(axis=1, keepdims=True)
        if (np.abs(by_row) <= limit).all():
            if np.allclose(np.exp(seen).sum(axis=1), 1, atol=1e-4):
                yield "each row is off by a constant, and its exponentials sum to 1: it is a log-softmax"
            else:
                yield "each row of the logits is off by a constant of its own, which no softmax sees"
            return
        if (seen >= 0).all() and np.allclose(seen.sum(axis=1), 1, atol=1e-4):
            same = (
                "of the right logits" if np.allclose(seen, softmax(right), atol=1e-4) else "of other logits"
            )
            yield f"each row sums to 1: the port answers with a softmax, {same}"
            return
    by_column = difference - difference.mean(axis=0, keepdims=True)
    if len(right) > 2 and (np.abs(by_column) <= limit).all():
        offset = ", ".join(f"{value:.4g}" for value in difference.mean(axis=0)[:4])
        yield f"the logits of every example are off by the same: {offset}; look at the last bias"
        return
    factor = float((right * seen).sum() / max(float((right**2).sum()), 1e-30))
    if (np.abs(seen - factor * right) <= limit * max(1.0, abs(factor))).all():
        yield f"the logits are {factor:.6g} times the right ones: look for a temperature or a scale"
        return
    centred_right, centred = right - right.mean(axis=0), seen - seen.mean(axis=0)
    correlation = float((centred_right * centred).sum()) / max(
        float(np.sqrt((centred_right**2).sum() * (centred**2).sum())), 1e-30
    )
    if len(right) > 3:
        yield f"the logits and the right ones correlate with {correlation:.2f}"
