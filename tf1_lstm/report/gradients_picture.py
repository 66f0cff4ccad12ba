"""The norms of gradients over the steps, of several models side by side."""

from pathlib import Path
from typing import Any, Dict, Sequence

from tf1_lstm.report.canvas import BLACK, BLUE, GREEN, VERMILLION, picture, plain

PANELS = (
    ("loss_by_state", "|d loss / d h_t|"),
    ("last_state_by_state", "|d h_T / d h_t|"),
    ("carry", "mean d c_t / d c_(t-1)"),
)
STYLES = ((BLUE, "-"), (VERMILLION, "--"), (GREEN, "-."), (BLACK, ":"))


def gradients_picture(found: Sequence[Dict[str, Any]], path: Path, sample: bool) -> None:
    """Draw a panel for each figure and a line for each model.

    Args:
      found: as ``gradients --json`` has them.
      path: the PNG file.
      sample: the data are the embedded sample.

    Raises:
      InputError: the file cannot be written.
    """
    panels = [panel for panel in PANELS if any(one[panel[0]] for one in found)]
    with picture(path, "gradients over the steps", (9.0, 0.9 + 2.3 * len(panels)), sample) as figure:
        axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
        for panel, (key, label) in zip(axes, panels):
            for number, one in enumerate(found):
                if one[key]:
                    colour, line = STYLES[number % len(STYLES)]
                    steps = range(1, one["steps"] + 1)
                    panel.plot(steps, one[key], line, color=colour, label=plain(one["name"], 50))
            panel.set_ylabel(label)
            if key != "carry":
                panel.set_yscale("log", nonpositive="mask")
        axes[0].legend(loc="best")
        axes[-1].set_xlabel("step t")
