"""Loss and accuracy by iteration or by epoch, measured over published, as a picture."""

from typing import Any, List, Mapping, Sequence

from tf1_lstm.files import PathLike
from tf1_lstm.report.canvas import BLUE, GREY, VERMILLION, picture
from tf1_lstm.report.epoch_curves import draw_epochs
from tf1_lstm.report.logs import LogEntry, Series, is_of_epochs, running_mean, series, window_for
from tf1_lstm.report.panels import LegendEntry, draw_lost, draw_on_edge, scale_panels, write_legend


def curves(
    log: Sequence[Mapping[str, Any]],
    published_log: Sequence[LogEntry],
    path: PathLike,
    title: str,
    is_sample: bool,
    *,
    checkpoints: Sequence[int] = (),
) -> None:
    """Draw loss and accuracy: by iteration every logged point and a running mean, or by epoch.

    Args:
      log: this run's entries with ``iteration``, ``loss``, ``accuracy``; may be empty or hold NaN.
        Where each has its ``epoch``, see ``epoch_curves.draw_epochs``.
      published_log: the recipe's; drawn as far as this run goes, and not at all on the sample,
        whose data are others.
      path: the PNG file.
      title: see ``canvas.picture_title``.
      is_sample: the run used the embedded sample.
      checkpoints: iterations at which checkpoints were saved; not drawn by epoch.
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
    if is_of_epochs(log):
        draw_epochs(loss_axes, accuracy_axes, log, published_log)
        return
    end = max([int(entry["iteration"]) for entry in log], default=0)
    shown: List[LegendEntry] = []
    lowest = 0.9
    for axes, what in ((loss_axes, "loss"), (accuracy_axes, "accuracy")):
        measured, published = series(log, what), _until(series(published_log, what), end)
        shown += [
            *_draw_points(axes, measured, "measured", BLUE),
            *_draw_points(axes, published, "published", VERMILLION),
            *_draw_checkpoints(axes, checkpoints),
            *draw_lost(axes, measured.lost),
        ]
        if not log:
            place = {"loss": (0.98, 0.92), "accuracy": (0.98, 0.08)}[what]
            axes.text(*place, f"no {what} was logged", transform=axes.transAxes, ha="right", color=GREY)
        if what == "accuracy":
            lowest = min([lowest, *measured.values, *published.values])
    scale_panels(loss_axes, accuracy_axes, lowest, "iteration")
    write_legend(loss_axes, shown)


def _until(published: Series, end: int) -> Series:
    # A few iterations more: the tutorial logs 1001, 2001, ... where a run may log 1000, 2000, ...
    if not end:
        return published
    keep = published.places <= end * 1.02 + 1
    return Series(published.places[keep], published.values[keep], published.lost)


def _draw_points(axes: Any, points: Series, name: str, colour: str) -> List[LegendEntry]:
    count = len(points.values)
    if not count:
        return []
    is_hollow = name == "published"
    dots = axes.plot(
        points.places,
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
    line = axes.plot(points.places, mean, "--" if is_hollow else "-", color=colour, linewidth=2)[0]
    return [((dots, line), f"{name}: points, mean of {window}")]


def _draw_checkpoints(axes: Any, checkpoints: Sequence[int]) -> List[LegendEntry]:
    places = sorted(set(checkpoints))
    for place in places:
        axes.axvline(place, color=GREY, linestyle=":", linewidth=1, zorder=0.5)
    return draw_on_edge(axes, places, "^", "checkpoint")
