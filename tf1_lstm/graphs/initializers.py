"""Initial values of the weights: TensorFlow 1's, Keras's and PyTorch's, every draw with a seed of its own.

Sources: ``tf.keras.layers`` of TensorFlow 2 (Glorot's uniform kernels, orthogonal recurrent kernels,
an embedding uniform within 0.05) and ``torch.nn`` (uniform within one over the root of the width, for
kernels and biases; a recurrent bias there is two).
"""

import math
from typing import Any, Callable, List, Optional, Tuple

from tf1_lstm.core.tensorflow import tf
from tf1_lstm.graphs.cells import layer_of
from tf1_lstm.graphs.seeds import op_seed
from tf1_lstm.recipes.experiment import Experiment, Keras, PyTorch, TensorFlow1

Initializer = Callable[..., Any]
EMBEDDING_RANGE = 0.05
RECURRENT = "/recurrent"  # names the second draw of a kernel that holds two


def seeded_getter(experiment: Experiment, seed: int) -> Any:
    """A custom getter that gives the cells' variables their initial values.

    The cells name no initializer for their kernels: TensorFlow's layers give them Glorot's uniform
    one, unseeded, which would take its seed from the number of ops built before.
    """

    def seeded(getter: Any, name: str, *args: Any, **kwargs: Any) -> Any:
        initializer = kwargs.get("initializer")
        published = recurrent_initializer(experiment, name, seed)
        if published is not None:
            kwargs["initializer"] = published
        elif initializer is None:
            kwargs["initializer"] = tf.compat.v1.glorot_uniform_initializer(seed=op_seed(seed, name))
        elif getattr(initializer, "seed", 0) is None:
            config = {**initializer.get_config(), "seed": op_seed(seed, name)}
            kwargs["initializer"] = type(initializer).from_config(config)
        return getter(name, *args, **kwargs)

    return seeded


def recurrent_initializer(experiment: Experiment, name: str, seed: int) -> Optional[Initializer]:
    """Initial values of a recurrent cell's variable; None where TensorFlow 1's own stand."""
    initial = experiment.initial_values
    if isinstance(initial, TensorFlow1) or not name.startswith(("rnn/", "bidirectional_", "stack_")):
        return None
    units = experiment.recurrent.units[layer_of(name)]
    last = name.rsplit("/", 1)[-1]
    if isinstance(initial, PyTorch):
        return _uniform(1 / math.sqrt(units), name, seed, draws=2 if last == "bias" else 1)
    if last == "recurrent_kernel":
        return _orthogonal(name, seed)
    if last == "kernel":
        return _glorot(name, seed) if "reset_after" in name else _joined_kernel(units, name, seed)
    return None


def embedding_initializer(seed: int) -> Initializer:
    """Keras's embedding: uniform from -0.05 to 0.05."""
    return _uniform(EMBEDDING_RANGE, "embedding", seed)


def layer_initializers(
    experiment: Experiment, names: Tuple[str, str], inputs: int, seed: int
) -> List[Initializer]:
    """Initial values of kernel and bias, so named, of a layer that reads ``inputs`` numbers."""
    initial = experiment.initial_values
    if isinstance(initial, Keras):
        return [_glorot(names[0], seed), tf.constant_initializer(0.0)]
    if isinstance(initial, PyTorch):
        return [_uniform(1 / math.sqrt(inputs), name, seed) for name in names]
    assert isinstance(initial, TensorFlow1)
    kind = {
        "truncated_normal": tf.compat.v1.truncated_normal_initializer,
        "random_normal": tf.compat.v1.random_normal_initializer,
    }[initial.softmax]
    return [kind(stddev=1.0, seed=op_seed(seed, names[0])), tf.constant_initializer(initial.softmax_bias)]


def _glorot(name: str, seed: int) -> Initializer:
    return tf.compat.v1.glorot_uniform_initializer(seed=op_seed(seed, name))


def _orthogonal(name: str, seed: int) -> Initializer:
    return tf.compat.v1.orthogonal_initializer(seed=op_seed(seed, name))


def _joined_kernel(units: int, name: str, seed: int) -> Initializer:
    """TensorFlow 1's one kernel from Keras's two: rows for the inputs, then rows for the state."""

    def initialise(shape: Any, dtype: Any = tf.float32, partition_info: Any = None) -> Any:
        inputs, columns = shape[0] - units, shape[1]
        parts = [
            _glorot(name, seed)([inputs, columns], dtype),
            _orthogonal(name + RECURRENT, seed)([units, columns], dtype),
        ]
        return tf.concat(parts, axis=0)

    return initialise


def _uniform(limit: float, name: str, seed: int, draws: int = 1) -> Initializer:
    """The sum of one or more uniform draws from -limit to limit."""

    def initialise(shape: Any, dtype: Any = tf.float32, partition_info: Any = None) -> Any:
        drawn = tf.random.uniform([draws, *shape], -limit, limit, dtype, seed=op_seed(seed, name))
        return tf.reduce_sum(drawn, axis=0)

    return initialise
