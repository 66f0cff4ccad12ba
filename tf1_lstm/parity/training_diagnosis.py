"""Whether mistakes explain a port's loss, gradients and updates, and which of training's own do."""

import dataclasses
import itertools
from typing import Callable, Dict, List, Mapping, Optional, Tuple

import numpy as np

from tf1_lstm.parity.cells import SECOND_BIAS, ReferenceCell, gate_order
from tf1_lstm.parity.mistake import Candidate
from tf1_lstm.parity.mistakes import apply_all, training_catalogue
from tf1_lstm.parity.optimizers import AdamRule
from tf1_lstm.parity.problem import Numbers, Problem, largest_error
from tf1_lstm.parity.spec import Spec
from tf1_lstm.parity.updates import Seen, own_steps

Arrays = Dict[str, np.ndarray]
LOSS = "loss"
Loss = Tuple[float, Arrays]
# Loss, gradients, and the rounding error of each.
First = Tuple[float, Arrays, Dict[str, float]]
# Libraries add up in different orders, so a port's rounding may be a few times the reference's.
ROUNDING_MARGIN = 4.0
# See ``diagnosis``: a gradient through a chaotic model may be further off.
CHAOTIC_MARGIN, CHAOTIC_SHARE = 30.0, 0.05


def explain_training(
    problem: Problem, mistakes: Candidate, seen: Numbers, tolerance: float
) -> Optional[List[Candidate]]:
    """Return the smallest sets of training mistakes that explain the port's training.

    None where that cannot be known: the reference has no gradient (``steps_on_batch_axis``), or the
    wrong model is chaotic, so that rounding decides its training.

    A mistake in the weights is made either while loading (the port then trains the changed weights)
    or in the cell (it trains the right ones); both are tried. A port that returns probabilities may
    take its loss from them as if they were logits, or rightly.

    Args:
      problem: of the bundle.
      mistakes: what explains the port's forward numbers; may be empty.
      seen: the port's numbers.
      tolerance: as in ``diagnosis.diagnose``.
    """
    if _apply(problem, mistakes).training() is None:
        return None
    problems = [problem]
    if _apply(problem, mistakes).spec.probabilities:
        problems.append(problem.with_spec(loss_of_logits=True))
    views: List[_Loaded] = []
    for changed in problems:
        views.append(_Loaded(changed, mistakes, tolerance))
        if mistakes:
            views.append(_InCell(changed, mistakes, tolerance))
        if _apply(changed, mistakes).spec.cell.reset_after:
            views.append(_TwoBiases(changed, mistakes, tolerance))
    known = training_catalogue(problem, seen)
    for size in (0, 1, 2):
        tried = known if size < 2 else [mistake for mistake in known if mistake.common]
        found = [
            more
            for more in itertools.combinations(tried, size)
            if len({m.name for m in more}) == size and any(view.fits(more, seen) for view in views)
        ]
        if found:
            return found
    return None if mistakes and views[0].is_chaotic() else []


class _Loaded:
    """Training of the weights as the port holds them, changed by the mistakes.

    A port keeps the forget bias in its bias, so a wrong one is seen as a wrong bias.
    """

    def __init__(self, problem: Problem, mistakes: Candidate, tolerance: float) -> None:
        self._problem, self._mistakes, self._tolerance = problem, mistakes, tolerance
        self._cache: Dict[Spec, Optional[First]] = {}
        self._later: Dict[Tuple[Spec, int], Optional[Tuple[Loss, Loss]]] = {}

    def start(self) -> Arrays:
        """Return the weights before the first step."""
        changed = _apply(self._problem, self._mistakes)
        extra = changed.spec.cell.forget_bias - self._problem.spec.cell.forget_bias
        return changed.with_parts(lambda cell, parts: _add_to_forget_gate(cell, parts, extra)).weights

    def gradient(self, weights: Mapping[str, np.ndarray], more: Candidate) -> Optional[Loss]:
        """Return the loss and gradients at some weights."""
        changed = _apply(self._problem, (*self._mistakes, *more))
        found = changed.with_cell(forget_bias=self._problem.spec.cell.forget_bias).training(weights)
        return None if found is None else (found.loss, found.gradients)

    def fits(self, more: Candidate, seen: Numbers) -> bool:
        """Return whether all that is seen of the training is explained."""
        cached = self._first(more)
        if cached is None:
            return False
        loss, gradients, rounding = cached
        if seen.loss is not None:
            error = largest_error(np.asarray(loss), np.asarray(seen.loss))
            if error > self._tolerance + CHAOTIC_MARGIN * rounding[LOSS]:
                return False
        if not all(
            self._gradient_fits(gradients[role], array, rounding[role])
            for role, array in (seen.gradients or {}).items()
            if role in gradients and not self._has_no(role, seen)
        ):
            return False
        if seen.updates is None:  # what shows in them alone cannot be known
            return all(_loss_of(_apply(self._problem, (m,))) != _loss_of(self._problem) for m in more)
        return self._updates_fit(more, gradients, rounding, seen)

    def factor(self, role: str, spec: Spec) -> float:
        """Return how many times the optimizer's step moves what is seen of a role."""
        return spec.factor(role)

    def is_chaotic(self) -> bool:
        """Return whether rounding moves a gradient by so much that no update can be predicted."""
        cached = next(iter(self._cache.values()), None)
        if cached is None:
            return True
        _, gradients, rounding = cached
        return any(
            not np.isfinite(g).all() or rounding[role] > 3e-6 * float(np.abs(g).max())
            for role, g in gradients.items()
        )

    def _has_no(self, role: str, seen: Numbers) -> bool:
        """Return whether the port has nothing to train there: a layer without bias, not a bias of zeros."""
        if not self._problem.spec.is_recurrent_bias(role) or all(m.name != "no-bias" for m in self._mistakes):
            return False
        return seen.gradients is not None and not np.any(seen.gradients.get(role, 0.0))

    def _gradient_fits(self, mine: np.ndarray, theirs: np.ndarray, rounding: float) -> bool:
        error = largest_error(mine, theirs)
        if error <= self._tolerance + ROUNDING_MARGIN * rounding:
            return True
        largest = float(np.abs(theirs).max()) if theirs.size else 0.0
        return error <= min(self._tolerance + CHAOTIC_MARGIN * rounding, CHAOTIC_SHARE * largest)

    def _first(self, more: Candidate) -> Optional[First]:
        """Return loss and gradients in float64, and how far they are from float32."""
        key = _loss_of(_apply(self._problem, more))
        if key not in self._cache:
            pair, found = self._twice(self.start(), more), None
            if pair is not None:
                exact, single = pair
                rounding = {role: largest_error(array, single[1][role]) for role, array in exact[1].items()}
                rounding[LOSS] = largest_error(np.asarray(exact[0]), np.asarray(single[0]))
                found = (*exact, rounding)
            self._cache[key] = found
        return self._cache[key]

    def _twice(self, weights: Arrays, more: Candidate) -> Optional[Tuple[Loss, Loss]]:
        """Return loss and gradients at some weights, in float64 and in float32."""
        exact = self.gradient(weights, more)
        single = self.gradient({role: array.astype(np.float32) for role, array in weights.items()}, more)
        return None if exact is None or single is None else (exact, single)

    def _updates_fit(self, more: Candidate, first: Arrays, rounding: Dict[str, float], seen: Numbers) -> bool:
        assert seen.updates is not None
        spec = _apply(self._problem, more).spec

        def gradient_of(step: int, now: Arrays) -> Tuple[Arrays, Arrays]:
            key = (_loss_of(_apply(self._problem, more)), step)
            if key not in self._later:  # the port's own weights, whatever moved them there
                self._later[key] = self._twice(now, more)
            found = self._later[key]
            assert found is not None
            return found[0][1], found[1][1]

        def factor(role: str) -> float:
            return 0.0 if self._has_no(role, seen) else self.factor(role, spec)

        of_port = Seen(seen.gradients or {}, seen.updates)
        steps = own_steps(spec.optimizer, self.start(), first, rounding, of_port, gradient_of, factor)
        return all(
            _excess(step.expected[role], array, step.margin[role]) <= self._tolerance
            for step, theirs in zip(steps, seen.updates)
            for role, array in theirs.items()
            if role in step.expected and not self._has_no(role, seen)
        )


