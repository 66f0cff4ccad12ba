"""The picture of a comparison: the difference by step, and by level."""

from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import numpy as np

from tf1_lstm.parity.bundle import Bundle
from tf1_lstm.parity.gates import Divergence
from tf1_lstm.parity.levels import FAIL, PASS, Level
from tf1_lstm.parity.runner import Observed
from tf1_lstm.report.canvas import BLACK, BLUE, GREY, VERMILLION, empty, picture

LOWEST = 1e-9
STYLES = ("-", "--", "-.", ":")


def draw(
    path: Path,
    bundle: Bundle,
    observed: Observed,
    levels: Sequence[Level],
    divergence: Optional[Divergence],
    subtitle: str,
) -> None:
    """Write a PNG.

    Args:
      path: the file.
      bundle: the original.
      observed: what the port showed; by example where its states cannot be seen.
      levels: all of them.
      divergence: the first step that differs.
      subtitle: the diagnosis in a line.
    """
    is_sample = bool(bundle.document.get("dataset", {}).get("is_sample"))
    title = f"{bundle.recipe}: difference between port and TensorFlow 1.15"
    with picture(path, title, (10, 4.4), is_sample, subtitle) as figure:
        left, right = figure.subplots(1, 2, gridspec_kw={"width_ratios": [2, 1]})
        _draw_steps(left, bundle, observed, levels, divergence)
        _draw_levels(right, levels)


def draw_heat_map(path: Path, bundle: Bundle, observed: Observed) -> bool:
    """Write a PNG with each layer's largest difference by example and step; False where none is seen."""
    same = _seen_steps(bundle, observed)
    if not same:
        return False
    is_sample = bool(bundle.document.get("dataset", {}).get("is_sample"))
    size = (10, 1.2 + 1.6 * len(same))
    with picture(path, f"{bundle.recipe}: log10 of the difference", size, is_sample) as figure:
        rows = figure.subplots(len(same), 1, squeeze=False)
        largest = max(float(np.nanmax(np.abs(seen - bundle.steps[name]))) for name, seen in same.items())
        top = max(0.0, float(np.ceil(np.log10(max(largest, LOWEST))))) if np.isfinite(largest) else 0.0
        for (axes,), (name, seen) in zip(rows, sorted(same.items())):
            by_step = np.abs(seen - bundle.steps[name]).max(axis=2)  # [batch, steps]
            examples, steps = by_step.shape
            image = axes.imshow(
                np.log10(np.maximum(by_step, LOWEST)),
                aspect="auto",
                cmap="cividis",
                vmin=np.log10(LOWEST),
                vmax=top,
                extent=(0.5, steps + 0.5, examples + 0.5, 0.5),  # counted from 1, as elsewhere
            )
            axes.grid(False)
            axes.set_ylabel(f"{name}\nexample")
            figure.colorbar(image, ax=axes)
        rows[-1][0].set_xlabel("step (in the order of the inputs)")
    return True


def _seen_steps(bundle: Bundle, observed: Observed) -> Dict[str, np.ndarray]:
    steps = observed.arrays.get("steps", {})
    return {n: a for n, a in steps.items() if n in bundle.steps and a.shape == bundle.steps[n].shape}


def _draw_steps(
    axes: Any,
    bundle: Bundle,
    observed: Observed,
    levels: Sequence[Level],
    divergence: Optional[Divergence],
) -> None:
    tolerance = next(level.tolerance for level in levels if level.name == "steps")
    same = _seen_steps(bundle, observed)
    if not same:
        _draw_examples(axes, bundle, observed)
        return
    for number, (name, seen) in enumerate(sorted(same.items())):
        by_step = np.abs(seen - bundle.steps[name]).max(axis=(0, 2))
        axes.plot(
            np.arange(1, len(by_step) + 1),
            np.maximum(by_step, LOWEST),
            STYLES[number % len(STYLES)],
            color=BLUE if name.endswith("h") else VERMILLION,
            label=name,
        )
    axes.axhline(tolerance, color=GREY, linewidth=1, label=f"tolerance {tolerance:g}")
    if divergence is not None:
        axes.axvline(
            divergence.place + 1, color=BLACK, linewidth=1, linestyle=":", label="first that differs"
        )
    axes.set_yscale("log")
    axes.set_ylim(bottom=LOWEST / 2)
    axes.set_xlabel("step (in the order of the inputs)")
    axes.set_ylabel("largest difference in the batch")
    axes.legend(loc="best")


def _draw_examples(axes: Any, bundle: Bundle, observed: Observed) -> None:
    """Draw the logits' difference by example, for a port whose states cannot be seen."""
    if "logits" not in observed.arrays:
        empty(axes, "the port gave no logits")
        return
    difference = np.abs(observed.arrays["logits"]["logits"] - bundle.logits)
    errors = difference.reshape(len(difference), -1).max(axis=1)
    axes.bar(np.arange(1, len(errors) + 1), np.maximum(errors, LOWEST), color=BLUE)
    axes.set_yscale("log")
    axes.set_ylim(bottom=LOWEST / 2)
    axes.set_xlabel("example of the batch (the port's states cannot be seen)")
    axes.set_ylabel("largest difference of the logits")


def _draw_levels(axes: Any, levels: Sequence[Level]) -> None:
    colours = {PASS: BLUE, FAIL: VERMILLION}
    names: List[str] = []
    for place, level in enumerate(reversed(levels)):
        names.append(f"{level.name}: {level.status}")
        if level.absolute is not None:
            axes.barh(
                place, max(level.absolute, LOWEST), left=LOWEST / 2, color=colours.get(level.status, GREY)
            )
    axes.set_xscale("log")
    axes.set_xlim(left=LOWEST / 2)
    axes.set_yticks(range(len(levels)))
    axes.set_yticklabels(names)
    axes.set_xlabel("largest absolute difference")
