"""The NumPy cells: gradients against numerical ones, skipped steps, and shapes."""

import dataclasses
from typing import Any, Dict, Tuple

import numpy as np
import pytest

from tf1_lstm.parity import reference
from tf1_lstm.parity.adam import Adam, adam_steps
from tf1_lstm.parity.cells import Cell, run
from tf1_lstm.parity.reference import Spec
from tf1_lstm.recipes.base import CELLS

STEPS, INPUTS, CLASSES, BATCH = 5, 3, 4, 2


def small(cell: Cell, readout: str = "last-output", **more: Any) -> Tuple[Spec, Dict[str, np.ndarray]]:
    spec = Spec(cell, readout, **more)
    random = np.random.RandomState(3)
    weights = {
        role: random.normal(scale=0.7, size=shape) for role, shape in spec.shapes(INPUTS, CLASSES).items()
    }
    return spec, weights


def batch() -> Tuple[np.ndarray, np.ndarray]:
    random = np.random.RandomState(4)
    return random.normal(size=(BATCH, STEPS, INPUTS)), np.eye(CLASSES)[random.randint(0, CLASSES, BATCH)]


def assert_gradients_are_right(spec: Spec, weights: Dict[str, np.ndarray], mask: Any = None) -> None:
    inputs, labels = batch()
    found = reference.gradients(spec, weights, inputs, labels, mask).gradients
    for role, array in weights.items():
        flat, slopes = array.reshape(-1), np.zeros(array.size)
        for place in range(array.size):
            kept = flat[place]
            losses = []
            for move in (1e-6, -1e-6):
                flat[place] = kept + move
                logits = reference.forward(spec, weights, inputs, mask).logits
                losses.append(reference.cross_entropy(spec, logits, labels)[0])
            flat[place] = kept
            slopes[place] = (losses[0] - losses[1]) / 2e-6
        np.testing.assert_allclose(found[role].reshape(-1), slopes, atol=2e-8, err_msg=role)


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("layers", [1, 2])
def test_gradients_are_the_numerical_ones(name, layers):
    assert_gradients_are_right(*small(Cell(name, 3), layers=layers))


@pytest.mark.parametrize("readout", ["backward-state", "both-states"])
def test_gradients_of_two_directions_are_the_numerical_ones(readout):
    assert_gradients_are_right(*small(Cell("basic_lstm", 3), readout, bidirectional=True, layers=2))


@pytest.mark.parametrize(
    "change",
    [
        {"scale": 0.75},
        {"probabilities": True},
        {"loss_sum": True},
        {"read": "c"},
        {"position": "first"},
        {"backward_first": True},
        {"wrong_direction": True},
    ],
)
def test_gradients_under_a_mistake_of_the_readout_are_the_numerical_ones(change):
    readout = "backward-state" if "wrong_direction" in change else "both-states"
    spec, weights = small(Cell("basic_lstm", 3), readout, bidirectional=True)
    assert_gradients_are_right(dataclasses.replace(spec, **change), weights)


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("gate_activation", ["hard_sigmoid", "hard_sigmoid_6"])
def test_gradients_under_a_mistake_in_the_cell_are_the_numerical_ones(name, gate_activation):
    cell = Cell(
        name, 3, gate_activation=gate_activation, state_activation="linear", reset_after=name == "gru"
    )
    assert_gradients_are_right(*small(cell))


@pytest.mark.parametrize("name", CELLS)
def test_a_skipped_step_carries_the_state_on(name):
    spec, weights = small(Cell(name, 3))
    mask = np.array([[True, True, True, False, False], [True, False, True, True, True]])
    assert_gradients_are_right(spec, weights, mask)
    inputs, _ = batch()
    trace = run(spec.cell, spec.parts(weights, "fw", 0), inputs, mask)
    without = run(spec.cell, spec.parts(weights, "fw", 0), inputs[1:, [0, 2, 3, 4]])
    np.testing.assert_allclose(trace.h[1, [0, 2, 3, 4]], without.h[0])
    np.testing.assert_array_equal(trace.h[0, 4], trace.h[0, 2])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_results_keep_the_type_of_their_weights(dtype):
    spec, weights = small(Cell("lstm_peephole", 3))
    inputs, labels = batch()
    cast = {role: array.astype(dtype) for role, array in weights.items()}
    found = reference.gradients(spec, cast, inputs.astype(dtype), labels.astype(dtype))
    assert found.forward.logits.dtype == dtype
    assert {array.dtype for array in found.gradients.values()} == {np.dtype(dtype)}
    steps = adam_steps(Adam(), cast, lambda _: found.gradients)
    assert {array.dtype for array in steps[2].values()} == {np.dtype(dtype)}
