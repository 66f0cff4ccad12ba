"""Stacked layers whose units differ: against Keras's layers, the fast engine, and finite differences."""

import json
from pathlib import Path
from typing import Any, Dict, Tuple

import numpy as np
import pytest

from tests.experiments import AnyData
from tests.graphs import keras_layers
from tf1_lstm.cli import main
from tf1_lstm.core.cells import GRU, BasicLSTM, BasicRNN, Cell, ResetAfterGRU
from tf1_lstm.core.tensorflow import load_variables, tf
from tf1_lstm.errors import InputError
from tf1_lstm.graphs.build import Graph, build
from tf1_lstm.graphs.engine.library import choose
from tf1_lstm.recipes.experiment import (
    Adam,
    Bidirectional,
    Dropout,
    Experiment,
    Keras,
    Recurrent,
    Rows,
    Softmax,
    Steps,
    WrapperDropout,
)
from tf1_lstm.runs.gradients import gradient_norms
from tf1_lstm.runs.record import record_states

WIDTHS = (5, 3, 7)
JOINED = Bidirectional(joined_layers=True)
THOROUGH = pytest.mark.thorough
X = np.random.RandomState(1).normal(size=(4, 6, 2)).astype(np.float32)


def stacked(cell: Cell, dropout: Any = None, **changes: Any) -> Experiment:
    layers: Dict[str, Any] = {"layers": len(WIDTHS), "widths": WIDTHS, **changes}
    return Experiment(
        AnyData(6),
        Rows(2),
        Recurrent(cell, **layers),
        Softmax(3),
        Adam(),
        Steps(1, batch_size=4),
        dropout=dropout,
    )


def drawn(graph: Graph) -> Dict[str, np.ndarray]:
    random = np.random.RandomState(2)
    return {
        name: random.normal(scale=0.4, size=variable.shape.as_list()).astype(np.float32)
        for name, variable in graph.variables.items()
    }


def outputs(experiment: Experiment, **options: Any) -> Tuple[Dict[str, np.ndarray], Any]:
    """The weights, drawn, and what the last layer gives at every step with its gradients."""
    graph = build(experiment, **options)
    with graph.graph.as_default(), tf.compat.v1.Session() as session:
        gradients = tf.gradients(graph.loss, list(graph.variables.values()))
        session.run(graph.initializer)
        weights = drawn(graph)
        load_variables(((graph.variables[name], value) for name, value in weights.items()), session)
        labels = np.eye(3, dtype=np.float32)[[0, 1, 2, 0]]
        feeds = {graph.inputs: X, graph.labels: labels, graph.iteration: 3}
        return weights, session.run([graph.outputs, graph.logits, gradients], feeds)


@pytest.mark.parametrize(
    ("cell", "both"),
    [
        (ResetAfterGRU(5), None),
        pytest.param(BasicLSTM(5), JOINED, marks=THOROUGH),
        pytest.param(BasicLSTM(5), None, marks=THOROUGH),
        pytest.param(ResetAfterGRU(5), JOINED, marks=THOROUGH),
        *(
            pytest.param(cell, both, marks=THOROUGH)
            for cell in (BasicRNN(5), GRU(5))
            for both in (None, JOINED)
        ),
    ],
    ids=str,
)
def test_layers_of_several_widths_are_keras_layers(cell: Cell, both: Any):
    experiment = stacked(cell, bidirectional=both)
    weights, (found, *_) = outputs(experiment)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.compat.v1.keras.backend.set_session(session)
        layers = keras_layers.made(experiment)
        values = tf.keras.Input(X.shape[1:])
        read = values
        for layer in layers:
            read = layer(read)[0]
        keras_layers.fill(experiment, layers, weights)
        expected = tf.keras.Model(values, read).predict(X)
    found = found if both is None else np.concatenate(found, axis=2)
    assert found.shape == (4, 6, WIDTHS[-1] * (1 if both is None else 2))
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6)


@pytest.mark.parametrize(
    ("dropout", "more"),
    [
        (None, {}),
        pytest.param(WrapperDropout(0.6), {"bidirectional": Bidirectional()}, marks=THOROUGH),
        pytest.param(Dropout(0.6, ("inputs", "layers")), {"bidirectional": JOINED}, marks=THOROUGH),
    ],
    ids=["plain", "stacks", "joined"],
)
def test_the_fast_engine_gives_the_same_numbers(dropout: Any, more: Dict[str, Any]):
    try:
        engine = choose(1)
    except InputError as problem:
        pytest.skip(str(problem))
    experiment = stacked(BasicLSTM(5), dropout, **more)
    _, (_, exact_logits, exact) = outputs(experiment)
    _, (_, fast_logits, fast) = outputs(experiment, engine=engine)
    np.testing.assert_allclose(fast_logits, exact_logits, rtol=0, atol=1e-5)
    for one, other in zip(fast, exact):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)


