"""Data of one's own, as parts of an experiment: texts, sequences, time series, plain texts.

Paths are relative to the file that the experiment stands in.
"""

import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, ClassVar, Dict, List, Optional, Tuple, TypeVar

from tf1_lstm.core.parts import Part, setting, setting_fields
from tf1_lstm.errors import InputError
from tf1_lstm.recipes.data_parts import Data

SIDES = ("front", "back")
TOKENIZERS = ("keras", "tutorial", "spaces", "characters")
PATHS = ("file", "folder", "validation", "test")

P = TypeVar("P", bound=Part)


# ---- which examples train, which choose and which test -------------------------------------------


@dataclass(frozen=True)
class Division(Part):
    """How examples are divided into the splits ``train``, ``validation`` and ``test``."""

    abstract = True


@dataclass(frozen=True)
class ByShare(Division):
    """Shares of one file: drawn, each class alike and identical examples together.

    A time series or a plain text is divided in its order: the training part first, the test last.
    """

    validation: float = setting("share of the examples", 0.1, low=0, below=1)
    test: float = setting("share of the examples", 0.1, low=0, below=1)
    seed: int = setting("of the draws", 1, low=0, high=2**63 - 1)

    def check(self) -> None:
        """Leave something to train on."""
        if self.validation + self.test >= 1:
            raise InputError(
                f"setting division: found {self.validation} + {self.test}, expected less than 1 together"
            )


@dataclass(frozen=True)
class ByFile(Division):
    """Files (or folders) of their own for the test and, perhaps, the validation."""

    test: str = setting("the file or folder of the split test; empty for none", "")
    validation: str = setting("the file or folder of the split validation; empty for none", "")
    held_out: float = setting(
        "share of the training file that becomes validation where that has no file", 0.0, low=0, below=1
    )
    seed: int = setting("of the draws", 1, low=0, high=2**63 - 1)

    def check(self) -> None:
        """Refuse a second validation split."""
        if self.validation and self.held_out:
            raise InputError(
                "setting division.held_out: found a share and a file for validation, expected one"
            )


@dataclass(frozen=True)
class ByColumn(Division):
    """A column, or an array of an ``.npz``, that says ``train``, ``validation`` or ``test`` of each."""

    column: str = setting("its name")


# ---- which words have an id -----------------------------------------------------------------------


@dataclass(frozen=True)
class Vocabulary(Part):
    """Which words have an id of their own."""

    abstract = True


@dataclass(frozen=True)
class TrainingWords(Vocabulary):
    """The most frequent words of the training part."""

    most: int = setting(
        "ids there are, those of padding and of unknown words included; 0 for every word", 10_000, low=0
    )
    least_count: int = setting("occurrences that a word needs", 1, low=1)


@dataclass(frozen=True)
class VectorWords(Vocabulary):
    """The words of a file of word vectors: GloVe's or word2vec's text format, of any width."""

    file: str = setting("the file; may be packed")
    most: int = setting("ids there are, as for TrainingWords: the file's first words; 0 for all", 0, low=0)


# ---- the data -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OwnData(Data):
    """Data of one's own."""

    abstract = True

    def located(self, folder: Path) -> "OwnData":
        """The same data with relative paths made those below ``folder``."""
        return self.mapped(lambda path: str(folder / path))

    def moved(self, folder: Path) -> "OwnData":
        """The same data with the files that are found below ``folder`` taken from there.

        A file is looked for where it stands relative to what all files have in common, then under its
        own name; where neither is there it stays where it was.
        """
        paths = self.paths()
        above = os.path.dirname(paths[0]) if len(paths) == 1 else os.path.commonpath(paths)
        names = [Path(path).name for path in paths]

        def place(path: str) -> str:
            candidates = [folder / os.path.relpath(path, above)]
            if names.count(Path(path).name) == 1:
                candidates.append(folder / Path(path).name)
            found = next((candidate for candidate in candidates if candidate.exists()), Path(path))
            return str(found if found.exists() else candidates[-1])

        return self.mapped(place)

    def paths(self) -> List[str]:
        """Every file and folder that it names, each once."""
        found: List[str] = []

        def note(path: str) -> str:
            found.append(path)
            return path

        self.mapped(note)
        return list(dict.fromkeys(found))

    def mapped(self, place: Callable[[str], str]) -> "OwnData":
        """The same data with every path put elsewhere."""
        return _mapped(self, place)


def _steps(what: str) -> Any:
    return setting(what, low=1, high=1_000_000, flat="steps")


def _tokenizer() -> Any:
    meaning = (
        "what a word is: Keras's text_to_word_sequence (keras), the IMDB tutorial's cleanSentences "
        "(tutorial), what stands between white space (spaces), or each character"
    )
    return setting(meaning, "keras", choices=TOKENIZERS)


def _padding() -> Any:
    return setting("the end at which a short text is padded", "back", choices=SIDES, flat="padding")


def _cutting() -> Any:
    return setting("the end at which a long text is cut", "back", choices=SIDES)


def _division(default: Division = ByShare()) -> Any:
    return setting("which examples train, which choose and which test", default)


def _classes(what: str = "the classes in the order of their numbers; none for those found, sorted") -> Any:
    return setting(f"names of {what}", ())


def _encoding() -> Any:
    return setting("of the files, as Python names it", "utf-8")


def _separator() -> Any:
    return setting("between fields; empty for a comma, or for .tsv a tab", "")


def _columns() -> Any:
    return setting("names of all columns, for a file whose first line is no header", ())


