"""A plain text for a language model: characters or words, and the next one at every step."""

from array import array
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Sequence, Tuple, Union

import numpy as np

from tf1_lstm.data.archives import open_stream
from tf1_lstm.data.base import AuditFinding, Example, Split
from tf1_lstm.data.own.dataset import Labelled, OwnDataset
from tf1_lstm.data.own.examples import digest
from tf1_lstm.data.own.growing import Growing
from tf1_lstm.data.own.rows import LazyRows
from tf1_lstm.data.own.splits import (
    SPLITS,
    TEST,
    TRAIN,
    VALIDATION,
    Share,
    files_and_shares,
    in_order,
    shared_with,
)
from tf1_lstm.data.own.tables import MOST_BYTES, check_size, decoded_lines
from tf1_lstm.data.own.text_streams import StreamSampler, TextWindows
from tf1_lstm.data.own.words import Numbered, WordRule, chosen_words, sha256_of_words
from tf1_lstm.data.texts import readable, refusal
from tf1_lstm.errors import InputError

LINE_END = "<eos>"
UNKNOWN_TOKEN = "<unk>"
CHARACTERS, WORDS = TOKENS = ("characters", "words")
_AT_ONCE = 1 << 18
_LONG_LINE = {CHARACTERS: 40, WORDS: 8}  # tokens; shorter lines come twice by themselves


class TokenReading(NamedTuple):
    """How a text becomes tokens, and which tokens have an id.

    Attributes:
      tokens: ``"characters"`` or ``"words"`` (between white space; a line's end is ``<eos>``, as in the
        Penn Treebank reader).
      lower: lower case first.
      vocabulary: ids of the training part's most frequent tokens; 0 for all. Equal counts stand in the
        order of their first use (characters) or by code point (words).
      unknown: whether what has no id is read as ``<unk>``, which is the text's own word of that name or
        else one id more, the last; without it such a token is an error.
      encoding: of the files.
    """

    tokens: str = CHARACTERS
    lower: bool = False
    vocabulary: int = 0
    unknown: bool = True
    encoding: str = "utf-8"

    def split(self, line: str) -> Sequence[str]:
        """A line's tokens."""
        line = line.lower() if self.lower else line
        return line if self.tokens == CHARACTERS else line.replace("\n", f" {LINE_END} ").split()


DEFAULT_READING = TokenReading()


