"""Read weights, states, gradients and Adam steps out of a Keras 3 model on TensorFlow."""

from functools import partial
from typing import Any, Callable, Dict, List, Optional

import keras
import numpy as np

from tf1_lstm.parity.layouts import from_keras
from tf1_lstm.parity.reference import Spec
from tf1_lstm.parity.watch import Arrays, NotVisibleError, Trained, Watch, Watched, assign, name_steps

ValueOf = Callable[[Any], np.ndarray]
KNOWN = {"LSTM": "basic_lstm", "GRU": "gru", "SimpleRNN": "basic_rnn"}


def _value(variable: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(variable))


class KerasWatch(Watch):
    """A ``keras.Model`` called with ``training=False``.

    Recurrent layers are seen where they are ``SimpleRNN``, ``LSTM``, ``GRU``, ``Bidirectional`` of
    them, or ``RNN`` over a cell with ``tf1_parts()`` (part -> variable in TensorFlow 1's layout;
    states h and then c). A compiled model's own optimizer and loss are used; else TensorFlow 1's.

    Args:
      model: the port.
      spec: of the bundle.
      classes: width of the softmax.
    """

    def __init__(self, model: keras.Model, spec: Spec, classes: int) -> None:
        self._model, self._spec, self._classes = model, spec, classes

    def logits(self, inputs: np.ndarray) -> np.ndarray:
        """Run the model with dropout off."""
        found = self._model(inputs, training=False)
        if isinstance(found, (list, tuple, dict)):
            raise TypeError(f"the port returned a {type(found).__name__}, expected a tensor of logits")
        return _value(found)

    def weights(self) -> Arrays:
        """Return the weights by role."""
        return self._by_role(_value, self._spec.cell.forget_bias)

    def steps(self, inputs: np.ndarray) -> Arrays:
        """Run the model, catch what each recurrent layer reads, and step its own cell over it."""
        layers = self._recurrent()
        caught: Dict[int, Any] = {}
        originals = {id(w.handle): (w.handle, w.handle.call) for w in layers}
        for key, (layer, call) in originals.items():
            layer.call = _catching(call, key, caught)
        try:
            self._model(inputs, training=False)
        finally:
            for layer, call in originals.values():
                layer.call = call
        found: Arrays = {}
        for watched in layers:
            if id(watched.handle) not in caught:
                raise NotVisibleError("a recurrent layer did not run when the model was called")
            sequence, mask = caught[id(watched.handle)]
            h, c = _run_cell(watched.handle, sequence, mask)
            found.update(name_steps(watched, h, c, flip=watched.direction == "bw"))
        return found

    def train(self, inputs: np.ndarray, labels: np.ndarray) -> Trained:
        """Return the loss, its gradient and three Adam steps; the weights are put back."""
        if keras.backend.backend() != "tensorflow":
            raise NotVisibleError(f"Keras runs on {keras.backend.backend()}; gradients need TensorFlow")
        variables = self._model.trainable_variables
        kept = [_value(variable) for variable in variables]
        optimizer = self._optimizer()
        try:
            adam: List[Arrays] = []
            for number in range(3):
                loss, gradients = self._gradients(inputs, labels, variables)
                if number == 0:
                    first = loss
                    by_id = {id(v): g for v, g in zip(variables, gradients)}
                    roles = self._by_role(partial(_gradient, by_id=by_id), 0.0)
                optimizer.apply_gradients([(g, v) for g, v in zip(gradients, variables) if g is not None])
                adam.append(self._by_role(_value, self._spec.cell.forget_bias))
        finally:
            for variable, value in zip(variables, kept):
                variable.assign(value)
        return Trained(first, roles, adam)

    def _gradients(self, inputs: np.ndarray, labels: np.ndarray, variables: List[Any]) -> Any:
        import tensorflow as tf

        with tf.GradientTape() as tape:
            logits = self._model(inputs, training=False)
            loss = self._loss(inputs, labels, logits)
        return float(loss), tape.gradient(loss, [variable.value for variable in variables])

    def _loss(self, inputs: np.ndarray, labels: np.ndarray, logits: Any) -> Any:
        own = getattr(self._model, "loss", None)
        if own is None:
            import tensorflow as tf

            # Not Keras's own, which looks behind a softmax for the logits that the port hides.
            return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels, logits))
        name = own if isinstance(own, str) else getattr(own, "name", getattr(own, "__name__", ""))
        wanted = labels.argmax(axis=1) if "sparse" in str(name).lower() else labels
        return self._model.compute_loss(x=inputs, y=keras.ops.convert_to_tensor(wanted), y_pred=logits)

    def _optimizer(self) -> Any:
        own = getattr(self._model, "optimizer", None)
        if own is not None:
            return type(own).from_config(own.get_config())
        return keras.optimizers.Adam(self._spec.adam.learning_rate, epsilon=self._spec.adam.epsilon)

    def _by_role(self, value_of: ValueOf, forget_bias: float) -> Arrays:
        """Return every role's array; ``value_of`` picks the value or the gradient of a variable."""
        cell = self._spec.cell.with_forget_bias(forget_bias)
        found: Arrays = {}
        for watched in self._recurrent():
            own = watched.handle.cell
            if hasattr(own, "tf1_parts"):
                parts = {part: value_of(variable) for part, variable in own.tf1_parts().items()}
            else:
                parts = from_keras(cell, [value_of(variable) for variable in watched.handle.weights])
            for part, array in parts.items():
                found[self._spec.role(watched.direction, watched.layer, part)] = array
        dense = self._softmax()
        found["softmax/weights"] = value_of(dense.kernel)
        zero = np.zeros(self._classes, np.float32)
        found["softmax/bias"] = value_of(dense.bias) if dense.use_bias else zero
        return found

    def _softmax(self) -> Any:
        found = [
            layer
            for layer in self._model._flatten_layers()
            if isinstance(layer, keras.layers.Dense) and layer.units == self._classes
        ]
        if not found:
            raise NotVisibleError(f"no Dense layer of {self._classes} units can be seen")
        return found[-1]

    def _recurrent(self) -> List[Watched]:
        found: List[Any] = []
        backward: List[bool] = []
        pairs = [
            layer for layer in self._model._flatten_layers() if isinstance(layer, keras.layers.Bidirectional)
        ]
        inside = {id(part) for pair in pairs for part in (pair.forward_layer, pair.backward_layer)}
        for layer in self._model._flatten_layers():
            if isinstance(layer, keras.layers.Bidirectional):
                found += [layer.forward_layer, layer.backward_layer]
                backward += [False, True]
            elif isinstance(layer, keras.layers.RNN) and id(layer) not in inside:
                found.append(layer)
                backward.append(bool(layer.go_backwards))
        for layer in found:
            kind = type(layer).__name__
            if not hasattr(layer.cell, "tf1_parts") and KNOWN.get(kind) != self._spec.cell.name:
                raise NotVisibleError(f"its layer is {kind}; the model's cell is {self._spec.cell.name}")
        return assign(found, self._spec, backward)


