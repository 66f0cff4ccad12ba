"""Pictures of a study: every seed beside the published figure, and curves with their bands."""

from pathlib import Path
from typing import Any, List, Optional, Sequence, Tuple

import numpy as np

from tf1_lstm.report.canvas import BLUE, GREY, VERMILLION, picture, plain
from tf1_lstm.report.logs import LogEntry, is_of_epochs, series
from tf1_lstm.report.statistics import mean_and_std
from tf1_lstm.report.study_report import cell_name
from tf1_lstm.report.study_rows import CellResults, Row
from tf1_lstm.report.verdicts import predict_one_more


def strip_plot(
    cells: Sequence[CellResults], rows: Sequence[Row], path: Path, name: str, sample: bool
) -> Optional[Path]:
    """Draw every seed of every accuracy; returns the path, or None where there is nothing to draw.

    A line a row: a dot for each seed, a bar for the prediction interval of one more training, a tick at
    the mean, a diamond at what was published. Rows without a published figure are drawn where the study
    has none with one.

    Raises:
      InputError: the file cannot be written.
    """
    accuracies = [row for row in rows if row.is_share]
    shown = [row for row in accuracies if row.published is not None] or accuracies
    if not shown:
        return None
    with picture(path, name, (9.0, 1.5 + 0.42 * len(shown)), sample, "accuracy of every seed") as figure:
        axes = figure.add_subplot()
        for place, row in enumerate(shown):
            _strip(axes, place, row)
        axes.set_yticks(range(len(shown)))
        axes.set_yticklabels([_label(row, cells[row.cell]) for row in shown])
        axes.set_ylim(len(shown) - 0.4, -0.6)
        axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.4g} %")
        handles = {label: handle for handle, label in zip(*axes.get_legend_handles_labels())}
        figure.legend(
            handles.values(), handles.keys(), loc="lower center", ncol=4, bbox_to_anchor=(0.5, -0.01)
        )
        # The legend's own room below the axes.
        axes.set_xlabel(" \n ")
    return path


def _strip(axes: Any, place: int, row: Row) -> None:
    values = np.array(list(row.values.values()), np.float64)
    offsets = 0.16 * np.sin(2.4 * np.arange(len(values)))  # apart, and the same every time
    axes.plot(values, place + offsets, "o", color=BLUE, markersize=4, alpha=0.75, label="a seed", zorder=3)
    mean, _ = mean_and_std(values)
    if len(values) > 1:
        sampled = row.published.sampled if row.published else 0
        rounding = row.published.rounding if row.published else 0.0
        low, high = predict_one_more(values, rounding, sampled).interval
        low, high = max(0.0, low), min(1.0, high)
        axes.plot(
            [low, high], [place, place], "-", color=GREY, linewidth=5, alpha=0.4, label="95 % of one training"
        )
    axes.plot([mean], [place], "|", color=BLUE, markersize=17, markeredgewidth=2, label="mean", zorder=4)
    if row.published is not None:
        label = "published"
        if row.is_own_run:
            label = "own run of the published code"
        axes.plot(
            [row.published.value],
            [place],
            "D",
            color=VERMILLION,
            markersize=7,
            markerfacecolor="none",
            markeredgewidth=1.8,
            label=label,
            zorder=5,
        )


def _label(row: Row, cell: CellResults) -> str:
    return plain(cell_name(cell), 46) + "\n" + plain(row.name, 46)


def curves_with_bands(cell: CellResults, path: Path, sample: bool) -> Optional[Path]:
    """Draw a cell's curves: mean over seeds, a band from the lowest to the highest, the published line.

    Of epochs: training loss and validation accuracy; of iterations: the logged loss. None where nothing
    was logged.

    Raises:
      InputError: the file cannot be written.
    """
    logs = [document["log"] for document in cell.documents if document["log"]]
    if not logs:
        return None
    by = "epoch" if all(is_of_epochs(log) for log in logs) else "iteration"
    panels = [
        ("loss", "training loss"),
        ("val_accuracy", "validation accuracy"),
        ("val_mean_absolute_error", "validation error"),
    ]
    if by == "iteration":
        panels = [
            ("loss", "loss, as logged"),
            ("accuracy", "accuracy, as logged"),
            ("mean_absolute_error", "error, as logged"),
        ]
    panels = [panel for panel in panels if any(len(series(log, panel[0], by).places) for log in logs)]
    if not panels:
        return None
    title = cell.recipe.rpartition("/")[2]
    subtitle = f"{len(logs)} seeds: mean, and from the lowest to the highest"
    with picture(path, title, (9.0, 0.9 + 2.6 * len(panels)), sample, subtitle) as figure:
        axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
        for panel, (what, label) in zip(axes, panels):
            _band(panel, logs, cell.reference.log, what, by)
            panel.set_ylabel(label)
        axes[-1].set_xlabel(by)
        axes[0].legend(loc="best")
    return path


def _band(axes: Any, logs: Sequence[Any], published: Sequence[LogEntry], what: str, by: str) -> None:
    places, table = _table([series(log, what, by) for log in logs])
    axes.fill_between(places, np.nanmin(table, 0), np.nanmax(table, 0), color=BLUE, alpha=0.2, linewidth=0)
    axes.plot(places, np.nanmean(table, 0), "-", color=BLUE, linewidth=1.8, label="mean over seeds")
    points = series(published, what, by) if published else None
    if points is not None and len(points.places):
        style = {"color": VERMILLION, "linewidth": 1.4, "marker": "D", "markersize": 3.5}
        axes.plot(points.places, points.values, "--", label="published", markerfacecolor="none", **style)
    axes.set_xlim(left=0)


def _table(found: Sequence[Any]) -> Tuple[np.ndarray, np.ndarray]:
    """The places of all seeds, and a row of values for each seed with NaN where it has none."""
    places: List[int] = sorted({int(place) for points in found for place in points.places})
    column = {place: number for number, place in enumerate(places)}
    table = np.full((len(found), len(places)), np.nan)
    for row, points in enumerate(found):
        table[row, [column[int(place)] for place in points.places]] = points.values
    return np.array(places), table
