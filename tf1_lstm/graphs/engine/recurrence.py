"""All recurrent layers of a graph on the fast engine: the variables, masks and results of the exact one."""

from typing import Any, Dict, List, NamedTuple, Optional

from tf1_lstm.core.cells import DIRECTIONS, canonical_name, cell_name
from tf1_lstm.core.tensorflow import tf
from tf1_lstm.errors import InputError
from tf1_lstm.graphs.cells import GraphDropout, layer_scope, make_cell, recurrent_variables
from tf1_lstm.graphs.dropout import LoopClock, PlacedDropout
from tf1_lstm.graphs.engine.layers import CELLS, Result, layer
from tf1_lstm.graphs.engine.library import EngineChoice
from tf1_lstm.graphs.layers import Recurrence, Sequence, one_by_one, read_out
from tf1_lstm.recipes.experiment import Experiment, Recurrent


class _Direction(NamedTuple):
    """What one direction of a layer gives: see ``layers.Result``; and its state as TensorFlow has it."""

    outputs: Any
    h: Any
    state: Any


class FastLayers:
    """The recurrent layers of one graph.

    Args:
      engine: which one.
      experiment: checked for what the engine lacks.
      training: whether gradients will be asked for.

    Raises:
      InputError: the experiment has something that the engine lacks.
    """

    def __init__(self, engine: EngineChoice, experiment: Experiment, training: bool) -> None:
        check_supported(experiment)
        self._engine, self._training = engine, training

    def recurrence(
        self, recurrent: Recurrent, sequence: Sequence, in_loop: Optional[GraphDropout], placed: PlacedDropout
    ) -> Recurrence:
        """Run all layers over a sequence; see ``layers.recurrence``."""
        if in_loop is not None and not in_loop.exact:
            raise InputError(
                "--engine fast: found --not-exact, expected without (its masks are the exact ones)"
            )
        joined = one_by_one(recurrent, placed.is_used)
        variables = _make_variables(recurrent, sequence.values.shape[2].value, joined)
        if not joined:
            directions = [
                self._stack(recurrent, variables, sequence, in_loop, direction)
                for direction in range(recurrent.directions)
            ]
            found = _joined(recurrent, directions)
            if recurrent.read == "output" and recurrent.directions == 1 and sequence.lengths is None:
                return found._replace(last=directions[0].last)
        else:
            found = self._layers(recurrent, variables, sequence, placed)
        last = read_out(recurrent, sequence, found.outputs, found.states, placed.is_used)
        return found._replace(last=last)

    def _layers(
        self, recurrent: Recurrent, variables: Dict[str, Any], sequence: Sequence, dropout: PlacedDropout
    ) -> Recurrence:
        """Layer by layer, as ``layers._layer_by_layer``."""
        outputs: Any = None
        states: List[Any] = []
        values = sequence.values
        for number in range(recurrent.layers):
            if number:
                values = tf.concat(outputs, axis=2) if recurrent.directions == 2 else outputs[0]
                values = dropout(values, "layers", str(number))
            values = dropout(values, "inputs", str(number), one_mask=True)
            values = dropout(values, "inputs-each-step", str(number))
            found = [
                self._one(recurrent, variables, sequence, values, direction, number)
                for direction in range(recurrent.directions)
            ]
            outputs = [one.outputs for one in found]
            states.append([one.state for one in found])
        if recurrent.directions == 2:
            return Recurrence(tuple(outputs), tuple(zip(*states)), None)
        return Recurrence(outputs[0], tuple(state[0] for state in states), None)

    def _stack(
        self,
        recurrent: Recurrent,
        variables: Dict[str, Any],
        sequence: Sequence,
        dropout: Optional[GraphDropout],
        direction: int,
    ) -> Recurrence:
        """One direction of a stack, each layer reading the dropped outputs of the one below."""
        values = sequence.values
        states = []
        for number in range(recurrent.layers):
            found = self._one(recurrent, variables, sequence, values, direction, number)
            values, last = found.outputs, found.h
            if dropout is not None:
                masks = dropout.masks(f"{DIRECTIONS[direction]}/{number}")
                values, last = masks.drop_all(values, direction == 1, sequence.lengths), masks.drop_last(last)
            states.append(found.state)
        return Recurrence(values, states[0] if recurrent.layers == 1 else tuple(states), last)

    def _one(
        self,
        recurrent: Recurrent,
        variables: Dict[str, Any],
        sequence: Sequence,
        values: Any,
        direction: int,
        number: int,
    ) -> _Direction:
        """One direction of one layer."""
        cell = recurrent.cell
        name = cell_name(cell)
        place = 0 if recurrent.shared_cell else number
        parts = {part: variables[canonical_name(name, direction, place, part)] for part in cell.shapes(1)}
        looked_up = sequence.looked_up if values is sequence.values else None
        read_later = number < recurrent.layers - 1 or _reads_outputs(recurrent, sequence)

        def run(all_outputs: bool, training: bool) -> Result:
            return layer(
                self._engine,
                name,
                parts,
                values if looked_up is None else looked_up,
                forget_bias=cell.added_forget_bias or 0.0,
                reverse=direction == 1,
                lengths=sequence.lengths,
                all_outputs=all_outputs,
                training=training,
            )

        found = run(read_later, self._training)
        # Where nothing reads the outputs, they are calculated only if somebody asks for them.
        outputs = found.outputs if read_later else run(True, False).outputs
        state = found.h if found.c is None else tf.nn.rnn_cell.LSTMStateTuple(found.c, found.h)
        return _Direction(outputs, found.h, state)


