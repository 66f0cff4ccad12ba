"""Other people's graphs of such models, with TensorFlow 1.15's own cells and optimizers: read or refused."""

from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Tuple

import numpy as np
import pytest

from tests.checkpoints.cells import final_states
from tf1_lstm.checkpoints.conversion import plan
from tf1_lstm.checkpoints.identify import identify
from tf1_lstm.checkpoints.reading import read_checkpoint
from tf1_lstm.checkpoints.restore import load_weights
from tf1_lstm.errors import InputError

WORDS, INPUTS, UNITS, STEPS = 30, 6, 4, 5
Shapes = Dict[str, Tuple[int, ...]]
BOTH: Shapes = {
    "embedding": (WORDS, INPUTS),
    **{
        f"lstm/{way}/{layer}/{part}": shape
        for way in ("fw", "bw")
        for layer, inputs in enumerate((INPUTS, 2 * UNITS))
        for part, shape in (("kernel", (inputs + UNITS, 4 * UNITS)), ("bias", (4 * UNITS,)))
    },
    "softmax/weights": (2 * UNITS, 1),
    "softmax/bias": (1,),
}
STACK: Shapes = {
    "embedding": (WORDS, INPUTS),
    **{
        f"gru/fw/{layer}/{part}": shape
        for layer, inputs in enumerate((INPUTS, UNITS))
        for part, shape in (
            ("gates/kernel", (inputs + UNITS, 2 * UNITS)),
            ("gates/bias", (2 * UNITS,)),
            ("candidate/kernel", (inputs + UNITS, UNITS)),
            ("candidate/bias", (UNITS,)),
        )
    },
    "dense/kernel": (UNITS, UNITS),
    "dense/bias": (UNITS,),
    "softmax/weights": (UNITS, 1),
    "softmax/bias": (1,),
}


class Saved(NamedTuple):
    """A foreign checkpoint.

    Attributes:
      path: of the checkpoint.
      values: variable name -> values, as the session had them.
    """

    path: Path
    values: Dict[str, np.ndarray]


def joined_layers(sequence: Any) -> Any:
    """Two bidirectional layers of ``tf.contrib.rnn``; one output of both last states."""
    import tensorflow as tf

    cells = [[tf.nn.rnn_cell.BasicLSTMCell(UNITS) for _ in range(2)] for _ in "fb"]
    _, forward, backward = tf.contrib.rnn.stack_bidirectional_dynamic_rnn(*cells, sequence, dtype=tf.float32)
    weights = tf.get_variable("W_out", [2 * UNITS, 1])
    return tf.matmul(tf.concat([forward[-1].h, backward[-1].h], 1), weights) + tf.get_variable("b_out", [1])


def stack(sequence: Any) -> Any:
    """Two GRU layers in a ``MultiRNNCell``, and two layers of ``tf.layers``."""
    import tensorflow as tf

    cell = tf.nn.rnn_cell.MultiRNNCell([tf.nn.rnn_cell.GRUCell(UNITS) for _ in range(2)])
    _, states = tf.nn.dynamic_rnn(cell, sequence, dtype=tf.float32)
    return tf.layers.dense(tf.layers.dense(states[-1], UNITS, tf.nn.relu), 1)


def own_table() -> Any:
    """An embedding by a name that does not say so."""
    import tensorflow as tf

    return tf.get_variable("table", [WORDS, INPUTS])


def save(folder: Path, layers: Any, optimizer: Any, version: int, table: Any = own_table) -> Saved:
    """Build, train two steps, and save with ``tf.train.Saver``."""
    import tensorflow as tf

    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(1)
        ids = tf.constant(np.random.RandomState(0).randint(0, WORDS, (3, STEPS)))
        logits = layers(tf.nn.embedding_lookup(table(), ids))
        loss = tf.reduce_mean(
            tf.nn.sigmoid_cross_entropy_with_logits(logits=logits, labels=tf.ones_like(logits))
        )
        train_op = optimizer(tf).minimize(loss)
        session.run(tf.global_variables_initializer())
        for _ in range(2):
            session.run(train_op)
        saver = tf.train.Saver(write_version=version)
        path = saver.save(session, str(folder / "model"), 2, write_meta_graph=False)
        variables = {variable.op.name: variable for variable in tf.global_variables()}
        return Saved(Path(path), session.run(variables))


@pytest.fixture(scope="module")
def model_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Saved]:
    """``save`` with the same arguments only once."""
    made: Dict[Tuple[Any, ...], Saved] = {}

    def model_of(layers: Any, optimizer: Any, version: int = 2) -> Saved:
        key = (layers, optimizer, version)
        if key not in made:
            made[key] = save(tmp_path_factory.mktemp("foreign"), *key)
        return made[key]

    return model_of


def adam(tf: Any) -> Any:
    return tf.train.AdamOptimizer(0.01)


def rmsprop(tf: Any) -> Any:
    return tf.train.RMSPropOptimizer(0.01, momentum=0.5)


OPTIMIZERS: List[Tuple[Any, Tuple[str, ...], Tuple[str, ...]]] = [
    (adam, ("Adam", "Adam_1"), ("beta1_power", "beta2_power")),
    (rmsprop, ("RMSProp", "RMSProp_1"), ()),
]
NAMES = {
    "embedding": "table",
    "lstm/fw/0/kernel": "stack_bidirectional_rnn/cell_0/bidirectional_rnn/fw/basic_lstm_cell/kernel",
    "lstm/bw/1/bias": "stack_bidirectional_rnn/cell_1/bidirectional_rnn/bw/basic_lstm_cell/bias",
    "gru/fw/1/candidate/kernel": "rnn/multi_rnn_cell/cell_1/gru_cell/candidate/kernel",
    "dense/kernel": "dense/kernel",
}
LAST = {joined_layers: ("W_out", "b_out"), stack: ("dense_1/kernel", "dense_1/bias")}


