"""A first experiment for data of one's own, with sizes that the data suggest."""

import dataclasses
import os
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from tf1_lstm.core.cells import BasicLSTM
from tf1_lstm.data.own.dataset import OwnDataset
from tf1_lstm.data.own.opening import open_own
from tf1_lstm.data.own.plain_text import CorpusDataset
from tf1_lstm.data.own.sequences import ArraysDataset
from tf1_lstm.data.own.texts import TextsDataset
from tf1_lstm.errors import InputError
from tf1_lstm.recipes.experiment import (
    Adam,
    Embedding,
    Epochs,
    Experiment,
    Inputs,
    OneHot,
    Recurrent,
    Regression,
    Rows,
    Sigmoid,
    Softmax,
    Steps,
)
from tf1_lstm.recipes.own_data import Arrays, CsvTexts, CsvWindows, FolderTexts, OwnData, PlainText
from tf1_lstm.recipes.python_source import python_source

TABLES = (".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".json")
PACKED = (".gz", ".xz", ".zip")
MOST_STEPS = 500
ANY_STEPS = 1_000_000
TEXT_STEPS = 50
WINDOW = 24
EPOCHS = 10
BATCH = 32


class Suggestion(NamedTuple):
    """An experiment, and what to say about its settings.

    Attributes:
      experiment: complete.
      notes: path of a setting -> a comment.
    """

    experiment: Experiment
    notes: Dict[str, str]


def described_data(
    path: Path, text: str, label: str, columns: Tuple[str, ...], targets: Tuple[str, ...]
) -> OwnData:
    """The part that reads a file or folder; what it cannot tell has a usual size.

    Args:
      path: a table, an ``.npz``, a folder of classes, or a plain text.
      text: the column of a table's texts; with ``label``.
      label: the column of their labels.
      columns: the columns that a time series is read from; with ``targets``.
      targets: the columns that are foretold.

    Raises:
      InputError: a table of which no column is named, or names for what is no table.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    suffix = next((each for each in reversed(suffixes) if each not in PACKED), "")
    if suffix in TABLES:
        if text and label:
            return CsvTexts(str(path), text, label, ANY_STEPS)
        if columns and targets:
            return CsvWindows(str(path), columns, targets, WINDOW)
        raise InputError(
            f"--data: found {path.name} alone, expected --text COLUMN and --label COLUMN, "
            "or for a time series --columns A,B and --targets A"
        )
    if text or label or columns or targets:
        raise InputError(f"--data: found columns of {path.name}, expected them with {', '.join(TABLES)} only")
    if path.is_dir():
        return FolderTexts(str(path), ANY_STEPS)
    if suffix == ".npz":
        return Arrays(str(path))
    if suffix == ".npy":
        return Arrays(str(path), y=str(path.with_name("y.npy")))
    return PlainText(str(path), TEXT_STEPS)


def suggest(part: OwnData, base: Optional[Experiment] = None) -> Suggestion:
    """Open the data, and choose sizes by them; the model is that of ``base``, where there is one.

    Raises:
      InputError: the data cannot be used.
    """
    data = open_own(part)
    notes = {"data": _counts(data)}
    if isinstance(data, TextsDataset):
        lengths = np.asarray(data.split("train").lengths)
        steps = min(int(np.percentile(lengths, 95)) or 1, MOST_STEPS)
        read = float((lengths <= steps).mean())
        share = "no training text has" if read == 1 else f"{read:.0%} of the training texts have no"
        notes["data.steps"] = f"{share} more words; the longest has {lengths.max():,}"
        notes["data.padding"] = "so that the last step that is read is always a word (as in Keras)"
        part = dataclasses.replace(part, steps=steps, padding="front")
    inputs = _inputs(data, base)
    if isinstance(inputs, Embedding):
        words = getattr(data, "words", 0)
        notes["inputs"] = f"{words:,} ids, each with numbers of its own that are trained"
    recurrent = base.recurrent if base else Recurrent(BasicLSTM(64))
    if isinstance(data, CorpusDataset):
        recurrent = dataclasses.replace(
            recurrent, read="steps", carried_state=True, bidirectional=None, go_backwards=False, mask="none"
        )
        notes["recurrent.carried_state"] = "each batch goes on in the text where the one before it ended"
    elif getattr(data, "each_step", False):
        recurrent = dataclasses.replace(recurrent, read="steps")
    elif base is None and isinstance(data, ArraysDataset) and _has_lengths(data):
        recurrent = dataclasses.replace(recurrent, mask="sequence_length")
        notes["recurrent.mask"] = "stop at the end of each example, not at the end of its padding"
    experiment = Experiment(
        data=part,
        inputs=inputs,
        front=base.front if base else None,
        recurrent=recurrent,
        dropout=base.dropout if base else None,
        head=_head(data, base),
        initial_values=base.initial_values if base else _default("initial_values"),
        optimizer=base.optimizer if base else Adam(),
        schedule=_schedule(data, base),
    )
    return Suggestion(experiment, notes)


def source_for(file: Path, suggestion: Suggestion) -> str:
    """The Python source of a suggestion for ``file``, with paths relative to its folder."""
    folder = str(file.resolve().parent)
    experiment = suggestion.experiment
    data: Any = experiment.data
    located = dataclasses.replace(experiment, data=data.mapped(lambda path: os.path.relpath(path, folder)))
    return python_source(
        located, suggestion.notes, f"{file.stem}: an experiment of one's own. Change what you like."
    )


def _default(name: str) -> Any:
    return next(field.default for field in dataclasses.fields(Experiment) if field.name == name)


def _inputs(data: OwnDataset, base: Optional[Experiment]) -> Inputs:
    shape = data.data.examples.shape
    if len(shape) == 2:
        return Rows(shape[1])
    if base is not None and isinstance(base.inputs, (Embedding, OneHot)):
        return base.inputs
    is_small = isinstance(data, CorpusDataset) and data.words <= 256
    return (
        OneHot() if is_small and base is None else Embedding(getattr(base and base.inputs, "width", 0) or 50)
    )


def _head(data: OwnDataset, base: Optional[Experiment]) -> Any:
    dense = getattr(base.head, "dense", 0) if base else 0
    if data.task == "numbers":
        return Regression(dense=dense)
    if base is not None and isinstance(base.head, Sigmoid) and data.task == "classes" and data.outputs == 2:
        return base.head
    return Softmax(dense=dense)


def _schedule(data: OwnDataset, base: Optional[Experiment]) -> Any:
    chosen = "validation" if "validation" in data.split_names() else data.split_names()[0]
    if base is not None and isinstance(base.schedule, Steps):
        return base.schedule
    if base is not None and isinstance(base.schedule, Epochs):
        return dataclasses.replace(base.schedule, validation=chosen if base.schedule.validation else "")
    return Epochs(epochs=EPOCHS, batch_size=_batch(data), validation=chosen)


def _batch(data: OwnDataset) -> int:
    """32, or fewer where a text is too short for so many streams in each of its splits."""
    if not isinstance(data, CorpusDataset):
        return BATCH
    shortest = min(data.tokens_of(name) for name in data.split_names())
    return max(min(BATCH, shortest // (2 * data.steps)), 1)


def _has_lengths(data: OwnDataset) -> bool:
    return data.data.examples.lengths(np.zeros(1, np.int64)) is not None


def _counts(data: OwnDataset) -> str:
    counts: List[str] = []
    for name in ("train", "validation", "test"):
        if name in data.split_names():
            count = data.tokens_of(name) if isinstance(data, CorpusDataset) else len(data.rows_of(name))
            counts.append(f"{count:,} {name}")
    what = {"classes": "classes", "numbers": "numbers", "next": "ids to choose from"}[data.task]
    names = ", ".join(data.class_names[:6]) if data.task != "next" else ""
    more = ", …" if names and data.outputs > 6 else ""
    return f"{', '.join(counts)}; {data.outputs:,} {what}" + (f": {names}{more}" if names else "")
