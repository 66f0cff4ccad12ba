"""Reads GloVe's text files and lays them out as the tutorial's word list and word vectors."""

import hashlib
import warnings
from itertools import islice
from pathlib import Path
from typing import IO, Iterator, List, NamedTuple, Tuple

import numpy as np

from tf1_lstm.data.archives import open_stream
from tf1_lstm.data.progress import Progress, complete, silent
from tf1_lstm.errors import InputError

PADDING = b"0"
UNKNOWN = b"unk"
GLOVE_WORDS = 400_000
DIMENSIONS = 50  # the tutorial's
_WRAPPINGS = ("", ".xz", ".gz", ".zip")
_LINES_AT_ONCE = 4096
_LONGEST_LINE = 1 << 16
_LIMIT = 2 << 30
_OTHER_SPACE = (b"\t", b"\r", b"\v", b"\f")
_LARGEST = float(np.finfo(np.float32).max)


class WordTable(NamedTuple):
    """Words and their vectors, row by row.

    Attributes:
      words: ``[words]`` byte strings (UTF-8).
      vectors: ``[words, dimensions]`` float32.
      sha256: of the text file's unpacked bytes, or empty where there was none.
    """

    words: List[bytes]
    vectors: np.ndarray
    sha256: str


def find_glove(path: Path, dimensions: int = DIMENSIONS) -> Path:
    """``path`` itself, or the GloVe file in the folder ``path`` or in its sub-folder ``glove``.

    Raises:
      InputError: a folder without ``glove.6B.50d.txt`` (or another number), packed or not.
    """
    if not Path(path).is_dir():
        return Path(path)
    names = [f"glove.6B.{dimensions}d.txt{wrapping}" for wrapping in _WRAPPINGS] + ["glove.6B.zip"]
    for folder in (Path(path), Path(path) / "glove"):
        for name in names:
            if (folder / name).is_file():
                return folder / name
    raise InputError(f"{path}: found no GloVe file in the folder, expected one of {', '.join(names)}")


def read_glove(path: Path, progress: Progress = silent, dimensions: int = DIMENSIONS) -> WordTable:
    """Read a GloVe text file: one word and its numbers a line, separated by single spaces.

    Args:
      path: the text itself, packed as ``.xz``, ``.gz`` or ``.zip``, or a folder that holds it.
      progress: shows how many words have been read.
      dimensions: which of several files to take from a zip or a folder.

    Raises:
      InputError: a line without a word or with another number of values than the first line, a
        value that is not a finite number, a word that stands twice, bytes that are not UTF-8.
    """
    digest = hashlib.sha256()
    words: List[bytes] = []
    blocks: List[np.ndarray] = []
    width = 0
    path = find_glove(path, dimensions)
    show = progress(GLOVE_WORDS, "word vectors", "words")
    with open_stream(path, f"*{dimensions}d.txt", _LIMIT) as stream, show as bar:
        for lines in _blocks_of_lines(stream, path, digest):
            if not width:
                width = max(len(lines[0].split(b" ")) - 1, 0)
            block_words, vectors = _parse(lines, width, len(words), path)
            words += block_words
            blocks.append(vectors)
            bar.update(len(lines))
        complete(bar)
    if not words:
        raise InputError(f"{path}: empty; expected a word and its numbers in each line (GloVe's text format)")
    _check_words(words, path)
    return WordTable(words, np.concatenate(blocks), digest.hexdigest())


def tutorial_table(glove: WordTable, path: Path) -> WordTable:
    """Rearrange GloVe as the published ``wordsList.npy`` and ``wordVectors.npy`` are.

    Row 0 becomes ``'0'`` with a zero vector, which is the padding; the word that stood there
    (``the``) moves to the row of ``unk``; and ``unk``, which stands for every unknown word, moves
    to the last row, whose own word is dropped. Source: the published files themselves.

    Raises:
      InputError: where ``unk`` is not found between the first and the last word.
    """
    words, vectors = list(glove.words), glove.vectors.copy()
    last = len(words) - 1
    try:
        row = words.index(UNKNOWN, 1, last)
    except ValueError:
        raise InputError(
            f"{path}: no word 'unk' between the first and the last of {len(words):,} words; "
            "expected GloVe 6B, whose 'unk' stands for unknown words"
        ) from None
    words[last], vectors[last] = words[row], vectors[row]
    words[row], vectors[row] = words[0], vectors[0]
    words[0], vectors[0] = PADDING, 0.0
    return WordTable(words, vectors, glove.sha256)


def _blocks_of_lines(stream: IO[bytes], path: Path, digest: "hashlib._Hash") -> Iterator[List[bytes]]:
    """Lines without their ends, some thousand at a time; every byte goes through ``digest``."""
    while True:
        lines = list(islice(iter(lambda: stream.readline(_LONGEST_LINE), b""), _LINES_AT_ONCE))
        if not lines:
            return
        digest.update(b"".join(lines))
        if any(len(line) >= _LONGEST_LINE for line in lines):
            raise InputError(
                f"{path}: a line of {_LONGEST_LINE:,} bytes or more; expected GloVe's text format"
            )
        yield [line.rstrip(b"\r\n") for line in lines]


def _parse(lines: List[bytes], dimensions: int, before: int, path: Path) -> Tuple[List[bytes], np.ndarray]:
    """A block of lines to words and a float32 ``[lines, dimensions]``."""
    words, numbers = [], []
    for line in lines:
        word, _, rest = line.partition(b" ")
        words.append(word)
        numbers.append(rest)
    fits = dimensions > 0 and all(words) and all(rest.count(b" ") == dimensions - 1 for rest in numbers)
    text = b" ".join(numbers)
    fits = fits and not any(space in text for space in _OTHER_SPACE)
    vectors = _floats(text) if fits else np.empty(0, np.float32)
    if not fits or vectors.size != len(lines) * dimensions or not np.isfinite(vectors).all():
        for number, line in enumerate(lines, before + 1):
            _refuse_if_malformed(line, number, dimensions, path)
        raise InputError(f"{path}: malformed between lines {before + 1:,} and {before + len(lines):,}")
    return words, vectors.reshape(len(lines), dimensions)


def _floats(text: bytes) -> np.ndarray:
    """Decimal numbers to float32 in one call; shorter than expected where one is malformed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return np.fromstring(text, dtype=np.float32, sep=" ")


def _refuse_if_malformed(line: bytes, number: int, dimensions: int, path: Path) -> None:
    word, *values = line.split(b" ")
    where = f"{path}: line {number:,}"
    if not word or not values:
        raise InputError(f"{where}: found {line[:60]!r}, expected a word and its numbers")
    if len(values) != dimensions:
        raise InputError(f"{where}: found {len(values)} numbers, expected {dimensions} as in line 1")
    for value in values:
        try:
            finite = abs(float(value)) <= _LARGEST
        except ValueError:
            finite = False
        if not finite:
            raise InputError(f"{where}: found {value[:30]!r}, expected a finite number")


def _check_words(words: List[bytes], path: Path) -> None:
    seen = set()
    for number, word in enumerate(words, 1):
        if word in seen:
            shown = word.decode("utf-8", "replace")
            raise InputError(
                f"{path}: line {number:,}: found {shown!r} a second time, expected each word once"
            )
        seen.add(word)
        if b"\0" in word:
            raise InputError(f"{path}: line {number:,}: found a NUL byte, expected text")
    try:
        b"\n".join(words).decode("utf-8")
    except UnicodeDecodeError as error:
        number = error.object[: error.start].count(b"\n") + 1
        raise InputError(
            f"{path}: line {number:,}: found bytes that are not UTF-8, expected UTF-8"
        ) from error
