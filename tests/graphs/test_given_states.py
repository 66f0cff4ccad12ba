"""``stateful``, ``reset_states`` and ``initial_state`` of Keras, done here with the same weights."""

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar, Dict, List, Tuple

import numpy as np
import pytest

from tests.experiments import AnyData
from tests.graphs import keras_layers
from tf1_lstm.core.cells import GRU, BasicLSTM, BasicRNN, Cell, ResetAfterGRU
from tf1_lstm.core.tensorflow import load_variables, tf
from tf1_lstm.errors import InputError
from tf1_lstm.graphs.build import build
from tf1_lstm.graphs.engine.library import EngineChoice
from tf1_lstm.recipes.experiment import (
    Adam,
    Bidirectional,
    Dropout,
    Experiment,
    Recurrent,
    Rows,
    Softmax,
    Steps,
    WrapperDropout,
)
from tf1_lstm.runs.given_state import outputs_from, state_names
from tf1_lstm.runs.model import Model

BATCH = 4
WIDTHS: Dict[str, Any] = {"layers": 2, "widths": (5, 3)}
JOINED = Bidirectional(joined_layers=True)
THOROUGH = pytest.mark.thorough


@dataclass(frozen=True)
class Streams(AnyData):
    """Rows whose batches follow one another."""

    streams: ClassVar[bool] = True


def experiment(recurrent: Recurrent, dropout: Any = None) -> Experiment:
    data = Streams(6)
    return Experiment(
        data, Rows(2), recurrent, Softmax(3), Adam(), Steps(1, batch_size=BATCH), dropout=dropout
    )


def batches(count: int) -> np.ndarray:
    return np.random.RandomState(1).normal(size=(count, BATCH, 6, 2)).astype(np.float32)


def drawn(variables: Dict[str, Any]) -> Dict[str, np.ndarray]:
    random = np.random.RandomState(2)
    return {
        name: random.normal(scale=0.5, size=variable.shape.as_list()).astype(np.float32)
        for name, variable in variables.items()
    }


def filled(composed: Experiment) -> Tuple[Model, Dict[str, np.ndarray]]:
    model = Model(composed, {}, given_state=True)
    model.initialise()
    weights = drawn(model.graph.variables)
    pairs = ((model.graph.variables[name], value) for name, value in weights.items())
    load_variables(pairs, model.session)
    return model, weights


def keras_outputs(
    composed: Experiment, weights: Dict[str, np.ndarray], x: np.ndarray, initial: List[np.ndarray]
) -> Tuple[np.ndarray, List[np.ndarray]]:
    """Outputs and last states of Keras's layers, each with its part of ``initial_state``."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.compat.v1.keras.backend.set_session(session)
        layers = keras_layers.made(composed)
        each = len(initial) // len(layers)
        values: Any = tf.constant(x)
        states: List[Any] = []
        for number, layer in enumerate(layers):
            given = [tf.constant(one) for one in initial[number * each : (number + 1) * each]]
            values, *last = layer(values, initial_state=given)
            states += last
        session.run(tf.compat.v1.global_variables_initializer())
        keras_layers.fill(composed, layers, weights)
        outputs, *found = session.run([values, *states])
        return outputs, found


@pytest.mark.parametrize("both", [None, JOINED], ids=["one", "both"])
@pytest.mark.parametrize("more", [pytest.param({}, marks=THOROUGH), WIDTHS], ids=["layer", "stack"])
@pytest.mark.parametrize(
    "cell",
    [BasicLSTM(5), *(pytest.param(cell, marks=THOROUGH) for cell in (GRU(5), ResetAfterGRU(5)))],
    ids=type,
)
def test_a_given_state_does_what_keras_initial_state_does(cell: Cell, more: Dict[str, Any], both: Any):
    """Of both directions the first half of each layer's list is for the forward one, as documented."""
    composed = experiment(Recurrent(cell, bidirectional=both, **more))
    model, weights = filled(composed)
    x, random = batches(1)[0], np.random.RandomState(3)
    names = state_names(composed.recurrent)
    widths = [composed.recurrent.units[int(name.split("/")[1])] for name in names]
    initial = [random.uniform(-1, 1, (BATCH, units)).astype(np.float32) for units in widths]
    with model:
        plain = outputs_from(model, x, "x")
        found = outputs_from(model, x, "x", initial)
    expected, states = keras_outputs(composed, weights, x, initial)
    np.testing.assert_allclose(found.outputs, expected, rtol=0, atol=2e-6)
    assert len(found.states) == len(states) == len(initial)
    for one, other in zip(found.states, states):
        np.testing.assert_allclose(one, other, rtol=0, atol=2e-6)
    assert np.abs(found.outputs - plain.outputs).max() > 1e-2


