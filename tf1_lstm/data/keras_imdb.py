"""The IMDB reviews as ``keras.datasets.imdb`` has them, read as a recipe's settings say."""

import copy
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from tf1_lstm.data.base import AuditFinding, Dataset, Example, Split
from tf1_lstm.data.imdb_files import VECTORS_FILE, WORDS_FILE
from tf1_lstm.data.keras_audit import audit_epoch, measured_on_test, shared_reviews
from tf1_lstm.data.keras_batches import ReviewSampler, SimilarLengthSampler
from tf1_lstm.data.keras_files import FOLDER, holds_reviews, load_files, review_files
from tf1_lstm.data.keras_reviews import Reading, Reviews
from tf1_lstm.data.keras_rule import UNKNOWN, word_ids
from tf1_lstm.data.keras_texts import encode_text, rendered
from tf1_lstm.errors import InputError
from tf1_lstm.files import sha256_of_array

VOCABULARY = 10_000
AUDIT_SEED = 1


class KerasUse(NamedTuple):
    """What a recipe's settings say beside how a review is read; the names are those of the settings."""

    embedding: str = ""
    validation: str = ""
    held_out: float = 0.0
    drop_remainder: bool = False
    batch_order: str = "shuffled"


class KerasImdbDataset(Dataset):
    """Reviews as rows of word ids by Keras's rule; the words' vectors where a GloVe file was given.

    Attributes:
      files: the checked arrays.
      reading: how reviews become rows.
      use: the other settings.
    """

    name = "keras-imdb"
    class_names = ("negative", "positive")
    example_kind = "text"
    unknown_id = UNKNOWN

    def __init__(self, folder: Path, is_sample: bool = False) -> None:
        """Map and check the files of ``folder`` or, where it has none, of ``folder/keras-imdb``.

        Raises:
          InputError: a file cannot be used; see ``keras_files.load_files``.
        """
        below = Path(folder) / FOLDER
        found = holds_reviews(Path(folder)) or not below.is_dir()
        self.folder, self.is_sample = Path(folder) if found else below, is_sample
        self.files = load_files(self.folder)
        self.reading = Reading(vocabulary=min(VOCABULARY, self.files.known))
        self.use = KerasUse()
        self._index: Optional[Dict[bytes, int]] = None

    def with_settings(self, settings: Mapping[str, Any]) -> "KerasImdbDataset":
        """The same data read as a recipe's settings say; settings that are not named stay.

        Raises:
          InputError: a vocabulary larger than the data's, or word vectors that are not there.
        """
        view = copy.copy(self)
        view.reading = self.reading._replace(**_chosen(settings, Reading._fields))
        view.use = self.use._replace(**_chosen(settings, KerasUse._fields))
        if not view.reading.vocabulary:
            view.reading = view.reading._replace(vocabulary=self._default_vocabulary())
        view._check()
        return view

    def split_names(self) -> Tuple[str, ...]:
        """``validation`` where training reviews are held out, ``test``, ``train``."""
        return (("validation",) if self.use.held_out else ()) + ("test", "train")

    def split(self, name: str) -> Split:
        """Every review of a split once, inputs int32 ``[reviews, steps]``; labels 0 negative, 1 positive."""
        reviews, rows = self._store_and_rows(name)
        read = [reviews.review(row) for row in rows.tolist()]
        of = "test" if name == "test" else "training"
        note = f"{len(rows):,} of the {len(reviews.labels):,} {of} reviews, {self._how_read()}"
        return Split(name, self.reading.rows(read, self.reading.steps), reviews.labels[rows], note)

    def train_sampler(self, kind: str, batch_size: int, seed: int) -> ReviewSampler:
        """Training batches in epochs, in the order that ``batch_order`` says; both kinds are the same."""
        sampler = SimilarLengthSampler if self.use.batch_order == "similar-length" else ReviewSampler
        reviews, rows = self._store_and_rows("train")
        dropped = self.use.drop_remainder
        return sampler(reviews, rows, self.reading, batch_size, seed, "keras-imdb train", dropped)

    def test_sampler(self, kind: str, batch_size: int, seed: int) -> ReviewSampler:
        """Batches of test reviews in shuffled epochs; the last of an epoch may be shorter."""
        reviews, rows = self._store_and_rows("test")
        return ReviewSampler(reviews, rows, self.reading, batch_size, seed, "keras-imdb test")

    def audit(self, kind: str, batch_size: int) -> List[AuditFinding]:
        """Reviews left out by an epoch, reviews in two splits, and what the epochs' figures rest on."""
        reviews, rows = self._store_and_rows("train")
        sampler = self.train_sampler(kind, batch_size, AUDIT_SEED)
        findings = audit_epoch(sampler, rows)
        stores = {name: self._store_and_rows(name) for name in self.split_names() if name != "train"}
        for name, (store, others) in stores.items():
            findings.append(shared_reviews(name, store, others, reviews, rows))
        if self.use.validation == "test":
            findings.append(measured_on_test(self._store_and_rows("test")[1]))
        return findings

    def constants(self) -> Mapping[str, np.ndarray]:
        """``word_vectors``, float32 ``[vocabulary, dimensions]``, by id; none for a trained embedding."""
        if self.use.embedding == "trained" or (not self.use.embedding and self.files.vectors is None):
            return {}
        return {"word_vectors": self._vectors()[: self.reading.vocabulary]}

    def hashes(self) -> Dict[str, str]:
        """SHA-256 of each array's bytes, without the ``.npy`` header, by file name."""
        arrays = {WORDS_FILE: self.files.words, VECTORS_FILE: self.files.vectors}
        for split, reviews in (("train", self.files.train), ("test", self.files.test)):
            arrays.update(zip(review_files(split), reviews))
        return {name: sha256_of_array(array) for name, array in arrays.items() if array is not None}

    def render(self, inputs: np.ndarray) -> str:
        """The words of a row of ids, without padding; ids where there is no word list."""
        return rendered(inputs, self.files.words)

    def encode(self, items: Sequence[Any], names: Sequence[str]) -> List[Example]:
        """Texts (str, or a file's bytes) to rows of ids, in the same order; see ``keras_texts``."""
        if self.files.words is None:
            raise InputError(
                f"{self.folder / WORDS_FILE}: no such file; expected the words, to find the ids of a text "
                "(`tf1-lstm prepare keras-imdb --word-index FILE` writes it)"
            )
        if self._index is None:
            self._index = word_ids(self.files.words.tolist())
        return [encode_text(item, name, self._index, self.reading) for item, name in zip(items, names)]

    def _check(self) -> None:
        if self.use.embedding not in ("", "trained"):
            largest, which = len(self._vectors()), "ids with a word vector"
        else:
            largest, which = self.files.known, "ids in the data"
        if not 4 < self.reading.vocabulary <= largest:
            raise InputError(
                f"setting vocabulary: found {self.reading.vocabulary:,}, expected 5 to {largest:,}, "
                f"the {which} ({self.folder})"
            )

    def _default_vocabulary(self) -> int:
        vectors = self.files.vectors
        return min(VOCABULARY, self.files.known) if vectors is None else len(vectors)

    def _vectors(self) -> np.ndarray:
        if self.files.vectors is None:
            raise InputError(
                f"{self.folder / VECTORS_FILE}: no such file; expected word vectors for "
                f"embedding={self.use.embedding} (`tf1-lstm prepare keras-imdb --glove FILE` writes them)"
            )
        return self.files.vectors

    def _store_and_rows(self, name: str) -> Tuple[Reviews, np.ndarray]:
        if name not in self.split_names():
            raise InputError(f"--split: found {name!r}, expected one of {', '.join(self.split_names())}")
        if name == "test":
            return self.files.test, np.arange(len(self.files.test.labels))
        count = len(self.files.train.labels)
        # As Keras's validation_split: the last share, cut off before anything is shuffled.
        trained = int(count * (1.0 - self.use.held_out))
        rows = np.arange(trained) if name == "train" else np.arange(trained, count)
        if not len(rows):
            raise InputError(
                f"setting held_out: found {self.use.held_out}, expected a share that leaves reviews for "
                f"training and validation of {count:,}"
            )
        return self.files.train, rows

    def _how_read(self) -> str:
        end = "last" if (self.reading.cutting or self.reading.padding) == "front" else "first"
        return f"the {end} {self.reading.steps} words of each, {self.reading.vocabulary:,} ids"


def _chosen(settings: Mapping[str, Any], names: Sequence[str]) -> Dict[str, Any]:
    return {name: settings[name] for name in names if name in settings}
