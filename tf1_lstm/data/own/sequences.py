"""Sequences of a user's own in ``.npz`` or ``.npy`` files: classes, numbers, or an id for each step."""

from pathlib import Path
from typing import Any, List, Optional, Sequence, Tuple

import numpy as np

from tf1_lstm.data.base import Example
from tf1_lstm.data.own.array_files import map_npy, map_npz, names_in
from tf1_lstm.data.own.dataset import Labelled, OwnDataset
from tf1_lstm.data.own.examples import rows_at_once
from tf1_lstm.data.own.sequence_files import (
    LENGTHS,
    SEQUENCES,
    ArrayNames,
    ArrayStore,
    check_finite,
    joined_examples,
    read_arrays,
)
from tf1_lstm.data.own.splits import (
    TEST,
    TRAIN,
    VALIDATION,
    Share,
    draw_splits,
    files_and_shares,
    list_of,
    names_of,
    rows_of_splits,
)
from tf1_lstm.errors import InputError

MOST_IDS = 1 << 24
MOST_CLASSES = 10_000
NOT_COUNTED = -1
_TASKS = ("", "classes", "numbers", "next")


class ArraysDataset(OwnDataset):
    """Sequences in arrays.

    Whole numbers ``[examples, steps]`` are ids, of which 0 is the padding; ``[examples, steps, inputs]``
    of any type, and floats ``[examples, steps]`` (one input a step), are read as float32. What is
    learned follows from ``y``: whole numbers, truth values or texts ``[examples]`` are classes; floats
    ``[examples]`` or ``[examples, outputs]`` (``[examples, steps, outputs]`` for each step) are numbers;
    whole numbers ``[examples, steps]`` are an id for each step.

    Args:
      file: an ``.npz`` of ``x``, ``y`` and perhaps ``lengths``, or the ``.npy`` of the sequences.
      x, y, lengths: names of the arrays in the ``.npz``, or for ``.npy`` the files of labels and lengths.
      task: says what ``y`` holds where it would be read otherwise: ``"classes"``, ``"numbers"`` or
        ``"next"``.
      validation, test: a share of the examples (drawn from ``seed``, each class alike, identical
        examples together), or another ``.npz``.
      split: the name of an array in the ``.npz`` that names each example's split, as a text.
      classes: names of the classes by number.
      seed: of the shares.

    Attributes:
      words: ids there are: 1 + the largest; 0 where the inputs are numbers.

    Raises:
      InputError: a file cannot be used; shapes that do not fit; NaN or infinity; one class only.
    """

    name = "own-arrays"
    example_kind = "array"

    def __init__(
        self,
        file: str,
        *,
        x: str = "x",
        y: str = "y",
        lengths: str = "",
        task: str = "",
        validation: Share = 0.1,
        test: Share = 0.1,
        split: str = "",
        classes: Sequence[str] = (),
        seed: int = 1,
    ) -> None:
        if task not in _TASKS:
            raise InputError(f"task: found {task!r}, expected classes, numbers or next")
        path, names = Path(file), ArrayNames(x, y, lengths, split)
        self._x, self._lengths = ("x", "lengths") if path.suffix == ".npy" else (x, lengths or "lengths")
        stores = [(path, read_arrays(path, names), -1)]
        others, shares = files_and_shares(validation, test)
        stores += [(other, read_arrays(other, names.without_split()), number) for number, other in others]
        first = stores[0][1]
        self.task = task or _task_of(first.y, first.x, path, y)
        self.words = 0
        for where, store, _ in stores:
            self._check(where, store, first)
        examples = joined_examples([store for _, store, _ in stores])
        parts = np.concatenate(
            [
                np.full(len(store.x), number, np.int8) if store.split is None else store.split
                for _, store, number in stores
            ]
        )
        raw = [self._labels(where, store) for where, store, _ in stores]
        drawn = np.flatnonzero(parts == -1)
        if len(drawn):
            strata = raw[0] if self.task == "classes" else np.zeros(len(drawn), np.int64)
            keys = examples.keys()[drawn] if shares[TEST] or shares[VALIDATION] else np.arange(len(drawn))
            strata = np.unique(strata, return_inverse=True)[1]
            parts[drawn] = draw_splits(keys, strata, shares[VALIDATION], shares[TEST], seed)
        labels, names_found = self._classes(path, np.concatenate(raw), parts, tuple(classes))
        files = [where for where, _, _ in stores]
        if path.suffix == ".npy":
            files += [Path(name) for name in (y, lengths) if name]
        splits = rows_of_splits(parts, str(path))
        super().__init__(Labelled(examples, labels, splits), files, names_found, self.task)

    @property
    def each_step(self) -> bool:
        """Whether there is something to be learned at each step."""
        return self.task == "next" or self.data.labels.ndim == 3

    def encode(self, items: Sequence[Any], names: Sequence[str]) -> List[Example]:
        """``.npy`` files (``[steps, ...]`` or ``[n, steps, ...]``), or ``.npz`` files named as the training's."""
        return [found for item, name in zip(items, names) for found in self._encoded(Path(item), name)]

    def _encoded(self, path: Path, name: str) -> List[Example]:
        lengths = None
        try:
            if path.suffix == ".npz":
                there = names_in(path)
                x = self._x if self._x in there else "x"
                wanted = [name for name in (self._lengths, "lengths") if name in there][:1]
                arrays = map_npz(path, {x: SEQUENCES, **dict.fromkeys(wanted, LENGTHS)})
                array = arrays[x]
                lengths = arrays[wanted[0]] if wanted else None
            else:
                array = map_npy(path, SEQUENCES)
        except InputError as error:
            return [Example(name, None, {}, str(error)[len(f"{path}: ") :])]
        shape = self.data.examples.shape
        is_one = array.shape == shape or (array.ndim == 1 and shape == (len(array), 1))
        array = array[None] if is_one else array
        if array.ndim == 2 and len(shape) == 2 and shape[1] == 1:
            array = array[:, :, None]
        fits = array.ndim > 1 and array.dtype.kind in ("iu" if len(shape) == 1 else "iufb")
        if array.shape[1:] != shape or not fits:
            found = (
                f"found {array.dtype} {list(array.shape)}, expected {self.data.examples.dtype} {list(shape)}"
            )
            return [Example(name, None, {}, found)]
        wrong = None if lengths is None else self._wrong_lengths(lengths, len(array))
        if wrong:
            return [Example(name, None, {}, wrong)]
        found_names = [name] if is_one else [f"{name}[{row}]" for row in range(len(array))]
        return [
            self._example(array[row], each, None if lengths is None else int(lengths[row]))
            for row, each in enumerate(found_names)
        ]

    def _wrong_lengths(self, lengths: np.ndarray, count: int) -> str:
        """What is wrong with the lengths of examples to be predicted; empty where nothing is."""
        steps = self.data.examples.shape[0]
        if lengths.dtype.kind not in "iu" or lengths.shape != (count,):
            found = f"{lengths.dtype} {list(lengths.shape)}"
            return f"found lengths {found}, expected a whole number for each of {count:,}"
        wrong = lengths[(lengths < 1) | (lengths > steps)]
        return f"found the length {wrong[0]}, expected 1 to {steps:,} steps" if len(wrong) else ""

    def _example(self, array: np.ndarray, name: str, length: Optional[int]) -> Example:
        inputs = array.astype(self.data.examples.dtype)
        if not np.isfinite(inputs).all():
            return Example(name, None, {}, "found NaN or infinity, expected finite numbers")
        if self.words and not 0 <= array.min() <= array.max() < self.words:
            found = array.min() if array.min() < 0 else array.max()
            return Example(name, None, {}, f"found the id {found}, expected 0 to {self.words - 1:,}")
        return Example(name, inputs, {}, length=length)

    def _check(self, path: Path, store: "ArrayStore", first: "ArrayStore") -> None:
        count = len(store.x)
        if store.x.shape[1:] != first.x.shape[1:] or store.is_ids != first.is_ids:
            raise InputError(
                f"{path}: found x {store.x.dtype} {list(store.x.shape)}, "
                f"expected {list(first.x.shape[1:])} of each example as in the training file"
            )
        for name, array in (("y", store.y), ("lengths", store.lengths)):
            if array is not None and (not array.ndim or len(array) != count):
                raise InputError(
                    f"{path}: found {name} {list(array.shape)}, expected {count:,}, one for each sequence"
                )
        if store.lengths is not None:
            bad = np.flatnonzero((store.lengths < 1) | (store.lengths > store.x.shape[1]))
            if len(bad):
                raise InputError(
                    f"{path}: found the length {store.lengths[bad[0]]} in row {bad[0]:,}, "
                    f"expected 1 to {store.x.shape[1]:,} steps"
                )
        step = rows_at_once(store.x.shape[1:])
        for start in range(0, count, step):
            block = store.x[start : start + step]
            if store.is_ids:
                self.words = max(self.words, int(block.max()) + 1)
                if block.min() < 0 or block.max() >= MOST_IDS:
                    bad_id = block.min() if block.min() < 0 else block.max()
                    raise InputError(f"{path}: found the id {bad_id} in x, expected 0 to {MOST_IDS - 1:,}")
            else:
                check_finite(path, "x", block, start)

    def _labels(self, path: Path, store: "ArrayStore") -> np.ndarray:
        """Labels as they will be used, but for classes, which are still values."""
        y = store.y
        if self.task == "numbers":
            numbers = np.asarray(y, np.float32) if y.dtype.kind in "fiub" else None
            each_step = numbers is not None and numbers.ndim == 3 and y.shape[:2] == store.x.shape[:2]
            if numbers is None or (numbers.ndim not in (1, 2) and not each_step):
                raise InputError(
                    f"{path}: found y {y.dtype} {list(y.shape)}, expected numbers [examples, outputs] or "
                    "[examples, steps, outputs]"
                )
            check_finite(path, "y", numbers, 0)
            return numbers if each_step else numbers.reshape(len(y), -1)
        if self.task == "next":
            if y.dtype.kind not in "iu" or y.shape != store.x.shape[:2]:
                raise InputError(
                    f"{path}: found y {y.dtype} {list(y.shape)}, expected ids [examples, steps], "
                    f"{list(store.x.shape[:2])}"
                )
            if y.min() < 0 or y.max() >= MOST_CLASSES:
                bad = y.min() if y.min() < 0 else y.max()
                raise InputError(f"{path}: found the id {bad} in y, expected 0 to {MOST_CLASSES - 1:,}")
            found = np.asarray(y, np.int32)
            if store.lengths is not None:  # what is learned ends with the example
                found = np.where(np.arange(found.shape[1]) < store.lengths[:, None], found, NOT_COUNTED)
            return found
        y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
        if y.ndim == 2 and y.dtype.kind != "U" and _is_one_hot(y):
            y = y.argmax(axis=1)
        if y.ndim != 1 or (y.dtype.kind == "f" and not np.array_equal(y, np.round(y))):
            raise InputError(f"{path}: found y {y.dtype} {list(y.shape)}, expected classes [examples]")
        if y.dtype.kind == "S":
            return np.char.decode(y, "utf-8", "replace")
        return y.astype(np.int64) if y.dtype.kind != "U" else np.asarray(y)

    def _classes(
        self, path: Path, raw: np.ndarray, parts: np.ndarray, given: Tuple[str, ...]
    ) -> Tuple[np.ndarray, Tuple[str, ...]]:
        if self.task == "numbers":
            return raw, self._named(path, given, raw.shape[-1], "outputs")
        if self.task == "next":
            return raw, self._named(path, given, int(raw.max()) + 1, "ids")
        values = np.unique(raw[parts == TRAIN])
        if len(values) < 2 or len(values) > MOST_CLASSES:
            raise InputError(
                f"{path}: found {len(values):,} different labels in y, "
                f"expected 2 to {MOST_CLASSES:,} classes (task='numbers' is a regression)"
            )
        outside = np.flatnonzero(~np.isin(raw, values))
        if len(outside):
            raise InputError(
                f"{path}: found the label {str(raw[outside[0]])!r:.40} in row {outside[0]:,}, "
                f"expected one of the training part: {list_of([str(value) for value in values])}"
            )
        names = names_of([str(value) for value in values])
        numbers = {name: number for number, name in enumerate(names)}
        labels = np.array([numbers[str(value)] for value in values], np.int64)[np.searchsorted(values, raw)]
        return labels, self._named(path, given, len(names), "classes") if given else names

    @staticmethod
    def _named(path: Path, given: Tuple[str, ...], count: int, what: str) -> Tuple[str, ...]:
        if given and len(given) != count:
            raise InputError(f"classes: found {len(given)} names, expected {count:,}, the {what} of {path}")
        return given or tuple(str(number) for number in range(count))


def _task_of(y: np.ndarray, x: np.ndarray, path: Path, name: str) -> str:
    if y.ndim == 2 and y.dtype.kind in "iu" and y.shape == x.shape[:2]:
        return "next"
    if y.dtype.kind == "f" and (y.ndim in (1, 2) or (y.ndim == 3 and y.shape[:2] == x.shape[:2])):
        return "numbers"
    if y.dtype.kind in "iubUS" and (y.ndim == 1 or (y.ndim == 2 and _is_one_hot(y))):
        return "classes"
    raise InputError(
        f"{path}: found {name} {y.dtype} {list(y.shape)}, expected classes [examples], numbers "
        "[examples, outputs] of a float type, or ids [examples, steps]"
    )


def _is_one_hot(y: np.ndarray) -> bool:
    return y.shape[1] == 1 or bool(((y == 0) | (y == 1)).all() and (y.sum(axis=1) == 1).all())
