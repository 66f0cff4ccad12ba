"""The optimizers of the recipes in NumPy."""

import abc
import math
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Mapping, Tuple

import numpy as np

Arrays = Dict[str, np.ndarray]
Slots = Tuple[np.ndarray, ...]
EMBEDDING = "embedding"


@dataclass(frozen=True)
class UpdateRule(abc.ABC):
    """How a weight moves by its gradients.

    Attributes:
      learning_rate: step size.
      weight_decay: this share of each weight is added to its gradient.
      decoupled_decay: the learning rate times this share of each weight is taken from it besides.
      clip: gradients are clipped: ``"global norm"``, ``"norm"`` (of each array) or ``"value"``; "" for not.
      clip_at: the largest norm or value.
      held: (role, first, last, amount): Keras and PyTorch keep the forget bias in the bias, so that it decays
        too; the amount stands there besides what the weights say.
    """

    learning_rate: float = 0.001
    weight_decay: float = 0.0
    decoupled_decay: float = 0.0
    clip: str = ""
    clip_at: float = 0.0
    held: Tuple[Tuple[str, int, int, float], ...] = ()

    def taken(self, gradients: Mapping[str, np.ndarray], weights: Mapping[str, np.ndarray]) -> Arrays:
        """Return the gradients as a step takes them: clipped, and with the weights' decay."""
        found = dict(gradients)
        if self.clip == "value":
            found = {role: np.clip(g, -self.clip_at, self.clip_at) for role, g in found.items()}
        elif self.clip:
            norms = {role: float(np.sqrt((g**2).sum())) for role, g in found.items()}
            if self.clip == "global norm":
                norms = dict.fromkeys(norms, math.sqrt(sum(norm**2 for norm in norms.values())))
            found = {role: g * min(1.0, self.clip_at / max(norms[role], 1e-30)) for role, g in found.items()}
        if self.weight_decay:
            found = {
                role: g + self.weight_decay * self._kept(role, weights[role]) for role, g in found.items()
            }
        return found

    def decayed(self, role: str, weight: np.ndarray) -> np.ndarray:
        """Return what decoupled decay leaves of a weight."""
        if not self.decoupled_decay:
            return weight
        return weight - self.learning_rate * self.decoupled_decay * self._kept(role, weight)

    def _kept(self, role: str, weight: np.ndarray) -> np.ndarray:
        """Return a weight as a port keeps it."""
        found = weight
        for name, first, last, amount in self.held:
            if name == role:
                found = np.array(found)
                found[first:last] += amount
        return found

    @abc.abstractmethod
    def slots(self, array: np.ndarray) -> Slots:
        """Return what is remembered of a weight before the first step."""

    @abc.abstractmethod
    def move(self, slots: Slots, gradient: np.ndarray, step: int) -> Tuple[np.ndarray, Slots]:
        """Return what step ``step`` (from 1) takes from a weight, and the slots after it."""

    @property
    @abc.abstractmethod
    def longest_step(self) -> float:
        """How far the first step moves a weight whose gradient is large."""

    @abc.abstractmethod
    def sensitivity(self, slots: Slots, step: int) -> np.ndarray:
        """Return how far an error of its gradient moves a weight in step ``step``, in units of the error.

        Args:
          slots: after the step.
          step: from 1.
        """

    @abc.abstractmethod
    def document(self) -> Dict[str, Any]:
        """Return its name and settings as a bundle holds them."""


@dataclass(frozen=True)
class GradientDescent(UpdateRule):
    """Plain gradient descent: ``tf.train.GradientDescentOptimizer``, ``torch.optim.SGD``, Keras's ``SGD``."""

    def slots(self, array: np.ndarray) -> Slots:
        """Return nothing."""
        return ()

    def move(self, slots: Slots, gradient: np.ndarray, step: int) -> Tuple[np.ndarray, Slots]:
        """Return what a step takes from a weight."""
        return self.learning_rate * gradient, ()

    def sensitivity(self, slots: Slots, step: int) -> np.ndarray:
        """Return the learning rate."""
        return np.asarray(self.learning_rate)

    @property
    def longest_step(self) -> float:
        """There is none."""
        return math.inf

    def document(self) -> Dict[str, Any]:
        """Return its name and settings."""
        return {"name": "GradientDescent", "learning_rate": self.learning_rate}


