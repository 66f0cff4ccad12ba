"""Whether mistakes explain a port's loss, gradients and Adam steps, and which of training's own do."""

import dataclasses
import itertools
from typing import Callable, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from tf1_lstm.parity.mistakes import Candidate, apply_all, training_catalogue
from tf1_lstm.parity.problem import Numbers, Problem, largest_error
from tf1_lstm.parity.reference import adam_steps

Arrays = Dict[str, np.ndarray]


def explain_training(
    problem: Problem, mistakes: Candidate, seen: Numbers, tolerance: float
) -> List[Candidate]:
    """Return the smallest sets of training mistakes that explain the port's training.

    A mistake in the weights is made either while loading (the port then trains the changed weights)
    or in the cell (it trains the right ones); both are tried.

    Args:
      problem: of the bundle.
      mistakes: what explains the port's forward numbers; may be empty.
      seen: the port's numbers.
      tolerance: as in ``diagnosis.diagnose``.
    """
    views = [_Loaded(problem, mistakes)]
    if mistakes:
        views.append(_InCell(problem, mistakes))
    known = training_catalogue(problem)
    for size in (0, 1, 2):
        found = [
            more
            for more in itertools.combinations(known, size)
            if len({m.name for m in more}) == size and any(view.fits(more, seen, tolerance) for view in views)
        ]
        if found:
            return found
    return []


class _Loaded:
    """Training of the weights as the port holds them, changed by the mistakes."""

    def __init__(self, problem: Problem, mistakes: Candidate) -> None:
        self._problem, self._mistakes = problem, mistakes
        self._cache: Dict[bool, Tuple[float, Arrays]] = {}

    def start(self) -> Arrays:
        """Return the weights before the first step."""
        return _apply(self._problem, self._mistakes).weights

    def gradient(self, weights: Mapping[str, np.ndarray], more: Candidate) -> Optional[Tuple[float, Arrays]]:
        """Return the loss and gradients at some weights."""
        changed = _apply(self._problem, (*self._mistakes, *more))
        found = changed.training(weights)
        return None if found is None else (found.loss, found.gradients)

    def fits(self, more: Candidate, seen: Numbers, tolerance: float) -> bool:
        """Return whether all that is seen of the training is explained."""
        spec = _apply(self._problem, more).spec
        if spec.loss_sum not in self._cache:
            first = self.gradient(self.start(), more)
            if first is None:
                return False
            self._cache[spec.loss_sum] = first
        loss, gradients = self._cache[spec.loss_sum]
        if seen.loss is not None and largest_error(np.asarray(loss), np.asarray(seen.loss)) > tolerance:
            return False
        if seen.gradients is not None and _all_errors(gradients, seen.gradients) > tolerance:
            return False
        if seen.adam is None:
            return not any(m.name != "loss-summed" for m in more)
        return self._adam_fits(more, spec.double_bias, gradients, seen.adam, tolerance)

    def _adam_fits(
        self, more: Candidate, double: bool, first: Arrays, seen: Sequence[Arrays], tolerance: float
    ) -> bool:
        def gradient_of(now: Arrays) -> Arrays:
            found = self.gradient(now, more)
            assert found is not None
            return found[1]

        def factor(role: str) -> float:
            return 2.0 if double and role.endswith("bias") and not role.startswith("softmax") else 1.0

        adam = _apply(self._problem, more).spec.adam
        one = adam_steps(adam, self.start(), lambda _: first, 1, factor)[0]
        if _all_errors(one, seen[0]) > tolerance:
            return False
        steps = adam_steps(adam, self.start(), gradient_of, len(seen), factor)
        return all(_all_errors(mine, theirs) <= tolerance for mine, theirs in zip(steps, seen))


class _InCell(_Loaded):
    """Training of the right weights in a cell that uses them wrongly."""

    def __init__(self, problem: Problem, mistakes: Candidate) -> None:
        super().__init__(problem, mistakes)
        self._pull_back = _pull_back(problem, mistakes)

    def start(self) -> Arrays:
        """Return the bundle's weights."""
        return self._problem.weights

    def gradient(self, weights: Mapping[str, np.ndarray], more: Candidate) -> Optional[Tuple[float, Arrays]]:
        """Return the loss and gradients, both in terms of the right weights."""
        base = dataclasses.replace(self._problem, weights=dict(weights))
        found = super().gradient(_apply(base, self._mistakes).weights, more)
        return None if found is None else (found[0], self._pull_back(found[1]))


def _pull_back(problem: Problem, mistakes: Candidate) -> Callable[[Arrays], Arrays]:
    """Return the transpose of what the mistakes do to the weights.

    They move, drop, scale or shift weights, so numbering the weights shows where each came from.
    """
    sizes = [array.size for array in problem.weights.values()]
    starts = np.concatenate([[0], np.cumsum(sizes)])

    def run_on(flat: np.ndarray) -> Arrays:
        arrays = {
            role: flat[start : start + array.size].reshape(array.shape)
            for (role, array), start in zip(problem.weights.items(), starts)
        }
        return _apply(dataclasses.replace(problem, weights=arrays), mistakes).weights

    shift = run_on(np.zeros(starts[-1]))
    scale = {role: array - shift[role] for role, array in run_on(np.ones(starts[-1])).items()}
    number = {role: array - shift[role] for role, array in run_on(np.arange(starts[-1]) * 1.0).items()}

    def pull_back(gradients: Arrays) -> Arrays:
        flat = np.zeros(starts[-1])
        for role, gradient in gradients.items():
            used = scale[role] != 0
            source = np.rint(number[role][used] / scale[role][used]).astype(np.int64)
            np.add.at(flat, source, gradient[used] * scale[role][used])
        return {
            role: flat[start : start + array.size].reshape(array.shape)
            for (role, array), start in zip(problem.weights.items(), starts)
        }

    return pull_back


def _apply(problem: Problem, mistakes: Candidate) -> Problem:
    changed = apply_all(problem, mistakes)
    assert changed is not None, "only mistakes that can be made are tried"
    return changed


def _all_errors(mine: Mapping[str, np.ndarray], theirs: Mapping[str, np.ndarray]) -> float:
    return max(
        (largest_error(mine[role], array) for role, array in theirs.items() if role in mine), default=0.0
    )
