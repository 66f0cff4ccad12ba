"""A whole model in NumPy: embedding, layers, directions, readout, dense layer, loss and gradients.

What TensorFlow 1.15 computes from a recipe's graph with dropout off.
"""

import dataclasses
from typing import Callable, Dict, Mapping, NamedTuple, Optional, Tuple

import numpy as np

from tf1_lstm.parity import backprop, cells
from tf1_lstm.parity.cells import ACTIVATIONS, Trace, sigmoid
from tf1_lstm.parity.optimizers import EMBEDDING
from tf1_lstm.parity.spec import Spec

Arrays = Dict[str, np.ndarray]
Derivatives = Dict[str, Tuple[np.ndarray, Optional[np.ndarray]]]
# (place, array) -> the array as dropout leaves it
Drop = Callable[[str, np.ndarray], np.ndarray]


def _order(direction: str) -> int:
    """Return the step of a slice that turns the inputs' order into the order of processing, or back."""
    return -1 if direction == "bw" else 1


class Read(NamedTuple):
    """What is read of one direction's last layer.

    Attributes:
      states: ``[batch, units]``; of an output at every step ``[batch * steps, units]`` in the order of the
        inputs.
      step: in the layer's own order; -1 where ``shares`` say more.
      shares: ``[batch, steps, units]``, the share of each step in ``states``; None for one step.
    """

    states: np.ndarray
    step: int
    shares: Optional[np.ndarray] = None


class ForwardPass(NamedTuple):
    """Everything computed from inputs to logits.

    Attributes:
      traces: (direction, layer) -> what the layer recorded, in its own order of processing.
      states: ``[batch, units]`` or ``[batch, 2 * units]``, what is read of the last layer; of an output
        at every step ``[batch * steps, ...]``, and so features and scores.
      features: what the softmax reads: the states, or the dense layer's output.
      scores: ``[batch, classes]`` as the last layer gives them; ``[batch, 1]`` for a sigmoid.
      logits: ``[batch, classes]``, or ``[batch, steps, classes]``, as the model returns them.
      reads: direction -> what is read of it, in the order in which the directions are joined.
    """

    traces: Dict[Tuple[str, int], Trace]
    states: np.ndarray
    features: np.ndarray
    scores: np.ndarray
    logits: np.ndarray
    reads: Dict[str, "Read"]

    def steps(self) -> Arrays:
        """``DIRECTION/LAYER/h`` (and ``/c``) -> ``[batch, steps, units]``, in the order of the inputs."""
        found: Arrays = {}
        for (direction, layer), trace in self.traces.items():
            found[f"{direction}/{layer}/h"] = trace.h[:, :: _order(direction)]
            if trace.c is not None:
                found[f"{direction}/{layer}/c"] = trace.c[:, :: _order(direction)]
        return found


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return probabilities ``[batch, classes]``."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Return the logarithms of the probabilities."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


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
) -> ForwardPass:
    """Run the model.

    Args:
      spec: what is computed.
      weights: role -> array, as in ``Spec.shapes``.
      inputs: ``[batch, steps, inputs]``; ids ``[batch, steps]`` where the embedding is trained.
      mask: ``[batch, steps]``, False at steps to skip.
      drop: called at each of ``recipes.experiment.PLACES``.
      last_word: ``[batch]``, its place in the sequence; needed for the position ``"word"``.
    """
    sequence = drop("embedding", looked_up(spec, weights, inputs))
    if spec.steps_on_batch_axis:
        sequence, mask = sequence.swapaxes(0, 1), None if mask is None else mask.T
    traces = _run_layers(spec, weights, sequence, mask, drop)
    reads = {name: _read(spec, traces, name, last_word) for name in _read_order(spec)}
    states = np.concatenate([read.states for read in reads.values()], axis=1)
    states = ACTIVATIONS[spec.states_activation][0](_normalised(spec, drop("states", states)))
    features = states
    if spec.dense_units:
        activation = ACTIVATIONS[spec.dense_activation][0]
        features = activation(drop("dense", states @ weights["dense/kernel"] + weights["dense/bias"]))
    scores = (features * spec.scale) @ weights["softmax/weights"] + weights["softmax/bias"]
    logits = _answer(spec, scores)
    if spec.per_step:
        logits = logits.reshape(*sequence.shape[:2], -1)
    return ForwardPass(traces, states, features, scores, logits, reads)


def looked_up(spec: Spec, weights: Mapping[str, np.ndarray], inputs: np.ndarray) -> np.ndarray:
    """Return what the first layer reads, ``[batch, steps, inputs]``, of what ``forward`` takes."""
    return weights[EMBEDDING][inputs] if spec.trains_embedding else inputs


