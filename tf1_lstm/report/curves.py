"""Loss and accuracy by iteration, measured over published, as a picture and as CSV."""

import csv
from typing import Any, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np
from matplotlib.ticker import MaxNLocator

from tf1_lstm.files import PathLike, replacing
from tf1_lstm.recipes.base import LogLine
from tf1_lstm.report.canvas import BLACK, BLUE, GREY, VERMILLION, finite, picture

LogEntry = Union[LogLine, Mapping[str, Any]]


class Series(NamedTuple):
    """The points of one curve that can be drawn.

    Attributes:
      iterations: ``[points]`` int64, ascending.
      values: ``[points]`` float64, finite.
      lost: iterations whose value was not a number.
    """

    iterations: np.ndarray
    values: np.ndarray
    lost: List[int]


def series(log: Sequence[LogEntry], what: str) -> Series:
    """``what`` (``"loss"`` or ``"accuracy"``) by iteration.

    A value that was never logged (None in a published log) is left out; NaN and infinity are named
    in ``lost``. A log of this project writes them as null, so there None counts as lost too.
    """
    points, lost = [], []
    for entry in log:
        published = isinstance(entry, LogLine)
        iteration = entry.iteration if isinstance(entry, LogLine) else int(entry["iteration"])
        value = getattr(entry, what) if published else entry.get(what)  # type: ignore[union-attr]
        if finite([value]):
            points.append((iteration, float(value)))
        elif not (published and value is None):
            lost.append(iteration)
    points.sort()
    return Series(
        np.array([iteration for iteration, _ in points], dtype=np.int64),
        np.array([value for _, value in points], dtype=np.float64),
        sorted(lost),
    )


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


def curves(
    log: Sequence[Mapping[str, Any]],
    published_log: Sequence[LogEntry],
    path: PathLike,
    title: str,
    is_sample: bool,
    *,
    checkpoints: Sequence[int] = (),
) -> None:
    """Draw loss and accuracy by iteration: every logged point and a running mean.

    Args:
      log: this run's entries with ``iteration``, ``loss``, ``accuracy``; may be empty or hold NaN.
      published_log: the recipe's; drawn as far as this run goes, and not at all on the sample,
        whose data are others.
      path: the PNG file.
      title: see ``canvas.picture_title``.
      is_sample: the run used the embedded sample.
      checkpoints: iterations at which checkpoints were saved.
    """
    with picture(path, title, (10, 6.6), is_sample) as figure:
        loss, accuracy = figure.subplots(2, 1, sharex=True)
        draw_curves(loss, accuracy, log, () if is_sample else published_log, checkpoints=checkpoints)


def draw_curves(
    loss_axes: Any,
    accuracy_axes: Any,
    log: Sequence[Mapping[str, Any]],
    published_log: Sequence[LogEntry],
    *,
    checkpoints: Sequence[int] = (),
) -> None:
    """Draw both panels; the axes share their x axis, loss above with the legend on top."""
    end = max([int(entry["iteration"]) for entry in log], default=0)
    shown: List[Tuple[Any, str]] = []
    lowest = 0.9
    for axes, what in ((loss_axes, "loss"), (accuracy_axes, "accuracy")):
        measured, published = series(log, what), _until(series(published_log, what), end)
        entries = [
            *_draw_points(axes, measured, "measured", BLUE),
            *_draw_points(axes, published, "published", VERMILLION),
            *_draw_checkpoints(axes, checkpoints),
            *_draw_lost(axes, measured.lost),
        ]
        shown += [entry for entry in entries if entry[1] not in [label for _, label in shown]]
        if not log:
            place = {"loss": (0.98, 0.92), "accuracy": (0.98, 0.08)}[what]
            axes.text(*place, f"no {what} was logged", transform=axes.transAxes, ha="right", color=GREY)
        if what == "accuracy":
            lowest = min([lowest, *measured.values, *published.values])
    _scale(loss_axes, accuracy_axes, lowest)
    _write_legend(loss_axes, shown)


