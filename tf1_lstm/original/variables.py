"""Which values of a checkpoint belong to which variable of a graph."""

from difflib import get_close_matches
from typing import Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from tf1_lstm.checkpoints.formats.wire import Message
from tf1_lstm.checkpoints.reading import OpenCheckpoint
from tf1_lstm.errors import InputError
from tf1_lstm.original.graph import VARIABLE_OPS, Node, Shape, StoredGraph

SAVES = {"Save": (1, None, 2), "SaveSlices": (1, 2, 3), "SaveV2": (1, 2, 3)}  # names, slices, first tensor
READS = ("Identity", "ReadVariableOp", "RefIdentity", "Enter", "RefEnter", "Switch", "RefSwitch", "Cast")
MOST_HOPS = 16


class Stored(NamedTuple):
    """Where a variable's values are in a checkpoint.

    Attributes:
      key: the checkpoint's name.
      piece: the part of it that a partitioned variable holds; None for all of it.
    """

    key: str
    piece: Optional[Tuple[slice, ...]] = None


def variables_of(graph: StoredGraph) -> Dict[str, Node]:
    """The variables of a graph by name."""
    return {name: node for name, node in graph.nodes.items() if node.op in VARIABLE_OPS}


def variable_behind(graph: StoredGraph, name: str) -> Optional[str]:
    """The variable whose value a node gives unchanged, or None."""
    for _ in range(MOST_HOPS):
        node = graph.nodes.get(name)
        if node is None:
            return None
        if node.op in VARIABLE_OPS:
            return name
        if node.op not in READS or not node.inputs:
            return None
        name = node.inputs[0][0]
    return None


def saved_under(graph: StoredGraph) -> Dict[str, List[Stored]]:
    """Variable -> the names under which the graph's own Savers save it."""
    found: Dict[str, List[Stored]] = {}
    for node in graph.nodes.values():
        if node.op not in SAVES:
            continue
        names_at, slices_at, first = SAVES[node.op]
        if len(node.inputs) < first:
            continue
        keys = _texts(graph, node.inputs[names_at][0])
        slices = _texts(graph, node.inputs[slices_at][0]) if slices_at is not None else []
        for place, (source, _) in enumerate(node.inputs[first:]):
            variable = variable_behind(graph, source)
            if variable is None or place >= len(keys):
                continue
            piece = _piece(slices[place]) if place < len(slices) else None
            found.setdefault(variable, []).append(Stored(keys[place], piece))
    return found


def _texts(graph: StoredGraph, name: str) -> List[str]:
    node = graph.nodes.get(name)
    found = node.attribute("value") if node is not None and node.op == "Const" else None
    if not found:
        return []
    return [bytes(text).decode("utf-8", "surrogateescape") for text in Message(found.blob(8)).blobs(8)]


def _piece(text: str) -> Optional[Tuple[slice, ...]]:
    """``"10 4 0,5:-"`` to slices; None for a whole variable (an empty text)."""
    parts = text.split()
    if not parts:
        return None
    extents = [int(extent) for extent in parts[:-1] if extent.isdigit()]
    slices = []
    for extent, part in zip(extents, parts[-1].split(":")):
        if part == "-":
            slices.append(slice(0, extent))
            continue
        start, _, length = part.partition(",")
        if not (start.isdigit() and length.isdigit()):
            return None
        slices.append(slice(int(start), int(start) + int(length)))
    return tuple(slices)


def stored_of(variable: str, saved: Dict[str, List[Stored]], checkpoint: OpenCheckpoint) -> Optional[Stored]:
    """Where a checkpoint has a variable: under its Saver's name for it, else under its own."""
    for candidate in [*saved.get(variable, []), Stored(variable)]:
        if candidate.key in checkpoint.specs:
            return candidate
    return None


def values_of(
    graph: StoredGraph, file: str, names: List[str], checkpoint: Optional[OpenCheckpoint]
) -> Dict[str, np.ndarray]:
    """The values of some variables of a graph.

    Raises:
      InputError: one that the checkpoint does not have, or with another shape or type; damaged values.
    """
    if not names:
        return {}
    if checkpoint is None:
        raise InputError(
            f"{file}: found no checkpoint beside it, expected one for the variable {names[0]}"
            + (f" and {len(names) - 1} more" if len(names) > 1 else "")
        )
    saved = saved_under(graph)
    found = {}
    for name in names:
        node = graph.nodes[name]
        stored = stored_of(name, saved, checkpoint)
        if stored is None:
            near = get_close_matches(name, list(checkpoint.specs), 3, 0.5)
            hint = f"; the nearest are {', '.join(near)}" if near else ""
            raise InputError(f"{checkpoint.prefix}: found no variable {name}, which the outputs need{hint}")
        values = checkpoint.variables[stored.key]
        if stored.piece is not None and len(stored.piece) == values.ndim:
            values = values[stored.piece]
        shape, dtype = node.shape("shape"), node.dtype("dtype")
        if not fits(values.shape, shape):
            raise InputError(
                f"{checkpoint.prefix}: {stored.key} is {list(values.shape)}, expected {show(shape)} "
                f"as in {file}"
            )
        if dtype and str(values.dtype) != dtype:
            raise InputError(
                f"{checkpoint.prefix}: {stored.key} is of type {values.dtype}, expected {dtype} as in {file}"
            )
        found[name] = values
    return found


def fits(found: Tuple[int, ...], expected: Shape) -> bool:
    """Whether a shape is one that a partly known shape allows."""
    if expected is None:
        return True
    return len(found) == len(expected) and all(
        wanted is None or wanted == extent for extent, wanted in zip(found, expected)
    )


def show(shape: Shape) -> str:
    """A shape for people."""
    if shape is None:
        return "[unknown]"
    return "[" + ", ".join("?" if extent is None else str(extent) for extent in shape) + "]"
