"""Labelled texts of a user's own as rows of word ids."""

from array import array
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np

from tf1_lstm.data.base import AuditFinding, Example
from tf1_lstm.data.own.dataset import Labelled, OwnDataset
from tf1_lstm.data.own.examples import BACK, FIRST_WORD, PADDING, SIDES, UNKNOWN, RaggedIds, cut, digest, fill
from tf1_lstm.data.own.growing import Growing
from tf1_lstm.data.own.splits import TRAIN, draw_splits, list_of, names_of, rows_of_splits
from tf1_lstm.data.own.text_sources import (
    DRAWN,
    TextFolder,
    TextSource,
    sha256_of_files,
)
from tf1_lstm.data.own.vectors import VectorTable, read_vectors
from tf1_lstm.data.own.words import (
    DEFAULT_RULE,
    Numbered,
    WordRule,
    chosen_words,
    replace_numbers,
    sha256_of_words,
)
from tf1_lstm.data.texts import notes_on, readable, refusal, why_all_unknown
from tf1_lstm.errors import InputError

MOST_CLASSES = 10_000


class TextsDataset(OwnDataset):
    """Texts and the names of their classes.

    Ids: 0 padding, 1 a word outside the vocabulary, 2 the most frequent word of the training part (or
    the first of the file of vectors). A text without any word is read as one unknown word.

    Args:
      sources: where the texts come from, the one to train on first.
      validation, test: shares of the texts whose source names no split.
      steps: words that are read of each text.
      rule: what a word is, and which have an id.
      vectors: a text file of word vectors (see ``read_vectors``), whose words are then the
        vocabulary; empty for the words of the training part.
      padding, cutting: ``"front"`` or ``"back"``: where short texts are filled up with 0, and where
        long ones lose words.
      classes: the classes in the order of their numbers; empty for those of the training part,
        sorted.
      seed: of the shares.

    Attributes:
      tokens: the words by id, from 2.

    Raises:
      InputError: a source cannot be read; one class only; a label that the training part lacks.
    """

    name = "own-texts"
    example_kind = "text"
    unknown_id = UNKNOWN

    def __init__(
        self,
        sources: Sequence[TextSource],
        steps: int,
        *,
        validation: float = 0.0,
        test: float = 0.0,
        rule: WordRule = DEFAULT_RULE,
        vectors: str = "",
        padding: str = BACK,
        cutting: str = BACK,
        classes: Sequence[str] = (),
        seed: int = 1,
    ) -> None:
        for name, side in (("padding", padding), ("cutting", cutting)):
            if side not in SIDES:
                raise InputError(f"{name}: found {side!r}, expected front or back")
        if steps < 1:
            raise InputError(f"steps: found {steps}, expected 1 or more")
        self._split, self._sides, self.steps = rule.split(), (padding, cutting), steps
        self._sources = list(sources)
        self._vectors: Optional[VectorTable] = None
        read = _Reader(self._split, steps, cutting)
        for source in sources:
            read.add(source)
        parts = read.parts(validation, test, seed)
        names, labels = read.classes(parts, tuple(classes))
        ids, offsets = read.ids.mapped(), np.frombuffer(read.offsets, np.int64)
        numbered = read.numbered.words()
        if vectors:
            self._vectors = read_vectors(Path(vectors), rule.vocabulary)
            self.tokens: List[str] = self._vectors.words
        else:
            self.tokens = chosen_words(ids, parts == TRAIN, offsets, numbered, rule)
        if not self.tokens:
            raise InputError(f"{sources[0].path}: found no word in the training part, expected some")
        self._index = {word: id_ for id_, word in enumerate(self.tokens, FIRST_WORD)}
        replace_numbers(ids, numbered, self._index)
        keys = np.frombuffer(read.keys, np.uint64)
        examples = RaggedIds(ids, offsets, keys, steps, padding, cutting)
        self._without_words = np.frombuffer(read.empty, np.int64) if read.empty else np.zeros(0, np.int64)
        splits = rows_of_splits(parts, str(sources[0].path))
        files = [source.path for source in sources] + ([Path(vectors)] if vectors else [])
        super().__init__(Labelled(examples, labels, splits), files, names, "classes")

    def constants(self) -> Mapping[str, np.ndarray]:
        """``word_vectors``, float32 ``[ids, dimensions]``, where a file of them was given."""
        return {} if self._vectors is None else {"word_vectors": self._vectors.table}

    @property
    def words(self) -> int:
        """Ids there are, padding and "unknown" included."""
        return len(self.tokens) + FIRST_WORD

    def audit(self, kind: str, batch_size: int) -> List[AuditFinding]:
        """As for all own data, and the texts that hold no word."""
        meaning = "They are read as one unknown word."
        return [
            *super().audit(kind, batch_size),
            AuditFinding.of("texts without a word", self._without_words, meaning),
        ]

    def _sha256_of(self, path: Path) -> str:
        for source in self._sources:
            if isinstance(source, TextFolder) and source.path == path:
                return sha256_of_files(source.files(), path)
        return super()._sha256_of(path)

    def _more_hashes(self) -> Dict[str, str]:
        return {"vocabulary": sha256_of_words(self.tokens), "classes": sha256_of_words(self.class_names)}

    def render(self, inputs: np.ndarray) -> str:
        """The words of a row of ids, ``?`` for an unknown one, without padding."""
        ids = [int(id_) for id_ in inputs if id_ != PADDING]
        return " ".join(self.tokens[id_ - FIRST_WORD] if id_ >= FIRST_WORD else "?" for id_ in ids)

    def encode(self, items: Sequence[Any], names: Sequence[str]) -> List[Example]:
        """Texts (str, or a file's bytes) to rows of ids, in the same order."""
        return [self._encoded(item, name) for item, name in zip(items, names)]

    def _encoded(self, item: Union[str, bytes], name: str) -> Example:
        padding, cutting = self._sides
        text, reason = readable(item)
        if reason:
            return refusal(name, reason)
        words = self._split(text)
        if not words:
            return refusal(name, "nothing is left after cleaning")
        read = cut(words, self.steps, cutting)
        row = np.full(self.steps, PADDING, np.int32)
        fill(row, np.array([self._index.get(word, UNKNOWN) for word in read], np.int32), padding, cutting)
        all_words, all_read = ([word.encode("utf-8", "replace") for word in some] for some in (words, read))
        unknown = [word.encode("utf-8", "replace") for word in read if word not in self._index]
        notes = notes_on(all_words, all_read, unknown)
        if not (row >= FIRST_WORD).any():
            return refusal(
                name, why_all_unknown(notes, all_read, "last" if cutting == "front" else "first"), notes
            )
        return Example(name, row, notes, length=len(read))