@dataclass(frozen=True)
class CsvTexts(OwnData):
    """Labelled texts in a CSV, TSV or JSON lines file (``.csv``, ``.tsv``, ``.jsonl``; may be packed)."""

    ids: ClassVar[Optional[bool]] = True

    file: str = setting("the file, or with ByFile that of the training")
    text: str = setting("the column of the texts")
    label: str = setting("the column of the labels")
    steps: int = _steps("words that are read of a text")
    tokenizer: str = _tokenizer()
    lower: bool = setting("lower case first", True)
    vocabulary: Vocabulary = setting("which words have an id of their own", TrainingWords())
    padding: str = _padding()
    cutting: str = _cutting()
    division: Division = _division()
    classes: Tuple[str, ...] = _classes()
    encoding: str = _encoding()
    separator: str = _separator()
    columns: Tuple[str, ...] = _columns()


@dataclass(frozen=True)
class FolderTexts(OwnData):
    """Labelled texts in files, with a folder for each class."""

    ids: ClassVar[Optional[bool]] = True

    folder: str = setting("the folder of the classes' folders")
    steps: int = _steps("words that are read of a text")
    tokenizer: str = _tokenizer()
    lower: bool = setting("lower case first", True)
    vocabulary: Vocabulary = setting("which words have an id of their own", TrainingWords())
    padding: str = _padding()
    cutting: str = _cutting()
    division: Division = _division()
    classes: Tuple[str, ...] = _classes()
    encoding: str = _encoding()


@dataclass(frozen=True)
class Arrays(OwnData):
    """Sequences in an ``.npz`` (``x``, ``y``, perhaps ``lengths``), or in ``.npy`` files.

    ``x`` holds numbers ``[examples, steps, inputs]`` or ids ``[examples, steps]``; ``y`` classes, numbers
    (a regression), or ids ``[examples, steps]`` (one for each step).
    """

    file: str = setting("the .npz, or the .npy of the sequences")
    x: str = setting("name of the sequences in the .npz", "x")
    y: str = setting("name of what is learned in the .npz, or its .npy file", "y")
    lengths: str = setting(
        "name of the lengths in the .npz, or their .npy file; empty for lengths, if there", ""
    )
    task: str = setting(
        "what y holds, where its type does not say it: a class, numbers, or an id for each step",
        "",
        choices=("", "classes", "numbers", "next"),
    )
    division: Division = _division()
    classes: Tuple[str, ...] = _classes(
        "the classes, outputs or ids in the order of their numbers; may be none"
    )


@dataclass(frozen=True)
class CsvWindows(OwnData):
    """Windows of a time series in a CSV, TSV or JSON lines file, and what comes after each: a regression."""

    ids: ClassVar[Optional[bool]] = False

    file: str = setting("the file, a row a time step, in the order of time")
    columns: Tuple[str, ...] = setting("the columns that are read")
    targets: Tuple[str, ...] = setting("the columns that are foretold")
    steps: int = _steps("rows of a window")
    horizon: int = setting("rows from a window's last to the one that is foretold", 1, low=1)
    stride: int = setting("rows from the beginning of a window to that of the next", 1, low=1)
    standardise: bool = setting(
        "inputs less the training part's mean, divided by its standard deviation; targets stay as they are",
        True,
    )
    division: Division = _division()
    encoding: str = _encoding()
    separator: str = _separator()
    names: Tuple[str, ...] = _columns()

    def check(self) -> None:
        """Refuse a split by column, which would tear windows."""
        _no_columns(self)


@dataclass(frozen=True)
class PlainText(OwnData):
    """A plain text for a language model: the next character or word is learned at every step.

    A batch's rows are streams, each of which goes on where it ended in the batch before.
    """

    ids: ClassVar[Optional[bool]] = True
    streams: ClassVar[bool] = True

    file: str = setting("the file, or with ByFile that of the training")
    steps: int = _steps("characters or words in a batch's row")
    tokens: str = setting("what has an id", "characters", choices=("characters", "words"))
    lower: bool = setting("lower case first", False)
    most: int = setting("ids there are: those of the most frequent tokens; 0 for all", 0, low=0)
    unknown: bool = setting("read what has no id as <unk>, which has one; false refuses it", True)
    division: Division = _division(ByShare(0.05, 0.05))
    encoding: str = _encoding()

    def check(self) -> None:
        """Refuse a split by column."""
        _no_columns(self)


def _no_columns(data: Any) -> None:
    if getattr(data.division, "seed", 1) != 1:
        raise InputError(
            f"setting division.seed: found {data.division.seed} with {type(data).__name__}, expected 1: it is "
            "divided in its order, and nothing is drawn"
        )
    if isinstance(data.division, ByColumn):
        raise InputError(
            f"setting division: found ByColumn with {type(data).__name__}, expected ByShare or ByFile"
        )


def _mapped(part: P, place: Callable[[str], str]) -> P:
    """A part with the paths in it, and in its parts, put elsewhere."""
    changes: Dict[str, Any] = {}
    for field in setting_fields(type(part)):
        value = getattr(part, field.name)
        is_array = isinstance(part, Arrays) and field.name in ("y", "lengths") and value.endswith(".npy")
        if isinstance(value, Part):
            changes[field.name] = _mapped(value, place)
        elif is_array or (field.name in PATHS and isinstance(value, str) and value):
            changes[field.name] = place(value)
    return dataclasses.replace(part, **changes)  # type: ignore[type-var]
