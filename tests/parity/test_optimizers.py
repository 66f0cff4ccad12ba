"""The NumPy optimizers against those of TensorFlow 1.15, Keras 3 and PyTorch, and what rounding may do."""

from typing import Any, Callable, Dict, List

import numpy as np
import pytest

from tests.parity.ports_python import run
from tf1_lstm.parity.optimizers import (
    Adam,
    Optimizer,
    RMSprop,
    optimizer_of,
    rounding_allowance,
    update_steps,
)

RATE = 0.01
# TensorFlow and Keras keep the powers of 0.999 in float32, so 1 - 0.999 is 1e-5 off.
RTOL = 2e-5
# Large, small, about as small as the epsilons, and zero: the forms differ in the last ones most.
SIZES = np.array([3.0, 1.0, 0.1, 1e-3, 1e-5, 1e-7, 1e-8, 1e-9, 0.0], np.float32)
GRADIENTS = np.stack([SIZES, -0.5 * SIZES[::-1], 0.25 * SIZES]).astype(np.float32)
TENSORFLOW1_RMSPROP = RMSprop(RATE, epsilon=1e-10, inside_root=True, first=1.0)
OTHERS = {
    "keras": {"RMSprop": RMSprop(RATE, inside_root=True), "Adam": Adam(RATE, epsilon=1e-7)},
    "torch": {
        "RMSprop, Keras's settings": RMSprop(RATE),
        "RMSprop": RMSprop(RATE, rho=0.99, epsilon=1e-8),
        "Adam": Adam(RATE, epsilon_hat=False),
    },
}


def trained(optimizer: Optimizer) -> List[np.ndarray]:
    """The weights after each of three steps from 0, with the gradients as they are given."""
    steps = iter(GRADIENTS.astype(np.float64))
    found = update_steps(optimizer, {"w": np.zeros(len(SIZES))}, lambda now: {"w": next(steps)})
    return [arrays["w"] for arrays in found]


def tensorflow_steps(make: Callable[[Any], Any]) -> List[np.ndarray]:
    tf = pytest.importorskip("tf1_lstm.graphs.quiet", reason="needs TensorFlow 1.15").tf
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        variable = tf.compat.v1.get_variable(
            "w", initializer=np.zeros(len(SIZES), np.float32), use_resource=True
        )
        gradient = tf.compat.v1.placeholder(tf.float32, [len(SIZES)])
        step = make(tf).apply_gradients([(gradient, variable)])
        session.run(tf.compat.v1.global_variables_initializer())
        found = []
        for values in GRADIENTS:
            session.run(step, {gradient: values})
            found.append(session.run(variable))
    return found


@pytest.mark.parametrize(
    ("optimizer", "make"),
    [
        (RMSprop(RATE), lambda tf: tf.keras.optimizers.RMSprop(RATE)),
        (TENSORFLOW1_RMSPROP, lambda tf: tf.compat.v1.train.RMSPropOptimizer(RATE)),
        (Adam(RATE), lambda tf: tf.compat.v1.train.AdamOptimizer(RATE)),
    ],
    ids=["Keras's RMSprop", "TensorFlow 1's RMSprop", "TensorFlow 1's Adam"],
)
def test_agrees_with_the_optimizer_in_tensorflow(optimizer, make):
    np.testing.assert_allclose(trained(optimizer), tensorflow_steps(make), rtol=RTOL, atol=1e-9)


@pytest.mark.parametrize("framework", ["keras", "torch"])
def test_agrees_with_the_optimizers_of_the_ports_frameworks(framework, tmp_path):
    np.save(str(tmp_path / "gradients.npy"), GRADIENTS)
    found = run(framework, "optimizers.py", framework, str(tmp_path / "gradients.npy"))
    assert [line["name"] for line in found] == list(OTHERS[framework])
    for line in found:
        mine = trained(OTHERS[framework][line["name"]])
        np.testing.assert_allclose(mine, line["weights"], rtol=RTOL, atol=1e-9, err_msg=line["name"])


