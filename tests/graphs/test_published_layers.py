"""The graphs of the Keras and PyTorch experiments, against TensorFlow 1.15's own Keras layers."""

from typing import Any, Dict, Tuple

import numpy as np
import pytest

from tests.tiers import representative
from tf1_lstm.core.cells import cell_name
from tf1_lstm.core.tensorflow import load_variables, tf
from tf1_lstm.graphs.build import Graph, build
from tf1_lstm.parity.cells import ReferenceCell
from tf1_lstm.parity.layouts import to_keras
from tf1_lstm.recipes import all_recipes, find_recipe
from tf1_lstm.recipes.experiment import Dropout, Embedding, Experiment, Keras

VECTORS = (30, 6)
KERAS = [name for name, recipe in all_recipes().items() if isinstance(recipe.initial_values, Keras)]
PUBLISHED = [*KERAS, "imdb-bilstm2"]


def places(recipe: Experiment) -> Tuple[str, ...]:
    return recipe.dropout.at if isinstance(recipe.dropout, Dropout) else ()


def _small(name: str, **changes: Any) -> Experiment:
    recipe = find_recipe(name)
    sizes: Dict[str, Any] = {"steps": 7, "units": 5, "vocabulary": 30}
    if isinstance(recipe.inputs, Embedding):
        sizes["input_size"] = 6
    if recipe.head.dense:
        sizes["dense_units"] = 4
    return recipe.with_settings({**sizes, **changes})


def _open(recipe: Experiment, seed: int = 1, exact: bool = True) -> Tuple[Graph, Any]:
    constants: Dict[str, Tuple[int, ...]] = {"word_vectors": VECTORS}
    graph = build(recipe, constants, seed=seed, training=False, exact=exact)
    session = tf.compat.v1.Session(graph=graph.graph)
    vectors = np.random.Generator(np.random.Philox(5)).normal(size=VECTORS)
    session.run(graph.initializer, dict.fromkeys(graph.constant_feeds.values(), vectors))
    return graph, session


def _ids(batch: int = 4, steps: int = 7) -> np.ndarray:
    return np.random.Generator(np.random.Philox(6)).integers(0, 30, size=(batch, steps)).astype(np.int32)


