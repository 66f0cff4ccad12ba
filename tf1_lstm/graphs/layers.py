"""The recurrent layers of a graph, from a sequence to what the next layer reads."""

from typing import Any, Callable, NamedTuple, Optional, Tuple

from tf1_lstm.core.tensorflow import tf
from tf1_lstm.graphs.cells import GraphDropout, MaskedCell, layer_scope, make_cell
from tf1_lstm.graphs.dropout import LoopClock, PlacedDropout
from tf1_lstm.recipes.experiment import Recurrent

# TensorFlow's own default for dynamic_rnn.
PARALLEL_ITERATIONS = 32


class Recurrence(NamedTuple):
    """What the recurrent layers give.

    Attributes:
      outputs: of the last layer, ``[batch, steps, units]``; a (forward, backward) pair for two directions.
      states: final states: of the whole stack as ``dynamic_rnn`` returns them, or a tuple with one for
        each layer where the layers run one after the other; a pair for two directions.
      last: what is read of them, ``[batch, width]``, or ``[batch, steps, width]`` where every step is.
    """

    outputs: Any
    states: Any
    last: Any


class Sequence(NamedTuple):
    """What the recurrent layers read.

    Attributes:
      values: ``[batch, steps, inputs]``.
      steps: how many, an int or a scalar tensor.
      lengths: ``[batch]`` int32, steps of each example that count; None for all.
      mask: ``[batch, steps]`` float32, 0 at a step that is left out; None for none.
      looked_up: the table ``[words, inputs]`` and the ids ``[batch, steps]`` that ``values`` are rows of;
        None where they are something else.
    """

    values: Any
    steps: Any
    lengths: Optional[Any] = None
    mask: Optional[Any] = None
    looked_up: Optional[Tuple[Any, Any]] = None


FastRecurrence = Callable[[Recurrent, Sequence, Optional[GraphDropout], PlacedDropout], Recurrence]


def one_by_one(recurrent: Recurrent, placed: bool) -> bool:
    """Whether each layer runs over the whole sequence before the next begins.

    The numbers are those of a stack in one loop; but dropout between layers then stands outside of the
    loop, and a layer can read both directions of the one below.

    Args:
      recurrent: the layers.
      placed: whether there is dropout at named places.
    """
    return placed or recurrent.joined_layers


def recurrence(
    recurrent: Recurrent,
    sequence: Sequence,
    in_loop: Optional[GraphDropout],
    placed: PlacedDropout,
    initial_state: Optional[Any] = None,
    fast: Optional[FastRecurrence] = None,
) -> Recurrence:
    """Run all layers over a sequence.

    Args:
      recurrent: the layers.
      sequence: what they read.
      in_loop: dropout on the cells' outputs; None for none.
      placed: dropout at named places.
      initial_state: arranged as the states that are returned; zeros if None.
      fast: calculates each layer in place of ``dynamic_rnn``.
    """
    if recurrent.go_backwards:
        sequence = _reversed(sequence)
    if fast is not None:
        return fast(recurrent, sequence, in_loop, placed)
    if in_loop is not None and _reads_last_only(recurrent, sequence, in_loop):
        return _without_dead_dropout(recurrent, sequence, in_loop, initial_state)
    if one_by_one(recurrent, placed.is_used):
        outputs, states = _layer_by_layer(recurrent, sequence, placed, initial_state)
    else:
        outputs, states = _one_loop(recurrent, sequence, in_loop, initial_state)
    return Recurrence(outputs, states, read_out(recurrent, sequence, outputs, states, placed.is_used))


def given_states(recurrent: Recurrent, placed: bool) -> Any:
    """Placeholders of the states that all layers begin with, arranged as ``Recurrence.states``.

    Args:
      recurrent: the layers.
      placed: whether there is dropout at named places.
    """

    def stack() -> Any:
        sizes = [recurrent.cell_of(layer).tensorflow().state_size for layer in range(recurrent.layers)]
        found = tuple(tf.nest.map_structure(_placeholder, size) for size in sizes)
        return found if recurrent.layers > 1 or one_by_one(recurrent, placed) else found[0]

    return stack() if recurrent.bidirectional is None else (stack(), stack())


def _placeholder(units: int) -> Any:
    return tf.compat.v1.placeholder(tf.float32, [None, units], name="initial_state")


