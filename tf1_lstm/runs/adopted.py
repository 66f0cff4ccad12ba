"""An adopted experiment beside the graph that it was adopted from: the same batch, the same numbers?"""

import dataclasses
import warnings
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple

import numpy as np

from tf1_lstm.checkpoints.canonical import Expected
from tf1_lstm.checkpoints.identify import identify
from tf1_lstm.checkpoints.restore import weights_of
from tf1_lstm.core.tensorflow import load_variables, tf
from tf1_lstm.errors import InputError
from tf1_lstm.graphs.build import Graph, build
from tf1_lstm.original.feeds import Tensor, dtype_of, find_tensor
from tf1_lstm.original.graph import node_shape
from tf1_lstm.original.model import Described
from tf1_lstm.original.run import DEFAULT_LIMITS, RunLimits, run_graph
from tf1_lstm.original.source import Original
from tf1_lstm.recipes.experiment import Experiment, Regression, Rows, Softmax

TOLERANCE = 1e-6
BATCH, STEPS = 4, 7
ALTERNATIVES: Dict[str, Tuple[Any, ...]] = {
    "recurrent.cell.forget_bias": (0.0, 1.0, 0.8),
    "recurrent.cell.activation": ("tanh", "relu", "sigmoid"),
    "recurrent.read": ("state", "output", "steps", "mean", "maximum"),
    "front.activation": ("linear", "relu", "tanh"),
}
Feeds = Dict[Tensor, np.ndarray]


class AdoptedNumbers(NamedTuple):
    """What a model gives of one batch.

    Attributes:
      outputs: logits, or numbers.
      loss: None where it could not be had.
      gradients: variable of the checkpoint -> derivative.
    """

    outputs: np.ndarray
    loss: Optional[float]
    gradients: Dict[str, np.ndarray]


class AdoptedCheck(NamedTuple):
    """The original and the adopted model on one batch.

    Attributes:
      differences: ``outputs``, ``loss``, ``gradients`` -> largest difference, relative where a number is
        above 1; None where it could not be compared.
      agree: whether all that could be compared is within the tolerance.
      alternatives: settings whose outputs would agree, where these do not.
    """

    differences: Dict[str, Optional[float]]
    agree: bool
    alternatives: List[Dict[str, Any]]


def check(
    original: Original,
    described: Described,
    experiment: Experiment,
    given: Mapping[Tensor, np.ndarray],
    limits: RunLimits = DEFAULT_LIMITS,
) -> AdoptedCheck:
    """Feed the original graph and the adopted experiment the same batch.

    Args:
      original: the graph and its checkpoint.
      described: what the graph said of its model.
      experiment: the adopted one.
      given: what to feed; drawn where a placeholder is missing.
      limits: of the original's run.

    Raises:
      InputError: the original cannot run on the batch.
    """
    feeds = _feeds(original, described, experiment, given)
    output = find_tensor(original.graph, described.output, original.file, "output")
    loss = find_tensor(original.graph, described.loss, original.file, "loss") if described.loss else None
    ran = run_graph(original, feeds, [output], limits, loss=loss)
    right = AdoptedNumbers(ran.outputs[output.typed], ran.loss, ran.gradients)
    found = _differences(right, _numbers(original, described, experiment, feeds))
    agree = all(value is None or value <= TOLERANCE for value in found.values())
    close = (found["outputs"] or 0.0) <= TOLERANCE
    others = [] if close else list(_alternatives(original, described, experiment, feeds, right))
    return AdoptedCheck(found, agree, others)


def _feeds(
    original: Original, described: Described, experiment: Experiment, given: Mapping[Tensor, np.ndarray]
) -> Feeds:
    """What is fed to the original: what was given, and draws for the rest."""
    graph = original.graph
    feeds: Feeds = dict(given)
    names = {tensor.node for tensor in feeds}
    generator = np.random.RandomState(1)
    inputs = next((array for tensor, array in feeds.items() if tensor.node == described.inputs), None)
    batch = len(inputs) if inputs is not None else BATCH
    steps = inputs.shape[1] if inputs is not None and inputs.ndim > 1 else described.steps or STEPS
    words = experiment.words or 2
    for name, node in graph.nodes.items():
        if node.op != "Placeholder" or name in names:
            continue
        shape, dtype = node_shape(node, 0, graph.producer), dtype_of(node)
        is_input, is_label = name == described.inputs, name == described.labels
        if shape is None and not (is_input or is_label):
            shape = ()
        extents = _extents(shape, batch, steps, experiment, is_input)
        if dtype in ("string", ""):
            continue
        value: Any
        if is_input:
            value = (
                generator.randint(0, words, extents) if dtype.startswith("int") else generator.randn(*extents)
            )
        elif is_label and isinstance(experiment.head, Regression):
            value = generator.randn(*extents)
        elif is_label and dtype.startswith("int"):
            value = generator.randint(0, max(2, experiment.head.columns), extents)
        elif is_label:
            classes = extents[-1] if extents else 1
            value = (
                np.eye(classes)[generator.randint(0, classes, extents[:-1])]
                if classes > 1
                else generator.randint(0, 2, extents)
            )
        elif dtype.startswith("float"):
            value = np.ones(extents)  # a share to keep
        elif dtype == "bool":
            value = np.zeros(extents, bool)  # whether it trains
        else:
            value = np.full(extents, steps if extents else batch)  # lengths, or the size of the batch
        feeds[Tensor(name, name, 0)] = np.asarray(value, dtype)
    return feeds


