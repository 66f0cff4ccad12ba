"""The five-layer model of the notes on Keras's LSTM (section 1.2.3), built, trained and held against Keras."""

import json
from pathlib import Path
from typing import Any, Dict, List, Tuple

import numpy as np
import pytest

from tests.graphs import keras_layers
from tf1_lstm.cli import main
from tf1_lstm.core.tensorflow import load_variables, tf
from tf1_lstm.errors import InputError
from tf1_lstm.graphs.build import build
from tf1_lstm.recipes import (
    Adam,
    Arrays,
    BasicLSTM,
    Dropout,
    Epochs,
    Experiment,
    Recurrent,
    Regression,
    Rows,
    Softmax,
)

# What the notes print: (output shape behind the batch, parameters) of the seven layers that have some.
LSTMS = [(64, 17_408), (64, 33_024), (128, 98_816), (192, 246_528), (256, 459_776)]
DENSE = [(256, 65_792), (256, 65_792)]
TOTAL = 987_136

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "own-experiments.md"


def documented(heading: str) -> str:
    """The first Python file under a heading."""
    return DOCUMENT.read_text(encoding="utf-8").split(heading)[1].split("```python\n")[1].split("```")[0]


MINE = documented("## Layers of several widths")


def published() -> Experiment:
    names: Dict[str, Any] = {}
    exec(MINE, names)
    found = names["EXPERIMENT"]
    assert isinstance(found, Experiment)
    return found


def keras_model(experiment: Experiment) -> Tuple[Any, List[Any], List[Any]]:
    """The notes' model in ``tf.keras``, its recurrent layers, and its dense ones."""
    recurrent = [
        tf.keras.layers.LSTM(units, return_sequences=True, recurrent_activation="sigmoid")
        for units, _ in LSTMS
    ]
    dense = [tf.keras.layers.Dense(256, activation="selu") for _ in DENSE]
    model = tf.keras.Sequential([tf.keras.Input((2, 3)), *recurrent])
    for layer in dense:
        model.add(layer)
        model.add(tf.keras.layers.Dropout(0.5))
    return model, recurrent, dense


def test_outputs_loss_gradients_shapes_and_counts_are_kerass():
    experiment, random = published(), np.random.RandomState(1)
    x = random.normal(size=(4, 2, 3)).astype(np.float32)
    y = random.normal(size=(4, 2, 256)).astype(np.float32)
    graph = build(experiment, training=False)
    with graph.graph.as_default(), tf.compat.v1.Session() as session:
        session.run(graph.initializer)
        weights = session.run(graph.variables)
        weights = {name: value + random.normal(0, 0.05, value.shape) for name, value in weights.items()}
        load_variables(((graph.variables[name], value) for name, value in weights.items()), session)
        by_name = dict(zip(weights, tf.gradients(graph.loss, list(graph.variables.values()))))
        feeds = {graph.inputs: x, graph.labels: y, graph.keep_prob: 1.0}
        found, outputs, loss, gradients = session.run(
            [graph.outputs, graph.logits, graph.loss, by_name], feeds
        )
    assert found.shape == (4, 2, 256) and outputs.shape == (4, 2, 256)
    counts = [
        sum(weights[f"lstm/fw/{layer}/{part}"].size for part in ("kernel", "bias"))
        for layer in range(len(LSTMS))
    ]
    assert counts == [count for _, count in LSTMS]
    assert weights["dense/kernel"].size + weights["dense/bias"].size == DENSE[0][1]
    assert weights["softmax/weights"].size + weights["softmax/bias"].size == DENSE[1][1]
    assert sum(value.size for value in weights.values()) == TOTAL
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.compat.v1.keras.backend.set_session(session)
        model, recurrent, dense = keras_model(experiment)
        assert model.count_params() == TOTAL
        assert [(layer.output_shape, layer.count_params()) for layer in [*recurrent, *dense]] == [
            ((None, 2, units), count) for units, count in [*LSTMS, *DENSE]
        ]
        keras_layers.fill(experiment, recurrent, weights)
        for layer, names in zip(dense, (("dense/kernel", "dense/bias"), ("softmax/weights", "softmax/bias"))):
            layer.set_weights([weights[name] for name in names])
        np.testing.assert_allclose(outputs, model.predict(x), rtol=0, atol=2e-6)
        error = tf.reduce_mean(tf.keras.losses.mae(tf.constant(y), model.output))
        theirs = tf.gradients(error, [part for layer in [*recurrent, *dense] for part in layer.weights])
        expected_loss, expected = session.run([error, theirs], {model.input: x})
    assert loss == pytest.approx(expected_loss, rel=1e-6)
    # One kernel here is two of Keras; a forget bias that is added has the bias's own gradient.
    for layer, (units, _) in enumerate(LSTMS):
        kernel = np.concatenate(expected[3 * layer : 3 * layer + 2])
        order = np.concatenate([np.split(np.arange(4 * units), 4)[gate] for gate in (0, 2, 1, 3)])
        close(gradients[f"lstm/fw/{layer}/kernel"], kernel[:, order])
        close(gradients[f"lstm/fw/{layer}/bias"], expected[3 * layer + 2][order])
    for name, array in zip(("dense/kernel", "dense/bias", "softmax/weights", "softmax/bias"), expected[15:]):
        close(gradients[name], array)


