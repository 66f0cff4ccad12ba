"""Recurrent cells by name, and which variable of which cell plays which role."""

from typing import Any, Dict, Optional

from tensorflow.python.ops.rnn_cell_impl import LayerRNNCell

from tf1_lstm.graphs.dropout import LoopClock, StepSeededDropout
from tf1_lstm.graphs.quiet import tf
from tf1_lstm.recipes.settings import GraphSettings

# cell -> (first part of its roles, {end of the variable's name: last part of the role}).
ROLES: Dict[str, Any] = {
    "basic_rnn": ("rnn", {"kernel": "kernel", "bias": "bias"}),
    "basic_lstm": ("lstm", {"kernel": "kernel", "bias": "bias"}),
    "lstm_peephole": (
        "lstm",
        {name: name for name in ("kernel", "bias", "w_i_diag", "w_f_diag", "w_o_diag")},
    ),
    "lstm_coupled": ("lstm", {"W_0": "kernel", "B": "bias"}),
    "gru": (
        "gru",
        {name: name for name in ("gates/kernel", "gates/bias", "candidate/kernel", "candidate/bias")},
    ),
    "gru_reset_after": ("gru", {name: name for name in ("kernel", "recurrent_kernel", "bias")}),
}


class ResetAfterGRUCell(LayerRNNCell):
    """Keras's and cuDNN's GRU: the reset gate is applied after the recurrent product.

    ``tf.nn.rnn_cell.GRUCell`` applies it before. Variables as in ``tf.keras.layers.GRU(reset_after=True)``:
    ``kernel`` [inputs, 3 * units], ``recurrent_kernel`` [units, 3 * units] and ``bias`` [2, 3 * units]
    (of the inputs, of the state), their blocks in the order update, reset, candidate.

    Args:
      units: width of the state.
    """

    def __init__(self, units: int, name: Optional[str] = None) -> None:
        super().__init__(name=name)
        self._units = units

    @property
    def state_size(self) -> int:
        """``units``."""
        return self._units

    @property
    def output_size(self) -> int:
        """``units``."""
        return self._units

    def build(self, inputs_shape: Any) -> None:
        """Make the variables for inputs [batch, inputs]."""
        width = 3 * self._units
        inputs = tf.TensorShape(inputs_shape)[-1]
        inputs = getattr(inputs, "value", inputs)
        zeros = tf.compat.v1.zeros_initializer()
        self._kernel = self.add_variable("kernel", [inputs, width])
        self._recurrent = self.add_variable("recurrent_kernel", [self._units, width])
        self._bias = self.add_variable("bias", [2, width], initializer=zeros)
        self.built = True

    def call(self, inputs: Any, state: Any) -> Any:
        """One step: inputs [batch, inputs] and state [batch, units] to (state, state)."""
        of_inputs = tf.nn.bias_add(tf.matmul(inputs, self._kernel), self._bias[0])
        of_state = tf.nn.bias_add(tf.matmul(state, self._recurrent), self._bias[1])
        update_x, reset_x, candidate_x = tf.split(of_inputs, 3, axis=1)
        update_h, reset_h, candidate_h = tf.split(of_state, 3, axis=1)
        update = tf.sigmoid(update_x + update_h)
        candidate = tf.tanh(candidate_x + tf.sigmoid(reset_x + reset_h) * candidate_h)
        new = update * state + (1 - update) * candidate
        return new, new


class Dropout:
    """How the cells of one graph drop outputs.

    Attributes:
      keep_prob: scalar float32 tensor.
      iteration: scalar int64 tensor.
      seed: the run's seed.
      exact: stateless masks (``StepSeededDropout``), or TensorFlow's own wrapper.
      steps: time steps of the sequence.
    """

    def __init__(self, keep_prob: Any, iteration: Any, *, seed: int, exact: bool, steps: int) -> None:
        self.steps = steps
        self.keep_prob = keep_prob
        self.iteration = iteration
        self.seed = seed
        self.exact = exact

    def wrap(self, cell: Any, clock: LoopClock, salt: str) -> Any:
        """``cell`` inside a dropout wrapper on its outputs."""
        if self.exact:
            return StepSeededDropout(
                cell,
                clock,
                salt,
                seed=self.seed,
                iteration=self.iteration,
                output_keep_prob=self.keep_prob,
                steps=self.steps,
            )
        return tf.nn.rnn_cell.DropoutWrapper(cell, output_keep_prob=self.keep_prob, seed=self.seed)


