"""The IMDB recipes of seeds 000 and 004 in Keras 3, in the form in which each was published.

The published models end with a sigmoid. These end with the number before it, one logit for each
review, since logits are what is compared; Keras 2 took the cross-entropy from that number too (it
looked behind the sigmoid).
"""

from typing import Any, List, Mapping, Optional, Tuple

import keras
import numpy as np
from keras import layers, ops

from tf1_lstm.parity.bundle import Bundle
from tf1_lstm.parity.layouts import to_keras
from tf1_lstm.parity.ports.keras_optimizers import PublishedRMSprop
from tf1_lstm.parity.watch import DENSE_ROLES

Settings = Mapping[str, Any]
LAYERS = {"basic_rnn": layers.SimpleRNN, "basic_lstm": layers.LSTM, "gru_reset_after": layers.GRU}
CELLS = {"basic_rnn": layers.SimpleRNNCell, "basic_lstm": layers.LSTMCell, "gru_reset_after": layers.GRUCell}


def make_embedding(settings: Settings, table: Optional[np.ndarray]) -> layers.Embedding:
    """Return a trained embedding; or a frozen one with ``table``, ``[words, dimensions]``."""
    if table is None:
        return layers.Embedding(settings["vocabulary"], settings["input_size"])
    embedding = layers.Embedding(*table.shape, trainable=False)
    embedding.build()
    embedding.set_weights([table])
    return embedding


class TwoLayerModel(keras.Model):
    """What the two-layer models of 2021 share: word ids ``[batch, steps]`` to logits ``[batch, 1]``.

    Args:
      settings: the recipe's.
      table: the frozen word vectors, or None where the embedding is trained.
    """

    def __init__(self, settings: Settings, table: Optional[np.ndarray] = None) -> None:
        super().__init__()
        rate = 1 - settings["keep_prob"]
        self.embedding = make_embedding(settings, table)
        self.recurrent = self.make_recurrent(settings, rate)
        self.head = keras.Sequential(
            [
                layers.Dense(settings["dense_units"]),
                layers.Dropout(rate),
                layers.ReLU(),
                layers.Dense(1),
            ]
        )

    def make_recurrent(self, settings: Settings, rate: float) -> Any:
        """Return the recurrent cells or layers, in order; ``rate`` is dropped of what each reads."""
        raise NotImplementedError


class CellLoop(TwoLayerModel):
    """Cells run by a Python loop over the steps."""

    def make_recurrent(self, settings: Settings, rate: float) -> List[layers.Layer]:
        """Return the cells."""
        cell = CELLS[settings["cell"]]
        return [cell(settings["units"], dropout=rate) for _ in range(settings["layers"])]

    def call(self, ids: Any, training: bool = False) -> Any:
        """Return the logits."""
        x = self.embedding(ids)  # [batch, steps, dimensions]
        states = []
        for cell in self.recurrent:
            cell.reset_dropout_mask()  # One mask for all steps, another for each batch.
            states.append(cell.get_initial_state(ops.shape(ids)[0]))
        for word in ops.unstack(x, axis=1):
            output = word
            for place, cell in enumerate(self.recurrent):
                output, states[place] = cell(output, states[place], training=training)
        return self.head(output, training=training)


class LayerStack(TwoLayerModel):
    """Recurrent layers, each on all outputs of the one below.

    In TensorFlow 2.5 the layers' ``dropout=`` draws a mask for each step, in Keras 3 one for all steps. So
    it is a ``Dropout`` of the whole sequence in front of each layer here.
    """

    def make_recurrent(self, settings: Settings, rate: float) -> keras.Sequential:
        """Return the layers."""
        layer, count = LAYERS[settings["cell"]], settings["layers"]
        stack = keras.Sequential()
        for place in range(count):
            stack.add(layers.Dropout(rate))
            stack.add(layer(settings["units"], return_sequences=place < count - 1))
        return stack

    def call(self, ids: Any, training: bool = False) -> Any:
        """Return the logits."""
        x = self.recurrent(self.embedding(ids), training=training)  # [batch, units]
        return self.head(x, training=training)


