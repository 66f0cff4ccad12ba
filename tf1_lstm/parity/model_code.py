"""A trained model as Python source: the whole Keras or PyTorch model, to be run as it is printed.

What the frameworks lack (a peephole and a coupled LSTM, TensorFlow 1's GRU, Keras's published RMSprop)
is copied in from ``parity/ports``, so that the text needs this project no more.
"""

import ast
from pathlib import Path
from typing import Iterator, List, Sequence

from tf1_lstm.errors import InputError
from tf1_lstm.parity.layouts import KERAS_LAYERS, TORCH_LAYERS
from tf1_lstm.parity.optimizers import AdamRule, RMSprop
from tf1_lstm.parity.spec import Spec
from tf1_lstm.parity.weight_files import Trained, is_one_module

PORTS = Path(__file__).with_name("ports")
KERAS_CELLS = {"lstm_peephole": "PeepholeLSTMCell", "lstm_coupled": "CoupledLSTMCell"}
TORCH_CELLS = {
    "lstm_peephole": "TorchPeepholeLSTM",
    "lstm_coupled": "TorchCoupledLSTM",
    "gru": "ResetBeforeGRU",
}
TORCH_ACTIVATIONS = {
    "linear": "{}",
    "relu": "torch.relu({})",
    "tanh": "torch.tanh({})",
    "sigmoid": "torch.sigmoid({})",
}
INDENT = "    "


def _classes_of(module: str, names: Sequence[str]) -> List[str]:
    """Return the source of some classes of a module of ``parity/ports``, without importing it."""
    lines = (PORTS / f"{module}.py").read_text(encoding="utf-8").splitlines()
    nodes = ast.parse("\n".join(lines)).body
    # In Python 3.7 a decorated class begins at its decorator, later at its name.
    starts = [min([n.lineno, *(d.lineno for d in getattr(n, "decorator_list", []))]) - 1 for n in nodes]
    found: List[str] = []
    for node, start, end in zip(nodes, starts, [*starts[1:], len(lines)]):
        if isinstance(node, ast.ClassDef) and node.name in names:
            found += ["", "", *"\n".join(lines[start:end]).rstrip().splitlines()]
    return found


def torch_code(trained: Trained, weights: str = "") -> List[str]:
    """Return the lines of a module ``Model``, and of ``model`` with a file's weights where one is given.

    Args:
      trained: what is built.
      weights: a ``.safetensors`` written by ``weight_files.write_torch``.
    """
    spec, custom = trained.spec, trained.spec.cell.name not in TORCH_LAYERS
    _check(spec)
    if spec.cell.state_activation != "tanh":
        raise InputError(
            f"recurrent.cell.activation: found {spec.cell.state_activation!r}, expected tanh: PyTorch's layers "
            "have no other (compare your own module)"
        )
    lines = ["import torch"]
    if custom:
        lines.insert(0, "from typing import Dict, List, Optional, Tuple\n")
    lines += ["from safetensors.torch import load_file"] if weights else []
    lines += ["from torch import Tensor, nn"]
    if custom:
        lines += _classes_of("torch_cells", ("_Layer", TORCH_CELLS[spec.cell.name]))
    lines += ["", "", "class Model(nn.Module):", f'{INDENT}"""{_summary(trained)}"""', ""]
    lines += [f"{INDENT}def __init__(self) -> None:", f"{2 * INDENT}super().__init__()"]
    lines += [2 * INDENT + line for line in _torch_parts(trained)]
    lines += ["", f"{INDENT}def forward(self, x: Tensor) -> Tensor:"]
    lines += [f'{2 * INDENT}"""Return the logits."""']
    lines += [2 * INDENT + line for line in _torch_forward(trained)]
    if weights:
        lines += ["", "", "model = Model()", f"model.load_state_dict(load_file({weights!r}))", "model.eval()"]
    return lines


def _check(spec: Spec) -> None:
    if spec.bidirectional and (spec.per_step or spec.position != "final"):
        raise InputError(
            "recurrent.read: found an output of two directions, expected state: no code is made for it "
            "(compare your own model)"
        )


def _summary(trained: Trained) -> str:
    spec = trained.spec
    shape = f"[batch, {'steps' if spec.any_steps else spec.steps}"
    read = f"word ids {shape}]" if trained.table is not None else f"rows {shape}, {trained.read_width}]"
    return f"{trained.name}: {read} to logits [batch, {spec.outputs}]."


