"""Old TensorFlow 1 LSTM results, run again exactly.

::

    import tf1_lstm as tf1

    tf1.recipes()                                        # what was published
    run = tf1.train("imdb-lstm", sample=True)            # a Run; also tf1.reproduce(...)
    model = tf1.load("model.ckpt-90000", data="data")    # any checkpoint of TensorFlow 1
    model.evaluate().accuracy
    model.predict(["a fine film"])
    tf1.compare("bundle.npz", "my_port.py:MyModel")
    tf1.train(tf1.data.from_csv("reviews.csv", text="review", label="verdict"))
    tf1.runs()                                           # all that is below runs/

Nothing heavy is imported before it is used.
"""

import importlib
from typing import TYPE_CHECKING, Any, List

if TYPE_CHECKING:
    from tf1_lstm.api.checkpoint import Checkpoint, load
    from tf1_lstm.api.training import Run, compare, recipes, reproduce, runs, suggest, train
    from tf1_lstm.errors import InputError, NotFiniteError

__version__ = "0.1.0"

# Name -> where it is; ``recipes`` and ``runs`` are packages that can be called.
_PLACES = {
    "load": "tf1_lstm.api.checkpoint",
    "train": "tf1_lstm.api.training",
    "reproduce": "tf1_lstm.api.training",
    "compare": "tf1_lstm.api.training",
    "suggest": "tf1_lstm.api.training",
    "Run": "tf1_lstm.api.training",
    "Checkpoint": "tf1_lstm.api.checkpoint",
    "InputError": "tf1_lstm.errors",
    "NotFiniteError": "tf1_lstm.errors",
}
_PACKAGES = ("recipes", "runs", "data")

__all__ = [
    "Checkpoint",
    "InputError",
    "NotFiniteError",
    "Run",
    "__version__",
    "compare",
    "data",
    "load",
    "recipes",
    "reproduce",
    "runs",
    "suggest",
    "train",
]


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        found = getattr(importlib.import_module(_PLACES[name]), name)
        globals()[name] = found
        return found
    if name in _PACKAGES:
        return importlib.import_module(f"tf1_lstm.{name}")
    raise AttributeError(f"module 'tf1_lstm' has no attribute {name!r}")


def __dir__() -> List[str]:
    return sorted([*globals(), *__all__])
