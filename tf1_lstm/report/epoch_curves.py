"""Loss and accuracy by epoch: training and validation, measured over published."""

from typing import Any, List, Mapping, NamedTuple, Sequence, Tuple

from tf1_lstm.report.canvas import BLACK, BLUE, GREEN
from tf1_lstm.report.logs import LogEntry, epochs_summary, series
from tf1_lstm.report.panels import LegendEntry, draw_lost, scale_panels, write_legend


class _Kind(NamedTuple):
    """How one of the two kinds of figures is drawn; ``prefix`` is that of its names in a log."""

    name: str
    prefix: str
    colour: str
    marker: str


KINDS = (_Kind("training", "", BLUE, "o"), _Kind("validation", "val_", GREEN, "s"))


def draw_epochs(
    loss_axes: Any,
    accuracy_axes: Any,
    log: Sequence[Mapping[str, Any]],
    published_log: Sequence[LogEntry],
) -> None:
    """Draw both panels: measured solid and filled, published dashed and hollow.

    Training and validation have a colour and a marker each. A star stands where the validation loss is
    lowest.

    Args:
      loss_axes: the upper panel; the legend goes above it.
      accuracy_axes: the lower one, with the same x axis.
      log: this run's entries, each with its ``epoch``.
      published_log: the recipe's; entries without an epoch, or beyond this run, are left out.
    """
    end = max(int(entry["epoch"]) for entry in log)
    published = [entry for entry in published_log if 0 < (_epoch(entry) or 0) <= end]
    logs = (("published", published), ("measured", log))
    shown, losses = _draw_panel(loss_axes, "loss", logs)
    _, accuracies = _draw_panel(accuracy_axes, "accuracy", logs)
    for of, entries in logs:
        shown += _draw_best(loss_axes, accuracy_axes, entries, of)
    loss_axes.set_ylim(top=1.05 * max([0.1, *losses]))
    scale_panels(loss_axes, accuracy_axes, min([0.9, *accuracies]), "epoch")
    accuracy_axes.set_xlim(0, 1.02 * end + 0.3)
    write_legend(loss_axes, shown)


def _epoch(entry: LogEntry) -> Any:
    return entry["epoch"] if isinstance(entry, Mapping) else entry.epoch


def _draw_panel(axes: Any, what: str, logs: Any) -> Tuple[List[LegendEntry], List[float]]:
    """Draw one panel; returns its entries for the legend and the values drawn."""
    shown: List[LegendEntry] = []
    values: List[float] = []
    for kind in KINDS:
        for of, entries in logs:
            points = series(entries, kind.prefix + what, "epoch")
            if len(points.values):
                shown.append((_draw(axes, points, kind, of), f"{kind.name}, {of}"))
                values += points.values.tolist()
            shown += draw_lost(axes, points.lost)
    return shown, values


def _draw(axes: Any, points: Any, kind: _Kind, of: str) -> Any:
    is_hollow = of == "published"
    many = len(points.values) > 20
    # Where both are the same, the published ring stands around the measured point.
    size = (4 if many else 7.5) if is_hollow else (0 if many else 4.5)
    return axes.plot(
        points.places,
        points.values,
        "--" if is_hollow else "-",
        marker=kind.marker,
        color=kind.colour,
        linewidth=1.2 if is_hollow else 2,
        markersize=size,
        markerfacecolor="none" if is_hollow else kind.colour,
    )[0]


def _draw_best(loss_axes: Any, accuracy_axes: Any, entries: Sequence[LogEntry], of: str) -> List[LegendEntry]:
    summary = epochs_summary(entries)
    if summary is None:
        return []
    is_hollow = of == "published"
    style = {
        "color": BLACK,
        "linestyle": "none",
        "markersize": 15 if is_hollow else 9,
        "markerfacecolor": "none" if is_hollow else BLACK,
        "zorder": 4,
    }
    mark = loss_axes.plot(summary["best_epoch"], summary["best_loss"], "*", **style)[0]
    accuracy_axes.plot(summary["best_epoch"], summary["best_accuracy"], "*", **style)
    return [(mark, f"lowest validation loss, {of}")]
