"""A trained model as a Keras 3 model in Python source, to be run as it is printed."""

from typing import Iterator, List

from tf1_lstm.parity.layouts import KERAS_LAYERS
from tf1_lstm.parity.model_code import INDENT, check_cell, classes_of, summary
from tf1_lstm.parity.optimizers import AdadeltaRule, AdamRule, GradientDescent, RMSprop, UpdateRule
from tf1_lstm.parity.spec import FRONT, Spec
from tf1_lstm.parity.weight_files import Trained, is_pair

CELLS = {"lstm_peephole": "PeepholeLSTMCell", "lstm_coupled": "CoupledLSTMCell"}
MERGES = {"join": "Concatenate", "sum": "Add", "product": "Multiply", "average": "Average"}


def keras_code(trained: Trained, weights: str = "", compiled: bool = True) -> List[str]:
    """Return the lines of a function ``build``, and of ``model`` with a file's weights where one is given.

    Args:
      trained: what is built.
      weights: a ``.weights.h5`` written by ``weight_files.write_keras``.
      compiled: with the recipe's optimizer and loss, where Keras can have them.

    Raises:
      InputError: a cell of one's own.
    """
    spec, cell = trained.spec, trained.spec.cell.name
    check_cell(spec, (*KERAS_LAYERS, *CELLS))
    optimizer = spec.optimizer if compiled and weights else None
    lines = ["import keras"]
    if cell in CELLS or isinstance(optimizer, RMSprop):
        names = "Any, Dict, List, Tuple" if cell in CELLS else "Any"
        lines = [f"from typing import {names}", "", *lines, "from keras import ops"]
    if cell in CELLS:
        lines += classes_of("keras_cells", ("_TwoStateCell", CELLS[cell]))
    if isinstance(optimizer, RMSprop):
        lines += classes_of("keras_optimizers", ("PublishedRMSprop",))
    lines += ["", "", "def build() -> keras.Model:", f'{INDENT}"""{summary(trained)}"""']
    lines += [INDENT + line for line in _body(trained)]
    if not weights:
        return lines
    lines += ["", "", "model = build()", f"model.load_weights({weights!r})"]
    made = "" if optimizer is None else _optimizer(optimizer)
    # Where steps do not count, Keras's own losses do not leave them out.
    if made and not (spec.per_step and spec.output != "regression"):
        lines += [f"model.compile({made}, keras.losses.{_loss(spec)})"]
    return lines


def _optimizer(rule: UpdateRule) -> str:
    """Return the optimizer in Keras; empty where Keras has not this form of it."""
    rate = repr(float(rule.learning_rate))
    if isinstance(rule, RMSprop):
        return f"PublishedRMSprop({rate}, rho={rule.rho:g}, epsilon={rule.epsilon:g})"
    if isinstance(rule, GradientDescent):
        return f"keras.optimizers.SGD({rate})"
    if isinstance(rule, AdadeltaRule):
        return f"keras.optimizers.Adadelta({rate}, rho={rule.rho:g}, epsilon={rule.epsilon:g})"
    if isinstance(rule, AdamRule) and rule.epsilon_hat:
        return f"keras.optimizers.Adam({rate}, epsilon={rule.epsilon:g})"
    return ""


def _loss(spec: Spec) -> str:
    if spec.output == "regression":
        return "MeanAbsoluteError()" if spec.loss == "absolute" else "MeanSquaredError()"
    loss = "BinaryCrossentropy" if spec.output == "sigmoid" else "CategoricalCrossentropy"
    return f"{loss}(from_logits=True)"


def _body(trained: Trained) -> Iterator[str]:
    spec, table = trained.spec, trained.table
    steps = "None" if spec.any_steps else spec.steps
    if table is None:
        yield f"x = inputs = keras.Input(({steps}, {trained.read_width}))"
    else:
        yield f'inputs = keras.Input(({steps},), dtype="int32")'
        frozen = "" if spec.trains_embedding else ", trainable=False"
        yield f"x = keras.layers.Embedding({table.shape[0]}, {table.shape[1]}{frozen})(inputs)"
    yield from _mask(spec)
    if spec.front:
        units = trained.weights[FRONT[0]].shape[1]
        yield f'x = keras.layers.Dense({units}, activation="{spec.front}")(x)'
    yield from _turned(spec)
    read = {"fw": "x", "bw": "backward"}
    if not spec.bidirectional:
        yield from _one_direction(spec)
    else:
        read["fw"] = "forward"
        yield from _both_directions(spec)
    found = [read[name] for name in spec.directions_read]
    merged = found[0] if len(found) == 1 else f"keras.layers.{MERGES[spec.merge]}()([{', '.join(found)}])"
    if merged != "x":
        yield f"x = {merged}"
    yield from _steps_read(spec)
    if spec.dense_units:
        yield f'x = keras.layers.Dense({spec.dense_units}, activation="{spec.dense_activation}")(x)'
    taken = "[inputs, lengths]" if spec.takes_lengths else "inputs"
    activation = f', activation="{spec.scores_activation}"' if spec.scores_activation != "linear" else ""
    yield f"return keras.Model({taken}, keras.layers.Dense({spec.outputs}{activation})(x))"


