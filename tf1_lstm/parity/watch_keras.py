"""Read weights, states, gradients and updates out of a Keras 3 model on TensorFlow."""

from functools import partial
from typing import Any, Callable, Dict, List, Optional, Tuple

import keras
import numpy as np

from tf1_lstm.parity.layouts import from_keras
from tf1_lstm.parity.optimizers import EMBEDDING, AdadeltaRule, AdamRule, GradientDescent, RMSprop
from tf1_lstm.parity.ports.keras_optimizers import PublishedRMSprop
from tf1_lstm.parity.spec import FRONT, Spec
from tf1_lstm.parity.watch import (
    DENSE_ROLES,
    HALF_MOVES,
    Arrays,
    Fed,
    NotVisibleError,
    TrainedPort,
    Watch,
    Watched,
    assign,
    logits_of,
    name_steps,
)

ValueOf = Callable[[Any], np.ndarray]
# Keras's cells, and the model's cells that they may stand for.
KNOWN = {
    keras.layers.LSTMCell: ("basic_lstm",),
    keras.layers.GRUCell: ("gru", "gru_reset_after"),
    keras.layers.SimpleRNNCell: ("basic_rnn",),
}


def _value(variable: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(variable))


class KerasWatch(Watch):
    """A ``keras.Model`` called with ``training=False``.

    Recurrent layers are seen where they are ``SimpleRNN``, ``LSTM``, ``GRU``, ``Bidirectional`` of
    them, or ``RNN`` over a cell with ``tf1_parts()`` (part -> variable in TensorFlow 1's layout;
    states h and then c); and ``SimpleRNNCell``, ``LSTMCell`` and ``GRUCell`` that the model itself runs
    step by step. A compiled model's own optimizer and loss are used; else the recipe's.

    Args:
      model: the port.
      spec: of the bundle.
    """

    def __init__(self, model: keras.Model, spec: Spec) -> None:
        super().__init__()
        self._model, self._spec = model, spec

    def logits(self, inputs: Fed) -> np.ndarray:
        """Run the model with dropout off."""
        found = self._answer(inputs)
        if isinstance(found, (list, tuple, dict)):
            raise TypeError(f"the port returned a {type(found).__name__}, expected a tensor of logits")
        return logits_of(_value(found), self._spec)

    def _answer(self, inputs: Fed) -> Any:
        return self._model(list(inputs) if isinstance(inputs, tuple) else inputs, training=False)

    def weights(self) -> Arrays:
        """Return the weights by role."""
        return self._by_role(_value, self._spec.cell.forget_bias)

    def steps(self, inputs: Fed) -> Arrays:
        """Run the model, catch what each recurrent layer reads, and step its own cell over it."""
        layers = self._recurrent()
        caught: Dict[int, List[Any]] = {}
        originals = {id(w.handle): (w.handle, w.handle.call) for w in layers}
        for key, (layer, call) in originals.items():
            catch = _catching if isinstance(layer, keras.layers.RNN) else _recording
            layer.call = catch(call, key, caught)
        try:
            self._answer(inputs)
        finally:
            for layer, call in originals.values():
                layer.call = call
        self._note_first_read(layers[0].handle, caught.get(id(layers[0].handle)))
        found: Arrays = {}
        for watched in layers:
            seen = caught.get(id(watched.handle), [])
            is_layer = isinstance(watched.handle, keras.layers.RNN)
            if not seen or (is_layer and self._spec.shared_cell and len(seen) < self._spec.layers):
                raise NotVisibleError("a recurrent layer did not run when the model was called")
            call = watched.layer if self._spec.shared_cell and is_layer else -1
            h, c = _run_cell(watched.handle, *seen[call]) if is_layer else _stacked([row for _, row in seen])
            found.update(name_steps(watched, h, c, flip=watched.direction == "bw"))
        return found

    def _note_first_read(self, layer: Any, seen: Optional[List[Any]]) -> None:
        if not seen:
            return
        if not isinstance(layer, keras.layers.RNN):
            self.first_read = np.stack([read for read, _ in seen], axis=1)
            return
        backwards = layer.go_backwards and self._spec.go_backwards
        self.first_read = _value(seen[0][0])[:, :: -1 if backwards else 1]

    def train(self, inputs: Fed, labels: np.ndarray) -> TrainedPort:
        """Return the loss, its gradient and three steps of the optimizer; the weights are put back."""
        if keras.backend.backend() != "tensorflow":
            raise NotVisibleError(f"Keras runs on {keras.backend.backend()}; gradients need TensorFlow")
        variables = self._model.trainable_variables
        kept = [_value(variable) for variable in variables]
        optimizer, note = self.optimizer()
        try:
            updates: List[Arrays] = []
            for number in range(3):
                loss, gradients = self._gradients(inputs, labels, variables)
                if number == 0:
                    first = loss
                    by_id = {id(v): g for v, g in zip(variables, gradients)}
                    roles = self._by_role(partial(_gradient, by_id=by_id), 0.0, summed_bias=False)
                if self.half_is_unused:
                    optimizer, note = None, HALF_MOVES
                if optimizer is None:
                    break
                optimizer.apply_gradients([(g, v) for g, v in zip(gradients, variables) if g is not None])
                updates.append(self._by_role(_value, self._spec.cell.forget_bias))
        finally:
            for variable, value in zip(variables, kept):
                variable.assign(value)
        return TrainedPort(first, roles, updates, note)

    def _gradients(self, inputs: Fed, labels: np.ndarray, variables: List[Any]) -> Any:
        import tensorflow as tf

        with tf.GradientTape() as tape:
            logits = self._answer(inputs)
            loss = self.loss(inputs, labels, logits)
        found = tape.gradient(loss, [variable.value for variable in variables])
        # That of an embedding names some rows only.
        return float(loss), [
            None if gradient is None else tf.convert_to_tensor(gradient) for gradient in found
        ]

    def loss(self, inputs: Any, labels: Any, logits: Any) -> Any:
        """Return the port's own loss where it is compiled with one, else the recipe's; of arrays or tensors."""
        own = getattr(self._model, "loss", None)
        regression = self._spec.output == "regression"
        one_number = tuple(logits.shape[1:]) in ((), (1,)) and not regression
        if own is None:
            import tensorflow as tf

            if regression:
                errors = tf.reshape(logits, tf.shape(labels)) - labels
                return tf.reduce_mean(tf.abs(errors) if self._spec.loss == "absolute" else tf.square(errors))
            if self._spec.output == "sigmoid" and one_number:
                z = tf.reshape(logits, [-1])
                logits = tf.stack([tf.zeros_like(z), z], axis=1)
            # Not Keras's own, which looks behind a softmax for the logits that the port hides.
            # TensorFlow's own gradient of a label of zeros is not zero.
            losses = tf.nn.softmax_cross_entropy_with_logits(labels, logits) * tf.reduce_sum(labels, -1)
            # Steps that do not count have labels of zeros.
            return tf.reduce_sum(losses) / tf.maximum(tf.reduce_sum(labels), 1.0)
        name = own if isinstance(own, str) else getattr(own, "name", getattr(own, "__name__", ""))
        wanted = labels
        if one_number:
            numbers = keras.ops.cast(keras.ops.argmax(labels, axis=1), "float32")
            wanted = keras.ops.reshape(numbers, keras.ops.shape(logits))
        elif "sparse" in str(name).lower():
            wanted = keras.ops.argmax(labels, axis=-1)
        return self._model.compute_loss(x=inputs, y=keras.ops.convert_to_tensor(wanted), y_pred=logits)

    def optimizer(self) -> Tuple[Any, str]:
        """Return the optimizer; or None, and why there is none."""
        own = getattr(self._model, "optimizer", None)
        if own is not None:
            return type(own).from_config(own.get_config()), ""
        wanted = self._spec.optimizer
        if isinstance(wanted, RMSprop):
            return PublishedRMSprop(wanted.learning_rate, wanted.rho, epsilon=wanted.epsilon), ""
        if isinstance(wanted, GradientDescent):
            return keras.optimizers.SGD(wanted.learning_rate), ""
        if isinstance(wanted, AdadeltaRule):
            return keras.optimizers.Adadelta(wanted.learning_rate, wanted.rho, wanted.epsilon), ""
        assert isinstance(wanted, AdamRule)
        if not wanted.epsilon_hat:
            return None, "Keras does not have PyTorch's Adam; the model is not compiled with its own"
        return keras.optimizers.Adam(wanted.learning_rate, epsilon=wanted.epsilon), ""

    def _by_role(self, value_of: ValueOf, forget_bias: float, summed_bias: bool = True) -> Arrays:
        """Return every role's array; ``value_of`` picks the value or the gradient of a variable."""
        found: Arrays = {}
        for watched in self._recurrent():
            own = _cell_of(watched.handle)
            if hasattr(own, "tf1_parts"):
                parts = {part: value_of(variable) for part, variable in own.tf1_parts().items()}
            else:
                cell = self._spec.cell_of(watched.layer).with_forget_bias(forget_bias)
                arrays = [value_of(variable) for variable in watched.handle.weights]
                parts = from_keras(cell, arrays, summed_bias)
            for part, array in parts.items():
                found[self._spec.role(watched.direction, watched.layer, part)] = array
        layers = {"softmax": self._dense(self._spec.outputs)}
        if self._spec.dense_units:
            layers["dense"] = self._dense(self._spec.dense_units, other_than=layers["softmax"])
        for name, dense in layers.items():
            kernel, bias = DENSE_ROLES[name]
            found[kernel] = value_of(dense.kernel)[self.used_half(_value(dense.kernel), self._spec)]
            found[bias] = value_of(dense.bias) if dense.use_bias else np.zeros(dense.units, np.float32)
        if self._spec.front:
            front = self._front()
            found[FRONT[0]], found[FRONT[1]] = value_of(front.kernel), value_of(front.bias)
        if self._spec.trains_embedding:
            embedding = self._embedding()
            if embedding is None:
                raise NotVisibleError("no Embedding layer can be seen")
            found[EMBEDDING] = value_of(embedding.embeddings)
        return found

    def table(self) -> Optional[np.ndarray]:
        """Return the embedding."""
        embedding = self._embedding()
        return None if embedding is None else _value(embedding.embeddings)

    def _dense(self, units: int, other_than: Any = None) -> Any:
        """Return the last dense layer of that width."""
        found = [
            layer
            for layer in _layers_of(self._model)
            if isinstance(layer, keras.layers.Dense) and layer.units == units and layer is not other_than
        ]
        if not found:
            raise NotVisibleError(f"no Dense layer of {units} units can be seen")
        return found[-1]

    def _front(self) -> Any:
        """Return the first dense layer with the width of the layer in front of the recurrent ones."""
        for layer in _layers_of(self._model):
            if isinstance(layer, keras.layers.Dense) and layer.units == self._spec.front_units:
                return layer
        raise NotVisibleError(f"no Dense layer of {self._spec.front_units} units can be seen in front")

    def _embedding(self) -> Any:
        found = [layer for layer in _layers_of(self._model) if isinstance(layer, keras.layers.Embedding)]
        return found[0] if found else None

    def _recurrent(self) -> List[Watched]:
        layers = _layers_of(self._model)
        pairs = [layer for layer in layers if isinstance(layer, keras.layers.Bidirectional)]
        inside = {id(part) for pair in pairs for part in (pair.forward_layer, pair.backward_layer)}
        inside |= {id(layer.cell) for layer in layers if isinstance(layer, keras.layers.RNN)}
        found: List[Any] = []
        backward: List[bool] = []
        for layer in layers:
            if isinstance(layer, keras.layers.Bidirectional):
                found += [layer.forward_layer, layer.backward_layer]
                backward += [False, True]
            elif isinstance(layer, (keras.layers.RNN, *KNOWN)) and id(layer) not in inside:
                found.append(layer)
                backward.append(bool(getattr(layer, "go_backwards", False)))
        for layer in found:
            cell = _cell_of(layer)
            if not hasattr(cell, "tf1_parts") and self._spec.cell.name not in KNOWN.get(type(cell), ()):
                kind = type(layer).__name__
                raise NotVisibleError(f"its layer is {kind}; the model's cell is {self._spec.cell.name}")
        return assign(found, self._spec, backward)


