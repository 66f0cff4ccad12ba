"""The set-up from nothing, in a copy of the project, as a stranger would meet it.

It takes minutes and installs TensorFlow each time, from pip's cache where that has it.
"""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Dict

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(not shutil.which("make"), reason="there is no make"),
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's set-up and package, in a folder whose name holds a space."""
    folder = tmp_path_factory.mktemp("clone") / "a clone"
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in ("tf1_lstm", "tools", "requirements"):
        shutil.copytree(str(ROOT / name), str(folder / name), ignore=ignored)
    for path in [ROOT / "Makefile", ROOT / "pyproject.toml", ROOT / "requirements.txt"]:
        shutil.copy(str(path), str(folder))
    return folder


@pytest.fixture
def environment(tmp_path: Path) -> Dict[str, str]:
    """A shell in which another project is active and leaks."""
    (tmp_path / "numpy.py").write_text("raise ImportError('the wrong numpy')")
    leaking = {
        "PYTHONPATH": str(tmp_path),
        "PYTHONHOME": "/nowhere",
        "VIRTUAL_ENV": "/nowhere",
        "PIP_USER": "1",
    }
    without = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return {**without, **leaking}


def make(copy: Path, environment: Dict[str, str], *arguments: str) -> str:
    """Run make and give what it printed, which is shown if it fails."""
    command = ["make", "--no-print-directory", *arguments]
    done = subprocess.run(
        command, cwd=str(copy), env=environment, stdout=subprocess.PIPE, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_from_nothing_to_ready_through_every_mishap(copy: Path, environment: Dict[str, str]):
    # Killed in the middle of the installation.
    command = ["make", "setup"]
    first = subprocess.Popen(
        command, cwd=str(copy), env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert first.stdout is not None
    for line in first.stdout:
        if "installing requirements.txt" in line:
            break
    time.sleep(5)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    first.stdout.close()

    # Two at a time: one installs, the other waits and finds its work done.
    printed = make(copy, environment, "-j2", "setup", "setup-dev")
    assert printed.count(".venv (base)") == 1
    assert printed.count("installing requirements/dev.txt") == 1
    assert "No broken requirements found." in printed

    program = copy / ".venv" / "bin" / "python"
    found = subprocess.run(
        [str(program), "-I", "-c", "import tf1_lstm; print(tf1_lstm.__file__)"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert found.stdout == f"{copy}/tf1_lstm/__init__.py\n"
    assert (copy / ".venv" / "bin" / "tf1-lstm").exists()

    # Again: nothing to do.
    assert make(copy, environment, "setup") == "tf1-lstm: .venv is up to date\n"

    # Damaged: noticed and made anew.
    shutil.rmtree(str(copy / ".venv" / "lib" / "python3.7" / "site-packages" / "absl"))
    assert "lacks absl/" in make(copy, environment, "setup")

    # The extra leaves the rest as it is.
    make(copy, environment, "word2vec")
    check = "import numpy; from gensim.models import Word2Vec; print(numpy.__version__)"
    gensim = subprocess.run([str(program), "-I", "-c", check], stdout=subprocess.PIPE, text=True, check=True)
    assert gensim.stdout == "1.18.5\n"
    assert make(copy, environment, "setup") == "tf1-lstm: .venv is up to date\n"