def _run_layers(
    spec: Spec,
    weights: Mapping[str, np.ndarray],
    sequence: np.ndarray,
    mask: Optional[np.ndarray],
    drop: Drop,
) -> Dict[Tuple[str, int], Trace]:
    traces: Dict[Tuple[str, int], Trace] = {}
    read = dict.fromkeys(spec.directions, sequence)  # in the order of the inputs
    for layer in range(spec.layers):
        read = _dropped(spec, read, layer, drop)
        for direction in spec.directions:
            order = _order(direction)
            seen = None if mask is None else mask[:, ::order]
            parts = spec.parts(weights, direction, layer)
            traces[direction, layer] = cells.run(spec.cell, parts, read[direction][:, ::order], seen)
        read = {name: traces[name, layer].h[:, :: _order(name)] for name in spec.directions}
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


def _read_order(spec: Spec) -> Tuple[str, ...]:
    """Return the directions that the softmax reads, in order."""
    if spec.readout == "both-states":
        return ("bw", "fw") if spec.backward_first else ("fw", "bw")
    backward = (spec.readout == "backward-state") != spec.wrong_direction
    return ("bw",) if backward and spec.bidirectional else ("fw",)


def _read(
    spec: Spec, traces: Dict[Tuple[str, int], Trace], direction: str, last_word: Optional[np.ndarray]
) -> Read:
    trace = traces[direction, spec.layer_read]
    states = trace.h
    if trace.c is not None and spec.read != "h":
        states = trace.c if spec.read == "c" else trace.h + trace.c
    steps = states.shape[1]
    index = steps - 1
    if spec.per_step:
        return Read(states[:, :: _order(direction)].reshape(-1, states.shape[2]), -1)
    if spec.position in ("mean", "max", "word"):
        shares = np.full_like(states, 1 / steps)
        if spec.position == "max":
            shares = _one_hot(states.argmax(axis=1)[:, None], steps, states.dtype)
        elif spec.position == "word":
            assert last_word is not None
            place = last_word if direction == "fw" else steps - 1 - last_word
            shares = _one_hot(np.broadcast_to(place[:, None, None], states[:, :1].shape), steps, states.dtype)
        return Read((states * shares).sum(axis=1), -1, shares)
    if spec.position != "final" and (spec.position == "first") == (direction == "fw"):
        index = 0
    if spec.steps_on_batch_axis:
        # The port still cuts out[:, -1] or the last state, which is now the last example's.
        place = 0 if spec.position == "first" else -1
        return Read(states[place][:: _order(direction)], index)
    return Read(states[:, index], index)


def _one_hot(place: np.ndarray, steps: int, dtype: np.dtype) -> np.ndarray:
    """Return 1 at a step of ``[batch, 1, units]`` and 0 elsewhere: ``[batch, steps, units]``."""
    return (np.arange(steps)[None, :, None] == place).astype(dtype)


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


def _answer(spec: Spec, scores: np.ndarray) -> np.ndarray:
    """Return the logits ``[batch, classes]``, or what the model returns in their place."""
    scores = ACTIVATIONS[spec.scores_activation][0](scores) * spec.temperature
    if spec.output == "sigmoid":
        z = -scores if spec.answer_order == "sign" else scores
        answer = np.concatenate([np.zeros_like(z), sigmoid(z) if spec.probabilities else z], axis=1)
    elif spec.log_probabilities:
        answer = log_softmax(scores)
    else:
        answer = softmax(scores) if spec.probabilities and spec.output == "softmax" else scores
    return answer[:, ::-1] if spec.answer_order == "columns" else answer


def _answer_back(spec: Spec, scores: np.ndarray, d_answer: np.ndarray) -> np.ndarray:
    """Return the derivative by the scores from that by the answer."""
    if spec.answer_order == "columns":
        d_answer = d_answer[:, ::-1]
    activated = ACTIVATIONS[spec.scores_activation][0](scores)
    slope = ACTIVATIONS[spec.scores_activation][1](activated) * spec.temperature
    return slope * _outermost_back(spec, activated * spec.temperature, d_answer)


def _outermost_back(spec: Spec, scores: np.ndarray, d_answer: np.ndarray) -> np.ndarray:
    if spec.output == "sigmoid":
        sign = -1 if spec.answer_order == "sign" else 1
        p = sigmoid(sign * scores)
        return sign * d_answer[:, 1:] * (p * (1 - p) if spec.probabilities else 1)
    p = softmax(scores)
    if spec.log_probabilities:
        return d_answer - p * d_answer.sum(axis=1, keepdims=True)
    if not spec.probabilities or spec.output == "regression":
        return d_answer
    return p * (d_answer - (d_answer * p).sum(axis=1, keepdims=True))


