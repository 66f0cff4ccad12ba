"""The ports that come with the project, with weights from a bundle.

``generated`` is the code that ``tf1-lstm export`` prints, for any bundle. What was published in Keras or
PyTorch is here as it was published too; ``python -m tf1_lstm.parity.ports.train`` trains these.
"""

from typing import Dict

_KERAS_IMDB = "tf1_lstm.parity.ports.keras_imdb:"
GENERATED = {
    "keras": "tf1_lstm.parity.ports.generated:keras_model",
    "torch": "tf1_lstm.parity.ports.generated:torch_module",
}
# recipe -> framework -> the port as it was published
PUBLISHED: Dict[str, Dict[str, str]] = {
    "imdb-lstmcell2": {"keras": _KERAS_IMDB + "imdb_lstmcell2"},
    "imdb-grucell2": {"keras": _KERAS_IMDB + "imdb_grucell2"},
    "imdb-gru2": {"keras": _KERAS_IMDB + "imdb_gru2"},
    "imdb-lstm2-glove": {"keras": _KERAS_IMDB + "imdb_lstm2_glove"},
    "imdb-bilstm2": {"torch": "tf1_lstm.parity.ports.torch_imdb:ImdbBilstm2"},
    "imdb-simplernn32": {"keras": _KERAS_IMDB + "imdb_simplernn32"},
    "imdb-lstm32": {"keras": _KERAS_IMDB + "imdb_lstm32"},
    "imdb-gru32": {"keras": _KERAS_IMDB + "imdb_gru32"},
}


def target_of(recipe: str, port: str) -> str:
    """Return what ``keras`` or ``torch`` stand for; any other target as it is."""
    return {**GENERATED, **PUBLISHED.get(recipe, {})}.get(port, port)
