"""What all data sets of a user's own share: splits, batches in epochs, and the audit."""

import copy
import os
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from tf1_lstm.data.base import AuditFinding, Batch, Dataset, Sampler, Split
from tf1_lstm.data.epochs import ShuffledEpochs
from tf1_lstm.data.own.examples import Examples
from tf1_lstm.data.own.rows import LazyRows
from tf1_lstm.data.own.splits import contradicting, shared_with
from tf1_lstm.errors import InputError
from tf1_lstm.files import sha256_of_array, sha256_of_file


class Labelled(NamedTuple):
    """Examples, what is to be learned of them, and their splits.

    Attributes:
      examples: the inputs.
      labels: ``[examples]`` int64 classes, ``[examples, outputs]`` float32, or ``[examples, steps]``
        int32 ids (-1 at a step that does not count).
      splits: name -> int64 rows; the split to report first at the front.
    """

    examples: Examples
    labels: np.ndarray
    splits: Dict[str, np.ndarray]


class EpochSampler(Sampler):
    """Batches in epochs: a new random order in each, every example once, the last batch may be shorter.

    Args:
      data: examples and labels.
      classes: for one-hot labels; 0 gives labels as they are.
      rows: int64 ``[n]``, those to draw.
      batch_size: examples in a batch.
      seed, stream: as in ``philox``.
      drop_remainder: leave out what does not fill a batch.

    Raises:
      InputError: a batch size below 1, or of more examples than there are.
    """

    def __init__(
        self,
        data: Labelled,
        classes: int,
        rows: np.ndarray,
        batch_size: int,
        seed: int,
        stream: str,
        drop_remainder: bool = False,
    ) -> None:
        most = len(rows) if drop_remainder else batch_size
        if not 1 <= batch_size <= most:
            raise InputError(f"batch_size: found {batch_size:,}, expected 1 to {max(most, 1):,}")
        self.steps_per_epoch = len(rows) // batch_size if drop_remainder else -(-len(rows) // batch_size)
        self._data, self._count, self._batch_size = data, len(rows), batch_size
        self._one_hot = np.eye(classes, dtype=np.float32) if classes else None
        self._epochs = ShuffledEpochs(rows, seed, stream)

    def batch(self, step: int) -> Batch:
        """The batch of iteration ``step``."""
        rows = self.rows(step)
        labels = self._data.labels[rows]
        if self._one_hot is not None:
            labels = self._one_hot[labels]
        examples = self._data.examples
        return Batch(examples.inputs(rows), labels, rows, examples.lengths(rows))

    def rows(self, step: int) -> np.ndarray:
        """That batch's rows alone, int64 ``[batch]``."""
        epoch, place = divmod(step, self.steps_per_epoch)
        start = place * self._batch_size
        count = min(self._batch_size, self._count - start)
        return self._epochs.take(epoch * self._count + start, count)


