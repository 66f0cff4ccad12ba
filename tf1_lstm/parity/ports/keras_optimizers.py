"""RMSprop as Keras had it when seeds 000 and 004 were published."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("tf1_lstm")
class PublishedRMSprop(keras.optimizers.RMSprop):
    """RMSprop with epsilon added to the root of the mean squared gradient (Keras 2.0 to 2.10).

    Keras 3 adds it inside the root. Only the plain form is here: no momentum, not centered.
    """

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Move one variable; ``gradient`` has its shape (an embedding's is not sparse)."""
        square = self._velocities[self._get_variable_index(variable)]
        self.assign(square, self.rho * square + (1 - self.rho) * ops.square(gradient))
        self.assign_sub(variable, learning_rate * gradient / (ops.sqrt(square) + self.epsilon))
