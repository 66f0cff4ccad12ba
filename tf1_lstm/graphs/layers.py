"""The recurrent layers of a graph, from a sequence to what the next layer reads."""

from typing import Any, NamedTuple, Optional, Tuple

from tf1_lstm.graphs.cells import Dropout, layer_scope, make_cell, single_cell
from tf1_lstm.graphs.dropout import PlacedDropout
from tf1_lstm.graphs.quiet import tf
from tf1_lstm.recipes.settings import GraphSettings

# TensorFlow's own default for dynamic_rnn.
PARALLEL_ITERATIONS = 32


class Recurrence(NamedTuple):
    """What the recurrent layers give.

    Attributes:
      outputs: of the last layer, ``[batch, steps, units]``; a (forward, backward) pair for two directions.
      states: final states: of the whole stack as ``dynamic_rnn`` returns them, or a tuple with one for
        each layer where the layers run one after the other; a pair for two directions.
      last: what is read of them, ``[batch, units]`` or ``[batch, 2 * units]``.
    """

    outputs: Any
    states: Any
    last: Any


def one_by_one(settings: GraphSettings) -> bool:
    """Whether each layer runs over the whole sequence before the next begins.

    The numbers are those of a stack in one loop; but dropout between layers then stands outside of the
    loop, and a layer can read both directions of the one below.
    """
    return bool(settings.places) or settings.joined_layers


def recurrence(
    settings: GraphSettings, sequence: Any, in_loop: Optional[Dropout], placed: PlacedDropout
) -> Recurrence:
    """Run all layers over ``sequence``, ``[batch, steps, inputs]``."""
    if one_by_one(settings):
        outputs, states = _layer_by_layer(settings, sequence, placed)
    else:
        outputs, states = _one_loop(settings, sequence, in_loop)
    return Recurrence(outputs, states, _read(settings, outputs, states))


def _one_loop(settings: GraphSettings, sequence: Any, dropout: Optional[Dropout]) -> Tuple[Any, Any]:
    forward = make_cell(settings, "fw", dropout)
    if settings.bidirectional:
        return _both(forward, make_cell(settings, "bw", dropout), sequence, None)
    return _one(forward, sequence, None)


def _layer_by_layer(settings: GraphSettings, sequence: Any, dropout: PlacedDropout) -> Tuple[Any, Any]:
    outputs: Any = None
    states = []
    for layer in range(settings.layers):
        if layer:
            sequence = tf.concat(outputs, axis=2) if settings.bidirectional else outputs
            sequence = dropout(sequence, "layers", str(layer))
        sequence = dropout(sequence, "inputs", str(layer), one_mask=True)
        scope = layer_scope(settings, layer)
        if settings.bidirectional:
            outputs, state = _both(single_cell(settings), single_cell(settings), sequence, scope)
        else:
            outputs, state = _one(single_cell(settings), sequence, scope)
        states.append(state)
    return outputs, tuple(zip(*states)) if settings.bidirectional else tuple(states)


def _one(cell: Any, sequence: Any, scope: Optional[str]) -> Tuple[Any, Any]:
    return tf.compat.v1.nn.dynamic_rnn(
        cell, sequence, dtype=tf.float32, parallel_iterations=PARALLEL_ITERATIONS, scope=scope
    )


def _both(forward: Any, backward: Any, sequence: Any, scope: Optional[str]) -> Tuple[Any, Any]:
    return tf.compat.v1.nn.bidirectional_dynamic_rnn(
        forward,
        backward,
        sequence,
        dtype=tf.float32,
        parallel_iterations=PARALLEL_ITERATIONS,
        scope=scope,
    )


def _read(settings: GraphSettings, outputs: Any, states: Any) -> Any:
    """What the layer behind the recurrent ones reads."""
    if settings.bidirectional:
        hidden = [_hidden(settings, state) for state in states]
        return hidden[1] if settings.readout == "backward-state" else tf.concat(hidden, 1)
    if settings.readout == "last-state":
        return _hidden(settings, states)
    by_step = tf.transpose(outputs, [1, 0, 2])  # [steps, batch, units]
    return tf.gather(by_step, tf.shape(by_step)[0] - 1 if settings.any_steps else settings.steps - 1)


def _hidden(settings: GraphSettings, state: Any) -> Any:
    """h of the last layer's final state, [batch, units]."""
    if settings.layers > 1 or one_by_one(settings):
        state = state[-1]
    return state.h if isinstance(state, tf.nn.rnn_cell.LSTMStateTuple) else state
