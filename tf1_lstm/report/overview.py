"""The one picture that ends a reproduction: curves, accuracies, confusion matrix, test batches."""

from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from tf1_lstm.files import PathLike
from tf1_lstm.report.batches import draw_test_batches
from tf1_lstm.report.canvas import BLUE, VERMILLION, empty, picture, plain
from tf1_lstm.report.confusion import draw_confusion
from tf1_lstm.report.curves import draw_curves
from tf1_lstm.report.documents import Document
from tf1_lstm.report.logs import LogEntry
from tf1_lstm.report.results import (
    WHOLE,
    Comparison,
    comparisons,
    deviations_text,
    evaluations_at,
    origin,
)
from tf1_lstm.report.tables import heading, percent


def report_picture(
    results: Document,
    log: Sequence[Mapping[str, Any]],
    published_log: Sequence[LogEntry],
    path: PathLike,
    *,
    class_names: Sequence[str] = (),
    checkpoints: Sequence[int] = (),
) -> None:
    """Draw everything that a reproduction found on one picture of 1450 by 880 pixels.

    Args:
      results: a whole ``results.json`` document; an empty part leaves its panel empty.
      log: this run's log, as finely as it was kept (``results["log"]`` will do).
      published_log: the recipe's; not drawn on the sample.
      path: the PNG file.
      class_names: a name for each class; else ``results["class_names"]``, else numbers.
      checkpoints: iterations of the saved checkpoints; else those that were evaluated.
    """
    sample = bool(results["sample"])
    steps = {entry.get("checkpoint_step") for entry in results["evaluations"]}
    shown = tuple(checkpoints) or tuple(sorted(step for step in steps if step))
    deviations = deviations_text(results["deviations"], short=True)
    subtitle = f"not as {origin(results)}: {deviations}" if deviations else ""
    rows = [row for row in comparisons(results) if row.measured is not None and row.how == WHOLE]
    batches = results.get("test_batches") or {}
    with picture(path, heading(results), (14.5, 8.8), sample, subtitle) as figure:
        figure.set_constrained_layout_pads(w_pad=0.06, h_pad=0.06)
        left, right = figure.add_gridspec(1, 2, width_ratios=[9, 11])
        curves = left.subgridspec(2, 1).subplots(sharex=True)
        draw_curves(curves[0], curves[1], log, () if sample else published_log, checkpoints=shown)
        top, bottom = right.subgridspec(2, 1, height_ratios=[5, 8])
        draw_accuracies(figure.add_subplot(top), rows, sample)
        below = bottom.subgridspec(1, 2 if batches else 1)
        _draw_matrix(figure.add_subplot(below[0, 0]), results, class_names)
        if batches:
            axes = figure.add_subplot(below[0, 1])
            published, size = _published_batches(results)
            draw_test_batches(axes, published, batches["accuracies"], (size, batches["batch_size"]))
            step = f", step {batches['checkpoint_step']:,}" if batches.get("checkpoint_step") else ""
            axes.set_xlabel(f"test batch, dropout {batches['dropout']}{step}")


def draw_accuracies(axes: Any, rows: Sequence[Comparison], is_sample: bool) -> None:
    """Draw whole-split accuracies with their intervals; a published value is a line with a band.

    Args:
      axes: where to.
      rows: measured on whole splits; one line for each split and dropout.
      is_sample: leave the published values out.
    """
    if not rows:
        empty(axes, "no evaluations")
        return
    lines: Dict[str, List[Comparison]] = {}
    for row in rows:
        step = "" if row.step is None else f", step {row.step:,}"
        lines.setdefault(f"{plain(row.split, 24)}, dropout {row.dropout}{step}", []).append(row)
    ends: List[float] = []
    for place, same in enumerate(lines.values()):
        row = same[0]
        assert row.measured is not None
        low, high = row.measured_interval or (row.measured, row.measured)
        ends += [low, high]
        filled = BLUE if row.dropout == "off" else "white"
        axes.plot([low, high], [place, place], color=BLUE, linewidth=2)
        axes.plot([row.measured], [place], "o", color=BLUE, markerfacecolor=filled, markersize=8)
        text = f"{percent(row.measured, row.measured_examples)} of {row.measured_examples:,}"
        axes.text(1.01, place, text, transform=axes.get_yaxis_transform(), va="center", fontsize=9)
        if not is_sample:
            ends += _draw_published(axes, place, same)
    axes.set_yticks(range(len(lines)))
    axes.set_yticklabels(list(lines))
    axes.set_ylim(len(lines) - 0.4, -0.6)
    pad = max(0.01, 0.06 * (max(ends) - min(ends)))
    axes.set_xlim(max(0.0, min(ends) - pad), min(1.005, max(ends) + pad))
    axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.4g} %" if value < 1.001 else "")
    axes.grid(False, axis="y")
    has_published = not is_sample and any(row.published is not None for row in rows)
    title = "accuracy with its 95 % interval"
    beside = "own run of the published code" if any(row.own_run for row in rows) else "published"
    axes.set_title(f"{title} (dashed line and band: {beside})" if has_published else title)


def _draw_published(axes: Any, place: int, same: Sequence[Comparison]) -> List[float]:
    ends: List[float] = []
    for row in same:
        if row.published is None or row.published_interval is None:
            continue
        low, high = row.published_interval
        axes.barh(place, high - low, left=low, height=0.7, color=VERMILLION, alpha=0.15, linewidth=0)
        axes.plot([row.published] * 2, [place - 0.35, place + 0.35], "--", color=VERMILLION, linewidth=2)
        ends += [low, high]
    return ends


def _draw_matrix(axes: Any, results: Document, class_names: Sequence[str]) -> None:
    chosen = _headline(results)
    if chosen is None or not chosen.get("confusion"):
        empty(axes, "no confusion matrix")
        return
    draw_confusion(axes, chosen["confusion"], class_names or results.get("class_names", ()), small=True)
    below = axes.get_title(loc="left")
    axes.set_title(f"{plain(chosen['split'], 24)}, dropout {chosen['dropout']}\n{below}")


def _headline(results: Document) -> Optional[Document]:
    """The final evaluation with dropout off over the most examples that are not the training ones."""

    def rank(entry: Document) -> Tuple[bool, bool, int]:
        return entry["split"] != "train", entry["dropout"] == "off", entry["examples"]

    final = evaluations_at(results["evaluations"])
    return max(final, key=rank) if final else None


def _published_batches(results: Document) -> Tuple[Sequence[float], int]:
    """The published test batches and their size; none on the sample."""
    for entry in results["published"]:
        if entry.get("parts") and not results["sample"]:
            return entry["parts"], entry["examples"] // len(entry["parts"])
    return (), 0