def _keras_layers(recipe: Experiment, values: Dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """Probabilities [batch] of tf.keras layers (TensorFlow 1.15) with the graph's weights."""
    recurrent, dense_units = recipe.recurrent, recipe.head.dense
    name, units = cell_name(recurrent.cell), recurrent.cell.units
    kinds = {
        "basic_rnn": tf.keras.layers.SimpleRNN,
        "basic_lstm": tf.keras.layers.LSTM,
        "gru_reset_after": tf.keras.layers.GRU,
    }
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.compat.v1.keras.backend.set_session(session)
        sequence = tf.keras.Input(x.shape[1:])
        found = sequence
        layers = []
        for layer in range(recurrent.layers):
            more: Dict[str, Any] = {} if name == "basic_rnn" else {"recurrent_activation": "sigmoid"}
            if name == "gru_reset_after":
                more["reset_after"] = True
            made = kinds[name](units, return_sequences=layer + 1 < recurrent.layers, **more)
            found = made(found)
            layers.append(made)
        if dense_units:
            dense = tf.keras.layers.Dense(dense_units, activation="relu")
            found = dense(found)
        last = tf.keras.layers.Dense(1, activation="sigmoid")
        model = tf.keras.Model(sequence, last(found))
        for number, made in enumerate(layers):
            kind = {"basic_rnn": "rnn", "basic_lstm": "lstm"}.get(name, "gru")
            prefix = f"{kind}/fw/{number}/"
            parts = {role[len(prefix) :]: array for role, array in values.items() if role.startswith(prefix)}
            if name == "gru_reset_after":
                made.set_weights([parts["kernel"], parts["recurrent_kernel"], parts["bias"]])
            else:
                made.set_weights(to_keras(ReferenceCell(name, units), parts))
        if dense_units:
            dense.set_weights([values["dense/kernel"], values["dense/bias"]])
        last.set_weights([values["softmax/weights"], values["softmax/bias"]])
        return model.predict(x)[:, 0]


@pytest.mark.parametrize("name", representative(KERAS, "imdb-simplernn32", "imdb-lstmcell2", "imdb-gru2"))
def test_the_graph_computes_what_keras_layers_do(name: str):
    recipe = _small(name)
    graph, session = _open(recipe)
    with session:
        generator = np.random.Generator(np.random.Philox(8))
        variables = graph.variables.values()
        drawn = [generator.normal(scale=0.5, size=variable.shape.as_list()) for variable in variables]
        load_variables(zip(variables, drawn), session)
        values = session.run(graph.variables)
        ids = _ids()
        table = values["embedding"] if "embedding" in values else session.run(graph.constants["word_vectors"])
        found = session.run(graph.probabilities, {graph.inputs: ids, graph.keep_prob: 1.0})
    np.testing.assert_allclose(found[:, 1], _keras_layers(recipe, values, table[ids]), atol=1e-6)


@pytest.mark.parametrize("name", representative(PUBLISHED, "imdb-lstm32", "imdb-bilstm2"))
def test_loss_and_accuracy_are_the_binary_ones(name: str):
    graph, session = _open(_small(name))
    with session:
        labels = np.eye(2, dtype=np.float32)[[0, 1, 1, 0]]
        feeds = {graph.inputs: _ids(), graph.labels: labels, graph.keep_prob: 1.0}
        loss, accuracy, logits = session.run((graph.loss, graph.accuracy, graph.logits), feeds)
    z = logits[:, 1].astype(np.float64)
    p = 1 / (1 + np.exp(-z))
    assert (logits[:, 0] == 0).all()
    assert loss == pytest.approx(-np.log(np.where(labels[:, 1] == 1, p, 1 - p)).mean(), rel=1e-5)
    assert accuracy == ((p > 0.5) == labels[:, 1]).mean()


def test_first_values_are_those_of_keras():
    """Glorot's limit of the input rows alone, orthogonal rows for the state, biases of zero."""
    recipe = find_recipe("imdb-lstmcell2")
    graph, session = _open(recipe)
    with session:
        values = session.run(graph.variables)
    kernel = values["lstm/fw/0/kernel"]
    limit = np.sqrt(6 / (100 + 256))
    assert 0.99 * limit < np.abs(kernel[:100]).max() <= limit
    np.testing.assert_allclose(kernel[100:] @ kernel[100:].T, np.eye(64), atol=1e-5)
    assert (values["lstm/fw/0/bias"] == 0).all() and (values["dense/bias"] == 0).all()
    assert 0.0499 < np.abs(values["embedding"]).max() <= 0.05
    assert np.abs(values["dense/kernel"]).max() <= np.sqrt(6 / 128)


def test_first_values_are_those_of_pytorch():
    """Uniform within one over the root of the width; a bias is the sum of two such draws."""
    graph, session = _open(find_recipe("imdb-bilstm2").with_settings({"units": 64}))
    with session:
        values = session.run(graph.variables)
    limit = 1 / 8
    for direction in ("fw", "bw"):
        assert 0.99 * limit < np.abs(values[f"lstm/{direction}/1/kernel"]).max() <= limit
        assert limit < np.abs(values[f"lstm/{direction}/0/bias"]).max() <= 2 * limit
    assert np.abs(values["softmax/weights"]).max() <= 1 / np.sqrt(128)
    vectors = np.random.Generator(np.random.Philox(5)).normal(size=VECTORS).astype(np.float32)
    np.testing.assert_array_equal(values["embedding"], vectors)


def _mask_of(place: str, name: str) -> np.ndarray:
    """Zeros of the first layer's inputs with dropout at one place, of ids that are all alike."""
    recipe = _small(name, dropout_at=place)
    graph, session = _open(recipe)
    with session, graph.graph.as_default():
        op = next(op for op in graph.graph.get_operations() if op.type == "StatelessRandomUniform")
        noise = op.outputs[0]
        return session.run(noise, {graph.inputs: _ids(), graph.iteration: 3})


@pytest.mark.parametrize("name", ["imdb-gru2", "imdb-lstm2-glove"])
def test_layers_of_tensorflow_2_5_draw_a_mask_for_each_step(name: str):
    """Measured in TensorFlow 2.5, the release of the document's day; Keras 3 draws one for all steps."""
    assert find_recipe(name).dropout == Dropout(0.5, ("inputs-each-step", "dense"))
    noise = _mask_of("inputs-each-step", name)
    assert noise.shape == (4, 7, 6)
    assert len(np.unique(noise[0, :, 0])) == 7, "each step has a mask of its own"


@pytest.mark.parametrize("name", ["imdb-grucell2", "imdb-lstmcell2"])
def test_cells_draw_one_mask_for_all_steps_of_an_example(name: str):
    assert find_recipe(name).dropout == Dropout(0.5, ("inputs", "dense"))
    noise = _mask_of("inputs", name)
    assert noise.shape == (4, 1, 6)
    assert len(np.unique(noise[:, 0, 0])) == 4, "each example has a mask of its own"


def test_plain_dropout_draws_every_number_anew():
    assert _mask_of("embedding", "imdb-bilstm2").shape == (4, 7, 6)


DROPPING = [name for name in PUBLISHED if places(find_recipe(name))]


@pytest.mark.parametrize("name", representative(DROPPING, "imdb-lstmcell2"))
def test_dropout_is_a_function_of_seed_and_iteration_alone(name: str):
    recipe = _small(name)

    graph, first = _open(recipe)
    second = tf.compat.v1.Session(graph=graph.graph)

    def logits(session: Any, iteration: int, keep_prob: float = 0.5) -> bytes:
        feeds = {graph.inputs: _ids(), graph.iteration: iteration, graph.keep_prob: keep_prob}
        return session.run(graph.logits, feeds).tobytes()

    with first, second:
        both = [*graph.variables.values(), *graph.constants.values()]
        load_variables(zip(both, first.run(both)), second)
        assert logits(first, 5) != logits(first, 6)
        assert logits(first, 5) == logits(second, 5), "whatever the session did before"
        assert logits(first, 5, keep_prob=1.0) == logits(first, 6, keep_prob=1.0)


@pytest.mark.parametrize("name", representative(DROPPING, "imdb-gru2"))
def test_dropout_keeps_its_share_and_the_mean(name: str):
    """Half of the numbers are dropped and the rest doubled, wherever the recipe has it."""
    recipe = _small(name, units=40)
    graph, session = _open(recipe)
    with session:
        noises = [op.outputs[0] for op in graph.graph.get_operations() if op.type == "StatelessRandomUniform"]
        layers = recipe.recurrent.layers
        expected = {"inputs": layers, "inputs-each-step": layers, "layers": recipe.recurrent.layers - 1}
        assert len(noises) == sum(expected.get(place, 1) for place in places(recipe))
        shares = [
            (session.run(noise, {graph.inputs: _ids(50), graph.iteration: 1}) >= 0.5).mean()
            for noise in noises
        ]
    np.testing.assert_allclose(shares, 0.5, atol=0.06)


def test_not_exact_uses_tensorflows_own_dropout():
    graph, _ = _open(_small("imdb-gru2"), exact=False)
    kinds = {op.type for op in graph.graph.get_operations()}
    assert "StatelessRandomUniform" not in kinds and "RandomUniform" in kinds
    graph, session = _open(_small("imdb-gru2"), exact=False)
    with session:
        found = [session.run(graph.logits, {graph.inputs: _ids()}) for _ in range(2)]
    assert found[0].tobytes() != found[1].tobytes()


def test_a_batch_may_have_fewer_steps():
    graph, session = _open(_small("imdb-bilstm2"))
    with session:
        feeds = {graph.inputs: _ids(steps=3), graph.keep_prob: 1.0}
        assert session.run(graph.logits, feeds).shape == (4, 2)
