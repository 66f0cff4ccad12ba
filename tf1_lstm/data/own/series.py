"""Time series of a user's own: windows of a table's rows, and the values that come after each."""

from pathlib import Path
from typing import Any, List, Sequence, Tuple

import numpy as np

from tf1_lstm.data.base import Example
from tf1_lstm.data.own.dataset import Labelled, OwnDataset
from tf1_lstm.data.own.examples import Windows
from tf1_lstm.data.own.growing import Growing
from tf1_lstm.data.own.splits import (
    SPLITS,
    TEST,
    TRAIN,
    VALIDATION,
    Share,
    files_and_shares,
    in_order,
    rows_of_splits,
)
from tf1_lstm.data.own.tables import Format, read_rows
from tf1_lstm.errors import InputError


class WindowsDataset(OwnDataset):
    """Windows of a time series, with the numbers to be foretold.

    Rows are in the order of time. The splits follow one another in it, the training first, and no
    window or target reaches from one into another.

    Args:
      file: a CSV, TSV or JSON lines file, a row a time step.
      columns: names of the columns that are read.
      targets: names of the columns to be foretold.
      window: rows of a window, the steps of the model.
      horizon: how many rows after a window's last row the targets stand.
      stride: rows from the beginning of a window to that of the next.
      standardise: inputs less the training part's mean, divided by its standard deviation, for each
        column; the targets stay in their own units.
      validation, test: shares of the rows, or other files.
      encoding, separator, names: see ``Format``.

    Attributes:
      mean, deviation: float32 ``[columns]``, 0 and 1 where nothing is standardised.

    Raises:
      InputError: a file cannot be read; a value that is no finite number; too few rows for a window.
    """

    name = "own-series"
    example_kind = "array"

    def __init__(
        self,
        file: str,
        columns: Sequence[str],
        targets: Sequence[str],
        window: int,
        *,
        horizon: int = 1,
        stride: int = 1,
        standardise: bool = True,
        validation: Share = 0.1,
        test: Share = 0.1,
        encoding: str = "utf-8",
        separator: str = "",
        names: Sequence[str] = (),
    ) -> None:
        for what, number in (("window", window), ("horizon", horizon), ("stride", stride)):
            if number < 1:
                raise InputError(f"{what}: found {number}, expected 1 or more")
        if not columns or not targets:
            raise InputError("columns and targets: found none, expected names of columns")
        self._columns, self._how = tuple(columns), Format(encoding, separator, tuple(names))
        wanted = list(dict.fromkeys([*columns, *targets]))
        others, shares = files_and_shares(validation, test)
        numbers, paths = zip(*[(TRAIN, Path(file)), *others])
        tables = [read_numbers(path, wanted, self._how) for path in paths]
        parts = [np.full(len(table), number, np.int8) for table, number in zip(tables, numbers)]
        parts[0] = in_order(len(tables[0]), shares[VALIDATION], shares[TEST])
        starts, splits = _starts(parts, window, horizon, stride)
        self._check(paths, parts, splits, shares, window + horizon)
        values = tables[0] if len(tables) == 1 else np.concatenate(tables)
        places = [wanted.index(name) for name in targets]
        labels = values[starts + (window - 1 + horizon)][:, places]
        inputs = values[:, : len(columns)] if len(wanted) > len(columns) else values
        self.mean = np.zeros(len(columns), np.float32)
        self.deviation = np.ones(len(columns), np.float32)
        if standardise:
            trained = inputs[: len(parts[0])][parts[0] == TRAIN].astype(np.float64)
            deviation = trained.std(axis=0)
            self.mean = trained.mean(axis=0).astype(np.float32)
            self.deviation = np.where(deviation > 0, deviation, 1).astype(np.float32)
            inputs = (inputs - self.mean) / self.deviation
        examples = Windows(inputs, starts, window)
        found = rows_of_splits(splits, str(file))
        super().__init__(Labelled(examples, labels, found), paths, tuple(targets), "numbers")

    def encode(self, items: Sequence[Any], names: Sequence[str]) -> List[Example]:
        """Tables of the same columns: what comes after the last window of each."""
        return [self._encoded(Path(item), name) for item, name in zip(items, names)]

    def _encoded(self, path: Path, name: str) -> Example:
        steps = self.data.examples.shape[0]
        try:
            values = read_numbers(path, self._columns, self._how)
        except InputError as error:
            return Example(name, None, {}, str(error)[len(f"{path}: ") :])
        if len(values) < steps:
            return Example(name, None, {}, f"found {len(values):,} rows, expected {steps:,} or more")
        inputs = (values[-steps:] - self.mean) / self.deviation
        return Example(name, inputs.astype(np.float32), {"rows": len(values)})

    @staticmethod
    def _check(
        paths: Sequence[Path], parts: Sequence[np.ndarray], splits: np.ndarray, shares: Any, needed: int
    ) -> None:
        wanted = [
            TRAIN,
            *(number for number, share in shares.items() if share),
            *(part[0] for part in parts[1:]),
        ]
        for number in wanted:
            if not (splits == number).any():
                held = [int((part == number).sum()) for part in parts]
                path = paths[int(np.argmax(held))]
                raise InputError(
                    f"{path}: found {max(held):,} rows for {SPLITS[number]}, expected at least {needed:,}: "
                    "a window and what comes after it"
                )


def read_numbers(path: Path, columns: Sequence[str], how: Format) -> np.ndarray:
    """Some columns of a table as float32 ``[rows, columns]``.

    Raises:
      InputError: see ``read_rows``; a value that is no finite number.
    """
    growing = Growing(np.float32)
    for line, values in read_rows(path, columns, how):
        try:
            numbers = np.array([float(value) for value in values], np.float32)
        except ValueError:
            numbers = np.array([np.nan], np.float32)
        if not np.isfinite(numbers).all():
            _refuse(path, line, columns, values)
        growing.append(numbers)
    return growing.mapped().reshape(-1, len(columns))


def _refuse(path: Path, line: int, columns: Sequence[str], values: Sequence[str]) -> None:
    for column, value in zip(columns, values):
        try:
            fits = bool(np.isfinite(np.float32(float(value))))
        except ValueError:
            fits = False
        if not fits:
            found = repr(value[:30]) if value.strip() else "nothing"
            raise InputError(f"{path}: line {line:,}: found {found} in {column!r}, expected a finite number")


def _starts(
    parts: Sequence[np.ndarray], window: int, horizon: int, stride: int
) -> Tuple[np.ndarray, np.ndarray]:
    """First rows of the windows that lie with their target inside one split, and these splits."""
    starts: List[np.ndarray] = []
    splits: List[np.ndarray] = []
    before = 0
    for part in parts:
        for number in (TRAIN, VALIDATION, TEST):
            rows = np.flatnonzero(part == number)
            if len(rows):
                found = np.arange(rows[0], rows[-1] + 2 - window - horizon, stride)
                starts.append(before + found)
                splits.append(np.full(len(found), number, np.int8))
        before += len(part)
    return np.concatenate(starts).astype(np.int64), np.concatenate(splits)
