"""A trained model as a PyTorch module in Python source, to be run as it is printed."""

from typing import Dict, Iterator, List

from tf1_lstm.parity.layouts import TORCH_LAYERS, has_torch_layer
from tf1_lstm.parity.model_code import INDENT, check_cell, classes_of, reads_ids_twice, summary
from tf1_lstm.parity.spec import FRONT, Spec
from tf1_lstm.parity.weight_files import Trained, is_one_module, sorted_directions

# What stands in for a cell that PyTorch has no layer for, of ``ports/torch_cells``.
CELLS = {
    "basic_rnn": "TorchBasicRNN",
    "basic_lstm": "TorchBasicLSTM",
    "lstm_peephole": "TorchPeepholeLSTM",
    "lstm_coupled": "TorchCoupledLSTM",
    "gru": "ResetBeforeGRU",
    "gru_reset_after": "TorchResetAfterGRU",
}
ACTIVATIONS = {
    "linear": "{}",
    "relu": "torch.relu({})",
    "tanh": "torch.tanh({})",
    "sigmoid": "torch.sigmoid({})",
    "selu": "torch.selu({})",
}
TURNED = '''

def turned(x: Tensor, lengths: Tensor) -> Tensor:
    """Return the steps that count from the last to the first, and those behind them where they are."""
    places = torch.arange(x.shape[1], device=x.device)
    back = lengths[:, None] - 1 - places
    return x.gather(1, torch.where(back >= 0, back, places)[:, :, None].expand_as(x))
'''
PACKED = '''

def packed(layer: nn.Module, x: Tensor, lengths: Tensor):
    """Run a layer over the steps that count; return its outputs, zeros behind them, and its last h."""
    read = nn.utils.rnn.pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
    outputs, state = layer(read)
    outputs, _ = nn.utils.rnn.pad_packed_sequence(outputs, batch_first=True, total_length=x.shape[1])
    return outputs, state[0] if isinstance(state, tuple) else state
'''


def torch_code(trained: Trained, weights: str = "") -> List[str]:
    """Return the lines of a module ``Model``, and of ``model`` with a file's weights where one is given.

    Args:
      trained: what is built.
      weights: a ``.safetensors`` written by ``weight_files.write_torch``.

    Raises:
      InputError: a cell of one's own.
    """
    spec = trained.spec
    check_cell(spec, tuple(CELLS))
    custom = not has_torch_layer(spec.cell, spec.mask)
    lines = ["import torch"]
    if custom:
        lines.insert(0, "from typing import Dict, List, Optional, Tuple\n")
    lines += ["from safetensors.torch import load_file"] if weights else []
    lines += ["from torch import Tensor, nn"]
    if custom:
        lines += classes_of("torch_cells", ("_Layer", CELLS[spec.cell.name]))
    if spec.mask == "sequence_length" and (spec.go_backwards or _turns_by_length(spec)):
        lines += TURNED.rstrip().splitlines()
    if spec.mask == "sequence_length" and not custom:
        lines += PACKED.rstrip().splitlines()
    lines += ["", "", "class Model(nn.Module):", f'{INDENT}"""{summary(trained)}"""', ""]
    lines += [f"{INDENT}def __init__(self) -> None:", f"{2 * INDENT}super().__init__()"]
    lines += [2 * INDENT + line for line in _parts(trained)]
    more = ", lengths: Tensor" if spec.takes_lengths else ""
    lines += ["", f"{INDENT}def forward(self, x: Tensor{more}) -> Tensor:"]
    lines += [f'{2 * INDENT}"""Return the {"outputs" if spec.output == "regression" else "logits"}."""']
    lines += [2 * INDENT + line for line in _forward(trained)]
    if weights:
        lines += ["", "", "model = Model()", f"model.load_state_dict(load_file({weights!r}))", "model.eval()"]
    return lines


def _turns_by_length(spec: Spec) -> bool:
    """Whether a stack of PyTorch's own layers reads each example from its own end."""
    stacked = spec.bidirectional and not is_one_module(spec)
    return stacked and spec.mask == "sequence_length" and has_torch_layer(spec.cell, spec.mask)


