"""The level ``updates``: rounding is let through however far it carries, a mistake however small is not."""

import dataclasses
from typing import Any, Dict, List

import numpy as np
import pytest

from tests.parity.simulated import BUNDLES, everything_of
from tests.parity.support import make_bundle, small
from tf1_lstm.parity.bundle import Bundle
from tf1_lstm.parity.levels import FAIL, PASS, Level, compare_levels
from tf1_lstm.parity.mistakes import training_catalogue
from tf1_lstm.parity.optimizers import AdamRule, RMSprop, UpdateRule, once, update_steps
from tf1_lstm.parity.problem import Numbers, numbers_of, problem_of
from tf1_lstm.parity.runner import Observed
from tf1_lstm.parity.updates import Seen, own_steps


def levels_of(bundle: Bundle, seen: Numbers) -> Dict[str, Level]:
    """The verdicts on a port that shows these numbers."""
    assert seen.gradients is not None
    assert seen.updates is not None
    training: Dict[str, Any] = {"loss": np.float32(seen.loss)}
    training.update({f"gradients/{role}": array for role, array in seen.gradients.items()})
    for number, arrays in enumerate(seen.updates):
        training.update({f"updates/{number + 1}/{role}": array for role, array in arrays.items()})
    arrays = {"logits": {"logits": seen.logits}, "steps": dict(seen.steps), "training": training}
    observed = Observed(arrays, {}, {}, {}, {})
    return {level.name: level for level in compare_levels(bundle, observed, {}, None)}


def weak(name: str, factor: float) -> Bundle:
    """A recipe's bundle whose softmax hardly reads its features, so that all other gradients are small."""
    bundle = make_bundle(small(name))
    weights = dict(bundle.weights)
    weights["softmax/weights"] = weights["softmax/weights"] * np.float32(factor)
    problem = dataclasses.replace(
        problem_of(bundle), weights={role: array.astype(np.float64) for role, array in weights.items()}
    )
    right = everything_of(problem, updates=True)
    assert right.gradients is not None
    assert right.updates is not None
    return dataclasses.replace(
        bundle,
        weights=weights,
        steps=right.steps,
        logits=right.logits,
        loss=right.loss,
        gradients=right.gradients,
        updates=right.updates,
    )


@pytest.mark.parametrize("name", ["rows", "imdb-gru2", "imdb-bilstm2"])
def test_a_port_in_float32_passes_everywhere(name):
    bundle = BUNDLES[name]
    found = levels_of(bundle, everything_of(problem_of(bundle), updates=True))
    assert {found[level].status for level in ("steps", "logits", "loss", "gradients", "updates")} == {PASS}


NOISE = 1e-8


class Landscape:
    """Gradients of every size that change with all of the weights; a port's are off by some noise."""

    def __init__(self) -> None:
        random = np.random.RandomState(4)
        self.first = 10.0 ** random.uniform(-9, 0, 400) * random.choice([-1, 1], 400)
        self.slopes = 1e-3 * random.normal(size=(400, 400)) * np.sqrt(np.abs(self.first))[:, None]
        self.noise = np.random.RandomState(5)

    def gradient(self, weights: np.ndarray, noise: float = 0.0) -> np.ndarray:
        return self.first + self.slopes @ weights + noise * self.noise.normal(size=400)


def trained(optimizer: UpdateRule, landscape: Landscape, noise: float) -> Seen:
    """A port that begins at 0."""
    made = []

    def gradient_of(now: Dict[str, np.ndarray]) -> Dict[str, np.ndarray]:
        made.append({"w": landscape.gradient(now["w"], noise)})
        return made[-1]

    updates = update_steps(optimizer, {"w": np.zeros(400)}, gradient_of)
    return Seen(made[0], updates)


