"""Recurrent cells of a graph: stacked, with dropout, with masks; and which variable is which weight."""

import re
from typing import Any, Dict, List, Optional

from tf1_lstm.core.cells import DIRECTIONS, canonical_name, cell_name
from tf1_lstm.core.tensorflow import tf
from tf1_lstm.errors import InputError
from tf1_lstm.graphs.dropout import LoopClock, StepMasks, StepSeededDropout
from tf1_lstm.recipes.experiment import Recurrent

LAYER_IN_SCOPE = re.compile(r"/cell_(\d+)/")


class GraphDropout:
    """How the cells of one graph drop outputs.

    Attributes:
      keep_prob: scalar float32 tensor.
      iteration: scalar int64 tensor.
      seed: the run's seed.
      exact: stateless masks (``StepSeededDropout``), or TensorFlow's own wrapper.
      steps: time steps of the sequence, an int or a scalar tensor.
    """

    def __init__(self, keep_prob: Any, iteration: Any, *, seed: int, exact: bool, steps: Any) -> None:
        self.steps = steps
        self.keep_prob = keep_prob
        self.iteration = iteration
        self.seed = seed
        self.exact = exact

    def masks(self, salt: str) -> StepMasks:
        """The masks of the cell of that name (``fw/0``), where they are stateless."""
        return StepMasks(
            salt, seed=self.seed, iteration=self.iteration, keep_prob=self.keep_prob, steps=self.steps
        )

    def wrap(self, cell: Any, clock: LoopClock, salt: str) -> Any:
        """``cell`` inside a dropout wrapper on its outputs."""
        if self.exact:
            return StepSeededDropout(cell, clock, self.masks(salt), self.keep_prob)
        return tf.nn.rnn_cell.DropoutWrapper(cell, output_keep_prob=self.keep_prob, seed=self.seed)


class MaskedCell(tf.nn.rnn_cell.RNNCell):
    """A cell that leaves out steps, as Keras does with a mask: the state and the output stay as they were.

    The mask is the last column of its inputs. It opens no variable scope of its own.

    Args:
      cell: the cell, or stack of cells, inside.
      clock: shared with dropout wrappers inside.
    """

    def __init__(self, cell: Any, clock: LoopClock) -> None:
        super().__init__()
        self._cell, self._clock = cell, clock

    @property
    def state_size(self) -> Any:
        """As the cell's, and the last output."""
        return (self._cell.state_size, self._cell.output_size)

    @property
    def output_size(self) -> Any:
        """As the cell's."""
        return self._cell.output_size

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:
        """One step: inputs ``[batch, inputs + 1]``."""
        self._clock.read(inputs)
        read = inputs[:, -1] > 0  # [batch]
        output, new = self._cell(inputs[:, :-1], state[0], scope=scope)
        kept = tf.nest.map_structure(lambda now, old: tf.where(read, now, old), new, state[0])
        output = tf.where(read, output, state[1])
        return output, (kept, output)


def make_cell(
    recurrent: Recurrent,
    direction: str,
    dropout: Optional[GraphDropout],
    clock: LoopClock,
    drop_top: bool = True,
) -> Any:
    """One cell, or a stack of them, for one direction.

    Args:
      recurrent: the layers.
      direction: ``"fw"`` or ``"bw"``.
      dropout: on the cells' outputs; None for none.
      clock: shared by the dropout wrappers.
      drop_top: also on those of the last layer.
    """
    layers = []
    shared = recurrent.cell.tensorflow() if recurrent.shared_cell else None
    for layer in range(recurrent.layers):
        cell = recurrent.cell_of(layer).tensorflow() if shared is None else shared
        if dropout is not None and (drop_top or layer < recurrent.layers - 1):
            cell = dropout.wrap(cell, clock, f"{direction}/{layer}")
        layers.append(cell)
    return layers[0] if recurrent.layers == 1 else tf.nn.rnn_cell.MultiRNNCell(layers)


def layer_scope(recurrent: Recurrent, layer: int) -> str:
    """The variable scope of a layer; a bidirectional one has ``fw`` and ``bw`` inside.

    TensorFlow 1's own names: those of ``dynamic_rnn`` around a ``MultiRNNCell``, of
    ``bidirectional_dynamic_rnn`` and of ``stack_bidirectional_dynamic_rnn``.
    """
    if recurrent.joined_layers:
        return f"stack_bidirectional_rnn/cell_{layer}/bidirectional_rnn"
    if recurrent.bidirectional is not None:
        return "bidirectional_rnn"
    return f"rnn/multi_rnn_cell/cell_{layer}" if recurrent.layers > 1 else "rnn"


def layer_of(name: str) -> int:
    """The layer, from 0, of a recurrent variable, by the scope that ``layer_scope`` gave it."""
    numbered = LAYER_IN_SCOPE.search(name)
    return int(numbered.group(1)) if numbered else 0


def recurrent_variables(recurrent: Recurrent, variables: Any) -> Dict[str, Any]:
    """Canonical name -> variable for the recurrent variables of a graph.

    Args:
      recurrent: the graph's layers.
      variables: trainable variables, the recurrent ones in the scopes of ``layer_scope``.

    Returns:
      Names such as ``lstm/fw/0/kernel``, in the order of direction, layer and part.
    """
    by_name = {variable.op.name: variable for variable in variables}
    found: Dict[str, Any] = {}
    for direction in range(recurrent.directions):
        for layer in range(1 if recurrent.shared_cell else recurrent.layers):
            found.update(_of_layer(recurrent, by_name, direction, layer))
    return found


def _of_layer(recurrent: Recurrent, by_name: Dict[str, Any], direction: int, layer: int) -> Dict[str, Any]:
    scope = layer_scope(recurrent, layer) + "/"
    if recurrent.bidirectional is not None:
        scope += f"{DIRECTIONS[direction]}/"
        if recurrent.layers > 1 and not recurrent.joined_layers:
            scope += f"multi_rnn_cell/cell_{layer}/"
    found: Dict[str, Any] = {}
    name = cell_name(recurrent.cell)
    for part in recurrent.cell.shapes(1):
        ending = recurrent.cell.variable_name(part, "1.2").partition("/")[2]
        matches: List[Any] = [
            variable
            for key, variable in by_name.items()
            if key.startswith(scope) and key.endswith("/" + ending)
        ]
        if len(matches) != 1:
            raise InputError(
                f"{type(recurrent.cell).__name__}: {len(matches)} variables end in {scope}…/{ending}, expected "
                f"one; its part_shapes and tensorflow() disagree (there are {', '.join(sorted(by_name)[:8])})"
            )
        found[canonical_name(name, direction, layer, part)] = matches[0]
    return found
