"""What the training of a port needs of a framework, the same for Keras and PyTorch."""

import abc
from typing import Any, Mapping, NamedTuple

import numpy as np


class Step(NamedTuple):
    """One iteration, as the model was before its update and with dropout on.

    Attributes:
      loss: mean over the batch.
      correct: reviews whose class was right.
      reviews: how many there were.
    """

    loss: float
    correct: int
    reviews: int


class Trainer(abc.ABC):
    """A port with its framework's own initial values, the published optimizer and dropout.

    Attributes:
      framework: name and version of each package that computes.
      model: the framework's object.
    """

    framework: Mapping[str, str]
    model: Any

    @abc.abstractmethod
    def train(self, inputs: np.ndarray, classes: np.ndarray) -> Step:
        """Train on one batch: ids ``[batch, steps]`` int32, class numbers ``[batch]`` int64."""

    @abc.abstractmethod
    def logits(self, inputs: np.ndarray) -> np.ndarray:
        """Return the logit of each review, ``[batch]`` float32, with dropout off."""