def one_layer(settings: Settings, table: Optional[np.ndarray] = None) -> keras.Sequential:
    """Return the one-layer model of the notes after Chollet: ids ``[batch, steps]`` to logits ``[batch, 1]``."""
    recurrent = LAYERS[settings["cell"]](settings["units"])
    return keras.Sequential([make_embedding(settings, table), recurrent, layers.Dense(1)])


MODELS = {
    "imdb-lstmcell2": CellLoop,
    "imdb-grucell2": CellLoop,
    "imdb-gru2": LayerStack,
    "imdb-lstm2-glove": LayerStack,
    "imdb-simplernn32": one_layer,
    "imdb-lstm32": one_layer,
    "imdb-gru32": one_layer,
}


def untrained(recipe: str, settings: Settings, table: Optional[np.ndarray] = None) -> keras.Model:
    """Return a recipe's model with Keras's own initial values.

    Args:
      recipe: a key of ``MODELS``.
      settings: the recipe's.
      table: the frozen word vectors, or None where the embedding is trained.
    """
    model = MODELS[recipe](settings, table)
    model(np.zeros((1, settings["steps"]), np.int32))  # Makes the weights.
    return model


def load_weights(model: keras.Model, bundle: Bundle) -> None:
    """Give a model of ``untrained`` the weights of a bundle of its recipe."""
    embedding, recurrent, dense = _parts(model)
    if bundle.spec.trains_embedding:
        embedding.set_weights([bundle.weights["embedding"]])
    for number, layer in enumerate(recurrent):
        layer.set_weights(to_keras(bundle.spec.cell, bundle.spec.parts(bundle.weights, "fw", number)))
    for layer, name in zip(reversed(dense), ("softmax", "dense")):
        layer.set_weights([bundle.weights[role] for role in DENSE_ROLES[name]])


def _parts(model: keras.Model) -> Tuple[layers.Layer, List[layers.Layer], List[layers.Layer]]:
    """Return the embedding, the recurrent layers or cells, and the dense layers, in order."""
    if not isinstance(model, TwoLayerModel):
        embedding, recurrent, dense = model.layers
        return embedding, [recurrent], [dense]
    recurrent = model.recurrent
    found = recurrent.layers if isinstance(recurrent, keras.Sequential) else recurrent
    stack = [layer for layer in found if not isinstance(layer, layers.Dropout)]
    return model.embedding, stack, [model.head.layers[0], model.head.layers[-1]]


def _loaded(recipe: str, bundle: Bundle) -> keras.Model:
    """Return a recipe's model, compiled as published, with the weights of a bundle."""
    table = None if bundle.vectors is None else bundle.vectors.table()
    model = untrained(recipe, bundle.settings, table)
    load_weights(model, bundle)
    model.compile(
        PublishedRMSprop(bundle.settings["learning_rate"]), keras.losses.BinaryCrossentropy(from_logits=True)
    )
    return model


def imdb_lstmcell2(bundle: Bundle) -> keras.Model:
    """Two ``LSTMCell`` in a loop over the steps."""
    return _loaded("imdb-lstmcell2", bundle)


def imdb_grucell2(bundle: Bundle) -> keras.Model:
    """Two ``GRUCell`` in a loop over the steps."""
    return _loaded("imdb-grucell2", bundle)


def imdb_gru2(bundle: Bundle) -> keras.Model:
    """Two ``GRU`` layers."""
    return _loaded("imdb-gru2", bundle)


def imdb_lstm2_glove(bundle: Bundle) -> keras.Model:
    """Two ``LSTM`` layers over frozen word vectors."""
    return _loaded("imdb-lstm2-glove", bundle)


def imdb_simplernn32(bundle: Bundle) -> keras.Model:
    """One ``SimpleRNN``."""
    return _loaded("imdb-simplernn32", bundle)


def imdb_lstm32(bundle: Bundle) -> keras.Model:
    """One ``LSTM``."""
    return _loaded("imdb-lstm32", bundle)


def imdb_gru32(bundle: Bundle) -> keras.Model:
    """One ``GRU``, which resets after the recurrent product as Keras's does."""
    return _loaded("imdb-gru32", bundle)