def test_a_recipes_name_gives_its_optimizer():
    assert optimizer_of("adam", 0.1) == Adam(0.1)
    assert optimizer_of("pytorch-adam", 0.1) == Adam(0.1, epsilon_hat=False)
    assert optimizer_of("keras-rmsprop", 0.1) == RMSprop(0.1)


@pytest.mark.parametrize(
    "optimizer",
    [
        Adam(RATE),
        Adam(RATE, epsilon_hat=False),
        RMSprop(RATE),
        RMSprop(RATE, inside_root=True),
        TENSORFLOW1_RMSPROP,
    ],
    ids=str,
)
def test_what_rounding_does_to_the_first_step_is_allowed_and_little_more(optimizer):
    random = np.random.RandomState(2)
    gradient = 10.0 ** random.uniform(-10, 1, 5000) * random.choice([-1, 1], 5000)
    seen = gradient + 1e-8 * random.normal(size=5000)
    moved = optimizer.move(optimizer.slots(gradient), gradient, 1)[0]
    moved_too = optimizer.move(optimizer.slots(gradient), seen, 1)[0]
    allowed = rounding_allowance(optimizer, [{"w": gradient}], {"w": seen}, most=1e-5)[0]["w"]
    assert (np.abs(moved - moved_too) <= allowed).all()
    large = np.abs(gradient) > 1e-3
    assert (allowed[large] < 1e-4 * np.abs(moved).max()).all()


@pytest.mark.parametrize("optimizer", [Adam(RATE), RMSprop(RATE), RMSprop(RATE, rho=0.99)], ids=str)
def test_what_rounding_does_to_later_steps_is_allowed_and_little_more(optimizer):
    """Later gradients grow, and their errors with them; a gradient may be small in both steps."""
    random = np.random.RandomState(3)
    sizes = 10.0 ** random.uniform(-9, 0, 5000)
    exact = [{"w": size * random.normal(size=5000)} for size in (sizes, 10 * sizes)]
    errors = [scale * 1e-8 * random.normal(size=5000) for scale in (1, 10)]
    rounded = [{"w": gradient["w"] + error} for gradient, error in zip(exact, errors)]

    def after_two_steps(gradients: List[Dict[str, np.ndarray]]) -> np.ndarray:
        steps = iter(gradients)
        return update_steps(optimizer, {"w": np.zeros(5000)}, lambda now: next(steps), 2)[1]["w"]

    difference = np.abs(after_two_steps(exact) - after_two_steps(rounded))
    allowed = rounding_allowance(optimizer, exact, rounded[0], most=1e-5)[1]["w"]
    assert (difference > 1e-5).mean() > 0.1
    assert (difference > allowed + 1e-5).mean() < 1e-3
    assert (allowed[sizes > 1e-2] < 1e-5).mean() > 0.95


def test_a_bias_that_moves_twice_as_far_is_allowed_twice_as_much():
    gradients, seen = [{"b": np.array([1e-8, 1.0])}], {"b": np.array([2e-8, 1.0])}
    (once,) = rounding_allowance(RMSprop(RATE), gradients, seen, 1e-5)
    (twice,) = rounding_allowance(RMSprop(RATE), gradients, seen, 1e-5, lambda role: 2.0)
    np.testing.assert_allclose(twice["b"], 2 * once["b"])


def test_a_word_that_is_not_in_the_batch_may_not_move():
    gradient = np.array([[1e-3, 0.0], [0.0, 0.0], [1e-8, 1e-3]])
    seen = gradient + np.array([[1e-8, 1e-9], [0.0, 0.0], [1e-8, 1e-8]])
    steps = [{"embedding": gradient, "kernel": gradient}] * 3
    allowed = rounding_allowance(RMSprop(RATE), steps, {"embedding": seen, "kernel": seen}, 1e-5)[2]
    assert (allowed["embedding"][1] == 0).all()
    assert (allowed["embedding"][[0, 2]] > 0).all()
    # Under another role a zero says nothing of the next step.
    assert (allowed["kernel"] > 0).all()
