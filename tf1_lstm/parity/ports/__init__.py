"""The ports that come with the project, with weights from a bundle.

Each TensorFlow 1 recipe in Keras and in PyTorch; each that was published in one of these in that one,
as it was published. ``TARGETS`` is what ``tf1-lstm compare --port keras`` and ``--port torch`` stand for;
``python -m tf1_lstm.parity.ports.train`` trains the latter.
"""

from typing import Dict

_KERAS = "tf1_lstm.parity.ports.keras_models:"
_TORCH = "tf1_lstm.parity.ports.torch_models:"
_KERAS_IMDB = "tf1_lstm.parity.ports.keras_imdb:"

# recipe -> framework -> TARGET
TARGETS: Dict[str, Dict[str, str]] = {
    "imdb-lstm": {"keras": _KERAS + "imdb_lstm", "torch": _TORCH + "ImdbLstm"},
    "mnist-rnn": {"keras": _KERAS + "mnist_rnn", "torch": _TORCH + "MnistRnn"},
    "mnist-lstm": {"keras": _KERAS + "mnist_lstm", "torch": _TORCH + "MnistLstm"},
    "mnist-bilstm": {"keras": _KERAS + "mnist_bilstm", "torch": _TORCH + "MnistBilstm"},
    "mnist-peephole": {"keras": _KERAS + "mnist_peephole", "torch": _TORCH + "MnistPeephole"},
    "mnist-coupled": {"keras": _KERAS + "mnist_coupled", "torch": _TORCH + "MnistCoupled"},
    "mnist-gru": {"keras": _KERAS + "mnist_gru", "torch": _TORCH + "MnistGru"},
    "imdb-lstmcell2": {"keras": _KERAS_IMDB + "imdb_lstmcell2"},
    "imdb-grucell2": {"keras": _KERAS_IMDB + "imdb_grucell2"},
    "imdb-gru2": {"keras": _KERAS_IMDB + "imdb_gru2"},
    "imdb-lstm2-glove": {"keras": _KERAS_IMDB + "imdb_lstm2_glove"},
    "imdb-bilstm2": {"torch": "tf1_lstm.parity.ports.torch_imdb:ImdbBilstm2"},
    "imdb-simplernn32": {"keras": _KERAS_IMDB + "imdb_simplernn32"},
    "imdb-lstm32": {"keras": _KERAS_IMDB + "imdb_lstm32"},
    "imdb-gru32": {"keras": _KERAS_IMDB + "imdb_gru32"},
}
