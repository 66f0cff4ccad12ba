"""The arrays of sequences as files hold them: mapped, checked for type and dimensions, and joined."""

from pathlib import Path
from typing import Any, Dict, Optional, Sequence

import numpy as np

from tf1_lstm.data.own.array_files import map_npy, map_npz, names_in
from tf1_lstm.data.own.examples import Dense
from tf1_lstm.data.own.splits import split_number
from tf1_lstm.errors import InputError

SEQUENCES = "the sequences, [examples, steps, inputs] numbers or [examples, steps] ids"
LEARNED = "what is learned of each, classes or numbers"
LENGTHS = "the steps of each, whole numbers [examples]"


class ArrayNames:
    """What the arrays are called."""

    def __init__(self, x: str, y: str, lengths: str, split: str) -> None:
        self.x, self.y, self.lengths, self.split = x, y, lengths, split

    def without_split(self) -> "ArrayNames":
        """The same names for a file that is one split."""
        return ArrayNames(self.x, self.y, self.lengths, "")


class ArrayStore:
    """The arrays of one file."""

    def __init__(self, x: np.ndarray, y: np.ndarray, lengths: Optional[np.ndarray], split: Any) -> None:
        self.is_ids = x.ndim == 2 and x.dtype.kind in "iu"
        self.x = x[:, :, None] if x.ndim == 2 and not self.is_ids else x
        self.y, self.lengths = y, lengths
        self.split: Optional[np.ndarray] = split


def read_arrays(path: Path, names: ArrayNames) -> ArrayStore:
    """Map the arrays of an ``.npz``, or of ``.npy`` files.

    Raises:
      InputError: a file cannot be used, or an array has not the type or dimensions that it needs.
    """
    if path.suffix == ".npy":
        if not names.y.endswith(".npy") or names.split:
            raise InputError(
                f"y: found {names.y!r}, expected the .npy file of the labels, as {path} is one array"
            )
        x, y = map_npy(path, SEQUENCES), map_npy(Path(names.y), LEARNED)
        lengths = map_npy(Path(names.lengths), LENGTHS) if names.lengths else None
        split = None
    elif path.suffix == ".npz":
        wanted = {names.x: SEQUENCES, names.y: LEARNED}
        length_name = names.lengths or ("lengths" if "lengths" in names_in(path) else "")
        if length_name:
            wanted[length_name] = LENGTHS
        if names.split:
            wanted[names.split] = "the split of each, as a text"
        arrays = map_npz(path, wanted)
        x, y, lengths = arrays[names.x], arrays[names.y], arrays.get(length_name)
        split = _splits(path, arrays[names.split], len(x)) if names.split else None
    else:
        raise InputError(f"{path}: found a name that ends in {path.suffix!r}, expected .npz or .npy")
    if x.dtype.kind not in "iufb" or x.ndim not in (2, 3) or 0 in x.shape:
        raise InputError(f"{path}: found x {x.dtype} {list(x.shape)}, expected {SEQUENCES}")
    if lengths is not None and (lengths.dtype.kind not in "iu" or lengths.ndim != 1):
        raise InputError(f"{path}: found lengths {lengths.dtype} {list(lengths.shape)}, expected {LENGTHS}")
    return ArrayStore(x, y, lengths, split)


def _splits(path: Path, values: np.ndarray, count: int) -> np.ndarray:
    if values.dtype.kind not in "US" or values.shape != (count,):
        raise InputError(
            f"{path}: found splits {values.dtype} {list(values.shape)}, expected {count:,} texts as 'train'"
        )
    texts = np.char.decode(values, "utf-8", "replace") if values.dtype.kind == "S" else values
    known: Dict[str, int] = {str(text): split_number(str(text), str(path)) for text in np.unique(texts)}
    return np.array([known[str(text)] for text in texts], np.int8)


def joined_examples(stores: Sequence[ArrayStore]) -> Dense:
    """The examples of several files, one file after another."""
    if len(stores) == 1:
        return Dense(stores[0].x, stores[0].lengths)
    lengths = [store.lengths for store in stores]
    whole = None
    if any(each is not None for each in lengths):
        filled = [np.full(len(s.x), s.x.shape[1]) if s.lengths is None else s.lengths for s in stores]
        whole = np.concatenate(filled)
    return Dense(_Joined([store.x for store in stores]), whole)


class _Joined:
    """Arrays of several files, one after another, none of them copied."""

    def __init__(self, arrays: Sequence[np.ndarray]) -> None:
        self._arrays = arrays
        self._ends = np.cumsum([len(array) for array in arrays])
        self.shape = (int(self._ends[-1]), *arrays[0].shape[1:])
        self.ndim, self.dtype = len(self.shape), np.result_type(*arrays)

    def __len__(self) -> int:
        return int(self.shape[0])

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        found = np.empty((len(rows), *self.shape[1:]), self.dtype)
        which = np.searchsorted(self._ends, rows, side="right")
        for number, array in enumerate(self._arrays):
            here = which == number
            found[here] = array[rows[here] - (self._ends[number] - len(array))]
        return found


def check_finite(path: Path, name: str, block: np.ndarray, start: int) -> None:
    """Refuse NaN, infinity and what float32 cannot hold, by the row's number.

    Raises:
      InputError: there is one.
    """
    if block.dtype.kind != "f":
        return
    with np.errstate(over="ignore"):
        finite = np.isfinite(block.astype(np.float32)).reshape(len(block), -1).all(axis=1)
    if not finite.all():
        row = start + int(np.argmin(finite))
        raise InputError(
            f"{path}: found NaN or infinity in row {row:,} of {name}, expected finite float32 numbers"
        )
