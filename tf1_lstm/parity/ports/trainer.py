"""What the training of a port needs of a framework, the same for Keras and PyTorch."""

import abc
import os
from typing import Any, Mapping, NamedTuple, Optional

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
    """A port with its framework's own first values, the published optimizer and dropout.

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


def make_trainer(
    recipe: str, settings: Mapping[str, Any], table: Optional[np.ndarray], seed: int, threads: int
) -> Trainer:
    """Return the trainer of a recipe, in the framework in which it was published.

    Args:
      recipe: its name; one that was published with a sigmoid.
      settings: the recipe's.
      table: word vectors ``[words, dimensions]`` float32 where its embedding needs them, else None.
      seed: of first values and dropout.
      threads: of the framework; 0 lets it decide.
    """
    if settings["optimizer"] == "pytorch-adam":
        from tf1_lstm.parity.ports.torch_trainer import TorchTrainer

        assert table is not None
        return TorchTrainer(settings, table, seed, threads)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow reports that it found no GPU.
    from tf1_lstm.parity.ports.keras_trainer import KerasTrainer

    return KerasTrainer(recipe, settings, table, seed, threads)
