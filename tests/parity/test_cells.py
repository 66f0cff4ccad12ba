"""The NumPy cells and what stands around them: gradients against numerical ones, skipped steps."""

import dataclasses
from typing import Any, Dict, Tuple

import numpy as np
import pytest

from tests.experiments import CELLS
from tf1_lstm.parity import losses, reference
from tf1_lstm.parity.cells import ReferenceCell, run
from tf1_lstm.parity.optimizers import AdamRule, update_steps
from tf1_lstm.parity.spec import Spec

STEPS, INPUTS, CLASSES, BATCH, WORDS = 5, 3, 4, 2, 6


def small(
    cell: ReferenceCell, readout: str = "last-output", classes: int = CLASSES, **more: Any
) -> Tuple[Spec, Dict[str, np.ndarray]]:
    spec = Spec(cell, readout, classes=classes, **more)
    random = np.random.RandomState(3)
    shapes = spec.shapes(INPUTS, WORDS)
    return spec, {role: random.normal(scale=0.7, size=shape) for role, shape in shapes.items()}


def batch(spec: Spec, weights: Dict[str, np.ndarray]) -> Tuple[np.ndarray, np.ndarray]:
    random = np.random.RandomState(4)
    classes = 2 if spec.output == "sigmoid" else len(weights["softmax/bias"])
    inputs = random.normal(size=(BATCH, STEPS, INPUTS))
    if spec.trains_embedding:  # a word twice in a review, one in both, and one in none
        inputs = np.array([[0, 2, 2, 3, 1], [5, 0, 3, 1, 5]])
    return inputs, np.eye(classes)[random.randint(0, classes, BATCH)]


def assert_gradients_are_right(spec: Spec, weights: Dict[str, np.ndarray], mask: Any = None) -> None:
    inputs, labels = batch(spec, weights)
    found = reference.gradients(spec, weights, inputs, labels, mask)
    assert found.loss == loss_of(spec, weights, inputs, labels, mask)
    for role, array in weights.items():
        flat, slopes = array.reshape(-1), np.zeros(array.size)
        for place in range(array.size):
            kept = flat[place]
            losses = []
            for move in (1e-6, -1e-6):
                flat[place] = kept + move
                losses.append(loss_of(spec, weights, inputs, labels, mask))
            flat[place] = kept
            slopes[place] = (losses[0] - losses[1]) / 2e-6
        np.testing.assert_allclose(found.gradients[role].reshape(-1), slopes, atol=2e-8, err_msg=role)


def loss_of(
    spec: Spec, weights: Dict[str, np.ndarray], inputs: np.ndarray, labels: np.ndarray, mask: Any
) -> float:
    """The loss of a forward run; of the right logits where a port's loss is right beside its answer."""
    if spec.loss_of_logits:
        spec = dataclasses.replace(spec, probabilities=False)
    return losses.cross_entropy(spec, reference.forward(spec, weights, inputs, mask).logits, labels)[0]


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("layers", [1, 2])
def test_gradients_are_the_numerical_ones(name, layers):
    assert_gradients_are_right(*small(ReferenceCell(name, 3), layers=layers))


@pytest.mark.parametrize("readout", ["backward-state", "both-states"])
def test_gradients_of_two_directions_are_the_numerical_ones(readout):
    assert_gradients_are_right(*small(ReferenceCell("basic_lstm", 3), readout, bidirectional=True, layers=2))


@pytest.mark.parametrize("readout", ["backward-state", "both-states"])
@pytest.mark.parametrize("name", ["basic_lstm", "gru_reset_after"])
def test_gradients_of_joined_layers_are_the_numerical_ones(name, readout):
    spec, weights = small(ReferenceCell(name, 2), readout, bidirectional=True, layers=3, joined_layers=True)
    assert weights[spec.role("bw", 2, "kernel")].shape[0] == (6 if name == "basic_lstm" else 4)
    assert_gradients_are_right(spec, weights)


@pytest.mark.parametrize(
    "cell",
    [ReferenceCell("gru_reset_after", 3), ReferenceCell("gru_reset_after", 3, reset_before=True)],
)
def test_gradients_of_a_whole_model_of_word_ids_are_the_numerical_ones(cell):
    spec, weights = small(cell, classes=2, embedding="trained", dense_units=4, output="sigmoid", layers=2)
    assert weights["embedding"].shape == (WORDS, INPUTS)
    assert weights["softmax/weights"].shape == (4, 1)
    assert_gradients_are_right(spec, weights)