def _write_legend(axes: Any, shown: Sequence[Tuple[Any, str]]) -> None:
    if not shown:
        return
    handles, labels = zip(*shown)
    where = {"loc": "lower left", "bbox_to_anchor": (0, 1.0), "borderaxespad": 0.2}
    legend = axes.legend(handles, labels, ncol=3, columnspacing=1.5, handletextpad=0.5, **where)
    # The layout would make the axes as narrow as the legend allows; a blank title keeps its height.
    legend.set_in_layout(False)
    axes.set_title("\n" * ((len(shown) - 1) // 3) + " ")


def _until(published: Series, end: int) -> Series:
    # A few iterations more: the tutorial logs 1001, 2001, ... where a run may log 1000, 2000, ...
    if not end:
        return published
    keep = published.iterations <= end * 1.02 + 1
    return Series(published.iterations[keep], published.values[keep], published.lost)


def _draw_points(axes: Any, points: Series, name: str, colour: str) -> List[Tuple[Any, str]]:
    count = len(points.values)
    if not count:
        return []
    is_hollow = name == "published"
    dots = axes.plot(
        points.iterations,
        points.values,
        "D" if is_hollow else "o",
        color=colour,
        markersize=5 if count <= 100 else 3 if count <= 1000 else 1.5,
        alpha=0.7 if is_hollow else 0.45,
        markerfacecolor="none" if is_hollow else colour,
        markeredgewidth=1 if is_hollow else 0,
    )[0]
    if count < 3:
        return [(dots, name)]
    window = window_for(count)
    mean = running_mean(points.values, window)
    line = axes.plot(points.iterations, mean, "--" if is_hollow else "-", color=colour, linewidth=2)[0]
    return [((dots, line), f"{name}: points, mean of {window}")]


def _draw_checkpoints(axes: Any, checkpoints: Sequence[int]) -> List[Tuple[Any, str]]:
    places = sorted(set(checkpoints))
    for place in places:
        axes.axvline(place, color=GREY, linestyle=":", linewidth=1, zorder=0.5)
    return _draw_on_edge(axes, places, "^", "checkpoint")


def _draw_lost(axes: Any, lost: Sequence[int]) -> List[Tuple[Any, str]]:
    return _draw_on_edge(axes, lost, "x", "not a number")


def _draw_on_edge(axes: Any, places: Sequence[int], marker: str, label: str) -> List[Tuple[Any, str]]:
    if not places:
        return []
    bottom = [0.0] * len(places)
    edge = axes.get_xaxis_transform()
    drawn = axes.plot(
        places, bottom, marker, color=BLACK, markersize=7, clip_on=False, zorder=3, transform=edge
    )
    return [(drawn[0], label)]


def _scale(loss_axes: Any, accuracy_axes: Any, lowest: float) -> None:
    loss_axes.set_ylabel("loss")
    loss_axes.set_ylim(bottom=0)
    accuracy_axes.set_ylabel("accuracy")
    accuracy_axes.set_xlabel("iteration")
    accuracy_axes.set_ylim(max(0.0, np.floor(lowest * 10) / 10) - 0.02, 1.02)
    accuracy_axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %" if value < 1.001 else "")
    accuracy_axes.xaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10], integer=True))
    accuracy_axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    accuracy_axes.set_xlim(left=0)


def write_curves_csv(log: Sequence[Mapping[str, Any]], path: PathLike) -> None:
    """Write ``iteration,loss,accuracy`` with every digit; what is no number becomes ``nan``.

    Raises:
      InputError: the file cannot be written.
    """
    with replacing(path, "w") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["iteration", "loss", "accuracy"])
        for entry in log:
            values = [_digits(entry.get(what)) for what in ("loss", "accuracy")]
            writer.writerow([int(entry["iteration"]), *values])


def _digits(value: Optional[float]) -> str:
    return "nan" if value is None else repr(float(value))
