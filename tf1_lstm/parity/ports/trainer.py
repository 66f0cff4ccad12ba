"""The trainer of a recipe's port, in the framework in which it was published."""

import os
from typing import Any, Mapping, Optional

import numpy as np

from tf1_lstm.parity.ports.base import Trainer


def make_trainer(
    recipe: str, settings: Mapping[str, Any], table: Optional[np.ndarray], seed: int, threads: int
) -> Trainer:
    """Return the trainer of a recipe, in the framework in which it was published.

    Args:
      recipe: its name; one that was published with a sigmoid.
      settings: the recipe's.
      table: word vectors ``[words, dimensions]`` float32 where its embedding needs them, else None.
      seed: of initial values and dropout.
      threads: of the framework; 0 lets it decide.
    """
    if settings["optimizer"] == "pytorch-adam":
        from tf1_lstm.parity.ports.torch_trainer import TorchTrainer

        assert table is not None
        return TorchTrainer(settings, table, seed, threads)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow reports that it found no GPU.
    from tf1_lstm.parity.ports.keras_trainer import KerasTrainer

    return KerasTrainer(recipe, settings, table, seed, threads)