def _parts(trained: Trained) -> Iterator[str]:
    """Yield the lines that make the module's parts."""
    spec, table = trained.spec, trained.table
    if table is not None:
        frozen = "" if spec.trains_embedding else ".requires_grad_(False)"
        yield f"self.embedding = nn.Embedding({table.shape[0]}, {table.shape[1]}){frozen}"
    if spec.front:
        size = trained.weights[FRONT[0]].shape
        yield f"self.front = nn.Linear({size[0]}, {size[1]})"
    name, units = spec.cell.name, spec.cell.units
    own = has_torch_layer(spec.cell, spec.mask)
    if is_one_module(spec):
        options = f", num_layers={spec.layers}" if spec.layers > 1 else ""
        options += ", batch_first=True" + (", bidirectional=True" if spec.bidirectional else "")
        yield f"self.recurrent = nn.{TORCH_LAYERS[name]}({trained.width}, {units}{options})"
    elif spec.shared_cell:
        yield f"self.recurrent = {_layer(spec, trained.width, 0)}  # all layers share it"
    else:
        yield "self.recurrent = nn.ModuleList("
        yield INDENT + "["
        for layer in range(spec.layers):
            one = _layer(spec, spec.width(trained.width, layer), layer)
            yield from [f"{2 * INDENT}{one},"] * len(spec.directions)
        yield INDENT + "]"
        yield ")"
    if own and name in ("basic_rnn", "basic_lstm") and not spec.double_bias:
        yield "for name, parameter in self.recurrent.named_parameters():"
        yield f'{INDENT}if "bias_hh" in name:  # one bias is trained; the second stays as it is, zero'
        yield f"{2 * INDENT}parameter.requires_grad_(False)"
    if spec.dense_units:
        yield f"self.dense = nn.Linear({trained.weights['dense/kernel'].shape[0]}, {spec.dense_units})"
    yield f"self.linear = nn.Linear({trained.weights['softmax/weights'].shape[0]}, {spec.outputs})"


def _layer(spec: Spec, width: int, number: int) -> str:
    name, units = spec.cell.name, spec.cell_of(number).units
    if has_torch_layer(spec.cell, spec.mask):
        return f"nn.{TORCH_LAYERS[name]}({width}, {units}, batch_first=True)"
    options = f", {spec.cell.forget_bias:g}" if spec.cell.has_c else ""
    if spec.cell.state_activation != "tanh":
        options += f', activation="{spec.cell.state_activation}"'
    return f"{CELLS[name]}({width}, {units}{options})"


def _forward(trained: Trained) -> Iterator[str]:
    spec = trained.spec
    if reads_ids_twice(spec):
        yield "used = x != 0"
    if trained.table is not None:
        yield "x = self.embedding(x)"
    if spec.mask == "mask_zero":
        yield "mask = used"
    elif spec.mask == "sequence_length":
        if not spec.takes_lengths:
            yield "places = torch.arange(1, x.shape[1] + 1, device=x.device)"
            yield "lengths = (places * used).max(1).values.clamp(min=1)  # up to the last word"
        if not has_torch_layer(spec.cell, spec.mask) or spec.position in ("mean", "max"):
            yield "mask = torch.arange(x.shape[1], device=x.device) < lengths[:, None]"
    if spec.front:
        yield f"x = {ACTIVATIONS[spec.front].format('self.front(x)')}"
    if spec.go_backwards:
        yield "x = turned(x, lengths)" if spec.mask == "sequence_length" else "x = x.flip(1)"
        if spec.mask == "mask_zero":
            yield "mask = mask.flip(1)"
    read: Dict[str, str] = {}
    yield from _recurrence(spec, read)
    yield f"features = {_merged(spec, read)}"
    yield from _steps_read(spec)
    if spec.dense_units:
        yield f"features = {ACTIVATIONS[spec.dense_activation].format('self.dense(features)')}"
    yield f"return {ACTIVATIONS[spec.scores_activation].format('self.linear(features)')}"