def _torch_parts(trained: Trained) -> Iterator[str]:
    """Yield the lines that make the module's parts."""
    spec, table = trained.spec, trained.table
    if table is not None:
        frozen = "" if spec.trains_embedding else ".requires_grad_(False)"
        yield f"self.embedding = nn.Embedding({table.shape[0]}, {table.shape[1]}){frozen}"
    if trained.front:
        size = trained.weights["front/kernel"].shape
        yield f"self.front = nn.Linear({size[0]}, {size[1]})"
    name, units = spec.cell.name, spec.cell.units
    if is_one_module(spec):
        options = f", num_layers={spec.layers}" if spec.layers > 1 else ""
        options += ", batch_first=True" + (", bidirectional=True" if spec.bidirectional else "")
        yield f"self.recurrent = nn.{TORCH_LAYERS[name]}({trained.width}, {units}{options})"
    else:
        yield "self.recurrent = nn.ModuleList("
        yield INDENT + "["
        for layer in range(spec.layers):
            width = spec.width(trained.width, layer)
            bias = f", {spec.cell.forget_bias:g}" if spec.cell.has_c else ""
            if name in TORCH_CELLS:
                made = f"{TORCH_CELLS[name]}({width}, {units}{bias})"
            else:
                made = f"nn.{TORCH_LAYERS[name]}({width}, {units}, batch_first=True)"
            yield from [f"{2 * INDENT}{made},"] * len(spec.directions)
        yield INDENT + "]"
        yield ")"
    if name in ("basic_rnn", "basic_lstm") and not spec.double_bias:
        yield "for name, parameter in self.recurrent.named_parameters():"
        yield f'{INDENT}if "bias_hh" in name:  # one bias is trained; the second stays as it is, zero'
        yield f"{2 * INDENT}parameter.requires_grad_(False)"
    read = trained.weights["softmax/weights"].shape[0]
    if spec.dense_units:
        yield f"self.dense = nn.Linear({trained.weights['dense/kernel'].shape[0]}, {spec.dense_units})"
    yield f"self.linear = nn.Linear({read}, {spec.outputs})"


def _torch_forward(trained: Trained) -> Iterator[str]:
    spec = trained.spec
    if trained.table is not None:
        yield "x = self.embedding(x)"
    if trained.front:
        yield f"x = {TORCH_ACTIVATIONS[trained.front].format('self.front(x)')}"
    taken = "" if spec.cell.name in TORCH_CELLS else "[0]"  # PyTorch's own return (outputs, states)
    if is_one_module(spec):
        state = "_" if not spec.bidirectional else "(h, _)" if spec.cell.has_c else "h"
        yield f"outputs, {state} = self.recurrent(x)"
        directions = {"fw": "h[-2]", "bw": "h[-1]"} if spec.bidirectional else {"fw": "outputs[:, -1]"}
        if spec.per_step:
            directions = {"fw": "outputs"}
    elif not spec.bidirectional:
        yield "for layer in self.recurrent:"
        yield f"{INDENT}x = layer(x){taken}"
        directions = {"fw": "x" if spec.per_step else "x[:, -1]"}
    else:
        forward, backward = ("x", "x.flip(1)") if spec.joined_layers else ("forward", "backward")
        if not spec.joined_layers:
            yield "forward, backward = x, x.flip(1)"
        yield f"for layer in range(0, {2 * spec.layers}, 2):"
        yield f"{INDENT}forward = self.recurrent[layer]({forward}){taken}"
        yield f"{INDENT}backward = self.recurrent[layer + 1]({backward}){taken}"
        if spec.joined_layers:
            yield f"{INDENT}x = torch.cat([forward, backward.flip(1)], 2)"
        directions = {"fw": "forward[:, -1]", "bw": "backward[:, -1]"}
    read = directions["bw" if spec.readout == "backward-state" else "fw"]
    if spec.readout == "both-states":
        read = f"torch.cat([{directions['fw']}, {directions['bw']}], 1)"
    yield f"features = {read}"
    if spec.dense_units:
        yield "features = torch.relu(self.dense(features))"
    yield "return self.linear(features)"