@pytest.mark.parametrize("version", [pytest.param(1, marks=pytest.mark.thorough), 2])
@pytest.mark.parametrize(("layers", "expected"), [(joined_layers, BOTH), (stack, STACK)])
@pytest.mark.parametrize(
    ("optimizer", "slots", "scalars"),
    [OPTIMIZERS[0], *(pytest.param(*kind, marks=pytest.mark.thorough) for kind in OPTIMIZERS[1:])],
)
def test_weights_and_slots_are_those_of_the_session(
    model_of, layers, expected, optimizer, slots, scalars, version
):
    saved = model_of(layers, optimizer, version)
    found = load_weights(saved.path, expected, True, slot_names=slots, scalar_names=scalars)
    names = {**NAMES, **dict(zip(("softmax/weights", "softmax/bias"), LAST[layers]))}
    checked = [role for role in expected if role in names]
    assert len(checked) >= 5
    for role in checked:
        assert found.arrays[role].tobytes() == saved.values[names[role]].tobytes()
        for slot in slots:
            values = saved.values[f"{names[role]}/{slot}"]
            assert np.any(values)
            assert found.slots[slot][role].tobytes() == values.tobytes()
    assert {name: found.scalars[name] for name in scalars} == {name: saved.values[name] for name in scalars}
    used = set(identify(read_checkpoint(saved.path).specs, expected).unread)
    assert used == set()


def test_every_role_comes_from_the_variable_that_tensorflow_computes_with(model_of):
    """The logits of NumPy, with the weights as they were read, are those of the graph's own variables."""
    saved = model_of(joined_layers, adam)
    arrays = load_weights(saved.path, BOTH).arrays
    ids = np.random.RandomState(0).randint(0, WORDS, (3, STEPS))
    states = [
        np.concatenate(final_states("basic_lstm", arrays, arrays["embedding"][row], [UNITS] * 3, joined=True))
        for row in ids
    ]
    found = states @ arrays["softmax/weights"] + arrays["softmax/bias"]
    np.testing.assert_allclose(found, restored_logits(saved, ids), rtol=0, atol=2e-6)


def restored_logits(saved: Saved, ids: np.ndarray) -> np.ndarray:
    """The same graph anew, restored by its own Saver."""
    import tensorflow as tf

    with tf.Graph().as_default(), tf.Session() as session:
        logits = joined_layers(tf.nn.embedding_lookup(own_table(), tf.constant(ids)))
        tf.train.Saver().restore(session, str(saved.path))
        return session.run(logits)


def test_tensorflows_rmsprop_is_not_resumed_as_kerass(model_of):
    """Its mean square began at 1, and it keeps a second slot."""
    saved = model_of(stack, rmsprop)
    with pytest.raises(InputError, match="found the slots 'RMSProp_1' too, expected RMSProp alone"):
        load_weights(saved.path, STACK, True, slot_names=("RMSProp",), scalar_names=())
    assert load_weights(saved.path, STACK).slots == {}


def test_a_frozen_embedding_that_was_saved_is_never_left_out_in_silence(tmp_path):
    import tensorflow as tf

    def frozen() -> Any:
        return tf.get_variable("word_vectors", [WORDS, INPUTS], trainable=False)

    saved = save(tmp_path, stack, adam, 2, table=frozen)
    without = {role: shape for role, shape in STACK.items() if role != "embedding"}
    with pytest.raises(InputError, match="embedding is in the checkpoint and not in the model"):
        load_weights(saved.path, without)
    assert load_weights(saved.path, STACK).arrays["embedding"].shape == (WORDS, INPUTS)


@pytest.mark.parametrize(
    ("layers", "expected", "changes", "reason"),
    [
        (joined_layers, BOTH, {"lstm/fw/1/kernel": (2 * UNITS, 4 * UNITS)}, "lstm/fw/1/kernel is"),
        (joined_layers, BOTH, {"embedding": (WORDS + 1, INPUTS)}, "may be a part|embedding"),
        (
            joined_layers,
            BOTH,
            {"softmax/weights": (2 * UNITS, 2), "softmax/bias": (2,)},
            "softmax/weights is",
        ),
        (stack, STACK, {"dense/kernel": (UNITS, 9), "dense/bias": (9,)}, "dense/kernel"),
        (stack, STACK, {"gru/fw/2/gates/bias": (2 * UNITS,)}, "gru/fw/2/gates/bias"),
    ],
)
def test_a_graph_that_differs_in_one_shape_refuses_it(model_of, layers, expected, changes, reason):
    saved = model_of(layers, adam)
    with pytest.raises(InputError, match=reason):
        load_weights(saved.path, {**expected, **changes})


def test_without_a_graph_two_square_layers_by_other_names_are_not_converted(model_of, tmp_path):
    saved = model_of(stack, adam)
    with pytest.raises(InputError, match=r"nothing decides: dense/kernel with dense/bias.*--keep-names"):
        plan(saved.path, tmp_path / "out", "tf0.12")
