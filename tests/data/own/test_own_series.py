"""Windows of time series: what is read, what is foretold, and that no split reaches into another."""

from functools import partial
from pathlib import Path
from typing import Any, List

import numpy as np
import pytest

from tf1_lstm.data.own.series import WindowsDataset
from tf1_lstm.errors import InputError


def written(tmp_path: Path, rows: int = 100) -> str:
    """Columns a = row, b = 1000 + row."""
    lines = [f"2020-01-{row:04},{row},{1000 + row}\n" for row in range(rows)]
    (tmp_path / "a.csv").write_text("time,a,b\n" + "".join(lines))
    return str(tmp_path / "a.csv")


@pytest.mark.parametrize(("horizon", "stride"), [(1, 1), (3, 1), (2, 4)])
def test_targets_stand_behind_their_windows_and_no_split_reaches_into_another(
    tmp_path: Path, horizon: int, stride: int
) -> None:
    data = WindowsDataset(
        written(tmp_path), ("a",), ("b", "a"), 7, horizon=horizon, stride=stride, standardise=False,
        validation=0.2, test=0.2,
    )  # fmt: skip
    seen = {}
    for name in data.split_names():
        split = data.split(name)
        inputs, last = np.asarray(split.inputs)[:, :, 0], np.asarray(split.inputs)[:, -1, 0]
        np.testing.assert_array_equal(np.diff(inputs, axis=1), 1)
        np.testing.assert_array_equal(split.labels[:, 1], last + horizon)
        np.testing.assert_array_equal(split.labels[:, 0], 1000 + last + horizon)
        np.testing.assert_array_equal(np.diff(inputs[:, 0]), stride)
        seen[name] = set(inputs.ravel()) | set(split.labels[:, 1])
    assert max(seen["train"]) < 60 <= min(seen["validation"]) and max(seen["validation"]) < 80 <= min(
        seen["test"]
    )
    if stride == 1:
        assert max(seen["train"]) == 59 and max(seen["test"]) == 99
        assert len(data.rows_of("train")) == 60 - 7 - horizon + 1
    assert (data.task, data.class_names, data.data.examples.shape) == ("numbers", ("b", "a"), (7, 1))


def test_inputs_are_standardised_by_the_training_part_alone(tmp_path: Path) -> None:
    data = WindowsDataset(written(tmp_path), ("a", "b"), ("a",), 5, validation=0, test=0.5)
    trained = np.arange(50)
    np.testing.assert_allclose(data.mean, [trained.mean(), 1000 + trained.mean()])
    np.testing.assert_allclose(data.deviation, [trained.std()] * 2, rtol=1e-6)
    first = np.asarray(data.split("test").inputs)[0, :, 0]
    np.testing.assert_allclose(first, (np.arange(50, 55) - trained.mean()) / trained.std(), rtol=1e-5)
    np.testing.assert_array_equal(data.split("test").labels[0], [55])


def test_predicts_what_comes_after_the_last_window(tmp_path: Path) -> None:
    path = written(tmp_path)
    data = WindowsDataset(path, ("a", "b"), ("a",), 5)
    example = data.encode([path], ["a.csv"])[0]
    expected = (np.stack([np.arange(95, 100), np.arange(1095, 1100)], 1) - data.mean) / data.deviation
    np.testing.assert_allclose(example.inputs, expected, rtol=1e-6)
    (tmp_path / "short.csv").write_text("a,b\n1,2\n")
    assert data.encode([str(tmp_path / "short.csv")], ["s"])[0].refused == "found 1 rows, expected 5 or more"


def test_files_of_their_own_for_the_splits(tmp_path: Path) -> None:
    path = written(tmp_path)
    (tmp_path / "t.csv").write_text("a\n" + "".join(f"{row}\n" for row in range(500, 520)))
    data = WindowsDataset(
        path, ("a",), ("a",), 5, test=str(tmp_path / "t.csv"), validation=0.1, standardise=False
    )
    test = data.split("test")
    np.testing.assert_array_equal(np.asarray(test.inputs)[0, :, 0], np.arange(500, 505))
    assert (
        len(test.labels) == 15
        and len(data.rows_of("train")) == 85
        and set(data.hashes()) >= {"a.csv", "t.csv"}
    )


@pytest.mark.parametrize(
    ("content", "settings", "expected"),
    [
        ("a\n1\nx\n", {}, "a.csv: line 3: found 'x' in 'a', expected a finite number"),
        (
            "a,b\n1,\n",
            {"columns": ("a", "b")},
            "a.csv: line 2: found nothing in 'b', expected a finite number",
        ),
        ("a\n1\n1e99\n", {}, "line 3: found '1e99' in 'a'"),
        ("a\n1\n2\n3\n", {"window": 5}, "found 3 rows for train, expected at least 6"),
        ("a\n" + "1\n" * 30, {"window": 5, "test": 0.1}, "found 3 rows for test, expected at least 6"),
        ("a\n1\n", {"horizon": 0}, "horizon: found 0"),
    ],
)
def test_says_what_is_wrong(tmp_path: Path, content: str, settings: Any, expected: str) -> None:
    (tmp_path / "a.csv").write_text(content)
    given = {"columns": ("a",), "targets": ("a",), "window": 2, "validation": 0, "test": 0, **settings}
    with pytest.raises(InputError) as caught:
        WindowsDataset(str(tmp_path / "a.csv"), **given)
    assert expected in str(caught.value)


def test_a_seed_that_nothing_is_drawn_with_is_refused() -> None:
    from tf1_lstm.recipes.own_data import ByShare, CsvWindows, PlainText

    makers: List[Any] = [partial(CsvWindows, "a.csv", ("a",), ("a",), 3), partial(PlainText, "a", 3)]
    for make in makers:
        assert make(division=ByShare(0.2, 0.2)).division.validation == 0.2
        with pytest.raises(
            InputError, match=r"setting division\.seed: found 2 with .*expected 1: it is divided"
        ):
            make(division=ByShare(0.2, 0.2, 2))
