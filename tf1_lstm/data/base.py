"""What a data set is: arrays, named splits and samplers. Nothing here knows TensorFlow.

A command never asks which data set it holds. What differs (how a text or a picture becomes an
array, what is wrong with the published split) is answered by the data set's own methods.
"""

import abc
import hashlib
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from tf1_lstm.errors import InputError

SHOWN_ROWS = 5


class Batch(NamedTuple):
    """What one training or test step is fed.

    Attributes:
      inputs: ``[batch, steps]`` int32 ids or ``[batch, steps, inputs]`` float32 rows.
      labels: what the data set's ``task`` says: ``[batch, classes]`` float32, one-hot;
        ``[batch, outputs]`` or ``[batch, steps, outputs]`` float32; or ``[batch, steps]`` int32 ids, one
        for each step, -1 where a step does not count.
      rows: ``[batch]`` int64, the row of each example in its store, for audits.
      lengths: ``[batch]`` int32, the steps of each example that are no padding; None where all are.
    """

    inputs: np.ndarray
    labels: np.ndarray
    rows: np.ndarray
    lengths: Optional[np.ndarray] = None


class Split(NamedTuple):
    """A fixed set of examples, each once, with its true label.

    Attributes:
      name: as typed after ``--split``.
      inputs: ``[examples, ...]`` as in ``Batch``.
      labels: ``[examples]`` int64 class numbers, float32 numbers as in ``Batch``, or
        ``[examples, steps]`` int32 ids, as the data set's ``task`` says.
      note: one line that says what it is.
      lengths: ``[examples]`` int32 as in ``Batch``, or None.
    """

    name: str
    inputs: np.ndarray
    labels: np.ndarray
    note: str
    lengths: Optional[np.ndarray] = None


class Sampler(abc.ABC):
    """Batches as a pure function of (seed, step): no history, so a resumed run draws the same.

    Attributes:
      steps_per_epoch: batches that give every example once; 0 where batches are drawn without end.
      contiguous: whether row ``i`` of a batch goes on where row ``i`` of the batch before it ended, but
        for the first of an epoch, so that a recurrent state may be carried from batch to batch.
    """

    steps_per_epoch: int = 0
    contiguous: bool = False

    @abc.abstractmethod
    def batch(self, step: int) -> Batch:
        """The batch of iteration ``step`` (from 0)."""


class Example(NamedTuple):
    """One thing to predict, ready for the graph.

    Attributes:
      name: what the user gave (a file name, or the beginning of the text).
      inputs: ``[steps]`` or ``[steps, inputs]``.
      notes: plain facts for the user, e.g. ``{"words": 310, "unknown": ["foo"], "cut": True}``.
      refused: the reason why there is no answer, or None.
      length: the steps that are no padding; None where all are. Of the task ``"next"`` the answer is
        the output of the last of them.
    """

    name: str
    inputs: Optional[np.ndarray]
    notes: Dict[str, Any]
    refused: Optional[str] = None
    length: Optional[int] = None

    def __repr__(self) -> str:
        what = self.refused or ("" if self.inputs is None else f"inputs {list(self.inputs.shape)}")
        return f"<Example {self.name[:40]!r}: {what}>"


class AuditFinding(NamedTuple):
    """One line of a split audit, computed from the sampler's own rows.

    Attributes:
      what: e.g. ``"rows in both train and test"``.
      total: how many rows.
      rows: the first few of them (0-based).
      meaning: one sentence.
    """

    what: str
    total: int
    rows: Tuple[int, ...]
    meaning: str

    @classmethod
    def of(cls, what: str, rows: np.ndarray, meaning: str) -> "AuditFinding":
        """A finding about all of ``rows``, of which the first few are shown."""
        return cls(what, len(rows), tuple(int(row) for row in rows[:SHOWN_ROWS]), meaning)