def _reversed(sequence: Sequence) -> Sequence:
    if sequence.lengths is None:
        values = tf.reverse(sequence.values, [1])
    else:
        values = tf.reverse_sequence(sequence.values, sequence.lengths, seq_axis=1)
    mask = None if sequence.mask is None else tf.reverse(sequence.mask, [1])
    return sequence._replace(values=values, mask=mask, looked_up=None)


def _reads_last_only(recurrent: Recurrent, sequence: Sequence, dropout: GraphDropout) -> bool:
    """Whether of the last layer's outputs only that of the last step counts, or none."""
    one_direction = recurrent.bidirectional is None and sequence.mask is None and sequence.lengths is None
    return dropout.exact and one_direction and recurrent.read in ("state", "output")


def _without_dead_dropout(
    recurrent: Recurrent, sequence: Sequence, dropout: GraphDropout, initial_state: Optional[Any]
) -> Recurrence:
    """One loop that leaves the last layer's outputs alone; what is read of them is dropped behind it.

    The bits are those of a wrapper around the last layer as well: it drops what nothing reads, other
    than the output of the last step, which is the state.
    """
    cell = make_cell(recurrent, "fw", dropout, LoopClock(), drop_top=False)
    undropped, states = _one(cell, sequence, None, initial_state)
    masks = dropout.masks(f"fw/{recurrent.layers - 1}")
    last = _hidden(states, recurrent.layers > 1)
    if recurrent.read == "output":
        last = masks.drop_last(last)
    # Calculated only where somebody asks for it.
    return Recurrence(masks.drop_all(undropped), states, last)


def _one_loop(
    recurrent: Recurrent, sequence: Sequence, dropout: Optional[GraphDropout], initial_state: Optional[Any]
) -> Tuple[Any, Any]:
    forward = make_cell(recurrent, "fw", dropout, LoopClock())
    if recurrent.bidirectional is None:
        return _one(forward, sequence, None, initial_state)
    backward = make_cell(recurrent, "bw", dropout, LoopClock())
    return _both(forward, backward, sequence, None, initial_state)


def _layer_by_layer(
    recurrent: Recurrent, sequence: Sequence, dropout: PlacedDropout, initial_state: Optional[Any]
) -> Tuple[Any, Any]:
    outputs: Any = None
    states = []
    shared = recurrent.cell.tensorflow() if recurrent.shared_cell else None
    both = recurrent.bidirectional is not None
    begun: Any = [None] * recurrent.layers if initial_state is None else initial_state
    if both and initial_state is not None:
        begun = list(zip(*initial_state))
    for layer in range(recurrent.layers):
        values = sequence.values
        if layer:
            values = tf.concat(outputs, axis=2) if recurrent.bidirectional is not None else outputs
            values = dropout(values, "layers", str(layer))
        values = dropout(values, "inputs", str(layer), one_mask=True)
        read = sequence._replace(values=dropout(values, "inputs-each-step", str(layer)))
        scope = layer_scope(recurrent, layer)
        if recurrent.bidirectional is not None:
            cells = recurrent.cell_of(layer).tensorflow(), recurrent.cell_of(layer).tensorflow()
            outputs, state = _both(*cells, read, scope, begun[layer])
        else:
            outputs, state = _one(shared or recurrent.cell_of(layer).tensorflow(), read, scope, begun[layer])
        states.append(state)
    return outputs, tuple(zip(*states)) if both else tuple(states)


def _one(
    cell: Any, sequence: Sequence, scope: Optional[str], initial_state: Optional[Any]
) -> Tuple[Any, Any]:
    values = sequence.values
    if sequence.mask is not None:
        cell = MaskedCell(cell, _clock_of(cell))
        values = tf.concat([values, sequence.mask[:, :, None]], axis=2)
        initial_state = _with_output(cell, initial_state, values)
    outputs, state = tf.compat.v1.nn.dynamic_rnn(
        cell,
        values,
        dtype=tf.float32,
        parallel_iterations=PARALLEL_ITERATIONS,
        scope=scope,
        sequence_length=sequence.lengths,
        initial_state=initial_state,
    )
    return outputs, state if sequence.mask is None else state[0]


def _with_output(cell: MaskedCell, initial_state: Optional[Any], values: Any) -> Optional[Any]:
    """The state that a masked cell begins with: that of the cell inside, and an output of zeros."""
    if initial_state is None:
        return None
    return initial_state, cell.zero_state(tf.shape(values)[0], tf.float32)[1]


