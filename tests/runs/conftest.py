"""Small real trainings on the embedded sample, and a process to interrupt."""

import os
import subprocess
import sys
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, Callable, List

import pytest

from tf1_lstm.cli import main
from tf1_lstm.core import quiet
from tf1_lstm.recipes import find_recipe
from tf1_lstm.runs.loop import Outcome, TrainOptions
from tf1_lstm.runs.resolve import Resolved, resolve
from tf1_lstm.runs.train import train

PROJECT = Path(__file__).resolve().parents[2]


def small(**settings: Any) -> Resolved:
    """The IMDB recipe on the sample, a few iterations long."""
    changes = {"iterations": 12, "log_every": 4, "save_every": 5, **settings}
    return resolve(find_recipe("imdb-lstm"), sample=True, settings=changes)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """The small experiment trained once, to be looked at."""
    return train(small(), tmp_path_factory.mktemp("first") / "run", TrainOptions(), progress=False)


@pytest.fixture
def trained(tmp_path: Path) -> Callable[..., Outcome]:
    """Train the small experiment into a numbered folder."""
    count = iter(range(100))

    def run(options: TrainOptions = TrainOptions(), **settings: Any) -> Outcome:  # noqa: B008 (a constant)
        return train(small(**settings), tmp_path / f"run{next(count)}", options, progress=False)

    return run


def tf1_lstm(arguments: List[str], folder: Path, **options: Any) -> "subprocess.CompletedProcess[str]":
    """Run the program in ``folder`` as a user would, in a process of its own: its start takes seconds."""
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


def called(arguments: List[str], folder: Path) -> "subprocess.CompletedProcess[str]":
    """The same in this process, where TensorFlow is imported already; nothing else is left of a call."""
    before = os.getcwd()
    os.chdir(str(folder))
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        try:
            with redirect_stdout(out), redirect_stderr(err):
                code = main([str(word) for word in arguments])
        except SystemExit as end:
            code = int(end.code or 0)
        finally:
            os.chdir(before)
            os.environ.pop(quiet.VARIABLE, None)
        for stream in (out, err):
            stream.seek(0)
        return subprocess.CompletedProcess(arguments, code, out.read(), err.read())


def environment() -> Any:
    """What a process needs to find the project."""
    return {**os.environ, "PYTHONPATH": str(PROJECT)}
