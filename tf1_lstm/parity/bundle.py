"""The bundle file: a trained model and what TensorFlow 1.15 computes from it, in one ``.npz``.

The format is described in ``docs/bundle.md``. Nothing in it is pickled; a file is checked once, in
``read_bundle``, and trusted afterwards.
"""

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Mapping, Optional, Tuple, Union

import numpy as np

from tf1_lstm.errors import InputError
from tf1_lstm.files import replacing, sha256_of_array
from tf1_lstm.parity.bundle_checks import UPDATE_STEPS, problems
from tf1_lstm.parity.npz import read_npz
from tf1_lstm.parity.optimizers import EMBEDDING
from tf1_lstm.parity.reference import first_reads
from tf1_lstm.parity.spec import Spec, counted_steps, spec_of

FORMAT = "tf1-lstm-bundle"
VERSION = 2
# What version 1 called the weights after each step; otherwise the two versions are alike.
OLD_UPDATES = "adam/"
DOCUMENT = "document"
Arrays = Dict[str, np.ndarray]


@dataclass(frozen=True)
class Words:
    """What ids mean; the padding is 0.

    Attributes:
      count: ids from 0 up to this one are words.
      unknown: the id of unknown words.
    """

    count: int
    unknown: int


@dataclass(frozen=True)
class WordVectors:
    """The rows of a frozen look-up table that a bundle's reviews (and their neighbours) need.

    Attributes:
      ids: ``[rows]`` int64, ascending.
      values: ``[rows, dimensions]`` float32.
      words: rows of the whole table.
      unknown: the id of unknown words.
    """

    ids: np.ndarray
    values: np.ndarray
    words: int
    unknown: int

    def look_up(self, ids: np.ndarray) -> Optional[np.ndarray]:
        """Return ``[..., dimensions]``; None where a word is not in the bundle."""
        place = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
        return self.values[place] if np.array_equal(self.ids[place], ids) else None

    def table(self) -> np.ndarray:
        """Return the whole table ``[words, dimensions]`` float32, NaN in rows that the bundle lacks.

        NaN, so that a review outside the bundle gives NaN and not a wrong answer.
        """
        whole = np.full((self.words, self.values.shape[1]), np.nan, np.float32)
        whole[self.ids] = self.values
        return whole


@dataclass(frozen=True)
class Bundle:
    """A checked bundle.

    Attributes:
      document: the JSON document (see ``docs/bundle.md``).
      weights: role -> float32.
      inputs: ``[batch, steps]`` int32 ids or ``[batch, steps, inputs]`` float32.
      labels: ``[batch, classes]`` float32, one-hot.
      vectors: the look-up table where the inputs are ids and the embedding is frozen.
      steps: ``{fw|bw}/LAYER/{h|c}`` -> ``[batch, steps, units]``, in the order of the inputs.
      logits: ``[batch, classes]``; (0, z) for a sigmoid of one number z.
      loss: mean cross-entropy.
      gradients: role -> derivative of the loss.
      updates: weights after 1, 2, 3 steps of the optimizer.
      split_logits: ``[examples, classes]`` of the whole split, or None.
      lengths: ``[batch]`` int32, steps of each example that count, where the model takes them; or None.
      own_spec: what the model computes, where that is not what ``settings`` say.
    """

    document: Dict[str, Any]
    weights: Arrays
    inputs: np.ndarray
    labels: np.ndarray
    vectors: Optional[WordVectors]
    steps: Arrays
    logits: np.ndarray
    loss: float
    gradients: Arrays
    updates: Tuple[Arrays, ...]
    split_logits: Optional[np.ndarray]
    lengths: Optional[np.ndarray] = None
    own_spec: Optional[Spec] = None

    @property
    def settings(self) -> Dict[str, Any]:
        """The recipe's settings, by name."""
        return dict(self.document["settings"])

    @property
    def recipe(self) -> str:
        """The recipe's name."""
        return str(self.document["recipe"])

    @property
    def spec(self) -> Spec:
        """What the model computes."""
        return spec_of(self.settings) if self.own_spec is None else self.own_spec

    @property
    def words(self) -> Optional[Words]:
        """What the ids mean; None where the inputs are rows of pictures."""
        if not self.spec.embedding:
            return None
        return Words(self.document["words"]["count"], self.document["words"]["unknown"])

    def sequence(self) -> np.ndarray:
        """Return what the first recurrent layer reads: ``[batch, steps, inputs]`` float32."""
        found: Optional[np.ndarray] = self.inputs
        if EMBEDDING in self.weights:
            found = self.weights[EMBEDDING][self.inputs]
        elif self.vectors is not None:
            found = self.vectors.look_up(self.inputs)
        assert found is not None
        return first_reads(self.spec, self.weights, found, self.counted())

    def counted(self) -> Optional[np.ndarray]:
        """Return which steps the model runs, ``[batch, steps]``; None for all."""
        return counted_steps(self.spec, self.inputs, self.lengths)

    def counted_as_read(self) -> Optional[np.ndarray]:
        """Return the same in the order in which the first recurrent layer reads the steps."""
        found, spec = self.counted(), self.spec
        turned = spec.go_backwards and spec.mask == "mask_zero"
        return found[:, ::-1] if found is not None and turned else found