def check_supported(experiment: Experiment) -> None:
    """Refuse what the engine lacks; everything built in is there.

    Raises:
      InputError: names the setting.
    """
    recurrent = experiment.recurrent
    name = cell_name(recurrent.cell)
    activation = getattr(recurrent.cell, "activation", "tanh")
    lacks = [
        ("recurrent.cell", type(recurrent.cell).__name__, f"one of {', '.join(CELLS)}", name not in CELLS),
        ("recurrent.cell.activation", activation, "tanh", activation != "tanh"),
        ("recurrent.mask", recurrent.mask, "none or lengths", recurrent.mask == "mask_zero"),
        ("recurrent.carried_state", recurrent.carried_state, False, recurrent.carried_state),
    ]
    for setting, found, expected, lacking in lacks:
        if lacking:
            raise InputError(f"--engine fast: setting {setting}: found {found}, expected {expected}")


def _reads_outputs(recurrent: Recurrent, sequence: Sequence) -> bool:
    """Whether anything reads outputs of the last layer other than its last state."""
    if recurrent.read == "state":
        return False
    return not (recurrent.read == "output" and recurrent.directions == 1 and sequence.lengths is None)


def _joined(recurrent: Recurrent, directions: List[Recurrence]) -> Recurrence:
    if recurrent.directions == 1:
        return directions[0]._replace(last=None)
    forward, backward = directions
    return Recurrence((forward.outputs, backward.outputs), (forward.states, backward.states), None)


def _make_variables(recurrent: Recurrent, inputs: int, joined: bool) -> Dict[str, Any]:
    """Make the variables of every layer with the names that the exact graph gives them.

    Each cell is called once on zeros, in the scope that it runs in there; nothing reads what it gives.
    """
    if joined:
        shared = recurrent.cell.tensorflow() if recurrent.shared_cell else None
        for number in range(recurrent.layers):
            width = inputs if number == 0 else recurrent.directions * recurrent.units[number - 1]
            cells = [shared or recurrent.cell_of(number).tensorflow() for _ in range(recurrent.directions)]
            _call(cells, width, layer_scope(recurrent, number))
    else:
        names = DIRECTIONS[: recurrent.directions]
        cells = [make_cell(recurrent, name, None, LoopClock()) for name in names]
        _call(cells, inputs, "rnn" if recurrent.directions == 1 else "bidirectional_rnn")
    return recurrent_variables(recurrent, tf.compat.v1.trainable_variables())


def _call(cells: List[Any], inputs: int, scope: str) -> None:
    with tf.compat.v1.variable_scope(scope):
        if len(cells) == 1:
            cells[0](tf.zeros([1, inputs]), cells[0].zero_state(1, tf.float32))
            return
        for name, cell in zip(DIRECTIONS, cells):
            with tf.compat.v1.variable_scope(name):
                cell(tf.zeros([1, inputs]), cell.zero_state(1, tf.float32))
