"""The graph is the published one: names, shapes, arithmetic and what every op is for."""

from typing import Any, Set

import numpy as np
import pytest

from tests.experiments import CELLS, experiment
from tests.tiers import representative
from tf1_lstm.graphs.build import Graph, build, op_seeds
from tf1_lstm.graphs.dropout import PlacedDropout, StepMasks
from tf1_lstm.graphs.quiet import tf
from tf1_lstm.recipes import all_recipes, find_recipe

VECTORS = np.random.RandomState(0).randn(40, 50).astype(np.float32)


def imdb_graph(**settings: object) -> Graph:
    recipe = find_recipe("imdb-lstm").with_settings({"steps": 6, **settings})
    return build(recipe, {"word_vectors": VECTORS.shape})


def initialised(graph: Graph) -> "tf.compat.v1.Session":
    session = tf.compat.v1.Session(graph=graph.graph)
    session.run(graph.initializer, dict.fromkeys(graph.constant_feeds.values(), VECTORS))
    return session


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def numpy_lstm(sequence: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """The last output of a BasicLSTMCell, gates i, j, f, o, forget bias 1, in float64."""
    units = len(bias) // 4
    h = c = np.zeros((len(sequence), units))
    for step in range(sequence.shape[1]):
        i, j, f, o = np.split(np.concatenate([sequence[:, step], h], 1) @ kernel + bias, 4, axis=1)
        c = c * sigmoid(f + 1.0) + sigmoid(i) * np.tanh(j)
        h = np.tanh(c) * sigmoid(o)
    return h


def test_imdb_graph_has_the_published_variables_and_no_dead_one():
    graph = imdb_graph()
    found = {role: (v.op.name, tuple(v.shape.as_list())) for role, v in graph.variables.items()}
    assert found == {
        "lstm/fw/0/kernel": ("rnn/basic_lstm_cell/kernel", (114, 256)),
        "lstm/fw/0/bias": ("rnn/basic_lstm_cell/bias", (256,)),
        "softmax/weights": ("softmax/weights", (64, 2)),
        "softmax/bias": ("softmax/bias", (2,)),
    }
    with graph.graph.as_default():
        saved = {v.op.name for v in tf.compat.v1.global_variables()}
    slots = {f"{name}/{slot}" for name, _ in found.values() for slot in ("Adam", "Adam_1")}
    assert saved == {name for name, _ in found.values()} | slots | {"beta1_power", "beta2_power"}


def test_logits_equal_a_numpy_lstm():
    graph = imdb_graph()
    ids = np.random.RandomState(1).randint(0, 40, (5, 6)).astype(np.int32)
    with initialised(graph) as session:
        logits, arrays = session.run(
            [graph.logits, graph.variables], {graph.inputs: ids, graph.keep_prob: 1.0}
        )
    last = numpy_lstm(VECTORS[ids], arrays["lstm/fw/0/kernel"], arrays["lstm/fw/0/bias"])
    expected = last @ arrays["softmax/weights"] + arrays["softmax/bias"]
    assert np.abs(logits - expected).max() < 1e-5


def test_loss_and_accuracy_equal_numpy():
    graph = imdb_graph()
    random = np.random.RandomState(2)
    ids = random.randint(0, 40, (7, 6)).astype(np.int32)
    classes = random.randint(0, 2, 7)
    with initialised(graph) as session:
        feeds = {graph.inputs: ids, graph.labels: np.eye(2)[classes], graph.keep_prob: 1.0}
        logits, loss, accuracy = session.run([graph.logits, graph.loss, graph.accuracy], feeds)
    wide = logits.astype(np.float64)
    expected = np.mean(np.log(np.exp(wide).sum(1)) - wide[np.arange(7), classes])
    assert abs(loss - expected) < 1e-6
    assert accuracy == pytest.approx((logits.argmax(1) == classes).mean())


def test_first_values_have_the_published_distributions():
    graph = imdb_graph()
    with initialised(graph) as session:
        arrays = session.run(graph.variables)
    limit = np.sqrt(6 / (114 + 256))  # Glorot's uniform distribution
    kernel = arrays["lstm/fw/0/kernel"]
    assert np.abs(kernel).max() <= limit
    assert kernel.std() == pytest.approx(limit / np.sqrt(3), rel=0.02)
    assert not arrays["lstm/fw/0/bias"].any()
    assert np.abs(arrays["softmax/weights"]).max() <= 2  # truncated at two standard deviations
    assert (arrays["softmax/bias"] == np.float32(0.1)).all()


def test_word_vectors_are_neither_a_constant_of_the_graph_nor_saved():
    graph = build(find_recipe("imdb-lstm"), {"word_vectors": (400_000, 50)})
    assert len(graph.graph.as_graph_def().SerializeToString()) < 1 << 20
    with graph.graph.as_default():
        assert "word_vectors" not in {v.op.name for v in tf.compat.v1.global_variables()}


def test_batch_dimension_may_be_anything():
    graph = imdb_graph()
    with initialised(graph) as session:
        for size in (1, 24, 3):
            logits = session.run(graph.logits, {graph.inputs: np.zeros((size, 6), np.int32)})
            assert logits.shape == (size, 2)


def test_seeds_give_first_values_that_do_not_depend_on_what_else_was_built():
    def first(seed: int) -> dict:
        recipe = find_recipe("imdb-lstm").with_settings({"steps": 6})
        graph = build(recipe, {"word_vectors": (40, 50)}, seed=seed)
        with initialised(graph) as session:
            return session.run(graph.variables)

    before = first(3)
    with tf.Graph().as_default():
        tf.random.normal([2])
    again, other = first(3), first(4)
    for role, array in before.items():
        assert array.tobytes() == again[role].tobytes()
    assert before["lstm/fw/0/kernel"].tobytes() != other["lstm/fw/0/kernel"].tobytes()


# One of each: frozen vectors, Keras's and PyTorch's parts, rows in both directions.
UNLIKE = ("imdb-lstm", "imdb-gru32", "imdb-bilstm2", "mnist-bilstm")


@pytest.mark.parametrize("name", representative(all_recipes(), *UNLIKE))
def test_every_random_op_has_the_recorded_seed(name: str):
    """An op without a seed takes the number of ops before it, which any new op changes."""
    recipe = all_recipes()[name]
    graph = build(recipe, {"word_vectors": (40, 50)}, seed=9)
    recorded = op_seeds(recipe, graph, 9)
    drawing = [
        op
        for op in graph.graph.get_operations()
        if op.type in ("RandomUniform", "TruncatedNormal", "RandomStandardNormal")
    ]
    assert drawing
    for op in drawing:
        assert op.get_attr("seed") == recorded["graph"]
        name = op.name.split("/Initializer")[0]
        assert op.get_attr("seed2") in (recorded[name], recorded.get(f"{name}/recurrent"))
    seeds = [op.get_attr("seed2") for op in drawing]
    assert len(set(seeds)) == len(seeds)


def test_directions_and_layers_start_at_different_values():
    graph = build(
        experiment(steps=3, input_size=8, units=8, layers=2, bidirectional=True, readout="both-states")
    )
    with initialised(graph) as session:
        arrays = session.run(graph.variables)
    kernels = [array.tobytes() for role, array in arrays.items() if role.endswith("kernel")]
    assert len(set(kernels)) == len(kernels) == 4


def test_published_bidirectional_model_trains_its_backward_direction_only():
    graph = build(find_recipe("mnist-bilstm"))
    without = {role for role in graph.variables if role not in graph.slots["Adam"]}
    assert without == {"lstm/fw/0/kernel", "lstm/fw/0/bias"}
    corrected = build(find_recipe("mnist-bilstm").with_settings({"readout": "both-states"}))
    assert set(corrected.slots["Adam"]) == set(corrected.variables)


def reachable(graph: Graph) -> set:
    """Every op that some output, the training step or the initialiser depends on."""
    outputs = [graph.logits, graph.probabilities, graph.loss, graph.accuracy, graph.outputs, graph.states]
    pending = [t.op for t in tf.nest.flatten(outputs)] + [graph.train_op, graph.initializer]
    seen: set = set()
    while pending:
        op = pending.pop()
        if op not in seen:
            seen.add(op)
            pending += [tensor.op for tensor in op.inputs] + list(op.control_inputs)
    return seen


def unread(graph: Graph) -> Set[str]:
    """The placeholders that nothing reads."""
    placeholders = {op.name for op in graph.graph.get_operations() if op.type.startswith("Placeholder")}
    return placeholders - {op.name for op in reachable(graph)}


@pytest.mark.parametrize("name", representative(all_recipes(), *UNLIKE))
def test_every_variable_and_placeholder_is_read(name: str):
    """The test that would have found the tutorial's dead variable."""
    recipe = all_recipes()[name]
    graph = build(recipe, {"word_vectors": (40, 50)})
    forward = set(reachable(graph._replace(initializer=graph.train_op)))
    for variable in graph.variables.values():
        assert variable.op in forward
    assert unread(graph) == ({"keep_prob", "iteration"} if recipe.dropout is None else set())


def _cut_off(*arguments: Any, **named: Any) -> Any:
    """In place of a method that drops: gives the values that it was given."""
    return arguments[1]


@pytest.mark.parametrize(
    "name",
    representative(
        [name for name, recipe in all_recipes().items() if recipe.dropout], "imdb-lstm", "imdb-lstmcell2"
    ),
)
def test_a_dropout_that_is_cut_off_is_found(name: str, monkeypatch: pytest.MonkeyPatch):
    """What the test above looks for, where it is wrong."""
    monkeypatch.setattr(PlacedDropout, "__call__", _cut_off)
    monkeypatch.setattr(StepMasks, "_dropped", _cut_off)
    graph = build(all_recipes()[name], {"word_vectors": (40, 50)})
    assert unread(graph) == {"keep_prob", "iteration"}


@pytest.mark.parametrize("cell", representative(CELLS, "basic_lstm", "gru"))
@pytest.mark.parametrize("layers", [pytest.param(1, marks=pytest.mark.thorough), 2])
def test_shapes_are_those_that_the_checkpoint_door_expects(cell: str, layers: int):
    from tf1_lstm.checkpoints.canonical import expected_shapes

    recipe = find_recipe("mnist-lstm").with_settings({"cell": cell, "layers": layers, "units": 6})
    graph = build(recipe)
    found = {role: tuple(v.shape.as_list()) for role, v in graph.variables.items()}
    assert found == expected_shapes(recipe)
