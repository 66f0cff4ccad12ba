"""Two cells that Keras does not have, as ``tf.nn`` and ``tf.contrib.rnn`` compute them.

Their weights have TensorFlow 1's names and layout, so nothing is reordered on the way; the forget
bias is added when the cell runs. Use them in ``keras.layers.RNN``.
"""

from typing import Any, Dict, List, Tuple

import keras
from keras import ops


class _TwoStateCell(keras.layers.Layer):
    """A cell with an output h and a cell state c.

    Args:
      units: width of each.
      forget_bias: added to the forget gate.
      activation: of the candidate and of the output.
    """

    def __init__(
        self, units: int, forget_bias: float = 1.0, activation: str = "tanh", **options: Any
    ) -> None:
        super().__init__(**options)
        self.units = units
        self.forget_bias = forget_bias
        self.activation = activation
        self.activate = keras.activations.get(activation)
        self.state_size = [units, units]  # h, c
        self.output_size = units

    def get_config(self) -> Dict[str, Any]:
        """Return what makes the cell again."""
        own = {"units": self.units, "forget_bias": self.forget_bias, "activation": self.activation}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable("tf1_lstm")
class PeepholeLSTMCell(_TwoStateCell):
    """``tf.nn.rnn_cell.LSTMCell(units, use_peepholes=True)``."""

    def build(self, input_shape: Tuple[int, ...]) -> None:
        """Make the weights for inputs ``[batch, input_shape[-1]]``."""
        rows = input_shape[-1] + self.units
        self.kernel = self.add_weight(shape=(rows, 4 * self.units), name="kernel")
        self.bias = self.add_weight(shape=(4 * self.units,), initializer="zeros", name="bias")
        self.w_i_diag, self.w_f_diag, self.w_o_diag = (
            self.add_weight(shape=(self.units,), name=f"w_{gate}_diag") for gate in "ifo"
        )
        self.built = True

    def call(self, inputs: Any, states: List[Any], training: bool = False) -> Tuple[Any, List[Any]]:
        """Run one step: ``[batch, inputs]`` and two states ``[batch, units]``."""
        h, c = states
        z = ops.matmul(ops.concatenate([inputs, h], axis=1), self.kernel) + self.bias
        i, j, f, o = ops.split(z, 4, axis=1)
        forget = ops.sigmoid(f + self.forget_bias + self.w_f_diag * c)
        new_c = forget * c + ops.sigmoid(i + self.w_i_diag * c) * self.activate(j)
        new_h = ops.sigmoid(o + self.w_o_diag * new_c) * self.activate(new_c)
        return new_h, [new_h, new_c]

    def tf1_parts(self) -> Dict[str, Any]:
        """Tell ``tf1-lstm compare`` which weight is which."""
        return {
            "kernel": self.kernel,
            "bias": self.bias,
            "w_i_diag": self.w_i_diag,
            "w_f_diag": self.w_f_diag,
            "w_o_diag": self.w_o_diag,
        }


@keras.saving.register_keras_serializable("tf1_lstm")
class CoupledLSTMCell(_TwoStateCell):
    """``tf.contrib.rnn.CoupledInputForgetGateLSTMCell(units)``: the input gate is 1 - forget gate."""

    def build(self, input_shape: Tuple[int, ...]) -> None:
        """Make the weights for inputs ``[batch, input_shape[-1]]``."""
        rows = input_shape[-1] + self.units
        self.kernel = self.add_weight(shape=(rows, 3 * self.units), name="kernel")
        self.bias = self.add_weight(shape=(3 * self.units,), initializer="zeros", name="bias")
        self.built = True

    def call(self, inputs: Any, states: List[Any], training: bool = False) -> Tuple[Any, List[Any]]:
        """Run one step: ``[batch, inputs]`` and two states ``[batch, units]``."""
        h, c = states
        z = ops.matmul(ops.concatenate([inputs, h], axis=1), self.kernel) + self.bias
        j, f, o = ops.split(z, 3, axis=1)
        forget = ops.sigmoid(f + self.forget_bias)
        new_c = forget * c + (1 - forget) * self.activate(j)
        new_h = ops.sigmoid(o) * self.activate(new_c)
        return new_h, [new_h, new_c]

    def tf1_parts(self) -> Dict[str, Any]:
        """Tell ``tf1-lstm compare`` which weight is which."""
        return {"kernel": self.kernel, "bias": self.bias}