def cross_entropy(spec: Spec, logits: np.ndarray, labels: np.ndarray) -> Tuple[float, np.ndarray]:
    """Return the softmax cross-entropy and its derivative by the logits ``[n, classes]``.

    Labels of zeros alone, at steps that do not count, count for nothing.
    """
    if spec.labels_swapped:
        labels = labels[:, ::-1]
    if spec.label_smoothing:
        labels = labels * (1 - spec.label_smoothing) + spec.label_smoothing / labels.shape[1]
    log_p = log_softmax(logits)
    counted = max(float(labels.sum()), 1.0) if spec.per_step else len(logits)
    share = 1.0 if spec.loss_sum else 1.0 / counted
    return float(-(labels * log_p).sum() * share), (
        np.exp(log_p) * labels.sum(1, keepdims=True) - labels
    ) * share


def mean_error(spec: Spec, answer: np.ndarray, labels: np.ndarray) -> Tuple[float, np.ndarray]:
    """Return the mean of squared or absolute errors, and its derivative by the answer ``[n, outputs]``."""
    errors = answer - labels
    share = 1.0 if spec.loss_sum else 1.0 / errors.size
    if spec.loss == "absolute":
        return float(np.abs(errors).sum() * share), np.sign(errors) * share
    return float((errors * errors).sum() * share), 2 * errors * share


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
) -> LossGradient:
    """Return the loss and the gradient of every weight, backward through time.

    Args:
      spec: what is computed; ``steps_on_batch_axis`` is not differentiated.
      weights: role -> array.
      inputs: as in ``forward``.
      labels: ``[batch, classes]`` or ``[batch, steps, classes]``, one-hot; or numbers.
      mask: ``[batch, steps]``, False at steps to skip.
      last_word: as in ``forward``.
    """
    result = forward(spec, weights, inputs, mask, last_word=last_word)
    judged = (
        dataclasses.replace(spec, probabilities=False, log_probabilities=False)
        if spec.loss_of_logits
        else spec
    )
    loss_of = mean_error if spec.output == "regression" else cross_entropy
    loss, d_answer = loss_of(judged, _answer(judged, result.scores), labels.reshape(-1, labels.shape[-1]))
    d_scores = _answer_back(judged, result.scores, d_answer)
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
    raw = np.concatenate([read.states for read in result.reads.values()], axis=1)
    d_states = _normalised_back(spec, raw, d_states)
    d_sequence = _back_layers(spec, weights, result, d_states, found)
    if spec.trains_embedding:
        found[EMBEDDING] = _back_look_up(spec, found[EMBEDDING], inputs, d_sequence)
    return LossGradient(loss, found, result)


def _back_layers(
    spec: Spec, weights: Mapping[str, np.ndarray], result: ForwardPass, d_states: np.ndarray, found: Arrays
) -> np.ndarray:
    """Add to ``found`` the gradients of all cells; return those of ``[batch, steps, inputs]``."""
    d_outputs = _back_read(spec, result, d_states)
    for layer in reversed(range(spec.layer_read + 1)):
        d_inputs: Arrays = {}  # in the order of the inputs
        for direction, (d_h, d_c) in d_outputs.items():
            trace, parts = result.traces[direction, layer], spec.parts(weights, direction, layer)
            back = backprop.back(spec.cell, parts, trace, d_h, d_c)
            found.update({spec.role(direction, layer, part): array for part, array in back.parts.items()})
            d_inputs[direction] = back.inputs[:, :: _order(direction)]
        if spec.joined_layers and layer:
            halves = np.split(sum(d_inputs.values()), 2, axis=2)
            d_inputs = dict(zip(spec.directions, halves))
        d_outputs = {name: (array[:, :: _order(name)], None) for name, array in d_inputs.items()}
    return np.asarray(sum(d_inputs.values()))


def _back_read(spec: Spec, result: ForwardPass, d_states: np.ndarray) -> Derivatives:
    """Return the derivatives by h and c of the last layer's steps, in its own order, of what is read."""
    found: Derivatives = {}
    for (direction, read), d_read in zip(result.reads.items(), np.split(d_states, len(result.reads), axis=1)):
        top = result.traces[direction, spec.layer_read]
        d_read_states = np.zeros_like(top.h)
        if spec.per_step:
            d_read_states = d_read.reshape(top.h.shape)[:, :: _order(direction)]
        elif read.shares is None:
            d_read_states[:, read.step] = d_read
        else:
            d_read_states = read.shares * d_read[:, None]
        of_c = d_read_states if spec.read != "h" and top.c is not None else None
        of_h = np.zeros_like(top.h) if spec.read == "c" and of_c is not None else d_read_states
        found[direction] = of_h, of_c
    return found


def _back_look_up(spec: Spec, zeros: np.ndarray, ids: np.ndarray, d_sequence: np.ndarray) -> np.ndarray:
    """Return the gradient of the embedding: each row has those of every step that looked it up."""
    if spec.untrained == "embedding":
        return zeros
    found = zeros.copy()
    np.add.at(found, ids, d_sequence)
    if spec.untrained == "padding":
        found[0] = 0
    return found
