"""Every end of the program: an exit code that means one thing, and a line in place of a traceback."""

import errno
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tf1_lstm.core.exits import BAD_INPUT, DOES_NOT_HOLD, OUR_ERROR, exit_code_of
from tf1_lstm.errors import InputError, NotFiniteError

PROJECT = Path(__file__).resolve().parents[2]
PROGRAM = [sys.executable, "-m", "tf1_lstm"]
ENVIRONMENT = dict(os.environ, PYTHONPATH=str(PROJECT))


class ExhaustedError(Exception):
    """As TensorFlow's, for memory and for disks."""


ExhaustedError.__name__ = "ResourceExhaustedError"


def fail(error):
    def action():
        raise error

    return action


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (InputError("a.npy: no such file"), BAD_INPUT, "a.npy: no such file"),
        (NotFiniteError("iteration 3: the loss is nan"), DOES_NOT_HOLD, "iteration 3: the loss is nan"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (MemoryError(), BAD_INPUT, "not enough memory for this input"),
        (PermissionError(errno.EACCES, "Permission denied", "x.npz"), BAD_INPUT, "x.npz: Permission denied"),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            BAD_INPUT,
            "output cannot be written: No space left",
        ),
        (
            ExhaustedError("run/events/x; No space left on device"),
            BAD_INPUT,
            "run/events/x; No space left on device",
        ),
        (ExhaustedError("OOM when allocating tensor"), BAD_INPUT, "not enough memory for this input"),
        (ModuleNotFoundError("x", name="tqdm"), BAD_INPUT, "the Python package tqdm is missing; expected"),
    ],
)
def test_what_a_user_can_mend_is_a_line(error, code, line, capfd):
    assert exit_code_of(fail(error)) == code
    (said,) = capfd.readouterr().err.splitlines()
    assert said.startswith(f"tf1-lstm: {line}")


@pytest.mark.parametrize(
    "error",
    [ZeroDivisionError("division by zero"), RecursionError("too deep"), AssertionError(), KeyError("a\nb")],
)
def test_an_error_of_ours_is_a_line_with_the_place_of_its_traceback(error, capfd, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert exit_code_of(fail(error)) == OUR_ERROR == 70
    (said,) = capfd.readouterr().err.splitlines()
    assert said.startswith(f"tf1-lstm: internal error: {type(error).__name__}: ")
    (traceback,) = tmp_path.iterdir()
    assert said.endswith(f"the full traceback is in {traceback}")
    assert "test_exits.py" in traceback.read_text()


def test_our_error_is_told_where_no_file_can_be_written(capfd, monkeypatch):
    def refuse(**unused):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    assert exit_code_of(fail(ValueError("wrong"))) == OUR_ERROR
    assert "its traceback cannot be written" in capfd.readouterr().err


@pytest.mark.parametrize("words", [["recipes"], ["--help"], ["--version"]])
def test_output_to_a_full_disk_is_a_line(words):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*PROGRAM, *words], stdout=full, stderr=subprocess.PIPE, env=ENVIRONMENT, text=True, check=False
        )
    assert done.returncode == 2
    assert done.stderr == "tf1-lstm: output cannot be written: No space left on device\n"


def test_output_to_nobody_is_no_error():
    program = subprocess.Popen(
        [*PROGRAM, "recipes"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT
    )
    program.stdout.close()  # type: ignore[union-attr]
    assert program.stderr.read() == b""  # type: ignore[union-attr]
    assert program.wait() == 0


def test_a_missing_package_is_named(tmp_path):
    source = (
        "import sys; sys.modules['tqdm'] = None\n"
        "from tf1_lstm.cli import main\n"
        "sys.exit(main(['fetch', 'mnist', '--from', sys.argv[1], '--data', 'x']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", source, str(tmp_path)],
        cwd=str(tmp_path),
        capture_output=True,
        env=ENVIRONMENT,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("tf1-lstm: the Python package tqdm is missing; expected the environment")
    assert len(done.stderr.splitlines()) == 1


def test_a_removed_current_folder_is_a_line(tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    words = ["train", "imdb-lstm", "--sample", "--iterations", "1"]
    command = f"cd {gone} && rmdir {gone} && exec {shlex.quote(sys.executable)} -m tf1_lstm {' '.join(words)}"
    done = subprocess.run(
        ["sh", "-c", command],
        capture_output=True,
        env=ENVIRONMENT,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("tf1-lstm: ")


START = """
import os, signal, sys, threading
signal.signal(signal.SIGINT, signal.default_int_handler)
threading.Timer(float(sys.argv.pop(1)), os.kill, [os.getpid(), signal.SIGINT]).start()
from tf1_lstm.__main__ import main
sys.exit(main())
"""


@pytest.mark.parametrize("seconds", [0.1, 0.4, 1.0])
def test_ctrl_c_at_the_start_is_a_line(seconds, tmp_path):
    """In the middle of imports, whatever these make of it."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            START,
            str(seconds),
            "train",
            "imdb-lstm",
            "--sample",
            "--iterations",
            "100000",
        ],
        cwd=str(tmp_path),
        capture_output=True,
        env=ENVIRONMENT,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 130, done.stderr
    assert "Traceback" not in done.stderr
