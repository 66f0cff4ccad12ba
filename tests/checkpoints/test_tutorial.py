"""A converted checkpoint in the tutorial's own graph, restored by a plain Saver."""

import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from tests.checkpoints.support import CASES, lstm_logits
from tf1_lstm.checkpoints.conversion import plan
from tf1_lstm.checkpoints.reading import read_checkpoint
from tf1_lstm.checkpoints.restore import load_weights
from tf1_lstm.checkpoints.write import write

BATCH, STEPS = 24, 250  # the tutorial's, and fixed in its graph
IMDB = {
    "lstm/fw/0/kernel": (114, 256),
    "lstm/fw/0/bias": (256,),
    "softmax/weights": (64, 2),
    "softmax/bias": (2,),
}


class Tutorial(NamedTuple):
    """What the tutorial's script holds in its global names."""

    graph: Any
    ids: Any
    prediction: Any
    saver: Any
    dropout_off: Any


def tutorial_graph(units: int, vectors: np.ndarray) -> Tutorial:
    """The graph of the IMDB tutorial, its variables made in the same order and without names.

    Source: LSTM in TensorFlow (Easter79), section 6. The only thing added is a placeholder for the dropout's rate, so
    that logits can be compared.
    """
    import tensorflow as tf

    graph = tf.Graph()
    with graph.as_default():
        labels = tf.placeholder(tf.float32, [BATCH, 2])
        ids = tf.placeholder(tf.int32, [BATCH, STEPS])
        tf.Variable(tf.zeros([BATCH, STEPS, 300]), dtype=tf.float32)  # the one that nobody reads
        data = tf.nn.embedding_lookup(vectors, ids)
        keep = tf.placeholder_with_default(np.float32(0.75), [])
        cell = tf.nn.rnn_cell.BasicLSTMCell(units)
        cell = tf.nn.rnn_cell.DropoutWrapper(cell, output_keep_prob=keep)
        outputs, _ = tf.nn.dynamic_rnn(cell, data, dtype=tf.float32)
        weight = tf.Variable(tf.truncated_normal([units, 2]))
        bias = tf.Variable(tf.constant(0.1, shape=[2]))
        last = tf.transpose(outputs, [1, 0, 2])[-1]
        prediction = tf.matmul(last, weight) + bias
        losses = tf.nn.softmax_cross_entropy_with_logits_v2(logits=prediction, labels=labels)
        tf.train.AdamOptimizer().minimize(tf.reduce_mean(losses))
        return Tutorial(graph, ids, prediction, tf.train.Saver(), keep)


def restored_logits(folder: Path, units: int, vectors: np.ndarray, ids: np.ndarray) -> np.ndarray:
    import tensorflow as tf

    tutorial = tutorial_graph(units, vectors)
    with tf.Session(graph=tutorial.graph) as session:
        tutorial.saver.restore(session, tf.train.latest_checkpoint(str(folder)))
        return session.run(tutorial.prediction, {tutorial.ids: ids, tutorial.dropout_off: 1.0})


def test_the_tutorials_graph_asks_for_exactly_the_variables_that_are_written(tmp_path):
    write(plan(CASES / "0.12-basic_lstm-1x1-7", tmp_path / "model.ckpt-1", "tutorial"), False)
    tutorial = tutorial_graph(4, np.zeros((5, 3), np.float32))
    written = read_checkpoint(tmp_path)
    with tutorial.graph.as_default():
        import tensorflow as tf

        asked = {variable.op.name: tuple(variable.shape.as_list()) for variable in tf.global_variables()}
    assert {name: spec.shape for name, spec in written.specs.items()} == asked


