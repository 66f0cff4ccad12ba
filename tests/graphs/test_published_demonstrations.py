"""The small demonstrations of seeds 000 and 004: this project's graphs give the values that they print."""

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

import numpy as np
import pytest

from tests.experiments import experiment
from tests.tiers import representative
from tf1_lstm.core.tensorflow import load_variables, tf
from tf1_lstm.graphs.build import Graph, build
from tf1_lstm.recipes import find_recipe
from tf1_lstm.recipes.experiment import Experiment

# Seed 000, section 1.2: ten sentences of 20 words, out of 100 words in 30 dimensions; 12 units.
BATCH, STEPS, WORDS, DIMENSIONS, UNITS = 10, 20, 100, 30, 12
KERAS_CELLS = ["basic_rnn", "basic_lstm", "gru_reset_after"]


def settings(**changes: Any) -> Experiment:
    plain = {
        "inputs": "ids",
        "steps": STEPS,
        "input_size": DIMENSIONS,
        "classes": 2,
        "cell": "basic_lstm",
        "units": UNITS,
        "readout": "both-states" if changes.get("bidirectional") else "last-state",
        "embedding": "trained",
        "vocabulary": WORDS,
        "initializers": "keras",
        "output": "sigmoid",
    }
    return experiment(**{**plain, **changes})


class Ran(NamedTuple):
    """What one run of a graph gave.

    Attributes:
      outputs: [batch, steps, units], or of both directions [batch, steps, 2 * units].
      h, c: for each direction the last layer's final state, [batch, units]; no c but in an LSTM.
    """

    outputs: np.ndarray
    h: List[np.ndarray]
    c: List[np.ndarray]


def run(built: Experiment, inputs: np.ndarray, weights: Optional[Mapping[str, np.ndarray]] = None) -> Ran:
    """Build the graph, with first values or with ``weights`` (role -> values), and run it."""
    graph = build(built, training=False)
    with tf.compat.v1.Session(graph=graph.graph) as session:
        session.run(graph.initializer)
        load_variables(((graph.variables[role], values) for role, values in (weights or {}).items()), session)
        outputs, states = session.run([graph.outputs, graph.states], {graph.inputs: inputs})
    if built.recurrent.bidirectional is None:
        outputs, states = (outputs,), (states,)
    if built.recurrent.layers > 1:
        states = [state[-1] for state in states]
    has_c = "c" in built.recurrent.cell.states
    h = [state.h if has_c else state for state in states]
    return Ran(np.concatenate(outputs, 2), h, [state.c for state in states] if has_c else [])


def sentences() -> np.ndarray:
    return np.random.RandomState(0).randint(0, WORDS, (BATCH, STEPS))


def count(built: Experiment, *beginnings: str) -> int:
    """Parameters of a graph: of the roles that begin so, or of all."""
    graph: Graph = build(built, training=False)
    shapes = {role: variable.shape.as_list() for role, variable in graph.variables.items()}
    return sum(int(np.prod(shape)) for role, shape in shapes.items() if role.startswith(beginnings or ""))


def rows(inputs: int, units: int, **changes: Any) -> Experiment:
    return settings(inputs="rows", embedding="word-vectors", input_size=inputs, units=units, **changes)


@pytest.mark.parametrize("cell", representative(KERAS_CELLS, "basic_lstm"))
def test_outputs_and_states_have_the_printed_shapes(cell):
    ran = run(settings(cell=cell), sentences())
    assert ran.outputs.shape == (10, 20, 12)
    assert ran.outputs[:, -1].shape == (10, 12)
    assert [state.shape for state in ran.h + ran.c] == [(10, 12)] * (2 if cell == "basic_lstm" else 1)


@pytest.mark.parametrize("cell", representative(KERAS_CELLS, "basic_lstm"))
def test_outputs_and_states_of_both_directions_have_the_printed_shapes(cell):
    ran = run(settings(cell=cell, bidirectional=True), sentences())
    assert ran.outputs.shape == (10, 20, 24)
    assert np.concatenate(ran.h, 1).shape == (10, 24)
    assert [state.shape for state in ran.h + ran.c] == [(10, 12)] * (4 if cell == "basic_lstm" else 2)


@pytest.mark.parametrize("cell", KERAS_CELLS)
@pytest.mark.parametrize("layers", [pytest.param(1, marks=pytest.mark.thorough), 2])
def test_the_last_output_is_the_state_bit_for_bit(cell, layers):
    ran = run(settings(cell=cell, layers=layers), sentences())
    assert np.array_equal(ran.outputs[:, -1], ran.h[0])
    assert not np.array_equal(ran.outputs[:, 0], ran.h[0])


@pytest.mark.parametrize("cell", representative(KERAS_CELLS, "basic_lstm"))
@pytest.mark.parametrize(
    ("layers", "joined"), [(1, False), pytest.param(2, False, marks=pytest.mark.thorough), (2, True)]
)
def test_forward_the_last_step_and_backward_the_first_are_the_states_bit_for_bit(cell, layers, joined):
    ran = run(settings(cell=cell, layers=layers, bidirectional=True, joined_layers=joined), sentences())
    forward, backward = ran.outputs[..., :UNITS], ran.outputs[..., UNITS:]
    assert np.array_equal(forward[:, -1], ran.h[0])
    assert np.array_equal(backward[:, 0], ran.h[1])
    assert not np.array_equal(backward[:, -1], ran.h[1])


