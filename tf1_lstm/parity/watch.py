"""What the child process reads out of a port's model, the same for every framework."""

import abc
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from tf1_lstm.parity.spec import Spec

Arrays = Dict[str, np.ndarray]
# What a model is given: ids or rows, or these and lengths.
Fed = Union[np.ndarray, Tuple[np.ndarray, np.ndarray]]
# The roles of a dense layer's kernel and bias.
DENSE_ROLES = {
    "softmax": ("softmax/weights", "softmax/bias"),
    "dense": ("dense/kernel", "dense/bias"),
}


HALF_UNUSED = "its last layer reads both directions; the forward half, which is zero, was left out"
HALF_MOVES = "the unused half of its last layer is trained too, so its updates are not the original's"


class NotVisibleError(Exception):
    """Something of a port cannot be seen; the message says why."""


class Watched(NamedTuple):
    """One recurrent layer of a port, and which of the model's layers it stands for.

    Attributes:
      direction: ``"fw"`` or ``"bw"``.
      layer: from 0.
      handle: the framework's object.
    """

    direction: str
    layer: int
    handle: Any


class TrainedPort(NamedTuple):
    """Loss, gradients and updates of a port, in canonical roles."""

    loss: float
    gradients: Arrays
    updates: List[Arrays]
    note: str = ""  # why there are no updates


class Watch(abc.ABC):
    """A port's model, seen through canonical roles.

    Attributes:
      first_read: what the first layer read when ``steps`` ran the model, ``[batch, steps, inputs]``, or None.
      half_is_unused: see ``used_half``; None before it was called.
      notes: what a reader should know of how the model was read.
    """

    first_read: Optional[np.ndarray] = None
    half_is_unused: Optional[bool] = None

    def __init__(self) -> None:
        self.notes: List[str] = []

    @abc.abstractmethod
    def logits(self, inputs: Fed) -> np.ndarray:
        """Run the model with dropout off, as its framework switches it off; see ``logits_of``."""

    @abc.abstractmethod
    def weights(self) -> Arrays:
        """Return the weights by role. Raises NotVisibleError."""

    @abc.abstractmethod
    def table(self) -> Optional[np.ndarray]:
        """Return the embedding ``[words, dimensions]``, frozen or trained; None where there is none."""

    def used_half(self, kernel: np.ndarray, spec: Spec) -> Any:
        """Return the rows of the last layer's kernel that stand for the model's.

        A model that reads the backward state alone may be ported with a layer that is given both, forward
        first, whose other half is zero.
        """
        units = spec.cell_of(spec.layers - 1).units
        if self.half_is_unused is None:
            wide = spec.readout == "backward-state" and not spec.dense_units and len(kernel) == 2 * units
            self.half_is_unused = wide and not kernel[:units].any()
            if self.half_is_unused:
                self.notes.append(HALF_UNUSED)
        return slice(units if self.half_is_unused else 0, None)

    @abc.abstractmethod
    def steps(self, inputs: Fed) -> Arrays:
        """Return ``{fw|bw}/LAYER/{h|c}`` in the order of the inputs. Raises NotVisibleError."""

    @abc.abstractmethod
    def train(self, inputs: Fed, labels: np.ndarray) -> TrainedPort:
        """Return the loss, its gradient and three steps of the optimizer; the weights are put back."""


def logits_of(answer: np.ndarray, spec: Spec) -> np.ndarray:
    """Return what a port answered as the bundle has it.

    Args:
      answer: ``[batch, classes]``; where the model ends with a sigmoid also its one number z,
        ``[batch, 1]`` or ``[batch]``.
      spec: of the bundle.

    Returns:
      The same array, or (0, z) for one number z: ``[batch, 2]``.
    """
    if spec.output != "sigmoid" or answer.shape[1:] not in ((), (1,)):
        return answer
    z = answer.reshape(-1)
    return np.stack([np.zeros_like(z), z], axis=1)


def assign(handles: Sequence[Any], spec: Spec, backward: Sequence[bool]) -> List[Watched]:
    """Say which one-direction layer of a port stands for which layer of the model.

    Args:
      handles: the port's recurrent layers, in the order in which they run.
      spec: of the bundle.
      backward: whether each is known to read from the end.
    """
    if spec.shared_cell and len(handles) == 1:
        return [Watched("fw", layer, handles[0]) for layer in range(spec.layers)]
    wanted = spec.layers * len(spec.directions)
    if len(handles) != wanted:
        raise NotVisibleError(
            f"the port has {len(handles)} recurrent layers that can be seen, expected {wanted}"
        )
    if not spec.bidirectional:
        return [Watched("fw", layer, handle) for layer, handle in enumerate(handles)]
    flags = list(backward)
    if sum(flags) != spec.layers:  # nothing tells them apart: forward first
        backward_first = flags[0]
        flags = [(place % 2 == 1) != backward_first for place in range(wanted)]
    count = {"fw": 0, "bw": 0}
    found = []
    for handle, is_backward in zip(handles, flags):
        direction = "bw" if is_backward else "fw"
        found.append(Watched(direction, count[direction], handle))
        count[direction] += 1
    return found


def name_steps(watched: Watched, h: np.ndarray, c: Optional[np.ndarray], flip: bool) -> Arrays:
    """Return the states ``[batch, steps, units]`` of one layer by name, turned into the inputs' order."""
    order = -1 if flip else 1
    prefix = f"{watched.direction}/{watched.layer}/"
    found = {prefix + "h": h[:, ::order]}
    if c is not None:
        found[prefix + "c"] = c[:, ::order]
    return found
