"""What training any port needs of its framework, the same for Keras and PyTorch."""

import abc

import numpy as np


class PortTrainer(abc.ABC):
    """A port in training: its own dropout, its own optimizer and loss where it has them, else the recipe's."""

    @abc.abstractmethod
    def redraw(self) -> None:
        """Give every trained weight a new initial value, as the framework draws it. Raises TargetError."""

    @abc.abstractmethod
    def train(self, inputs: np.ndarray, labels: np.ndarray) -> float:
        """Move the weights by one batch with dropout on; returns the loss before.

        Args:
          inputs: as the bundle's.
          labels: likewise, ``[batch, classes]`` one-hot, ``[batch, steps, classes]``, or numbers.
        """
