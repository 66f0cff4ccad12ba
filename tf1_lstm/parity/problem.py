"""One model on one batch, as a port may have set it up: what mistakes change and the reference runs."""

import dataclasses
from dataclasses import dataclass
from types import MappingProxyType
from typing import Callable, Dict, Mapping, NamedTuple, Optional, Tuple

import numpy as np

from tf1_lstm.parity import cells, reference
from tf1_lstm.parity.bundle import Bundle, Words, WordVectors
from tf1_lstm.parity.cells import ReferenceCell
from tf1_lstm.parity.spec import Spec, counted_steps

Arrays = Dict[str, np.ndarray]
PartsChange = Callable[[ReferenceCell, Arrays], Arrays]


@dataclass(frozen=True)
class Problem:
    """What is run.

    Attributes:
      spec: what is computed.
      weights: role -> float64.
      inputs: ``[batch, steps]`` ids or ``[batch, steps, inputs]``.
      labels: ``[batch, classes]``, one-hot.
      vectors: the look-up table where the inputs are ids and the embedding is frozen.
      words: what the ids mean; None where the inputs are rows.
      skip: ``""``; ``"zeros"``: every id 0 is skipped; ``"trailing"``: those at the end are;
        ``"counted"``: as many steps as there are words are run, from the first; ``"nothing"``: no step is.
      counted: ``[batch, steps]``, the steps that the original runs; None for all.
    """

    spec: Spec
    weights: Arrays
    inputs: np.ndarray
    labels: np.ndarray
    vectors: Optional[WordVectors]
    words: Optional[Words]
    skip: str = ""
    counted: Optional[np.ndarray] = None

    def rows(self, rows: np.ndarray) -> "Problem":
        """Return the problem of some examples only."""
        counted = None if self.counted is None else self.counted[rows]
        return dataclasses.replace(self, inputs=self.inputs[rows], labels=self.labels[rows], counted=counted)

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

    def with_optimizer(self, **changes: object) -> "Problem":
        """Return the problem with some settings of its optimizer changed."""
        return self.with_spec(optimizer=dataclasses.replace(self.spec.optimizer, **changes))

    def with_parts(self, change: PartsChange) -> "Problem":
        """Return the problem with the weights of every cell changed."""
        weights = dict(self.weights)
        for direction in self.spec.directions:
            for layer in range(self.spec.cell_layers):
                parts = change(self.spec.cell_of(layer), self.spec.parts(self.weights, direction, layer))
                weights.update(
                    {self.spec.role(direction, layer, part): array for part, array in parts.items()}
                )
        return dataclasses.replace(self, weights=weights)

    def mask(self) -> Optional[np.ndarray]:
        """Return the steps to run, ``[batch, steps]``; None for all."""
        if self.skip == "nothing" or (not self.skip and self.spec.mask == "none"):
            return None
        if not self.skip:
            return self.counted if self.words is None else counted_steps(self.spec, self.inputs, None)
        used = self.inputs != 0
        if self.skip == "zeros":
            return used
        if self.skip == "trailing":
            return np.cumsum(used[:, ::-1], axis=1)[:, ::-1] > 0
        return np.arange(used.shape[1]) < used.sum(axis=1, keepdims=True)

    def last_word(self) -> Optional[np.ndarray]:
        """Return the place of each example's last word, ``[batch]``; None where the inputs are no ids."""
        if self.spec.position != "word" or self.inputs.ndim != 2:
            return None
        return np.maximum(np.where(self.inputs != 0, np.arange(self.inputs.shape[1]), 0).max(axis=1), 0)

    def sequence(self, dtype: type) -> Optional[np.ndarray]:
        """Return what the model takes, in a float type, ids as they are; None for an unknown word."""
        if self.spec.trains_embedding:
            return self.inputs
        found = self.inputs if self.vectors is None else self.vectors.look_up(self.inputs)
        return None if found is None else found.astype(dtype)

    def forward(
        self,
        drop: reference.Drop = reference.no_dropout,
        noise: Callable[[], cells.StateNoise] = cells.StateNoise,
    ) -> Optional[reference.ForwardPass]:
        """Run the model; None where the bundle lacks a word."""
        found = self.sequence(_type_of(self.weights))
        if found is None:
            return None
        return reference.forward(
            self.spec, self.weights, found, self.mask(), drop, self.last_word(), self.counted, noise
        )

    def first_steps(self, count: int) -> Optional[np.ndarray]:
        """Return h of the first layer's first steps, ``[batch, count, units]``, without running the rest."""
        found = self.sequence(_type_of(self.weights))
        if found is None:
            return None
        spec, weights, mask = self.spec, self.weights, self.mask()
        if not spec.go_backwards:
            found, mask = found[:, :count], None if mask is None else mask[:, :count]
        read = reference.first_reads(spec, weights, reference.looked_up(spec, weights, found), mask)
        if mask is not None and spec.go_backwards and spec.mask == "mask_zero":
            mask = mask[:, ::-1]
        seen = None if mask is None else mask[:, :count]
        found = cells.run(spec.cell, spec.parts(weights, "fw", 0), read[:, :count], seen).h
        return found if seen is None or self.counted is None else found * seen[:, :, None]

    def training(
        self, weights: Optional[Mapping[str, np.ndarray]] = None
    ) -> Optional[reference.LossGradient]:
        """Return the loss and gradients, at other weights where given; None where the bundle lacks a word."""
        used = self.weights if weights is None else weights
        found = self.sequence(_type_of(used))
        if found is None or self.spec.steps_on_batch_axis:
            return None
        return reference.gradients(
            self.spec, used, found, self.labels, self.mask(), self.last_word(), self.counted
        )


