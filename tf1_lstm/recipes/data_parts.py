"""Which data an experiment is trained on, and how they are read, as parts."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Optional

from tf1_lstm.core.parts import Part, setting
from tf1_lstm.errors import InputError

SAMPLERS = ("published", "corrected")


@dataclass(frozen=True)
class Data(Part):
    """A data set, as an experiment reads it.

    Attributes:
      dataset: its name in ``data.registry``; empty for data of one's own, which opens itself.
      ids: whether its examples are ids, or rows of numbers; None where the files decide.
      streams: whether each batch goes on where the one before it ended.
    """

    abstract = True
    dataset: ClassVar[str] = ""
    ids: ClassVar[Optional[bool]] = None
    streams: ClassVar[bool] = False

    @property
    def any_steps(self) -> bool:
        """Whether a batch is as long as its longest example."""
        return False

    def check_use(self, schedule: Any, inputs: Any, head: Any) -> None:
        """Refuse a schedule, inputs or head that these data cannot serve; raises InputError."""

    def located(self, folder: Path) -> "Data":
        """The same data with relative paths made those below ``folder``, a file's own."""
        return self


@dataclass(frozen=True)
class TutorialImdb(Data):
    """The IMDB tutorial's files: ``wordsList.npy``, ``wordVectors.npy``, ``idsMatrix.npy``."""

    dataset = "imdb-ids"
    ids = True

    steps: int = setting("words of a review, as the files have them", 250, low=1, flat="steps")
    sampler: str = setting(
        "the document's own batches and split, mistakes included, or the same without them",
        "published",
        choices=SAMPLERS,
        flat="sampler",
    )

    def check_use(self, schedule: Any, inputs: Any, head: Any) -> None:
        """Its batches are drawn without end, so they have no epochs."""
        if hasattr(schedule, "epochs"):
            raise InputError(
                "setting schedule: found Epochs with data=TutorialImdb, whose batches have none, expected Steps"
            )
        _check_classes(head, 2, "TutorialImdb")


@dataclass(frozen=True)
class KerasImdb(Data):
    """The IMDB reviews as ``keras.datasets.imdb`` has them (``prepare keras-imdb``)."""

    dataset = "keras-imdb"
    ids = True

    steps: int = setting("words of a review", low=1, high=1_000_000, flat="steps")
    words: int = setting(
        "the most frequent words that have an id of their own, three ids for padding, start and unknown "
        "included; 0 takes as many as have a word vector",
        10_000,
        low=0,
        high=100_000_000,
        flat="vocabulary",
    )
    padding: str = setting(
        "the end at which a short review is padded", "front", choices=("front", "back"), flat="padding"
    )
    cutting: str = setting("the end at which a long review is cut", "front", choices=("front", "back"))
    whole_length: bool = setting(
        "a batch is as long as its longest review, up to ``steps``", False, flat="any_steps"
    )
    held_out: float = setting(
        "share of the training reviews, the last ones, that becomes the split ``validation``",
        0.0,
        low=0,
        below=1,
        flat="held_out",
    )
    batch_order: str = setting(
        "shuffled, or batches that hold reviews of about one length",
        "shuffled",
        choices=("shuffled", "similar-length"),
        flat="batch_order",
    )

    @property
    def any_steps(self) -> bool:
        """Whether a batch is as long as its longest review."""
        return self.whole_length

    def check_use(self, schedule: Any, inputs: Any, head: Any) -> None:
        """A batch of any length fits no graph of a fixed batch; a split that is held out is there."""
        if self.whole_length and getattr(schedule, "fixed_batch", False):
            raise InputError(
                "setting schedule.fixed_batch: found true with data.whole_length, expected false"
            )
        validation = getattr(schedule, "validation", "")
        splits = ("validation", "test", "train") if self.held_out else ("test", "train")
        if validation and validation not in splits:
            raise InputError(
                f"setting schedule.validation: found {validation!r}, expected one of {', '.join(splits)}"
                + ("" if self.held_out else " (data.held_out above 0 makes a split validation)")
            )
        _check_classes(head, 2, "KerasImdb")


@dataclass(frozen=True)
class MnistRows(Data):
    """MNIST row by row: an image is 28 steps of 28 pixels, each between 0 and 1."""

    dataset = "mnist-rows"
    ids = False

    sampler: str = setting(
        "the document's own batches, or whole passes over the 60,000 images",
        "published",
        choices=SAMPLERS,
        flat="sampler",
    )
    steps: ClassVar[int] = 28

    @property
    def full_batches(self) -> bool:
        """Whether every batch has as many images as any other; the last of a corrected pass has fewer."""
        return self.sampler == "published"

    def check_use(self, schedule: Any, inputs: Any, head: Any) -> None:
        """Rows of 28 pixels, ten digits."""
        if getattr(inputs, "width", 28) != 28:
            raise InputError(f"setting inputs.width: found {inputs.width}, expected 28, the pixels of a row")
        if hasattr(schedule, "epochs"):
            raise InputError("setting schedule: found Epochs with data=MnistRows, expected Steps")
        _check_classes(head, 10, "MnistRows")


def _check_classes(head: Any, classes: int, data: str) -> None:
    if head.task != "classes" or head.columns != classes:
        found = f"{head.columns} classes" if head.task == "classes" else type(head).__name__
        raise InputError(f"setting head: found {found} with data={data}, expected {classes} classes")


@dataclass(frozen=True)
class NoData(Data):
    """No data: those of a model that was adopted from a checkpoint. Put your own in its place."""

    dataset = "none"

    steps: int = setting("steps of an example; 0 for any number", 0, low=0, high=1_000_000, flat="steps")
    vectors: str = setting(
        "a .npy of word vectors, float32 [words, width], for FrozenVectors; relative to the experiment's "
        "file; empty for none",
        "",
    )

    @property
    def any_steps(self) -> bool:
        """Whether an example may have any number of steps."""
        return not self.steps

    def located(self, folder: Path) -> "NoData":
        """The same with the file of vectors below ``folder``."""
        return dataclasses.replace(self, vectors=str(folder / self.vectors)) if self.vectors else self