@dataclass(frozen=True)
class AdamRule(UpdateRule):
    """Adam, in TensorFlow's form or in PyTorch's.

    Attributes:
      beta1: decay of the mean gradient.
      beta2: decay of the mean squared gradient.
      epsilon: added to the root of the *uncorrected* second moment ("epsilon hat" in Kingma and
        Ba, 2014, end of section 2) where ``epsilon_hat``, else to that of the corrected one.
      epsilon_hat: TensorFlow's and Keras's form; PyTorch's is the other.

    Source: ``ApplyAdam`` of TensorFlow 1.15; ``torch.optim.Adam``.
    """

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    epsilon_hat: bool = True

    def slots(self, array: np.ndarray) -> Slots:
        """Return the mean gradient and the mean squared gradient: zeros."""
        return np.zeros_like(array), np.zeros_like(array)

    def move(self, slots: Slots, gradient: np.ndarray, step: int) -> Tuple[np.ndarray, Slots]:
        """Return what a step takes from a weight, and the slots after it."""
        mean = self.beta1 * slots[0] + (1 - self.beta1) * gradient
        square = self.beta2 * slots[1] + (1 - self.beta2) * gradient**2
        rate, epsilon = self._corrected(step)
        return rate * mean / (np.sqrt(square) + epsilon), (mean, square)

    def sensitivity(self, slots: Slots, step: int) -> np.ndarray:
        """Return how far an error of its gradient moves a weight."""
        rate, epsilon = self._corrected(step)
        return rate * (1 - self.beta1) / (np.sqrt(slots[1]) + epsilon)

    def _corrected(self, step: int) -> Tuple[float, float]:
        """Return learning rate and epsilon for the moments as they are, bias correction included."""
        correction = math.sqrt(1 - self.beta2**step)
        rate = self.learning_rate * correction / (1 - self.beta1**step)
        return rate, self.epsilon if self.epsilon_hat else self.epsilon * correction

    @property
    def longest_step(self) -> float:
        """The learning rate."""
        return self.learning_rate

    def document(self) -> Dict[str, Any]:
        """Return its name and settings."""
        return {
            "name": "Adam",
            "learning_rate": self.learning_rate,
            "beta1": self.beta1,
            "beta2": self.beta2,
            "epsilon": self.epsilon,
            "form": "epsilon-hat" if self.epsilon_hat else "epsilon-after-correction",
        }


@dataclass(frozen=True)
class RMSprop(UpdateRule):
    """RMSprop without momentum, in every form that ports meet.

    Attributes:
      rho: decay of the mean squared gradient.
      epsilon: added to its root, or to itself where ``inside_root``.
      inside_root: Keras 3's and TensorFlow 1's form; Keras's up to 2.10 and PyTorch's is the other.
      first: the mean squared gradient before the first step: 0, or 1 in TensorFlow 1.

    Source: ``keras.optimizers.RMSprop`` of TensorFlow 2.5 (the form that was published).
    """

    rho: float = 0.9
    epsilon: float = 1e-7
    inside_root: bool = False
    first: float = 0.0

    def slots(self, array: np.ndarray) -> Slots:
        """Return the mean squared gradient."""
        return (np.full_like(array, self.first),)

    def move(self, slots: Slots, gradient: np.ndarray, step: int) -> Tuple[np.ndarray, Slots]:
        """Return what a step takes from a weight, and the slots after it."""
        square = self.rho * slots[0] + (1 - self.rho) * gradient**2
        return self.learning_rate * gradient / self._root(square), (square,)

    def sensitivity(self, slots: Slots, step: int) -> np.ndarray:
        """Return how far an error of its gradient moves a weight."""
        return self.learning_rate / self._root(slots[0])

    def _root(self, square: np.ndarray) -> np.ndarray:
        return np.sqrt(square + self.epsilon) if self.inside_root else np.sqrt(square) + self.epsilon

    @property
    def longest_step(self) -> float:
        """Over three learning rates, for the mean of the squares is a tenth of the first one."""
        return self.learning_rate / math.sqrt(1 - self.rho)

    def document(self) -> Dict[str, Any]:
        """Return its name and settings."""
        return {
            "name": "RMSprop",
            "learning_rate": self.learning_rate,
            "rho": self.rho,
            "epsilon": self.epsilon,
            "form": "epsilon-inside-root" if self.inside_root else "epsilon-added-to-root",
        }