def keras_code(trained: Trained, weights: str = "", compiled: bool = True) -> List[str]:
    """Return the lines of a function ``build``, and of ``model`` with a file's weights where one is given.

    Args:
      trained: what is built.
      weights: a ``.weights.h5`` written by ``weight_files.write_keras``.
      compiled: with the recipe's optimizer and loss, where Keras can have them.
    """
    spec, cell = trained.spec, trained.spec.cell.name
    _check(spec)
    optimizer = spec.optimizer if compiled and weights and trained.trains else None
    lines = ["import keras"]
    if cell in KERAS_CELLS or isinstance(optimizer, RMSprop):
        names = "Any, Dict, List, Tuple" if cell in KERAS_CELLS else "Any"
        lines = [f"from typing import {names}", "", *lines, "from keras import ops"]
    if cell in KERAS_CELLS:
        lines += _classes_of("keras_cells", ("_TwoStateCell", KERAS_CELLS[cell]))
    if isinstance(optimizer, RMSprop):
        lines += _classes_of("keras_optimizers", ("PublishedRMSprop",))
    lines += ["", "", "def build() -> keras.Model:", f'{INDENT}"""{_summary(trained)}"""']
    lines += [INDENT + line for line in _keras_body(trained)]
    if not weights:
        return lines
    lines += ["", "", "model = build()", f"model.load_weights({weights!r})"]
    made = ""
    if isinstance(optimizer, RMSprop):
        options = f"rho={optimizer.rho:g}, epsilon={optimizer.epsilon:g}"
        made = f"PublishedRMSprop({optimizer.learning_rate:g}, {options})"
    elif isinstance(optimizer, AdamRule) and optimizer.epsilon_hat:
        made = f"keras.optimizers.Adam({optimizer.learning_rate:g}, epsilon={optimizer.epsilon:g})"
    loss = "BinaryCrossentropy" if spec.output == "sigmoid" else "CategoricalCrossentropy"
    loss = f"{loss}(from_logits=True)"
    if spec.output == "regression":
        loss = "MeanAbsoluteError()" if spec.loss == "absolute" else "MeanSquaredError()"
    if made:
        lines += [f"model.compile({made}, keras.losses.{loss})"]
    return lines


def _keras_body(trained: Trained) -> Iterator[str]:
    spec, table = trained.spec, trained.table
    steps = "None" if spec.any_steps else spec.steps
    if table is None:
        yield f"x = inputs = keras.Input(({steps}, {trained.read_width}))"
    else:
        yield f'inputs = keras.Input(({steps},), dtype="int32")'
        frozen = "" if spec.trains_embedding else ", trainable=False"
        yield f"x = keras.layers.Embedding({table.shape[0]}, {table.shape[1]}{frozen})(inputs)"
    yield from _keras_front(trained)
    directions = {"fw": "x", "bw": "backward"}
    if not spec.bidirectional:
        for layer in range(spec.layers):
            yield f"x = {_keras_layer(spec, spec.per_step or layer < spec.layers - 1)}(x)"
    elif spec.joined_layers or spec.layers == 1:
        for _ in range(spec.layers - 1):
            yield f"x = keras.layers.Bidirectional({_keras_layer(spec, True)})(x)"
        last = f"keras.layers.Bidirectional({_keras_layer(spec, False)}, merge_mode=None)(x)"
        yield f"forward, backward = {last}"
        directions["fw"] = "forward"
    else:
        both = spec.readout == "both-states"  # Keras drops layers that nothing reads
        yield "forward = backward = x" if both else "backward = x"
        directions["fw"] = "forward"
        for layer in range(spec.layers):
            more = layer < spec.layers - 1
            if both:
                yield f"forward = {_keras_layer(spec, more)}(forward)"
            yield f"backward = {_keras_layer(spec, more, backwards=not layer)}(backward)"
    read = directions["bw" if spec.readout == "backward-state" else "fw"]
    if spec.readout == "both-states":
        read = f"keras.layers.Concatenate()([{directions['fw']}, {directions['bw']}])"
    if read != "x":
        yield f"x = {read}"
    if spec.dense_units:
        yield f'x = keras.layers.Dense({spec.dense_units}, activation="relu")(x)'
    yield f"return keras.Model(inputs, keras.layers.Dense({spec.outputs})(x))"


def _keras_front(trained: Trained) -> Iterator[str]:
    """Yield the layer in front of the recurrent ones, where there is one."""
    if trained.front:
        units = trained.weights["front/kernel"].shape[1]
        yield f'x = keras.layers.Dense({units}, activation="{trained.front}")(x)'


def _keras_layer(spec: Spec, returns_sequences: bool, backwards: bool = False) -> str:
    name, units = spec.cell.name, spec.cell.units
    options = ", return_sequences=True" if returns_sequences else ""
    options += ", go_backwards=True" if backwards else ""
    if name in KERAS_CELLS:
        return f"keras.layers.RNN({KERAS_CELLS[name]}({units}, {spec.cell.forget_bias:g}){options})"
    reset = ", reset_after=False" if name == "gru" else ""
    if spec.cell.state_activation != "tanh":
        options += f', activation="{spec.cell.state_activation}"'
    return f"keras.layers.{KERAS_LAYERS[name]}({units}{reset}{options})"
