"""The recurrent part of a model, recognised from the names and shapes of its variables."""

import re
from dataclasses import dataclass, field
from typing import Dict, List, Mapping, NamedTuple, Optional, Tuple

from tf1_lstm.checkpoints.canonical import DIRECTIONS, Shape, canonical_name, cell_kinds
from tf1_lstm.checkpoints.formats.tensors import VariableSpec
from tf1_lstm.checkpoints.names import KINDS_BETWEEN, CellName, joins_directions, parse_name

STRANGERS = {  # what other recurrent layers are known by
    "recurrent_kernel": " (a Keras layer's are there: another arithmetic)",
    "opaque_kernel": " (a CudnnLSTM's or CudnnGRU's are there: all weights in one opaque buffer)",
    "weight_ih_l": " (PyTorch's are there)",
}
NUMBERED = re.compile(r"^(.*?)_?(\d*)$", re.S)


class UnidentifiedError(Exception):
    """Why the variables make no model that is known here, in one sentence."""


class Source(NamedTuple):
    """Which variables a role's values come from.

    Attributes:
      names: one, or the shards in their order.
      axis: along which shards are joined.
      shape: of the joined values.
    """

    names: Tuple[str, ...]
    axis: int
    shape: Shape


class RecurrentVariables(NamedTuple):
    """The recurrent part of a model.

    Attributes:
      cell: a name that ``cell_kinds`` knows.
      inputs, units, layers, directions, joined, widths: as in ``ModelDescription``.
      sources: role -> where its values are.
      namings: the versions of TensorFlow whose names were used.
      notes: what was concluded rather than read.
    """

    cell: str
    inputs: int
    units: int
    layers: int
    directions: int
    sources: Dict[str, Source]
    namings: Tuple[str, ...]
    notes: Tuple[str, ...] = ()
    joined: bool = False
    widths: Tuple[int, ...] = ()


@dataclass
class _Scope:
    """The cells that share one scope: (direction, layer) -> part -> shard -> variable."""

    name: str
    cells: Dict[Tuple[int, int], Dict[str, Dict[int, str]]] = field(default_factory=dict)
    kinds: Dict[str, None] = field(default_factory=dict)
    namings: Dict[str, None] = field(default_factory=dict)


def cell_variables(names: List[str]) -> Dict[str, CellName]:
    """The variables that belong to a recurrent cell, taken apart."""
    parsed = {name: cell for name, cell in ((name, parse_name(name)) for name in names) if cell}
    whole = {_place(cell) for cell in parsed.values() if cell.part.endswith("kernel")}
    # A scope may be called lstm_cell and hold a softmax: it is a cell where it has a kernel.
    return {name: cell for name, cell in parsed.items() if cell.part[0] != "?" or _place(cell) in whole}


def _place(cell: CellName) -> Tuple[str, str, int, int]:
    return cell.scope, cell.cell, cell.direction, cell.layer


def recognise(specs: Mapping[str, VariableSpec], cells: Mapping[str, CellName]) -> RecurrentVariables:
    """The recurrent part that a checkpoint's cell variables make.

    Args:
      specs: all variables.
      cells: as ``cell_variables`` gives them.

    Raises:
      UnidentifiedError: no cell, an unknown one, a part missing or of an impossible shape, or several
        models between which nothing decides.
    """
    scopes: Dict[str, _Scope] = {}
    for name in sorted(cells):
        _add(scopes, name, cells[name])
    if not scopes:
        hint = next((hint for word, hint in STRANGERS.items() for name in specs if word in name), "")
        raise UnidentifiedError(f"no variable bears the name of a recurrent cell{hint}")
    found = [_one_scope(scope, specs) for scope in scopes.values()]
    if len(found) == 1:
        return found[0]
    return _stacked(dict(zip(scopes, found)))


def _add(scopes: Dict[str, _Scope], name: str, cell: CellName) -> None:
    if cell.cell.startswith("?"):
        raise UnidentifiedError(f"{name}: the cell {cell.cell[1:]} is not one that this program knows")
    if cell.part.startswith("?"):
        raise UnidentifiedError(
            f"{name}: the part {cell.part[1:]} is none of a plain cell (projection? layer normalization?)"
        )
    scope = scopes.setdefault(cell.scope, _Scope(cell.scope))
    shards = scope.cells.setdefault((cell.direction, cell.layer), {}).setdefault(cell.part, {})
    shard = -1 if cell.shard is None else cell.shard
    if shard in shards:
        raise UnidentifiedError(f"{name} and {shards[shard]} would be the same weight")
    shards[shard] = name
    scope.kinds[cell.cell] = None
    if cell.part.endswith("kernel"):
        scope.namings[cell.naming] = None


