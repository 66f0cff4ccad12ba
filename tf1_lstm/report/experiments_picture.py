"""One picture of every experiment of epochs: validation accuracy published, by TensorFlow 1, by the port."""

from typing import Any, Dict, List, Sequence, Tuple

from tf1_lstm.errors import InputError
from tf1_lstm.files import PathLike
from tf1_lstm.report.canvas import BLUE, GREEN, VERMILLION, picture, plain
from tf1_lstm.report.experiments import TrainedExperiment
from tf1_lstm.report.logs import LogEntry, series
from tf1_lstm.report.panels import LegendEntry
from tf1_lstm.report.results import deviations_text

COLUMNS = 4
# Training for longer or on other word vectors still shows beside what was published; the rest does not.
COMPARABLE = {"epochs", "iterations", "word_vector_size"}
STYLES: Dict[str, Dict[str, Any]] = {
    "published": {"color": VERMILLION, "linestyle": "--", "linewidth": 1.7, "zorder": 3},
    "TensorFlow 1": {"color": BLUE, "linestyle": "-", "marker": "o", "linewidth": 1.5},
    "port": {"color": GREEN, "linestyle": ":", "marker": "s", "linewidth": 1.7},
}


def experiments_picture(found: Sequence[TrainedExperiment], path: PathLike) -> List[str]:
    """Draw a panel for each recipe; returns the recipes that were drawn.

    Args:
      found: see ``experiments.experiments``. Settings that make another experiment are left out.
      path: the PNG file.

    Raises:
      InputError: nothing to draw, or the file cannot be written.
    """
    panels: Dict[str, List[TrainedExperiment]] = {}
    for experiment in found:
        if set(experiment.deviations) <= COMPARABLE:
            panels.setdefault(experiment.recipe.name, []).append(experiment)
    if not panels:
        raise InputError(f"{path}: no results of epochs to draw")
    columns = min(COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    size = (0.6 + 3.3 * columns, 1.1 + 2.8 * rows)
    with picture(
        path, "accuracy after each epoch, dropout off; every panel has axes of its own", size, False
    ) as figure:
        figure.set_constrained_layout_pads(w_pad=0.06, h_pad=0.06)
        grid = figure.add_gridspec(rows + 1, columns, height_ratios=[0.06, *[1] * rows])
        shown: Dict[str, Any] = {}
        for place, experiments in enumerate(panels.values()):
            axes = figure.add_subplot(grid[1 + place // columns, place % columns])
            for handle, label in _draw_panel(axes, experiments):
                shown.setdefault(label, handle)
            if place % columns == 0:
                axes.set_ylabel("accuracy")
        _write_legend(figure.add_subplot(grid[0, :]), shown)
    return list(panels)


def _write_legend(axes: Any, shown: Dict[str, Any]) -> None:
    axes.set_axis_off()
    labels = [label for label in STYLES if label in shown]
    axes.legend([shown[label] for label in labels], labels, loc="center", ncol=len(labels))


def _draw_panel(axes: Any, experiments: Sequence[TrainedExperiment]) -> List[LegendEntry]:
    recipe = experiments[0].recipe
    logs: List[Tuple[str, Sequence[LogEntry]]] = [("published", recipe.published.log)]
    logs += [("TensorFlow 1", run["log"]) for one in experiments for run in one.runs]
    logs += [("port", port["log"]) for one in experiments for port in one.ports]
    shown: List[LegendEntry] = []
    for label, log in logs:
        points = series(log, "val_accuracy", "epoch")
        if len(points.values):
            size = 3.5 if len(points.values) <= 20 else 0
            shown.append(
                (axes.plot(points.places, points.values, markersize=size, **STYLES[label])[0], label)
            )
    title = f"{recipe.name}, {getattr(recipe.schedule, 'validation', '')} reviews"
    axes.set_title("\n".join([title, *_notes(experiments)]))
    axes.set_xlim(left=0)
    axes.set_xlabel("epoch")
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.4g} %")
    axes.xaxis.get_major_locator().set_params(integer=True, nbins=5)
    axes.yaxis.get_major_locator().set_params(nbins=6)
    return shown


def _notes(experiments: Sequence[TrainedExperiment]) -> List[str]:
    """A line on each setting that is not as published; iterations are left out, since epochs say it."""
    lines = [
        deviations_text({name: pair})
        for experiment in experiments
        for name, pair in sorted(experiment.deviations.items())
        if name != "iterations"
    ]
    if not experiments[0].recipe.published.log:
        lines.append("no published figures")
    return [plain(line) for line in dict.fromkeys(lines)]
