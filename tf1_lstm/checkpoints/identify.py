"""From a checkpoint's variables to a model: which variable plays which role, and which plays none."""

from dataclasses import dataclass, field
from typing import Dict, List, Mapping, Optional, Sequence, Set, Tuple

import numpy as np

from tf1_lstm.checkpoints.canonical import (
    DENSE_KERNEL,
    EMBEDDING,
    SOFTMAX_WEIGHTS,
    Expected,
    Shape,
    cell_kinds,
)
from tf1_lstm.checkpoints.cells import (
    RecurrentVariables,
    Source,
    UnidentifiedError,
    cell_variables,
    recognise,
)
from tf1_lstm.checkpoints.formats.tensors import VariableSpec, count
from tf1_lstm.checkpoints.names import PART
from tf1_lstm.checkpoints.reading import OpenCheckpoint
from tf1_lstm.checkpoints.readout import FRONT, DenseLayer, Readout, find_readout
from tf1_lstm.checkpoints.slots import Separated, separate
from tf1_lstm.checkpoints.weights import ModelDescription, Weights

UNREAD = "Variable"  # the IMDB tutorial's, which nobody reads: [batch, steps, dimensions]
OBJECT_KEY = "/.ATTRIBUTES/VARIABLE_VALUE"
SLOT_PAIR = ("Adam", "Adam_1")


@dataclass(frozen=True)
class Identified:
    """What a checkpoint's variables are.

    Attributes:
      model: the model, or None (``problem`` says why).
      problem: why there is no model, one sentence; empty otherwise.
      sources: role -> the variables it comes from.
      slots: slot -> role -> the slot's variables, in the same order as the role's.
      scalars: ``beta1_power``, ``beta2_power``, ``global_step`` -> variable.
      unread: variables that play no role (their slots too).
      unassigned: those of them that the model may well read, by their shape.
      candidates: pairs of which one may be the softmax, where nothing decides.
      namings: the versions of TensorFlow whose names are used.
      notes: what was concluded rather than read.
    """

    model: Optional[ModelDescription]
    problem: str
    sources: Dict[str, Source] = field(default_factory=dict)
    slots: Dict[str, Dict[str, Source]] = field(default_factory=dict)
    scalars: Dict[str, str] = field(default_factory=dict)
    unread: Tuple[str, ...] = ()
    unassigned: Tuple[str, ...] = ()
    candidates: Tuple[DenseLayer, ...] = ()
    namings: Tuple[str, ...] = ()
    notes: Tuple[str, ...] = ()


def identify(specs: Mapping[str, VariableSpec], expected: Optional[Mapping[str, Shape]] = None) -> Identified:
    """Find out what a checkpoint's variables are, from names and shapes alone.

    Args:
      specs: name -> shape and type.
      expected: role -> shape of the graph to be filled, if there is one (see ``find_readout``).
    """
    separated = separate(specs)
    if any(name.endswith(OBJECT_KEY) for name in specs):
        objects = "a TensorFlow 2 object checkpoint (tf.train.Checkpoint, or save_weights of Keras)"
        problem = f"it is {objects}, whose variables have the names of Python attributes"
        return Identified(None, problem, scalars=separated.scalars, unread=tuple(separated.primaries))
    cells = cell_variables(separated.primaries)
    others = [name for name in separated.primaries if name not in cells]
    try:
        recurrent = recognise(specs, cells)
    except UnidentifiedError as error:
        return Identified(None, str(error), scalars=separated.scalars, unread=tuple(separated.primaries))
    top = recurrent.widths[-1] if recurrent.widths else recurrent.units
    widths = (top,) if recurrent.directions == 1 else (top, 2 * top)
    readout = find_readout(specs, others, recurrent.inputs, widths, expected)
    if isinstance(expected, Expected) and expected.variables:
        readout = _told(specs, readout, expected)
    return _assemble(specs, separated, recurrent, readout)


def _told(specs: Mapping[str, VariableSpec], readout: Readout, expected: Expected) -> Readout:
    """What was found, with the variables that the experiment names in their places."""
    named = {
        name: variable
        for name, variable in expected.variables.items()
        if name in expected and (not variable or variable in specs)
    }
    sources = {
        name: source
        for name, source in readout.sources.items()
        if name not in named and not set(source.names) & set(named.values())
    }
    for name, variable in named.items():
        shape = expected[name]
        same = not variable or count(specs[variable].shape) == count(shape)
        sources[name] = Source((variable,) if variable else (), 0, shape if same else specs[variable].shape)
    used = {name for source in sources.values() for name in source.names}
    left = tuple(name for name in readout.unassigned if name not in used)
    decided = {SOFTMAX_WEIGHTS} <= set(sources)
    return readout._replace(
        sources=sources, unassigned=left, candidates=() if decided else readout.candidates, notes=()
    )


