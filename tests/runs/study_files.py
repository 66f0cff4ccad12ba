"""Studies and run folders made by hand, as a training leaves them."""

import json
from pathlib import Path
from typing import Any, Dict, Optional

from tf1_lstm.runs.study import Job

COMMIT = "0123456789012345678901234567890123456789"


def write_study(folder: Path, *cells: Dict[str, Any], name: str = "small") -> Path:
    """Write a study file; returns its path."""
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"name": name, "cells": list(cells)}))
    return path


def write_run(job: Job, *, ended: bool = True, iterations: int = 10, done: int = 10) -> None:
    """Leave a run folder as a training does."""
    job.folder.mkdir(parents=True, exist_ok=True)
    record = {
        "format": 1,
        "iterations": iterations,
        "settings": {},
        "ended": "2026-01-01T00:00:00Z" if ended else None,
        "checkpoints": [{"step": done, "weights_sha256": f"weights of seed {job.seed}"}] if ended else [],
    }
    (job.folder / "run.json").write_text(json.dumps(record))
    (job.folder / "losses.f32").write_bytes(bytes(4 * done))


def write_results(
    job: Job,
    accuracy: float,
    *,
    split: str = "test",
    weights: Optional[str] = None,
    examples: int = 10000,
    **changes: Any,
) -> None:
    """Leave a whole run with its results."""
    write_run(job)
    document = {
        "format": 1,
        "recipe": job.cell.recipe,
        "settings": {},
        "deviations": {},
        "seed": job.seed,
        "sample": False,
        "iterations": 10,
        "data": {"train": "aa" * 32},
        "weights_sha256": weights or f"weights of seed {job.seed}",
        "environment": {"commit": COMMIT, "tensorflow": "1.15.0", "cpu": "a processor"},
        "seconds": {"total": 100.0},
        "ms_per_iteration": 1.0,
        "command": "tf1-lstm reproduce",
        "published": [],
        "log": [],
        "evaluations": [
            {
                "split": split,
                "examples": examples,
                "dropout": "off",
                "accuracy": accuracy,
                "checkpoint_step": 10,
            }
        ],
        **changes,
    }
    (job.folder / "results.json").write_text(json.dumps(document))
    if weights is not None:
        record = json.loads((job.folder / "run.json").read_text())
        record["checkpoints"][-1]["weights_sha256"] = weights
        (job.folder / "run.json").write_text(json.dumps(record))
