"""The canonical form of a trained model: role -> array, and what is needed to run it."""

import hashlib
from dataclasses import dataclass, field
from typing import Dict, Optional, Tuple

import numpy as np


@dataclass(frozen=True)
class ModelDescription:
    """What a model is, apart from its numbers.

    Attributes:
      cell: a name that ``core.cells.cell_kinds`` knows.
      gate_order: the blocks of the kernel's columns (``i, j, f, o`` for a BasicLSTMCell).
      forget_bias: added to the forget gate when the cell runs. No checkpoint holds it: 1.0 is
        TensorFlow's default; None for a cell without a forget gate.
      inputs: numbers per step.
      units: width of the first layer, and of all where ``widths`` is empty.
      layers: layers in each direction.
      directions: 1, or 2 for a bidirectional model.
      classes: numbers that the last layer gives: one for each class of a softmax, one alone for a
        sigmoid; None without such a layer.
      joined: of stacked layers with two directions, each reads both directions of the one below.
      dense_units: width of a layer between the recurrent ones and the last; 0 without one.
      vocabulary: rows of the trained embedding; 0 without one.
      front: numbers that a layer in front of the recurrent ones reads; 0 without one.
      widths: units of each layer, from the first, where they differ.
    """

    cell: str
    gate_order: Tuple[str, ...]
    forget_bias: Optional[float]
    inputs: int
    units: int
    layers: int
    directions: int
    classes: Optional[int]
    joined: bool = False
    dense_units: int = 0
    vocabulary: int = 0
    front: int = 0
    widths: Tuple[int, ...] = ()

    @property
    def top_units(self) -> int:
        """Width of the last layer."""
        return self.widths[-1] if self.widths else self.units

    def describe(self) -> str:
        """One line for people."""
        layers = "one layer" if self.layers == 1 else f"{self.layers} layers"
        directions = "one direction" if self.directions == 1 else "two directions"
        directions += ", joined" if self.joined else ""
        inputs = f"inputs {self.inputs}" + (f" of {self.vocabulary:,} words" if self.vocabulary else "")
        inputs += f" from a layer that reads {self.front}" if self.front else ""
        dense = f", dense {self.dense_units}" if self.dense_units else ""
        classes = "no softmax" if self.classes is None else f"classes {self.classes}"
        if self.classes == 1:
            classes = "one output"
        units = ", ".join(map(str, self.widths or (self.units,)))
        return f"{layers}, {directions}, {self.cell}, {inputs}, units {units}{dense}, {classes}"


@dataclass
class Weights:
    """A model with its numbers.

    Attributes:
      model: what it is.
      arrays: role -> values.
      slots: optimizer slot (``"Adam"``, ``"Adam_1"``) -> role -> values.
      scalars: ``beta1_power``, ``beta2_power`` and ``global_step`` where the checkpoint has them.
      step: the iteration after which it was saved, if known.
    """

    model: ModelDescription
    arrays: Dict[str, np.ndarray]
    slots: Dict[str, Dict[str, np.ndarray]] = field(default_factory=dict)
    scalars: Dict[str, np.ndarray] = field(default_factory=dict)
    step: Optional[int] = None

    def digest(self) -> str:
        """SHA-256 over role, dtype, shape and bytes of each array, in the roles' order.

        The optimizer's slots are left out: the digest names what evaluates, not what trains.
        """
        total = hashlib.sha256()
        for role in sorted(self.arrays):
            array = np.ascontiguousarray(self.arrays[role])
            array = array.astype(array.dtype.newbyteorder("<"), copy=False)
            total.update(f"{role} {array.dtype.str} {list(self.arrays[role].shape)}\n".encode())
            total.update(array.reshape(-1).view(np.uint8))  # no copy of a large embedding
        return total.hexdigest()