def arrays_of(bundle: Bundle) -> Arrays:
    """Return every array of a bundle under its name in the file."""
    found: Arrays = {
        "batch/inputs": bundle.inputs,
        "batch/labels": bundle.labels,
        "logits": bundle.logits,
        "loss": np.asarray(bundle.loss, np.float32),
    }
    groups = [("weights", bundle.weights), ("steps", bundle.steps), ("gradients", bundle.gradients)]
    groups += [(f"updates/{count + 1}", arrays) for count, arrays in enumerate(bundle.updates)]
    for prefix, arrays in groups:
        found.update({f"{prefix}/{name}": array for name, array in arrays.items()})
    if bundle.lengths is not None:
        found["batch/lengths"] = bundle.lengths
    if bundle.vectors is not None:
        found["word_vectors/ids"] = bundle.vectors.ids
        found["word_vectors/values"] = bundle.vectors.values
    if bundle.split_logits is not None:
        found["split/logits"] = bundle.split_logits
    return found


def write_bundle(path: Union[str, Path], bundle: Bundle) -> None:
    """Write a bundle; the same bundle gives the same bytes.

    Raises:
      InputError: the file cannot be written.
    """
    arrays = {name: np.array(array, order="C") for name, array in arrays_of(bundle).items()}
    document = dict(bundle.document, format=FORMAT, version=VERSION)
    document["sha256"] = {name: sha256_of_array(array) for name, array in sorted(arrays.items())}
    text = json.dumps(document, sort_keys=True, ensure_ascii=False, allow_nan=False, indent=1)
    arrays[DOCUMENT] = np.frombuffer(text.encode("utf-8"), np.uint8)
    with replacing(path) as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in sorted(arrays.items()):
            member = io.BytesIO()
            np.lib.format.write_array(member, array, version=(1, 0), allow_pickle=False)
            # A fixed date, so that the bytes depend on the content alone.
            info = zipfile.ZipInfo(name + ".npy", (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, member.getvalue())


def read_bundle(path: Union[str, Path]) -> Bundle:
    """Read and check a bundle.

    Raises:
      InputError: missing, not a bundle, of another version, damaged, or not what it says it is.
    """
    arrays = read_npz(path, "a bundle written by tf1-lstm export")
    raw = arrays.pop(DOCUMENT, None)
    if raw is None or raw.dtype != np.uint8 or raw.ndim != 1:
        raise InputError(f"{path}: no {DOCUMENT!r} inside; expected a bundle written by tf1-lstm export")
    document = _parse(path, raw.tobytes())
    if document.get("version") == 1:
        hashes = document.get("sha256")
        document.update(version=VERSION, sha256=_renamed(hashes) if isinstance(hashes, dict) else hashes)
        arrays = _renamed(arrays)
    if document.get("format") != FORMAT or document.get("version") != VERSION:
        found = f"{document.get('format')!r}, version {document.get('version')!r}"
        raise InputError(f"{path}: found {found}, expected {FORMAT!r}, version {VERSION}")
    for problem in problems(document, arrays):
        raise InputError(f"{path}: {problem}")
    return _assemble(document, arrays)


def _renamed(named: Mapping[str, Any]) -> Dict[str, Any]:
    """Return what was stored by name in version 1 under today's names."""
    return {
        "updates/" + name[len(OLD_UPDATES) :] if name.startswith(OLD_UPDATES) else name: value
        for name, value in named.items()
    }


def _parse(path: Union[str, Path], text: bytes) -> Dict[str, Any]:
    try:
        document = json.loads(text.decode("utf-8"), parse_constant=_refuse_constant)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: its document is not JSON ({error}); expected {FORMAT!r}") from error
    if not isinstance(document, dict):
        raise InputError(f"{path}: its document is a {type(document).__name__}, expected a JSON object")
    return document


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def _assemble(document: Dict[str, Any], arrays: Arrays) -> Bundle:
    def group(prefix: str) -> Arrays:
        return {name[len(prefix) :]: array for name, array in arrays.items() if name.startswith(prefix)}

    vectors = None
    if "word_vectors/ids" in arrays:
        words = document["words"]
        vectors = WordVectors(
            arrays["word_vectors/ids"], arrays["word_vectors/values"], words["count"], words["unknown"]
        )
    return Bundle(
        document=document,
        weights=group("weights/"),
        inputs=arrays["batch/inputs"],
        labels=arrays["batch/labels"],
        vectors=vectors,
        steps=group("steps/"),
        logits=arrays["logits"],
        loss=float(arrays["loss"]),
        gradients=group("gradients/"),
        updates=tuple(group(f"updates/{count + 1}/") for count in range(UPDATE_STEPS)),
        split_logits=arrays.get("split/logits"),
        lengths=arrays.get("batch/lengths"),
    )


def digest_of(arrays: Mapping[str, np.ndarray]) -> str:
    """Return the SHA-256 of arrays by name: name, type, shape and bytes of each, in order of name."""
    digest = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape} ".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
