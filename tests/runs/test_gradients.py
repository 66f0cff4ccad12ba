"""Norms of gradients over the steps, against float64 NumPy and finite differences."""

import numpy as np
import pytest

from tf1_lstm.errors import InputError
from tf1_lstm.recipes import find_recipe
from tf1_lstm.runs.gradients import gradient_norms

UNITS, STEPS, BATCH = 4, 6, 3


def case(name):
    random = np.random.RandomState(3)
    recipe = find_recipe(name).with_settings({"recurrent.cell.units": str(UNITS)})
    gates = {"mnist-rnn": 1, "mnist-lstm": 4}[name]
    kind = "rnn" if gates == 1 else "lstm"
    weights = {
        f"{kind}/fw/0/kernel": random.normal(0, 0.4, (28 + UNITS, gates * UNITS)),
        f"{kind}/fw/0/bias": random.normal(0, 0.2, gates * UNITS),
        "softmax/weights": random.normal(0, 1, (UNITS, 10)),
        "softmax/bias": random.normal(0, 1, 10),
    }
    weights = {role: array.astype(np.float32) for role, array in weights.items()}
    inputs = random.normal(0, 0.5, (BATCH, STEPS, 28)).astype(np.float32)
    return recipe, weights, inputs, np.array([1, 7, 3])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def step(name, weights, x, c, h):
    """One step in float64: (c, h, f)."""
    kernel, bias = (
        weights[f"{'rnn' if name == 'mnist-rnn' else 'lstm'}/fw/0/{part}"] for part in ("kernel", "bias")
    )
    sums = np.concatenate([x, h], axis=1).astype(np.float64) @ kernel.astype(np.float64) + bias
    if name == "mnist-rnn":
        return c, np.tanh(sums), None
    i, j, f, o = np.split(sums, 4, axis=1)
    f = sigmoid(f + 1)
    c = c * f + sigmoid(i) * np.tanh(j)
    return c, np.tanh(c) * sigmoid(o), f


def forward(name, weights, inputs, labels, at=None, nudge=0.0):
    """Losses, last states and forget gates; ``nudge`` is added to h behind the step ``at``."""
    c = h = np.zeros((BATCH, UNITS))
    gates = []
    for number in range(STEPS):
        c, h, f = step(name, weights, inputs[:, number], c, h)
        gates.append(f)
        if number == at:
            h = h + nudge
    logits = h @ weights["softmax/weights"].astype(np.float64) + weights["softmax/bias"]
    losses = np.logaddexp.reduce(logits, axis=1) - logits[np.arange(BATCH), labels]
    return losses, h, gates


@pytest.mark.parametrize("name", ["mnist-rnn", "mnist-lstm"])
def test_norms_are_those_of_finite_differences_in_float64(name):
    recipe, weights, inputs, labels = case(name)
    found = gradient_norms(recipe, weights, inputs, labels, {})
    by_loss, by_last = np.zeros((BATCH, STEPS, UNITS)), np.zeros((BATCH, STEPS, UNITS, UNITS))
    for at in range(STEPS):
        for unit in range(UNITS):
            nudge = np.zeros((1, UNITS))
            nudge[0, unit] = 1e-5
            up, down = (forward(name, weights, inputs, labels, at, sign * nudge) for sign in (1, -1))
            by_loss[:, at, unit] = (up[0] - down[0]) / 2e-5
            by_last[:, at, :, unit] = (up[1] - down[1]) / 2e-5
    np.testing.assert_allclose(found.loss, np.linalg.norm(by_loss, axis=2).mean(0), rtol=2e-4)
    np.testing.assert_allclose(found.last_state, np.sqrt((by_last**2).sum((2, 3))).mean(0), rtol=2e-4)
    assert found.last_state[-1] == pytest.approx(np.sqrt(UNITS))


def test_what_an_lstm_carries_is_its_forget_gate():
    recipe, weights, inputs, labels = case("mnist-lstm")
    found = gradient_norms(recipe, weights, inputs, labels, {})
    gates = forward("mnist-lstm", weights, inputs, labels)[2]
    assert found.carry is not None
    np.testing.assert_allclose(found.carry, np.mean(gates, axis=(1, 2)), rtol=1e-5)
    recipe, weights, inputs, labels = case("mnist-rnn")
    assert gradient_norms(recipe, weights, inputs, labels, {}).carry is None


def test_the_last_state_of_a_simple_rnn_by_its_product_of_jacobians():
    recipe, weights, inputs, labels = case("mnist-rnn")
    found = gradient_norms(recipe, weights, inputs, labels, {})
    recurrent = weights["rnn/fw/0/kernel"][28:].astype(np.float64)
    h, states = np.zeros((BATCH, UNITS)), []
    for number in range(STEPS):
        _, h, _ = step("mnist-rnn", weights, inputs[:, number], h, h)
        states.append(h)
    jacobian = np.stack([np.eye(UNITS)] * BATCH)
    expected = [np.sqrt(UNITS)]
    for state in states[:0:-1]:
        jacobian = jacobian @ (np.eye(UNITS) * (1 - state**2)[:, None, :]) @ recurrent.T
        expected.append(np.linalg.norm(jacobian, axis=(1, 2)).mean())
    np.testing.assert_allclose(found.last_state, expected[::-1], rtol=1e-4)


def test_two_layers_and_two_directions_are_refused():
    for name in ("imdb-gru2", "mnist-bilstm"):
        with pytest.raises(InputError, match="one recurrent layer in one direction"):
            gradient_norms(find_recipe(name), {}, np.zeros((1, 1, 28)), np.zeros(1, int), {})
