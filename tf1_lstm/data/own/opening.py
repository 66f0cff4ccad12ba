"""From the part of an experiment that describes a user's own data to the data set."""

from pathlib import Path
from typing import Any, Dict, Optional, Tuple

from tf1_lstm.data.own.dataset import OwnDataset
from tf1_lstm.data.own.plain_text import CorpusDataset, TokenReading
from tf1_lstm.data.own.sequences import ArraysDataset
from tf1_lstm.data.own.series import WindowsDataset
from tf1_lstm.data.own.splits import Share
from tf1_lstm.data.own.tables import Format
from tf1_lstm.data.own.text_sources import folder_sources, table_sources
from tf1_lstm.data.own.texts import TextsDataset
from tf1_lstm.data.own.words import WordRule
from tf1_lstm.errors import InputError
from tf1_lstm.recipes.own_data import (
    Arrays,
    ByColumn,
    ByFile,
    ByShare,
    CsvTexts,
    CsvWindows,
    Division,
    FolderTexts,
    OwnData,
    PlainText,
    VectorWords,
)


def open_own(part: OwnData, folder: Optional[Path] = None) -> OwnDataset:
    """Open a user's own data.

    Args:
      part: what they are and how they are read.
      folder: where the files are, under their own names, if not where the part says.

    Raises:
      InputError: see the data sets.
    """
    located = part if folder is None else part.moved(Path(folder))
    if isinstance(located, CsvTexts):
        return _table(located)
    if isinstance(located, FolderTexts):
        return _folder(located)
    if isinstance(located, Arrays):
        return _arrays(located)
    if isinstance(located, CsvWindows):
        return _windows(located)
    if isinstance(located, PlainText):
        return _corpus(located)
    raise InputError(f"setting data: found {type(part).__name__}, which no data set reads")


def _shares(division: Division) -> Tuple[Dict[str, Share], str, int]:
    """Validation and test as the data sets take them, the column of the splits, and the seed."""
    if isinstance(division, ByColumn):
        return {"validation": 0.0, "test": 0.0}, division.column, 1
    if isinstance(division, ByFile):
        validation: Share = division.validation or division.held_out
        return {"validation": validation, "test": division.test or 0.0}, "", division.seed
    assert isinstance(division, ByShare)
    return {"validation": division.validation, "test": division.test}, "", division.seed


def _texts(part: Any, sources: Any, validation: float, test: float, seed: int) -> TextsDataset:
    vocabulary = part.vocabulary
    vectors = vocabulary.file if isinstance(vocabulary, VectorWords) else ""
    least = getattr(vocabulary, "least_count", 1)
    return TextsDataset(
        sources,
        part.steps,
        validation=validation,
        test=test,
        rule=WordRule(part.tokenizer, part.lower, vocabulary.most, least),
        vectors=vectors,
        padding=part.padding,
        cutting=part.cutting,
        classes=part.classes,
        seed=seed,
    )


def _table(part: CsvTexts) -> OwnDataset:
    shares, column, seed = _shares(part.division)
    how = Format(part.encoding, part.separator, part.columns)
    sources, validation, test = table_sources(
        Path(part.file), part.text, part.label, shares["validation"], shares["test"], column, how
    )
    return _texts(part, sources, validation, test, seed)


def _folder(part: FolderTexts) -> OwnDataset:
    shares, column, seed = _shares(part.division)
    if column:
        raise InputError("setting data.division: found ByColumn with FolderTexts, expected ByShare or ByFile")
    sources, validation, test = folder_sources(
        Path(part.folder), part.classes, shares["validation"], shares["test"], part.encoding
    )
    return _texts(part, sources, validation, test, seed)


def _arrays(part: Arrays) -> OwnDataset:
    shares, column, seed = _shares(part.division)
    return ArraysDataset(
        part.file,
        x=part.x,
        y=part.y,
        lengths=part.lengths,
        task=part.task,
        validation=shares["validation"],
        test=shares["test"],
        split=column,
        classes=part.classes,
        seed=seed,
    )


def _windows(part: CsvWindows) -> OwnDataset:
    shares, _, _ = _shares(part.division)
    return WindowsDataset(
        part.file,
        part.columns,
        part.targets,
        part.steps,
        horizon=part.horizon,
        stride=part.stride,
        standardise=part.standardise,
        validation=shares["validation"],
        test=shares["test"],
        encoding=part.encoding,
        separator=part.separator,
        names=part.names,
    )


def _corpus(part: PlainText) -> OwnDataset:
    shares, _, _ = _shares(part.division)
    reading = TokenReading(part.tokens, part.lower, part.most, part.unknown, part.encoding)
    return CorpusDataset(
        part.file, part.steps, reading=reading, validation=shares["validation"], test=shares["test"]
    )
