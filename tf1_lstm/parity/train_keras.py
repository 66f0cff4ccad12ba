"""Train any Keras port."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf1_lstm.parity.port_trainer import PortTrainer
from tf1_lstm.parity.target import TargetError
from tf1_lstm.parity.watch_keras import KerasWatch


class KerasPortTrainer(PortTrainer):
    """A ``keras.Model`` in training, on TensorFlow.

    Args:
      model: the port.
      watch: of the same model.

    Raises:
      TargetError: it cannot be trained here.
    """

    def __init__(self, model: keras.Model, watch: KerasWatch) -> None:
        if keras.backend.backend() != "tensorflow":
            raise TargetError(f"Keras runs on {keras.backend.backend()}; a training needs TensorFlow")
        self._model, self._watch = model, watch
        self._optimizer, note = watch.optimizer()
        if self._optimizer is None:
            raise TargetError(note)
        self._optimizer.build(model.trainable_variables)
        self._train = tf.function(self._train_step)

    def redraw(self) -> None:
        """Take the initial values of a clone; what is not trained stays as it is."""
        try:
            fresh = keras.models.clone_model(self._model)
        except (ValueError, TypeError) as error:
            raise TargetError(
                "a subclassed model has no clone, so it has no new initial values; give a class or function "
                "without a parameter 'bundle' that returns the untrained model"
            ) from error
        for old, new in zip(self._model.trainable_variables, fresh.trainable_variables):
            old.assign(new)

    def train(self, inputs: np.ndarray, labels: np.ndarray) -> float:
        """Move the weights by one batch."""
        return float(self._train(tf.constant(inputs), tf.constant(labels)))

    def _train_step(self, inputs: tf.Tensor, labels: tf.Tensor) -> Any:
        variables = self._model.trainable_variables
        with tf.GradientTape() as tape:
            logits = self._model(list(inputs) if isinstance(inputs, tuple) else inputs, training=True)
            loss = self._watch.loss(inputs, labels, logits)
        gradients = tape.gradient(loss, [variable.value for variable in variables])
        pairs = [(tf.convert_to_tensor(g), v) for g, v in zip(gradients, variables) if g is not None]
        self._optimizer.apply_gradients(pairs)
        return loss
