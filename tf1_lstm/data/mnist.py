"""MNIST read row by row: four IDX files as splits, samplers and an audit of the published batches."""

from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from tf1_lstm.data.base import AuditFinding, Dataset, Example, Split
from tf1_lstm.data.epochs import ShuffledEpochs
from tf1_lstm.data.idx import IdxFile, check_pair, read_images, read_labels
from tf1_lstm.data.mnist_batches import EndToEndSampler, ImageSampler, Store, WholePassSampler, to_inputs
from tf1_lstm.errors import InputError

SPLITS = ("test", "validation", "train")
STEMS = ("train-images", "train-labels", "t10k-images", "t10k-labels")
VALIDATION_SHARE = 5000 / 60000  # TensorFlow's tutorial loader holds out the first 5,000 of 60,000

# The document's loop (notes on RNN and LSTM, section 3), for the audit.
TRAINED_IMAGES = 100_000
PRINTED_EVERY = 20
AUDIT_SEED = 1


class MnistDataset(Dataset):
    """MNIST (or other digits in its four files) as sequences of 28 rows of 28 pixels.

    The splits are those of TensorFlow's tutorial loader: the first 5,000 of the 60,000 training
    images are ``validation``, the others ``train``; smaller sets are cut in the same proportion.

    Attributes:
      is_mnist: whether all files read have the content of MNIST's own.
    """

    name = "mnist-rows"
    class_names = tuple("0123456789")
    example_kind = "image"

    def __init__(self, folder: Path, is_sample: bool) -> None:
        """Read and check the files of ``folder`` or, where it has none, of ``folder/mnist``.

        ``train-images``, ``train-labels``, ``t10k-images`` and ``t10k-labels``, each followed by
        ``-idx3-ubyte`` or ``-idx1-ubyte`` (``.`` for the first ``-`` is accepted), with or without
        ``.gz``. Either pair may be missing; its splits then are.

        Raises:
          InputError: no pair at all, half a pair, or a file that ``data.idx`` refuses.
        """
        self.folder, self.is_sample = _folder_with_files(Path(folder)), is_sample
        self._files: Dict[str, IdxFile] = {}
        self._train = self._read_pair("train")
        self._test = self._read_pair("t10k")
        if not self._files:
            expected = ", ".join(f"{stem}-{_ending(stem)}.gz" for stem in STEMS)
            raise InputError(f"{folder}: found no MNIST files, expected {expected} there or in mnist/")
        self.is_mnist = all(content.mnist is not None for content in self._files.values())

    def split_names(self) -> Tuple[str, ...]:
        """Those of ``test``, ``validation`` and ``train`` that the files allow."""
        return tuple(name for name in SPLITS if self._rows_of(name) is not None)

    def split(self, name: str) -> Split:
        """One split with inputs ``[examples, 28, 28]`` float32. Raises InputError where there is none."""
        store, rows = self._store_and_rows(name)
        chosen = slice(int(rows[0]), int(rows[-1]) + 1)  # every split is a run of rows
        kind = "test" if name == "test" else "training"
        note = f"{len(rows):,} of the {len(store.images):,} {kind} images of {self._whose()}"
        return Split(name, to_inputs(store.images[chosen]), store.labels[chosen].astype(np.int64), note)

    def train_sampler(self, kind: str, batch_size: int, seed: int) -> ImageSampler:
        """Training batches: shuffled anew each epoch. There is nothing to correct in them."""
        store, rows = self._store_and_rows("train")
        return EndToEndSampler(store, ShuffledEpochs(rows, seed, "mnist train"), batch_size)

    def test_sampler(self, kind: str, batch_size: int, seed: int) -> ImageSampler:
        """Batches of test images: from the epoch-wise stream, or (corrected) whole passes.

        The last batch of a corrected pass is shorter where the sizes do not divide.
        """
        store, rows = self._store_and_rows("test")
        sampler = WholePassSampler if kind == "corrected" else EndToEndSampler
        return sampler(store, ShuffledEpochs(rows, seed, "mnist test"), batch_size)

    def audit(self, kind: str, batch_size: int) -> List[AuditFinding]:
        """What the printed figures rest on, and which images the training uses.

        Computed from the samplers' rows with seed 1, over the document's 100,000 images. Findings
        about files that are missing are left out.
        """
        steps = -(-TRAINED_IMAGES // batch_size)
        findings: List[AuditFinding] = []
        if self._train is not None and self._test is not None:
            findings.append(self._shared_images(self._train, self._test))
        if self._test is not None:
            test = self.test_sampler(kind, batch_size, AUDIT_SEED)
            images = len(self._test.images)
            if kind == "corrected":
                findings += _audit_pass(test, images, -(-images // batch_size))
            else:
                findings += _audit_printed(test, images, steps)
        if "train" in self.split_names():
            train = self.train_sampler(kind, batch_size, AUDIT_SEED)
            findings += self._audit_training(train, steps)
        return findings

    def constants(self) -> Mapping[str, np.ndarray]:
        """None: the graph is fed everything it needs."""
        return {}

    def hashes(self) -> Dict[str, str]:
        """File name -> SHA-256 of its unpacked content."""
        return {content.path.name: content.sha256 for content in self._files.values()}

    def render(self, inputs: np.ndarray) -> np.ndarray:
        """The image itself: float32 ``[28, 28]``, 0 (black) to 1."""
        return inputs

    def encode(self, items: Sequence[Any], names: Sequence[str]) -> List[Example]:
        """Paths of pictures to examples; an array file of n images gives n examples.

        A file that cannot be used gives one example with the reason in ``refused``.
        """
        from tf1_lstm.data.images import read_pictures  # the ports' Python, which trains, has no Pillow

        return [example for path, name in zip(items, names) for example in read_pictures(Path(path), name)]

    def _read_pair(self, which: str) -> Optional[Store]:
        found = [_find(self.folder, f"{which}-{part}") for part in ("images", "labels")]
        if found == [None, None]:
            return None
        # Of half a pair, reading the missing file says what is missing.
        images_path, labels_path = (
            path or self.folder / f"{stem}-{_ending(stem)}.gz"
            for path, stem in zip(found, (f"{which}-images", f"{which}-labels"))
        )
        images, labels = read_images(images_path), read_labels(labels_path)
        check_pair(images, labels)
        for stem, content in ((f"{which}-images", images), (f"{which}-labels", labels)):
            if content.mnist not in (None, stem):
                # Test images under the training files' name would leak without a word.
                raise InputError(
                    f"{content.path}: found the content of MNIST's {content.mnist}, expected {stem}"
                )
            self._files[stem] = content
        return Store(images.array, labels.array)

    def _rows_of(self, name: str) -> Optional[np.ndarray]:
        store = self._test if name == "test" else self._train
        if store is None:
            return None
        count = len(store.images)
        held_out = round(count * VALIDATION_SHARE)
        first, last = {"test": (0, count), "validation": (0, held_out), "train": (held_out, count)}[name]
        return np.arange(first, last) if last > first else None

    def _store_and_rows(self, name: str) -> Tuple[Store, np.ndarray]:
        rows = self._rows_of(name) if name in SPLITS else None
        store = self._test if name == "test" else self._train
        if rows is None or store is None:
            found = ", ".join(self.split_names())
            raise InputError(f"{self.folder}: split {name!r} not found, expected one of {found}")
        return store, rows

    def _whose(self) -> str:
        if self.is_sample:
            return "the embedded sample (UCI digits, not MNIST)"
        return "MNIST" if self.is_mnist else f"{self.folder} (not MNIST)"

    def _shared_images(self, train: Store, test: Store) -> AuditFinding:
        known = {image.tobytes() for image in train.images}
        both = [row for row, image in enumerate(test.images) if image.tobytes() in known]
        return AuditFinding.of(
            "test images that are training images too",
            np.array(both, np.int64),
            f"Compared pixel by pixel, {len(test.images):,} with {len(train.images):,} images.",
        )

    def _audit_training(self, sampler: ImageSampler, steps: int) -> List[AuditFinding]:
        store, rows = self._store_and_rows("train")
        drawn = np.concatenate([sampler.rows(step) for step in range(steps)])
        uses = np.bincount(drawn, minlength=len(store.images))[rows]
        findings = [
            AuditFinding.of(
                f"training images never used in {steps:,} steps",
                rows[uses == 0],
                f"{len(drawn):,} images are drawn from {len(rows):,}: {len(drawn) / len(rows):.2f} epochs.",
            ),
            AuditFinding.of(
                "training images used more often than others",
                rows[uses > uses.min()],
                f"An image is used {uses.min()} to {uses.max()} times: the training ends within an epoch.",
            ),
        ]
        if "validation" in self.split_names():
            held_out = np.setdiff1d(self._store_and_rows("validation")[1], drawn)
            findings.append(
                AuditFinding.of(
                    "validation images outside the training",
                    held_out,
                    "The loader holds them out, and the document never looks at them.",
                )
            )
        return findings


def _audit_printed(sampler: ImageSampler, images: int, steps: int) -> List[AuditFinding]:
    """The document's printed figures: one batch of test images each."""
    printed = [sampler.rows(step) for step in range(0, steps, PRINTED_EVERY)]
    # The document draws a test batch in every step and prints few of them; the last figure is one more.
    final = np.unique(sampler.rows(steps))
    points = 100 * 1.96 * np.sqrt(0.96 * 0.04 / len(final))
    unseen = np.setdiff1d(np.arange(images), np.concatenate([*printed, final]))
    return [
        AuditFinding.of(
            "test images behind the first 'Train set accuracy'",
            np.unique(printed[0]),
            f"The document prints {len(printed)} such lines as the training's accuracy, each from "
            f"{len(printed[0])} test images.",
        ),
        AuditFinding.of(
            "test images behind the 'Test set accuracy'",
            final,
            f"{len(final) / images:.1%} of {images:,}: at 96 % right, chance alone moves it by "
            f"{points:.1f} points either way (95 % interval).",
        ),
        AuditFinding.of(
            "test images behind no printed figure",
            unseen,
            f"Neither in the {len(printed)} lines nor in the final figure.",
        ),
    ]


def _audit_pass(sampler: ImageSampler, images: int, batches: int) -> List[AuditFinding]:
    """The corrected test batches: one pass over all of the test images."""
    uses = np.bincount(np.concatenate([sampler.rows(step) for step in range(batches)]), minlength=images)
    meaning = f"A pass is {batches} batches over the {images:,} test images."
    return [
        AuditFinding.of("test images left out by a pass of test batches", np.flatnonzero(uses == 0), meaning),
        AuditFinding.of(
            "test images used twice in a pass of test batches", np.flatnonzero(uses > 1), meaning
        ),
    ]


def _folder_with_files(folder: Path) -> Path:
    """``folder`` itself or, where it holds none of the four files, ``folder/mnist``."""
    return next(
        (place for place in (folder, folder / "mnist") if any(_find(place, stem) for stem in STEMS)), folder
    )


def _find(folder: Path, stem: str) -> Optional[Path]:
    """The file of that stem (``train-images``) under one of its usual names, or None."""
    names = (f"{stem}{dot}{_ending(stem)}{wrapping}" for dot in "-." for wrapping in (".gz", ""))
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _ending(stem: str) -> str:
    return "idx3-ubyte" if stem.endswith("images") else "idx1-ubyte"