@pytest.mark.parametrize(
    "cell", [BasicLSTM(5), *(pytest.param(cell, marks=THOROUGH) for cell in (GRU(5), BasicRNN(5)))], ids=type
)
def test_a_carried_state_is_stateful_and_forgetting_is_reset_states(cell: Cell):
    composed = experiment(Recurrent(cell, carried_state=True, read="steps", **WIDTHS))
    x = batches(5)
    graph = build(composed)
    with tf.compat.v1.Session(graph=graph.graph) as session:
        session.run(graph.initializer)
        weights = drawn(graph.variables)
        load_variables(((graph.variables[name], value) for name, value in weights.items()), session)
        found = []
        for number, batch in enumerate(x):
            if number == 3:
                session.run(graph.forget)
            found.append(session.run([graph.outputs, graph.carry], {graph.inputs: batch})[0])
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.compat.v1.keras.backend.set_session(session)
        layers = keras_layers.made(composed, stateful=True)
        values = read = tf.keras.Input(batch_shape=(BATCH, 6, 2))
        for layer in layers:
            read = layer(read)[0]
        keras_layers.fill(composed, layers, weights)
        model = tf.keras.Model(values, read)
        expected = []
        for number, batch in enumerate(x):
            if number == 3:
                model.reset_states()
            expected.append(model.predict_on_batch(batch))
    for one, other in zip(found, expected):
        np.testing.assert_allclose(one, other, rtol=0, atol=5e-6)
    # The same batch from zeros is another answer: the state was carried.
    again, _ = filled(experiment(composed.recurrent))
    with again:
        assert np.abs(outputs_from(again, x[1], "x").outputs - found[1]).max() > 1e-2
        state = None  # and given on by hand it is the same
        for batch, carried in zip(x[:3], found):
            gave = outputs_from(again, batch, "x", state)
            np.testing.assert_allclose(gave.outputs, carried, rtol=0, atol=2e-6)
            state = gave.states


@pytest.mark.parametrize(
    ("more", "dropout"),
    [
        ({"bidirectional": Bidirectional(), **WIDTHS}, None),
        ({"go_backwards": True, "layers": 2}, WrapperDropout(0.5)),
        ({"layers": 2, "mask": "sequence_length"}, Dropout(0.5, ("inputs",))),
        pytest.param({"bidirectional": JOINED, "mask": "sequence_length", **WIDTHS}, None, marks=THOROUGH),
    ],
    ids=["stacks", "backwards", "lengths", "both"],
)
def test_a_state_of_zeros_is_no_given_state(more: Dict[str, Any], dropout: Any):
    composed = experiment(Recurrent(BasicLSTM(5), **more), dropout)
    model, weights = filled(composed)
    x = batches(1)[0]
    lengths = np.array([6, 3, 1, 5]) if model.wants_lengths else None
    with model, Model(composed, {}) as other:
        found = outputs_from(model, x, "x", lengths=lengths)
        other.initialise()
        load_variables(((other.graph.variables[n], value) for n, value in weights.items()), other.session)
        feeds = {other.graph.inputs: x, other.graph.keep_prob: 1.0, **other.length_feed(x, lengths)}
        expected = other.session.run(other.graph.logits, feeds)
    np.testing.assert_array_equal(found.logits, expected)


def test_states_that_do_not_fit_are_refused_by_name():
    model, _ = filled(experiment(Recurrent(BasicLSTM(5), **WIDTHS)))
    x = batches(1)[0]
    with model:
        with pytest.raises(InputError, match="found 1 states, expected fw/0/h, fw/0/c, fw/1/h, fw/1/c"):
            outputs_from(model, x, "x", [np.zeros((BATCH, 5))])
        wrong = [np.zeros((BATCH, 5))] * 4
        with pytest.raises(InputError, match=r"fw/1/h float64 \[4, 5\], expected numbers \[4, 3\]"):
            outputs_from(model, x, "x", wrong)
    with pytest.raises(InputError, match="expected zeros"):
        build(dataclasses.replace(model.recipe), engine=EngineChoice("avx2", 1), given_state=True)