def _one_scope(scope: _Scope, specs: Mapping[str, VariableSpec]) -> RecurrentVariables:
    where = scope.name or "(no scope)"
    if len(scope.kinds) > 1:
        raise UnidentifiedError(f"{where}: cells of different kinds ({', '.join(scope.kinds)}) in one model")
    directions = 1 + max(direction for direction, _ in scope.cells)
    layers = 1 + max(layer for _, layer in scope.cells)
    wanted = {(direction, layer) for direction in range(directions) for layer in range(layers)}
    for direction, layer in sorted(wanted - set(scope.cells)):
        raise UnidentifiedError(f"{where}: layer {layer} of direction {DIRECTIONS[direction]} is missing")
    cell, optional = _kind(scope)
    sources: Dict[str, Source] = {}
    sizes: Dict[Tuple[int, int], Tuple[int, int]] = {}
    for (direction, layer), parts in sorted(scope.cells.items()):
        weights, sizes[direction, layer] = _one_cell(cell, optional, parts, specs, f"{where}, layer {layer}")
        for part, source in weights.items():
            sources[canonical_name(cell, direction, layer, part)] = source
    inputs, widths, joined = _widths(where, sizes, directions)
    units = widths[0]
    if layers > 1 and joins_directions(scope.name) not in (None, joined):
        below = "one direction" if joined else "both directions"
        raise UnidentifiedError(
            f"{where}: the layers above the first read {2 * units if joined else units} numbers, though "
            f"by their names they read {below} of {units} units"
        )
    return RecurrentVariables(
        cell,
        inputs,
        units,
        layers,
        directions,
        sources,
        tuple(scope.namings),
        joined=joined,
        widths=_where_they_differ(widths),
    )


def _kind(scope: _Scope) -> Tuple[str, bool]:
    """The cell, and whether it has its optional parts: some cells tell by their parts alone."""
    candidates = next(iter(scope.kinds)).split(KINDS_BETWEEN)
    parts = {part for cell in scope.cells.values() for part in cell}
    known = cell_kinds()
    kind = next((name for name in candidates if parts <= set(known[name].part_shapes(1, 1))), candidates[-1])
    return kind, bool(parts & set(known[kind].optional_parts))


def _one_cell(
    cell: str, optional: bool, parts: Dict[str, Dict[int, str]], specs: Mapping[str, VariableSpec], where: str
) -> Tuple[Dict[str, Source], Tuple[int, int]]:
    """Part -> source for one cell, and its (inputs, units)."""
    kind = cell_kinds()[cell]
    kernel, (bias, blocks) = next(iter(kind.kernels.items()))
    for part in (kernel, bias):
        if part not in parts:
            raise UnidentifiedError(f"{where}: a {cell} cell without its {part}")
    width = _join(parts[bias], specs, where).shape
    rank = 2 if kind.has_recurrent_kernel else 1
    if len(width) != rank or width[-1] % blocks or not width[-1]:
        raise UnidentifiedError(
            f"{where}: the bias {list(width)} fits no {cell} cell ({blocks} equal blocks)"
        )
    units = width[-1] // blocks
    columns = {part: times * units for part, (_, times) in kind.kernels.items()}
    joined = {part: _join(shards, specs, where, columns.get(part, 0)) for part, shards in parts.items()}
    rows = joined[kernel].shape[0] if joined[kernel].shape else 0
    inputs = rows if kind.has_recurrent_kernel else rows - units
    if inputs < 1:
        raise UnidentifiedError(f"{where}: a kernel of {rows} rows fits no {cell} cell of {units} units")
    wanted = kind.part_shapes(inputs, units, optional)
    for part in sorted(set(wanted) | set(joined)):
        found = joined[part].shape if part in joined else None
        if found != wanted.get(part):
            raise UnidentifiedError(
                f"{where}: a {cell} cell of {inputs} inputs and {units} units has {part} "
                f"{_show(found)}, expected {_show(wanted.get(part))}"
            )
    return joined, (inputs, units)


def _show(shape: Optional[Shape]) -> str:
    return "nowhere" if shape is None else str(list(shape))


def _join(shards: Dict[int, str], specs: Mapping[str, VariableSpec], where: str, columns: int = 0) -> Source:
    """Join the pieces of a weight: along rows, or along columns where only that gives the width."""
    if set(shards) == {-1}:
        return Source((shards[-1],), 0, specs[shards[-1]].shape)
    if set(shards) != set(range(len(shards))):
        raise UnidentifiedError(f"{where}: pieces of {shards[min(shards)]} are missing")
    names = tuple(shards[number] for number in range(len(shards)))
    shapes = [specs[name].shape for name in names]
    for axis in range(len(shapes[0])):
        rest = {shape[:axis] + shape[axis + 1 :] for shape in shapes if len(shape) == len(shapes[0])}
        if len(rest) != 1 or any(len(shape) != len(shapes[0]) for shape in shapes):
            continue
        total = sum(shape[axis] for shape in shapes)
        joined = (*shapes[0][:axis], total, *shapes[0][axis + 1 :])
        if not columns or len(joined) != 2 or joined[1] == columns:
            return Source(names, axis, joined)
    raise UnidentifiedError(f"{where}: the {len(names)} pieces of {names[0]} do not fit together")


