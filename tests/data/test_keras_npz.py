"""Keras's own files are read as Keras reads them, and nothing in a hostile one is ever executed."""

import json
import os
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any, Dict, List

import numpy as np
import pytest

from tests.data.small_keras import TRAIN, WORDS, arrays, npy, objects, write_index, write_npz
from tf1_lstm.cli import main
from tf1_lstm.data.keras_npz import read_reviews, read_words
from tf1_lstm.data.restricted_unpickler import load_lists
from tf1_lstm.errors import InputError


def load_data(path: Path, monkeypatch: Any, **options: Any) -> Any:
    """``keras.datasets.imdb.load_data`` itself, of a file that is there."""
    from tensorflow.python.keras.datasets import imdb

    monkeypatch.setattr(imdb, "get_file", lambda name, **_: name)
    return imdb.load_data(path=str(path), **options)


def assert_as_keras_reads_it(path: Path, monkeypatch: Any) -> None:
    found = read_reviews(path)
    for reviews, (rows, labels) in zip(
        (found["train"], found["test"]), load_data(path, monkeypatch, num_words=1000)
    ):
        assert [reviews.review(row).tolist() for row in range(len(reviews.labels))] == [
            list(row) for row in rows
        ]
        assert reviews.labels.tolist() == labels.tolist()


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_reads_what_keras_load_data_reads(tmp_path: Path, protocol: int, monkeypatch: Any) -> None:
    assert_as_keras_reads_it(write_npz(tmp_path / "imdb.npz", protocol), monkeypatch)


def test_reads_what_numpy_itself_writes(tmp_path: Path, monkeypatch: Any) -> None:
    for save in (np.savez, np.savez_compressed):
        save(str(tmp_path / "imdb.npz"), **arrays())
        assert_as_keras_reads_it(tmp_path / "imdb.npz", monkeypatch)


def python_2_pickle(rows: List[List[int]]) -> bytes:
    """What Python 2 wrote for an object array: byte strings, no ``_codecs``."""
    items = b"".join(b"]q\x10(" + b"".join(struct.pack("<BH", 0x4D, i) for i in row) + b"e" for row in rows)
    return (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\nq\x01cnumpy\nndarray\nq\x02K\x00\x85q\x03U\x01bq\x04"
        b"\x87q\x05Rq\x06(K\x01K"
        + bytes([len(rows)])
        + b"\x85q\x07cnumpy\ndtype\nq\x08U\x02O8q\x09K\x00K\x01"
        b"\x87q\x0aRq\x0b(K\x03U\x01|q\x0cNNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?tq\x0db\x89]q\x0e("
        + items
        + b"etq\x0fb."
    )


def test_reads_what_python_2_wrote(tmp_path: Path, monkeypatch: Any) -> None:
    body = python_2_pickle(TRAIN)
    assert [list(row) for row in pickle.loads(body)] == TRAIN  # so it is one
    path = write_npz(tmp_path / "imdb.npz", x_train=npy(objects(TRAIN), body=body))
    assert_as_keras_reads_it(path, monkeypatch)


def test_names_of_newer_numpy_are_known() -> None:
    content = pickle.dumps(objects(TRAIN), protocol=2).replace(b"numpy.core.", b"numpy._core.")
    assert load_lists(content) == TRAIN


# ---- hostile and damaged files -------------------------------------------------------------------


