"""What a bundle must be before anything in it is believed: its document, hashes, types and shapes."""

from typing import Any, Dict, Iterator, Mapping, Optional, Tuple

import numpy as np

from tf1_lstm.files import sha256_of_array
from tf1_lstm.parity.cells import GATE_ORDER, Cell
from tf1_lstm.parity.reference import Adam, Spec

ADAM_STEPS = 3
READOUTS = ("last-output", "last-state", "backward-state", "both-states")
Arrays = Dict[str, np.ndarray]


def spec_of(settings: Mapping[str, Any]) -> Spec:
    """Return the model that a recipe's settings describe."""
    return Spec(
        Cell(settings["cell"], settings["units"], settings["forget_bias"]),
        settings["readout"],
        settings["layers"],
        settings["bidirectional"],
        Adam(learning_rate=settings["learning_rate"]),
    )


def problems(document: Dict[str, Any], arrays: Arrays) -> Iterator[str]:
    """Yield what is wrong; only the first is sure to be meant, since each check trusts those before it."""
    yield from _document_problems(document)
    yield from _hash_problems(document, arrays)
    yield from _array_problems(spec_of(document["settings"]), document, arrays)


def _document_problems(document: Dict[str, Any]) -> Iterator[str]:
    kinds: Dict[str, type] = {
        "recipe": str,
        "settings": dict,
        "sha256": dict,
        "batch": dict,
        "versions": dict,
    }
    for key, kind in kinds.items():
        if not isinstance(document.get(key), kind):
            yield f"document: {key!r} is {document.get(key)!r:.60}, expected a {kind.__name__}"
    settings = document["settings"]
    wanted = {
        "inputs": str,
        "cell": str,
        "readout": str,
        "bidirectional": bool,
        "forget_bias": float,
        "learning_rate": float,
        "output_keep_prob": float,
        "units": int,
        "layers": int,
        "steps": int,
        "classes": int,
    }
    for key, kind in wanted.items():
        if type(settings.get(key)) is not kind:
            yield f"document: setting {key!r} is {settings.get(key)!r:.60}, expected a {kind.__name__}"
        most = 64 if key == "layers" else 100_000
        if kind is int and not 0 < settings[key] <= most:
            yield f"document: setting {key!r} is {settings[key]}, expected 1 to {most:,}"
        if kind is float and not abs(settings[key]) < 1e6:
            yield f"document: setting {key!r} is {settings[key]}, expected a moderate number"
    if settings["cell"] not in GATE_ORDER:
        yield f"document: cell {settings['cell']!r:.60}, expected one of {', '.join(GATE_ORDER)}"
    if settings["readout"] not in READOUTS or settings["inputs"] not in ("ids", "rows"):
        yield f"document: readout {settings['readout']!r:.60} of {settings['inputs']!r:.60} is not known"
    if (settings["readout"] in ("backward-state", "both-states")) != settings["bidirectional"]:
        yield f"document: readout {settings['readout']!r} with bidirectional {settings['bidirectional']}"
    words = document.get("words")
    if settings["inputs"] == "ids" and not (
        isinstance(words, dict)
        and type(words.get("count")) is int
        and type(words.get("unknown")) is int
        and 0 <= words["unknown"] < words["count"] <= 50_000_000
    ):
        yield f"document: 'words' is {words!r:.60}, expected 'count' and 'unknown'"


def _hash_problems(document: Dict[str, Any], arrays: Arrays) -> Iterator[str]:
    stated = document["sha256"]
    if set(stated) != set(arrays):
        odd = sorted(set(stated) ^ set(arrays))
        yield f"arrays and document differ in {', '.join(odd[:5])}"
    for name, array in arrays.items():
        if sha256_of_array(array) != stated[name]:
            yield f"{name}: its SHA-256 is not the stated one: the file is damaged"


def _array_problems(spec: Spec, document: Dict[str, Any], arrays: Arrays) -> Iterator[str]:
    """Yield what is missing, of the wrong type or shape, or not finite."""
    settings = document["settings"]
    ids = settings["inputs"] == "ids"
    seen = arrays.get("word_vectors/values" if ids else "batch/inputs", np.zeros(0))
    if seen.ndim != (2 if ids else 3):
        yield "no usable inputs; expected word vectors [rows, dimensions] or rows [batch, steps, inputs]"
        return
    expected = _expected(spec, settings, seen.shape[-1], _length(arrays.get("batch/labels")))
    if ids:
        rows = len(seen)
        expected["word_vectors/ids"] = (np.dtype(np.int64), (rows,))
        expected["word_vectors/values"] = (np.dtype(np.float32), seen.shape)
    if "split/logits" in arrays:
        expected["split/logits"] = (
            np.dtype(np.float32),
            (_length(arrays["split/logits"]), settings["classes"]),
        )
    for name in sorted(set(expected) | set(arrays)):
        if name not in arrays or name not in expected:
            yield f"{name}: {'missing' if name in expected else 'not part of the format'}"
            return
        dtype, shape = expected[name]
        if (arrays[name].dtype, arrays[name].shape) != (dtype, shape):
            yield f"{name}: {arrays[name].dtype} {arrays[name].shape}, expected {dtype} {shape}"
        if dtype.kind == "f" and not np.isfinite(arrays[name]).all():
            yield f"{name}: holds NaN or infinity"
    if not len(arrays["batch/labels"]):
        yield "batch/labels: no example, expected at least one"
    if ids:
        yield from _word_problems(document, arrays)


def _length(array: Optional[np.ndarray]) -> int:
    return array.shape[0] if array is not None and array.ndim else 0


def _word_problems(document: Dict[str, Any], arrays: Arrays) -> Iterator[str]:
    ids = arrays["word_vectors/ids"]
    if not len(ids) or ids[0] < 0 or ids[-1] >= document["words"]["count"] or (np.diff(ids) <= 0).any():
        yield f"word_vectors/ids: not ascending ids below {document['words']['count']}"
    if not np.isin(arrays["batch/inputs"], ids).all():
        yield "batch/inputs: a word has no vector in the bundle"


def _expected(
    spec: Spec, settings: Dict[str, Any], width: int, batch: int
) -> Dict[str, Tuple[np.dtype, Tuple[int, ...]]]:
    """Return name -> (type, shape) of every array but the optional ones."""
    steps, classes = settings["steps"], settings["classes"]
    float32 = np.dtype(np.float32)
    found: Dict[str, Tuple[np.dtype, Tuple[int, ...]]] = {
        "batch/inputs": (float32, (batch, steps, width)),
        "batch/labels": (float32, (batch, classes)),
        "logits": (float32, (batch, classes)),
        "loss": (float32, ()),
    }
    if settings["inputs"] == "ids":
        found["batch/inputs"] = (np.dtype(np.int32), (batch, steps))
    for role, shape in spec.shapes(width, classes).items():
        for prefix in ("weights", "gradients", *(f"adam/{n + 1}" for n in range(ADAM_STEPS))):
            found[f"{prefix}/{role}"] = (float32, shape)
    for direction in spec.directions:
        for layer in range(spec.layers):
            for part in ("h", "c") if spec.cell.has_c else ("h",):
                name = f"steps/{direction}/{layer}/{part}"
                found[name] = (float32, (batch, steps, spec.cell.units))
    return found
