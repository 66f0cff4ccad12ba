"""Keras's GRU as a cell of TensorFlow 1."""

from typing import Any, Optional

from tensorflow.python.ops.rnn_cell_impl import LayerRNNCell

from tf1_lstm.core.tensorflow import tf


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
