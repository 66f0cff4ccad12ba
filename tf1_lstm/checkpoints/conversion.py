"""A checkpoint under the names of another version: which variable becomes which."""

import os
from typing import Dict, List, NamedTuple, Set, Tuple

import numpy as np

from tf1_lstm.checkpoints.canonical import cell_kinds
from tf1_lstm.checkpoints.identify import SLOT_PAIR, Identified, collect, identify, values_of
from tf1_lstm.checkpoints.naming import names_for
from tf1_lstm.checkpoints.reading import OpenCheckpoint, read_checkpoint
from tf1_lstm.errors import InputError
from tf1_lstm.files import PathLike

DEAD = "Variable"  # the tutorial's variable that nobody reads
DEAD_SHAPE = (24, 250, 300)
FRESH_POWERS = {"beta1_power": 0.9, "beta2_power": 0.999}  # AdamOptimizer's before its first step


def recurrent_kinds() -> Set[str]:
    """First words of the canonical names of recurrent weights."""
    return {kind.kind for kind in cell_kinds().values()}


class Move(NamedTuple):
    """One variable of the new checkpoint.

    Attributes:
      old: the variables that it comes from; empty for one that is made.
      new: its name.
      why: its role, or why it is there.
    """

    old: Tuple[str, ...]
    new: str
    why: str


class Plan(NamedTuple):
    """What a conversion would write.

    Attributes:
      source: the checkpoint.
      digest: of its canonical weights.
      to: a key of ``naming.NAMINGS``.
      target: prefix of the new checkpoint.
      moves: one for each variable.
      values: new name -> values.
      left: variables of the source that have no place in the target, with the reason.
    """

    source: OpenCheckpoint
    digest: str
    to: str
    target: str
    moves: List[Move]
    values: Dict[str, np.ndarray]
    left: List[str]


def plan(source: PathLike, target: PathLike, to: str, keep_names: bool = False) -> Plan:
    """Read a checkpoint and work out its new names.

    Args:
      source: anything that ``locate`` takes.
      target: prefix of the new checkpoint, or a folder for it.
      to: a key of ``naming.NAMINGS``.
      keep_names: leave softmax and other variables outside the cells under their own names.

    Raises:
      InputError: no model is recognised, or it has no place in the tutorial's graph.
    """
    checkpoint = read_checkpoint(source)
    identified = identify(checkpoint.specs)
    if identified.model is None:
        raise InputError(f"{checkpoint.prefix}: found no model to convert: {identified.problem}")
    if identified.candidates:
        pairs = ", ".join(f"{layer.kernel} with {layer.bias}" for layer in identified.candidates[:6])
        if not keep_names:
            raise InputError(
                f"{checkpoint.prefix}: the softmax could be any of these, and nothing decides: {pairs}; "
                "--keep-names leaves them all under their own names"
            )
    names = names_for(identified.sources, identified.model, to)
    if keep_names and to != "tutorial":
        own = {role: source.names[0] for role, source in identified.sources.items() if len(source.names) == 1}
        names.update(
            {role: name for role, name in own.items() if role.split("/")[0] not in recurrent_kinds()}
        )
    moves, values = _model_moves(checkpoint, identified, names)
    left = _carry_over(checkpoint, identified, to, moves, values)
    if to == "tutorial":
        _add_tutorial(names, moves, values)
    digest = collect(checkpoint, identified).digest()
    return Plan(checkpoint, digest, to, _target(checkpoint, target), moves, values, left)


def _model_moves(
    checkpoint: OpenCheckpoint, identified: Identified, names: Dict[str, str]
) -> Tuple[List[Move], Dict[str, np.ndarray]]:
    moves: List[Move] = []
    values: Dict[str, np.ndarray] = {}
    for role, source in identified.sources.items():
        moves.append(Move(source.names, names[role], role))
        values[names[role]] = values_of(checkpoint, source)
    for slot, roles in identified.slots.items():
        for role, source in roles.items():
            moves.append(Move(source.names, f"{names[role]}/{slot}", f"{slot} of {role}"))
            values[f"{names[role]}/{slot}"] = values_of(checkpoint, source)
    for scalar, name in identified.scalars.items():
        moves.append(Move((name,), scalar, scalar))
        values[scalar] = checkpoint.variables[name]
    return moves, values


def _carry_over(
    checkpoint: OpenCheckpoint,
    identified: Identified,
    to: str,
    moves: List[Move],
    values: Dict[str, np.ndarray],
) -> List[str]:
    """Take what plays no role along under its own name; return what cannot come."""
    left = []
    for name in identified.unread:
        if to == "tutorial":
            left.append(f"{name}: the tutorial's graph does not have it")
        elif name in values:
            left.append(f"{name}: the name is taken by a weight")
        elif not checkpoint.specs[name].is_numeric:
            left.append(f"{name}: values of type {checkpoint.specs[name].dtype} cannot be copied")
        else:
            moves.append(Move((name,), name, "plays no role; taken along"))
            values[name] = checkpoint.variables[name]
    return left


def _add_tutorial(names: Dict[str, str], moves: List[Move], values: Dict[str, np.ndarray]) -> None:
    """Add what the tutorial's Saver also asks for: the dead variable, and Adam's where it is missing."""
    moves.append(Move((), DEAD, f"the variable nobody reads, {list(DEAD_SHAPE)} zeros"))
    values[DEAD] = np.zeros(DEAD_SHAPE, np.float32)
    for slot in SLOT_PAIR:
        for role, name in names.items():
            if f"{name}/{slot}" not in values:
                moves.append(
                    Move((), f"{name}/{slot}", f"{slot} of {role}, made: zeros, as before any training")
                )
                values[f"{name}/{slot}"] = np.zeros_like(values[name])
    for power, first in FRESH_POWERS.items():
        if power not in values:
            moves.append(Move((), power, f"made: {first}, as before any training"))
            values[power] = np.float32(first)


def _target(checkpoint: OpenCheckpoint, target: PathLike) -> str:
    text = os.fspath(target)
    if os.path.isdir(text) or text.endswith(("/", os.sep)):
        return os.path.join(text, os.path.basename(checkpoint.prefix))
    return text[: -len(".index")] if text.endswith(".index") else text