def test_each_layer_begins_at_keras_first_values_of_its_own_width():
    import dataclasses

    experiment = dataclasses.replace(stacked(GRU(5)), initial_values=Keras())
    graph = build(experiment, training=False)
    with tf.compat.v1.Session(graph=graph.graph) as session:
        session.run(graph.initializer)
        weights = session.run(graph.variables)
    for layer, units in enumerate(WIDTHS):
        rows = weights[f"gru/fw/{layer}/gates/kernel"][-units:]
        np.testing.assert_allclose(rows @ rows.T, np.eye(units), atol=1e-5)


@pytest.mark.parametrize(
    "both", [None, *(pytest.param(both, marks=THOROUGH) for both in (Bidirectional(), JOINED))], ids=str
)
def test_recorded_states_of_each_layer_have_its_width(both: Any):
    experiment = stacked(BasicLSTM(5), bidirectional=both)
    weights, (found, *_) = outputs(experiment)
    states = record_states(experiment, weights, X)
    ways = ("fw",) if both is None else ("fw", "bw")
    assert {name: array.shape for name, array in states.items()} == {
        f"{way}/{layer}/{part}": (4, 6, units)
        for way in ways
        for layer, units in enumerate(WIDTHS)
        for part in ("c", "h")
    }
    last = found if both is None else found[0]
    np.testing.assert_allclose(states["fw/2/h"], last, atol=1e-6)


def test_gradients_are_measured_in_each_layer():
    experiment = stacked(BasicLSTM(5))
    weights, _ = outputs(experiment)
    norms = gradient_norms(experiment, weights, X, np.array([0, 1, 2, 0]), {})
    assert [one.layer for one in norms] == [0, 1, 2]
    # A unit's own derivative by itself is 1, so the last step's norm is the root of the units.
    assert [one.last_state[-1] for one in norms] == pytest.approx(np.sqrt(WIDTHS), rel=1e-5)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"widths": (5, 3)}, "found 5, 3 with layers=3, expected a width for each layer"),
        ({"widths": (4, 3, 2)}, "found 4, 3, 2, expected 5 first (recurrent.cell.units)"),
        ({"widths": (5, 0, 2)}, "setting widths: found 0, expected 1 or more"),
        ({"widths": (5, 2.5, 2)}, "expected numbers with commas between"),
        ({"shared_cell": True}, "found true with the widths 5, 3, 7, expected false"),
    ],
)
def test_widths_that_make_no_stack_are_refused(changes: Dict[str, Any], reason: str):
    with pytest.raises(InputError) as refused:
        stacked(BasicLSTM(5), **changes)
    assert reason in str(refused.value)


def test_widths_are_typed_with_commas_and_leave_other_documents_as_they_were():
    one = stacked(BasicLSTM(5), widths=())
    assert "widths" not in one.document()["recurrent"]
    changed = one.with_settings({"recurrent.widths": "5,3,7"})
    assert changed == stacked(BasicLSTM(5))
    assert changed.document()["recurrent"]["widths"] == [5, 3, 7]
    assert one.from_document(json.loads(json.dumps(changed.document()))) == changed
    with pytest.raises(InputError, match="expected whole numbers"):
        one.with_settings({"widths": "5,3.5,7"})


MINE = """
from tf1_lstm.recipes import *
EXPERIMENT = Experiment(
    data=Arrays(file="mine.npz"),
    inputs=Rows(2),
    recurrent=Recurrent(cell=BasicLSTM(units=8), layers=2, widths=(8, 4)),
    head=Softmax(),
    optimizer=Adam(),
    schedule=Epochs(epochs=2, batch_size=8),
)
"""


def test_a_run_is_trained_resumed_verified_evaluated_and_asked(tmp_path: Path, monkeypatch: Any, capsys: Any):
    monkeypatch.chdir(tmp_path)
    x = np.random.RandomState(4).normal(size=(40, 6, 2)).astype(np.float32)
    np.savez("mine.npz", x=x, y=(x[:, :, 0].sum(1) > 0).astype(np.int64))
    np.save("x.npy", x)
    Path("mine.py").write_text(MINE)
    for words in (
        ["train", "mine.py", "--run", "R"],
        ["resume", "R"],
        ["verify", "R"],
        ["evaluate", "mine.py", "--checkpoint", "R"],
        ["predict", "mine.py", "--checkpoint", "R", "--file", "x.npy"],
        ["inspect", "R"],
    ):
        capsys.readouterr()
        assert main(words) == 0, capsys.readouterr().err
    assert "2 layers, one direction, basic_lstm, inputs 2, units 8, 4, classes 2" in capsys.readouterr().out
    # A checkpoint of other widths is refused by the variables that differ.
    assert main(["evaluate", "mine.py", "--checkpoint", "R", "--set", "widths=8,5"]) == 2
    assert main(["export", "mine.py", "--checkpoint", "R", "--to", "bundle", "--out", "b.npz"]) == 0
