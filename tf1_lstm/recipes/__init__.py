"""What was published, and what can be composed: one module for each document, one experiment for each recipe.

``from tf1_lstm.recipes import *`` has every part that a file of one's own needs.
"""

import importlib
import pkgutil
from typing import Dict

from tf1_lstm.core.callable_module import make_callable
from tf1_lstm.core.cells import (
    GRU,
    BasicLSTM,
    BasicRNN,
    Cell,
    CoupledLSTM,
    PeepholeLSTM,
    ResetAfterGRU,
)
from tf1_lstm.core.parts import unknown
from tf1_lstm.errors import InputError
from tf1_lstm.recipes.data_parts import Data, KerasImdb, MnistRows, NoData, TutorialImdb
from tf1_lstm.recipes.experiment import (
    SGD,
    Adadelta,
    Adam,
    Bidirectional,
    Dropout,
    EarlyStopping,
    Embedding,
    Epochs,
    Experiment,
    FrozenVectors,
    Keras,
    KerasRMSprop,
    Layer,
    OneHot,
    PyTorch,
    Recurrent,
    Regression,
    Rows,
    Sigmoid,
    Softmax,
    Steps,
    TensorFlow1,
    TorchAdam,
    TrainedVectors,
    WrapperDropout,
)
from tf1_lstm.recipes.own_data import (
    Arrays,
    ByColumn,
    ByFile,
    ByShare,
    CsvTexts,
    CsvWindows,
    FolderTexts,
    PlainText,
    TrainingWords,
    VectorWords,
)
from tf1_lstm.recipes.published import Figure, LogLine, Oddity, Published

__all__ = [
    "GRU",
    "SGD",
    "Adadelta",
    "Adam",
    "Arrays",
    "BasicLSTM",
    "BasicRNN",
    "Bidirectional",
    "ByColumn",
    "ByFile",
    "ByShare",
    "Cell",
    "CoupledLSTM",
    "CsvTexts",
    "CsvWindows",
    "Data",
    "Dropout",
    "EarlyStopping",
    "Embedding",
    "Epochs",
    "Experiment",
    "Figure",
    "FolderTexts",
    "FrozenVectors",
    "Keras",
    "KerasImdb",
    "KerasRMSprop",
    "Layer",
    "LogLine",
    "MnistRows",
    "NoData",
    "Oddity",
    "OneHot",
    "PeepholeLSTM",
    "PlainText",
    "Published",
    "PyTorch",
    "Recurrent",
    "Regression",
    "ResetAfterGRU",
    "Rows",
    "Sigmoid",
    "Softmax",
    "Steps",
    "TensorFlow1",
    "TorchAdam",
    "TrainedVectors",
    "TrainingWords",
    "TutorialImdb",
    "VectorWords",
    "WrapperDropout",
    "all_recipes",
    "find_recipe",
]


def all_recipes() -> Dict[str, Experiment]:
    """Every recipe by name, in the order of the documents: the ``RECIPES`` of each module here."""
    found: Dict[str, Experiment] = {}
    for module in sorted(info.name for info in pkgutil.iter_modules(__path__)):
        for recipe in getattr(importlib.import_module(f"{__name__}.{module}"), "RECIPES", ()):
            found[recipe.name] = recipe
    return found


def find_recipe(name: str) -> Experiment:
    """The recipe of that name, or the experiment of a file: ``FILE.py`` or ``FILE.py:NAME``.

    Raises:
      InputError: no recipe has that name, or the file holds no such experiment.
    """
    from tf1_lstm.recipes.load import is_file, load_experiment

    if is_file(name):
        return load_experiment(name)
    recipes = all_recipes()
    if name not in recipes:
        raise InputError(unknown(f"recipe {name!r}", name, list(recipes)))
    return recipes[name]


make_callable(__name__, "tf1_lstm.api.training:recipes")
