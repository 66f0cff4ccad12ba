"""Optimizers as they were published, where TensorFlow 1's own differ: Keras's RMSprop, PyTorch's Adam.

TensorFlow 1's RMSProp begins its mean square at 1, adds epsilon inside the root and, of an embedding,
decays only the rows that a batch read. Keras (2.0 to 2.10) begins at 0, adds epsilon to the root and
decays every row. PyTorch's Adam adds epsilon to the root of the corrected second moment, TensorFlow
1's to that of the uncorrected one.
"""

import warnings
from typing import Any, Dict, Iterable, NamedTuple

from tf1_lstm.core.tensorflow import tf
from tf1_lstm.recipes.experiment import SGD, Adadelta, Adam, KerasRMSprop, Optimizer, TorchAdam

RMSPROP_DECAY = 0.9
RMSPROP_EPSILON = 1e-7

_ADAM = (("Adam", "m"), ("Adam_1", "v"))
SLOTS = {
    Adam: _ADAM,
    TorchAdam: _ADAM,
    KerasRMSprop: (("RMSProp", "rms"),),
    Adadelta: (("Adadelta", "accum"), ("Adadelta_1", "accum_update")),
    SGD: (),
}
POWERS = ("beta1_power", "beta2_power")


class TrainingOps(NamedTuple):
    """What an optimizer adds to a graph.

    Attributes:
      train_op: one step.
      slots: slot name -> role -> variable.
      scalars: ``beta1_power`` and ``beta2_power`` -> variable, where the optimizer has them.
    """

    train_op: Any
    slots: Dict[str, Dict[str, Any]]
    scalars: Dict[str, Any]


class _TwiceAsFar(tf.compat.v1.train.Optimizer):
    """An optimizer that moves some variables twice as far.

    Two weights that are only ever added get the same gradient and make the same step, so one in
    their place makes twice that step.
    """

    twice: Iterable[str] = ()

    def _reach(self, variable: Any) -> float:
        return 2.0 if variable.op.name in self.twice else 1.0


class KerasRMSpropOptimizer(_TwiceAsFar):
    """``tf.keras.optimizers.RMSprop`` of TensorFlow 2.0 to 2.10, without momentum, on dense gradients.

    Args:
      learning_rate: step size.
    """

    def __init__(self, learning_rate: float) -> None:
        super().__init__(use_locking=False, name="RMSProp")
        self._rate = learning_rate

    def _create_slots(self, var_list: Any) -> None:
        for variable in var_list:
            self._zeros_slot(variable, "rms", self._name)

    def _apply_dense(self, grad: Any, var: Any) -> Any:
        slot = self.get_slot(var, "rms")
        mean_square = tf.compat.v1.assign(slot, RMSPROP_DECAY * slot + (1 - RMSPROP_DECAY) * tf.square(grad))
        step = self._rate * grad / (tf.sqrt(mean_square) + RMSPROP_EPSILON)
        return tf.compat.v1.assign_sub(var, self._reach(var) * step)


class PyTorchAdamOptimizer(_TwiceAsFar, tf.compat.v1.train.AdamOptimizer):
    """``torch.optim.Adam``: TensorFlow 1's with epsilon on the corrected second moment."""

    def _apply_dense(self, grad: Any, var: Any) -> Any:
        first_power, second_power = self._get_beta_accumulators()
        m, v = self.get_slot(var, "m"), self.get_slot(var, "v")
        mean = tf.compat.v1.assign(m, self._beta1_t * m + (1 - self._beta1_t) * grad)
        square = tf.compat.v1.assign(v, self._beta2_t * v + (1 - self._beta2_t) * tf.square(grad))
        root = tf.sqrt(square) / tf.sqrt(1 - second_power) + self._epsilon_t
        step = self._lr_t / (1 - first_power) * mean / root
        return tf.compat.v1.assign_sub(var, self._reach(var) * step)


def add_training(optimizer: Optimizer, loss: Any, variables: Dict[str, Any], *, exact: bool) -> TrainingOps:
    """Add an optimizer to the graph being built.

    Args:
      optimizer: the experiment's.
      loss: scalar to make smaller.
      variables: canonical name -> trainable variable.
      exact: add up the gradient of an embedding on the CPU, where the order is fixed.
    """
    with warnings.catch_warnings():
        # The gradient of the last step's gather is sparse in the published graph as well.
        warnings.simplefilter("ignore")
        trainer = _trainer(optimizer, variables)
        if isinstance(optimizer, (KerasRMSprop, TorchAdam)):
            found = trainer.compute_gradients(loss)
            with tf.device("/cpu:0" if exact else None):
                dense = [(tf.convert_to_tensor(g), v) for g, v in found if g is not None]
            train_op = trainer.apply_gradients(dense)
        else:
            train_op = trainer.minimize(loss)
    slots = {
        slot: {role: trainer.get_slot(v, internal) for role, v in variables.items()}
        for slot, internal in SLOTS[type(optimizer)]
    }
    # A direction that nothing reads has no gradient, and so no slots.
    slots = {
        slot: {role: variable for role, variable in of_role.items() if variable is not None}
        for slot, of_role in slots.items()
    }
    has_powers = isinstance(optimizer, (Adam, TorchAdam))
    scalars = dict(zip(POWERS, trainer._get_beta_accumulators())) if has_powers else {}
    return TrainingOps(train_op, slots, scalars)


def _trainer(optimizer: Optimizer, variables: Dict[str, Any]) -> Any:
    rate = optimizer.learning_rate
    if isinstance(optimizer, Adam):
        return tf.compat.v1.train.AdamOptimizer(rate)
    if isinstance(optimizer, SGD):
        return tf.compat.v1.train.GradientDescentOptimizer(rate)
    if isinstance(optimizer, Adadelta):
        return tf.compat.v1.train.AdadeltaOptimizer(rate, optimizer.rho, optimizer.epsilon)
    if isinstance(optimizer, KerasRMSprop):
        return KerasRMSpropOptimizer(rate)
    assert isinstance(optimizer, TorchAdam)
    found = PyTorchAdamOptimizer(rate)
    if optimizer.two_biases:
        found.twice = {v.op.name for role, v in variables.items() if _is_recurrent_bias(role)}
    return found


def _is_recurrent_bias(role: str) -> bool:
    return role.count("/") > 1 and role.endswith("bias")
