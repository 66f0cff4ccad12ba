"""Recurrent cells in a graph: where each is applied, with what forget bias, activation and layer."""

from typing import Any, Dict, List, NamedTuple, Optional, Set, Tuple

from tf1_lstm.checkpoints.names import parse_name
from tf1_lstm.original.forward import ADD, ForwardPart, weight_shape
from tf1_lstm.original.graph import Node

SPLITS = ("Split", "SplitV")
ACTIVATIONS = {
    "Tanh": "tanh",
    "Relu": "relu",
    "Relu6": "relu6",
    "Sigmoid": "sigmoid",
    "Elu": "elu",
    "Selu": "selu",
    "Softsign": "softsign",
    "Softplus": "softplus",
    "LeakyRelu": "leaky_relu",
}
# Fused operations: (cell, input that is the kernel, first input with data)
FUSED = {
    "LSTMBlockCell": ("basic_lstm", 3, 0),
    "BlockLSTM": ("basic_lstm", 4, 1),
    "GRUBlockCell": ("gru", 2, 0),
    "CudnnRNN": ("cudnn", 3, 0),
    "CudnnRNNV2": ("cudnn", 3, 0),
    "CudnnRNNV3": ("cudnn", 3, 0),
}
BORDERS = ("Merge", "TensorArrayReadV3", "TensorArrayReadV2", "TensorArrayRead", "Placeholder", "VariableV2")
MOST_LAYERS = 64


class Application(NamedTuple):
    """One place where a cell's kernel is applied.

    Attributes:
      cell: a key of the known cells.
      kernel: the variable's name.
      node: the multiplication, or the fused operation.
      data: the node with what the cell reads besides its own state; None where it is not apart.
      frame: the loop it is in; empty where the steps are unrolled.
      units: width of the state.
      forget_bias: added to the forget gate; None without one.
      activation: of the candidate.
    """

    cell: str
    kernel: str
    node: Node
    data: Optional[str]
    frame: str
    units: int
    forget_bias: Optional[float]
    activation: Optional[str]


def applications(forward: ForwardPart) -> List[Application]:
    """Every application of a recurrent cell, in the graph's order."""
    found: List[Application] = []
    for node in forward.nodes.values():
        if node.op == "MatMul" and len(node.inputs) == 2:
            one = _plain(forward, node)
        elif node.op in FUSED:
            one = _fused(forward, node)
        else:
            continue
        if one is not None:
            found.append(one)
    return found


def _fused(forward: ForwardPart, node: Node) -> Optional[Application]:
    cell, place, data = FUSED[node.op]
    weight = forward.weight(node.inputs[place][0]) if place < len(node.inputs) else None
    if weight is None:
        return None
    peephole = node.flag("use_peephole")
    shape = weight_shape(weight)
    blocks = 4 if "lstm" in cell else 2
    units = shape[-1] // blocks if len(shape) == 2 else 0
    bias = node.number("forget_bias", 1.0) if cell == "basic_lstm" else None
    name = "lstm_peephole" if peephole else cell
    frame = forward.frames.get(node.name, "")
    if node.op not in ("LSTMBlockCell", "GRUBlockCell"):
        frame = frame or node.name
    return Application(name, weight.name, node, node.inputs[data][0], frame, units, bias, "tanh")


def _plain(forward: ForwardPart, node: Node) -> Optional[Application]:
    """A multiplication by a kernel, with what is done to its result, where that is a cell's."""
    weight = forward.weight(node.inputs[1][0])
    joined = forward.behind(node.inputs[0][0])
    if weight is None or joined is None or joined.op not in ("ConcatV2", "Concat"):
        return None
    values = joined.inputs[1:] if joined.op == "Concat" else joined.inputs[:-1]
    shape = weight_shape(weight)
    if len(shape) != 2 or len(values) != 2:
        return None
    result = _with_bias(forward, node)
    uses = forward.uses.get(result.name, [])
    splits = [use.node for use in uses if use.node.op in SPLITS]
    named = parse_name(weight.name)
    frame, data = forward.frames.get(node.name, ""), values[0][0]
    if splits:
        return _lstm(
            forward, Application("", weight.name, node, data, frame, 0, None, None), splits[0], shape
        )
    gates = [use.node for use in uses if use.node.op == "Sigmoid"]
    if gates and any(use.node.op in SPLITS for use in forward.uses.get(gates[0].name, [])):
        return Application(
            "gru", weight.name, node, data, frame, shape[1] // 2, None, _gru_activation(forward, node, shape)
        )
    active = [use.node for use in uses if use.node.op in ACTIVATIONS]
    if named is not None and named.cell == "basic_rnn" and active:
        return Application(
            "basic_rnn", weight.name, node, data, frame, shape[1], None, ACTIVATIONS[active[0].op]
        )
    return None


def _with_bias(forward: ForwardPart, node: Node) -> Node:
    """A multiplication's result with its bias added, where there is one."""
    for use in forward.uses.get(node.name, []):
        if use.node.op in ADD and len(use.node.inputs) == 2:
            other = forward.weight(use.node.inputs[1 - use.place][0])
            if other is not None:
                return use.node
    return node


