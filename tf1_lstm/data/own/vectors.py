"""Words and their vectors from text files of GloVe, word2vec or fastText, of any width."""

import warnings
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Dict, Iterator, List, NamedTuple, Tuple

import numpy as np

from tf1_lstm.data.archives import open_stream
from tf1_lstm.data.own.examples import FIRST_WORD, PADDING, UNKNOWN
from tf1_lstm.data.own.growing import Growing
from tf1_lstm.data.own.tables import MOST_BYTES
from tf1_lstm.errors import InputError

_LINES_AT_ONCE = 2048
_LONGEST_LINE = 1 << 18
_UNKNOWN_WORDS = ("<unk>", "<UNK>", "[UNK]", "unk", "UNK", "UNKNOWN")
_FORMAT = "a word and its numbers in each line (GloVe's or word2vec's text format)"


class VectorTable(NamedTuple):
    """Words with an id and a vector each.

    Attributes:
      words: by id, from ``FIRST_WORD``.
      table: float32 ``[ids, dimensions]``; 0 (padding) is a zero vector; 1 ("unknown") is that of the
        file's own word for it (``<unk>``, ``unk``, ...), or else the mean of all that were read.
    """

    words: List[str]
    table: np.ndarray


def read_vectors(path: Path, vocabulary: int = 0) -> VectorTable:
    """Read the first words of a file, or all; of a word that stands twice the first counts.

    The first line may hold the numbers of words and of dimensions, as word2vec and fastText write it.
    A word may hold spaces, as a few of GloVe's do: the last numbers of a line are its vector.

    Args:
      path: the text, or the text packed (``.gz``, ``.xz``, ``.zip``).
      vocabulary: ids to read at most, padding and "unknown" included; 0 for all.

    Raises:
      InputError: missing, empty or damaged; a line of another width than the first, or without a
        word; a value that is no finite number; bytes that are not UTF-8.
    """
    most = vocabulary - FIRST_WORD if vocabulary else 0
    found: Dict[str, int] = {}
    growing, dimensions = Growing(np.float32), 0
    with open_stream(path, limit=MOST_BYTES) as stream:
        before, stated = 0, _stated(stream, path)
        for block in _blocks(stream, path):
            lines = block
            if not dimensions:
                before, lines, dimensions = _begin(stated, block, path)
                growing.append(np.zeros(FIRST_WORD * dimensions, np.float32))
            words, vectors = _parse(lines, dimensions, before, path)
            new = [
                place
                for place, word in enumerate(words)
                if found.setdefault(word, before + place) == before + place
            ]
            taken = new if not most else new[: most - (len(found) - len(new))]
            for place in new[len(taken) :]:
                del found[words[place]]
            growing.append(np.ascontiguousarray(vectors[taken]))
            before += len(lines)
            if most and len(found) >= most:
                break
    if not found:
        raise InputError(f"{path}: found no word, expected {_FORMAT}")
    words = list(found)
    table = growing.mapped().reshape(-1, dimensions)
    own = next((word for word in _UNKNOWN_WORDS if word in found), None)
    table[UNKNOWN] = table[FIRST_WORD + words.index(own)] if own else _mean(table[FIRST_WORD:])
    table[PADDING] = 0
    return VectorTable(words, table)


def _mean(table: np.ndarray) -> np.ndarray:
    total = np.zeros(table.shape[1])
    for start in range(0, len(table), _LINES_AT_ONCE):
        total += table[start : start + _LINES_AT_ONCE].sum(axis=0, dtype=np.float64)
    return total / len(table)


def _stated(stream: BinaryIO, path: Path) -> bytes:
    line = stream.readline(_LONGEST_LINE)
    if not line.strip():
        raise InputError(f"{path}: line 1: found nothing, expected {_FORMAT}")
    return line


def _begin(first: bytes, lines: List[bytes], path: Path) -> Tuple[int, List[bytes], int]:
    """The lines before the first of ``lines``, ``lines`` with the first one where it is none, the width."""
    fields = first.split()
    if len(fields) == 2 and all(field.isdigit() for field in fields):
        if not 0 < int(fields[1]) < 1 << 16:
            raise InputError(f"{path}: line 1: found {int(fields[1]):,} dimensions, expected {_FORMAT}")
        return 1, lines, int(fields[1])
    if len(fields) < 2:
        raise InputError(f"{path}: line 1: found {first[:60]!r}, expected {_FORMAT}")
    # Of a first word with spaces nobody can say where it ends.
    return 0, [first.rstrip(), *lines], len(fields) - 1


def _blocks(stream: BinaryIO, path: Path) -> Iterator[List[bytes]]:
    """Lines without the white space at their ends, some thousand at a time, one block at least."""
    first = True
    while True:
        lines = list(islice(iter(lambda: stream.readline(_LONGEST_LINE), b""), _LINES_AT_ONCE))
        if any(len(line) >= _LONGEST_LINE for line in lines):
            raise InputError(f"{path}: found a line of {_LONGEST_LINE:,} bytes or more, expected {_FORMAT}")
        if lines or first:
            yield [line.rstrip(b" \r\n\t") for line in lines]
        if not lines:
            return
        first = False


def _parse(lines: List[bytes], dimensions: int, before: int, path: Path) -> Tuple[List[str], np.ndarray]:
    words, numbers = [], []
    for number, line in enumerate(lines, before + 1):
        fields = line.rsplit(None if b"\t" in line else b" ", dimensions)
        if len(fields) != dimensions + 1 or not fields[0]:
            found = len(line.split()) - 1
            raise InputError(
                f"{path}: line {number:,}: found {max(found, 0)} numbers, expected a word and {dimensions} "
                "as in line 1"
            )
        try:
            words.append(fields[0].decode("utf-8"))
        except UnicodeDecodeError as error:
            raise InputError(
                f"{path}: line {number:,}: found bytes that are not UTF-8, expected UTF-8"
            ) from error
        numbers += fields[1:]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        vectors = np.fromstring(b" ".join(numbers), dtype=np.float32, sep=" ")
    if vectors.size != len(numbers) or not np.isfinite(vectors).all():
        _refuse(numbers, dimensions, before, path)
    return words, vectors.reshape(len(lines), dimensions)


def _refuse(numbers: List[bytes], dimensions: int, before: int, path: Path) -> None:
    for place, value in enumerate(numbers):
        try:
            fits = np.isfinite(np.float32(float(value)))
        except ValueError:
            fits = False
        if not fits:
            line = before + 1 + place // dimensions
            raise InputError(f"{path}: line {line:,}: found {value[:30]!r}, expected a finite number")
    raise InputError(f"{path}: found malformed numbers near line {before + 1:,}, expected {_FORMAT}")