@pytest.mark.parametrize("path", ["0.12-basic_lstm-1x1-7", "mnist-2016-7", "no-optimizer-7"])
def test_a_plain_saver_restores_it_and_gives_the_same_logits_as_numpy(path, tmp_path):
    source = CASES / path
    write(plan(source, tmp_path / "models" / "pretrained_lstm.ckpt-90000", "tutorial"), False)
    generator = np.random.RandomState(0)
    vectors = generator.normal(size=(50, 3)).astype(np.float32)
    ids = generator.randint(0, 50, (BATCH, STEPS))
    found = restored_logits(tmp_path / "models", 4, vectors, ids)
    shapes = {
        "lstm/fw/0/kernel": (7, 16),
        "lstm/fw/0/bias": (16,),
        "softmax/weights": (4, 2),
        "softmax/bias": (2,),
    }
    arrays = load_weights(source, shapes).arrays
    softmax = (arrays["softmax/weights"], arrays["softmax/bias"])
    for row in range(0, BATCH, 8):
        expected = lstm_logits(
            vectors[ids[row]], arrays["lstm/fw/0/kernel"], arrays["lstm/fw/0/bias"], softmax
        )
        np.testing.assert_allclose(found[row], expected, rtol=0, atol=1e-5)


def test_training_goes_on_from_a_converted_checkpoint_as_from_the_original(tmp_path):
    """Adam's slots and powers follow: one step from each gives the same weights."""
    import tensorflow as tf

    def step(prefix: str, names: Any) -> np.ndarray:
        with tf.Graph().as_default():
            with tf.variable_scope("", reuse=tf.AUTO_REUSE):
                held = [tf.get_variable(name, shape) for name, shape in names]
            loss = tf.add_n([tf.reduce_sum(tf.square(variable) * 3) for variable in held])
            train = tf.train.AdamOptimizer().minimize(loss)
            with tf.Session() as session:
                tf.train.Saver().restore(session, prefix)
                session.run(train)
                return np.concatenate([values.ravel() for values in session.run(held)])

    shapes = ((7, 16), (16,), (4, 2), (2,))
    old = (
        "RNN/BasicLSTMCell/Linear/Matrix",
        "RNN/BasicLSTMCell/Linear/Bias",
        "softmax/weights",
        "softmax/bias",
    )
    new = ("rnn/basic_lstm_cell/kernel", "rnn/basic_lstm_cell/bias", "softmax/weights", "softmax/bias")
    write(plan(CASES / "0.12-basic_lstm-1x1-7", tmp_path / "new-7", "tf1.15"), False)
    before = step(str(CASES / "0.12-basic_lstm-1x1-7"), list(zip(old, shapes)))
    after = step(str(tmp_path / "new-7"), list(zip(new, shapes)))
    np.testing.assert_array_equal(before, after)


def test_the_published_checkpoint_converted_gives_its_published_logits(shared, prepared, tmp_path):
    write(
        plan(shared / "checkpoints/imdb-lstm-90000", tmp_path / "pretrained_lstm.ckpt-1", "tutorial"), False
    )
    vectors = np.load(str(prepared / "imdb/wordVectors.npy"))
    ids = np.load(str(prepared / "imdb/idsMatrixTest.npy"), mmap_mode="r")[:BATCH]
    found = restored_logits(tmp_path, 64, vectors, ids)
    np.testing.assert_allclose(found[0], [4.327704, -2.5567985], rtol=0, atol=5e-6)


def test_reading_and_converting_import_no_tensorflow(tmp_path):
    program = (
        "import sys\n"
        "from tf1_lstm.cli import build_parser\n"
        "parser = build_parser(['inspect', 'convert'])\n"
        "assert 'numpy' not in sys.modules\n"
        f"source, target = {str(CASES / 'tutorial-90000')!r}, {str(tmp_path / 'x')!r}\n"
        "for line in (['inspect', source], ['convert', source, target, '--to', 'tf0.12']):\n"
        "    options = parser.parse_args(line); assert options.func(options) == 0\n"
        "assert 'tensorflow' not in sys.modules\n"
    )
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", program], check=True, cwd=str(root), stdout=subprocess.DEVNULL)