def _extents(shape: Any, batch: int, steps: int, experiment: Experiment, is_input: bool) -> Tuple[int, ...]:
    """A placeholder's shape with the open extents filled."""
    if shape is None:
        width = experiment.inputs.width if isinstance(experiment.inputs, Rows) else 0
        return (
            (batch, steps, width)
            if is_input and width
            else (batch, steps)
            if is_input
            else (batch, experiment.head.width)
        )
    filled = []
    for place, extent in enumerate(shape):
        filled.append(
            extent
            if extent is not None
            else batch
            if place == 0
            else steps
            if place == 1
            else experiment.head.width
        )
    return tuple(filled)


def _numbers(
    original: Original, described: Described, experiment: Experiment, feeds: Feeds
) -> AdoptedNumbers:
    """What the adopted model gives of the batch."""
    by_node = {tensor.node: array for tensor, array in feeds.items()}
    inputs = by_node[described.inputs]
    if isinstance(experiment.inputs, Rows) and inputs.ndim == 2:
        inputs = inputs.reshape(len(inputs), -1, experiment.inputs.width)  # each example in a row
    graph = build(experiment, training=False)
    checkpoint = original.checkpoint
    if checkpoint is None:
        raise InputError(f"{original.file}: found no checkpoint beside it, expected one to check with")
    expected = Expected(
        {name: tuple(v.shape.as_list()) for name, v in graph.variables.items()}, experiment.variables
    )
    weights = weights_of(checkpoint, expected)
    sources = identify(checkpoint.specs, expected).sources
    labels = _labels(graph, experiment, by_node.get(described.labels))
    with graph.graph.as_default(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # gradients of rows of an embedding become dense
        derived = tf.gradients(graph.loss, list(graph.variables.values()))
        pairs = [
            (name, tf.convert_to_tensor(one))
            for name, one in zip(graph.variables, derived)
            if one is not None
        ]
        with tf.compat.v1.Session() as session:
            session.run(graph.initializer)
            load_variables(
                ((variable, weights.arrays[name]) for name, variable in graph.variables.items()), session
            )
            given: Dict[Any, Any] = {graph.inputs: inputs, graph.keep_prob: 1.0}
            if graph.lengths is not None:
                given[graph.lengths] = _lengths(by_node, inputs)
            outputs = session.run(graph.logits, given)
            if labels is None:
                return AdoptedNumbers(outputs, None, {})
            given[graph.labels] = labels
            loss, values = session.run([graph.loss, [one for _, one in pairs]], given)
    gradients = {
        sources[name].names[0]: value
        for (name, _), value in zip(pairs, values)
        if len(sources[name].names) == 1
    }
    if experiment.head.width != experiment.head.columns:
        outputs = outputs[..., 1:]  # a sigmoid's logits are (0, z) here
    return AdoptedNumbers(outputs, float(loss), gradients)


def _lengths(by_node: Mapping[str, np.ndarray], inputs: np.ndarray) -> np.ndarray:
    """The lengths that the original was fed: the one vector of integers for the batch."""
    found = [a for a in by_node.values() if a.ndim == 1 and a.dtype.kind == "i" and len(a) == len(inputs)]
    return found[0].astype(np.int32) if len(found) == 1 else np.full(len(inputs), inputs.shape[1], np.int32)


def _labels(graph: Graph, experiment: Experiment, fed: Optional[np.ndarray]) -> Optional[np.ndarray]:
    """The original's labels in the form that the adopted graph takes; None where there is none."""
    if fed is None:
        return None
    rank = len(graph.labels.shape)
    if isinstance(experiment.head, Regression):
        return fed.reshape(fed.shape + (1,) * (rank - fed.ndim)) if fed.ndim <= rank else None
    if experiment.per_step:
        return (fed if fed.dtype.kind == "i" else fed.argmax(-1)).astype(np.int32)
    columns = experiment.head.columns
    if fed.dtype.kind == "i" and fed.ndim == 1:
        return np.eye(columns, dtype=np.float32)[fed]
    if not isinstance(experiment.head, Softmax):
        return np.eye(2, dtype=np.float32)[fed.reshape(-1).astype(int)]
    return fed.astype(np.float32) if fed.ndim == 2 and fed.shape[1] == columns else None


def _differences(right: AdoptedNumbers, found: AdoptedNumbers) -> Dict[str, Optional[float]]:
    same = right.gradients and set(right.gradients) == set(found.gradients) and found.loss is not None
    gradients = (
        [_largest(array, found.gradients[name]) for name, array in right.gradients.items()] if same else []
    )
    losses = None
    if right.loss is not None and found.loss is not None:
        losses = _largest(np.asarray(right.loss), np.asarray(found.loss))
    return {
        "outputs": _largest(right.outputs, found.outputs),
        "loss": losses,
        "gradients": max(gradients) if gradients else None,
    }


def _largest(right: np.ndarray, found: np.ndarray) -> float:
    """The largest difference, relative where a number is above 1; infinite for other sizes."""
    if right.size != found.size:
        return float("inf")
    first, second = right.reshape(-1).astype(np.float64), found.reshape(-1).astype(np.float64)
    return float((np.abs(first - second) / np.maximum(1.0, np.abs(first))).max()) if first.size else 0.0


def _alternatives(
    original: Original, described: Described, experiment: Experiment, feeds: Feeds, right: AdoptedNumbers
) -> Iterator[Dict[str, Any]]:
    """Single settings that would make the outputs agree."""
    settings = experiment.settings()
    for path, values in ALTERNATIVES.items():
        if path not in settings:
            continue
        for value in values:
            if value == settings[path]:
                continue
            try:
                changed = dataclasses.replace(experiment.with_settings({path: value}), data=experiment.data)
                found = _numbers(original, described, changed, feeds)
            except (InputError, ValueError):
                continue
            if _largest(right.outputs, found.outputs) <= TOLERANCE:
                yield {path: value}
