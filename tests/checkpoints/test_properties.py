"""For generated models: canonical to any naming and back is the identity, and TensorFlow agrees."""

import tempfile
from pathlib import Path
from typing import Any, Dict, List, Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.checkpoints.cells import final_states
from tests.experiments import CELLS
from tf1_lstm.checkpoints.canonical import cell_kinds, recurrent_shapes
from tf1_lstm.checkpoints.conversion import plan
from tf1_lstm.checkpoints.formats.bundle_write import write_bundle
from tf1_lstm.checkpoints.formats.single_write import write_single
from tf1_lstm.checkpoints.identify import identify
from tf1_lstm.checkpoints.naming import NAMINGS, names_for
from tf1_lstm.checkpoints.reading import read_checkpoint
from tf1_lstm.checkpoints.restore import load_weights
from tf1_lstm.checkpoints.weights import ModelDescription, Weights
from tf1_lstm.checkpoints.write import write
from tools import checkpoint_case_names

AGES = {"tf1.15": "1.15", "tf1.0": "1.0", "tf0.12": "0.12"}
SLOTS = ("Adam", "Adam_1")
quick = settings(derandomize=True, deadline=None, max_examples=60)
with_tensorflow = settings(derandomize=True, deadline=None, max_examples=10)


@st.composite
def models(draw: Any) -> Weights:
    """Canonical weights of any model that this program knows, with or without an optimizer."""
    cell = draw(st.sampled_from(CELLS))
    inputs, units = draw(st.integers(1, 9)), draw(st.integers(1, 7))
    layers, directions = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    classes = draw(st.integers(1, 9))
    joined = layers > 1 and directions == 2 and draw(st.booleans())
    dense, vocabulary = draw(st.integers(0, 9)), draw(st.integers(0, 12))
    widths = (units, *(draw(st.integers(1, 7)) for _ in range(layers - 1)))
    widths = widths if len(set(widths)) > 1 else ()
    width = (widths or (units,))[-1] * draw(st.sampled_from(sorted({1, directions})))
    fixed = cell_kinds()[cell]
    size = (inputs, units, layers, directions)
    model = ModelDescription(
        cell,
        fixed.gate_order,
        fixed.default_forget_bias,
        *size,
        classes,
        joined,
        dense,
        vocabulary,
        widths=widths,
    )
    shapes = recurrent_shapes(cell, *size, cell == "lstm_peephole", joined, widths)
    if vocabulary:
        shapes["embedding"] = (vocabulary, inputs)
    if dense:
        shapes.update({"dense/kernel": (width, dense), "dense/bias": (dense,)})
    shapes.update({"softmax/weights": (dense or width, classes), "softmax/bias": (classes,)})
    generator = np.random.RandomState(draw(st.integers(0, 2**32 - 1)))
    make = lambda: {role: generator.normal(size=shape).astype(np.float32) for role, shape in shapes.items()}  # noqa: E731
    trained = draw(st.booleans())
    return Weights(
        model=model,
        arrays=make(),
        slots={slot: make() for slot in SLOTS} if trained else {},
        scalars={"beta1_power": np.float32(0.81), "beta2_power": np.float32(0.99)} if trained else {},
        step=draw(st.one_of(st.none(), st.integers(0, 10**15))),
    )


def save(weights: Weights, to: str, folder: Path) -> Path:
    """Write canonical weights under one naming."""
    names = names_for(weights.arrays, weights.model, to)
    variables: Dict[str, np.ndarray] = {names[role]: array for role, array in weights.arrays.items()}
    for slot, arrays in weights.slots.items():
        variables.update({f"{names[role]}/{slot}": array for role, array in arrays.items()})
    variables.update(weights.scalars)
    path = folder / ("model" if weights.step is None else f"model-{weights.step}")
    (write_bundle if NAMINGS[to].format == "V2 bundle" else write_single)(str(path), variables)
    return path


def assert_same(found: Weights, expected: Weights) -> None:
    assert found.model == expected.model
    assert found.digest() == expected.digest()
    for slot, arrays in expected.slots.items():
        for role, array in arrays.items():
            np.testing.assert_array_equal(found.slots[slot][role], array)
    assert {name: float(value) for name, value in found.scalars.items()} == {
        name: float(value) for name, value in expected.scalars.items()
    }


@quick
@given(weights=models(), to=st.sampled_from(sorted(AGES)))
def test_canonical_to_any_naming_and_back_is_the_identity(weights, to):
    expected = {role: array.shape for role, array in weights.arrays.items()}
    with tempfile.TemporaryDirectory() as folder:
        path = save(weights, to, Path(folder))
        for given_path in (path, Path(folder)):
            found = load_weights(given_path, expected, want_slots=bool(weights.slots))
            assert_same(found, weights)
            assert found.step == weights.step
        assert identify(read_checkpoint(path).specs).unread == ()


