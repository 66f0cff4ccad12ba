"""``tf1.data``: the part of an experiment that reads files of one's own, from their path and columns."""

import dataclasses
import os
from pathlib import Path
from typing import Any, Sequence, Union

from tf1_lstm.core.parts import changed
from tf1_lstm.data.own.opening import open_own
from tf1_lstm.data.own.suggestion import described_data, suggest
from tf1_lstm.errors import InputError
from tf1_lstm.recipes.experiment import Experiment
from tf1_lstm.recipes.own_data import OwnData

PathLike = Union[str, Path]


def from_csv(
    file: PathLike,
    *,
    text: str = "",
    label: str = "",
    columns: Sequence[str] = (),
    targets: Sequence[str] = (),
    **settings: Any,
) -> OwnData:
    """Texts with labels, or a time series, in a CSV, TSV or JSON lines file (``.gz``, ``.xz``, ``.zip`` too).

    Args:
      file: its path.
      text, label: the columns of texts and labels.
      columns, targets: in their place, the columns of a time series that are read, and those foretold.
      settings: of the part, e.g. ``steps=250``; see docs/settings.md.

    Returns:
      A ``CsvTexts`` or ``CsvWindows``, for ``Experiment(data=...)``, ``tf1.suggest`` or ``tf1.train``.

    Raises:
      InputError: the file or a column is not there, or a setting is none of the part's.
    """
    if not ((text and label) or (columns and targets)):
        raise InputError(
            f"{file}: found no columns named, expected text= and label=, or for a time series columns= and "
            "targets="
        )
    return _opened(described_data(_absolute(file), text, label, tuple(columns), tuple(targets)), settings)


def from_folder(folder: PathLike, **settings: Any) -> OwnData:
    """Texts in a folder with a folder for each class: a ``FolderTexts``.

    Raises:
      InputError: no such folder, or one without texts.
    """
    if not Path(folder).is_dir():
        raise InputError(f"{folder}: no such folder; expected one with a folder of texts for each class")
    return _opened(described_data(_absolute(folder), "", "", (), ()), settings)


def from_arrays(file: PathLike, **settings: Any) -> OwnData:
    """Arrays ``x`` and ``y`` in an ``.npz``, or an ``.npy`` with a ``y.npy`` beside it: an ``Arrays``.

    Raises:
      InputError: no such file, or arrays that do not fit together.
    """
    if Path(file).suffix not in (".npz", ".npy"):
        raise InputError(f"{file}: found a name that ends in {Path(file).suffix!r}, expected .npz or .npy")
    return _opened(described_data(_absolute(file), "", "", (), ()), settings)


def suggested(data: OwnData) -> Experiment:
    """A whole experiment on data of one's own, with sizes chosen by them, as ``tf1-lstm new`` writes it.

    Raises:
      InputError: the data cannot be used.
    """
    name = Path(data.paths()[0]).name.split(".")[0]
    plain = "".join(letter if letter.isalnum() or letter in "_-" else "-" for letter in name).strip("-")
    return dataclasses.replace(suggest(data).experiment, name=plain[:64] or "own")


def _absolute(path: PathLike) -> Path:
    return Path(os.path.abspath(str(path)))


def _opened(part: OwnData, settings: Any) -> OwnData:
    chosen = changed(part, settings) if settings else part
    open_own(chosen)
    return chosen
