"""Train a Keras port of ``keras_imdb``.

The loops of Keras's layers are compiled by XLA, which halves the time on a processor. The models with
cells are unrolled already, which is quickest as it is: XLA needs minutes to compile that, and the result
is many times slower. It is the same arithmetic either way.
"""

from typing import Any, Mapping, Optional

import keras
import numpy as np
import tensorflow as tf

from tf1_lstm.parity.ports.base import Step, Trainer
from tf1_lstm.parity.ports.keras_imdb import CellLoop, untrained
from tf1_lstm.parity.ports.keras_optimizers import PublishedRMSprop


class KerasTrainer(Trainer):
    """A Keras port in training; see ``make_trainer`` for the arguments."""

    def __init__(
        self, recipe: str, settings: Mapping[str, Any], table: Optional[np.ndarray], seed: int, threads: int
    ) -> None:
        if threads:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
        keras.utils.set_random_seed(seed)
        self.framework = {"keras": keras.__version__, "tensorflow": tf.__version__}
        self.model = untrained(recipe, settings, table)
        self._optimizer = PublishedRMSprop(settings["learning_rate"])
        self._optimizer.build(self.model.trainable_variables)
        compiled = not isinstance(self.model, CellLoop)
        self._train = tf.function(self._train_step, jit_compile=compiled)
        self._run = tf.function(self.model, jit_compile=compiled)

    def train(self, inputs: np.ndarray, classes: np.ndarray) -> Step:
        """Train on one batch."""
        labels = classes[:, None].astype(np.float32)
        loss, correct = self._train(tf.constant(inputs), tf.constant(labels))
        return Step(float(loss), int(correct), len(labels))

    def logits(self, inputs: np.ndarray) -> np.ndarray:
        """Return the logits ``[batch]``."""
        return self._run(tf.constant(inputs), training=False).numpy()[:, 0]

    def _train_step(self, inputs: tf.Tensor, labels: tf.Tensor) -> Any:
        """Move the weights by one batch; loss and count are of before."""
        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            logits = self.model(inputs, training=True)  # [batch, 1]
            loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels, logits))
        gradients = tape.gradient(loss, [variable.value for variable in variables])
        # Every row of the embedding moves, also those of words that the batch lacks, as in Keras 2.
        self._optimizer.apply([tf.convert_to_tensor(gradient) for gradient in gradients], variables)
        return loss, tf.math.count_nonzero((logits > 0) == (labels > 0.5))