class OwnDataset(Dataset):
    """Examples from a user's own files.

    Args:
      data: examples, labels and splits.
      files: every file that was read.
      class_names: as in ``Dataset``.
      task: as in ``Dataset``.

    Attributes:
      data: as given.
      drop_remainder: training batches are all full; what is left of an epoch is left out.
    """

    is_sample = False
    drop_remainder = False

    def __init__(
        self, data: Labelled, files: Sequence[Path], class_names: Tuple[str, ...], task: str
    ) -> None:
        self.data, self.class_names, self.task = data, class_names, task
        self._files = [Path(path) for path in files]
        parents = [str(path.resolve().parent) for path in self._files]
        self.folder = Path(os.path.commonpath(parents))
        self._hashes: Optional[Dict[str, str]] = None

    def with_settings(self, settings: Mapping[str, Any]) -> "OwnDataset":
        """The same data with full batches alone where ``drop_remainder`` says so.

        Raises:
          InputError: an ``input_size`` that is not the width of the examples.
        """
        shape = self.data.examples.shape
        width = settings.get("input_size", 0) if settings.get("inputs") == "rows" else 0
        if width and len(shape) == 2 and width != shape[1]:
            raise InputError(
                f"{self._files[0]}: found {shape[1]:,} numbers in a step, expected {width:,} (inputs.width)"
            )
        view = copy.copy(self)
        view.drop_remainder = bool(
            settings.get("drop_remainder", False) or settings.get("fixed_batch", False)
        )
        return view

    @property
    def outputs(self) -> int:
        """How many classes, numbers or ids the model gives."""
        return len(self.class_names)

    def split_names(self) -> Tuple[str, ...]:
        """Those of ``test``, ``validation`` and ``train`` that hold examples."""
        return tuple(self.data.splits)

    def split(self, name: str) -> Split:
        """Every example of a split once; inputs are made as they are read."""
        rows, examples = self.rows_of(name), self.data.examples
        inputs: Any = LazyRows(examples.inputs, rows, examples.shape, examples.dtype)
        note = f"{len(rows):,} of {examples.count:,} examples of {self._files[0].name}"
        return Split(name, inputs, self.data.labels[rows], note, examples.lengths(rows))

    def rows_of(self, name: str) -> np.ndarray:
        """The rows of a split, int64.

        Raises:
          InputError: there is no such split.
        """
        if name not in self.data.splits:
            raise InputError(f"--split: found {name!r}, expected one of {', '.join(self.data.splits)}")
        return self.data.splits[name]

    def train_sampler(self, kind: str, batch_size: int, seed: int) -> EpochSampler:
        """Training batches in shuffled epochs; there is nothing published to correct."""
        return self._sampler("train", batch_size, seed, self.drop_remainder)

    def test_sampler(self, kind: str, batch_size: int, seed: int) -> EpochSampler:
        """Batches of the split to report first, in shuffled epochs."""
        return self._sampler(self.split_names()[0], batch_size, seed, False)

    def _sampler(self, split: str, batch_size: int, seed: int, drop_remainder: bool) -> EpochSampler:
        rows, classes = self.rows_of(split), self.outputs if self.task == "classes" else 0
        return EpochSampler(self.data, classes, rows, batch_size, seed, f"own {split}", drop_remainder)

    def audit(self, kind: str, batch_size: int) -> List[AuditFinding]:
        """Examples in two splits, identical ones with different labels, classes that a split lacks."""
        keys, train = self.data.examples.keys(), self.rows_of("train")
        findings = []
        for name, rows in self.data.splits.items():
            if name == "train":
                continue
            compared = f"Compared as they are read, {len(rows):,} with {len(train):,} examples."
            shared = shared_with(keys, rows, train)
            findings.append(
                AuditFinding.of(f"{name} examples that are training examples too", shared, compared)
            )
        if self.task == "classes":
            every = np.sort(np.concatenate(list(self.data.splits.values())))
            different = contradicting(keys, self.data.labels, every)
            meaning = "No model can be right about all of them."
            findings.append(AuditFinding.of("identical examples with different labels", different, meaning))
        return findings

    def constants(self) -> Mapping[str, np.ndarray]:
        """None: the graph is fed everything it needs."""
        return {}

    def hashes(self) -> Dict[str, str]:
        """File name -> SHA-256 of its bytes (of a folder, over its files in order), and of the splits' rows."""
        if self._hashes is None:
            found = {_name_of(path, self._files): self._sha256_of(path) for path in self._files}
            for name, rows in sorted(self.data.splits.items()):
                found[f"rows of {name}"] = sha256_of_array(rows)
            self._hashes = {**found, **self._more_hashes()}
        return self._hashes

    def _sha256_of(self, path: Path) -> str:
        return sha256_of_file(path)

    def _more_hashes(self) -> Dict[str, str]:
        """What else decides the arrays, as a vocabulary does."""
        return {}

    def render(self, inputs: np.ndarray) -> str:
        """The numbers of one example in short."""
        shown = np.array2string(np.asarray(inputs), precision=4, threshold=40, edgeitems=2)
        return str(shown).replace("\n", " ")


def _name_of(path: Path, files: Sequence[Path]) -> str:
    """Its last name, or its whole one where two files share that."""
    return path.name if [other.name for other in files].count(path.name) == 1 else str(path)