def test_the_state_before_and_after_a_reset_differ_by_the_second_bias_too():
    """Source: ``keras.layers.GRU``, whose ``reset_after`` needs a bias of its own for the state."""
    spec, weights = small(ReferenceCell("gru_reset_after", 3))
    inputs, _ = batch(spec, weights)
    parts = spec.parts(weights, "fw", 0)
    h = np.zeros(3)
    for row in inputs[0]:
        u, r, new = np.split(row @ parts["kernel"] + parts["bias"][0], 3)
        u_back, r_back, new_back = np.split(h @ parts["recurrent_kernel"] + parts["bias"][1], 3)
        u, r = 1 / (1 + np.exp(-u - u_back)), 1 / (1 + np.exp(-r - r_back))
        h = u * h + (1 - u) * np.tanh(new + r * new_back)
    np.testing.assert_allclose(run(spec.cell, parts, inputs).h[0, -1], h)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"scale": 0.75}, marks=pytest.mark.thorough),
        pytest.param({"probabilities": True}, marks=pytest.mark.thorough),
        pytest.param({"loss_sum": True}, marks=pytest.mark.thorough),
        pytest.param({"read": "c"}, marks=pytest.mark.thorough),
        pytest.param({"position": "first"}, marks=pytest.mark.thorough),
        pytest.param({"first_layer": True}, marks=pytest.mark.thorough),
        {"backward_first": True},
        {"wrong_direction": True},
        {"read": "h+c"},
        {"position": "mean"},
        {"position": "max", "read": "c"},
        pytest.param({"normalise": 1e-3}, marks=pytest.mark.thorough),
        {"states_activation": "tanh", "normalise": 1e-5, "position": "mean"},
        pytest.param({"scores_activation": "tanh", "temperature": 1.7}, marks=pytest.mark.thorough),
        {"log_probabilities": True, "temperature": 0.5},
        pytest.param({"label_smoothing": 0.1}, marks=pytest.mark.thorough),
    ],
)
def test_gradients_under_a_mistake_of_the_readout_are_the_numerical_ones(change):
    readout = "backward-state" if "wrong_direction" in change else "both-states"
    spec, weights = small(ReferenceCell("basic_lstm", 3), readout, bidirectional=True, layers=2)
    assert_gradients_are_right(dataclasses.replace(spec, **change), weights)


@pytest.mark.parametrize(
    "change",
    [
        {"dense_activation": "linear"},
        {"scale": 0.5},
        {"probabilities": True},
        {"probabilities": True, "loss_of_logits": True},
        {"answer_order": "sign"},
        {"answer_order": "columns", "probabilities": True},
        {"labels_swapped": True},
        {"scores_activation": "relu", "probabilities": True},
        {"states_activation": "tanh", "normalise": 1e-3},
        {"label_smoothing": 0.2, "temperature": 2.0},
    ],
)
@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
def test_gradients_under_a_mistake_of_two_classes_are_the_numerical_ones(output, change):
    spec, weights = small(ReferenceCell("basic_rnn", 3), classes=2, dense_units=4, output=output)
    assert_gradients_are_right(dataclasses.replace(spec, **change), weights)


def test_what_is_not_trained_has_no_gradient():
    spec, weights = small(ReferenceCell("basic_rnn", 3), embedding="trained")
    inputs, labels = batch(spec, weights)
    right = reference.gradients(spec, weights, inputs, labels).gradients
    for untrained, rows in (("embedding", slice(None)), ("padding", slice(0, 1))):
        changed = dataclasses.replace(spec, untrained=untrained)
        found = reference.gradients(changed, weights, inputs, labels).gradients
        expected = right["embedding"].copy()
        assert expected[rows].any()
        expected[rows] = 0
        np.testing.assert_array_equal(found.pop("embedding"), expected)
        for role, array in found.items():
            np.testing.assert_array_equal(array, right[role])
    assert not right["embedding"][4].any()  # a word of neither review


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("gate_activation", ["hard_sigmoid", "hard_sigmoid_6"])
def test_gradients_under_a_mistake_in_the_cell_are_the_numerical_ones(name, gate_activation):
    cell = ReferenceCell(
        name, 3, gate_activation=gate_activation, state_activation="linear", reset_after=name == "gru"
    )
    assert_gradients_are_right(*small(cell))


@pytest.mark.parametrize("name", CELLS)
def test_a_skipped_step_carries_the_state_on(name):
    spec, weights = small(ReferenceCell(name, 3))
    mask = np.array([[True, True, True, False, False], [True, False, True, True, True]])
    assert_gradients_are_right(spec, weights, mask)
    inputs, _ = batch(spec, weights)
    trace = run(spec.cell, spec.parts(weights, "fw", 0), inputs, mask)
    without = run(spec.cell, spec.parts(weights, "fw", 0), inputs[1:, [0, 2, 3, 4]])
    np.testing.assert_allclose(trace.h[1, [0, 2, 3, 4]], without.h[0])
    np.testing.assert_array_equal(trace.h[0, 4], trace.h[0, 2])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_results_keep_the_type_of_their_weights(dtype):
    spec, weights = small(ReferenceCell("lstm_peephole", 3))
    inputs, labels = batch(spec, weights)
    cast = {role: array.astype(dtype) for role, array in weights.items()}
    found = reference.gradients(spec, cast, inputs.astype(dtype), labels.astype(dtype))
    assert found.forward.logits.dtype == dtype
    assert {array.dtype for array in found.gradients.values()} == {np.dtype(dtype)}
    steps = update_steps(AdamRule(), cast, lambda _: found.gradients)
    assert {array.dtype for array in steps[2].values()} == {np.dtype(dtype)}
