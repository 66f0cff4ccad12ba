"""Keras's RMSprop and PyTorch's Adam in a TensorFlow 1 graph, against Keras and against the equations."""

from typing import Dict, List

import numpy as np

from tf1_lstm.graphs.optimizers import add_training
from tf1_lstm.graphs.quiet import tf
from tf1_lstm.recipes.experiment import KerasRMSprop, Optimizer, TorchAdam

STEPS = 5
ROWS, WIDTH = 12, 3
RATE = 0.01


def _values() -> Dict[str, np.ndarray]:
    generator = np.random.Generator(np.random.Philox(3))
    return {
        "embedding": generator.normal(size=(ROWS, WIDTH)).astype(np.float32),
        "lstm/fw/0/bias": generator.normal(size=WIDTH).astype(np.float32),
    }


def _ids() -> np.ndarray:
    """Ids that come twice, and rows that no batch reads after the first."""
    generator = np.random.Generator(np.random.Philox(4))
    return generator.integers(0, 6, size=(STEPS, 8)).astype(np.int32) + np.array([[6], [0], [0], [0], [0]])


def _graph(values: Dict[str, np.ndarray], resource: bool):
    """Variables by role, the placeholder of ids, and a loss whose gradient by the embedding is sparse."""
    variables = {
        role: tf.compat.v1.get_variable(
            role.replace("/", "_"), initializer=tf.constant(array), use_resource=resource
        )
        for role, array in values.items()
    }
    ids = tf.compat.v1.placeholder(tf.int32, [None])
    read = tf.nn.embedding_lookup(variables["embedding"], ids) + variables["lstm/fw/0/bias"]
    return variables, ids, tf.reduce_mean(tf.square(read) * [0.5, 1e-4, 3.0])


def _ours(optimizer: Optimizer) -> List[Dict[str, np.ndarray]]:
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        variables, ids, loss = _graph(_values(), resource=False)
        added = add_training(optimizer, loss, variables, exact=True)
        session.run(tf.compat.v1.global_variables_initializer())
        found = []
        for batch in _ids():
            session.run(added.train_op, {ids: batch})
            found.append(session.run(variables))
    return found


def test_rmsprop_is_that_of_keras():
    """``tf.keras.optimizers.RMSprop`` in TensorFlow 1.15 is the class of TensorFlow 2.0 to 2.10."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        variables, ids, loss = _graph(_values(), resource=True)
        optimizer = tf.keras.optimizers.RMSprop(RATE)
        update = optimizer.get_updates(loss, list(variables.values()))
        session.run(tf.compat.v1.global_variables_initializer())
        theirs = []
        for batch in _ids():
            session.run(update, {ids: batch})
            theirs.append(session.run(variables))
    for ours, right in zip(_ours(KerasRMSprop(RATE)), theirs):
        for role, array in right.items():
            np.testing.assert_allclose(ours[role], array, rtol=2e-6, atol=2e-7)


def test_rmsprop_is_not_that_of_tensorflow_1():
    """Its first mean square is 1, not 0: the first step is far shorter."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        variables, ids, loss = _graph(_values(), resource=False)
        update = tf.compat.v1.train.RMSPropOptimizer(RATE).minimize(loss)
        session.run(tf.compat.v1.global_variables_initializer())
        session.run(update, {ids: _ids()[0]})
        theirs = session.run(variables["lstm/fw/0/bias"])
    start = _values()["lstm/fw/0/bias"]
    ours = _ours(KerasRMSprop(RATE))[0]["lstm/fw/0/bias"]
    # Keras: rate * g / sqrt(0.1 g²), whatever g is. TensorFlow 1: the shorter, the smaller g is.
    np.testing.assert_allclose(np.abs(ours - start), RATE / np.sqrt(0.1), rtol=0.01)
    assert (np.abs(theirs - start) < 0.6 * np.abs(ours - start)).all()


def _adam_by_hand(epsilon: float) -> List[Dict[str, np.ndarray]]:
    """PyTorch's documented algorithm in float64, the embedding's every row moved."""
    weights = {role: array.astype(np.float64) for role, array in _values().items()}
    mean = {role: np.zeros_like(array) for role, array in weights.items()}
    square = {role: np.zeros_like(array) for role, array in weights.items()}
    found = []
    for step, ids in enumerate(_ids(), 1):
        read = weights["embedding"][ids] + weights["lstm/fw/0/bias"]
        d_read = 2 * read * [0.5, 1e-4, 3.0] / read.size
        gradients = {"embedding": np.zeros_like(weights["embedding"]), "lstm/fw/0/bias": d_read.sum(0)}
        np.add.at(gradients["embedding"], ids, d_read)
        for role, gradient in gradients.items():
            mean[role] = 0.9 * mean[role] + 0.1 * gradient
            square[role] = 0.999 * square[role] + 0.001 * gradient**2
            corrected = np.sqrt(square[role] / (1 - 0.999**step)) + epsilon
            weights[role] = weights[role] - RATE * mean[role] / (1 - 0.9**step) / corrected
        found.append(dict(weights))
    return found


def test_adam_is_that_of_pytorch():
    for ours, right in zip(_ours(TorchAdam(RATE)), _adam_by_hand(1e-8)):
        for role, array in right.items():
            np.testing.assert_allclose(ours[role], array, rtol=1e-5, atol=1e-6)


def test_rows_that_a_batch_does_not_read_go_on_moving():
    """As in Keras and PyTorch; TensorFlow 1's sparse RMSProp leaves their mean square alone."""
    steps = _ours(TorchAdam(RATE))
    unread = [row for row in range(6, ROWS) if row not in _ids()[1:] and row in _ids()[0]]
    assert unread
    assert (steps[0]["embedding"][unread] != steps[1]["embedding"][unread]).all()


def test_a_doubled_bias_moves_as_two_halves_do():
    """Two halves that are added have the same gradient as their sum, and both make the step."""
    start = _values()["lstm/fw/0/bias"]
    single, double = _ours(TorchAdam(RATE))[0], _ours(TorchAdam(RATE, two_biases=True))[0]
    np.testing.assert_allclose(
        double["lstm/fw/0/bias"] - start, 2 * (single["lstm/fw/0/bias"] - start), rtol=1e-4
    )
    np.testing.assert_array_equal(double["embedding"], single["embedding"])
