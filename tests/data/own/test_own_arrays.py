"""Sequences from ``.npz`` and ``.npy`` files: classes, numbers, ids, lengths, and what is refused."""

import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tf1_lstm.data.own.sequences import ArraysDataset
from tf1_lstm.errors import InputError


def saved(tmp_path: Path, name: str = "a.npz", **arrays: Any) -> str:
    np.savez(str(tmp_path / name), **arrays)
    return str(tmp_path / name)


def some(count: int = 40, seed: int = 1) -> np.ndarray:
    return np.random.RandomState(seed).normal(size=(count, 5, 3))


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("order", ["C", "F"])
def test_inputs_targets_and_lengths_are_those_of_the_file(tmp_path: Path, packed: bool, order: Any) -> None:
    x, y = np.asarray(some(), order=order), np.random.RandomState(2).normal(size=(40, 2))
    lengths = np.arange(40) % 5 + 1
    write = np.savez_compressed if packed else np.savez
    write(str(tmp_path / "a.npz"), x=x, y=y, lengths=lengths)
    data = ArraysDataset(str(tmp_path / "a.npz"), classes=("left", "right"))
    assert data.task == "numbers" and data.class_names == ("left", "right")
    for name in data.split_names():
        split, rows = data.split(name), data.rows_of(name)
        np.testing.assert_array_equal(split.inputs, x[rows].astype(np.float32))
        np.testing.assert_array_equal(split.labels, y[rows].astype(np.float32))
        np.testing.assert_array_equal(split.lengths, lengths[rows])
        np.testing.assert_array_equal(split.inputs[1:3, :2], x[rows][1:3, :2].astype(np.float32))
    batch = data.train_sampler("published", 8, 1).batch(2)
    np.testing.assert_array_equal(batch.labels, y[batch.rows].astype(np.float32))
    np.testing.assert_array_equal(batch.inputs, x[batch.rows].astype(np.float32))


@pytest.mark.parametrize(
    ("y", "names"),
    [
        (np.arange(40) % 4 + 7, ("7", "8", "9", "10")),
        (np.arange(40) % 2 == 1, ("0", "1")),
        (np.array(["up", "down"] * 20), ("down", "up")),
        (np.array([b"up", b"down"] * 20), ("down", "up")),
        (np.eye(4)[np.arange(40) % 4].astype(int), ("0", "1", "2", "3")),
    ],
)
def test_labels_of_every_type_are_classes(tmp_path: Path, y: np.ndarray, names: Any) -> None:
    data = ArraysDataset(saved(tmp_path, x=some(), y=y), validation=0)
    assert (data.task, data.class_names) == ("classes", names)
    plain = y.argmax(axis=1) if y.ndim == 2 else y
    for name in data.split_names():
        values = [
            str(np.asarray(v).astype(str)) if y.dtype.kind in "US" else str(int(v))
            for v in plain[data.rows_of(name)]
        ]
        assert [data.class_names[label] for label in data.split(name).labels] == values


def test_whole_numbers_are_ids_and_an_id_for_each_step_may_be_learned(tmp_path: Path) -> None:
    x = np.random.RandomState(1).randint(0, 9, (40, 6))
    y = x % 3
    data = ArraysDataset(saved(tmp_path, x=x, y=y))
    assert (data.task, data.words, data.outputs) == ("next", int(x.max()) + 1, 3)
    batch = data.train_sampler("published", 8, 1).batch(0)
    assert batch.inputs.dtype == np.int32 and batch.labels.dtype == np.int32
    np.testing.assert_array_equal(batch.inputs % 3, batch.labels)


def test_separate_npy_files_and_other_files_for_the_splits(tmp_path: Path) -> None:
    np.save(str(tmp_path / "x.npy"), some().astype(np.float32))
    np.save(str(tmp_path / "y.npy"), np.arange(40) % 2)
    data = ArraysDataset(str(tmp_path / "x.npy"), y=str(tmp_path / "y.npy"))
    assert set(data.hashes()) >= {"x.npy", "y.npy", "rows of test"}
    train = saved(tmp_path, "train.npz", x=some(), y=np.arange(40) % 2)
    test = saved(tmp_path, "test.npz", x=np.concatenate([some(5, 2), some(1)]), y=np.arange(6) % 2)
    data = ArraysDataset(train, test=test, validation=0.25)
    np.testing.assert_array_equal(data.split("test").inputs[:5], some(5, 2).astype(np.float32))
    assert len(data.rows_of("validation")) == 10
    found = data.audit("published", 2)[0]
    assert (found.what, found.total) == (
        "test examples that are training examples too",
        int(0 in data.rows_of("train")),
    )


def test_an_array_names_the_splits(tmp_path: Path) -> None:
    parts = np.array(["train"] * 30 + ["val"] * 4 + ["test"] * 6)
    data = ArraysDataset(saved(tmp_path, x=some(), y=np.arange(40) % 2, part=parts), split="part")
    assert [len(data.rows_of(name)) for name in ("train", "validation", "test")] == [30, 4, 6]


def test_predicts_one_array_or_many(tmp_path: Path) -> None:
    data = ArraysDataset(saved(tmp_path, x=some(), y=np.arange(40) % 2))
    np.save(str(tmp_path / "one.npy"), some(3)[0])
    np.save(str(tmp_path / "many.npy"), some(3))
    np.save(str(tmp_path / "other.npy"), some(3)[:, :4])
    names = [str(tmp_path / name) for name in ("one.npy", "many.npy", "other.npy", "none.npy")]
    found = data.encode(names, ["one", "many", "other", "none"])
    assert [example.name for example in found] == ["one", "many[0]", "many[1]", "many[2]", "other", "none"]
    np.testing.assert_array_equal(found[1].inputs, found[0].inputs)
    assert found[4].refused == "found float64 [3, 4, 3], expected float32 [5, 3]"
    assert found[5].refused is not None