def _mask(spec: Spec) -> Iterator[str]:
    """Yield ``mask``, True at the steps that count."""
    if spec.mask == "mask_zero":
        yield "mask = keras.ops.not_equal(inputs, 0)"
    elif spec.mask == "sequence_length":
        ones = "inputs"
        if spec.takes_lengths:
            yield 'lengths = keras.Input((), dtype="int32")'
            ones = 'keras.ops.cast(inputs[:, :, 0], "int32")'
        yield f"places = keras.ops.cumsum(keras.ops.ones_like({ones}), axis=1)  # 1, 2, 3, …"
        if spec.takes_lengths:
            yield "last = keras.ops.expand_dims(lengths, 1)"
        else:
            used = 'keras.ops.cast(keras.ops.not_equal(inputs, 0), "int32")'
            yield f"last = keras.ops.max(places * {used}, axis=1, keepdims=True)  # the last word's place"
            yield "last = keras.ops.maximum(last, 1)"
        yield "mask = keras.ops.less_equal(places, last)"


def _turned(spec: Spec) -> Iterator[str]:
    """Yield what turns the sequence round in front of the recurrent layers."""
    if spec.go_backwards and spec.mask == "sequence_length":
        yield "back = keras.ops.where(mask, last - places, places - 1)"
        yield "x = keras.ops.take_along_axis(x, keras.ops.expand_dims(back, 2), axis=1)"
    elif spec.go_backwards:
        yield "x = keras.ops.flip(x, axis=1)"
        if spec.mask == "mask_zero":
            yield "mask = keras.ops.flip(mask, axis=1)"


def _one_direction(spec: Spec) -> Iterator[str]:
    masked = ", mask=mask" if spec.mask != "none" else ""
    if spec.shared_cell:
        yield f"layer = {_layer(spec, 0, True)}"
        yield f"for _ in range({spec.layers}):  # all layers share it"
        yield f"{INDENT}x = layer(x{masked})"
        if not spec.reads_sequence:
            yield "x = x[:, -1]"
        return
    for layer in range(spec.layers):
        yield f"x = {_layer(spec, layer, spec.reads_sequence or layer < spec.layers - 1)}(x{masked})"


def _both_directions(spec: Spec) -> Iterator[str]:
    """Yield ``forward`` and ``backward``, or the one of them that is read."""
    whole, masked = spec.reads_sequence, ", mask=mask" if spec.mask != "none" else ""
    paired = [is_pair(spec, layer) for layer in range(spec.layers)]
    for layer in range(sum(paired)):
        if layer < spec.layers - 1:
            yield f"x = keras.layers.Bidirectional({_layer(spec, layer, True)})(x{masked})"
        else:
            last = f"keras.layers.Bidirectional({_layer(spec, layer, whole)}, merge_mode=None)(x{masked})"
            yield f"forward, backward = {last}"
    if all(paired):
        return
    both = spec.directions_read != ("bw",)  # Keras drops layers that nothing reads
    backward = spec.directions_read != ("fw",)
    yield " = ".join([*(["forward"] if both else []), *(["backward"] if backward else []), "x"])
    if masked and backward:
        yield "mask_back = keras.ops.flip(mask, axis=1)"
    for layer in range(sum(paired), spec.layers):
        more = whole or layer < spec.layers - 1
        first = layer == sum(paired)
        if both:
            yield f"forward = {_layer(spec, layer, more)}(forward{masked})"
        if backward:
            turned = "_back" if masked and not first else ""
            yield f"backward = {_layer(spec, layer, more, backwards=first)}(backward{masked}{turned})"
    if whole and backward:
        yield "backward = keras.ops.flip(backward, axis=1)"


def _steps_read(spec: Spec) -> Iterator[str]:
    """Yield what makes of the outputs of all steps what is read of them."""
    if not spec.reads_sequence:
        return
    cast = "keras.ops.expand_dims(keras.ops.cast({}, x.dtype), 2)"
    if spec.mask == "sequence_length":
        yield f"x = x * {cast.format('mask')}  # TensorFlow's outputs are zero behind the end"
    if spec.position == "last":
        if spec.mask == "sequence_length":
            place = cast.format("keras.ops.equal(places, last)")
            yield f"x = keras.ops.sum(x * {place}, axis=1)"
        else:
            yield "x = x[:, -1]"
    elif spec.position == "mean" and spec.mask != "none":
        yield f"count = {cast.format('mask')}"
        yield "x = keras.ops.sum(x * count, axis=1) / keras.ops.maximum(keras.ops.sum(count, axis=1), 1.0)"
    elif spec.position == "mean":
        yield "x = keras.ops.mean(x, axis=1)"
    elif spec.position == "max" and spec.mask != "none":
        yield "x = keras.ops.where(keras.ops.expand_dims(mask, 2), x, -1e38)"
        yield "x = keras.ops.max(x, axis=1)"
    elif spec.position == "max":
        yield "x = keras.ops.max(x, axis=1)"


def _layer(spec: Spec, number: int, returns_sequences: bool, backwards: bool = False) -> str:
    name, units = spec.cell.name, spec.cell_of(number).units
    options = ", return_sequences=True" if returns_sequences else ""
    options += ", go_backwards=True" if backwards else ""
    activation = ""
    if spec.cell.state_activation != "tanh":
        activation = f', activation="{spec.cell.state_activation}"'
    if name in CELLS:
        return f"keras.layers.RNN({CELLS[name]}({units}, {spec.cell.forget_bias:g}{activation}){options})"
    reset = ", reset_after=False" if name == "gru" else ""
    return f"keras.layers.{KERAS_LAYERS[name]}({units}{reset}{options}{activation})"
