"""What does not change the bits, and what goes through them: threads, instruction sets, NaN, infinity."""

import threading
from typing import Dict, List

import numpy as np
import pytest

from tests.graphs.engine.support import SETS, by_engine, by_numpy, make_case, needs_engine, worst
from tf1_lstm.graphs.engine import layers
from tf1_lstm.graphs.engine.layers import CELLS, layer
from tf1_lstm.graphs.engine.library import FUSED, EngineChoice

pytestmark = needs_engine
TOLERANCE = 3e-6


def same(one, other):
    return set(one) == set(other) and all(one[name].tobytes() == other[name].tobytes() for name in one)


@pytest.mark.parametrize("cell", CELLS)
def test_threads_and_fused_instruction_sets_give_the_same_bits(cell):
    case = make_case(cell, units=40, inputs=50, batch=130, steps=9, ragged=True)
    first = by_engine(case, EngineChoice(SETS[0], 1))
    for instructions in [name for name in SETS if name in FUSED or name == SETS[0]]:
        for threads in (1, 2, 5):
            assert same(by_engine(case, EngineChoice(instructions, threads)), first), (instructions, threads)


@pytest.mark.parametrize("instructions", SETS)
@pytest.mark.parametrize("cell", CELLS)
def test_where_inputs_are_multiplied_changes_no_bit_but_of_their_kernel(cell, instructions, monkeypatch):
    case = make_case(cell, units=21, inputs=7, batch=30, steps=9, ragged=True, reverse=True)
    choice = EngineChoice(instructions, 2)
    by_step = by_engine(case, choice)
    monkeypatch.setattr(layers, "MOST_BY_STEP", 0)
    before = by_engine(case, choice)
    assert worst(before, by_numpy(case)) < TOLERANCE
    for name in set(before) - {
        "kernel",
        "bias",
        "gates/kernel",
        "candidate/kernel",
        "gates/bias",
        "candidate/bias",
    }:
        assert by_step[name].tobytes() == before[name].tobytes(), name
    for name in [name for name in before if name.endswith("kernel")]:
        assert by_step[name][-21:].tobytes() == before[name][-21:].tobytes(), name


def test_what_is_fed_has_derivatives_as_well():
    from tf1_lstm.core.tensorflow import tf

    case = make_case("basic_lstm", units=7, inputs=4, batch=5, steps=6)
    expected = by_numpy(case._replace(d_outputs=0 * case.d_outputs))["inputs"]
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        parts = {name: tf.constant(value) for name, value in case.parts.items()}
        inputs = tf.compat.v1.placeholder(tf.float32, case.inputs.shape)
        found = layer(
            EngineChoice(SETS[0], 2), "basic_lstm", parts, inputs, forget_bias=case.cell.forget_bias
        )
        derivative = tf.gradients(tf.reduce_sum(found.h * case.d_last), inputs)[0]
        assert np.abs(session.run(derivative, {inputs: case.inputs}) - expected).max() < TOLERANCE


@pytest.mark.parametrize("instructions", SETS)
@pytest.mark.parametrize("cell", CELLS)
def test_a_nan_in_any_weight_or_input_reaches_the_outputs_and_the_gradients(cell, instructions):
    case = make_case(cell, units=6, inputs=3, batch=2, steps=4)
    clean = by_engine(case, EngineChoice(instructions, 1))
    assert all(np.isfinite(value).all() for value in clean.values())
    for name in [*case.parts, "inputs"]:
        spoiled = {part: value.copy() for part, value in case.parts.items()}
        inputs = case.inputs.copy()
        (inputs if name == "inputs" else spoiled[name]).flat[0] = np.nan
        found = by_engine(case._replace(parts=spoiled), EngineChoice(instructions, 1), inputs=inputs)
        assert np.isnan(found["h"]).any() or np.isnan(found["outputs"]).any(), name
        kernel = "gates/kernel" if cell == "gru" else "kernel"
        assert np.isnan(found[kernel]).any(), name


