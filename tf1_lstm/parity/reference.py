"""A whole model in NumPy: embedding, layers, directions, readout, dense layer, loss and gradients.

What TensorFlow 1.15 computes from a recipe's graph with dropout off.
"""

import dataclasses
from typing import Callable, Dict, Mapping, NamedTuple, Optional

import numpy as np

from tf1_lstm.parity import backprop, cells
from tf1_lstm.parity.cells import ACTIVATIONS, StateNoise
from tf1_lstm.parity.losses import answer, answer_back, cross_entropy, mean_error
from tf1_lstm.parity.optimizers import EMBEDDING
from tf1_lstm.parity.reading import Read, Traces, back_read, order, read_of
from tf1_lstm.parity.spec import FRONT, Spec

Arrays = Dict[str, np.ndarray]
# (place, array) -> the array as dropout leaves it
Drop = Callable[[str, np.ndarray], np.ndarray]


class ForwardPass(NamedTuple):
    """Everything computed from inputs to logits.

    Attributes:
      traces: (direction, layer) -> what the layer recorded, in its own order of processing.
      states: ``[batch, units]`` or ``[batch, 2 * units]``, what is read of the last layer; of an output
        at every step ``[batch * steps, ...]``, and so features and scores.
      features: what the softmax reads: the states, or the dense layer's output.
      scores: ``[batch, classes]`` as the last layer gives them; ``[batch, 1]`` for a sigmoid.
      logits: ``[batch, classes]``, or ``[batch, steps, classes]``, as the model returns them.
      read: what is read of the last layer.
      counted: ``[batch, steps]``, False at a step whose states are shown as zeros; or None.
    """

    traces: Traces
    states: np.ndarray
    features: np.ndarray
    scores: np.ndarray
    logits: np.ndarray
    read: Read
    counted: Optional[np.ndarray] = None

    def steps(self) -> Arrays:
        """``DIRECTION/LAYER/h`` (and ``/c``) -> ``[batch, steps, units]``, in the order of the inputs."""
        found: Arrays = {}
        for (direction, layer), trace in self.traces.items():
            found[f"{direction}/{layer}/h"] = trace.h[:, :: order(direction)]
            if trace.c is not None:
                found[f"{direction}/{layer}/c"] = trace.c[:, :: order(direction)]
        if self.counted is not None:
            found = {name: array * self.counted[:, :, None] for name, array in found.items()}
        return found


def no_dropout(place: str, array: np.ndarray) -> np.ndarray:
    """Return the array as it is."""
    return array


def forward(
    spec: Spec,
    weights: Mapping[str, np.ndarray],
    inputs: np.ndarray,
    mask: Optional[np.ndarray] = None,
    drop: Drop = no_dropout,
    last_word: Optional[np.ndarray] = None,
    counted: Optional[np.ndarray] = None,
    noise: Callable[[], StateNoise] = StateNoise,
) -> ForwardPass:
    """Run the model.

    Args:
      spec: what is computed.
      weights: role -> array, as in ``Spec.shapes``.
      inputs: ``[batch, steps, inputs]``; ids ``[batch, steps]`` where the embedding is trained.
      mask: ``[batch, steps]``, False at steps to skip.
      drop: called at each of ``recipes.experiment.PLACES``.
      last_word: ``[batch]``, its place in the sequence; needed for the position ``"word"``.
      counted: see ``ForwardPass``; what the original leaves out, where that is not ``mask``.
      noise: of the states of each layer and direction.
    """
    counted = mask if counted is None and spec.mask != "none" else counted
    sequence = first_reads(spec, weights, drop("embedding", looked_up(spec, weights, inputs)), mask)
    if spec.go_backwards and spec.mask == "mask_zero":
        mask, counted = (None if m is None else m[:, ::-1] for m in (mask, counted))
    if spec.steps_on_batch_axis:
        sequence, mask, counted = sequence.swapaxes(0, 1), None if mask is None else mask.T, None
    traces = _run_layers(spec, weights, sequence, mask, drop, noise)
    read = read_of(spec, traces, mask, last_word)
    states = ACTIVATIONS[spec.states_activation][0](_normalised(spec, drop("states", read.states)))
    features = states
    if spec.dense_units:
        activation = ACTIVATIONS[spec.dense_activation][0]
        features = activation(drop("dense", states @ weights["dense/kernel"] + weights["dense/bias"]))
        features = drop("dense-outputs", features)
    scores = (features * spec.scale) @ weights["softmax/weights"] + weights["softmax/bias"]
    logits = drop("outputs", answer(spec, scores))
    if spec.per_step:
        logits = logits.reshape(*sequence.shape[:2], -1)
    return ForwardPass(traces, states, features, scores, logits, read, counted)