def _gradient(variable: Any, by_id: Dict[int, Any]) -> np.ndarray:
    found = by_id.get(id(variable))
    return np.zeros(variable.shape, np.float32) if found is None else _value(found)


def _catching(call: Callable[..., Any], key: int, caught: Dict[int, Any]) -> Callable[..., Any]:
    """Wrap a layer's ``call`` so that it leaves behind what it read."""

    def catching(sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        caught[key] = (sequences, mask)
        return call(sequences, initial_state=initial_state, mask=mask, training=training)

    return catching


def _run_cell(layer: Any, sequence: Any, mask: Any) -> Any:
    """Step a layer's own cell: ``h`` and ``c`` (or None), ``[batch, steps, units]``, in its own order."""
    order = -1 if layer.go_backwards else 1
    values = _value(sequence)[:, ::order]
    skips: Optional[np.ndarray] = None if mask is None else ~_value(mask)[:, ::order]
    sizes = layer.cell.state_size
    sizes = list(sizes) if isinstance(sizes, (list, tuple)) else [sizes]
    states: List[Any] = [keras.ops.zeros((len(values), size)) for size in sizes]
    rows: List[List[np.ndarray]] = []
    for step in range(values.shape[1]):
        _, new = layer.cell(values[:, step], states, training=False)
        new = list(new) if isinstance(new, (list, tuple)) else [new]
        if skips is not None:
            skip = skips[:, step, None]
            new = [keras.ops.where(skip, old, fresh) for old, fresh in zip(states, new)]
        states = new
        rows.append([_value(state) for state in states])
    found = [np.stack([row[place] for row in rows], axis=1) for place in range(len(sizes))]
    return found[0], found[1] if len(found) > 1 else None