def _assemble(
    specs: Mapping[str, VariableSpec], separated: Separated, recurrent: RecurrentVariables, readout: Readout
) -> Identified:
    sources = {**recurrent.sources, **readout.sources}
    used = {name for source in sources.values() for name in source.names}
    others = {role: source.shape for role, source in readout.sources.items()}
    fixed = cell_kinds()[recurrent.cell]
    model = ModelDescription(
        cell=recurrent.cell,
        gate_order=fixed.gate_order,
        forget_bias=fixed.default_forget_bias,
        inputs=recurrent.inputs,
        units=recurrent.units,
        layers=recurrent.layers,
        directions=recurrent.directions,
        classes=others[SOFTMAX_WEIGHTS][1] if SOFTMAX_WEIGHTS in others else None,
        joined=recurrent.joined,
        dense_units=others[DENSE_KERNEL][1] if DENSE_KERNEL in others else 0,
        vocabulary=others[EMBEDDING][0] if EMBEDDING in others else 0,
        front=others[FRONT[0]][0] if FRONT[0] in others else 0,
        widths=recurrent.widths,
    )
    slots = _slots(sources, separated.slots)
    used |= {name for roles in slots.values() for source in roles.values() for name in source.names}
    used |= set(separated.scalars.values())
    return Identified(
        model=model,
        problem="",
        sources=sources,
        slots=slots,
        scalars=separated.scalars,
        unread=tuple(name for name in sorted(specs) if name not in used),
        unassigned=_left_over(specs, separated, used, readout.unassigned),
        candidates=readout.candidates,
        namings=recurrent.namings,
        notes=recurrent.notes + readout.notes,
    )


def _left_over(
    specs: Mapping[str, VariableSpec], separated: Separated, used: Set[str], fitting: Sequence[str]
) -> Tuple[str, ...]:
    """Variables that play no role though the model may well read them.

    What an optimizer has slots for was trained, so it was read. Where nothing has slots, every matrix
    and every larger array may have been; where something has, those that fit a layer by their shape.
    """
    trains = any(separated.slots.values())
    found = list(fitting)
    for name in separated.primaries:
        spec = specs[name]
        if name in used or name in found or not spec.dtype.startswith("float") or PART.match(name):
            continue
        dead = name == UNREAD and len(spec.shape) == 3
        if separated.slots.get(name) or (not trains and len(spec.shape) > 1 and not dead):
            found.append(name)
    return tuple(found)


def _slots(
    sources: Mapping[str, Source], slots: Mapping[str, Dict[str, str]]
) -> Dict[str, Dict[str, Source]]:
    """Slot -> role -> source, for the roles all of whose pieces have that slot."""
    found: Dict[str, Dict[str, Source]] = {}
    for role, source in sources.items():
        pieces = [slots.get(name, {}) for name in source.names] or [{}]
        for slot in sorted(set(pieces[0]).intersection(*pieces)):
            names = tuple(piece[slot] for piece in pieces)
            found.setdefault(slot, {})[role] = Source(names, source.axis, source.shape)
    return found


def values_of(checkpoint: OpenCheckpoint, source: Source) -> np.ndarray:
    """The values of a role, joined from their pieces; raises InputError where they are damaged."""
    if not source.names:
        return np.zeros(source.shape, np.float32)
    pieces: List[np.ndarray] = [checkpoint.variables[name] for name in source.names]
    if len(pieces) == 1:
        return pieces[0].reshape(source.shape)  # a bias may be stored as [1, n]
    return np.concatenate(pieces, axis=source.axis)


def collect(checkpoint: OpenCheckpoint, identified: Identified, slots: Sequence[str] = ()) -> Weights:
    """Read the values of an identified model.

    Args:
      checkpoint: where they are.
      identified: its model, which must not be None.
      slots: names of the optimizer's slots to read too.

    Raises:
      ValueError: there is no model.
      InputError: damaged values.
    """
    if identified.model is None:
        raise ValueError(identified.problem)
    return Weights(
        model=identified.model,
        arrays={role: values_of(checkpoint, source) for role, source in identified.sources.items()},
        slots={
            slot: {role: values_of(checkpoint, source) for role, source in identified.slots[slot].items()}
            for slot in slots
        },
        scalars={name: checkpoint.variables[variable] for name, variable in identified.scalars.items()},
        step=checkpoint.step,
    )