def _recurrence(spec: Spec, read: Dict[str, str]) -> Iterator[str]:
    """Yield the recurrent layers' lines; ``read`` is filled with direction -> what is read of it."""
    whole = spec.reads_sequence
    if is_one_module(spec):
        if spec.mask == "sequence_length":
            yield "outputs, h = packed(self.recurrent, x, lengths)"
        else:
            state = "_" if whole or not spec.bidirectional else "(h, _)" if spec.cell.has_c else "h"
            yield f"outputs, {state} = self.recurrent(x)"
        if whole and spec.bidirectional:
            yield "forward, backward = outputs.chunk(2, 2)"
            read.update(fw="forward", bw="backward")
        elif whole:
            read.update(fw="outputs")
        elif spec.bidirectional:
            read.update(fw="h[-2]", bw="h[-1]")
        else:
            read.update(fw="h[-1]" if spec.mask != "none" else "outputs[:, -1]")
    elif not spec.bidirectional:
        layers = f"_ in range({spec.layers})" if spec.shared_cell else "layer in self.recurrent"
        yield f"for {layers}:"
        yield INDENT + _run(spec, "x", "self.recurrent" if spec.shared_cell else "layer")
        read.update(fw="x" if whole else _last(spec, "x"))
    else:
        yield from _two_stacks(spec, read)
    masked = spec.mask == "sequence_length" and not has_torch_layer(spec.cell, spec.mask)
    if whole and masked:  # TensorFlow's outputs are zero behind the end
        for name in sorted_directions(spec):
            read[name] = f"{read[name]} * mask[:, :, None]"


def _two_stacks(spec: Spec, read: Dict[str, str]) -> Iterator[str]:
    """Yield the lines of a stack of layers for each direction, or of layers that read both."""
    by_length = _turns_by_length(spec)
    turn = "turned({}, lengths)" if by_length else "{}.flip(1)"
    forward, backward = ("x", turn.format("x")) if spec.joined_layers else ("forward", "backward")
    flipped = spec.mask != "none" and not by_length
    if flipped:
        yield "mask_back = mask.flip(1)"
    if not spec.joined_layers:
        yield f"forward, backward = x, {turn.format('x')}"
    yield f"for layer in range(0, {2 * spec.layers}, 2):"
    yield INDENT + _run(spec, forward, "self.recurrent[layer]", "forward")
    mask = "mask_back" if flipped else "mask"
    yield INDENT + _run(spec, backward, "self.recurrent[layer + 1]", "backward", mask)
    if spec.joined_layers:
        yield f"{INDENT}x = torch.cat([forward, {turn.format('backward')}], 2)"
    if spec.reads_sequence:
        read.update(fw="forward", bw=turn.format("backward"))
    else:
        read.update(fw=_last(spec, "forward"), bw=_last(spec, "backward"))


def _run(spec: Spec, read: str, layer: str, gives: str = "x", mask: str = "mask") -> str:
    if not has_torch_layer(spec.cell, spec.mask):
        return f"{gives} = {layer}({read}{f', {mask}' if spec.mask != 'none' else ''})"
    if spec.mask == "none":
        return f"{gives}, _ = {layer}({read})"
    return f"{gives}, {'h' if gives == 'x' else f'h_{gives}'} = packed({layer}, {read}, lengths)"


def _last(spec: Spec, outputs: str) -> str:
    """Return the last state of a stack of layers."""
    if spec.mask == "sequence_length" and has_torch_layer(spec.cell, spec.mask):
        return "h[-1]" if outputs == "x" else f"h_{outputs}[-1]"
    return f"{outputs}[:, -1]"


def _merged(spec: Spec, read: Dict[str, str]) -> str:
    found = [read[name] for name in spec.directions_read]
    if len(found) == 1:
        return found[0]
    if spec.merge == "join":
        return f"torch.cat([{', '.join(found)}], {2 if spec.reads_sequence else 1})"
    if spec.merge == "product":
        return " * ".join(found)
    return " + ".join(found) if spec.merge == "sum" else f"({' + '.join(found)}) / 2"


def _steps_read(spec: Spec) -> Iterator[str]:
    """Yield what makes one vector of the outputs of all steps, where that is read."""
    masked = spec.mask != "none"
    if spec.position == "last":
        lengths = spec.mask == "sequence_length"
        at = "torch.arange(len(features)), lengths - 1" if lengths else ":, -1"
        yield f"features = features[{at}]"
    elif spec.position == "mean" and masked:
        yield "count = mask.sum(1, keepdim=True).clamp(min=1)"
        yield "features = (features * mask[:, :, None]).sum(1) / count"
    elif spec.position == "mean":
        yield "features = features.mean(1)"
    elif spec.position == "max" and masked:
        yield 'features = features.masked_fill(~mask[:, :, None], float("-inf")).amax(1)'
    elif spec.position == "max":
        yield "features = features.amax(1)"
