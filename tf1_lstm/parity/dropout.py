"""Whether random logits are what dropout makes of the right model.

A port with dropout left on answers differently each time, so no single answer can be predicted. Its
mean and its variance over many runs can. Before the softmax by hand: a logit is a sum over units of
``h * w``, each kept with probability k and divided by k, so its mean is unchanged and its variance is
(1 - k) / k times the sum of ``(h * w)**2``. Elsewhere by running the reference with dropout as often.
"""

from functools import partial
from typing import Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from tf1_lstm.parity.cells import StateNoise
from tf1_lstm.parity.problem import Problem

FEWEST_RUNS = 16
# In standard deviations of the mean over the runs: the worst logit, and all of them together.
WORST_Z, TYPICAL_Z = 5.0, 1.6
# Share of the predicted variance, per logit: the least, and by how many of its standard deviations it may be more.
LEAST_VARIANCE, MOST_VARIANCE_Z = 0.2, 6.0
# The same of all logits together, where both variances are measured.
WHOLE_VARIANCE_RANGE = (0.6, 1.7)
# How often the reference is run with dropout.
REFERENCE_RUNS = 96


DROPOUT = "dropout-left-on"
# What may be done to the states -> the mistake's name, and the shares that people keep.
STATE_NOISE = {
    "the state": "recurrent-dropout-left-on",
    "the state, other masks for each gate": "recurrent-dropout-left-on",  # Keras's
    "zoneout": "zoneout-left-on",
}
SHARES_KEPT = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
# Examples on which, and runs in which, the reference is run with noise of the states.
NOISY_EXAMPLES, NOISY_RUNS = 8, 64


