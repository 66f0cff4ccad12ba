"""A prepared folder of Keras's reviews is checked when it is opened, its files alone and together."""

from pathlib import Path

import numpy as np
import pytest

from tests.data.small_keras import GLOVE, prepared_folder
from tf1_lstm.data.keras_files import load_files
from tf1_lstm.errors import InputError


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A folder of the test's own, to be damaged."""
    return prepared_folder(tmp_path, glove=GLOVE) / "keras-imdb"


def save(path: Path, array: np.ndarray) -> None:
    np.save(str(path), array, allow_pickle=True)


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("trainIds.npy", np.array([{}]), "pickled"),
        ("trainIds.npy", np.zeros(40), r"found float64 \[40\], expected word ids, int32"),
        ("trainIds.npy", np.zeros((4, 10), np.int32), r"found int32 \[4, 10\], expected word ids"),
        ("trainIds.npy", np.full(39, 304, np.int32), "found the id 304 in review 0, expected 1 to 303"),
        ("testIds.npy", np.full(15, 0, np.int32), "found the id 0 in review 0, expected 1 to 303"),
        ("testIds.npy", np.full(15, -7, np.int32), "found the id -7 in review 0"),
        ("testIds.npy", np.full(14, 1, np.int32), r"testOffsets\.npy: found 0 to 15, expected 0 to 14"),
        (
            "testOffsets.npy",
            np.array([0, 4, 8, 15], np.int64),
            "found 4 labels, expected 3, one for each review",
        ),
        ("testOffsets.npy", np.array([0, 4, 4, 8, 15], np.int64), "found no ids in review 1"),
        ("testOffsets.npy", np.array([0, 9, 4, 8, 15], np.int64), "found no ids in review 1"),
        ("testOffsets.npy", np.array([0, 4, 8, 12, 99], np.int64), "found 0 to 99, expected 0 to 15"),
        ("testOffsets.npy", np.array([1, 4, 8, 12, 15], np.int64), "found 1 to 15"),
        (
            "testOffsets.npy",
            np.array([0, 4, 8, 12, 15], np.int32),
            r"found int32 \[5\], expected offsets, int64",
        ),
        ("testLabels.npy", np.array([0, 1, 2, 0], np.int64), "found 2 in row 2, expected 0 .negative. or 1"),
        ("testLabels.npy", np.zeros(4), r"found float64 \[4\], expected labels, int64"),
        ("wordsList.npy", np.array(["a", "b"]), r"found <U1 \[2\], expected the word list, byte strings"),
        (
            "wordsList.npy",
            np.array([b"a", b"b"]),
            r"Ids\.npy: found the id \d+ in review \d, expected 1 to 5",
        ),
        (
            "wordVectors.npy",
            np.zeros((10, 3)),
            r"found float64 \[10, 3\], expected the word vectors, float32",
        ),
        ("wordVectors.npy", np.full((10, 3), np.nan, np.float32), "found NaN or infinity, expected finite"),
        (
            "wordVectors.npy",
            np.zeros((305, 3), np.float32),
            "found 305 vectors, expected 5 to 304, one for each id",
        ),
    ],
)
def test_refuses_a_file_that_does_not_fit(copy: Path, name: str, array: np.ndarray, message: str) -> None:
    save(copy / name, array)
    with pytest.raises(InputError, match=message) as error:
        load_files(copy)
    assert str(error.value).startswith(str(copy))
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize("name", ["trainIds.npy", "testOffsets.npy", "trainLabels.npy", "wordsList.npy"])
def test_refuses_a_file_that_is_cut_off_or_something_else(copy: Path, name: str) -> None:
    path = copy / name
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match=rf"{name}: truncated: .* bytes found"):
        load_files(copy)
    path.write_bytes(b"PK\x03\x04 not an array")
    with pytest.raises(InputError, match=rf"{name}: not a \.npy file"):
        load_files(copy)


def test_refuses_a_folder_with_a_file_missing(copy: Path, tmp_path: Path) -> None:
    (copy / "testLabels.npy").unlink()
    with pytest.raises(InputError, match=r"testLabels\.npy: no such file; expected labels, int64"):
        load_files(copy)
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        InputError, match=r"found neither trainIds\.npy nor testIds\.npy, .*prepare keras-imdb"
    ):
        load_files(tmp_path / "empty")
