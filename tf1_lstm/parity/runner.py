"""Run a port in a process of its own, under its own Python, with a time limit, and read what it left."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Dict, NamedTuple, Optional

import numpy as np

from tf1_lstm.core.children import python_command
from tf1_lstm.errors import InputError
from tf1_lstm.parity.npz import read_npz

Arrays = Dict[str, np.ndarray]
LEVELS = ("load", "logits", "repeats", "weights", "steps", "inputs", "training", "updates", "split")
PROJECT = Path(__file__).resolve().parents[2]


class Observed(NamedTuple):
    """What a port showed.

    Attributes:
      arrays: level -> name -> array, for the levels that it reached.
      reasons: level -> why there is nothing.
      failed: the levels at which the port itself failed.
      port: kind, source and versions, or {}.
      tracebacks: level -> file with the port's own traceback.
    """

    arrays: Dict[str, Arrays]
    reasons: Dict[str, str]
    failed: Dict[str, str]
    port: Dict[str, Any]
    tracebacks: Dict[str, str]


def find_python(given: Optional[str]) -> str:
    """Return the port's Python: the given one, that of the project's ``.venv-ports``, or this one.

    Raises:
      InputError: the given one does not exist.
    """
    if given is not None:
        if not os.access(given, os.X_OK) or os.path.isdir(given):
            raise InputError(f"--python: {given} is not a program; expected a Python")
        return given
    candidate = PROJECT / ".venv-ports" / "bin" / "python"
    return str(candidate) if os.access(str(candidate), os.X_OK) else sys.executable


def run_port(
    request: Dict[str, Any], python: str, folder: Path, time_limit: float, module: str = "child"
) -> Observed:
    """Run ``tf1_lstm.parity.child`` and collect its files.

    Args:
      request: as in ``child.Request``.
      python: the interpreter.
      folder: an existing folder for all that the port leaves.
      time_limit: seconds.
      module: ``child``, or ``graph_child`` for the bundle of a graph.
    """
    for level in LEVELS:
        for ending in (".npz", ".json", "-traceback.txt"):
            with suppress(FileNotFoundError):
                (folder / (level + ending)).unlink()
    with suppress(FileNotFoundError):
        (folder / "port.json").unlink()
    (folder / "request.json").write_text(json.dumps(request, indent=1), encoding="utf-8")
    environment = dict(os.environ)
    environment["TF_CPP_MIN_LOG_LEVEL"] = "3"
    output = folder / "port-output.txt"
    with open(str(output), "wb") as stream:
        child = subprocess.Popen(
            python_command(f"tf1_lstm.parity.{module}", str(folder), python=python),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
        ending = _wait(child, time_limit)
    return _collect(folder, ending)


def _wait(child: "subprocess.Popen[bytes]", time_limit: float) -> str:
    """Return "" where the child ended by itself and well, else what happened to it."""
    try:
        code = child.wait(timeout=time_limit)
    except subprocess.TimeoutExpired:
        return f"the port was stopped at the time limit of {time_limit:g} s"
    finally:
        # Whatever the port started ends with it.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    if code < 0:
        return f"the port's process was ended by {signal.Signals(-code).name}"
    return "" if code == 0 else f"the port's process ended with exit code {code}"


def _collect(folder: Path, ending: str) -> Observed:
    found = Observed({}, {}, {}, {}, {})
    if (folder / "port.json").is_file():
        found.port.update(json.loads((folder / "port.json").read_text(encoding="utf-8")))
    for level in LEVELS:
        trace, reason = folder / f"{level}-traceback.txt", folder / f"{level}.json"
        if trace.is_file():
            found.tracebacks[level] = str(trace)
        if reason.is_file():
            document = json.loads(reason.read_text(encoding="utf-8"))
            found.reasons[level] = document["reason"]
            if document["failed"]:
                found.failed[level] = document["reason"]
        elif (folder / f"{level}.npz").is_file():
            try:
                found.arrays[level] = read_npz(folder / f"{level}.npz", "what the port showed")
            except InputError:  # cut off while it was written
                found.reasons[level] = ending
    if ending:
        reached = [level for level in LEVELS if level in found.arrays or level in found.reasons]
        unfinished = (
            "load" if not found.port else next((name for name in LEVELS[1:] if name not in reached), "end")
        )
        found.failed.setdefault(unfinished, ending)
        found.reasons.setdefault(unfinished, ending)
        found.tracebacks.setdefault(unfinished, str(folder / "port-output.txt"))
    return found
