"""Dropout whose every mask is a function of (seed, iteration, time step): the same bits again.

``DropoutWrapper`` draws its masks from a random op inside the loop. That op counts its own calls,
so its numbers depend on the order in which loop iterations happen to run and on everything the
session did before; neither is in a checkpoint. Here the noise comes from a stateless op instead,
keyed by the run's seed and fed with the iteration and the loop's own time step. It is the same
wrapper, the same arithmetic and the same distribution, and it costs no more.
"""

import hashlib
from typing import Any, Collection, Optional

from tf1_lstm.core.tensorflow import tf
from tf1_lstm.graphs.seeds import op_seed

# Room for the time steps of one iteration in the second word of a stateless seed.
STEPS_PER_ITERATION = 1 << 20


class LoopClock:
    """The time step of the loop being traced, shared by the layers of one stack."""

    def __init__(self) -> None:
        self.time: Optional[Any] = None

    def read(self, inputs: Any) -> None:
        """Take the time from the inputs of the loop's cell.

        dynamic_rnn reads the inputs of a step from a TensorArray at the loop's time step, and tells the
        cell nothing else about the time.
        """
        if inputs.op.type == "TensorArrayReadV3":
            self.time = inputs.op.inputs[1]


class StepMasks:
    """The masks of one cell's outputs, each a function of (seed, salt, iteration, time step).

    Args:
      salt: a name unique to the cell in its graph ("fw/0").
      seed: the run's seed.
      iteration: scalar int64 tensor, the training iteration (or the draw, in an evaluation).
      keep_prob: scalar float32 tensor.
      steps: time steps of the loop, an int or a scalar tensor.
    """

    def __init__(self, salt: str, *, seed: int, iteration: Any, keep_prob: Any, steps: Any) -> None:
        # All that does not depend on the time step is computed here, outside of the loop: a small op
        # in it runs once for every step.
        counters = iteration * STEPS_PER_ITERATION + tf.range(steps, dtype=tf.int64)
        self._seeds = tf.stack(
            [tf.fill([steps], tf.constant(stateless_key(seed, salt), tf.int64)), counters], 1
        )  # [steps, 2]
        self._rate = 1.0 - keep_prob
        self._scale = 1.0 / (1.0 - self._rate)

    def drop(self, values: Any, time: Any) -> Any:
        """``values`` of one time step, [batch, units]: tf.nn.dropout's arithmetic (TensorFlow 1.15)."""
        shape = values.shape if values.shape.is_fully_defined() else tf.shape(values)
        noise = tf.random.stateless_uniform(shape, seed=tf.gather(self._seeds, time))
        return self._dropped(values, noise)

    def drop_last(self, values: Any) -> Any:
        """``values`` of the last time step, [batch, units]."""
        return self.drop(values, tf.shape(self._seeds)[0] - 1)

    def drop_all(self, values: Any, reverse: bool = False, lengths: Optional[Any] = None) -> Any:
        """``values`` of all time steps, [batch, steps, units], in the order of the inputs.

        Args:
          values: outputs of a loop.
          reverse: the loop began at the end of each sequence.
          lengths: [batch] int32, where that is; None for the last step.
        """
        shape = tf.gather(tf.shape(values), [0, 2])
        by_step = tf.map_fn(
            lambda seed: tf.random.stateless_uniform(shape, seed=seed),
            self._seeds,
            dtype=tf.float32,
            parallel_iterations=1,
            back_prop=False,
        )  # [steps, batch, units]
        noise = tf.transpose(by_step, [1, 0, 2])
        if reverse and lengths is not None:
            noise = tf.reverse_sequence(noise, lengths, seq_axis=1)
        elif reverse:
            noise = tf.reverse(noise, [1])
        return self._dropped(values, noise)

    def _dropped(self, values: Any, noise: Any) -> Any:
        dropped = values * self._scale * tf.cast(noise >= self._rate, values.dtype)
        dropped.set_shape(values.shape)
        return dropped


class StepSeededDropout(tf.nn.rnn_cell.DropoutWrapper):
    """``tf.nn.rnn_cell.DropoutWrapper`` with stateless masks.

    Args:
      cell: the wrapped cell.
      clock: shared by all layers of a stack; the layer that reads the loop's input sets it.
      masks: of this cell.
      output_keep_prob: scalar float32 tensor.
    """

    def __init__(self, cell: Any, clock: LoopClock, masks: StepMasks, output_keep_prob: Any) -> None:
        super().__init__(cell, output_keep_prob=output_keep_prob)
        self.clock = clock
        self._masks = masks

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:
        """Run the wrapped cell. ``inputs`` [batch, inputs] of one time step."""
        self.clock.read(inputs)
        return super().__call__(inputs, state, scope)

    def _dropout(
        self,
        values: Any,
        salt_prefix: str,
        recurrent_noise: Any,
        keep_prob: Any,
        shallow_filtered_substructure: Any = None,
    ) -> Any:
        """Drop as ``StepMasks`` does, at the loop's own time step."""
        if self.clock.time is None:
            raise ValueError("StepSeededDropout runs inside dynamic_rnn only: no time step is known here")
        return self._masks.drop(values, self.clock.time)


def stateless_key(seed: int, salt: str) -> int:
    """First word of a stateless seed: 62 bits of SHA-256 over the seed and the op's name."""
    return int.from_bytes(hashlib.sha256(f"{seed} {salt}".encode()).digest()[:8], "little") >> 2


class PlacedDropout:
    """Dropout outside of the time loop, stateless: every mask a function of (seed, place, iteration).

    Args:
      keep_prob: scalar float32 tensor.
      iteration: scalar int64 tensor.
      seed: the run's seed.
      exact: stateless masks; otherwise ``tf.nn.dropout`` with a seeded op.
      places: where the graph drops anything, some of ``recipes.experiment.PLACES``.
    """

    def __init__(
        self, keep_prob: Any, iteration: Any, *, seed: int, exact: bool, places: Collection[str]
    ) -> None:
        self._rate = 1.0 - keep_prob
        self._scale = 1.0 / (1.0 - self._rate)
        self._counter = iteration * STEPS_PER_ITERATION
        self._seed, self._exact, self._places = seed, exact, places

    @property
    def is_used(self) -> bool:
        """Whether anything is dropped anywhere."""
        return bool(self._places)

    def __call__(self, values: Any, place: str, salt: str = "", one_mask: bool = False) -> Any:
        """``values`` with dropout, where the graph has any at that place.

        Args:
          values: ``[batch, ...]``.
          place: one of ``recipes.experiment.PLACES``.
          salt: tells two of the same place apart.
          one_mask: of ``[batch, steps, width]``, the same mask for all steps of an example. Keras draws
            it so (``dropout`` of a recurrent layer); TensorFlow 1's ``variational_recurrent`` draws one
            for the whole batch.
        """
        if place not in self._places:
            return values
        shape = tf.shape(values)
        if one_mask:
            shape = tf.concat([shape[:1], [1], shape[2:]], axis=0)
        name = f"dropout/{place}/{salt}"
        if not self._exact:
            return tf.nn.dropout(values, rate=self._rate, noise_shape=shape, seed=op_seed(self._seed, name))
        key = tf.constant(stateless_key(self._seed, name), tf.int64)
        noise = tf.random.stateless_uniform(shape, seed=tf.stack([key, self._counter]))
        dropped = values * self._scale * tf.cast(noise >= self._rate, values.dtype)
        dropped.set_shape(values.shape)
        return dropped
