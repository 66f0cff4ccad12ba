"""Run a port in a process of its own, under its own Python, with a time limit, and read what it left."""

import os
import re
import signal
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Dict, NamedTuple, Optional

import numpy as np

from tf1_lstm.core.children import python_command
from tf1_lstm.core.supervisor import Ending, Limits, run_supervised
from tf1_lstm.core.text import printable
from tf1_lstm.errors import InputError
from tf1_lstm.files import read_json, write_json
from tf1_lstm.parity.npz import read_npz

Arrays = Dict[str, np.ndarray]
LEVELS = ("load", "logits", "repeats", "weights", "steps", "inputs", "training", "updates", "split", "tokens")
OUTPUT = "port-output.txt"
# Of the last bytes that the child wrote: a package that it needs itself and that its Python lacks.
LAST, MISSING = 2000, re.compile(rb"ModuleNotFoundError: No module named '(\w+)")
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
    write_json(folder / "request.json", request)
    environment = dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3")
    command = python_command(f"tf1_lstm.parity.{module}", str(folder), python=python)
    ended = run_supervised(command, str(folder / OUTPUT), Limits(time_limit), environment)
    missing = MISSING.findall(_last_words(folder / OUTPUT)) if ended.code == 1 else []
    if missing:
        package = missing[-1].decode()
        return _collect(folder, f"{python} has no {package}: make ports, or name another Python by --python")
    return _collect(folder, _told(ended))


def _last_words(path: Path) -> bytes:
    """Return the end of what the child wrote, if it left a file there."""
    with suppress(OSError):
        size = path.lstat().st_size if stat.S_ISREG(path.lstat().st_mode) else 0
        if size:
            with path.open("rb") as stream:
                stream.seek(-min(size, LAST), os.SEEK_END)
                return stream.read(LAST)
    return b""


def _told(ended: Ending) -> str:
    """Return "" where the child ended by itself and well, else what happened to it."""
    if ended.stopped or ended.code is None:
        return f"the port {ended.stopped}"
    if ended.code < 0:
        names = {value.value: value.name for value in signal.Signals}
        return f"the port's process was ended by {names.get(-ended.code, f'signal {-ended.code}')}"
    return "" if ended.code == 0 else f"the port's process ended with exit code {ended.code}"


def _collect(folder: Path, ending: str) -> Observed:
    found = Observed({}, {}, {}, _read_note(folder / "port.json"), {})
    for level in LEVELS:
        trace, reason = folder / f"{level}-traceback.txt", folder / f"{level}.json"
        if trace.is_file():
            found.tracebacks[level] = str(trace)
        if reason.exists():
            note = _read_note(reason)
            if not isinstance(note.get("reason"), str) or not isinstance(note.get("failed"), bool):
                note = {"reason": "the port's process left something else than a reason", "failed": True}
            found.reasons[level] = note["reason"]
            if note["failed"]:
                found.failed[level] = note["reason"]
        elif (folder / f"{level}.npz").exists():
            try:
                found.arrays[level] = read_npz(folder / f"{level}.npz", "what the port showed")
            except InputError as error:
                found.reasons[level] = ending or printable(error)  # cut off while it was written
                if not ending:
                    found.failed[level] = found.reasons[level]
    if ending:
        reached = [level for level in LEVELS if level in found.arrays or level in found.reasons]
        unfinished = (
            "load" if not found.port else next((name for name in LEVELS[1:] if name not in reached), "end")
        )
        found.failed.setdefault(unfinished, ending)
        found.reasons.setdefault(unfinished, ending)
        found.tracebacks.setdefault(unfinished, str(folder / OUTPUT))
    return found


def _read_note(path: Path) -> Dict[str, Any]:
    """Read the JSON that says why a level is missing, or what the port is; {} where it says nothing.

    Every text in it is fit for a terminal.
    """
    try:
        document = read_json(path)
    except InputError:
        return {}
    return {printable(k, 40): _plain(v) for k, v in document.items()} if isinstance(document, dict) else {}


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, list):
        return [printable(part) for part in value[:20]]
    return value if isinstance(value, (bool, int, type(None))) else printable(value)