def _layers_of(layer: Any) -> List[Any]:
    """Return all layers inside one, each once, in the order in which they were added."""
    found: Dict[int, Any] = {}
    for inner in layer._flatten_layers(include_self=False, recursive=False):
        for part in (inner, *_layers_of(inner)):
            found.setdefault(id(part), part)
    return list(found.values())


def _cell_of(handle: Any) -> Any:
    """Return the cell of a recurrent layer, or the cell itself where the model runs it."""
    return handle.cell if isinstance(handle, keras.layers.RNN) else handle


def _gradient(variable: Any, by_id: Dict[int, Any]) -> np.ndarray:
    found = by_id.get(id(variable))
    return np.zeros(variable.shape, np.float32) if found is None else _value(found)


def _catching(call: Callable[..., Any], key: int, caught: Dict[int, List[Any]]) -> Callable[..., Any]:
    """Wrap a layer's ``call`` so that it leaves behind what it read."""

    def catching(sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        caught.setdefault(key, []).append((sequences, mask))
        return call(sequences, initial_state=initial_state, mask=mask, training=training)

    return catching


def _recording(call: Callable[..., Any], key: int, caught: Dict[int, List[Any]]) -> Callable[..., Any]:
    """Wrap a cell's ``call`` so that it leaves behind the states of every step."""

    def recording(inputs: Any, states: Any, training: bool = False) -> Any:
        output, new = call(inputs, states, training=training)
        caught.setdefault(key, []).append((_value(inputs), _values(new)))
        return output, new

    return recording


def _values(states: Any) -> List[np.ndarray]:
    return [_value(state) for state in (states if isinstance(states, (list, tuple)) else [states])]


def _stacked(rows: List[List[np.ndarray]]) -> Any:
    """Return ``h`` and ``c`` (or None), ``[batch, steps, units]``, from the states of each step."""
    found = [np.stack(states, axis=1) for states in zip(*rows)]
    return found[0], found[1] if len(found) > 1 else None


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
        rows.append(_values(states))
    return _stacked(rows)
