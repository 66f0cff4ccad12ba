"""Reads and checks the tutorial's ``.npy`` files, from whoever made them."""

from pathlib import Path
from typing import NamedTuple, Optional, Tuple

import numpy as np

from tf1_lstm.data.manifest import MANIFEST_FILE, check_manifest
from tf1_lstm.data.sources import data_folder, making
from tf1_lstm.errors import InputError
from tf1_lstm.files import read_json, read_npy

WORDS_FILE = "wordsList.npy"
VECTORS_FILE = "wordVectors.npy"
TRAIN_FILE = "idsMatrix.npy"
TEST_FILE = "idsMatrixTest.npy"
PUBLISHED_WORDS = 400_000
PUBLISHED_ROWS = 25_000
LEAST_ROWS = 26  # below, a twenty-fifth of each class is less than one review


class ImdbArrays(NamedTuple):
    """The checked content of one folder.

    Attributes:
      words: ``[words]`` byte strings.
      vectors: ``[words, dimensions]`` float32.
      ids: ``[rows, steps]`` int32; the first half positive, the second half negative.
      test_ids: the same for the official test reviews, or None where the file is not there.
    """

    words: np.ndarray
    vectors: np.ndarray
    ids: np.ndarray
    test_ids: Optional[np.ndarray]


def find_folder(folder: Path) -> Path:
    """``folder`` itself where it holds the id matrix, else its sub-folder ``imdb`` where there is one."""
    below = Path(folder) / "imdb"
    return below if not (Path(folder) / TRAIN_FILE).exists() and below.is_dir() else Path(folder)


def load_arrays(folder: Path) -> ImdbArrays:
    """Map the files of ``folder`` into memory and check them, each alone and against the others.

    Raises:
      InputError: a file is missing, pickled, truncated, of the wrong type or shape, holds NaN or
        an id outside the vocabulary, or has too few rows for the splits.
    """
    if not any((folder / name).exists() for name in (WORDS_FILE, VECTORS_FILE, TRAIN_FILE)):
        raise InputError(
            f"{folder}: found none of {WORDS_FILE}, {VECTORS_FILE} and {TRAIN_FILE}, "
            f"expected all three ({making('imdb', data_folder(folder, 'imdb'))})"
        )
    words = read_checked(folder / WORDS_FILE, "|S", 1, "the word list, byte strings [words]")
    vectors = read_checked(
        folder / VECTORS_FILE, "float32", 2, "the word vectors, float32 [words, dimensions]"
    )
    _check_vocabulary(words, vectors, folder)
    ids = _read_ids(folder / TRAIN_FILE, len(words))
    _check_rows(ids, len(words), folder)
    test_ids = None
    if (folder / TEST_FILE).exists():
        test_ids = _read_ids(folder / TEST_FILE, len(words))
        _check_test(test_ids, ids, folder)
    # Last: what is wrong in itself is told in itself.
    check_manifest(folder, (WORDS_FILE, VECTORS_FILE, TRAIN_FILE, TEST_FILE))
    return ImdbArrays(words, vectors, ids, test_ids)


def read_checked(path: Path, dtype: str, rank: int, what: str) -> np.ndarray:
    array = np.asarray(read_npy(path, what, mmap=True))
    fits = array.dtype.kind == "S" if dtype == "|S" else array.dtype == np.dtype(dtype)
    if not fits or array.ndim != rank or 0 in array.shape:
        raise InputError(f"{path}: found {array.dtype} {list(array.shape)}, expected {what}")
    return array


def _read_ids(path: Path, words: int) -> np.ndarray:
    ids = read_checked(path, "int32", 2, "word ids, int32 [reviews, steps]")
    least, most = int(ids.min()), int(ids.max())
    if least < 0 or most >= words:
        outside = least if least < 0 else most
        row = int(np.argmax((ids == outside).any(axis=1)))
        raise InputError(
            f"{path}: found the id {outside} in row {row:,}, expected 0 to {words - 1:,} ({words:,} words)"
        )
    if len(ids) % 2:
        raise InputError(
            f"{path}: found {len(ids):,} rows, expected an even number: as many positive as negative reviews"
        )
    return ids


def _check_vocabulary(words: np.ndarray, vectors: np.ndarray, folder: Path) -> None:
    if len(words) != len(vectors):
        raise InputError(
            f"{folder / VECTORS_FILE}: found {len(vectors):,} vectors, "
            f"expected {len(words):,}, one for each word of {WORDS_FILE}"
        )
    if len(words) < 2:
        raise InputError(f"{folder / WORDS_FILE}: found 1 word, expected the padding, words, and 'unknown'")
    finite = np.isfinite(vectors).all(axis=1)
    if not finite.all():
        raise InputError(
            f"{folder / VECTORS_FILE}: found NaN or infinity in row {int(np.argmin(finite)):,}, "
            "expected finite numbers"
        )


def _check_rows(ids: np.ndarray, words: int, folder: Path) -> None:
    """Enough rows for the splits, and no cut-off copy: its second half would have the wrong labels."""
    rows, path = len(ids), folder / TRAIN_FILE
    expected, source = _expected_rows(words, folder)
    if expected is not None and rows != expected:
        raise InputError(f"{path}: found {rows:,} rows, expected {expected:,} {source}")
    if rows < LEAST_ROWS:
        raise InputError(f"{path}: found {rows:,} rows, expected at least {LEAST_ROWS} for train and test")


def _expected_rows(words: int, folder: Path) -> Tuple[Optional[int], str]:
    manifest = folder / MANIFEST_FILE
    if manifest.is_file():
        document = read_json(manifest)
        try:
            return int(document["files"][TRAIN_FILE]["shape"][0]), f"as {MANIFEST_FILE} says"
        except (KeyError, TypeError, IndexError, ValueError) as error:
            raise InputError(
                f"{manifest}: no shape of {TRAIN_FILE} in it, expected prepare's manifest"
            ) from error
    if words == PUBLISHED_WORDS:
        return PUBLISHED_ROWS, "(half positive, half negative) as published"
    return None, ""


def _check_test(test_ids: np.ndarray, ids: np.ndarray, folder: Path) -> None:
    if test_ids.shape[1] != ids.shape[1]:
        raise InputError(
            f"{folder / TEST_FILE}: found {test_ids.shape[1]} steps, "
            f"expected {ids.shape[1]} as in {TRAIN_FILE}"
        )
