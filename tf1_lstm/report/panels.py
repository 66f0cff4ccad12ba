"""What every picture of a loss panel above an accuracy panel shares: scales, legend, marks on the edge."""

from typing import Any, List, Sequence, Tuple

import numpy as np
from matplotlib.ticker import MaxNLocator

from tf1_lstm.report.canvas import BLACK

LegendEntry = Tuple[Any, str]


def scale_panels(loss_axes: Any, accuracy_axes: Any, lowest: float, unit: str) -> None:
    """Set limits, ticks and names of both axes.

    Args:
      loss_axes: the upper panel.
      accuracy_axes: the lower one, with the same x axis.
      lowest: the lowest accuracy that is drawn.
      unit: of the x axis: ``"iteration"`` or ``"epoch"``.
    """
    loss_axes.set_ylabel("loss")
    loss_axes.set_ylim(bottom=0)
    accuracy_axes.set_ylabel("accuracy")
    accuracy_axes.set_xlabel(unit)
    accuracy_axes.set_ylim(max(0.0, np.floor(lowest * 10) / 10) - 0.02, 1.02)
    accuracy_axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.4g} %" if value < 1.001 else "")
    accuracy_axes.xaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10], integer=True))
    accuracy_axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    accuracy_axes.set_xlim(left=0)


def write_legend(axes: Any, shown: Sequence[LegendEntry], columns: int = 3) -> None:
    """Write a legend above the axes, each label once."""
    unique = {label: handle for handle, label in reversed(shown)}
    entries = [(unique.pop(label), label) for _, label in shown if label in unique]
    if not entries:
        return
    handles, labels = zip(*entries)
    where = {"loc": "lower left", "bbox_to_anchor": (0, 1.0), "borderaxespad": 0.2}
    legend = axes.legend(handles, labels, ncol=columns, columnspacing=1.5, handletextpad=0.5, **where)
    # The layout would make the axes as narrow as the legend allows; a blank title keeps its height.
    legend.set_in_layout(False)
    axes.set_title("\n" * ((len(entries) - 1) // columns) + " ")


def draw_on_edge(axes: Any, places: Sequence[int], marker: str, label: str) -> List[LegendEntry]:
    """Draw a mark on the lower edge at each place; returns its entry for the legend."""
    if not places:
        return []
    bottom = [0.0] * len(places)
    edge = axes.get_xaxis_transform()
    drawn = axes.plot(
        places, bottom, marker, color=BLACK, markersize=7, clip_on=False, zorder=3, transform=edge
    )
    return [(drawn[0], label)]


def draw_lost(axes: Any, lost: Sequence[int]) -> List[LegendEntry]:
    """Mark the places whose value was not a number."""
    return draw_on_edge(axes, lost, "x", "not a number")