@pytest.mark.parametrize("cell", CELLS)
def test_an_infinite_input_saturates_as_ieee_says_or_gives_nan(cell):
    case = make_case(cell, units=6, inputs=3, batch=2, steps=4)
    inputs = case.inputs.copy()
    inputs[0, 1, 0] = np.inf
    parts = {name: np.abs(value) for name, value in case.parts.items()}
    found = by_engine(case._replace(parts=parts), EngineChoice(SETS[0], 1), inputs=inputs)
    clean = by_engine(case._replace(parts=parts), EngineChoice(SETS[0], 1))
    assert np.isfinite(found["outputs"][:, 0]).all() and np.isfinite(found["outputs"][1]).all()
    assert found["outputs"][1].tobytes() == clean["outputs"][1].tobytes()
    assert not np.isfinite(found["kernel" if cell != "gru" else "gates/kernel"]).all()


def test_words_give_the_rows_they_stand_for_and_ids_are_checked():
    from tf1_lstm.core.tensorflow import tf

    case = make_case("basic_lstm", units=7, inputs=4, batch=5, steps=6)
    table = np.random.RandomState(1).standard_normal((9, 4)).astype(np.float32)
    ids = np.random.RandomState(2).randint(0, 9, (5, 6)).astype(np.int32)
    choice = EngineChoice(SETS[0], 2)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        parts = {name: tf.constant(value) for name, value in case.parts.items()}
        words, rows = tf.constant(table), tf.constant(table)
        placeholder = tf.compat.v1.placeholder(tf.int32, [5, 6])
        looked_up = layer(choice, "basic_lstm", parts, (words, placeholder))
        plain = layer(choice, "basic_lstm", parts, tf.gather(rows, placeholder))
        losses = [tf.reduce_sum(found.outputs * case.d_outputs) for found in (looked_up, plain)]
        gradients = [
            [tf.convert_to_tensor(g) for g in tf.gradients(loss, [parts["kernel"], parts["bias"], source])]
            for loss, source in zip(losses, (words, rows))
        ]
        found = session.run([looked_up.outputs, plain.outputs, gradients], {placeholder: ids})
        assert found[0].tobytes() == found[1].tobytes()
        for one, other in zip(*found[2]):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)
        for wrong in (9, -1):
            with pytest.raises(tf.errors.InvalidArgumentError):
                session.run(looked_up.h, {placeholder: np.where(ids == 3, wrong, ids)})


@pytest.mark.parametrize("wrong", [-1, 7])
def test_sequence_lengths_are_checked(wrong):
    from tf1_lstm.core.tensorflow import tf

    case = make_case("gru", steps=6)._replace(lengths=np.array([1, 2, wrong, 3], np.int32))
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"length outside of \[0, steps\]"):
        by_engine(case, EngineChoice(SETS[0], 2))


def test_two_sessions_at_once_disturb_nobody():
    cases = [make_case("basic_lstm", units=32, batch=24, steps=20, seed=seed) for seed in range(2)]
    alone = [by_engine(case, EngineChoice(SETS[0], 2)) for case in cases]
    together: List[List[Dict[str, np.ndarray]]] = [[], []]

    def work(number):
        for _ in range(5):
            together[number].append(by_engine(cases[number], EngineChoice(SETS[0], 2)))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for found, expected in zip(together, alone):
        assert len(found) == 5
        assert all(same(one, expected) for one in found)


@pytest.mark.slow
def test_memory_is_flat_over_ten_thousand_steps():
    from tf1_lstm.core.tensorflow import tf

    case = make_case("basic_lstm", units=32, batch=24, steps=20)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        parts = {name: tf.constant(value) for name, value in case.parts.items()}
        inputs = tf.compat.v1.placeholder(tf.float32, case.inputs.shape)
        found = layer(EngineChoice(SETS[0], 2), "basic_lstm", parts, inputs)
        step = session.make_callable(tf.gradients(tf.reduce_sum(found.h), list(parts.values())), [inputs])

        def resident():
            with open("/proc/self/statm") as file:
                return int(file.read().split()[1]) * 4096

        for _ in range(1000):
            step(case.inputs)
        before = resident()
        for _ in range(10_000):
            step(case.inputs)
        assert resident() - before < 8 << 20
