"""What a bundle must be before anything in it is believed: its document, hashes, types and shapes."""

from typing import Any, Dict, Iterator, Optional, Tuple

import numpy as np

from tf1_lstm.core.cells import ACTIVATIONS, LAYER_ACTIVATIONS, cell_kinds
from tf1_lstm.core.parts import kinds
from tf1_lstm.files import sha256_of_array
from tf1_lstm.parity.spec import POSITIONS, Spec, spec_of
from tf1_lstm.recipes.experiment import MASKS, Inputs, Optimizer

UPDATE_STEPS = 3
# Settings that every bundle has, and those that one written before they were added has not.
WANTED: Dict[str, type] = {
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
ADDED: Dict[str, type] = {
    "any_steps": bool,
    "padding": str,
    "embedding": str,
    "joined_layers": bool,
    "double_bias": bool,
    "keep_prob": float,
    "dropout_at": str,
    "dense_units": int,
    "dense_activation": str,
    "output": str,
    "output_activation": str,
    "optimizer": str,
    "read": str,
    "loss": str,
    "activation": str,
    "merge": str,
    "mask": str,
    "front_activation": str,
    "front": int,
    "go_backwards": bool,
    "shared_cell": bool,
}
READOUTS = ("last-output", "last-state", "backward-state", "both-states")
CHOICES = {
    "readout": READOUTS,
    "inputs": ("ids", "rows"),
    "padding": ("front", "back"),
    "embedding": tuple(kind.flat_kind for kind in kinds(Inputs).values()),
    "output": ("softmax", "sigmoid", "regression"),
    "read": tuple(POSITIONS),
    "merge": ("", "sum", "product", "average", "forward"),
    "mask": MASKS,
    "front_activation": ("", *LAYER_ACTIVATIONS),
    "loss": ("squared", "absolute"),
    "dense_activation": LAYER_ACTIVATIONS,
    "output_activation": LAYER_ACTIVATIONS,
    "activation": ACTIVATIONS,
    "optimizer": tuple(kind.flat_kind for kind in kinds(Optimizer).values()),
}
MOST = {"layers": 64}
MAY_BE_ZERO = ("dense_units", "front")
Arrays = Dict[str, np.ndarray]


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
    for key, kind in {**WANTED, **ADDED}.items():
        if key in settings or key in WANTED:
            yield from _setting_problems(key, kind, settings.get(key))
    widths = settings.get("widths", [])
    counted = isinstance(widths, list) and all(
        type(units) is int and 1 <= units <= 100_000 for units in widths
    )
    if not counted or (widths and [settings["units"]] * settings["layers"] != [widths[0]] * len(widths)):
        yield f"document: setting 'widths' is {widths!r:.60}, expected the units of each layer"
        return
    yield from _combination_problems(settings)
    words = document.get("words")
    if settings["inputs"] == "ids" and not (
        isinstance(words, dict)
        and type(words.get("count")) is int
        and type(words.get("unknown")) is int
        and 0 <= words["unknown"] < words["count"] <= 50_000_000
    ):
        yield f"document: 'words' is {words!r:.60}, expected 'count' and 'unknown'"


def _setting_problems(key: str, kind: type, value: Any) -> Iterator[str]:
    if type(value) is not kind:
        yield f"document: setting {key!r} is {value!r:.60}, expected a {kind.__name__}"
    least, most = 0 if key in MAY_BE_ZERO else 1, MOST.get(key, 100_000)
    if kind is int and not least <= value <= most:
        yield f"document: setting {key!r} is {value}, expected {least} to {most:,}"
    if kind is float and not abs(value) < 1e6:
        yield f"document: setting {key!r} is {value}, expected a moderate number"
    # Cells of one's own are known once their file was read.
    choices = tuple(cell_kinds()) if key == "cell" else CHOICES.get(key, (value,))
    if value not in choices:
        yield f"document: {key} {value!r:.60}, expected one of {', '.join(choices)}"


def _combination_problems(settings: Dict[str, Any]) -> Iterator[str]:
    bidirectional = settings["bidirectional"]
    if (settings["readout"] in ("backward-state", "both-states")) != bidirectional:
        yield f"document: readout {settings['readout']!r} with bidirectional {bidirectional}"
    if settings.get("joined_layers") and not bidirectional:
        yield "document: joined_layers True with bidirectional False"
    if settings.get("merge") and not bidirectional:
        yield f"document: merge {settings['merge']!r} with bidirectional False"
    if bool(settings.get("front")) != bool(settings.get("front_activation")):
        yield "document: front and front_activation, found one of them, expected both"
    if settings.get("mask") == "mask_zero" and settings["inputs"] != "ids":
        yield "document: mask 'mask_zero' with rows, expected none or sequence_length"
    if settings.get("shared_cell") and (bidirectional or settings["layers"] < 2):
        yield "document: shared_cell True, expected stacked layers of one direction"
    if settings.get("go_backwards") and bidirectional:
        yield "document: go_backwards True with bidirectional True"
    if settings.get("output") == "sigmoid" and settings["classes"] != 2:
        yield f"document: output 'sigmoid' with {settings['classes']} classes, expected 2"


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
    table = "weights/embedding" if spec.trains_embedding else "word_vectors/values"
    seen = arrays.get(table if ids else "batch/inputs", np.zeros(0))
    if seen.ndim != (2 if ids else 3):
        yield f"no usable inputs; expected {table} [words, dimensions] or rows [batch, steps, inputs]"
        return
    expected = _expected(spec, document, arrays, seen.shape[-1])
    if ids and not spec.trains_embedding:
        expected["word_vectors/ids"] = (np.dtype(np.int64), (len(seen),))
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
    yield from _length_problems(spec, arrays)
    if not arrays["batch/inputs"].size:
        yield "batch/inputs: no example, expected at least one"
    if spec.trains_embedding:
        count, given = document["words"]["count"], arrays["batch/inputs"]
        if given.min() < 0 or given.max() >= count:
            yield f"batch/inputs: ids from {given.min()} to {given.max()}, expected 0 to {count - 1}"
    elif ids:
        yield from _word_problems(document, arrays)


def _length_problems(spec: Spec, arrays: Arrays) -> Iterator[str]:
    if spec.takes_lengths:
        lengths = arrays["batch/lengths"]
        if lengths.size and not 1 <= lengths.min() <= lengths.max() <= arrays["batch/inputs"].shape[1]:
            yield f"batch/lengths: from {lengths.min()} to {lengths.max()}, expected 1 to the number of steps"


def _length(array: Optional[np.ndarray]) -> int:
    return int(array.shape[0]) if array is not None and array.ndim else 0


def _word_problems(document: Dict[str, Any], arrays: Arrays) -> Iterator[str]:
    ids = arrays["word_vectors/ids"]
    if not len(ids) or ids[0] < 0 or ids[-1] >= document["words"]["count"] or (np.diff(ids) <= 0).any():
        yield f"word_vectors/ids: not ascending ids below {document['words']['count']}"
    if not np.isin(arrays["batch/inputs"], ids).all():
        yield "batch/inputs: a word has no vector in the bundle"


def _expected(
    spec: Spec, document: Dict[str, Any], arrays: Arrays, width: int
) -> Dict[str, Tuple[np.dtype, Tuple[int, ...]]]:
    """Return name -> (type, shape) of every array but the optional ones."""
    settings, batch = document["settings"], _length(arrays.get("batch/labels"))
    steps, classes = settings["steps"], settings["classes"]
    given = arrays.get("batch/inputs")
    if settings.get("any_steps") and given is not None and given.ndim > 1:
        steps = min(steps, given.shape[1])
    float32 = np.dtype(np.float32)
    each = (steps,) if spec.per_step else ()
    found: Dict[str, Tuple[np.dtype, Tuple[int, ...]]] = {
        "batch/inputs": (float32, (batch, steps, width)),
        "batch/labels": (float32, (batch, *each, classes)),
        "logits": (float32, (batch, *each, classes)),
        "loss": (float32, ()),
    }
    words = 0
    if spec.takes_lengths:
        found["batch/lengths"] = (np.dtype(np.int32), (batch,))
    if settings["inputs"] == "ids":
        found["batch/inputs"] = (np.dtype(np.int32), (batch, steps))
        words = document["words"]["count"]
    for role, shape in spec.shapes(width, words).items():
        for prefix in ("weights", "gradients", *(f"updates/{n + 1}" for n in range(UPDATE_STEPS))):
            found[f"{prefix}/{role}"] = (float32, shape)
    for direction in spec.directions:
        for layer in range(spec.layers):
            for part in ("h", "c") if spec.cell.has_c else ("h",):
                name = f"steps/{direction}/{layer}/{part}"
                found[name] = (float32, (batch, steps, spec.cell_of(layer).units))
    return found
