"""Norms of gradients over the steps, against float64 NumPy and finite differences."""

from typing import Dict, Tuple

import numpy as np
import pytest

from tests.tiers import representative
from tf1_lstm.errors import InputError
from tf1_lstm.graphs.build import build
from tf1_lstm.parity import cells
from tf1_lstm.parity.reference import forward as forward_pass
from tf1_lstm.parity.spec import spec_of
from tf1_lstm.recipes import find_recipe
from tf1_lstm.recipes.experiment import Embedding, TrainedVectors
from tf1_lstm.recipes.flat import flat_settings
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


def measured(recipe, weights, inputs, labels):
    (found,) = gradient_norms(recipe, weights, inputs, labels, {})
    return found


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
    found = measured(recipe, weights, inputs, labels)
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
    found = measured(recipe, weights, inputs, labels)
    gates = forward("mnist-lstm", weights, inputs, labels)[2]
    assert found.carry is not None
    np.testing.assert_allclose(found.carry, np.mean(gates, axis=(1, 2)), rtol=1e-5)
    recipe, weights, inputs, labels = case("mnist-rnn")
    assert measured(recipe, weights, inputs, labels).carry is None


def test_the_last_state_of_a_simple_rnn_by_its_product_of_jacobians():
    recipe, weights, inputs, labels = case("mnist-rnn")
    found = measured(recipe, weights, inputs, labels)
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


LAYERS: Dict[str, Tuple[str, Dict[str, str]]] = {
    "gru": ("mnist-gru", {}),
    "gru, reset after, two layers, dense": ("imdb-gru2", {}),
    "two directions": ("mnist-bilstm", {}),
    "two joined layers of two directions": ("imdb-bilstm2", {}),
}


@pytest.mark.parametrize("name", representative(LAYERS, "two joined layers of two directions"))
def test_every_layer_and_direction_by_finite_differences_of_the_reference(name, monkeypatch):
    """The NumPy reference in float64 knows every cell, layer and direction; it is nudged at each state."""
    recipe_name, changes = LAYERS[name]
    recipe = find_recipe(recipe_name)
    ids = isinstance(recipe.inputs, (Embedding, TrainedVectors))
    changes = {"recurrent.cell.units": str(UNITS), **changes}
    changes.update({"head.dense": "3"} if recipe.head.dense else {})
    changes.update({"data.steps": str(STEPS)} if ids else {})
    recipe = recipe.with_settings(changes)
    random = np.random.RandomState(5)
    constants = {"word_vectors": random.normal(0, 1, (20, 5)).astype(np.float32)}
    graph = build(recipe, {key: array.shape for key, array in constants.items()}, training=False)
    weights = {
        key: random.normal(0, 0.5, variable.shape.as_list()).astype(np.float32)
        for key, variable in graph.variables.items()
    }
    inputs = random.randint(0, 20, (BATCH, STEPS)) if ids else random.normal(0, 0.5, (BATCH, STEPS, 28))
    labels = np.array([1, 0, 1])
    inputs = inputs.astype(np.int32) if ids else inputs.astype(np.float32)
    found = gradient_norms(recipe, weights, inputs, labels, constants)
    assert [(one.layer, one.direction) for one in found] == [
        (layer, direction)
        for layer in range(recipe.recurrent.layers)
        for direction in ("fw", "bw")[: recipe.recurrent.directions]
    ]
    for one in found:
        place = one.layer * recipe.recurrent.directions + ("fw", "bw").index(one.direction)
        expected = np.zeros((BATCH, STEPS, UNITS))
        for at in range(STEPS):
            for unit in range(UNITS):
                up, down = (
                    reference_losses(monkeypatch, recipe, weights, inputs, labels, (place, at, unit, nudge))
                    for nudge in (1e-5, -1e-5)
                )
                expected[:, at, unit] = (up - down) / 2e-5
        np.testing.assert_allclose(one.loss, np.linalg.norm(expected, axis=2).mean(0), rtol=5e-4, atol=1e-8)


def reference_losses(monkeypatch, recipe, weights, inputs, labels, nudged):
    """Losses of each example in float64; one unit of one layer's h is nudged behind one of its steps."""
    place, at, unit, nudge = nudged
    run, called = cells.run, iter(range(100))

    def nudging(cell, parts, read, mask=None, noise=None):
        if next(called) != place:
            return run(cell, parts, read, mask)
        before = run(cell, parts, read[:, : at + 1], mask)
        h = before.h.copy()
        h[:, -1, unit] += nudge
        if at + 1 == STEPS:
            return before._replace(h=h)
        state = h[:, -1], h[:, -1] if before.c is None else before.c[:, -1]
        after = run(cell, parts, read[:, at + 1 :], mask, state)
        return after._replace(h=np.concatenate([h, after.h], axis=1))

    doubles = {name: array.astype(np.float64) for name, array in weights.items()}
    with monkeypatch.context() as patched:
        patched.setattr(cells, "run", nudging)
        logits = forward_pass(spec_of(flat_settings(recipe, 1)), doubles, inputs).logits
    return np.logaddexp.reduce(logits, axis=1) - logits[np.arange(BATCH), labels]


def test_masks_regressions_and_outputs_at_every_step_are_refused():
    for changes in ({"recurrent.mask": "sequence_length"}, {"recurrent.go_backwards": "true"}):
        recipe = find_recipe("imdb-lstm").with_settings(changes)
        with pytest.raises(InputError, match="without it"):
            gradient_norms(recipe, {}, np.zeros((1, 1), np.int32), np.zeros(1, int), {})