def make_cell(settings: GraphSettings, direction: str, dropout: Optional[Dropout]) -> Any:
    """One cell, or a stack of them, for one direction (``"fw"`` or ``"bw"``)."""
    clock = LoopClock()
    layers = []
    for layer in range(settings.layers):
        cell = single_cell(settings)
        if dropout is not None:
            cell = dropout.wrap(cell, clock, f"{direction}/{layer}")
        layers.append(cell)
    return layers[0] if settings.layers == 1 else tf.nn.rnn_cell.MultiRNNCell(layers)


def single_cell(settings: GraphSettings) -> Any:
    """One cell of a graph, without dropout."""
    units = settings.units
    if settings.cell == "basic_rnn":
        return tf.nn.rnn_cell.BasicRNNCell(units)
    if settings.cell == "basic_lstm":
        return tf.nn.rnn_cell.BasicLSTMCell(units, forget_bias=settings.forget_bias)
    if settings.cell == "lstm_peephole":
        return tf.nn.rnn_cell.LSTMCell(units, use_peepholes=True, forget_bias=settings.forget_bias)
    if settings.cell == "lstm_coupled":
        # Without peepholes, so that only one thing differs from the basic cell: input gate = 1 - forget gate.
        from tensorflow.contrib.rnn import CoupledInputForgetGateLSTMCell

        return CoupledInputForgetGateLSTMCell(units, forget_bias=settings.forget_bias)
    if settings.cell == "gru_reset_after":
        return ResetAfterGRUCell(units)
    return tf.nn.rnn_cell.GRUCell(units)


def layer_scope(settings: GraphSettings, layer: int) -> str:
    """The variable scope of a layer; a bidirectional one has ``fw`` and ``bw`` inside.

    TensorFlow 1's own names: those of ``dynamic_rnn`` around a ``MultiRNNCell``, of
    ``bidirectional_dynamic_rnn`` and of ``stack_bidirectional_dynamic_rnn``.
    """
    if settings.joined_layers:
        return f"stack_bidirectional_rnn/cell_{layer}/bidirectional_rnn"
    if settings.bidirectional:
        return "bidirectional_rnn"
    return f"rnn/multi_rnn_cell/cell_{layer}" if settings.layers > 1 else "rnn"


def roles_of(settings: GraphSettings, variables: Any) -> Dict[str, Any]:
    """Role -> variable for the recurrent variables of a graph.

    Args:
      settings: the graph's.
      variables: trainable variables, the recurrent ones in the scopes of ``layer_scope``.

    Returns:
      Roles such as ``lstm/fw/0/kernel``, in the order of direction, layer and part.
    """
    kind, parts = ROLES[settings.cell]
    by_name = {variable.op.name: variable for variable in variables}
    roles: Dict[str, Any] = {}
    for direction in ("fw", "bw") if settings.bidirectional else ("fw",):
        for layer in range(settings.layers):
            scope = layer_scope(settings, layer) + "/"
            if settings.bidirectional:
                scope += f"{direction}/"
                if settings.layers > 1 and not settings.joined_layers:
                    scope += f"multi_rnn_cell/cell_{layer}/"
            for ending, part in parts.items():
                matches = [
                    variable
                    for name, variable in by_name.items()
                    if name.startswith(scope) and name.endswith("/" + ending)
                ]
                if len(matches) != 1:
                    raise ValueError(f"{len(matches)} variables end in {scope}*/{ending}: {sorted(by_name)}")
                roles[f"{kind}/{direction}/{layer}/{part}"] = matches[0]
    return roles