def test_the_output_of_an_lstm_cell_is_its_h_and_a_loop_over_the_steps_is_the_layer():
    """Seed 000, section 1.1: a cell of 64 units on [2, 80, 100], one step and then every step."""
    wide = rows(100, 64, steps=80)
    x = np.random.RandomState(1).normal(size=(2, 80, 100)).astype(np.float32)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        cell = wide.recurrent.cell.tensorflow()
        state = cell.zero_state(2, tf.float32)
        for step in tf.unstack(tf.constant(x), axis=1):
            output, state = cell(step, state)
            assert output is state.h
        session.run(tf.compat.v1.global_variables_initializer())
        looped, c, kernel, bias = session.run([output, state.c, *cell.variables])
    ran = run(wide, x, {"lstm/fw/0/kernel": kernel, "lstm/fw/0/bias": bias})
    np.testing.assert_allclose(looped, ran.h[0], rtol=0, atol=1e-6)
    np.testing.assert_allclose(c, ran.c[0], rtol=0, atol=1e-6)


def test_one_saturated_unit_gives_the_tanh_of_one():
    """Seed 000, section 1.2: whole numbers up to 99 drive every gate to its end: c = 1, h = tanh(1)."""
    x = np.random.RandomState(2).randint(0, 100, (1, STEPS, DIMENSIONS)).astype(np.float32)
    kernel = np.zeros((DIMENSIONS + 1, 4), np.float32)
    kernel[:DIMENSIONS] = (0.4, 0.4, -0.4, 0.4)  # i, j, f, o: all open, and what was is forgotten
    ran = run(rows(DIMENSIONS, 1), x, {"lstm/fw/0/kernel": kernel})
    assert ran.c[0].tolist() == [[1.0]]
    np.testing.assert_allclose(ran.h[0], [[0.7615942]], rtol=0, atol=1e-7)
    assert np.array_equal(ran.outputs[:, -1], ran.h[0])


# Seed 000, section 1.2.3: (numbers that a layer reads, its units) -> parameters.
LAYERS = {(3, 64): 17_408, (64, 64): 33_024, (64, 128): 98_816, (128, 192): 246_528, (192, 256): 459_776}
DENSE = 65_792


def test_layers_of_five_widths_have_the_printed_parameters():
    found = {size: count(rows(*size, steps=2), "lstm/") for size in LAYERS}
    assert found == LAYERS
    dense = count(rows(192, 256, steps=2, dense_units=256), "dense/")
    assert dense == DENSE
    assert sum(found.values()) + 2 * dense == 987_136


@pytest.mark.parametrize(
    ("cell", "parameters"),
    [pytest.param("basic_lstm", 4_128, marks=pytest.mark.thorough), ("gru_reset_after", 3_168)],
)
def test_both_directions_have_the_printed_parameters(cell, parameters):
    both = rows(DIMENSIONS, UNITS, cell=cell, bidirectional=True)
    assert count(both, "lstm/", "gru/") == parameters
    one = rows(DIMENSIONS, UNITS, cell=cell)
    assert count(one, "lstm/", "gru/") == parameters / 2


def test_tensorflow_1s_gru_has_one_bias_for_each_gate_and_so_fewer_parameters():
    assert count(rows(DIMENSIONS, UNITS, cell="gru", bidirectional=True), "gru/") == 3_168 - 2 * 3 * UNITS


# Seed 004, section 6.2: recipe -> parameters of the recurrent layer, and of all.
SUMMARIES: Dict[str, Tuple[int, int]] = {
    "imdb-simplernn32": (2_080, 322_113),
    "imdb-lstm32": (8_320, 328_353),
    "imdb-gru32": (6_336, 326_369),
}


@pytest.mark.parametrize("name", representative(SUMMARIES, "imdb-simplernn32"))
def test_one_layer_recipes_have_the_printed_parameters(name):
    recipe = find_recipe(name)
    recurrent, total = SUMMARIES[name]
    assert count(recipe, "rnn/", "lstm/", "gru/") == recurrent
    assert count(recipe, "embedding") == 320_000
    assert count(recipe, "softmax/") == 33
    assert count(recipe) == total


def test_four_stacked_layers_have_four_times_the_parameters_of_one():
    stacked = find_recipe("imdb-simplernn32").with_settings({"layers": 4})
    assert [count(stacked, f"rnn/fw/{layer}/") for layer in range(4)] == [2_080] * 4
    assert count(stacked, "embedding", "rnn/") == 328_320


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-0.1, 0.1)])
def test_numpys_loop_is_the_graphs_basic_rnn(low, high):
    """Seed 004: 100 steps of 32 inputs, 64 units; its weights in [0, 1) saturate, smaller ones do not."""
    chance = np.random.RandomState(3)
    x = chance.random_sample((100, 32))
    of_input, of_state, bias = (chance.uniform(low, high, size) for size in ((64, 32), (64, 64), 64))
    state, states = np.zeros(64), []
    for row in x:
        state = np.tanh(of_input @ row + of_state @ state + bias)
        states.append(state)
    assert state.shape == (64,)
    assert np.stack(states).shape == (100, 64)
    kernel = np.concatenate([of_input, of_state], axis=1).T
    ran = run(
        rows(32, 64, cell="basic_rnn", steps=100),
        x[None].astype(np.float32),
        {"rnn/fw/0/kernel": kernel.astype(np.float32), "rnn/fw/0/bias": bias.astype(np.float32)},
    )
    np.testing.assert_allclose(ran.outputs[0], states, rtol=0, atol=2e-6)
    np.testing.assert_allclose(ran.h[0][0], state, rtol=0, atol=2e-6)
    assert bool(np.all(state > 0.999)) is (low == 0)
