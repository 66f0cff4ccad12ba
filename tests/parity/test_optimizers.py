"""The NumPy optimizers against those of TensorFlow 1.15, Keras 3 and PyTorch."""

from typing import Any, Callable, List

import numpy as np
import pytest

from tests.parity.ports_python import run
from tests.tiers import representative
from tf1_lstm.parity.optimizers import (
    AdamRule,
    RMSprop,
    UpdateRule,
    optimizer_of,
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
    "keras": {"RMSprop": RMSprop(RATE, inside_root=True), "Adam": AdamRule(RATE, epsilon=1e-7)},
    "torch": {
        "RMSprop, Keras's settings": RMSprop(RATE),
        "RMSprop": RMSprop(RATE, rho=0.99, epsilon=1e-8),
        "Adam": AdamRule(RATE, epsilon_hat=False),
    },
}


def trained(optimizer: UpdateRule) -> List[np.ndarray]:
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
        (AdamRule(RATE), lambda tf: tf.compat.v1.train.AdamOptimizer(RATE)),
    ],
    ids=["Keras's RMSprop", "TensorFlow 1's RMSprop", "TensorFlow 1's Adam"],
)
def test_agrees_with_the_optimizer_in_tensorflow(optimizer, make):
    np.testing.assert_allclose(trained(optimizer), tensorflow_steps(make), rtol=RTOL, atol=1e-9)


@pytest.mark.parametrize("framework", representative(["keras", "torch"], "torch"))
def test_agrees_with_the_optimizers_of_the_ports_frameworks(framework, tmp_path):
    np.save(str(tmp_path / "gradients.npy"), GRADIENTS)
    found = run(framework, "optimizers.py", framework, str(tmp_path / "gradients.npy"))
    assert [line["name"] for line in found] == list(OTHERS[framework])
    for line in found:
        mine = trained(OTHERS[framework][line["name"]])
        np.testing.assert_allclose(mine, line["weights"], rtol=RTOL, atol=1e-9, err_msg=line["name"])


def test_a_recipes_name_gives_its_optimizer():
    assert optimizer_of("adam", 0.1) == AdamRule(0.1)
    assert optimizer_of("pytorch-adam", 0.1) == AdamRule(0.1, epsilon_hat=False)
    assert optimizer_of("keras-rmsprop", 0.1) == RMSprop(0.1)


@pytest.mark.parametrize(
    "optimizer",
    [
        AdamRule(RATE),
        AdamRule(RATE, epsilon_hat=False),
        RMSprop(RATE),
        RMSprop(RATE, inside_root=True),
        TENSORFLOW1_RMSPROP,
    ],
    ids=str,
)
def test_an_error_of_a_gradient_moves_a_weight_by_at_most_what_is_said(optimizer):
    random = np.random.RandomState(2)
    gradient = 10.0 ** random.uniform(-10, 1, 5000) * random.choice([-1, 1], 5000)
    error = 1e-8 * random.normal(size=5000)
    moves = [optimizer.move(optimizer.slots(gradient), g, 1) for g in (gradient, gradient + error)]
    moved = np.abs(moves[0][0] - moves[1][0])
    said = np.minimum(2 * optimizer.longest_step, optimizer.sensitivity(moves[0][1], 1) * np.abs(error))
    assert (moved <= 1.01 * np.maximum(said, optimizer.sensitivity(moves[1][1], 1) * np.abs(error))).all()
    assert (moved <= 2 * optimizer.longest_step).all()
    small = np.abs(gradient) < 1e-9
    assert (moved[small] > 0.1 * said[small]).mean() > 0.1
