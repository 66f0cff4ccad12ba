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
from tf1_lstm.recipes.experiment import Experiment, FrozenVectors, Regression, Rows, Softmax
from tf1_lstm.runs.arrays import cut_to_lengths

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


class FedBatch(NamedTuple):
    """What was fed to the original graph.

    Attributes:
      feeds: tensor -> array.
      lengths: the steps of each example that count, as the graph has them; None where all do.
    """

    feeds: Feeds
    lengths: Optional[np.ndarray]


class AdoptedCheck(NamedTuple):
    """The original and the adopted model on one batch.

    Attributes:
      differences: ``outputs``, ``loss``, ``gradients`` -> largest difference, relative where a number is
        above 1; None where it could not be compared.
      times: the graph's loss and gradients are so many times the experiment's (of a sum, or a mean over
        something else); 1.0 where they are the same.
      note: how the graph's loss is another one; empty where it is not.
      agree: whether all that could be compared is within the tolerance.
      alternatives: settings whose outputs would agree, where these do not.
    """

    differences: Dict[str, Optional[float]]
    times: float
    note: str
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
    fetches = [output]
    if described.lengths:
        fetches.append(find_tensor(original.graph, described.lengths, original.file, "lengths"))
    ran = run_graph(original, feeds, fetches, limits, loss=loss)
    right = AdoptedNumbers(ran.outputs[output.typed], ran.loss, ran.gradients)
    lengths = ran.outputs[fetches[1].typed] if described.lengths else None
    return compared(original, described, experiment, FedBatch(feeds, lengths), right)


def compared(
    original: Original, described: Described, experiment: Experiment, fed: FedBatch, right: AdoptedNumbers
) -> AdoptedCheck:
    """What the adopted experiment gives of a batch, beside what the original graph gave."""
    found: Dict[str, Optional[float]] = {}
    times, best = 1.0, float("inf")
    for masked in (False, True):
        numbers = _numbers(original, described, experiment, fed, masked)
        differences, scale = _differences(right, numbers)
        worst = max((value for value in differences.values() if value is not None), default=0.0)
        if not found or worst < best:
            found, times, best = differences, scale, worst
        if best <= TOLERANCE or fed.lengths is None or not experiment.per_step:
            break
    agree = all(value is None or value <= TOLERANCE for value in found.values())
    close = (found["outputs"] or 0.0) <= TOLERANCE
    if not close and described.drops:
        return AdoptedCheck(found, times, "drops at random whatever it is fed", False, [])
    others = [] if close else list(_alternatives(original, described, experiment, fed, right))
    return AdoptedCheck(found, times, described.loss_note, agree, others)


def _feeds(
    original: Original, described: Described, experiment: Experiment, given: Mapping[Tensor, np.ndarray]
) -> Feeds:
    """What is fed to the original: what was given, and draws for the rest."""
    graph = original.graph
    feeds: Feeds = dict(given)
    names = {tensor.node for tensor in feeds}
    inputs = next((array for tensor, array in feeds.items() if tensor.node == described.inputs), None)
    batch = len(inputs) if inputs is not None else BATCH
    if inputs is not None and described.steps_first and inputs.ndim > 1:
        batch = inputs.shape[1]
    steps_at = 0 if described.steps_first else 1
    steps = inputs.shape[steps_at] if inputs is not None and inputs.ndim > 1 else described.steps or STEPS
    generator = np.random.RandomState(1)
    words = experiment.words or (2 if described.vectors is None else len(described.vectors))
    for name, node in graph.nodes.items():
        if node.op != "Placeholder" or name in names:
            continue
        shape, dtype = node_shape(node, 0, graph.producer), dtype_of(node)
        is_input, is_label = name == described.inputs, name == described.labels
        if shape is None and not (is_input or is_label):
            shape = ()
        if is_input and described.steps_first:
            extents = _extents(shape, steps, batch, experiment, is_input)
        else:
            extents = _extents(shape, batch, steps, experiment, is_input)
        if dtype in ("string", ""):
            continue
        feeds[Tensor(name, name, 0)] = np.asarray(
            _drawn(generator, experiment, (is_input, is_label), dtype, extents, words, (batch, steps)), dtype
        )
    return feeds