def _with_nan() -> np.ndarray:
    x = some()
    x[17, 2, 1] = np.nan
    return x


@pytest.mark.parametrize(
    ("arrays", "expected"),
    [
        ({"x": some()}, "found x, expected 'y'"),
        ({"x": some(), "y": np.zeros(39)}, "found y [39], expected 40, one for each sequence"),
        ({"x": _with_nan(), "y": np.zeros(40)}, "found NaN or infinity in row 17 of x"),
        ({"x": some(), "y": np.full(40, np.inf)}, "found NaN or infinity in row 0 of y"),
        ({"x": some() * 1e300, "y": np.zeros(40)}, "found NaN or infinity in row 0 of x"),
        ({"x": some(), "y": np.zeros(40, int)}, "found 1 different labels in y, expected 2"),
        ({"x": some()[0, 0], "y": np.zeros(3)}, "found x float64 [3], expected the sequences"),
        ({"x": some()[:0], "y": np.zeros(0)}, "found x float64 [0, 5, 3], expected the sequences"),
        (
            {"x": np.array([{}] * 40), "y": np.zeros(40)},
            "found pickled Python objects, which are never loaded",
        ),
        ({"x": some(), "y": np.zeros((40, 5, 2), int)}, "found y int64 [40, 5, 2], expected classes"),
        ({"x": -np.ones((40, 5), int), "y": np.zeros(40)}, "found the id -1 in x"),
        (
            {"x": some(), "y": np.zeros(40), "lengths": np.arange(40) % 7},
            "found the length 0 in row 0, expected 1 to 5 steps",
        ),
    ],
)
def test_says_what_is_wrong_with_an_archive(tmp_path: Path, arrays: Any, expected: str) -> None:
    path = saved(tmp_path, **arrays)
    with pytest.raises(InputError) as caught:
        ArraysDataset(path)
    assert expected in str(caught.value) and path in str(caught.value)
    assert "\n" not in str(caught.value)


def test_refuses_damaged_archives(tmp_path: Path) -> None:
    path = Path(saved(tmp_path, x=some(), y=np.zeros(40)))
    content = path.read_bytes()
    for number, broken in enumerate((b"", content[:100], content[:-30], b"PK" + content[2:80], b"text")):
        (tmp_path / f"{number}.npz").write_bytes(broken)
        with pytest.raises(InputError, match=f"{number}.npz: not a readable .npz archive"):
            ArraysDataset(str(tmp_path / f"{number}.npz"))


def test_refuses_an_array_that_is_larger_than_its_member(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (100000000, 5, 3), }".ljust(117) + b"\n"
    with zipfile.ZipFile(str(path), "w") as archive:
        archive.writestr("x.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(80))
        archive.writestr("y.npy", b"")
    with pytest.raises(InputError, match="not of the size that its header states"):
        ArraysDataset(str(path))


def test_an_id_for_each_step_counts_up_to_the_length(tmp_path: Path) -> None:
    lengths = np.arange(40) % 5 + 1
    y = np.random.RandomState(1).randint(0, 4, (40, 5))
    data = ArraysDataset(saved(tmp_path, x=some(), y=y, lengths=lengths), validation=0, test=0)
    split = data.split("train")
    np.testing.assert_array_equal((split.labels >= 0).sum(axis=1), lengths)
    np.testing.assert_array_equal(split.labels[split.labels >= 0], y[split.labels >= 0])
    assert (data.task, data.outputs) == ("next", 4)


def test_predicts_from_arrays_of_the_names_that_it_was_trained_on(tmp_path: Path) -> None:
    arrays = {"signal": some(), "kind": np.arange(40) % 2, "until": np.arange(40) % 5 + 1}
    path = saved(tmp_path, **arrays)
    data = ArraysDataset(path, x="signal", y="kind", lengths="until")
    for file in (path, saved(tmp_path, "b.npz", x=some(), lengths=arrays["until"])):
        found = data.encode([file], ["one"])
        assert [one.length for one in found[:6]] == [1, 2, 3, 4, 5, 1] and not any(
            one.refused for one in found
        )


@pytest.mark.parametrize(
    ("arrays", "expected"),
    [
        (
            {"x": some(3), "lengths": np.array([1, 2])},
            "found lengths int64 [2], expected a whole number for each of 3",
        ),
        ({"x": some(3), "lengths": np.ones(3)}, "found lengths float64 [3], expected a whole number"),
        ({"x": some(3), "lengths": np.array([1, 2, 6])}, "found the length 6, expected 1 to 5 steps"),
        ({"x": some(3), "lengths": np.array([1, 0, 5])}, "found the length 0, expected 1 to 5 steps"),
        ({"x": np.full((3, 5, 3), "a")}, "found <U1 [3, 5, 3], expected float32 [5, 3]"),
        ({"x": np.array(3.0)}, "found float64 [], expected float32 [5, 3]"),
    ],
)
def test_says_why_arrays_cannot_be_predicted(tmp_path: Path, arrays: Any, expected: str) -> None:
    data = ArraysDataset(saved(tmp_path, x=some(), y=np.arange(40) % 2))
    (found,) = data.encode([saved(tmp_path, "b.npz", **arrays)], ["one"])
    assert found.inputs is None and expected in str(found.refused)


def test_names_the_id_that_is_outside(tmp_path: Path) -> None:
    ids = np.arange(200).reshape(40, 5) % 9
    data = ArraysDataset(saved(tmp_path, x=ids, y=np.arange(40) % 2))
    (found,) = data.encode([saved(tmp_path, "b.npz", x=ids[0] - 3)], ["one"])
    assert found.refused == "found the id -3, expected 0 to 8"
