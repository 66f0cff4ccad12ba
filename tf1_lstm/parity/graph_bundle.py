"""The bundle of a graph that no recipe describes: what was fed, what came out, weights and gradients.

The format is described in ``docs/graph.md``. As in ``bundle``, nothing in it is pickled, and a file is
checked once, in ``read_graph_bundle``.
"""

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Union

import numpy as np

from tf1_lstm.errors import InputError
from tf1_lstm.files import parse_json, replacing, sha256_of_array
from tf1_lstm.parity.npz import read_npz

FORMAT, VERSION = "tf1-lstm-graph-bundle", 1
DOCUMENT = "document"
GROUPS = ("inputs", "outputs", "weights", "gradients")
Arrays = Dict[str, np.ndarray]


@dataclass(frozen=True)
class GraphBundle:
    """What a graph was fed and what it gave.

    Attributes:
      document: where it is from; ``used`` lists the inputs that the outputs need.
      inputs: tensor (``x:0``) -> what was fed, in the order in which it was given.
      outputs: tensor -> what came out.
      weights: variable -> values, as the checkpoint names and shapes them.
      loss: the loss; None where none was asked for.
      gradients: variable -> derivative of the loss.
    """

    document: Dict[str, Any]
    inputs: Arrays
    outputs: Arrays
    weights: Arrays
    loss: Optional[float]
    gradients: Arrays

    @property
    def used(self) -> List[str]:
        """The inputs that the outputs need, in order."""
        return list(self.document["used"])

    def parameters(self) -> Arrays:
        """The inputs by the names of their placeholders: ``x`` for ``scope/x:0``."""
        return {plain(name): array for name, array in self.inputs.items()}


def plain(tensor: str) -> str:
    """A tensor's name as a Python parameter has it: without scope and number."""
    return tensor.rpartition(":")[0].rpartition("/")[2].replace(".", "_").replace("-", "_") or tensor


def write_graph_bundle(path: Union[str, Path], bundle: GraphBundle) -> None:
    """Write a bundle; the same bundle gives the same bytes.

    Raises:
      InputError: the file cannot be written.
    """
    arrays: Arrays = {}
    for group in GROUPS:
        named: Mapping[str, np.ndarray] = getattr(bundle, group)
        arrays.update({f"{group}/{name}": np.array(array, order="C") for name, array in named.items()})
    if bundle.loss is not None:
        arrays["loss"] = np.asarray(bundle.loss, np.float32)
    document = dict(bundle.document, format=FORMAT, version=VERSION)
    document["inputs"], document["outputs"] = list(bundle.inputs), list(bundle.outputs)
    document["sha256"] = {name: sha256_of_array(array) for name, array in sorted(arrays.items())}
    text = json.dumps(document, sort_keys=True, ensure_ascii=False, allow_nan=False, indent=1)
    arrays[DOCUMENT] = np.frombuffer(text.encode("utf-8"), np.uint8)
    with replacing(path) as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in sorted(arrays.items()):
            member = io.BytesIO()
            np.lib.format.write_array(member, array, version=(1, 0), allow_pickle=False)
            info = zipfile.ZipInfo(name + ".npy", (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, member.getvalue())


def is_graph_bundle(path: Union[str, Path]) -> bool:
    """Whether a file says that it is a graph's bundle; False for anything that cannot be read."""
    try:
        with zipfile.ZipFile(str(path)) as archive, archive.open(DOCUMENT + ".npy") as stream:
            return FORMAT.encode() in stream.read(1 << 24)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile, NotImplementedError, RuntimeError):
        return False


def read_graph_bundle(path: Union[str, Path]) -> GraphBundle:
    """Read and check a bundle.

    Raises:
      InputError: missing, of another format or version, damaged, or not what it says it is.
    """
    arrays = read_npz(path, "a bundle written by tf1-lstm graph")
    raw = arrays.pop(DOCUMENT, None)
    if raw is None or raw.dtype != np.uint8 or raw.ndim != 1:
        raise InputError(f"{path}: no {DOCUMENT!r} inside; expected a bundle written by tf1-lstm graph")
    try:
        document = parse_json(raw.tobytes().decode("utf-8"))
    except ValueError as error:
        raise InputError(f"{path}: its document is not JSON ({error}); expected {FORMAT!r}") from error
    if not isinstance(document, dict):
        raise InputError(f"{path}: its document is a {type(document).__name__}, expected a JSON object")
    if document.get("format") != FORMAT or document.get("version") != VERSION:
        found = f"{document.get('format')!r}, version {document.get('version')!r}"
        raise InputError(f"{path}: found {found}, expected {FORMAT!r}, version {VERSION}")
    for problem in _problems(document, arrays):
        raise InputError(f"{path}: {problem}")

    def group(name: str, order: List[str]) -> Arrays:
        found = {key[len(name) + 1 :]: array for key, array in arrays.items() if key.startswith(name + "/")}
        return {key: found[key] for key in [*order, *sorted(set(found) - set(order))]}

    return GraphBundle(
        document,
        group("inputs", document["inputs"]),
        group("outputs", document["outputs"]),
        group("weights", []),
        float(arrays["loss"]) if "loss" in arrays else None,
        group("gradients", []),
    )


def _problems(document: Dict[str, Any], arrays: Arrays) -> Iterator[str]:
    """Yield what is wrong; only the first is sure to be meant, since each check trusts those before it."""
    named = {key: document.get(key) for key in ("inputs", "outputs", "used")}
    for key, value in named.items():
        if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
            yield f"document: {key!r} is {value!r:.60}, expected names"
    stated = document.get("sha256")
    if not isinstance(stated, dict) or set(stated) != set(arrays):
        yield "arrays and document differ"
    damaged = [name for name, array in arrays.items() if sha256_of_array(array) != document["sha256"][name]]
    if damaged:
        yield f"{damaged[0]}: its SHA-256 is not the stated one: the file is damaged"
    for name, array in arrays.items():
        if name != "loss" and name.partition("/")[0] not in GROUPS:
            yield f"{name}: not part of the format"
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            yield f"{name}: holds NaN or infinity"
    for key in ("inputs", "outputs"):
        if {f"{key}/{name}" for name in document[key]} != {n for n in arrays if n.startswith(key + "/")}:
            yield f"document: {key!r} are not those of the arrays"
    if not document["outputs"] or not set(document["used"]) <= set(document["inputs"]):
        yield "document: no output, or an input that is used and not there"
    if arrays.get("loss", np.zeros(())).shape != ():
        yield "loss: expected one number"
    gradients = [name for name in sorted(arrays) if name.startswith("gradients/")]
    alone = [name for name in gradients if "weights" + name[len("gradients") :] not in arrays]
    if alone:
        yield f"{alone[0]}: without its weight"
