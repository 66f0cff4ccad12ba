"""Which class reads which kind of data, and where its files are by default."""

import importlib
from pathlib import Path
from typing import Any, Callable, Optional

from tf1_lstm.data.base import Dataset
from tf1_lstm.data.sources import making
from tf1_lstm.errors import InputError

PROJECT = Path(__file__).resolve().parents[2]

# name -> (module, class, folder below the data folder); imported on demand, so that --help is quick.
DATASETS = {
    "imdb-ids": ("tf1_lstm.data.imdb", "ImdbIds", "imdb"),
    "keras-imdb": ("tf1_lstm.data.keras_imdb", "KerasImdbDataset", "keras-imdb"),
    "mnist-rows": ("tf1_lstm.data.mnist", "MnistDataset", "mnist"),
}


def open_data(part: Any, folder: Optional[Path] = None, sample: bool = False) -> Dataset:
    """Open the data set that an experiment's data part describes.

    Args:
      part: a ``recipes.data_parts.Data``; one without ``dataset`` is of a user's own, and opens itself
        where it has a method ``open``.
      folder, sample: as for ``open_dataset``.

    Raises:
      InputError: as ``open_dataset``; or data of one's own asked for as the sample.
    """
    if not part.dataset:
        from tf1_lstm.data.own.opening import open_own

        if sample:
            raise InputError(
                f"--sample: the sample has no {type(part).__name__}; expected a recipe, or no --sample"
            )
        opened: Dataset = part.open(folder) if hasattr(part, "open") else open_own(part, folder)
        return opened
    if part.dataset == "none":
        from tf1_lstm.data.no_data import NoFiles

        return NoFiles(getattr(part, "vectors", ""))
    return open_dataset(part.dataset, folder, sample)


def open_dataset(name: str, folder: Optional[Path] = None, sample: bool = False) -> Dataset:
    """Open a data set.

    Args:
      name: a key of ``DATASETS``.
      folder: where its files are, either directly or in the data set's own folder below
        (``DIR`` or ``DIR/imdb``); ``data`` in the working directory by default.
      sample: open the embedded sample in place of ``folder``.

    Raises:
      InputError: the folder or a file in it is missing or cannot be used.
    """
    module, kind, below = DATASETS[name]
    constructor: Callable[[Path, bool], Dataset] = getattr(importlib.import_module(module), kind)
    if sample:
        return constructor(sample_folder(below), True)
    where = Path("data") if folder is None else Path(folder)
    if not where.is_dir():
        hint = "" if folder is not None else " (--sample uses the data that comes with the project)"
        raise InputError(
            f"{where}: no such folder; expected the data set {name}: {making(below, where)}{hint}"
        )
    if (where / below).is_dir():
        where = where / below
    return constructor(where, _is_inside(where, PROJECT / "data" / "sample"))


def sample_folder(below: str) -> Path:
    """The folder of the embedded sample of one data set."""
    folder = PROJECT / "data" / "sample" / below
    if not folder.is_dir():
        raise InputError(f"{folder}: the embedded sample is missing; expected a complete copy of the project")
    return folder


def _is_inside(folder: Path, parent: Path) -> bool:
    return parent.resolve() in (folder.resolve(), *folder.resolve().parents)
