"""TensorFlow 1's Adam in NumPy, and how far rounding alone may move it."""

from dataclasses import dataclass
from typing import Callable, Dict, List, Mapping

import numpy as np

Arrays = Dict[str, np.ndarray]


@dataclass(frozen=True)
class Adam:
    """TensorFlow 1's Adam, and how ports differ from it.

    Attributes:
      learning_rate: step size.
      beta1: decay of the mean gradient.
      beta2: decay of the mean squared gradient.
      epsilon: added to the root of the *uncorrected* second moment ("epsilon hat" in Kingma and
        Ba, 2014, end of section 2) where ``epsilon_hat``, else to that of the corrected one.
      epsilon_hat: TensorFlow's and Keras's form; PyTorch's is the other.
    """

    learning_rate: float = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    epsilon_hat: bool = True


def adam_steps(
    adam: Adam,
    weights: Mapping[str, np.ndarray],
    gradient_of: Callable[[Arrays], Arrays],
    count: int = 3,
    factor: Callable[[str], float] = lambda role: 1.0,
) -> List[Arrays]:
    """Return the weights after 1, 2, … ``count`` steps from fresh slots.

    Args:
      adam: the optimizer.
      weights: role -> array to start from.
      gradient_of: weights -> gradients, both by role.
      count: how many steps.
      factor: role -> how many times the step is applied (2 for a bias that is trained twice).

    Source: ``ApplyAdam`` of TensorFlow 1.15.
    """
    current = dict(weights)
    mean = {role: np.zeros_like(array) for role, array in weights.items()}
    square = {role: np.zeros_like(array) for role, array in weights.items()}
    found: List[Arrays] = []
    for step in range(1, count + 1):
        grads = gradient_of(current)
        correction = np.sqrt(1 - adam.beta2**step)
        rate = adam.learning_rate * correction / (1 - adam.beta1**step)
        epsilon = adam.epsilon if adam.epsilon_hat else adam.epsilon * correction
        following: Arrays = {}
        for role, array in current.items():
            mean[role] = adam.beta1 * mean[role] + (1 - adam.beta1) * grads[role]
            square[role] = adam.beta2 * square[role] + (1 - adam.beta2) * grads[role] ** 2
            move = rate * mean[role] / (np.sqrt(square[role]) + epsilon)
            following[role] = (array - move * factor(role)).astype(array.dtype, copy=False)
        current = following
        found.append(current)
    return found


def adam_allowance(
    adam: Adam, gradients: Mapping[str, np.ndarray], seen: Mapping[str, np.ndarray], step: int, most: float
) -> Arrays:
    """Return how far rounding alone may move each weight in ``step`` steps, by role.

    Adam divides a gradient by its own size, so where a gradient is hardly more than its rounding error,
    the error becomes a whole step. The error is taken from the gradients themselves, for each weight:
    four times its own, and at least a tenth of the array's typical one, since later steps draw anew.

    Args:
      adam: the optimizer.
      gradients: the right ones.
      seen: the port's, by the same roles; a role that is missing gets no allowance.
      step: how many steps were made.
      most: gradients that differ by more than this are wrong, not rounded; it bounds the error.
    """
    epsilon = adam.epsilon / np.sqrt(1 - adam.beta2)
    found: Arrays = {}
    for role, gradient in gradients.items():
        if role in seen and seen[role].shape == gradient.shape and gradient.size:
            difference = np.minimum(most, np.abs(seen[role] - gradient))
            error = np.maximum(4 * difference, 0.1 * np.sqrt((difference**2).mean()))
            share = np.minimum(2.0, error / (np.abs(gradient) + epsilon))
            found[role] = step * adam.learning_rate * share
    return found