def _both(
    forward: Any, backward: Any, sequence: Sequence, scope: Optional[str], initial_state: Optional[Any]
) -> Tuple[Any, Any]:
    begun = (None, None) if initial_state is None else initial_state
    values, masked = sequence.values, sequence.mask is not None
    if masked:
        forward = MaskedCell(forward, _clock_of(forward))
        backward = MaskedCell(backward, _clock_of(backward))
        assert sequence.mask is not None
        values = tf.concat([values, sequence.mask[:, :, None]], axis=2)
        begun = tuple(_with_output(cell, one, values) for cell, one in zip((forward, backward), begun))
    outputs, states = tf.compat.v1.nn.bidirectional_dynamic_rnn(
        forward,
        backward,
        values,
        dtype=tf.float32,
        parallel_iterations=PARALLEL_ITERATIONS,
        scope=scope,
        sequence_length=sequence.lengths,
        initial_state_fw=begun[0],
        initial_state_bw=begun[1],
    )
    return outputs, tuple(state[0] for state in states) if masked else states


def _clock_of(cell: Any) -> LoopClock:
    """The clock that the dropout wrappers inside of a cell share; a new one where there are none."""
    cells = getattr(cell, "_cells", [cell])
    return next((inner.clock for inner in cells if hasattr(inner, "clock")), LoopClock())


def read_out(recurrent: Recurrent, sequence: Sequence, outputs: Any, states: Any, placed: bool) -> Any:
    """What the layer behind the recurrent ones reads."""
    if recurrent.read == "state":
        stacked = recurrent.layers > 1 or one_by_one(recurrent, placed)
        if recurrent.bidirectional is None:
            return _hidden(states, stacked)
        return merged(recurrent, [_hidden(state, stacked) for state in states])
    if recurrent.bidirectional is not None:
        outputs = merged(recurrent, outputs)
    if recurrent.read == "output":
        return _last_output(sequence, outputs)
    if recurrent.read == "steps":
        return outputs
    return _over_steps(recurrent.read, sequence, outputs)


def _last_output(sequence: Sequence, outputs: Any) -> Any:
    """The output of the last step that counts, ``[batch, units]``."""
    if sequence.lengths is not None:
        rows = tf.range(tf.shape(outputs)[0])
        return tf.gather_nd(outputs, tf.stack([rows, sequence.lengths - 1], axis=1))
    by_step = tf.transpose(outputs, [1, 0, 2])  # [steps, batch, units]
    steps = sequence.steps
    return tf.gather(by_step, steps - 1 if isinstance(steps, int) else tf.shape(by_step)[0] - 1)


def _over_steps(how: str, sequence: Sequence, outputs: Any) -> Any:
    """Mean or maximum over the steps that count, ``[batch, units]``."""
    counted = sequence.mask
    if sequence.lengths is not None:
        counted = tf.sequence_mask(sequence.lengths, tf.shape(outputs)[1], tf.float32)
    if counted is None:
        return tf.reduce_mean(outputs, 1) if how == "mean" else tf.reduce_max(outputs, 1)
    counted = counted[:, :, None]
    if how == "maximum":
        lowest = tf.fill(tf.shape(outputs), outputs.dtype.min)
        read = tf.cast(counted, tf.bool) & tf.ones_like(outputs, tf.bool)
        return tf.reduce_max(tf.where(read, outputs, lowest), 1)
    return tf.reduce_sum(outputs * counted, 1) / tf.maximum(tf.reduce_sum(counted, 1), 1.0)


def merged(recurrent: Recurrent, both: Any) -> Any:
    """One tensor of a (forward, backward) pair, joined along the last axis or number by number."""
    assert recurrent.bidirectional is not None
    forward, backward = both
    merge = recurrent.bidirectional.merge
    if merge in ("forward", "backward"):
        return forward if merge == "forward" else backward
    if merge == "sum":
        return forward + backward
    if merge == "product":
        return forward * backward
    if merge == "average":
        return (forward + backward) / 2
    return tf.concat([forward, backward], len(forward.shape) - 1)


def _hidden(state: Any, stacked: bool) -> Any:
    """h of the last layer's final state, [batch, units]."""
    if stacked:
        state = state[-1]
    return state.h if isinstance(state, tf.nn.rnn_cell.LSTMStateTuple) else _own_hidden(state)


def _own_hidden(state: Any) -> Any:
    """The last of a state of several tensors, or the only one."""
    return state[-1] if isinstance(state, (tuple, list)) else state
