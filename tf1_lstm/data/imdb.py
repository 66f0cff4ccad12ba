"""The IMDB reviews as word ids: the tutorial's three files, with its splits and samplers."""

from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from tf1_lstm.data.base import AuditFinding, Dataset, Example, Split
from tf1_lstm.data.ids import WordIndex
from tf1_lstm.data.imdb_files import (
    TEST_FILE,
    TRAIN_FILE,
    VECTORS_FILE,
    WORDS_FILE,
    find_folder,
    load_arrays,
)
from tf1_lstm.data.imdb_split import CorrectedSampler, IdSampler, Layout, TutorialSampler, audit_split
from tf1_lstm.data.texts import encode_text
from tf1_lstm.errors import InputError
from tf1_lstm.files import sha256_of_array

_NOTES = {
    "tutorial-test": "the rows that the tutorial's test batches are drawn from, with their true labels",
    "train": "the rows that the tutorial's training batches are drawn from",
    "official-test": "the data set's own test reviews, which the tutorial never used",
}


class ImdbIds(Dataset):
    """Reviews as rows of word ids, and the words' vectors.

    The published layout is taken as it is: ``wordsList.npy``, ``wordVectors.npy`` and
    ``idsMatrix.npy`` in one folder are enough. ``idsMatrixTest.npy`` adds ``official-test``.

    Attributes:
      words: ``[words]`` byte strings.
      vectors: ``[words, dimensions]`` float32; row 0 is the padding, the last row "unknown".
      ids: ``[rows, steps]`` int32; the first half positive, the second half negative.
      test_ids: the official test reviews, in the same way, or None.
      layout: where the splits of a matrix of that many rows begin and end.
    """

    name = "imdb-ids"
    class_names = ("positive", "negative")
    example_kind = "text"

    def __init__(self, folder: Path, is_sample: bool = False) -> None:
        """Map and check the files.

        Args:
          folder: the folder of the files, or the one above its ``imdb``.
          is_sample: whether this is the embedded sample.

        Raises:
          InputError: a file cannot be used; see ``imdb_files.load_arrays``.
        """
        self.folder = find_folder(folder)
        self.is_sample = is_sample
        self.words, self.vectors, self.ids, self.test_ids = load_arrays(self.folder)
        self.layout = Layout.of(len(self.ids))
        self._index: Optional[WordIndex] = None

    @property
    def steps(self) -> int:
        """Width of the id matrices: the time steps of one review."""
        return int(self.ids.shape[1])

    def split_names(self) -> Tuple[str, ...]:
        """``tutorial-test``, ``train``, and ``official-test`` where its file is there."""
        return ("tutorial-test", "train") + (("official-test",) if self.test_ids is not None else ())

    def split(self, name: str) -> Split:
        """Every example of a split once, with its true label (0 positive, 1 negative)."""
        if name not in _NOTES:
            raise InputError(f"--split: found {name!r}, expected one of {', '.join(self.split_names())}")
        if name == "official-test":
            if self.test_ids is None:
                raise InputError(f"{self.folder / TEST_FILE}: no such file; expected for the split {name}")
            labels = Layout.of(len(self.test_ids)).true_labels(np.arange(len(self.test_ids)))
            return Split(name, self.test_ids, labels, _NOTES[name])
        rows = self.layout.test_rows() if name == "tutorial-test" else self.layout.train_rows()
        return Split(name, self.ids[rows], self.layout.true_labels(rows), _NOTES[name])

    def train_sampler(self, kind: str, batch_size: int, seed: int) -> IdSampler:
        """Training batches: positive and negative reviews in turn, the first positive.

        ``"published"`` draws with replacement from the tutorial's ranges. ``"corrected"`` goes
        through all positive and all negative rows outside ``tutorial-test``, in a new random order
        each epoch, so that no row is left out and none is shared with the test.
        """
        _check_sampler(kind, batch_size)
        if kind == "published":
            ranges = self.layout.train_numbers()
            return TutorialSampler(self.ids, self.layout, ranges, batch_size, seed, "train")
        groups = self.layout.corrected_train_rows()
        return CorrectedSampler(self.ids, self.layout, groups, batch_size, seed, "train")

    def test_sampler(self, kind: str, batch_size: int, seed: int) -> IdSampler:
        """Test batches.

        ``"published"`` draws with replacement from the tutorial's range and labels as it did, one
        positive row as negative. ``"corrected"`` goes through the same rows in random order
        without replacement, with their true labels.
        """
        _check_sampler(kind, batch_size)
        if kind == "published":
            ranges = (self.layout.test_numbers(),)
            return TutorialSampler(self.ids, self.layout, ranges, batch_size, seed, "test")
        return CorrectedSampler(self.ids, self.layout, (self.layout.test_rows(),), batch_size, seed, "test")

    def audit(self, kind: str, batch_size: int) -> List[AuditFinding]:
        """Leaks, wrong labels and unused rows, found by listing all that the samplers can draw."""
        train = self.train_sampler(kind, batch_size, 0).support()
        test = self.test_sampler(kind, batch_size, 0).support()
        return audit_split(train, test, self.layout)

    def constants(self) -> Mapping[str, np.ndarray]:
        """``word_vectors``: float32 ``[words, dimensions]``."""
        return {"word_vectors": self.vectors}

    def hashes(self) -> Dict[str, str]:
        """SHA-256 of each array's bytes, without the ``.npy`` header, by file name."""
        arrays = {WORDS_FILE: self.words, VECTORS_FILE: self.vectors, TRAIN_FILE: self.ids}
        if self.test_ids is not None:
            arrays[TEST_FILE] = self.test_ids
        return {name: sha256_of_array(array) for name, array in arrays.items()}

    def render(self, inputs: np.ndarray) -> str:
        """The words of a row of ids, without the padding."""
        return b" ".join(self.words[inputs[inputs != 0]].tolist()).decode("utf-8", "replace")

    def encode(self, items: Sequence[Any], names: Sequence[str]) -> List[Example]:
        """Texts (str, or a file's bytes) to rows of ids, in the same order; see ``data.texts``."""
        if self._index is None:
            self._index = WordIndex(self.words.tolist())
        return [encode_text(item, name, self._index, self.steps) for item, name in zip(items, names)]


def _check_sampler(kind: str, batch_size: int) -> None:
    if kind not in ("published", "corrected"):
        raise InputError(f"setting sampler: found {kind!r}, expected published or corrected")
    if batch_size < 1:
        raise InputError(f"setting batch_size: found {batch_size}, expected 1 or more")
