"""Small real trainings on the embedded sample, and a process to interrupt."""

import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, List

import pytest

from tf1_lstm.recipes import find_recipe
from tf1_lstm.runs.loop import Outcome, TrainOptions
from tf1_lstm.runs.resolve import Resolved, resolve
from tf1_lstm.runs.train import train

PROJECT = Path(__file__).resolve().parents[2]


def small(**settings: Any) -> Resolved:
    """The IMDB recipe on the sample, a few iterations long."""
    changes = {"iterations": 12, "log_every": 4, "save_every": 5, **settings}
    return resolve(find_recipe("imdb-lstm"), sample=True, settings=changes)


@pytest.fixture
def trained(tmp_path: Path) -> Callable[..., Outcome]:
    """Train the small experiment into a numbered folder."""
    count = iter(range(100))

    def run(options: TrainOptions = TrainOptions(), **settings: Any) -> Outcome:  # noqa: B008 (a constant)
        return train(small(**settings), tmp_path / f"run{next(count)}", options, progress=False)

    return run


def tf1_lstm(arguments: List[str], folder: Path, **options: Any) -> "subprocess.CompletedProcess[str]":
    """Run the program in ``folder`` as a user would."""
    return subprocess.run(
        [sys.executable, "-m", "tf1_lstm", *arguments],
        cwd=str(folder),
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        **options,
    )


def environment() -> Any:
    import os

    return {**os.environ, "PYTHONPATH": str(PROJECT)}