class _InCell(_Loaded):
    """Training of the right weights in a cell that uses them wrongly."""

    def __init__(self, problem: Problem, mistakes: Candidate, tolerance: float) -> None:
        super().__init__(problem, mistakes, tolerance)
        self._pull_back = _pull_back(problem, mistakes)

    def start(self) -> Arrays:
        """Return the bundle's weights."""
        return self._problem.weights

    def gradient(self, weights: Mapping[str, np.ndarray], more: Candidate) -> Optional[Loss]:
        """Return the loss and gradients, both in terms of the right weights."""
        base = dataclasses.replace(self._problem, weights=dict(weights))
        found = _apply(base, (*self._mistakes, *more)).training()
        return None if found is None else (found.loss, self._pull_back(found.gradients))


class _TwoBiases(_Loaded):
    """Training of a GRU of Keras or PyTorch in place of TensorFlow 1's: it has a second bias, and trains it.

    The gates only ever see the sum of their two, which moves twice; the candidate's second one is inside of the
    reset gate.
    """

    def __init__(self, problem: Problem, mistakes: Candidate, tolerance: float) -> None:
        super().__init__(problem, mistakes, tolerance)
        self._gates = {problem.spec.role(d, n, "gates/bias") for d, n in _cells(problem.spec)}

    def start(self) -> Arrays:
        """Return the weights as they are loaded, and second biases of zeros."""
        spec, found = self._problem.spec, super().start()
        first = {at: found[spec.role(*at, "candidate/bias")] for at in _cells(spec)}
        return {**found, **{spec.role(*at, SECOND_BIAS): np.zeros_like(bias) for at, bias in first.items()}}

    def factor(self, role: str, spec: Spec) -> float:
        """Return how many biases the optimizer moves there."""
        return spec.factor(role) * (2.0 if role in self._gates else 1.0)


def _cells(spec: Spec) -> List[Tuple[str, int]]:
    return [(direction, layer) for direction in spec.directions for layer in range(spec.cell_layers)]


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


def _loss_of(problem: Problem) -> Spec:
    """Return the problem's spec without what changes the updates, but no loss and no gradient."""
    return dataclasses.replace(problem.spec, optimizer=AdamRule(), double_bias=False)


def _add_to_forget_gate(cell: ReferenceCell, parts: Arrays, amount: float) -> Arrays:
    if not amount or "f" not in gate_order(cell.name):
        return parts
    bias = np.array(parts["bias"])
    start = gate_order(cell.name).index("f") * cell.units
    bias[start : start + cell.units] += amount
    return dict(parts, bias=bias)


def _apply(problem: Problem, mistakes: Candidate) -> Problem:
    changed = apply_all(problem, mistakes)
    assert changed is not None, "only mistakes that can be made are tried"
    return changed


def _excess(mine: np.ndarray, theirs: np.ndarray, allowed: np.ndarray) -> float:
    """Return the largest error beyond what is allowed."""
    if mine.shape != theirs.shape:
        return float("inf")
    return float((np.maximum(np.abs(mine - theirs) - allowed, 0) / np.maximum(1.0, np.abs(theirs))).max())
