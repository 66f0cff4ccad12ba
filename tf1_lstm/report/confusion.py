"""A confusion matrix as a picture: counts, shares of each true class, accuracy by class."""

from typing import Any, List, Sequence

import numpy as np
from matplotlib.colors import PowerNorm

from tf1_lstm.files import PathLike
from tf1_lstm.report.canvas import empty, picture, plain
from tf1_lstm.report.statistics import accuracy_by_class
from tf1_lstm.report.tables import percent

NUMBERS_UP_TO = 20  # classes; with more, numbers in the cells could not be read
COLOURS = "Blues"
SHADE_POWER = 0.45  # below 1: a mistake of 2 % of a class must be told from none


def confusion_picture(
    matrix: Sequence[Sequence[int]],
    class_names: Sequence[str],
    path: PathLike,
    title: str,
    is_sample: bool = False,
) -> None:
    """Draw a confusion matrix.

    Args:
      matrix: ``[classes, classes]`` counts, rows true, columns predicted.
      class_names: a name for each class; numbers stand in for missing ones.
      path: the PNG file.
      title: see ``canvas.picture_title``.
      is_sample: the run used the embedded sample.
    """
    classes = len(matrix)
    side = min(9.5, 5.0 + 0.33 * max(0, classes - 2))
    with picture(path, title, (side + 0.9, side), is_sample) as figure:
        draw_confusion(figure.subplots(), matrix, class_names)


def draw_confusion(
    axes: Any, matrix: Sequence[Sequence[int]], class_names: Sequence[str], small: bool = False
) -> None:
    """Draw a confusion matrix; ``small`` leaves out the shares so that it fits a part of a picture."""
    counts = np.asarray(matrix, dtype=np.int64)
    if not counts.size or not counts.sum():
        empty(axes, "no examples, so no confusion matrix")
        return
    classes = len(counts)
    totals = counts.sum(axis=1, keepdims=True)
    shares = counts / np.maximum(totals, 1)  # [classes, classes], each row sums to 1 or is 0
    edges = np.arange(classes + 1) - 0.5
    norm = PowerNorm(SHADE_POWER, vmin=0, vmax=1)
    axes.pcolormesh(edges, edges, shares, cmap=COLOURS, norm=norm, edgecolors="white", linewidth=0.8)
    axes.invert_yaxis()
    if not small:
        axes.set_aspect("equal")
    axes.grid(False)
    axes.spines[:].set_visible(False)
    names = class_labels(class_names, classes)
    every = max(1, classes // 25)
    ticks = list(range(0, classes, every))
    sideways = max(len(name) for name in names) > (12 if classes <= 4 else 3)
    axes.set_xticks(ticks)
    axes.set_xticklabels([names[k] for k in ticks], rotation=90 if sideways else 0)
    axes.set_yticks(ticks)
    axes.set_yticklabels([_row_label(names[k], share) for k, share in _by_class(counts, ticks)])
    axes.tick_params(length=0, labelsize=9 if classes <= NUMBERS_UP_TO else 7)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true, and the share of it that was right")
    if classes <= NUMBERS_UP_TO:
        _write_numbers(axes, counts, shares, with_shares=not small and classes <= 12)
    total = int(counts.sum())
    right = int(np.trace(counts))
    axes.set_title(f"{right:,} of {total:,} right: {percent(right / total, total)}")


def class_labels(class_names: Sequence[str], classes: int) -> List[str]:
    """A short, drawable name for each class, its number where there is none."""
    names = [plain(name, 18) for name in class_names][:classes]
    return names + [str(k) for k in range(len(names), classes)]


def _by_class(counts: np.ndarray, ticks: Sequence[int]) -> Any:
    shares = accuracy_by_class(counts)
    return [(k, shares[k]) for k in ticks]


def _row_label(name: str, share: Any) -> str:
    return f"{name}   none" if share is None else f"{name}   {100 * share:.1f} %"


def _write_numbers(axes: Any, counts: np.ndarray, shares: np.ndarray, with_shares: bool) -> None:
    classes = len(counts)
    size = 12 if classes <= 3 else 7 if classes > 12 else 8
    for row in range(classes):
        for column in range(classes):
            number = counts[row, column]
            if not number:
                continue
            text = f"{number:,}"
            if with_shares:
                text += f"\n{100 * shares[row, column]:.1f} %"
            # Dark cells need light figures.
            colour = "white" if shares[row, column] ** SHADE_POWER > 0.6 else "black"
            axes.text(
                column,
                row,
                text,
                ha="center",
                va="center",
                color=colour,
                fontsize=size,
            )
