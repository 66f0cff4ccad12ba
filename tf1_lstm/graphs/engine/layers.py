"""A recurrent layer of a graph on the fast engine: the same variables, another way to calculate."""

from typing import Any, Mapping, NamedTuple, Optional, Tuple

from tf1_lstm.core.tensorflow import tf
from tf1_lstm.graphs.engine.library import INSTRUCTION_SETS, EngineChoice, opened

# In the order of engine.h: name -> gates.
CELLS = {
    "basic_rnn": 1,
    "basic_lstm": 4,
    "lstm_peephole": 4,
    "lstm_coupled": 3,
    "gru": 3,
    "gru_reset_after": 3,
}
WITH_C = ("basic_lstm", "lstm_peephole", "lstm_coupled")
UNIT_PADDING = 32
# Weights of a layer that multiplies its inputs step by step, in floats: with the sums of their gradient they
# stay in a core's cache.
MOST_BY_STEP = 1 << 17

Parts = Mapping[str, Any]


class Result(NamedTuple):
    """What a layer gives.

    Attributes:
      outputs: ``[batch, steps, units]``, zeros behind a sequence's end; empty unless asked for.
      h: ``[batch, units]``, the state after each sequence's last step.
      c: the same of the cell state; None where the cell has none.
    """

    outputs: Any
    h: Any
    c: Optional[Any]


class _Arranged(NamedTuple):
    """A cell's weights as the engine takes them: ``kernel`` [inputs, gates * units] and so on."""

    kernel: Any
    bias: Any
    recurrent: Any
    extra: Any


def layer(
    engine: EngineChoice,
    cell: str,
    parts: Parts,
    sequence: Any,
    *,
    forget_bias: float = 0.0,
    reverse: bool = False,
    lengths: Optional[Any] = None,
    all_outputs: bool = True,
    training: bool = True,
) -> Result:
    """Run one layer over a batch of sequences.

    Args:
      engine: from ``library.choose``.
      cell: one of ``CELLS``.
      parts: part name -> float32 tensor, in TensorFlow 1's layout (see ``parity.cells.ReferenceCell.shapes``).
      sequence: ``[batch, steps, inputs]`` float32; or a pair of a table ``[words, inputs]`` and ids
        ``[batch, steps]`` int32, of which each different word is multiplied with the kernel once.
      forget_bias: added to the forget gate (LSTM only).
      reverse: read each sequence from its end; outputs stand where their inputs do.
      lengths: ``[batch]`` int32, steps of each sequence; all of them if None.
      all_outputs: give the outputs of all steps.
      training: keep what the gradient needs.

    Raises:
      tf.errors.InvalidArgumentError: when it runs, for an id, index or length that is out of range.
    """
    ops = opened()
    how = {"instruction_set": INSTRUCTION_SETS.index(engine.instruction_set), "threads": engine.threads}
    looked_up = isinstance(sequence, tuple)
    inputs, index, size, shape = (_words if looked_up else _rows)(sequence)
    weights = _arrange(cell, parts, inputs.shape[1].value)
    units, gates = weights.recurrent.shape[0].value, CELLS[cell]
    columns = gates * (-(-units // UNIT_PADDING) * UNIT_PADDING)
    by_step = not looked_up and cell != "gru_reset_after"
    by_step = by_step and (inputs.shape[1].value + units) * columns <= MOST_BY_STEP
    if by_step:
        projected = tf.zeros([0, columns])
        given = (inputs, weights.kernel, weights.bias)
    else:
        projected = ops.engine_product(inputs, weights.kernel, weights.bias, gates=gates, **how)
        projected.set_shape([inputs.shape[0], columns])
        given = (tf.zeros([0, 0]), tf.zeros([0, 0]), tf.zeros([0]))
    found = ops.engine_layer(
        projected,
        size,
        index,
        tf.zeros([0], tf.int32) if lengths is None else lengths,
        weights.recurrent,
        weights.extra,
        tf.constant([forget_bias], tf.float32),
        *given,
        multiply=int(by_step),
        cell=list(CELLS).index(cell),
        reverse=int(reverse),
        all_outputs=int(all_outputs),
        keep=int(training),
        **how,
    )
    if all_outputs:
        found.outputs.set_shape([*shape, units])
    found.last_h.set_shape([shape[0], units])
    if cell in WITH_C:
        found.last_c.set_shape([shape[0], units])
    return Result(found.outputs, found.last_h, found.last_c if cell in WITH_C else None)


def _rows(sequence: Any) -> Tuple[Any, Any, Any, Any]:
    """Every step's input as a row; rows, no index, [batch, steps], the static shape of that."""
    size = tf.shape(sequence)[:2]
    rows = tf.reshape(sequence, [-1, sequence.shape[2].value])
    return rows, tf.zeros([0, 0], tf.int32), size, sequence.shape[:2].as_list()


def _words(sequence: Tuple[Any, Any]) -> Tuple[Any, Any, Any, Any]:
    """Each different word of a batch as a row; rows, the row of each step, [batch, steps], its shape."""
    table, ids = sequence
    words, places = tf.unique(tf.reshape(ids, [-1]))
    size = tf.shape(ids)
    return tf.gather(table, words), tf.reshape(places, size), size, ids.shape.as_list()


def _arrange(cell: str, parts: Parts, inputs: int) -> _Arranged:
    nothing = tf.zeros([0, 0])
    if cell == "gru_reset_after":
        units = parts["recurrent_kernel"].shape[0].value
        bias = parts["bias"]
        return _Arranged(parts["kernel"], bias[0], parts["recurrent_kernel"], tf.reshape(bias[1], [3, units]))
    if cell == "gru":
        kernel = tf.concat([parts["gates/kernel"], parts["candidate/kernel"]], axis=1)
        bias = tf.concat([parts["gates/bias"], parts["candidate/bias"]], axis=0)
        return _Arranged(kernel[:inputs], bias, kernel[inputs:], nothing)
    kernel, extra = tf.identity(parts["kernel"]), nothing
    if cell == "lstm_peephole":
        extra = tf.stack([parts[f"w_{gate}_diag"] for gate in "ifo"])
    return _Arranged(kernel[:inputs], tf.identity(parts["bias"]), kernel[inputs:], extra)
