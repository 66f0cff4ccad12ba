"""Reads the files that Keras publishes: ``imdb.npz`` with the reviews, ``imdb_word_index.json``."""

import re
from pathlib import Path
from typing import Any, Dict, List, Tuple

import numpy as np

from tf1_lstm.data.archives import iterate_members
from tf1_lstm.data.guards import kind_of, regular_file
from tf1_lstm.data.keras_files import MOST_IDS
from tf1_lstm.data.keras_reviews import Reviews
from tf1_lstm.data.keras_rule import FIRST_WORD, START, shuffled
from tf1_lstm.data.restricted_unpickler import load_lists
from tf1_lstm.errors import InputError
from tf1_lstm.files import read_json

WHAT = "Keras's imdb.npz (x_train, y_train, x_test and y_test)"
MEMBERS = ("x_train", "y_train", "x_test", "y_test")
MOST_BYTES = 32 << 20  # of one member; the largest published one has 14 million
_MOST_INDEX_BYTES = 32 << 20
_LONGEST_WORD = 1000
_MAGIC = b"\x93NUMPY\x01\x00"
_HEADER = re.compile(
    rb"\{'descr': '(\|O|<i8|<i4|\|i1|\|u1)', 'fortran_order': False, 'shape': \((\d{1,8})L?,\), \} *\n"
)


def read_reviews(path: Path) -> Dict[str, Reviews]:
    """The reviews of ``imdb.npz`` in the order in which ``load_data`` gives them, start markers added.

    Nothing in the file is executed; see ``restricted_unpickler``.

    Raises:
      InputError: missing, damaged, too large, or something else than lists of words' ranks and labels.
    """
    wanted = {f"{name}.npy" for name in MEMBERS}
    if kind_of(path) != "zip":
        raise InputError(f"{path}: found no zip archive, expected {WHAT}")
    content = dict(iterate_members(path, wanted.__contains__, len(MEMBERS) * MOST_BYTES, MOST_BYTES))
    missing = sorted(wanted.difference(content))
    if missing:
        raise InputError(f"{path}: found no {', '.join(missing)}, expected {WHAT}")
    splits = {}
    for split in ("train", "test"):
        ranks = _member(path, f"x_{split}", content.pop(f"x_{split}.npy"))
        labels = _member(path, f"y_{split}", content.pop(f"y_{split}.npy"))
        if len(ranks) != len(labels) or not len(ranks):
            raise InputError(
                f"{path}: found {len(ranks):,} reviews in x_{split} and {len(labels):,} labels in "
                f"y_{split}, expected as many of each"
            )
        splits[split] = (ranks, labels)
    orders = shuffled(len(splits["train"][0]), len(splits["test"][0]))
    return {split: _in_order(*splits[split], order) for split, order in zip(splits, orders)}


def read_words(path: Path, known: int) -> List[bytes]:
    """The words of ``imdb_word_index.json`` in order of rank, UTF-8.

    Args:
      path: the file: a JSON object of words and their ranks from 1.
      known: the words that there must be at least, since the reviews have their ranks.

    Raises:
      InputError: not such a file, or ranks that do not count from 1 without a gap.
    """
    what = "Keras's imdb_word_index.json (words and their ranks from 1)"
    with regular_file(path) as stream:
        size = stream.seek(0, 2)
    if size > _MOST_INDEX_BYTES:
        raise InputError(f"{path}: found {size:,} bytes, at most {_MOST_INDEX_BYTES:,} expected for {what}")
    index = read_json(path)
    ranks = set(index.values()) if isinstance(index, dict) and _all_numbers(index.values()) else set()
    if not ranks or ranks != set(range(1, len(index) + 1)):
        raise InputError(f"{path}: found ranks that are not 1, 2, 3 and so on, expected {what}")
    if len(ranks) < known:
        raise InputError(
            f"{path}: found {len(ranks):,} words, expected {known:,} or more, the ranks in the reviews"
        )
    words = []
    for word, _ in sorted(index.items(), key=lambda item: item[1]):
        content = word.encode("utf-8", "surrogatepass")
        if not content or b"\0" in content or len(content) > _LONGEST_WORD or _has_surrogate(word):
            raise InputError(f"{path}: found {word!r:.60} as a word, expected {what}")
        words.append(content)
    return words


def _member(path: Path, name: str, content: bytes) -> Any:
    """One array: lists of ranks for ``x_...``, int64 labels for ``y_...``."""
    kind, count, body = _parts(path, name, content)
    if name.startswith("x_"):
        if kind != "|O":
            raise InputError(f"{path}: {name}: found {kind}, expected an object array of lists of ranks")
        return _ranks(path, name, body, count)
    if kind == "|O" or len(body) != count * np.dtype(kind).itemsize:
        raise InputError(f"{path}: {name}: found {kind} ({len(body):,} bytes), expected {count:,} labels")
    labels = np.frombuffer(body, kind).astype(np.int64)
    strange = np.flatnonzero((labels != 0) & (labels != 1))
    if len(strange):
        raise InputError(
            f"{path}: {name}: found {int(labels[strange[0]])} in row {int(strange[0]):,}, "
            "expected 0 (negative) or 1 (positive)"
        )
    return labels


def _parts(path: Path, name: str, content: bytes) -> Tuple[str, int, bytes]:
    """Type, length and body of a member in NumPy's format, version 1.0."""
    length = int.from_bytes(content[8:10], "little")
    header = _HEADER.fullmatch(content[10 : 10 + length])
    if content[:8] != _MAGIC or header is None:
        raise InputError(f"{path}: {name}: found no one-dimensional .npy array, expected {WHAT}")
    return header.group(1).decode("ascii"), int(header.group(2)), content[10 + length :]


def _ranks(path: Path, name: str, body: bytes, count: int) -> List[List[int]]:
    try:
        reviews = load_lists(body)
    except ValueError as error:
        raise InputError(f"{path}: {name}: found {error}; expected lists of words' ranks") from error
    if len(reviews) != count:
        raise InputError(
            f"{path}: {name}: found {len(reviews):,} reviews, expected {count:,} as its header says"
        )
    largest = max((max(review) for review in reviews if review), default=0)
    if largest >= MOST_IDS - FIRST_WORD:
        raise InputError(
            f"{path}: {name}: found the rank {str(largest)[:20]}, expected less than {MOST_IDS:,}"
        )
    return reviews


def _in_order(ranks: List[List[int]], labels: np.ndarray, order: np.ndarray) -> Reviews:
    reviews = Reviews.of([[0, *ranks[row]] for row in order.tolist()], labels[order])
    ids = reviews.ids + np.int32(FIRST_WORD - 1)
    ids[reviews.offsets[:-1]] = START
    return reviews._replace(ids=ids)


def _all_numbers(values: Any) -> bool:
    return set(map(type, values)) <= {int}


def _has_surrogate(word: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in word)