def _type_of(weights: Mapping[str, np.ndarray]) -> type:
    found: type = next(iter(weights.values())).dtype.type
    return found


class Numbers(NamedTuple):
    """Numbers of one model on one batch, seen in a port or predicted; None where not known.

    Attributes:
      logits: ``[batch, classes]``.
      steps: ``{fw|bw}/LAYER/{h|c}`` -> ``[batch, steps, units]``; empty where not known.
      loss: mean cross-entropy.
      gradients: role -> derivative; roles may be missing.
      updates: weights by role after 1, 2, 3 steps of the optimizer.
      repeats: ``[runs, batch, classes]``, logits of further runs on the same inputs.
    """

    logits: np.ndarray
    steps: Mapping[str, np.ndarray] = MappingProxyType({})
    loss: Optional[float] = None
    gradients: Optional[Arrays] = None
    updates: Optional[Tuple[Arrays, ...]] = None
    repeats: Optional[np.ndarray] = None


def problem_of(bundle: Bundle) -> Problem:
    """Return the problem that a bundle's own numbers are the answer to."""
    return Problem(
        spec=bundle.spec,
        weights={role: array.astype(np.float64) for role, array in bundle.weights.items()},
        inputs=bundle.inputs,
        labels=bundle.labels.astype(np.float64),
        vectors=bundle.vectors,
        words=bundle.words,
        counted=bundle.counted(),
    )


def numbers_of(bundle: Bundle) -> Numbers:
    """Return TensorFlow 1.15's numbers."""
    return Numbers(bundle.logits, bundle.steps, bundle.loss, bundle.gradients, bundle.updates)


def largest_error(predicted: np.ndarray, seen: np.ndarray) -> float:
    """Return the largest difference, relative where ``seen`` is larger than 1; infinity for NaN."""
    if predicted.shape != seen.shape:
        return float("inf")
    error = np.abs(predicted - seen) / np.maximum(1.0, np.abs(seen))
    largest = float(error.max()) if error.size else 0.0
    return largest if np.isfinite(largest) else float("inf")