def _widths(
    where: str, sizes: Dict[Tuple[int, int], Tuple[int, int]], directions: int
) -> Tuple[int, Tuple[int, ...], bool]:
    """The model's inputs, the units of each layer, and whether each reads both directions below it."""
    inputs = sizes[0, 0][0]
    widths = tuple(units for (direction, _), (_, units) in sorted(sizes.items()) if direction == 0)
    above = [(cell_inputs, widths[layer - 1]) for (_, layer), (cell_inputs, _) in sizes.items() if layer]
    joined = directions == 2 and bool(above) and all(read == 2 * below for read, below in above)
    for (direction, layer), (cell_inputs, units) in sorted(sizes.items()):
        place = f"{where}: layer {layer} of direction {DIRECTIONS[direction]}"
        if units != widths[layer]:
            raise UnidentifiedError(
                f"{place} has {units} units, forward it has {widths[layer]}, expected one width"
            )
        expected = widths[layer - 1] * (2 if joined else 1) if layer else inputs
        if cell_inputs != expected:
            raise UnidentifiedError(f"{place} reads {cell_inputs} numbers, expected {expected}")
    return inputs, widths, joined


def _where_they_differ(widths: Tuple[int, ...]) -> Tuple[int, ...]:
    return widths if len(set(widths)) > 1 else ()


def _stacked(found: Dict[str, RecurrentVariables]) -> RecurrentVariables:
    """Several scopes as the layers of one model, where widths and numbers leave one order only."""
    scopes = sorted(found, key=_numbers)
    models = [found[scope] for scope in scopes]
    order = _order(scopes, models)
    if not order:
        listed = ", ".join(scope or "(no scope)" for scope in scopes)
        raise UnidentifiedError(
            f"{len(models)} recurrent models in one checkpoint ({listed}), and nothing says which is meant"
        )
    bottom = models[order[0]]
    sources: Dict[str, Source] = {}
    for layer, place in enumerate(order):
        for old, source in models[place].sources.items():
            kind, direction, _, part = old.split("/", 3)
            sources[f"{kind}/{direction}/{layer}/{part}"] = source
    note = f"the scopes {', '.join(scopes[place] for place in order)} were taken as layers"
    turned = len(order) == 2 and _is_chain([models[place] for place in order[::-1]])
    why = "their numbers say the order" if turned else "no other order fits"
    note += ", each reading both directions below it" if bottom.directions == 2 else ""
    namings = tuple(dict.fromkeys(naming for model in models for naming in model.namings))
    return bottom._replace(
        layers=len(models),
        sources=sources,
        namings=namings,
        notes=(f"{note}: {why}",),
        joined=bottom.directions == 2,
        widths=_where_they_differ(tuple(models[place].units for place in order)),
    )


def _order(scopes: List[str], models: List[RecurrentVariables]) -> List[int]:
    """The places of the layers from the lowest up; empty where nothing decides."""
    alike = len({(model.cell, model.directions, model.layers) for model in models}) == 1
    # Two bidirectional models of which one reads the other are often words and sentences, not layers.
    two = len(models) == 2 and models[0].directions == 1
    if not alike or models[0].layers > 1:
        return []
    numbered = _are_numbered(scopes)
    in_order = list(range(len(models)))
    if len({model.units for model in models}) == 1:
        bottom = next((place for place in in_order if models[place].inputs != _width(models[place])), 0)
        reads = [model.inputs == _width(model) for model in models]
        if reads != [place != bottom for place in in_order]:
            return []
        found = [[bottom, *(place for place in in_order if place != bottom)]]
    else:
        orders = [in_order, in_order[::-1]] if two else [in_order]
        found = [order for order in orders if _is_chain([models[place] for place in order])]
        if numbered and in_order in found:  # 64 numbers, 128 units, 64 units: the other order fits as well
            return in_order
    return found[0] if len(found) == 1 and (two or (numbered and found[0] == in_order)) else []


def _is_chain(models: List[RecurrentVariables]) -> bool:
    """Whether each reads what the one before it gives."""
    return all(above.inputs == _width(below) for below, above in zip(models, models[1:]))


def _width(model: RecurrentVariables) -> int:
    """What a layer gives at each step, both directions joined."""
    return model.directions * model.units


def _numbers(scope: str) -> Tuple[Tuple[str, ...], Tuple[int, ...]]:
    """A scope's words without the numbers at their ends, and those numbers (0 where there is none)."""
    words = []
    numbers = []
    for word, number in (NUMBERED.findall(part)[0] for part in scope.split("/")):
        words.append(word)
        numbers.append(int(number or 0))
    return tuple(words), tuple(numbers)


def _are_numbered(scopes: List[str]) -> bool:
    """Whether sorted scopes differ in numbers alone, all of which rise together."""
    words, numbers = zip(*(_numbers(scope) for scope in scopes))
    pairs = zip(numbers, numbers[1:])
    return len(set(words)) == 1 and all(a <= b for one, other in pairs for a, b in zip(one, other))
