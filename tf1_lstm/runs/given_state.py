"""Recurrent layers that begin with states of one's own, and what they end with."""

from typing import Any, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from tf1_lstm.core.cells import DIRECTIONS
from tf1_lstm.core.tensorflow import tf
from tf1_lstm.errors import InputError
from tf1_lstm.recipes.experiment import Recurrent
from tf1_lstm.runs.arrays import AT_ONCE, feeds_of
from tf1_lstm.runs.model import Model


class StateOutputs(NamedTuple):
    """What a model gives for a batch.

    Attributes:
      logits: as ``graphs.build.Graph`` has them; the numbers of a regression.
      outputs: of the last recurrent layer, ``[batch, steps, units]``; both directions side by side,
        ``[batch, steps, 2 * units]``.
      states: the last ones, in the order of ``state_names``; what ``initial_state`` takes.
    """

    logits: np.ndarray
    outputs: np.ndarray
    states: List[np.ndarray]


def state_names(recurrent: Recurrent) -> List[str]:
    """The states in order, as Keras has them: layer after layer, forward before backward, h before c.

    ``fw/0/h``, ``fw/0/c``, ``bw/0/h``, ...; each is ``[batch, units]`` of that layer.
    """
    parts = recurrent.cell.states[-1:] + recurrent.cell.states[:-1]
    return [
        f"{direction}/{layer}/{part}"
        for layer in range(recurrent.layers)
        for direction in DIRECTIONS[: recurrent.directions]
        for part in parts
    ]


def outputs_from(
    model: Model,
    inputs: np.ndarray,
    where: str,
    initial_state: Optional[Sequence[np.ndarray]] = None,
    lengths: Optional[np.ndarray] = None,
) -> StateOutputs:
    """Run a model over a batch from given states, dropout off.

    Args:
      model: built with ``given_state``, and filled.
      inputs, where, lengths: as in ``arrays.feeds_of``.
      initial_state: an array ``[batch, units]`` for each of ``state_names``; zeros if None.

    Raises:
      InputError: inputs or states of another number, type or shape.
    """
    recurrent, graph = model.recipe.recurrent, model.graph
    names = state_names(recurrent)
    placeholders = dict(_named(recurrent, graph.initial_state))
    shapes = [(len(inputs), placeholders[name].shape[1].value) for name in names]
    if initial_state is None:
        initial_state = [np.zeros(shape, np.float32) for shape in shapes]
    if len(initial_state) != len(names):
        raise InputError(f"{where}: found {len(initial_state)} states, expected {', '.join(names)}")
    begun = [np.asarray(state) for state in initial_state]
    for name, state, shape in zip(names, begun, shapes):
        if state.shape != shape or state.dtype.kind != "f":
            raise InputError(
                f"{where}: found the state {name} {state.dtype} {list(state.shape)}, expected numbers {list(shape)}"
            )
    last = dict(_named(recurrent, graph.states))
    outputs = graph.outputs if recurrent.bidirectional is None else tf.nest.flatten(graph.outputs)
    found = []
    for number, feeds in enumerate(feeds_of(model, inputs, where, lengths)):
        rows = slice(number * AT_ONCE, (number + 1) * AT_ONCE)
        feeds.update({placeholders[name]: state[rows] for name, state in zip(names, begun)})
        logits, given, states = model.session.run([graph.logits, outputs, [last[n] for n in names]], feeds)
        found.append([logits, given if isinstance(given, np.ndarray) else np.concatenate(given, 2), *states])
    logits, given, *states = (np.concatenate(parts) for parts in zip(*found))
    return StateOutputs(logits, given, states)


def _named(recurrent: Recurrent, states: Any) -> List[Tuple[str, Any]]:
    """The name of each tensor of a graph's states, which come direction after direction."""
    names = [
        f"{direction}/{layer}/{part}"
        for direction in DIRECTIONS[: recurrent.directions]
        for layer in range(recurrent.layers)
        for part in recurrent.cell.states
    ]
    return list(zip(names, tf.nest.flatten(states)))
