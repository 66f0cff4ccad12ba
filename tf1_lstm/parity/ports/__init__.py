"""The ports that come with the project: each recipe in Keras and in PyTorch, weights from a bundle.

``TARGETS`` is what ``tf1-lstm compare --port keras`` and ``--port torch`` stand for.
"""

from typing import Dict

_KERAS = "tf1_lstm.parity.ports.keras_models:"
_TORCH = "tf1_lstm.parity.ports.torch_models:"

# recipe -> framework -> TARGET
TARGETS: Dict[str, Dict[str, str]] = {
    "imdb-lstm": {"keras": _KERAS + "imdb_lstm", "torch": _TORCH + "ImdbLstm"},
    "mnist-rnn": {"keras": _KERAS + "mnist_rnn", "torch": _TORCH + "MnistRnn"},
    "mnist-lstm": {"keras": _KERAS + "mnist_lstm", "torch": _TORCH + "MnistLstm"},
    "mnist-bilstm": {"keras": _KERAS + "mnist_bilstm", "torch": _TORCH + "MnistBilstm"},
    "mnist-peephole": {"keras": _KERAS + "mnist_peephole", "torch": _TORCH + "MnistPeephole"},
    "mnist-coupled": {"keras": _KERAS + "mnist_coupled", "torch": _TORCH + "MnistCoupled"},
    "mnist-gru": {"keras": _KERAS + "mnist_gru", "torch": _TORCH + "MnistGru"},
}
