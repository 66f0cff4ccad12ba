"""The pictures of a run, drawn from its folder."""

from pathlib import Path
from typing import Any, Dict, List

from tf1_lstm.recipes import find_recipe
from tf1_lstm.report.canvas import picture_title
from tf1_lstm.report.curves import curves
from tf1_lstm.report.logs import write_curves_csv
from tf1_lstm.runs.folder import RunFolder


def draw_curves(path: Path) -> List[Path]:
    """Draw ``curves.png`` and write ``curves.csv`` of a run; returns their paths."""
    run = RunFolder.open(path)
    log = logged_figures(run)
    recipe = find_recipe(run.record["recipe"])
    steps = [checkpoint["step"] for checkpoint in run.checkpoints()]
    seed, batches = run.record["options"]["seed"], run.record["settings"]["log_batch"]
    which = "means of epochs" if batches == "epoch" else f"{batches} batches"
    title = f"{picture_title(recipe.name)}, seed {seed}, {which}"
    curves(log, recipe.log, path / "curves.png", title, run.record["sample"], checkpoints=steps)
    write_curves_csv(log, path / "curves.csv")
    return [path / "curves.png", path / "curves.csv"]


def logged_figures(run: RunFolder) -> List[Dict[str, Any]]:
    """The logged iterations with loss and accuracy, oldest first; of epochs with their validation."""
    keys = ("iteration", "epoch", "loss", "accuracy", "val_loss", "val_accuracy")
    return [
        {key: event[key] for key in keys if key in event} for event in run.events() if event["event"] == "log"
    ]
