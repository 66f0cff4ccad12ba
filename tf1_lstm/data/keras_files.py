"""Reads and checks the files of ``prepare keras-imdb``, from whoever made them."""

from pathlib import Path
from typing import NamedTuple, Optional, Tuple

import numpy as np

from tf1_lstm.data.imdb_files import VECTORS_FILE, WORDS_FILE, read_checked
from tf1_lstm.data.keras_reviews import Reviews
from tf1_lstm.data.keras_rule import FIRST_WORD, START
from tf1_lstm.data.manifest import MANIFEST_FILE, check_manifest
from tf1_lstm.data.sources import data_folder, making
from tf1_lstm.errors import InputError

FOLDER = "keras-imdb"
SPLITS = ("train", "test")
MOST_IDS = 1 << 20  # far beyond any word list; keeps sums and tables of ids small


class Files(NamedTuple):
    """The checked content of one folder.

    Attributes:
      train, test: the reviews.
      words: ``[words]`` byte strings in order of rank, or None where there is no word list.
      vectors: ``[ids, dimensions]`` float32, by id, or None where there are none.
      known: ids that there are: 4 + the words (or 1 + the largest id where there is no word list).
    """

    train: Reviews
    test: Reviews
    words: Optional[np.ndarray]
    vectors: Optional[np.ndarray]
    known: int


def review_files(split: str) -> Tuple[str, str, str]:
    """Names of a split's files: all ids, where each review begins among them, and the labels."""
    return f"{split}Ids.npy", f"{split}Offsets.npy", f"{split}Labels.npy"


ALL_FILES = (*review_files("train"), *review_files("test"), WORDS_FILE, VECTORS_FILE, MANIFEST_FILE)


def holds_reviews(folder: Path) -> bool:
    """Whether the ids of a split are in ``folder``."""
    return any((folder / review_files(split)[0]).exists() for split in SPLITS)


def load_files(folder: Path) -> Files:
    """Map the files of ``folder`` into memory and check them, each alone and against the others.

    Raises:
      InputError: a file is missing, pickled, truncated, of the wrong type or shape, or holds numbers
        that cannot be: offsets that fall or lead outside, ids that no word has, other labels.
    """
    if not holds_reviews(folder):
        raise InputError(
            f"{folder}: found neither {review_files('train')[0]} nor {review_files('test')[0]}, "
            f"expected the prepared reviews ({making(FOLDER, data_folder(folder, FOLDER))})"
        )
    words = vectors = None
    if (folder / WORDS_FILE).exists():
        words = read_checked(folder / WORDS_FILE, "|S", 1, "the word list, byte strings [words]")
    train, test = (_read_reviews(folder, split) for split in SPLITS)
    largest = 1 + max(int(reviews.ids.max()) for reviews in (train, test))
    known = largest if words is None else FIRST_WORD + len(words)
    for split, reviews in zip(SPLITS, (train, test)):
        _check_ids(folder / review_files(split)[0], reviews, min(known, MOST_IDS))
    if (folder / VECTORS_FILE).exists():
        vectors = _read_vectors(folder / VECTORS_FILE, known)
    # Last: what is wrong in itself is told in itself.
    check_manifest(folder, ALL_FILES)
    return Files(train, test, words, vectors, known)


def _read_reviews(folder: Path, split: str) -> Reviews:
    paths = [folder / name for name in review_files(split)]
    ids = read_checked(paths[0], "int32", 1, "word ids, int32 [all ids]")
    offsets = read_checked(paths[1], "int64", 1, "offsets, int64 [reviews + 1]")
    labels = read_checked(paths[2], "int64", 1, "labels, int64 [reviews]")
    if offsets[0] != 0 or offsets[-1] != len(ids):
        raise InputError(
            f"{paths[1]}: found {int(offsets[0]):,} to {int(offsets[-1]):,}, "
            f"expected 0 to {len(ids):,}, the ids of {paths[0].name}"
        )
    falling = np.flatnonzero(offsets[1:] <= offsets[:-1])
    if len(falling):
        raise InputError(f"{paths[1]}: found no ids in review {int(falling[0]):,}, expected rising offsets")
    if len(labels) != len(offsets) - 1:
        raise InputError(
            f"{paths[2]}: found {len(labels):,} labels, expected {len(offsets) - 1:,}, one for each review"
        )
    strange = np.flatnonzero((labels != 0) & (labels != 1))
    if len(strange):
        raise InputError(
            f"{paths[2]}: found {int(labels[strange[0]])} in row {int(strange[0]):,}, "
            "expected 0 (negative) or 1 (positive)"
        )
    return Reviews(ids, offsets, labels)


def _check_ids(path: Path, reviews: Reviews, known: int) -> None:
    least, most = int(reviews.ids.min()), int(reviews.ids.max())
    if least < START or most >= known:
        found = least if least < START else most
        row = int(np.searchsorted(reviews.offsets, np.argmax(reviews.ids == found), side="right")) - 1
        raise InputError(f"{path}: found the id {found} in review {row:,}, expected {START} to {known - 1:,}")


def _read_vectors(path: Path, known: int) -> np.ndarray:
    vectors = read_checked(path, "float32", 2, "the word vectors, float32 [ids, dimensions]")
    if not FIRST_WORD < len(vectors) <= known:
        raise InputError(
            f"{path}: found {len(vectors):,} vectors, expected {FIRST_WORD + 1} to {known:,}, one for each id"
        )
    if not np.isfinite(vectors).all():
        raise InputError(f"{path}: found NaN or infinity, expected finite numbers")
    return vectors