def looked_up(spec: Spec, weights: Mapping[str, np.ndarray], inputs: np.ndarray) -> np.ndarray:
    """Return numbers ``[batch, steps, inputs]`` of what ``forward`` takes."""
    return weights[EMBEDDING][inputs] if spec.trains_embedding else inputs


def first_reads(
    spec: Spec, weights: Mapping[str, np.ndarray], sequence: np.ndarray, mask: Optional[np.ndarray]
) -> np.ndarray:
    """Return what the first recurrent layer reads, of numbers ``[batch, steps, inputs]``."""
    sequence = fronted(spec, weights, sequence)
    return turned(spec, sequence, mask) if spec.go_backwards else sequence


def fronted(spec: Spec, weights: Mapping[str, np.ndarray], sequence: np.ndarray) -> np.ndarray:
    """Return what the layer in front of the recurrent ones makes of a sequence."""
    if not spec.front:
        return sequence
    kernel, bias = (weights[name] for name in FRONT)
    return ACTIVATIONS[spec.front][0](sequence @ kernel + bias)


def turned(spec: Spec, sequence: np.ndarray, mask: Optional[np.ndarray]) -> np.ndarray:
    """Return a sequence from its end; with lengths the steps that count only. Twice gives it as it was."""
    if mask is None or spec.mask != "sequence_length":
        return sequence[:, ::-1]
    places, lengths = np.arange(sequence.shape[1]), mask.sum(axis=1, keepdims=True)
    return sequence[np.arange(len(sequence))[:, None], np.where(mask, lengths - 1 - places, places)]


def _run_layers(
    spec: Spec,
    weights: Mapping[str, np.ndarray],
    sequence: np.ndarray,
    mask: Optional[np.ndarray],
    drop: Drop,
    noise: Callable[[], StateNoise],
) -> Traces:
    traces: Traces = {}
    read = dict.fromkeys(spec.directions, sequence)  # in the order of the inputs
    for layer in range(spec.layers):
        read = _dropped(spec, read, layer, drop)
        for direction in spec.directions:
            turn = order(direction)
            seen = None if mask is None else mask[:, ::turn]
            parts = spec.parts(weights, direction, layer)
            steps = read[direction][:, ::turn]
            traces[direction, layer] = cells.run(spec.cell_of(layer), parts, steps, seen, noise=noise())
        read = {name: traces[name, layer].h[:, :: order(name)] for name in spec.directions}
        if spec.joined_layers:
            read = dict.fromkeys(spec.directions, np.concatenate(list(read.values()), axis=2))
    return traces


def _dropped(spec: Spec, read: Arrays, layer: int, drop: Drop) -> Arrays:
    """Return what a layer reads as dropout leaves it: one mask where both directions read the same."""

    def one(array: np.ndarray) -> np.ndarray:
        return drop("inputs-each-step", drop("inputs", drop("layers", array) if layer else array))

    if layer and not spec.joined_layers:
        return {name: one(array) for name, array in read.items()}
    return dict.fromkeys(spec.directions, one(next(iter(read.values()))))


def _normalised(spec: Spec, states: np.ndarray) -> np.ndarray:
    if not spec.normalise:
        return states
    centred = states - states.mean(axis=1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + spec.normalise)


def _normalised_back(spec: Spec, states: np.ndarray, d_states: np.ndarray) -> np.ndarray:
    """Return the derivative by the states from that by what ``_normalised`` returns."""
    if not spec.normalise:
        return d_states
    centred = states - states.mean(axis=1, keepdims=True)
    size = np.sqrt((centred**2).mean(axis=1, keepdims=True) + spec.normalise)
    unit = centred / size
    along = unit * (d_states * unit).mean(axis=1, keepdims=True)
    return (d_states - d_states.mean(axis=1, keepdims=True) - along) / size


class LossGradient(NamedTuple):
    """One loss and its gradient, by role."""

    loss: float
    gradients: Arrays
    forward: ForwardPass


