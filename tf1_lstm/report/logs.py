"""Training logs: one curve of a log, what its epochs came to, and the log as CSV."""

import csv
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Union

import numpy as np

from tf1_lstm.files import PathLike, replacing
from tf1_lstm.recipes.published import LogLine

LogEntry = Union[LogLine, Mapping[str, Any]]


class Series(NamedTuple):
    """The points of one curve that can be drawn.

    Attributes:
      places: ``[points]`` int64, ascending: iterations or epochs.
      values: ``[points]`` float64, finite.
      lost: places whose value was not a number.
    """

    places: np.ndarray
    values: np.ndarray
    lost: List[int]


def series(log: Sequence[LogEntry], what: str, by: str = "iteration") -> Series:
    """``what`` (``"loss"``, ``"val_accuracy"``, ...) by ``"iteration"`` or by ``"epoch"``.

    A value that was never logged (None in a published log, no such key in a measured one) is left
    out; NaN and infinity are named in ``lost``. A log of this project writes them as null, so there
    None counts as lost too.
    """
    points, lost = [], []
    for entry in log:
        place, value = int(_part(entry, by)), _part(entry, what)
        if value is not None and np.isfinite(value):
            points.append((place, float(value)))
        elif value is not None or (not isinstance(entry, LogLine) and what in entry):
            lost.append(place)
    points.sort()
    return Series(
        np.array([place for place, _ in points], dtype=np.int64),
        np.array([value for _, value in points], dtype=np.float64),
        sorted(lost),
    )


def _part(entry: LogEntry, name: str) -> Any:
    return getattr(entry, name) if isinstance(entry, LogLine) else entry.get(name)


def is_of_epochs(log: Sequence[LogEntry]) -> bool:
    """Whether a log has its figures by epoch."""
    return bool(log) and all(_part(entry, "epoch") for entry in log)


def running_mean(values: np.ndarray, window: int) -> np.ndarray:
    """The mean over ``window`` neighbouring points, centred; fewer of them near both ends.

    Args:
      values: ``[points]``.
      window: an odd number of points.
    """
    if not len(values):
        return np.zeros(0)
    total = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    places = np.arange(len(values))
    first = np.maximum(places - window // 2, 0)
    last = np.minimum(places + window // 2 + 1, len(values))
    return (total[last] - total[first]) / (last - first)


def window_for(points: int) -> int:
    """A running mean's window that suits a log: a tenth of it, odd, at least 3."""
    return max(3, points // 10 | 1)


def epochs_summary(log: Sequence[LogEntry]) -> Optional[Dict[str, Any]]:
    """What a log of epochs says of its validation; None where it has no such figures.

    Returns:
      ``epochs`` (how many), ``best_epoch`` (lowest validation loss, the first of equals) with its
      ``best_loss`` and ``best_accuracy``, ``last_accuracy``, and of the second half of the epochs
      ``late_first`` (the first of them), ``late_lowest`` and ``late_highest`` (accuracies).
    """
    if not is_of_epochs(log):
        return None
    losses, accuracies = series(log, "val_loss", "epoch"), series(log, "val_accuracy", "epoch")
    accuracy = dict(zip(accuracies.places.tolist(), accuracies.values.tolist()))
    both = [pair for pair in zip(losses.values.tolist(), losses.places.tolist()) if pair[1] in accuracy]
    if not both:
        return None
    best_loss, best = min(both)
    last = max(accuracy)
    late = {epoch: value for epoch, value in accuracy.items() if epoch > last // 2}
    return {
        "epochs": last,
        "best_epoch": best,
        "best_loss": best_loss,
        "best_accuracy": accuracy[best],
        "last_accuracy": accuracy[last],
        "late_first": min(late),
        "late_lowest": min(late.values()),
        "late_highest": max(late.values()),
    }


def epochs_part(
    log: Sequence[LogEntry], published_log: Sequence[LogEntry], split: str
) -> Optional[Dict[str, Any]]:
    """The ``epochs`` part of ``results.json``; None where no epoch was validated.

    Args:
      log: this run's.
      published_log: the recipe's; empty on the sample, whose data are others.
      split: what was measured after each epoch, dropout off.

    Returns:
      ``split``, and ``measured`` and ``published`` as ``epochs_summary`` gives them.
    """
    measured = epochs_summary(log)
    if measured is None:
        return None
    return {"split": split, "measured": measured, "published": epochs_summary(published_log)}


def write_curves_csv(log: Sequence[Mapping[str, Any]], path: PathLike) -> None:
    """Write a log with every digit; what is no number becomes ``nan``.

    The columns are ``iteration,loss,accuracy``; of epochs ``iteration,epoch,loss,accuracy`` and, where
    there was a validation, ``val_loss,val_accuracy``.

    Raises:
      InputError: the file cannot be written.
    """
    counts = ["iteration", "epoch"] if is_of_epochs(log) else ["iteration"]
    figures = figure_names(log)
    with replacing(path, "w") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([*counts, *figures])
        for entry in log:
            numbers = [_digits(entry.get(what)) for what in figures]
            writer.writerow([*(int(entry[name]) for name in counts), *numbers])


def figure_names(log: Sequence[Mapping[str, Any]]) -> List[str]:
    """The figures that a log may hold of each entry, those of the validation where it has any."""
    validated = any("val_loss" in entry for entry in log)
    return ["loss", "accuracy"] + (["val_loss", "val_accuracy"] if validated else [])


def _digits(value: Optional[float]) -> str:
    return "nan" if value is None else repr(float(value))