def _lstm(forward: ForwardPart, found: Application, split: Node, shape: Any) -> Optional[Application]:
    count = split.integer("num_split")
    if count not in (3, 4) or shape[1] % count:
        return None
    forget, candidate = (2, 1) if count == 4 else (1, 0)
    readers = forward.uses.get(split.name, [])
    bias: Optional[float] = None
    for use in readers:
        if use.output == forget:
            if use.node.op in ("Add", "AddV2"):
                bias = forward.number(use.node.inputs[1 - use.place][0])
            elif use.node.op == "Sigmoid":
                bias = 0.0
    active = [
        ACTIVATIONS[use.node.op] for use in readers if use.output == candidate and use.node.op in ACTIVATIONS
    ]
    named = parse_name(found.kernel)
    peephole = any(
        name.endswith("/w_f_diag") or name.endswith("/W_F_diag") for name in _siblings(forward, found.kernel)
    )
    cell = "lstm_coupled" if count == 3 else "lstm_peephole" if peephole else "basic_lstm"
    if named is not None and ("lstm" not in named.cell or named.cell.startswith("?")):
        return None
    return found._replace(
        cell=cell, units=shape[1] // count, forget_bias=bias, activation=active[0] if active else None
    )


def _siblings(forward: ForwardPart, kernel: str) -> List[str]:
    scope = kernel.rpartition("/")[0] + "/"
    return [name for name in forward.graph.nodes if name.startswith(scope)]


def _gru_activation(forward: ForwardPart, node: Node, shape: Any) -> Optional[str]:
    """The activation of a GRU's candidate: its kernel has half the columns of the gates'."""
    scope = node.name.rpartition("/")[0]
    for other in forward.nodes.values():
        if other.op == "MatMul" and other.name != node.name and other.name.startswith(scope):
            weight = forward.weight(other.inputs[1][0])
            if weight is not None and weight_shape(weight) == (shape[0], shape[1] // 2):
                uses = forward.uses.get(_with_bias(forward, other).name, [])
                active = [ACTIVATIONS[use.node.op] for use in uses if use.node.op in ACTIVATIONS]
                if active:
                    return active[0]
    return None


def layers_of(forward: ForwardPart, found: List[Application]) -> Dict[str, int]:
    """Application's node -> its layer, from 0: how many cells lie between it and the inputs of its step."""
    by_node = {one.node.name: one for one in found}
    layers: Dict[str, int] = {}

    def below(one: Application) -> Set[str]:
        seen: Set[str] = set()
        hits: Set[str] = set()
        waiting = [one.data] if one.data else []
        while waiting:
            name = waiting.pop()
            node = forward.graph.nodes.get(name or "")
            if node is None or node.name in seen:
                continue
            seen.add(node.name)
            through = through_array(forward, node)
            if node.name in by_node:
                hits.add(node.name)
            elif through is not None:
                waiting.append(through[0])
            elif node.op not in BORDERS:
                waiting += [source for source, _ in node.inputs]
        return hits

    for one in found:  # a graph is written in the order in which it was built: below comes before
        under = [layers.get(name, 0) for name in below(one) if name != one.node.name]
        layers[one.node.name] = min(MOST_LAYERS, 1 + max(under)) if under else 0
    return layers


def through_array(forward: ForwardPart, node: Node) -> Optional[Tuple[str, int]]:
    """What a loop reads of a TensorArray (what was scattered into it), or what was gathered after it.

    Of a gathered one that is what the loop writes, step by step. None for another node.
    """
    if node.op not in ("TensorArrayReadV3", "TensorArrayGatherV3"):
        return None
    array = forward.behind(node.inputs[0][0])
    for use in forward.uses.get(array.name, []) if array is not None else []:
        for inner in [use.node, *(one.node for one in forward.uses.get(use.node.name, []))]:
            if inner.op == {"R": "TensorArrayScatterV3", "G": "TensorArrayWriteV3"}[node.op[11]]:
                return inner.inputs[2]
    return None


def recurrent_parts(forward: ForwardPart) -> List[Dict[str, Any]]:
    """What ``graph`` lists of recurrent loops and unrolled cells."""
    found = applications(forward)
    layers = layers_of(forward, found)
    groups: Dict[str, List[Application]] = {}
    for one in found:
        groups.setdefault(one.frame or _scope(one), []).append(one)
    return [_part(forward, scope, group, layers) for scope, group in groups.items()]


def _scope(one: Application) -> str:
    """The scope that the unrolled steps of one direction share."""
    named = parse_name(one.kernel)
    return f"{named.scope}, direction {named.direction}" if named else one.kernel


def _part(
    forward: ForwardPart, scope: str, group: List[Application], layers: Dict[str, int]
) -> Dict[str, Any]:
    unrolled = not group[0].frame
    base = min(layers[one.node.name] for one in group)
    by_layer: Dict[int, List[Application]] = {}
    for one in group:
        by_layer.setdefault(layers[one.node.name] - base, []).append(one)
    cells = [
        {
            "layer": layer,
            "cell": ones[0].cell,
            "kernel": ones[0].kernel,
            "units": ones[0].units,
            "forget_bias": ones[0].forget_bias,
            "activation": ones[0].activation,
        }
        for layer, ones in sorted(by_layer.items())
    ]
    return {
        "kind": "unrolled" if unrolled else "loop",
        "scope": scope,
        "layers": len(by_layer),
        "shared": len({one.kernel for one in group}) < len(by_layer),
        "steps": len(by_layer[0]) if unrolled and by_layer.get(0) else None,
        "cells": cells,
    }
