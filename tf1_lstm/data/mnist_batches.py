"""Batches of images, cut from shuffled epochs as TensorFlow's tutorial loader cuts them."""

import abc
from typing import NamedTuple

import numpy as np

from tf1_lstm.data.base import Batch, Sampler
from tf1_lstm.data.epochs import ShuffledEpochs
from tf1_lstm.data.idx import CLASSES


def to_inputs(pixels: np.ndarray) -> np.ndarray:
    """Pixels as the network is fed them: float32, from 0 to 1.

    Bit for bit what TensorFlow's tutorial loader does: a cast to float32, then a product with
    1/255 (not a division by 255, whose last bit differs for some values).

    Args:
      pixels: uint8, any shape.
    """
    return np.multiply(pixels.astype(np.float32), np.float32(1.0 / 255.0))


class Store(NamedTuple):
    """Images and labels of one pair of files.

    Attributes:
      images: uint8 ``[n, 28, 28]``.
      labels: uint8 ``[n]``.
    """

    images: np.ndarray
    labels: np.ndarray


class ImageSampler(Sampler):
    """Batches of ``batch_size`` images from a stream of epochs over some rows of a store."""

    def __init__(self, store: Store, epochs: ShuffledEpochs, batch_size: int) -> None:
        """Take rows of ``store`` in the order of ``epochs``."""
        self._store, self._epochs, self._batch_size = store, epochs, batch_size

    def batch(self, step: int) -> Batch:
        """The batch of iteration ``step`` (from 0), its inputs ``[batch, 28, 28]``."""
        rows = self.rows(step)
        return Batch(to_inputs(self._store.images[rows]), one_hot(self._store.labels[rows]), rows)

    @abc.abstractmethod
    def rows(self, step: int) -> np.ndarray:
        """That batch's rows alone, int64 ``[batch]``."""


class EndToEndSampler(ImageSampler):
    """Batches end to end: one may begin in one epoch and end in the next, as the loader's do."""

    def rows(self, step: int) -> np.ndarray:
        """Always ``batch_size`` rows."""
        return self._epochs.take(step * self._batch_size, self._batch_size)


class WholePassSampler(ImageSampler):
    """Batches without replacement: a pass gives every row exactly once, its last batch may be shorter."""

    def rows(self, step: int) -> np.ndarray:
        """Up to ``batch_size`` rows."""
        size = len(self._epochs)
        epoch, index = divmod(step, -(-size // self._batch_size))
        start = index * self._batch_size
        return self._epochs.take(epoch * size + start, min(self._batch_size, size - start))


def one_hot(labels: np.ndarray) -> np.ndarray:
    """Class numbers ``[n]`` as float32 ``[n, 10]``."""
    return np.eye(CLASSES, dtype=np.float32)[labels]