@quick
@given(weights=models(), chain=st.lists(st.sampled_from(sorted(AGES)), min_size=2, max_size=4))
def test_a_chain_of_conversions_loses_nothing(weights, chain):
    expected = {role: array.shape for role, array in weights.arrays.items()}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = save(weights, chain[0], folder)
        for number, to in enumerate(chain[1:]):
            write(plan(path, folder / str(number) / "m", to), False)
            path = folder / str(number) / "m"
        assert_same(load_weights(path, expected, want_slots=bool(weights.slots)), weights)


def tensorflow_cell(cell: str, units: int) -> Any:
    import tensorflow as tf

    from tf1_lstm.core.reset_after import ResetAfterGRUCell

    cells = {
        "basic_rnn": tf.nn.rnn_cell.BasicRNNCell,
        "basic_lstm": tf.nn.rnn_cell.BasicLSTMCell,
        "lstm_peephole": lambda units: tf.nn.rnn_cell.LSTMCell(units, use_peepholes=True),
        "lstm_coupled": tf.contrib.rnn.CoupledInputForgetGateLSTMCell,
        "gru": tf.nn.rnn_cell.GRUCell,
        "gru_reset_after": ResetAfterGRUCell,
    }
    return cells[cell](units)


def units_of(model: ModelDescription) -> Sequence[int]:
    return model.widths or (model.units,) * model.layers


def tensorflow_stack(model: ModelDescription) -> Any:
    import tensorflow as tf

    cells: List[Any] = [tensorflow_cell(model.cell, units) for units in units_of(model)]
    return cells[0] if model.layers == 1 else tf.nn.rnn_cell.MultiRNNCell(cells)


def build(model: ModelDescription, rows: np.ndarray) -> Any:
    """The last output of each direction, from TensorFlow's own cells under its own names."""
    import tensorflow as tf

    inputs = tf.constant(rows[None], tf.float32)
    if model.directions == 1:
        outputs, _ = tf.nn.dynamic_rnn(tensorflow_stack(model), inputs, dtype=tf.float32)
        return [outputs[0, -1]]
    if model.joined:
        cells = [[tensorflow_cell(model.cell, units) for units in units_of(model)] for _ in "fb"]
        outputs, _, _ = tf.contrib.rnn.stack_bidirectional_dynamic_rnn(*cells, inputs, dtype=tf.float32)
        return [outputs[0, -1, : model.top_units], outputs[0, 0, model.top_units :]]
    both, _ = tf.nn.bidirectional_dynamic_rnn(
        tensorflow_stack(model), tensorflow_stack(model), inputs, dtype=tf.float32
    )
    return [both[0][0, -1], both[1][0, 0]]


@with_tensorflow
@given(weights=models(), to=st.sampled_from(sorted(AGES)))
def test_tensorflow_restores_each_naming_and_computes_what_numpy_computes(weights, to):
    """TensorFlow 1.15's real cells, filled by its own Saver through the names that the script types."""
    import tensorflow as tf

    model = weights.model
    size = (model.layers, model.directions, model.inputs, model.units)
    theirs = checkpoint_case_names.cell_weights("1.15", model.cell, *size, joined=model.joined)
    typed = checkpoint_case_names.cell_weights(AGES[to], model.cell, *size, joined=model.joined)
    rows = np.random.RandomState(1).normal(size=(5, model.inputs))
    with tempfile.TemporaryDirectory() as folder, tf.Graph().as_default():
        path = save(weights, to, Path(folder))
        outputs = build(model, rows)
        held = {variable.op.name: variable for variable in tf.global_variables()}
        assert set(held) == {name for name, _ in theirs.values()}
        names = {typed[role][0]: held[theirs[role][0]] for role in typed}
        with tf.Session() as session:
            tf.train.Saver(names).restore(session, str(path))
            found = session.run(outputs)
    expected = final_states(model.cell, weights.arrays, rows, units_of(model), model.joined)
    assert len(found) == len(expected)
    for one, other in zip(found, expected):
        np.testing.assert_allclose(one, other, rtol=0, atol=2e-6)


@quick
@given(
    st.dictionaries(
        st.text(st.characters(blacklist_categories=("C", "Z")), min_size=1, max_size=20),
        st.tuples(
            st.sampled_from(
                ["float32", "float64", "float16", "int32", "int64", "uint8", "int8", "int16", "bool"]
            ),
            st.lists(st.integers(0, 4), max_size=3),
        ),
        max_size=8,
    ),
    st.integers(0, 2**32 - 1),
)
def test_any_variables_of_any_type_come_back_from_both_formats(described, seed):
    generator = np.random.RandomState(seed)
    arrays = {
        name: generator.randint(-128, 128, shape).astype(dtype) for name, (dtype, shape) in described.items()
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, writer in (("v2", write_bundle), ("v1", write_single)):
            writer(str(Path(folder) / name), arrays)
            found = read_checkpoint(Path(folder) / name)
            assert set(found.variables) == set(arrays)
            for key, array in arrays.items():
                np.testing.assert_array_equal(found.variables[key], array)
                assert found.variables[key].dtype == array.dtype
                assert found.variables[key].shape == array.shape
