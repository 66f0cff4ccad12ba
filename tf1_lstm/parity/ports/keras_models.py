"""The recipes as Keras 3 functional models, with the weights of a bundle.

Each function builds the model as one would today and loads it in the last lines; ``keras_arrays``
does what a port must not forget: split the kernel, reorder the gates, add the forget bias.
"""

from typing import Any, Dict, List

import keras
import numpy as np

from tf1_lstm.parity.bundle import Bundle
from tf1_lstm.parity.layouts import KERAS_LAYERS, to_keras
from tf1_lstm.parity.ports.keras_cells import CoupledLSTMCell, PeepholeLSTMCell


def keras_arrays(bundle: Bundle, direction: str = "fw", layer: int = 0) -> List[np.ndarray]:
    """Return the weights of one recurrent layer, in the order of ``set_weights``."""
    spec = bundle.spec
    parts = spec.parts(bundle.weights, direction, layer)
    if spec.cell.name in KERAS_LAYERS:
        return to_keras(spec.cell, parts)
    return [parts[name] for name in spec.cell.shapes(1)]


def _load_softmax(model: keras.Model, bundle: Bundle) -> keras.Model:
    model.get_layer("softmax").set_weights(
        [bundle.weights["softmax/weights"], bundle.weights["softmax/bias"]]
    )
    return model


def imdb_lstm(bundle: Bundle) -> keras.Model:
    """Word ids ``[batch, steps]`` to logits ``[batch, 2]``: frozen vectors, LSTM, the last output."""
    settings: Dict[str, Any] = bundle.settings
    assert bundle.vectors is not None
    table = bundle.vectors.table()
    ids = keras.Input((settings["steps"],), dtype="int32")
    x = keras.layers.Embedding(*table.shape, trainable=False, name="embedding")(ids)
    for layer in range(settings["layers"]):
        last = layer == settings["layers"] - 1
        x = keras.layers.LSTM(settings["units"], return_sequences=not last, name=f"lstm_{layer}")(x)
    logits = keras.layers.Dense(settings["classes"], name="softmax")(x)
    model = keras.Model(ids, logits)
    model.get_layer("embedding").set_weights([table])
    for layer in range(settings["layers"]):
        model.get_layer(f"lstm_{layer}").set_weights(keras_arrays(bundle, layer=layer))
    return _load_softmax(model, bundle)


def _rows_model(bundle: Bundle, recurrent: keras.layers.Layer) -> keras.Model:
    """Pictures ``[batch, 28, 28]``, row by row through one recurrent layer, its last state to logits."""
    assert bundle.settings["layers"] == 1, "these ports have one layer"
    rows = keras.Input((bundle.settings["steps"], bundle.settings["input_size"]))
    logits = keras.layers.Dense(bundle.settings["classes"], name="softmax")(recurrent(rows))
    model = keras.Model(rows, logits)
    recurrent.set_weights(keras_arrays(bundle))
    return _load_softmax(model, bundle)


def mnist_rnn(bundle: Bundle) -> keras.Model:
    """``BasicRNNCell`` over rows of pixels."""
    return _rows_model(bundle, keras.layers.SimpleRNN(bundle.settings["units"]))


def mnist_lstm(bundle: Bundle) -> keras.Model:
    """``BasicLSTMCell`` over rows of pixels."""
    return _rows_model(bundle, keras.layers.LSTM(bundle.settings["units"]))


def mnist_gru(bundle: Bundle) -> keras.Model:
    """``GRUCell`` over rows of pixels; TensorFlow 1 resets before the recurrent product."""
    return _rows_model(bundle, keras.layers.GRU(bundle.settings["units"], reset_after=False))


def mnist_peephole(bundle: Bundle) -> keras.Model:
    """``LSTMCell(use_peepholes=True)`` over rows of pixels."""
    cell = PeepholeLSTMCell(bundle.settings["units"], bundle.settings["forget_bias"])
    return _rows_model(bundle, keras.layers.RNN(cell))


def mnist_coupled(bundle: Bundle) -> keras.Model:
    """``CoupledInputForgetGateLSTMCell`` over rows of pixels."""
    cell = CoupledLSTMCell(bundle.settings["units"], bundle.settings["forget_bias"])
    return _rows_model(bundle, keras.layers.RNN(cell))


def mnist_bilstm(bundle: Bundle) -> keras.Model:
    """Two directions; as published, the softmax reads the backward state alone.

    With ``readout=both-states`` (the corrected recipe) it reads both, forward first.
    """
    settings: Dict[str, Any] = bundle.settings
    assert settings["layers"] == 1, "this port has one layer in each direction"
    rows = keras.Input((settings["steps"], settings["input_size"]))
    both = keras.layers.Bidirectional(keras.layers.LSTM(settings["units"]), merge_mode=None)
    forward_h, backward_h = both(rows)
    features = backward_h
    if settings["readout"] == "both-states":
        features = keras.layers.Concatenate()([forward_h, backward_h])
    model = keras.Model(rows, keras.layers.Dense(settings["classes"], name="softmax")(features))
    both.set_weights([*keras_arrays(bundle, "fw"), *keras_arrays(bundle, "bw")])
    return _load_softmax(model, bundle)