def excesses(optimizer: UpdateRule, landscape: Landscape, seen: Seen) -> List[float]:
    """How far each step of a port is beyond what its own state before explains."""
    steps = own_steps(
        optimizer,
        {"w": np.zeros(400)},
        {"w": landscape.first},
        {"w": NOISE},
        seen,
        lambda step, now: ({"w": landscape.gradient(now["w"])}, {"w": landscape.gradient(now["w"], NOISE)}),
        once,
    )
    return [
        float((np.abs(step.expected["w"] - update["w"]) - step.margin["w"]).max())
        for step, update in zip(steps, seen.updates)
    ]


@pytest.mark.parametrize("optimizer", [AdamRule(), AdamRule(epsilon_hat=False), RMSprop()], ids=str)
def test_rounding_that_became_whole_steps_is_explained(optimizer):
    landscape = Landscape()
    exact, rounded = (trained(optimizer, landscape, noise) for noise in (0.0, NOISE))
    apart = [np.abs(a["w"] - b["w"]).max() for a, b in zip(exact.updates, rounded.updates)]
    assert min(apart) > 5e-5
    assert max(excesses(optimizer, landscape, rounded)) < 1e-6


@pytest.mark.parametrize("wrong", [RMSprop(rho=0.99), RMSprop(inside_root=True), AdamRule()], ids=str)
def test_another_optimizer_is_not_explained(wrong):
    landscape = Landscape()
    assert excesses(RMSprop(), landscape, trained(wrong, landscape, NOISE))[0] > 1e-4


def test_a_gradient_that_rounding_does_not_explain_is_not_taken_for_the_ports():
    landscape, optimizer = Landscape(), RMSprop()
    seen = trained(optimizer, landscape, 0.0)
    still = np.abs(landscape.first) < 1e-5
    frozen = [{"w": np.where(still, 0.0, update["w"])} for update in seen.updates]
    gradients = {"w": np.where(still, 0.0, landscape.first)}
    assert excesses(optimizer, landscape, Seen(gradients, frozen))[0] > 1e-4


@pytest.mark.parametrize("name", ["imdb-gru2", "imdb-bilstm2"])
def test_mistakes_in_gradients_below_the_tolerance_fail(name):
    """All gradients but the softmax's are below 1e-5, so that only the updates can tell."""
    bundle = weak(name, 1e-5)
    problem = problem_of(bundle)
    for mistake in training_catalogue(problem, numbers_of(bundle)):
        if mistake.name not in ("embedding-frozen", "padding-row-frozen"):
            continue
        changed = mistake.change(problem)
        assert changed is not None
        found = levels_of(bundle, everything_of(changed, updates=True))
        assert found["gradients"].status == PASS
        assert found["updates"].status == FAIL, mistake.name
        assert found["updates"].place.startswith("updates/")


def test_a_word_that_is_not_in_the_batch_may_not_move():
    bundle = BUNDLES["imdb-gru2"]
    seen = everything_of(problem_of(bundle), updates=True)
    assert seen.updates is not None
    word = min(set(range(len(bundle.weights["embedding"]))) - set(bundle.inputs.ravel().tolist()))
    moved = [dict(arrays) for arrays in seen.updates]
    moved[2]["embedding"] = moved[2]["embedding"].copy()
    moved[2]["embedding"][word] += 3e-5
    found = levels_of(bundle, seen._replace(updates=tuple(moved)))
    assert found["updates"].status == FAIL
    assert found["updates"].place == f"updates/3/embedding[{word}, 0]"


def test_only_the_first_wrong_step_has_to_be_wrong():
    """Each step is judged from the port's own state, but a wrong one stays in the weights."""
    bundle = BUNDLES["imdb-gru2"]
    seen = everything_of(problem_of(bundle), updates=True)
    assert seen.updates is not None
    late = [dict(arrays) for arrays in seen.updates]
    late[1]["softmax/bias"] = late[1]["softmax/bias"] + 1e-3
    late[2]["softmax/bias"] = late[2]["softmax/bias"] + 1e-3
    assert levels_of(bundle, seen._replace(updates=tuple(late)))["updates"].status == FAIL
