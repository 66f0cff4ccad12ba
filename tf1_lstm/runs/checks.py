"""What a run's record may hold: its values are used as options, shapes and paths, so they are checked.

A path in a record is a plain name inside the run; anything else is refused when it is read, before
something is opened, written or removed by it.
"""

import re
from typing import Any, Dict, Mapping, Tuple

from tf1_lstm.errors import InputError

CHECKPOINTS = "checkpoints"
_PLAIN_NAME = re.compile(r"[^\W.][^\x00-\x1f\x7f/\\*?\[\]]{0,199}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_KINDS: Dict[str, Tuple[type, str]] = {
    "recipe": (str, "a name"),
    "settings": (dict, "an object"),
    "deviations": (dict, "an object"),
    "options": (dict, "an object"),
    "data_folder": (str, "a path"),
    "sample": (bool, "true or false"),
    "data": (dict, "a SHA-256 for each file"),
}
_FIGURES = tuple(
    before + name for before in ("", "val_") for name in ("loss", "accuracy", "mean_absolute_error")
)
_OWN_FILE = ("name", "variable", "sha256", "folder")
_INSTRUCTION_SETS = ("AVX512", "AVX2", "AVX")
_DEVICES = ("auto", "cpu", "gpu")


def is_plain_name(name: Any) -> bool:
    """Whether ``name`` can only be a file directly inside a folder: no ``/``, no ``..``, no pattern."""
    return isinstance(name, str) and _PLAIN_NAME.fullmatch(name) is not None


def check_record(where: str, record: Mapping[str, Any]) -> None:
    """Check the values of ``run.json`` that this program relies on.

    Args:
      where: the file, for the error.
      record: what it holds; settings are checked by the recipe that takes them.

    Raises:
      InputError: a value is missing, of the wrong kind, or out of its range.
    """
    for name, (kind, what) in _KINDS.items():
        if not isinstance(record.get(name), kind):
            raise _refusal(where, name, record.get(name), what)
    for name, value in record["data"].items():
        if not is_hash(value):
            raise _refusal(where, f"data.{name:.60}", value, "a SHA-256")
    for name, pair in record["deviations"].items():
        if not isinstance(pair, list) or len(pair) != 2:
            raise _refusal(where, f"deviations.{name:.60}", pair, "[published, used]")
    if "experiment" in record and not is_count(record.get("iterations")):
        raise _refusal(where, "iterations", record.get("iterations"), "a whole number from 0 up")
    if not isinstance(record.get("environment", {}), dict):
        raise _refusal(where, "environment", record["environment"], "an object")
    own = record.get("own_file")
    if own is not None and not (
        isinstance(own, dict) and all(isinstance(own.get(name), str) for name in _OWN_FILE)
    ):
        raise _refusal(where, "own_file", own, f"texts as {', '.join(_OWN_FILE)}")
    _check_options(where, record["options"])
    _check_engine(where, record.get("engine", {"name": "exact"}))


def _check_engine(where: str, engine: Any) -> None:
    """A record of before there was a choice has none."""
    if not isinstance(engine, dict) or engine.get("name") not in ("exact", "fast"):
        raise _refusal(where, "engine", engine, "an object with the name exact or fast")
    if engine["name"] == "fast":
        if not is_hash(engine.get("source_sha256")):
            raise _refusal(where, "engine.source_sha256", engine.get("source_sha256"), "a SHA-256")
        if engine.get("instruction_set") not in _INSTRUCTION_SETS:
            found = engine.get("instruction_set")
            raise _refusal(where, "engine.instruction_set", found, f"one of {', '.join(_INSTRUCTION_SETS)}")


def _check_options(where: str, options: Mapping[str, Any]) -> None:
    for name, most in (("seed", 1 << 63), ("keep", 1 << 53), ("threads", 1 << 53)):
        if not is_count(options.get(name), most):
            raise _refusal(where, f"options.{name}", options.get(name), "a whole number from 0 up")
    for name in ("exact", "summaries"):
        if not isinstance(options.get(name), bool):
            raise _refusal(where, f"options.{name}", options.get(name), "true or false")
    if not isinstance(options.get("histograms", False), bool):
        raise _refusal(where, "options.histograms", options["histograms"], "true or false")
    if options.get("device") not in _DEVICES:
        raise _refusal(where, "options.device", options.get("device"), f"one of {', '.join(_DEVICES)}")
    if not isinstance(options.get("start_from"), (str, type(None))):
        raise _refusal(where, "options.start_from", options["start_from"], "a checkpoint or null")


def check_event(where: str, event: Any) -> None:
    """Check one line of the log.

    Args:
      where: file and line, for the error.
      event: what the line holds.

    Raises:
      InputError: no event, or a checkpoint whose files are not plain names in ``checkpoints/``.
    """
    if not isinstance(event, dict) or not isinstance(event.get("event"), str):
        raise _refusal(where, "event", event, "an object with an event")
    time = event.get("time")
    if not isinstance(time, str) or not _TIME.fullmatch(time):
        raise _refusal(where, "time", time, "UTC, as 2020-02-20T20:20:20Z")
    for name in ("step", "iteration", "iterations"):
        if name in event and not is_count(event[name]):
            raise _refusal(where, name, event[name], "a whole number from 0 up")
    for name in _FIGURES:
        if type(event.get(name)) not in (float, int, type(None)):
            raise _refusal(where, name, event[name], "a number")
    if event["event"] == "checkpoint":
        _check_checkpoint(where, event)
    elif event["event"] == "log" and not is_count(event.get("iteration")):
        raise _refusal(where, "iteration", event.get("iteration"), "a whole number from 0 up")


def _check_checkpoint(where: str, event: Mapping[str, Any]) -> None:
    prefix, files = event.get("prefix"), event.get("sha256")
    if not is_count(event.get("step")):
        raise _refusal(where, "step", event.get("step"), "a whole number from 0 up")
    if not _is_inside(prefix):
        raise _refusal(where, "prefix", prefix, f"a plain name in {CHECKPOINTS}/")
    if not isinstance(files, dict) or not files:
        raise _refusal(where, "sha256", files, "a hash for each file")
    for name, value in files.items():
        if not _is_inside(name) or not name.startswith(f"{prefix}."):
            raise _refusal(where, "sha256", name, f"files named {prefix}.…")
        if not is_hash(value):
            raise _refusal(where, f"sha256 of {name:.60}", value, "a SHA-256")
    if not is_hash(event.get("weights_sha256")):
        raise _refusal(where, "weights_sha256", event.get("weights_sha256"), "a SHA-256")
    series = event.get("series", {})
    if not isinstance(series, dict) or not all(is_plain_name(n) and is_hash(v) for n, v in series.items()):
        raise _refusal(where, "series", series, "a SHA-256 for each series")


def _is_inside(path: Any) -> bool:
    folder, slash, name = path.partition("/") if isinstance(path, str) else ("", "", "")
    return folder == CHECKPOINTS and bool(slash) and is_plain_name(name)


def is_hash(value: Any) -> bool:
    """Whether ``value`` is a SHA-256 in lower-case hexadecimal."""
    return isinstance(value, str) and _SHA256.fullmatch(value) is not None


def is_count(value: Any, most: int = 1 << 53) -> bool:
    """Whether ``value`` is a whole number from 0 up, below ``most``."""
    return type(value) is int and 0 <= value < most


def _refusal(where: str, name: str, found: Any, expected: str) -> InputError:
    return InputError(f"{where}: {name}: found {found!r:.100}, expected {expected}")
