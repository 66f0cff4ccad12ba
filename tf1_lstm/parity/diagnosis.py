"""Name the mistake, or pair of mistakes, that explains a port's numbers; name none that does not.

The reference is run under every known mistake. One explains the port when it predicts all of the
port's visible numbers within the tolerance (and float32's own rounding, where that is larger), and
at least 95 % of the difference from the right ones. Pairs are tried only where no single mistake explains.
"""

import itertools
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from tf1_lstm.parity.dropout import (
    REFERENCE_RUNS,
    DropoutFit,
    Dropped,
    fit_dropout,
    fit_runs,
    fit_states,
    is_random,
)
from tf1_lstm.parity.fits import temperature_of
from tf1_lstm.parity.mistake import Candidate
from tf1_lstm.parity.mistakes import apply_all, catalogue
from tf1_lstm.parity.problem import Numbers, Problem, largest_error
from tf1_lstm.parity.readout_mistakes import temperature
from tf1_lstm.parity.reference import ForwardPass
from tf1_lstm.parity.rounding import MOST_ROUNDING, PREDICTABLE, Rounding
from tf1_lstm.parity.training_diagnosis import ROUNDING_MARGIN, explain_training

TOLERANCE = 1e-5
SHARE_EXPLAINED = 0.95
# A wrong model can be chaotic: it doubles rounding errors every few steps. There a prediction may be
# this many times as far off as its own rounding, if it leaves hardly anything of the difference and
# there are too many numbers for that to be chance.
CHAOTIC_MARGIN, CHAOTIC_SHARE, FEWEST_IF_CHAOTIC = 30.0, 0.01, 8
SCREENED_EXAMPLES, SCREENED_STEPS = 3, 4
FIRST = "fw/0/h"


class Explanation(NamedTuple):
    """Mistakes that together explain the port.

    Attributes:
      mistakes: in the order in which they act.
      dropout: dropout, where the port's answers are random; else None.
      residual: largest difference that is left, relative where numbers are larger than 1.
      training: whether it explains loss, gradients and updates too; None where not known.
    """

    mistakes: Candidate
    dropout: Optional[DropoutFit]
    residual: float
    training: Optional[bool] = None

    @property
    def names(self) -> Tuple[str, ...]:
        """The mistakes' names, dropout included."""
        return (*(m.name for m in self.mistakes), *((self.dropout.name,) if self.dropout else ()))


class Diagnosis(NamedTuple):
    """What is wrong with a port.

    Attributes:
      agrees: nothing is.
      explanations: each explains the numbers; more than one where the batch cannot tell them apart.
      random: whether the port answers differently each time.
      difference: largest difference of its logits from the right ones.
      singles: how many mistakes were tried.
      pairs: how many pairs of them were tried.
    """

    agrees: bool
    explanations: Tuple[Explanation, ...]
    random: bool
    difference: float
    singles: int
    pairs: int


def diagnose(problem: Problem, seen: Numbers, tolerance: float = TOLERANCE) -> Diagnosis:
    """Find what explains a port's numbers.

    Args:
      problem: of the bundle.
      seen: the port's numbers, as many as are visible.
      tolerance: absolute, and relative where a number is larger than 1.
    """
    # Wrong models overflow; what is not finite explains nothing.
    with np.errstate(all="ignore"):
        search = _Search(problem, seen, tolerance)
        found, pairs = search.run()
        if not search.random:
            found = [new for old in found for new in _with_training(problem, old, seen, tolerance)]
    if any(explanation.training for explanation in found):
        found = [explanation for explanation in found if explanation.training]
    agrees = any(not e.names and e.training is not False for e in found)
    named = [] if agrees else [e for e in found if e.names]
    return Diagnosis(
        agrees, tuple(_best(named)), search.random, search.difference, len(search.singles), pairs
    )


def _with_training(
    problem: Problem, explanation: Explanation, seen: Numbers, tolerance: float
) -> Iterator[Explanation]:
    """Yield the explanation with every set of training mistakes that fits, or as it is if none does."""
    if seen.loss is None and seen.gradients is None and seen.updates is None:
        yield explanation
        return
    sets = explain_training(problem, explanation.mistakes, seen, tolerance)
    for more in sets or ():
        yield explanation._replace(mistakes=explanation.mistakes + more, training=True)
    if not sets:
        yield explanation if sets is None else explanation._replace(training=False)