class CorpusDataset(OwnDataset):
    """A text as one run of ids, of which the model learns the next at every step.

    Args:
      file: the text; the training part alone where validation and test are files of their own.
      steps: ids of a batch's row.
      reading: see ``TokenReading``.
      validation, test: shares of the ids, which follow the training part in that order; or files.

    Attributes:
      tokens: by id.

    Raises:
      InputError: a file cannot be read or is too short; a token without an id where there is no
        ``<unk>``.
    """

    name = "own-plain-text"
    example_kind = "text"

    def __init__(
        self,
        file: str,
        steps: int,
        *,
        reading: TokenReading = DEFAULT_READING,
        validation: Share = 0.05,
        test: Share = 0.05,
    ) -> None:
        if reading.tokens not in TOKENS or steps < 1 or reading.vocabulary < 0:
            raise InputError(
                f"tokens, steps, vocabulary: found {reading.tokens!r}, {steps}, {reading.vocabulary}; "
                "expected characters or words, 1 or more, 0 or more"
            )
        self._reading, self.steps = reading, steps
        others, shares = files_and_shares(validation, test)
        numbers, paths = zip(*[(TRAIN, Path(file)), *others])
        read = _Reader(reading)
        ends = [read.add(path) for path in paths]
        ids = read.ids.mapped()
        shared = in_order(ends[0], shares[VALIDATION], shares[TEST])
        parts = np.concatenate(
            [shared, *(np.full(end - ends[0], n, np.int8) for end, n in zip(ends[1:2], numbers[1:]))]
        )
        if len(ends) == 3:
            parts = np.concatenate([parts, np.full(ends[2] - ends[1], numbers[2], np.int8)])
        self._ranges = {
            SPLITS[number]: (int(rows[0]), len(rows))
            for number in (TEST, VALIDATION, TRAIN)
            for rows in (np.flatnonzero(parts == number),)
            if len(rows)
        }
        if "train" not in self._ranges:
            raise InputError(f"{file}: found no training part, expected one")
        self._check_lengths(file)
        found = read.numbered.words()
        names, unknown = self._vocabulary(ids, found)
        self.unknown_id = unknown
        self._index = {word: id_ for id_, word in enumerate(names)}
        self._apply(ids, found, file)
        self.tokens = list(names)
        self._lines = np.frombuffer(read.lines, np.int64), np.frombuffer(read.line_keys, np.uint64)
        windows = TextWindows(ids, steps)
        splits = {name: self._windows_of(name) for name in self._ranges}
        self._windows = windows
        super().__init__(Labelled(windows, ids, splits), paths, tuple(names), "next")

    @property
    def words(self) -> int:
        """Ids there are, ``<unk>`` included."""
        return len(self.tokens)

    def split(self, name: str) -> Split:
        """A split's text in order, cut into runs of ``steps`` ids; what is left at the end is left out."""
        rows, windows = self.rows_of(name), self._windows
        inputs: Any = LazyRows(windows.inputs, rows, windows.shape, np.int32)
        targets: Any = LazyRows(windows.targets, rows, windows.shape, np.int32)
        _, count = self._ranges[name]
        note = f"{len(rows) * self.steps:,} of {count:,} {self._reading.tokens}, in runs of {self.steps:,}"
        return Split(name, inputs, targets, note)

    def train_sampler(self, kind: str, batch_size: int, seed: int) -> StreamSampler:  # type: ignore[override]
        """The training part in contiguous streams, the same in every epoch and for every seed."""
        return StreamSampler(self._windows, self._ranges["train"], batch_size)

    def test_sampler(self, kind: str, batch_size: int, seed: int) -> StreamSampler:  # type: ignore[override]
        """The split to report first in the same way."""
        return StreamSampler(self._windows, self._ranges[self.split_names()[0]], batch_size)

    def audit(self, kind: str, batch_size: int) -> List[AuditFinding]:
        """Long lines that stand in the training part too."""
        places, keys = self._lines
        findings = []
        of_split = {
            name: np.flatnonzero((places >= first) & (places < first + count))
            for name, (first, count) in self._ranges.items()
        }
        for name, lines in of_split.items():
            if name != "train":
                shared = shared_with(keys, lines, of_split["train"])
                least = f"{_LONG_LINE[self._reading.tokens]} {self._reading.tokens}"
                meaning = f"Of {len(lines):,} lines of {least} or more; rows are places in the text."
                findings.append(
                    AuditFinding.of(f"{name} lines that are training lines too", places[shared], meaning)
                )
        return findings

    def _more_hashes(self) -> Dict[str, str]:
        return {"vocabulary": sha256_of_words(self.tokens)}

    def render(self, inputs: np.ndarray) -> str:
        """The text of some ids."""
        between = "" if self._reading.tokens == CHARACTERS else " "
        return between.join(self.tokens[int(id_)] for id_ in inputs)

    def encode(self, items: Sequence[Any], names: Sequence[str]) -> List[Example]:
        """The last ``steps`` tokens of texts (str or bytes), to foretell what comes next."""
        return [self._encoded(item, name) for item, name in zip(items, names)]

    def _encoded(self, item: Union[str, bytes], name: str) -> Example:
        _, reason = readable(item)
        if reason and reason != "the text is empty":
            return refusal(name, reason)
        tokens = list(self._reading.split(item if isinstance(item, str) else item.decode("utf-8-sig")))
        if not tokens:
            return refusal(name, "the text is empty")
        read = tokens[-self.steps :]
        unknown = [token for token in read if token not in self._index]
        if unknown and self.unknown_id < 0:
            return refusal(name, f"{unknown[0]!r} is not in the vocabulary")
        row = np.zeros(self.steps, np.int32)
        row[: len(read)] = [self._index.get(token, self.unknown_id) for token in read]
        notes = {
            self._reading.tokens: len(tokens),
            "read": len(read),
            "unknown": list(dict.fromkeys(unknown))[:5],
        }
        return Example(name, row, notes, length=len(read))

    def tokens_of(self, name: str) -> int:
        """How many characters or words a split holds."""
        return self._ranges[name][1]

    def _check_lengths(self, file: str) -> None:
        for name, (_, count) in self._ranges.items():
            if count <= self.steps:
                raise InputError(
                    f"{file}: found {count:,} {self._reading.tokens} for {name}, "
                    f"expected more than {self.steps:,}, the steps"
                )

    def _windows_of(self, name: str) -> np.ndarray:
        first, count = self._ranges[name]
        return first + self.steps * np.arange((count - 1) // self.steps)

    def _vocabulary(self, ids: np.ndarray, found: List[str]) -> Tuple[List[str], int]:
        """The tokens by id, and the id of "unknown" or -1."""
        first, count = self._ranges["train"]
        cuts = np.unique(np.r_[np.arange(0, len(ids), _AT_ONCE), first, first + count, len(ids)])
        used = (cuts[:-1] >= first) & (cuts[:-1] < first + count)
        rule = WordRule(vocabulary=self._reading.vocabulary)
        ties = None if self._reading.tokens == CHARACTERS else np.argsort(np.argsort(np.array(found, object)))
        names = chosen_words(ids, used, cuts, found, rule, reserved=0, ties=ties)
        if UNKNOWN_TOKEN in names:
            return names, names.index(UNKNOWN_TOKEN)
        if self._reading.unknown:
            return [*names, UNKNOWN_TOKEN], len(names)
        return names, -1

    def _apply(self, ids: np.ndarray, found: List[str], file: str) -> None:
        final = np.array([self._index.get(token, self.unknown_id) for token in found], np.int32)
        for start in range(0, len(ids), _AT_ONCE):
            block = ids[start : start + _AT_ONCE]
            if self.unknown_id < 0 and (final[block] < 0).any():
                place = int(np.argmax(final[block] < 0))
                raise InputError(
                    f"{file}: found {found[block[place]]!r} at place {start + place:,} of the "
                    f"{self._reading.tokens}, expected one of the vocabulary "
                    f"(unknown=True reads it as {UNKNOWN_TOKEN})"
                )
            ids[start : start + _AT_ONCE] = final[block]


class _Reader:
    """Reads texts line by line; keeps numbers of tokens and hashes of long lines."""

    def __init__(self, reading: TokenReading) -> None:
        self._reading, self.numbered = reading, Numbered()
        self.ids = Growing(np.int32)
        self.lines, self.line_keys = array("q"), array("Q")
        self._count = 0

    def add(self, path: Path) -> int:
        """Read one file; returns how many tokens there are now."""
        check_size(path)
        least = _LONG_LINE[self._reading.tokens]
        with open_stream(path, limit=MOST_BYTES) as stream:
            for line in decoded_lines(stream, path, self._reading.encoding):
                numbers = self.numbered.numbers(self._reading.split(line))
                if len(numbers) >= least:
                    self.lines.append(self._count)
                    self.line_keys.append(digest(numbers))
                self.ids.append(numbers)
                self._count += len(numbers)
        return self._count