class DropoutFit(NamedTuple):
    """Dropout that explains a set of random answers.

    Attributes:
      keep_prob: the share of outputs kept, from the spread of the answers or from the recipe.
      worst_z: largest distance of a mean logit from its prediction, in standard errors.
      places: the recipe's places of dropout, or one of ``STATE_NOISE``; () for dropout before the softmax.
    """

    keep_prob: float
    worst_z: float
    places: Tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What the mistake is called."""
        return STATE_NOISE.get(self.places[0] if self.places else "", DROPOUT)


class Dropped:
    """Dropout at a recipe's places, on.

    Args:
      keep_prob: the share that each of them keeps.
      places: some of ``recipes.experiment.PLACES``.
      seed: of the masks.
    """

    def __init__(self, keep_prob: float, places: Tuple[str, ...], seed: int) -> None:
        self._keep_prob, self._places = keep_prob, places
        self._random = np.random.RandomState(seed)

    def __call__(self, place: str, array: np.ndarray) -> np.ndarray:
        """Return the array as dropout at that place leaves it; ``inputs`` has one mask for all steps,
        the others draw every number.
        """
        if place not in self._places:
            return array
        shape = (array.shape[0], 1, array.shape[2]) if place == "inputs" else array.shape
        kept = self._random.random_sample(shape) < self._keep_prob
        return array * (kept / self._keep_prob).astype(array.dtype)


class NoisyStates(StateNoise):
    """States with recurrent dropout (the same masks for all steps) or zoneout (some stay as they were).

    Args:
      kind: one of ``STATE_NOISE``.
      share: of the states that recurrent dropout keeps, or that zoneout renews.
      random: draws the masks.
    """

    def __init__(self, kind: str, share: float, random: np.random.RandomState) -> None:
        self._kind, self._share, self._random = kind, share, random
        self._masks: Dict[str, np.ndarray] = {}

    def product(self, what: str, state: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        """Return the product of the state under its mask, or under one for each gate."""
        if self._kind == "zoneout":
            return state @ kernel
        blocks = np.split(kernel, kernel.shape[1] // kernel.shape[0], axis=1)
        if self._kind == "the state":
            return (state * self._mask("", state)) @ kernel
        masked = [state * self._mask(f"{what} {number}", state) for number in range(len(blocks))]
        return np.concatenate([one @ block for one, block in zip(masked, blocks)], axis=1)

    def _mask(self, name: str, state: np.ndarray) -> np.ndarray:
        if name not in self._masks:
            kept = self._random.random_sample(state.shape) < self._share
            self._masks[name] = (kept / self._share).astype(state.dtype)
        return self._masks[name]

    def kept(self, new: np.ndarray, old: np.ndarray) -> np.ndarray:
        """Return what zoneout leaves of a step."""
        if self._kind != "zoneout":
            return new
        return np.where(self._random.random_sample(new.shape) < self._share, new, old)


def fit_states(problem: Problem, repeats: np.ndarray) -> List[DropoutFit]:
    """Return the noise of the states that explains the answers: of each kind the share that fits best.

    Args:
      problem: of the bundle.
      repeats: ``[runs, batch, classes]`` logits of the port on the same inputs.
    """
    found = []
    few = problem.rows(np.arange(min(NOISY_EXAMPLES, len(problem.inputs)))).in_type(np.float32)
    seen = repeats[:, : len(few.inputs)]
    for kind in STATE_NOISE:
        fits = []
        for share in SHARES_KEPT:
            random, runs = np.random.RandomState(1), []
            for _ in range(NOISY_RUNS):
                noisy = few.forward(noise=partial(NoisyStates, kind, share, random))
                assert noisy is not None
                runs.append(noisy.logits)
            stacked = np.stack(runs)
            fit = fit_runs(seen, stacked, share, (kind,))
            if fit is not None:
                ratio = seen.var(axis=0).sum() / stacked.var(axis=0).sum()
                fits.append((abs(float(np.log(ratio))), fit))
        found += [min(fits, key=lambda pair: pair[0])[1]] if fits else []
    return found


def is_random(repeats: Optional[np.ndarray]) -> bool:
    """Return whether runs ``[runs, batch, classes]`` on the same inputs differ by more than rounding."""
    if repeats is None or len(repeats) < 2:
        return False
    return bool(np.ptp(repeats, axis=0).max() > 1e-4 * max(1.0, float(np.abs(repeats).max())))


def fit_dropout(
    repeats: np.ndarray, features: np.ndarray, weights: np.ndarray, bias: np.ndarray
) -> Optional[DropoutFit]:
    """Return the dropout on ``features`` that explains the answers, or None.

    Args:
      repeats: ``[runs, batch, classes]`` logits on the same inputs.
      features: ``[batch, units]``, what the softmax should read.
      weights: ``[units, classes]``.
      bias: ``[classes]``.
    """
    runs = len(repeats)
    if runs < FEWEST_RUNS:
        return None
    predicted = features @ weights + bias
    unit_variance = (features**2) @ (weights**2)  # [batch, classes], for (1 - k) / k = 1
    observed = repeats.var(axis=0, ddof=1)
    ratio = float(observed.sum() / max(unit_variance.sum(), 1e-30))
    variance = ratio * unit_variance
    if not 0.005 < ratio < 20 or variance.min() <= 0:
        return None
    z = (repeats.mean(axis=0) - predicted) / np.sqrt(variance / runs)
    share = observed / variance
    worst, typical = float(np.abs(z).max()), float(np.sqrt((z**2).mean()))
    fits = worst < WORST_Z and typical < TYPICAL_Z
    if not fits or share.min() < LEAST_VARIANCE or share.max() > _most_variance(runs):
        return None
    return DropoutFit(1 / (1 + ratio), worst)


def _most_variance(*runs: int) -> float:
    """Return the largest share of variances that were measured in so many runs (of normal numbers)."""
    return 1 + MOST_VARIANCE_Z * float(np.sqrt(sum(2 / (count - 1) for count in runs)))


def fit_runs(
    repeats: np.ndarray, runs: np.ndarray, keep_prob: float, places: Tuple[str, ...]
) -> Optional[DropoutFit]:
    """Return the dropout of the reference's runs where the port's answers are spread alike, or None.

    Args:
      repeats: ``[runs, batch, classes]`` logits of the port on the same inputs.
      runs: the same of the reference with dropout on.
      keep_prob: the recipe's.
      places: the recipe's.
    """
    if len(repeats) < FEWEST_RUNS:
        return None
    random = runs.var(axis=0) > 0  # of (0, z) the z
    if not random.any():
        return None
    seen, expected = repeats[:, random], runs[:, random]
    variances = seen.var(axis=0, ddof=1), expected.var(axis=0, ddof=1)
    error = np.sqrt(variances[0] / len(seen) + variances[1] / len(expected))
    z = (seen.mean(axis=0) - expected.mean(axis=0)) / np.maximum(error, 1e-30)
    share, whole = variances[0] / variances[1], variances[0].sum() / variances[1].sum()
    worst, typical = float(np.abs(z).max()), float(np.sqrt((z**2).mean()))
    fits = worst < WORST_Z and typical < TYPICAL_Z
    alike = share.min() > LEAST_VARIANCE and share.max() < _most_variance(len(seen), len(expected))
    if not (fits and alike and WHOLE_VARIANCE_RANGE[0] < whole < WHOLE_VARIANCE_RANGE[1]):
        return None
    return DropoutFit(keep_prob, worst, places)