@dataclass(frozen=True)
class AdadeltaRule(UpdateRule):
    """Adadelta (Zeiler, 2012): ``ApplyAdadelta`` of TensorFlow 1.15.

    Attributes:
      rho: share of the old averages that is kept.
      epsilon: added under both roots.
    """

    rho: float = 0.95
    epsilon: float = 1e-8

    def slots(self, array: np.ndarray) -> Slots:
        """Return the mean squared gradient and the mean squared update: zeros."""
        return np.zeros_like(array), np.zeros_like(array)

    def move(self, slots: Slots, gradient: np.ndarray, step: int) -> Tuple[np.ndarray, Slots]:
        """Return what a step takes from a weight, and the slots after it."""
        square = self.rho * slots[0] + (1 - self.rho) * gradient**2
        update = np.sqrt(slots[1] + self.epsilon) / np.sqrt(square + self.epsilon) * gradient
        return self.learning_rate * update, (square, self.rho * slots[1] + (1 - self.rho) * update**2)

    def sensitivity(self, slots: Slots, step: int) -> np.ndarray:
        """Return how far an error of its gradient moves a weight, at most."""
        return self.learning_rate * np.sqrt(slots[1] + self.epsilon) / np.sqrt(slots[0] + self.epsilon)

    @property
    def longest_step(self) -> float:
        """That of a first step whose gradient is large."""
        return self.learning_rate * math.sqrt(self.epsilon / (1 - self.rho))

    def document(self) -> Dict[str, Any]:
        """Return its name and settings."""
        settings = {"learning_rate": self.learning_rate, "rho": self.rho, "epsilon": self.epsilon}
        return {"name": "Adadelta", **settings}


def optimizer_of(name: str, learning_rate: float, rho: float = 0.95, epsilon: float = 1e-8) -> UpdateRule:
    """Return the optimizer of a recipe.

    Args:
      name: an optimizer's ``flat_kind``.
      learning_rate: step size.
      rho, epsilon: of Adadelta.

    Raises:
      ValueError: no such optimizer.
    """
    if name == "keras-rmsprop":
        return RMSprop(learning_rate)
    if name == "sgd":
        return GradientDescent(learning_rate)
    if name == "adadelta":
        return AdadeltaRule(learning_rate, rho, epsilon)
    if name not in ("adam", "pytorch-adam"):
        raise ValueError(f"found {name!r}, expected an optimizer that is known here")
    return AdamRule(learning_rate, epsilon_hat=name == "adam")


def once(role: str) -> float:
    """Return 1: every step is applied as it is."""
    return 1.0


def update_steps(
    optimizer: UpdateRule,
    weights: Mapping[str, np.ndarray],
    gradient_of: Callable[[Arrays], Arrays],
    count: int = 3,
    factor: Callable[[str], float] = once,
) -> List[Arrays]:
    """Return the weights after 1, 2, … ``count`` steps from fresh slots.

    Args:
      optimizer: what moves them.
      weights: role -> array to start from.
      gradient_of: weights -> gradients, both by role.
      count: how many steps.
      factor: role -> how many times the step is applied (2 for a bias that is trained twice).
    """
    current = dict(weights)
    slots = {role: optimizer.slots(array) for role, array in weights.items()}
    found: List[Arrays] = []
    for step in range(1, count + 1):
        gradients = optimizer.taken(gradient_of(current), current)
        following: Arrays = {}
        for role, array in current.items():
            move, slots[role] = optimizer.move(slots[role], gradients[role], step)
            following[role] = (optimizer.decayed(role, array) - move * factor(role)).astype(
                array.dtype, copy=False
            )
        current = following
        found.append(current)
    return found
