"""The Python that the ports run under, and the scripts of ``planted`` in it."""

import functools
import json
import os
import subprocess
from pathlib import Path
from typing import Any, Dict, List

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PLANTED = PROJECT / "tests" / "parity" / "planted"


@functools.lru_cache(maxsize=None)
def ports_python(framework: str) -> str:
    """The ports' Python where it has the framework, else an empty text."""
    python = os.environ.get("TF1_LSTM_PORTS_PYTHON", str(PROJECT / ".venv-ports" / "bin" / "python"))
    if not os.access(python, os.X_OK):
        return ""
    found = subprocess.run(
        [python, "-c", f"import importlib.util as u, sys; sys.exit(u.find_spec({framework!r}) is None)"],
        check=False,
    )
    return python if found.returncode == 0 else ""


def needed_python(framework: str) -> str:
    """The ports' Python, or a skip with the reason."""
    python = ports_python(framework)
    if not python:
        pytest.skip(f"no Python with {framework} in .venv-ports (make ports)")
    return python


def environment() -> Dict[str, str]:
    """What a process there needs to find the project."""
    return dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3", PYTHONPATH=str(PROJECT))


def run(framework: str, script: str, *arguments: str) -> List[Dict[str, Any]]:
    """The JSON lines that a script prints."""
    done = subprocess.run(
        [needed_python(framework), str(PLANTED / script), *arguments],
        capture_output=True,
        check=False,
        env=environment(),
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