def gradients(
    spec: Spec,
    weights: Mapping[str, np.ndarray],
    inputs: np.ndarray,
    labels: np.ndarray,
    mask: Optional[np.ndarray] = None,
    last_word: Optional[np.ndarray] = None,
    counted: Optional[np.ndarray] = None,
) -> LossGradient:
    """Return the loss and the gradient of every weight, backward through time.

    Args:
      spec: what is computed; ``steps_on_batch_axis`` is not differentiated.
      weights: role -> array.
      inputs: as in ``forward``.
      labels: ``[batch, classes]`` or ``[batch, steps, classes]``, one-hot; or numbers.
      mask: ``[batch, steps]``, False at steps to skip.
      last_word: as in ``forward``.
      counted: as in ``forward``.
    """
    result = forward(spec, weights, inputs, mask, last_word=last_word, counted=counted)
    judged = (
        dataclasses.replace(spec, probabilities=False, log_probabilities=False)
        if spec.loss_of_logits
        else spec
    )
    loss_of = mean_error if spec.output == "regression" else cross_entropy
    loss, d_answer = loss_of(judged, answer(judged, result.scores), labels.reshape(-1, labels.shape[-1]))
    d_scores = answer_back(judged, result.scores, d_answer)
    found: Arrays = {role: np.zeros_like(array) for role, array in weights.items()}
    found["softmax/weights"] = (result.features * spec.scale).T @ d_scores
    found["softmax/bias"] = d_scores.sum(axis=0)
    d_states = (d_scores @ weights["softmax/weights"].T) * spec.scale
    if spec.dense_units:
        d_dense = d_states * ACTIVATIONS[spec.dense_activation][1](result.features)
        found["dense/kernel"] = result.states.T @ d_dense
        found["dense/bias"] = d_dense.sum(axis=0)
        d_states = d_dense @ weights["dense/kernel"].T
    d_states = d_states * ACTIVATIONS[spec.states_activation][1](result.states)
    d_states = _normalised_back(spec, result.read.states, d_states)
    d_sequence = _back_layers(spec, weights, result, d_states, found)
    if spec.go_backwards:
        d_sequence = turned(spec, d_sequence, mask)
    if spec.front:
        d_sequence = _back_front(spec, weights, inputs, d_sequence, found)
    if spec.trains_embedding:
        found[EMBEDDING] = _back_look_up(spec, found[EMBEDDING], inputs, d_sequence)
    return LossGradient(loss, found, result)


def _back_layers(
    spec: Spec, weights: Mapping[str, np.ndarray], result: ForwardPass, d_states: np.ndarray, found: Arrays
) -> np.ndarray:
    """Add to ``found`` the gradients of all cells; return those of ``[batch, steps, inputs]``."""
    d_outputs = back_read(spec, result.traces, result.read, d_states)
    for layer in reversed(range(spec.layer_read + 1)):
        d_inputs: Arrays = {}  # in the order of the inputs
        for direction, (d_h, d_c) in d_outputs.items():
            trace, parts = result.traces[direction, layer], spec.parts(weights, direction, layer)
            back = backprop.back(spec.cell_of(layer), parts, trace, d_h, d_c)
            for part, array in back.parts.items():
                role = spec.role(direction, layer, part)
                found[role] = found[role] + array  # layers may share a cell
            d_inputs[direction] = back.inputs[:, :: order(direction)]
        if spec.joined_layers and layer:
            halves = np.split(sum(d_inputs.values()), 2, axis=2)
            d_inputs = dict(zip(spec.directions, halves))
        d_outputs = {name: (array[:, :: order(name)], None) for name, array in d_inputs.items()}
    return np.asarray(sum(d_inputs.values()))


def _back_front(
    spec: Spec,
    weights: Mapping[str, np.ndarray],
    inputs: np.ndarray,
    d_sequence: np.ndarray,
    found: Arrays,
) -> np.ndarray:
    """Add to ``found`` the gradients of the layer in front; return those of what it reads."""
    read = looked_up(spec, weights, inputs)
    d_product = d_sequence * ACTIVATIONS[spec.front][1](fronted(spec, weights, read))
    found[FRONT[0]] = np.tensordot(read, d_product, ((0, 1), (0, 1)))
    found[FRONT[1]] = d_product.sum(axis=(0, 1))
    return np.asarray(d_product @ weights[FRONT[0]].T)


def _back_look_up(spec: Spec, zeros: np.ndarray, ids: np.ndarray, d_sequence: np.ndarray) -> np.ndarray:
    """Return the gradient of the embedding: each row has those of every step that looked it up."""
    if spec.untrained == "embedding":
        return zeros
    found = zeros.copy()
    np.add.at(found, ids, d_sequence)
    if spec.untrained == "padding":
        found[0] = 0
    return found