def _best(found: Sequence[Explanation]) -> List[Explanation]:
    """Return one explanation for each set of names, the best first."""
    best: Dict[Tuple[str, ...], Explanation] = {}
    for explanation in sorted(found, key=lambda e: e.residual):
        best.setdefault(tuple(sorted(explanation.names)), explanation)
    return list(best.values())


class _Search:
    """One search for what explains the forward numbers.

    Attributes:
      random: whether the port answers differently each time.
      difference: largest error of the right numbers against the port's.
      singles: the catalogue.
    """

    def __init__(self, problem: Problem, seen: Numbers, tolerance: float) -> None:
        self._problem, self._seen, self._tolerance = problem, seen, tolerance
        self.random = is_random(seen.repeats)
        self.singles = catalogue(problem)
        right = problem.forward()
        assert right is not None
        self._right = right
        factor = temperature_of(right.logits, seen.logits)
        if factor != 1.0:
            self.singles.append(temperature(factor))
        self.difference = largest_error(right.logits, seen.logits)
        error = np.abs(right.logits - seen.logits) / np.maximum(1.0, np.abs(seen.logits))
        worst = np.argsort(-error.reshape(len(error), -1).max(axis=1), kind="stable")[:SCREENED_EXAMPLES]
        self._rows = np.sort(worst)
        self._small = problem.rows(self._rows).in_type(np.float32)

    def run(self) -> Tuple[List[Explanation], int]:
        """Return what explains the port, simplest first, and how many pairs were tried."""
        none = self._explain(()) or self._explain_places()
        if none is not None:
            return [none], 0
        found = [e for e in (self._explain((m,)) for m in self.singles) if e is not None]
        if found:
            return found, 0
        if self.random and self._seen.repeats is not None and not self._problem.spec.per_step:
            noisy = fit_states(self._problem, self._seen.repeats)
            if noisy:
                return [Explanation((), fit, fit.worst_z) for fit in noisy], 0
        pairs = list(self._pairs())
        return [e for e in (self._explain(pair) for pair in pairs) if e is not None], len(pairs)

    def _pairs(self) -> Iterator[Candidate]:
        """Yield every pair of common mistakes, in the order in which they act; both where that is open."""
        for first, second in itertools.combinations([m for m in self.singles if m.common], 2):
            if first.group == second.group:
                continue
            yield (first, second) if first.stage <= second.stage else (second, first)
            if first.stage == second.stage:
                yield second, first

    def _explain(self, candidate: Candidate) -> Optional[Explanation]:
        if candidate and not self.random and not self._may_fit(candidate):
            return None
        changed = apply_all(self._problem, candidate)
        predicted = None if changed is None else changed.forward()
        if changed is None or predicted is None:
            return None
        seen, rounding = self._seen, Rounding(changed, predicted)
        for name, array in seen.steps.items():
            right = self._right.steps()[name]
            if not self._is_explained(predicted.steps()[name], array, right, rounding, name, candidate):
                return None
        if self.random:
            return self._explain_random(changed, candidate, predicted)
        right = self._right.logits
        if not self._is_explained(predicted.logits, seen.logits, right, rounding, "logits", candidate):
            return None
        known = self._judged(predicted.logits, rounding, candidate)
        return Explanation(candidate, None, largest_error(predicted.logits[known], seen.logits[known]))

    def _judged(self, predicted: np.ndarray, rounding: Rounding, candidate: Candidate) -> np.ndarray:
        """Return the examples by whose logits a candidate is judged: those that float32 decides.

        All, where too few would be left, and where no mistake is claimed.
        """
        known = rounding.known_examples() if candidate else np.ones(len(predicted), bool)
        enough = 2 * known.sum() >= len(known) and predicted[known].size >= FEWEST_IF_CHAOTIC
        return known if enough else np.ones(len(predicted), bool)

    def _is_explained(
        self,
        predicted: np.ndarray,
        seen: np.ndarray,
        right: np.ndarray,
        rounding: Rounding,
        name: str,
        candidate: Candidate,
    ) -> bool:
        """Return whether a prediction is close and, where mistakes are named, explains enough."""
        if predicted.shape != seen.shape:
            return False
        if name != "logits":
            known = rounding.predictable(name)
            if not known.any():
                return False
            predicted, seen, right = predicted[:, known], seen[:, known], right[:, known]
        own = rounding.of(name)
        if name == "logits":
            judged = self._judged(predicted, rounding, candidate)
            predicted, seen, right, own = predicted[judged], seen[judged], right[judged], own[judged]
        error, difference = largest_error(predicted, seen), largest_error(right, seen)
        if error > _near(self._tolerance, difference):
            return False
        close = self._tolerance + min(MOST_ROUNDING, ROUNDING_MARGIN * float(own.max()))
        if error <= close:
            return not candidate or difference <= close or error <= (1 - SHARE_EXPLAINED) * difference
        if error > (1 - SHARE_EXPLAINED) * difference:
            return False
        return bool(candidate) and self._is_near_chaos(predicted, seen, error / difference, own, name)

    def _is_near_chaos(
        self, predicted: np.ndarray, seen: np.ndarray, share: float, own: np.ndarray, name: str
    ) -> bool:
        """Return whether a chaotic model's prediction, ``share`` of the difference off, is near enough."""
        if name == "logits" and self._seen.steps and own.max() > PREDICTABLE:
            return True  # The states before the chaos have decided; most of the difference is explained.
        if seen.size < FEWEST_IF_CHAOTIC or share > CHAOTIC_SHARE:
            return False
        errors = np.abs(predicted - seen) / np.maximum(1.0, np.abs(seen))
        return bool((errors <= self._tolerance + CHAOTIC_MARGIN * own).all())

    def _explain_random(
        self, changed: Problem, candidate: Candidate, predicted: ForwardPass
    ) -> Optional[Explanation]:
        assert self._seen.repeats is not None
        if changed.spec.probabilities or changed.spec.answer_order:
            return None
        weights = changed.weights["softmax/weights"]
        features = predicted.features * changed.spec.scale
        scores = self._seen.repeats[..., -weights.shape[1] :]  # of (0, z) the z
        fit = fit_dropout(scores, features, weights, changed.weights["softmax/bias"])
        return None if fit is None else Explanation(candidate, fit, fit.worst_z)

    def _explain_places(self) -> Optional[Explanation]:
        """Explain random answers by dropout at the recipe's places; states are random then, too."""
        seen, problem = self._seen.repeats, self._problem.in_type(np.float32)
        if not self.random or seen is None or not problem.spec.dropout_places:
            return None
        runs = []
        for seed in range(REFERENCE_RUNS):
            found = problem.forward(Dropped(problem.spec.keep_prob, problem.spec.dropout_places, seed))
            assert found is not None
            runs.append(found.logits)
        fit = fit_runs(seen, np.stack(runs), problem.spec.keep_prob, problem.spec.dropout_places)
        return None if fit is None else Explanation((), fit, fit.worst_z)

    def _may_fit(self, candidate: Candidate) -> bool:
        """Return False where each of the worst examples, in float32, rules the candidate out.

        One alone does not: a wrong model may be chaotic in it.
        """
        if any(mistake.mixes_examples for mistake in candidate):
            return True
        changed = apply_all(self._small, candidate)
        if changed is None or not self._begins_alike(changed):
            return False
        predicted = changed.forward()
        if predicted is None:
            return False
        near = _near(self._tolerance, self.difference)
        pairs = zip(predicted.logits, self._seen.logits[self._rows])
        return any(largest_error(mine, theirs) <= near for mine, theirs in pairs)

    def _begins_alike(self, changed: Problem) -> bool:
        """Return False where the first layer's first steps alone rule a problem out."""
        if FIRST not in self._seen.steps:
            return True
        begun = changed.first_steps(SCREENED_STEPS)
        if begun is None:
            return False
        seen, right = self._seen.steps[FIRST], self._right.steps()[FIRST]
        error = largest_error(begun, seen[self._rows, :SCREENED_STEPS])
        return error <= _near(self._tolerance, largest_error(right, seen))


def _near(tolerance: float, difference: float) -> float:
    """Return how far off a prediction in float32, with its rounding, may be."""
    return tolerance + max(MOST_ROUNDING, (1 - SHARE_EXPLAINED) * difference)
