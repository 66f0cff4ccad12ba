"""The pictures of a run, drawn from its folder."""

from pathlib import Path
from typing import Any, Dict, List

from tf1_lstm.recipes.experiment import Epochs
from tf1_lstm.report.canvas import picture_title
from tf1_lstm.report.curves import curves
from tf1_lstm.report.logs import write_curves_csv
from tf1_lstm.runs.folder import RunFolder
from tf1_lstm.runs.recorded import RecordedRun


def draw_curves(path: Path) -> List[Path]:
    """Draw ``curves.png`` and write ``curves.csv`` of a run; returns their paths."""
    run = RunFolder.open(path)
    log = logged_figures(run)
    recipe = RecordedRun(run.path, run.record).used
    steps = [checkpoint["step"] for checkpoint in run.checkpoints()]
    seed, schedule = run.record["options"]["seed"], recipe.schedule
    which = (
        "means of epochs" if isinstance(schedule, Epochs) else f"{getattr(schedule, 'log_batch', '')} batches"
    )
    title = f"{picture_title(recipe.name)}, seed {seed}, {which}"
    curves(log, recipe.published.log, path / "curves.png", title, run.record["sample"], checkpoints=steps)
    write_curves_csv(log, path / "curves.csv")
    return [path / "curves.png", path / "curves.csv"]


def logged_figures(run: RunFolder) -> List[Dict[str, Any]]:
    """The logged iterations with loss and accuracy, oldest first; of epochs with their validation."""
    names = ("loss", "accuracy", "mean_absolute_error")
    keys = ("iteration", "epoch", *names, *(f"val_{name}" for name in names))
    return [
        {key: event[key] for key in keys if key in event} for event in run.events() if event["event"] == "log"
    ]
