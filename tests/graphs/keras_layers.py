"""An experiment's recurrent layers as ``tf.keras`` of TensorFlow 1.15 has them, with the same weights."""

from typing import Any, Dict, List, Mapping

import numpy as np

from tf1_lstm.core.cells import canonical_name, cell_name
from tf1_lstm.core.tensorflow import tf
from tf1_lstm.parity.cells import ReferenceCell
from tf1_lstm.parity.layouts import to_keras
from tf1_lstm.recipes.experiment import Experiment

KINDS = {"basic_rnn": "SimpleRNN", "basic_lstm": "LSTM", "gru": "GRU", "gru_reset_after": "GRU"}


def made(experiment: Experiment, **options: Any) -> List[Any]:
    """One Keras layer for each stacked layer; all give every step and their last states."""
    recurrent = experiment.recurrent
    name = cell_name(recurrent.cell)
    if name != "basic_rnn":
        options["recurrent_activation"] = "sigmoid"
    if "gru" in name:
        options["reset_after"] = name == "gru_reset_after"
    kind = getattr(tf.keras.layers, KINDS[name])
    layers = []
    for units in recurrent.units:
        layer = kind(units, return_sequences=True, return_state=True, **options)
        layers.append(layer if recurrent.bidirectional is None else tf.keras.layers.Bidirectional(layer))
    return layers


def fill(experiment: Experiment, layers: List[Any], weights: Mapping[str, np.ndarray]) -> None:
    """Give Keras layers, which were called, an experiment's weights."""
    recurrent = experiment.recurrent
    name = cell_name(recurrent.cell)
    bias = recurrent.cell.added_forget_bias or 0.0
    for number, layer in enumerate(layers):
        found: List[np.ndarray] = []
        for direction in range(recurrent.directions):
            parts: Dict[str, np.ndarray] = {
                part: weights[canonical_name(name, direction, number, part)]
                for part in recurrent.cell.shapes(1)
            }
            found += to_keras(ReferenceCell(name, recurrent.units[number], bias), parts)
        layer.set_weights(found)