def close(found: np.ndarray, expected: np.ndarray) -> None:
    assert np.abs(expected).max() > 1e-7
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("place", ["dense-outputs", "outputs"])
def test_dropout_is_behind_the_activation_of_each_dense_layer(place: str):
    head = Regression(40, dense=40, dense_activation="sigmoid", activation="linear")
    experiment = Experiment(
        Arrays("none.npz"),
        Rows(3),
        Recurrent(BasicLSTM(5), read="steps"),
        head,
        Adam(),
        Epochs(1, batch_size=2),
        dropout=Dropout(0.5, (place,)),
    )
    graph = build(experiment, training=False)
    x = np.random.RandomState(1).normal(size=(4, 2, 3)).astype(np.float32)
    with tf.compat.v1.Session(graph=graph.graph) as session:
        session.run(graph.initializer)
        passed = {"softmax/weights": np.eye(40), "softmax/bias": np.zeros(40)}
        load_variables(((graph.variables[name], value) for name, value in passed.items()), session)
        plain = session.run(graph.logits, {graph.inputs: x, graph.keep_prob: 1.0})
        dropped = session.run(graph.logits, {graph.inputs: x, graph.iteration: 7})
    gone = dropped == 0
    assert 0.4 < gone.mean() < 0.6
    np.testing.assert_allclose(dropped[~gone], 2 * plain[~gone], rtol=1e-6)


@pytest.mark.parametrize(
    ("head", "place", "reason"),
    [
        (Softmax(3), "outputs", "expected it only with a regression"),
        (Regression(3), "dense-outputs", "expected it only with a dense layer"),
    ],
)
def test_dropout_behind_no_layer_is_refused(head: Any, place: str, reason: str):
    parts = (Arrays("none.npz"), Rows(3), Recurrent(BasicLSTM(5)), head, Adam(), Epochs(1, batch_size=2))
    with pytest.raises(InputError, match=reason):
        Experiment(*parts, dropout=Dropout(0.5, (place,)))


@pytest.mark.thorough
def test_it_is_trained_restored_evaluated_and_verified(tmp_path: Path, monkeypatch: Any, capsys: Any):
    monkeypatch.chdir(tmp_path)
    random = np.random.RandomState(1)
    x = random.normal(size=(40, 2, 3)).astype(np.float32)
    np.savez("mine.npz", x=x, y=np.tanh(x @ random.normal(size=(3, 256))).astype(np.float32))
    Path("mine.py").write_text(MINE)
    assert main(["recipes", "mine.py", "--json"]) == 0
    layers = json.loads(capsys.readouterr().out)["layers"]
    assert [(layer["output"], layer["parameters"]) for layer in layers] == [
        ([2, units], count) for units, count in [*LSTMS, *DENSE]
    ]
    assert main(["recipes", "mine.py"]) == 0
    assert "987,136" in capsys.readouterr().out
    for words in (
        ["train", "mine.py", "--run", "R", "--set", "epochs=1"],
        ["verify", "R"],
        ["inspect", "R"],
        ["evaluate", "mine.py", "--checkpoint", "R"],
    ):
        capsys.readouterr()
        assert main(words) == 0, capsys.readouterr().err
    assert "mean absolute error" in capsys.readouterr().out
    exec(documented("## A state that is given"), {})
    shapes, difference = capsys.readouterr().out.splitlines()
    assert shapes == "(4, 2, 256) (4, 2, 256) [(4, 64), (4, 64), (4, 64), (4, 64)]"
    assert float(difference) < 1e-6