def _drawn(
    generator: np.random.RandomState,
    experiment: Experiment,
    role: Tuple[bool, bool],
    dtype: str,
    extents: Tuple[int, ...],
    words: int,
    sizes: Tuple[int, int],
) -> Any:
    """What is fed to a placeholder: inputs, labels, or what turns neither dropout nor training on."""
    is_input, is_label = role
    batch, steps = sizes
    if is_input:
        return generator.randint(1, words, extents) if dtype.startswith("int") else generator.randn(*extents)
    if is_label:
        return _drawn_labels(generator, experiment, dtype, extents)
    if dtype.startswith("float"):  # a share to keep, or a state to begin with
        return np.zeros(extents) if extents else np.ones(extents)
    if dtype == "bool":
        return np.zeros(extents, bool)  # whether it trains
    return np.full(extents, steps if extents else batch)  # lengths, or the size of the batch


def _drawn_labels(
    generator: np.random.RandomState, experiment: Experiment, dtype: str, extents: Tuple[int, ...]
) -> Any:
    if isinstance(experiment.head, Regression):
        return generator.randn(*extents)
    if dtype.startswith("int"):
        return generator.randint(0, max(2, experiment.head.columns), extents)
    classes = extents[-1] if extents else 1
    if classes > 1:
        return np.eye(classes)[generator.randint(0, classes, extents[:-1])]
    return generator.randint(0, 2, extents)


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
    original: Original, described: Described, experiment: Experiment, fed: FedBatch, masked: bool = False
) -> AdoptedNumbers:
    """What the adopted model gives of the batch; ``masked`` leaves labels behind the lengths out of the loss."""
    by_node = {tensor.node: array for tensor, array in fed.feeds.items()}
    inputs = by_node[described.inputs]
    if described.steps_first:
        inputs = np.swapaxes(inputs, 0, 1)
    if fed.lengths is not None and not isinstance(experiment.inputs, Rows):
        inputs = cut_to_lengths(inputs, fed.lengths)
    if isinstance(experiment.inputs, Rows) and inputs.ndim == 2:
        inputs = inputs.reshape(len(inputs), -1, experiment.inputs.width)  # each example in a row
    vectors = described.vectors if isinstance(experiment.inputs, FrozenVectors) else None
    graph = build(experiment, None if vectors is None else {"word_vectors": vectors.shape}, training=False)
    checkpoint = original.checkpoint
    if checkpoint is None:
        raise InputError(f"{original.file}: found no checkpoint beside it, expected one to check with")
    expected = Expected(
        {name: tuple(v.shape.as_list()) for name, v in graph.variables.items()}, experiment.variables
    )
    weights = weights_of(checkpoint, expected)
    sources = identify(checkpoint.specs, expected).sources
    labels = _labels(graph, experiment, by_node.get(described.labels))
    if labels is not None and masked and fed.lengths is not None:
        labels = np.where(np.arange(labels.shape[1]) < fed.lengths[:, None], labels, -1)
    with graph.graph.as_default(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # gradients of rows of an embedding become dense
        derived = tf.gradients(graph.loss, list(graph.variables.values()))
        pairs = [
            (name, tf.convert_to_tensor(one))
            for name, one in zip(graph.variables, derived)
            if one is not None
        ]
        with tf.compat.v1.Session() as session:
            session.run(graph.initializer, dict.fromkeys(graph.constant_feeds.values(), vectors))
            load_variables(
                ((variable, weights.arrays[name]) for name, variable in graph.variables.items()), session
            )
            given: Dict[Any, Any] = {graph.inputs: inputs, graph.keep_prob: 1.0}
            if graph.lengths is not None:
                full = np.full(len(inputs), inputs.shape[1])
                given[graph.lengths] = full if fed.lengths is None else fed.lengths
            outputs = session.run(graph.logits, given)
            if experiment.head.width != experiment.head.columns:
                outputs = outputs[..., 1:]  # a sigmoid's logits are (0, z) here
            if labels is None:
                return AdoptedNumbers(outputs, None, {})
            given[graph.labels] = labels
            loss, values = session.run([graph.loss, [one for _, one in pairs]], given)
    gradients = {
        sources[name].names[0]: value
        for (name, _), value in zip(pairs, values)
        if len(sources[name].names) == 1
    }
    return AdoptedNumbers(outputs, float(loss), gradients)


def _labels(graph: Graph, experiment: Experiment, fed: Optional[np.ndarray]) -> Optional[np.ndarray]:
    """The original's labels in the form that the adopted graph takes; None where there is none."""
    if fed is None:
        return None
    shape = graph.labels.shape.as_list()
    found: Optional[np.ndarray] = None
    columns = experiment.head.columns
    if isinstance(experiment.head, Regression):
        found = fed.reshape(fed.shape + (1,) * (len(shape) - fed.ndim)) if fed.ndim <= len(shape) else None
    elif experiment.per_step:
        found = (fed if fed.dtype.kind == "i" else fed.argmax(-1)).astype(np.int32)
    elif not isinstance(experiment.head, Softmax):
        found = np.eye(2, dtype=np.float32)[fed.reshape(-1).astype(int)]
    elif fed.dtype.kind == "i" and fed.ndim == 1:
        found = np.eye(columns, dtype=np.float32)[fed]
    elif fed.ndim == 2:
        found = fed.astype(np.float32)
    fits = found is not None and graph.labels.shape.is_compatible_with(found.shape)
    return found if fits else None


def _differences(right: AdoptedNumbers, found: AdoptedNumbers) -> Tuple[Dict[str, Optional[float]], float]:
    """The differences, and how many times the experiment's loss the graph's is."""
    losses: Optional[float] = None
    gradients: Optional[float] = None
    times = 1.0
    if right.loss is not None and found.loss is not None:
        # A sum, or a mean over something else, has gradients that are as many times the experiment's.
        ratio = right.loss / found.loss if found.loss else 1.0
        times = 1.0 if abs(ratio - 1) <= TOLERANCE else ratio
        losses = _largest(np.asarray(right.loss), np.asarray(found.loss))
        if right.gradients and set(right.gradients) == set(found.gradients):
            pairs = [(array, found.gradients[name]) for name, array in right.gradients.items()]
            gradients = max(_largest(one, other) for one, other in pairs)
            scaled = max(_largest(one / times, other) for one, other in pairs)
            if scaled <= TOLERANCE:
                losses, gradients = _largest(np.asarray(right.loss / times), np.asarray(found.loss)), scaled
            else:
                times = 1.0
    outputs = _largest(right.outputs, found.outputs)
    return {"outputs": outputs, "loss": losses, "gradients": gradients}, times


def _largest(right: np.ndarray, found: np.ndarray) -> float:
    """The largest difference, relative where a number is above 1; infinite for other sizes."""
    if right.size != found.size:
        return float("inf")
    first, second = right.reshape(-1).astype(np.float64), found.reshape(-1).astype(np.float64)
    return float((np.abs(first - second) / np.maximum(1.0, np.abs(first))).max()) if first.size else 0.0


def _alternatives(
    original: Original, described: Described, experiment: Experiment, fed: FedBatch, right: AdoptedNumbers
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
                found = _numbers(original, described, changed, fed)
            except (InputError, ValueError, tf.errors.OpError):
                continue
            if _largest(right.outputs, found.outputs) <= TOLERANCE:
                yield {path: value}