class _Reader:
    """Goes through all texts once; keeps numbers of words, labels and splits, and no text."""

    def __init__(self, split: Any, steps: int, cutting: str) -> None:
        self._split, self._steps, self._cutting = split, steps, cutting
        self.numbered = Numbered()
        self.ids = Growing(np.int32)
        self.offsets, self.keys, self.empty = array("q", [0]), array("Q"), array("q")
        self._labels, self._parts = array("i"), array("b")
        self._names: Dict[str, int] = {}
        self._first: Dict[str, str] = {}
        self._source = ""

    def add(self, source: TextSource) -> None:
        self._source = self._source or str(source.path)
        for text, label, split, place in source.texts():
            words = self._split(text)
            if not words:
                self.empty.append(len(self._parts))
                words = [""]
            numbers = self.numbered.numbers(words)
            self.ids.append(numbers)
            self.offsets.append(self.offsets[-1] + len(numbers))
            self.keys.append(digest(cut(numbers, self._steps, self._cutting)))
            number = self._names.setdefault(label, len(self._names))
            if number == len(self._first):
                self._first[label] = place
                self._check_count(label)
            self._labels.append(number)
            self._parts.append(split)

    def _check_count(self, label: str) -> None:
        if len(self._names) > MOST_CLASSES:
            raise InputError(
                f"{self._first[label]}: found {len(self._names):,} different labels up to here "
                f"(as {label!r:.40}), expected names of at most {MOST_CLASSES:,} classes"
            )

    def parts(self, validation: float, test: float, seed: int) -> np.ndarray:
        """Each text's split, int8, those drawn by share included."""
        self._check_two(list(self._names))
        parts = np.frombuffer(self._parts, np.int8).copy()
        open_ = np.flatnonzero(parts == DRAWN)
        if len(open_):
            keys = np.frombuffer(self.keys, np.uint64)[open_]
            strata = np.frombuffer(self._labels, np.int32)[open_]
            try:
                parts[open_] = draw_splits(keys, strata, validation, test, seed)
            except InputError as error:
                raise InputError(f"{self._source}: {error}") from error
        return parts

    def _check_two(self, names: Sequence[str]) -> None:
        if len(names) < 2 or len(set(names)) < len(names):
            shown = list_of(names) or "no label"
            raise InputError(f"{self._source}: found {shown} alone, expected two classes or more")

    def classes(self, parts: np.ndarray, given: Tuple[str, ...]) -> Tuple[Tuple[str, ...], np.ndarray]:
        """The names of the classes, and each text's class, int64."""
        labels, found = np.frombuffer(self._labels, np.int32), list(self._names)
        trained = [found[number] for number in np.unique(labels[parts == TRAIN]).tolist()]
        names = given or names_of(trained)
        self._check_two(names)
        for label in found:
            if label not in names:
                raise InputError(
                    f"{self._first[label]}: found the label {label!r:.60}, "
                    f"expected one of {'the training part: ' if not given else ''}{list_of(names)}"
                )
        if given and len(trained) < len(given):
            missing = next(name for name in given if name not in trained)
            raise InputError(
                f"{self._source}: found no training text of the class {missing!r}, expected some"
            )
        numbers = np.array([names.index(label) for label in found], np.int64)
        return names, numbers[labels]