class Calls:
    """Pickles as a call of ``function``."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


MARK = "tf1-lstm-was-here"


def hostile_pickles() -> Dict[str, bytes]:
    system = Calls(os.system, f"touch {MARK}")
    array = pickle.dumps(objects(TRAIN), protocol=2)
    return {
        "a call of os.system": pickle.dumps(system, protocol=2),
        "one of protocol 0": pickle.dumps(system, protocol=0),
        "one of protocol 4": pickle.dumps(system, protocol=4),
        "one inside the array": pickle.dumps(objects([[1], system]), protocol=2),
        "one inside a list": pickle.dumps(objects([[1, system]] * 2), protocol=3),
        "eval": pickle.dumps(Calls(eval, f"open({MARK!r}, 'w')"), protocol=2),
        "another function of numpy": array.replace(b"multiarray\n_reconstruct", b"multiarray\nfromfile"),
        "a dotted name": b"\x80\x04\x8c\x05numpy\x8c\x0fndarray.__new__\x93.",
        "one before the array": pickle.dumps(system, protocol=2)[:-1] + b"0" + array,
        "an extension": b"\x80\x02\x82\x01.",
        "a persistent name": b"\x80\x02K\x01Q.",
        "a dictionary": pickle.dumps({"a": 1}, protocol=2),
        "an attribute of the inert class": b"\x80\x02cnumpy\nndarray\nN}U\x0c__setstate__K\x01s\x86b.",
        "a list of itself": b"\x80\x02]q\x00h\x00a.",
        "tuples in tuples": b"\x80\x02N" + b"\x85" * 2_000_000 + b".",
        "many lists": b"\x80\x02(" + b"]" * 2_000_000 + b"t.",
        "a far place in the memo": b"\x80\x02Nr\xff\xff\xff\x7f.",
        "a long number": b"\x80\x02\x8b\xff\xff\xff\x7f.",
        "a long text": b"\x80\x02X\xff\xff\xff\x7f.",
        "a frame without end": b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f.",
        "nothing": b"",
        "no end": array[:-1],
        "half": array[: len(array) // 2],
        "bytes after its end": array + b"more",
        "another pickle": pickle.dumps([[1], [2]], protocol=2),
        "an array of numbers": pickle.dumps(np.arange(4), protocol=2),
        "a table of lists": pickle.dumps(objects(TRAIN).reshape(2, 4), protocol=2),
        "a number": pickle.dumps(7, protocol=2),
    }


@pytest.mark.parametrize("case", hostile_pickles())
def test_a_hostile_pickle_ends_in_one_line(tmp_path: Path, case: str, monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    body = hostile_pickles()[case]
    header = npy(objects(TRAIN))[: 10 + struct.unpack("<H", npy(objects(TRAIN))[8:10])[0]]
    path = write_npz(tmp_path / "imdb.npz", x_train=header + body)
    assert main(["prepare", "keras-imdb", "--npz", str(path), "--data", "data"]) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith(f"tf1-lstm: {path}: x_train: found ")
    assert len(error.splitlines()) == 1
    assert error.endswith("expected lists of words' ranks")
    assert os.listdir(str(tmp_path)) == ["imdb.npz"]


def shared_list(times: int) -> np.ndarray:
    """One long list in many places: short as a pickle, very long as reviews."""
    return objects([[1] * 100_000] * times)


BAD_ROWS = {
    "a tuple": ([[1], (1, 2)], "an item that is not a list"),
    "None": ([[1], None], "an item that is not a list"),
    "a list in a list": ([[1], [[2]]], "something else than numbers from 0 up in row 1"),
    "true": ([[1], [True]], "something else than numbers from 0 up in row 1"),
    "a negative number": ([[5, -1], [1]], "something else than numbers from 0 up in row 0"),
    "nothing in a list": ([[1], [None]], "something else than numbers from 0 up in row 1"),
    "a huge number": ([[1], [2**31 - 1]], "found the rank 2147483647, expected less than 1,048,576"),
    "a larger number": ([[1], [2**70]], "the pickle instruction .*, which no array"),
    "a fraction": ([[1], [1.5]], "the pickle instruction b'G', which no array"),
    "a text": ([[1], ["one"]], "something else than numbers"),
    "one list in many places": (shared_list(700), "more than 67,108,864 numbers"),
}


@pytest.mark.parametrize("case", BAD_ROWS)
def test_refuses_rows_that_are_not_lists_of_ranks(tmp_path: Path, case: str) -> None:
    rows, message = BAD_ROWS[case]
    labels = np.zeros(len(rows), np.int64)
    path = write_npz(tmp_path / "imdb.npz", x_train=npy(objects(list(rows))), y_train=npy(labels))
    with pytest.raises(InputError, match=message) as error:
        read_reviews(path)
    assert str(error.value).startswith(f"{path}: x_train: ")


@pytest.mark.parametrize(
    ("member", "content", "message"),
    [
        ("x_test", None, r"found no x_test\.npy, expected Keras's imdb\.npz"),
        ("y_train", None, r"found no y_train\.npy"),
        ("x_test", npy(np.arange(4)), "x_test: found <i8, expected an object array"),
        ("y_train", npy(np.zeros(8)), "y_train: found no one-dimensional .npy array"),
        ("y_train", npy(np.zeros((8, 1), np.int64)), "y_train: found no one-dimensional"),
        ("y_train", npy(objects([0] * 8)), r"y_train: found \|O .* expected 8 labels"),
        ("y_train", npy(np.zeros(8, np.int64))[:-1], r"y_train: found <i8 \(63 bytes\), expected 8 labels"),
        ("y_train", npy(np.zeros(7, np.int64)), "found 8 reviews in x_train and 7 labels in y_train"),
        ("y_train", npy(np.arange(8)), "y_train: found 2 in row 2, expected 0 .negative. or 1"),
        (
            "x_train",
            npy(objects(TRAIN), body=pickle.dumps(objects(TRAIN[:5]))),
            "found 5 reviews, expected 8",
        ),
        ("x_train", b"PK", "x_train: found no one-dimensional .npy array"),
        ("x_train", b"", "x_train: found no one-dimensional .npy array"),
        ("x_train", npy(objects(TRAIN)).replace(b"'|O'", b"f(0)"), "x_train: found no one-dimensional"),
    ],
)
def test_refuses_other_members(tmp_path: Path, member: str, content: Any, message: str) -> None:
    path = write_npz(tmp_path / "imdb.npz", **{member: content})
    with pytest.raises(InputError, match=message) as error:
        read_reviews(path)
    assert str(error.value).startswith(f"{path}: ")


def test_refuses_a_bomb_by_what_it_claims_and_by_what_it_gives(tmp_path: Path) -> None:
    path = write_npz(tmp_path / "imdb.npz", x_train=bytes(40 << 20))
    assert path.stat().st_size < 1 << 20
    with pytest.raises(InputError, match="claims 41,943,040 bytes; expected at most 33,554,432"):
        read_reviews(path)
    content = path.read_bytes()
    place = content.rindex(b"PK\x01\x02", 0, content.rindex(b"x_train.npy"))
    path.write_bytes(content[: place + 24] + struct.pack("<I", 1000) + content[place + 28 :])
    with pytest.raises(InputError):
        read_reviews(path)


def test_refuses_what_is_no_npz(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_bytes(b"hello")
    with pytest.raises(InputError, match="found no zip archive, expected Keras"):
        read_reviews(tmp_path / "text.npz")
    with pytest.raises(InputError, match="found a folder"):
        read_reviews(tmp_path)
    path = write_npz(tmp_path / "imdb.npz")
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(InputError, match="truncated or damaged"):
        read_reviews(path)
    with zipfile.ZipFile(str(path), "w") as archive:
        archive.writestr("other.npy", npy(np.arange(3)))
    with pytest.raises(InputError, match=r"found no x_test\.npy, x_train\.npy, y_test\.npy, y_train\.npy"):
        read_reviews(path)


# ---- the word index ------------------------------------------------------------------------------


def test_words_come_in_order_of_rank_as_utf_8(tmp_path: Path) -> None:
    words = read_words(write_index(tmp_path / "index.json", words=12), known=12)
    assert words == [*(word.encode("utf-8") for word in WORDS), b"w11", b"w12"]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([1, 2], "found ranks that are not 1, 2, 3 and so on"),
        ({}, "found ranks that are not 1"),
        ({"a": 1, "b": 3}, "found ranks that are not 1"),
        ({"a": 1, "b": 1}, "found ranks that are not 1"),
        ({"a": 0, "b": 1}, "found ranks that are not 1"),
        ({"a": True}, "found ranks that are not 1"),
        ({"a": 1.0}, "found ranks that are not 1"),
        ({"a": "1"}, "found ranks that are not 1"),
        ({"a": [1]}, "found ranks that are not 1"),
        ({"a": 1, "b": 2}, "found 2 words, expected 3 or more, the ranks in the reviews"),
        ({"a": 1, "": 2, "c": 3}, "found '' as a word"),
        ({"a": 1, "b\0": 2, "c": 3}, "found .* as a word"),
        ({"a": 1, "\ud800": 2, "c": 3}, "found .* as a word"),
        ({"a": 1, "b" * 2000: 2, "c": 3}, "found 'bbb.* as a word"),
    ],
)
def test_refuses_another_word_index(tmp_path: Path, document: Any, message: str) -> None:
    path = tmp_path / "index.json"
    path.write_text(json.dumps(document))
    with pytest.raises(InputError, match=message) as error:
        read_words(path, known=3)
    assert str(error.value).startswith(f"{path}: ")
    assert len(str(error.value).splitlines()) == 1


def test_refuses_a_word_index_without_end(tmp_path: Path) -> None:
    path = tmp_path / "index.json"
    path.write_text("[" * 200_000)
    with pytest.raises(InputError, match="lists within lists without end"):
        read_words(path, 1)
    with open(str(path), "wb") as stream:
        stream.truncate(40 << 20)
    with pytest.raises(InputError, match="found 41,943,040 bytes, at most 33,554,432 expected"):
        read_words(path, 1)
