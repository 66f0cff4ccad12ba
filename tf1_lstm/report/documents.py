"""Results files read safely: a run's ``results.json``, and that of a port's training."""

from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence, Tuple

from tf1_lstm.errors import InputError
from tf1_lstm.files import PathLike, read_json

FORMAT = 1
BENCHMARKS = ("bench.json", "growth.json")  # of benchmarks/, in the same folder
PORT_PREFIX = "port-"

Document = Dict[str, Any]
Kinds = Mapping[str, Any]
NUMBER = (int, float)
ERROR = "mean_absolute_error"  # what a regression has in place of an accuracy

# What every reader relies on; more is allowed everywhere.
REQUIRED: Kinds = {
    "format": int,
    "recipe": str,
    "settings": dict,
    "deviations": dict,
    "seed": int,
    "sample": bool,
    "iterations": int,
    "environment": dict,
    "seconds": dict,
    "ms_per_iteration": NUMBER,
    "command": str,
    "log": list,
    "evaluations": list,
    "published": list,
}
REQUIRED_IN: Mapping[str, Kinds] = {
    "evaluations": {"split": str, "dropout": str, "examples": int},
    "published": {"name": str, "split": str, "dropout": str, "examples": int, "value": NUMBER},
}
EPOCHS: Kinds = {
    "epochs": int,
    "best_epoch": int,
    "best_loss": NUMBER,
    "best_accuracy": NUMBER,
    "last_accuracy": NUMBER,
    "late_first": int,
    "late_lowest": NUMBER,
    "late_highest": NUMBER,
}
PORT_REQUIRED: Kinds = {
    "format": int,
    "recipe": str,
    "framework": dict,
    "settings": dict,
    "deviations": dict,
    "seed": int,
    "sample": bool,
    "cpu": str,
    "command": str,
    "epochs": int,
    "log": list,
    "evaluations": list,
    "ms_per_iteration": NUMBER,
    "seconds": NUMBER,
}
PORT_REQUIRED_IN: Mapping[str, Kinds] = {
    "evaluations": {"split": str, "examples": int},
    "log": {"epoch": int, "iteration": int},
}


def read_results(path: PathLike, errors: bool = False) -> Document:
    """Read one results document of a run.

    Args:
      path: of the file.
      errors: take that of a regression too, which has errors in place of accuracies.

    Raises:
      InputError: no file, not JSON, another format, or a part that is missing or of another kind.
    """
    document = _read(path, REQUIRED, REQUIRED_IN, errors)
    for number, entry in enumerate(document["published"]):
        if entry.get("measured") is not None and not entry.get("measured_examples"):
            raise InputError(f"{path}: published[{number}].measured_examples is missing")
    if "epochs" in document:
        _check(path, "", document, {"epochs": dict})
        _check(path, "epochs.", document["epochs"], {"split": str, "measured": dict})
        for name in ("measured", "published"):
            if document["epochs"].get(name) is not None:
                _check(path, f"epochs.{name}.", document["epochs"][name], EPOCHS)
    return document


def read_port_results(path: PathLike, errors: bool = False) -> Document:
    """Read one results document of a port's training, as ``tf1_lstm.parity.ports.train`` writes it.

    Args and errors are those of ``read_results``.
    """
    return _read(path, PORT_REQUIRED, PORT_REQUIRED_IN, errors)


def read_results_folder(folder: Path) -> Tuple[Dict[Path, Document], List[Document]]:
    """Every ``*.json`` directly in ``folder`` but the benchmarks': those of runs by path, and those of ports.

    Raises:
      InputError: no such folder, or a file that is not a results document.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    runs: Dict[Path, Document] = {}
    ports: List[Document] = []
    for path in sorted(folder.glob("*.json")):
        if path.name in BENCHMARKS:
            continue
        if path.name.startswith(PORT_PREFIX):
            ports.append(read_port_results(path))
        else:
            runs[path] = read_results(path)
    return runs, ports


def _read(path: PathLike, required: Kinds, required_in: Mapping[str, Kinds], errors: bool) -> Document:
    document = read_json(path)
    if not isinstance(document, dict):
        raise InputError(f"{path}: found a JSON {type(document).__name__}, expected a results document")
    if document.get("format") != FORMAT:
        raise InputError(f"{path}: found results format {document.get('format')!r}, expected {FORMAT}")
    _check(path, "", document, required)
    for name, kinds in required_in.items():
        _check_entries(path, name, document[name], kinds)
    for number, entry in enumerate(document["evaluations"]):
        where = f"evaluations[{number}]."
        if errors and ERROR in entry:
            _check(path, where, entry, {ERROR: NUMBER})
        else:
            _check(path, where, entry, {"accuracy": NUMBER})
            _check_share(path, where, entry, "accuracy")
    for name, pair in document["deviations"].items():
        if not isinstance(pair, list) or len(pair) != 2:
            raise InputError(f"{path}: deviations.{name}: found {pair!r}, expected [published, used]")
    return document


def _check_entries(path: PathLike, name: str, entries: Sequence[Any], kinds: Kinds) -> None:
    for number, entry in enumerate(entries):
        where = f"{name}[{number}]."
        if not isinstance(entry, dict):
            raise InputError(f"{path}: {where[:-1]}: found {type(entry).__name__}, expected an object")
        _check(path, where, entry, kinds)
        if "value" in kinds:
            _check_share(path, where, entry, "value")
        if "examples" in kinds and entry["examples"] < 1:
            raise InputError(f"{path}: {where}examples: found {entry['examples']}, expected at least 1")


def _check_share(path: PathLike, where: str, entry: Document, key: str) -> None:
    if not 0 <= entry[key] <= 1:
        raise InputError(f"{path}: {where}{key}: found {entry[key]}, expected 0 to 1")


def _check(path: PathLike, where: str, found: Mapping[str, Any], required: Kinds) -> None:
    for key, kind in required.items():
        if key not in found:
            raise InputError(f"{path}: {where}{key} is missing")
        value = found[key]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise InputError(f"{path}: {where}{key}: found {type(value).__name__} {str(value)[:40]!r}")


def setting_of(document: Document, name: str, default: Any = None) -> Any:
    """A setting of a results document by the last word of its path, or by its flat name of before."""
    settings = document["settings"]
    if name in settings:
        return settings[name]
    return next((value for path, value in settings.items() if path.rpartition(".")[2] == name), default)
