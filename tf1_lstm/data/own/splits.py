"""Which examples train, which choose and which test: by file, by column or by share, never leaking."""

from pathlib import Path
from typing import Dict, List, Sequence, Tuple, Union

import numpy as np

from tf1_lstm.data.base import philox
from tf1_lstm.errors import InputError

Share = Union[float, str]

TRAIN, VALIDATION, TEST = range(3)
SPLITS = ("train", "validation", "test")
REPORTED = ("test", "validation", "train")  # the one to report first
_NAMES = {
    "train": TRAIN,
    "training": TRAIN,
    "validation": VALIDATION,
    "valid": VALIDATION,
    "val": VALIDATION,
    "dev": VALIDATION,
    "test": TEST,
}


def split_number(value: str, where: str) -> int:
    """The number of the split that a column's value names.

    Raises:
      InputError: any other value than the usual names.
    """
    try:
        return _NAMES[value.strip().lower()]
    except KeyError:
        raise InputError(
            f"{where}: found the split {value!r:.40}, expected one of {', '.join(_NAMES)}"
        ) from None


def check_share(name: str, share: float) -> float:
    """A share of the examples, from 0 below 1.

    Raises:
      InputError: anything else.
    """
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share < 1:
        raise InputError(f"{name}: found {share!r}, expected a share from 0 below 1, or a file")
    return float(share)


def files_and_shares(validation: Share, test: Share) -> Tuple[List[Tuple[int, Path]], Dict[int, float]]:
    """The splits that are files of their own, and the shares of the training file that the others are.

    Raises:
      InputError: a share that is none.
    """
    files, shares = [], {VALIDATION: 0.0, TEST: 0.0}
    for split, given in ((VALIDATION, validation), (TEST, test)):
        if isinstance(given, (str, Path)):
            files.append((split, Path(given)))
        else:
            shares[split] = check_share(SPLITS[split], given)
    return files, shares


def draw_splits(
    keys: np.ndarray, strata: np.ndarray, validation: float, test: float, seed: int
) -> np.ndarray:
    """Draw ``test`` and ``validation`` by share, stratified; identical examples stay together.

    Each class gives its share, to within one group of identical examples, and keeps at least one
    group for the training.

    Args:
      keys: ``[n]``, equal for identical examples.
      strata: int ``[n]``, the class of each; zeros where there are none.
      validation: share of ``n``.
      test: share of ``n``.
      seed: as in ``philox``.

    Returns:
      int8 ``[n]``: ``TRAIN``, ``VALIDATION`` or ``TEST``.

    Raises:
      InputError: the shares leave nothing for one of the three.
    """
    if validation + test >= 1:
        raise InputError(f"validation and test: found {validation} + {test}, expected less than 1 together")
    _, first, group = np.unique(keys, return_index=True, return_inverse=True)
    sizes = np.bincount(group)
    stratum = np.asarray(strata)[first]
    # A random order that is the same for the same data, however their keys are sorted.
    by_place = np.argsort(first, kind="stable")
    shuffled = by_place[philox(seed, "own split").permutation(len(by_place))]
    order = shuffled[np.argsort(stratum[shuffled], kind="stable")]
    drawn = np.full(len(order), TRAIN, np.int8)
    kept = np.concatenate([[True], np.diff(stratum[order]) != 0]) if len(order) else np.zeros(0, bool)
    for split, share in ((TEST, test), (VALIDATION, validation)):
        pool = order[~kept & (drawn[order] == TRAIN)]
        if len(pool) and share:
            wanted = min(share * len(keys) / int(sizes[pool].sum()), 1.0)
            drawn[pool[_spread(sizes[pool], wanted)]] = split
    parts = drawn[group]
    for split, share in ((TRAIN, 1.0), (TEST, test), (VALIDATION, validation)):
        if share and not (parts == split).any():
            raise InputError(
                f"{SPLITS[split]}: found none of {len(keys):,} examples ({len(order):,} different) for a "
                f"share of {share}, expected a larger share or more examples"
            )
    return parts


def _spread(sizes: np.ndarray, share: float) -> np.ndarray:
    """Which groups to take, so that up to any place about ``share`` of the examples are taken."""
    taken, owed = np.zeros(len(sizes), bool), 0.0
    for place, size in enumerate(sizes):
        owed += size * share
        if 2 * owed >= size:
            taken[place] = True
            owed -= size
    return taken


def in_order(count: int, validation: float, test: float) -> np.ndarray:
    """The same shares of what has an order: the training first, the test last; int8 ``[count]``."""
    if validation + test >= 1:
        raise InputError(f"validation and test: found {validation} + {test}, expected less than 1 together")
    last, middle = round(count * test), round(count * validation)
    parts = np.full(count, TRAIN, np.int8)
    parts[count - last - middle : count - last] = VALIDATION
    parts[count - last :] = TEST
    return parts


def rows_of_splits(parts: np.ndarray, files: str) -> Dict[str, np.ndarray]:
    """Split name -> int64 rows, the ones to report first at the front, without splits that are empty.

    Raises:
      InputError: nothing to train on.
    """
    found = {name: np.flatnonzero(parts == SPLITS.index(name)) for name in REPORTED}
    if not len(found["train"]):
        raise InputError(f"{files}: found no example for training, expected some")
    return {name: rows for name, rows in found.items() if len(rows)}


def shared_with(keys: np.ndarray, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Those of ``rows`` whose key one of ``others`` has too."""
    return rows[np.isin(keys[rows], keys[others])]


def contradicting(keys: np.ndarray, labels: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Those of ``rows`` that are identical to another of them with another label."""
    _, group = np.unique(keys[rows], return_inverse=True)
    order = np.lexsort((labels[rows], group))
    groups, sorted_labels = group[order], labels[rows][order]
    changes = (groups[1:] == groups[:-1]) & (sorted_labels[1:] != sorted_labels[:-1])
    return np.sort(rows[np.isin(group, groups[1:][changes])])


def names_of(found: Sequence[str]) -> Tuple[str, ...]:
    """Class names in order: by value where all are whole numbers, else by code point."""
    try:
        return tuple(sorted(found, key=lambda name: (int(name), name)))
    except ValueError:
        return tuple(sorted(found))


def list_of(names: Sequence[str], most: int = 8) -> str:
    """Some names in one line."""
    shown: List[str] = [repr(name)[:40] for name in names[:most]]
    return ", ".join(shown) + (f" and {len(names) - most:,} more" if len(names) > most else "")
