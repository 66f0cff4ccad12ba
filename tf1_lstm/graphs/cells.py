"""Recurrent cells by name, and which variable of which cell plays which role."""

from typing import Any, Dict, Optional

from tf1_lstm.graphs.dropout import LoopClock, StepSeededDropout
from tf1_lstm.graphs.quiet import tf
from tf1_lstm.recipes.base import GraphSettings

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
}


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
        cell = _single_cell(settings)
        if dropout is not None:
            cell = dropout.wrap(cell, clock, f"{direction}/{layer}")
        layers.append(cell)
    return layers[0] if settings.layers == 1 else tf.nn.rnn_cell.MultiRNNCell(layers)


def _single_cell(settings: GraphSettings) -> Any:
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
    return tf.nn.rnn_cell.GRUCell(units)


def roles_of(settings: GraphSettings, variables: Any) -> Dict[str, Any]:
    """Role -> variable for the recurrent variables of a graph.

    Args:
      settings: the graph's.
      variables: trainable variables under ``rnn/`` or ``bidirectional_rnn/``.

    Returns:
      Roles such as ``lstm/fw/0/kernel``, in the order of direction, layer and part.
    """
    kind, parts = ROLES[settings.cell]
    by_name = {variable.op.name: variable for variable in variables}
    roles: Dict[str, Any] = {}
    for direction in ("fw", "bw") if settings.bidirectional else ("fw",):
        for layer in range(settings.layers):
            scope = f"bidirectional_rnn/{direction}/" if settings.bidirectional else "rnn/"
            if settings.layers > 1:
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
