"""One model on one batch, as a port may have set it up: what mistakes change and the reference runs."""

import dataclasses
from dataclasses import dataclass
from types import MappingProxyType
from typing import Callable, Dict, Mapping, NamedTuple, Optional, Tuple

import numpy as np

from tf1_lstm.parity import reference
from tf1_lstm.parity.bundle import Bundle, WordVectors
from tf1_lstm.parity.cells import Cell
from tf1_lstm.parity.reference import Spec

Arrays = Dict[str, np.ndarray]
PartsChange = Callable[[Cell, Arrays], Arrays]


@dataclass(frozen=True)
class Problem:
    """What is run.

    Attributes:
      spec: what is computed.
      weights: role -> float64.
      inputs: ``[batch, steps]`` ids or ``[batch, steps, inputs]``.
      labels: ``[batch, classes]``, one-hot.
      vectors: the look-up table where the inputs are ids.
      keep_prob: the recipe's share of outputs that dropout keeps.
      skip: ``""``; ``"zeros"``: every id 0 is skipped; ``"trailing"``: those at the end are.
    """

    spec: Spec
    weights: Arrays
    inputs: np.ndarray
    labels: np.ndarray
    vectors: Optional[WordVectors]
    keep_prob: float
    skip: str = ""

    def rows(self, rows: np.ndarray) -> "Problem":
        """Return the problem of some examples only."""
        return dataclasses.replace(self, inputs=self.inputs[rows], labels=self.labels[rows])

    def in_type(self, dtype: type) -> "Problem":
        """Return the problem with its weights in another float type, in which it then runs."""
        weights = {role: array.astype(dtype) for role, array in self.weights.items()}
        return dataclasses.replace(self, weights=weights)

    def with_spec(self, **changes: object) -> "Problem":
        """Return the problem with some switches of its spec changed."""
        return dataclasses.replace(self, spec=dataclasses.replace(self.spec, **changes))

    def with_cell(self, **changes: object) -> "Problem":
        """Return the problem with some switches of its cell changed."""
        return self.with_spec(cell=dataclasses.replace(self.spec.cell, **changes))

    def with_adam(self, **changes: object) -> "Problem":
        """Return the problem with some settings of its optimizer changed."""
        return self.with_spec(adam=dataclasses.replace(self.spec.adam, **changes))

    def with_parts(self, change: PartsChange) -> "Problem":
        """Return the problem with the weights of every cell changed."""
        weights = dict(self.weights)
        for direction in self.spec.directions:
            for layer in range(self.spec.layers):
                parts = change(self.spec.cell, self.spec.parts(self.weights, direction, layer))
                weights.update(
                    {self.spec.role(direction, layer, part): array for part, array in parts.items()}
                )
        return dataclasses.replace(self, weights=weights)

    def sequence(self) -> Optional[Tuple[np.ndarray, Optional[np.ndarray]]]:
        """Return ``[batch, steps, inputs]`` and the mask of steps to run, or None for an unknown word."""
        if self.vectors is None:
            return self.inputs, None
        found = self.vectors.look_up(self.inputs)
        if found is None:
            return None
        mask = None
        if self.skip == "zeros":
            mask = self.inputs != 0
        elif self.skip == "trailing":
            mask = np.cumsum(self.inputs[:, ::-1] != 0, axis=1)[:, ::-1] > 0
        return found, mask

    def forward(self) -> Optional[reference.Forward]:
        """Run the model; None where the bundle lacks a word."""
        found = self.sequence()
        if found is None:
            return None
        dtype = next(iter(self.weights.values())).dtype
        return reference.forward(self.spec, self.weights, found[0].astype(dtype), found[1])

    def training(self, weights: Optional[Mapping[str, np.ndarray]] = None) -> Optional[reference.Training]:
        """Return the loss and gradients, at other weights where given; None where the bundle lacks a word."""
        found = self.sequence()
        if found is None or self.spec.steps_on_batch_axis:
            return None
        used = self.weights if weights is None else weights
        dtype = next(iter(used.values())).dtype
        return reference.gradients(self.spec, used, found[0].astype(dtype), self.labels, found[1])


class Numbers(NamedTuple):
    """Numbers of one model on one batch, seen in a port or predicted; None where not known.

    Attributes:
      logits: ``[batch, classes]``.
      steps: ``{fw|bw}/LAYER/{h|c}`` -> ``[batch, steps, units]``; empty where not known.
      loss: mean softmax cross-entropy.
      gradients: role -> derivative; roles may be missing.
      adam: weights by role after 1, 2, 3 steps.
      repeats: ``[runs, batch, classes]``, logits of further runs on the same inputs.
    """

    logits: np.ndarray
    steps: Mapping[str, np.ndarray] = MappingProxyType({})
    loss: Optional[float] = None
    gradients: Optional[Arrays] = None
    adam: Optional[Tuple[Arrays, ...]] = None
    repeats: Optional[np.ndarray] = None


def problem_of(bundle: Bundle) -> Problem:
    """Return the problem that a bundle's own numbers are the answer to."""
    return Problem(
        spec=bundle.spec,
        weights={role: array.astype(np.float64) for role, array in bundle.weights.items()},
        inputs=bundle.inputs,
        labels=bundle.labels.astype(np.float64),
        vectors=bundle.vectors,
        keep_prob=bundle.settings["output_keep_prob"],
    )


def numbers_of(bundle: Bundle) -> Numbers:
    """Return TensorFlow 1.15's numbers."""
    return Numbers(bundle.logits, bundle.steps, bundle.loss, bundle.gradients, bundle.adam)


def largest_error(predicted: np.ndarray, seen: np.ndarray) -> float:
    """Return the largest difference, relative where ``seen`` is larger than 1; infinity for NaN."""
    if predicted.shape != seen.shape:
        return float("inf")
    error = np.abs(predicted - seen) / np.maximum(1.0, np.abs(seen))
    largest = float(error.max()) if error.size else 0.0
    return largest if np.isfinite(largest) else float("inf")