class Dataset(abc.ABC):
    """Arrays from one folder, with their splits.

    Attributes:
      name: the registry's name for this kind of data.
      folder: where the files are.
      is_sample: True for the embedded sample; everything printed from it must say so.
      task: what is learned, and so what ``labels`` hold: ``"classes"`` (a class for each example),
        ``"numbers"`` (float targets, one or many: a regression) or ``"next"`` (an id for each step:
        the next token of a text, or a tag).
      class_names: a name for each class number, for each output of ``"numbers"``, or for each id of
        ``"next"``.
      example_kind: ``"text"``, ``"image"`` or ``"array"`` (a ``.npy``, ``.npz`` or ``.csv`` file): what
        ``predict`` takes.
      unknown_id: the id of unknown words; below 0 it counts from the end of the word vectors.
    """

    name: str
    folder: Path
    is_sample: bool
    task: str = "classes"
    class_names: Tuple[str, ...]
    example_kind: str
    unknown_id: int = -1

    def with_settings(self, settings: Mapping[str, Any]) -> "Dataset":
        """The data set as a recipe of these settings reads it.

        Args:
          settings: every setting of a recipe by its plain name.

        Raises:
          InputError: its examples are not of the shape that the graph takes.
        """
        found = self.split(self.split_names()[0]).inputs.shape[1:]
        expected: Tuple[int, ...] = (settings["steps"],)
        if settings["inputs"] == "rows":
            expected += (settings["input_size"],)
        if tuple(found) != expected:
            raise InputError(
                f"{self.folder}: examples of shape {tuple(found)} found, {expected} expected by the recipe "
                f"(--set steps={found[0]} takes them)"
            )
        return self

    @abc.abstractmethod
    def split_names(self) -> Tuple[str, ...]:
        """The splits that this folder's files allow, the one to report first."""

    @abc.abstractmethod
    def split(self, name: str) -> Split:
        """One split. Raises InputError for a name that is unknown or whose file is missing."""

    @abc.abstractmethod
    def train_sampler(self, kind: str, batch_size: int, seed: int) -> Sampler:
        """Training batches; ``kind`` is ``"published"`` or ``"corrected"``."""

    @abc.abstractmethod
    def test_sampler(self, kind: str, batch_size: int, seed: int) -> Sampler:
        """Test batches as the document draws them (``"published"``), or mended."""

    @abc.abstractmethod
    def audit(self, kind: str, batch_size: int) -> List[AuditFinding]:
        """What is wrong with the split of that kind: leaks, wrong labels, rows never used."""

    @abc.abstractmethod
    def constants(self) -> Mapping[str, np.ndarray]:
        """Frozen arrays that the graph needs, e.g. ``{"word_vectors": [words, dimensions]}``."""

    @abc.abstractmethod
    def hashes(self) -> Dict[str, str]:
        """File name -> SHA-256 of its content, for the run folder."""

    @abc.abstractmethod
    def render(self, inputs: np.ndarray) -> Any:
        """One example's inputs as a person would see it: a text, or an image [height, width]."""

    @abc.abstractmethod
    def encode(self, items: Sequence[Any], names: Sequence[str]) -> List[Example]:
        """Texts (str) or pictures (paths) to examples, in the same order."""


def philox(seed: int, stream: str, position: int = 0) -> np.random.Generator:
    """A random generator that is a pure function of its arguments.

    Philox is counter-based: the key comes from ``seed`` and ``stream``, the counter's upper words
    from ``position`` (a step or an epoch), so no draw depends on what was drawn before.

    Args:
      seed: the user's seed, any int from 0 below 2**63.
      stream: what is drawn ("train", "test", "shuffle"), so that two samplers never share numbers.
      position: the step, epoch or repetition.
    """
    stream_key = int.from_bytes(hashlib.sha256(stream.encode("utf-8")).digest()[:8], "little")
    return np.random.Generator(np.random.Philox(key=seed | stream_key << 64, counter=position << 64))
