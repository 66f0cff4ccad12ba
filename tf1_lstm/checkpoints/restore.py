"""Restoring weights into a graph: every role filled with the right shape, or none."""

from difflib import SequenceMatcher
from typing import Collection, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from tf1_lstm.checkpoints.canonical import Shape
from tf1_lstm.checkpoints.cells import Source
from tf1_lstm.checkpoints.formats.tensors import VariableSpec
from tf1_lstm.checkpoints.identify import SLOT_PAIR, Identified, collect, identify
from tf1_lstm.checkpoints.reading import OpenCheckpoint, read_checkpoint
from tf1_lstm.checkpoints.weights import Weights
from tf1_lstm.core.text_table import text_table
from tf1_lstm.errors import InputError
from tf1_lstm.files import PathLike

POWERS = ("beta1_power", "beta2_power")
NEAREST = 3
WantSlots = Union[bool, Collection[str]]
DTYPE = "float32"


class OptimizerState(NamedTuple):
    """What an optimizer keeps beside the weights.

    Attributes:
      slots: names of its slots for each weight.
      scalars: its variables of no shape.
    """

    slots: Tuple[str, ...] = SLOT_PAIR
    scalars: Tuple[str, ...] = POWERS


ADAM = OptimizerState()


def load_weights(
    path: PathLike,
    expected: Mapping[str, Shape],
    want_slots: WantSlots = False,
    slot_names: Sequence[str] = ADAM.slots,
    scalar_names: Sequence[str] = ADAM.scalars,
) -> Weights:
    """Read the weights that a graph needs from a checkpoint of any version.

    Args:
      path: anything that ``locate`` takes.
      expected: role -> shape of every weight of the graph (``roles.expected_shapes``).
      want_slots: also read the optimizer's slots and scalars, to train on: the roles that must have
        slots, or True for all but those of a direction that has none (where the softmax reads one
        direction only, the other gets no gradient, and TensorFlow makes no slots for it).
      slot_names: the slots that the graph's optimizer has for each weight.
      scalar_names: the scalars that it has.

    Returns:
      Weights whose ``arrays`` has exactly the roles of ``expected``, float32 and finite; with
      ``want_slots`` its ``slots`` has exactly ``slot_names``, each with the roles that must have
      them, and its ``scalars`` has ``scalar_names``.

    Raises:
      InputError: no such checkpoint, damaged, not this model, something missing, something left over
        that the model reads, another optimizer's slots, or values that are not finite. The message is
        one line, then (but for slots and values) a table of what was expected, what was found, and
        the nearest candidates.
    """
    optimizer = OptimizerState(tuple(slot_names), tuple(scalar_names))
    return weights_of(read_checkpoint(path), expected, want_slots, optimizer)


def weights_of(
    checkpoint: OpenCheckpoint,
    expected: Mapping[str, Shape],
    want_slots: WantSlots = False,
    optimizer: OptimizerState = ADAM,
) -> Weights:
    """As ``load_weights``, from a checkpoint that is open already."""
    identified = identify(checkpoint.specs, expected)
    problems = differences(checkpoint.specs, identified, expected)
    if problems:
        raise InputError(_refusal(checkpoint, identified, expected, problems))
    if want_slots:
        _check_slots(checkpoint, identified, want_slots, optimizer)
    weights = collect(checkpoint, identified, optimizer.slots if want_slots else ())
    _check_finite(checkpoint, weights)
    return weights


class RestoreProblem(NamedTuple):
    """One thing that keeps a checkpoint from filling a graph.

    Attributes:
      text: a phrase.
      is_in_table: whether the table of expected and found shapes shows it already.
    """

    text: str
    is_in_table: bool


def differences(
    specs: Mapping[str, VariableSpec], identified: Identified, expected: Mapping[str, Shape]
) -> List[RestoreProblem]:
    """What keeps a checkpoint from filling a graph; empty where it fits."""
    if identified.model is None:
        return [RestoreProblem(identified.problem, False)]
    problems = []
    for role, shape in expected.items():
        source = identified.sources.get(role)
        if source is None:
            problems.append(RestoreProblem(f"{role} {list(shape)} is missing", True))
        elif source.shape != tuple(shape):
            problems.append(RestoreProblem(f"{role} is {list(source.shape)}, expected {list(shape)}", True))
        else:
            wrong = {specs[name].dtype for name in source.names} - {DTYPE}
            problems += [
                RestoreProblem(f"{role} is of type {kind}, expected {DTYPE}", False) for kind in sorted(wrong)
            ]
    extra = [role for role in identified.sources if role not in expected]
    problems += [RestoreProblem(f"{role} is in the checkpoint and not in the model", True) for role in extra]
    problems += [
        RestoreProblem(f"{name} {list(specs[name].shape)} may be a part that this model does not have", False)
        for name in identified.unassigned
    ]
    return problems


def _trained(identified: Identified, slots: Sequence[str]) -> List[str]:
    """The roles of every part of the model (a direction, the softmax) of which any has a slot."""
    held = {role for slot in slots for role in identified.slots.get(slot, {})}
    if not held:
        return list(identified.sources)
    directions = {tuple(role.split("/")[:2]) for role in held if role.count("/") > 1}
    return [
        role for role in identified.sources if role.count("/") < 2 or tuple(role.split("/")[:2]) in directions
    ]


def _check_slots(
    checkpoint: OpenCheckpoint, identified: Identified, wanted: WantSlots, optimizer: OptimizerState
) -> None:
    name = optimizer.slots[0]  # the first slot of an optimizer has its name
    needed = _trained(identified, optimizer.slots) if isinstance(wanted, bool) else list(wanted)
    for slot in optimizer.slots:
        lacking = [role for role in needed if role not in identified.slots.get(slot, {})]
        if lacking:
            raise InputError(
                f"{checkpoint.prefix}: found no {name} slot {slot!r} for {lacking[0]}, expected one for each "
                "weight (without them training cannot go on as if it had never stopped)"
            )
    further = [
        slot for slot in identified.slots if slot.startswith(f"{name}_") and slot not in optimizer.slots
    ]
    if further:
        raise InputError(
            f"{checkpoint.prefix}: found the slots {further[0]!r} too, expected {', '.join(optimizer.slots)} "
            f"alone (those of another kind of {name}, or of several)"
        )
    lacking = [scalar for scalar in optimizer.scalars if scalar not in identified.scalars]
    if lacking:
        raise InputError(f"{checkpoint.prefix}: found no {lacking[0]}, expected it beside {name}'s slots")


def _check_finite(checkpoint: OpenCheckpoint, weights: Weights) -> None:
    groups = {"": weights.arrays, **{f"{slot} of ": arrays for slot, arrays in weights.slots.items()}}
    for what, arrays in groups.items():
        for role, array in arrays.items():
            bad = int(array.size - np.isfinite(array).sum())
            if bad:
                raise InputError(
                    f"{checkpoint.prefix}: {what}{role} holds {bad:,} values that are NaN or infinite "
                    f"of {array.size:,}, expected finite numbers"
                )


def _refusal(
    checkpoint: OpenCheckpoint,
    identified: Identified,
    expected: Mapping[str, Shape],
    problems: List[RestoreProblem],
) -> str:
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    head = f"{checkpoint.prefix}: does not fit the model: {problems[0].text}{more}"
    rows = [("role", "expected", "found", "nearest candidates")]
    for role in sorted({*expected, *identified.sources}):
        shape = expected.get(role)
        source = identified.sources.get(role)
        fits = source is not None and shape is not None and source.shape == tuple(shape)
        near = "" if fits or shape is None else ", ".join(nearest(checkpoint.specs, identified, role, shape))
        rows.append((role, "-" if shape is None else str(list(shape)), _found(source), near))
    lines = [head, *table(rows)]
    lines += [f"also: {problem.text}" for problem in problems[1:] if not problem.is_in_table]
    if identified.candidates:
        pairs = ", ".join(
            f"{layer.kernel} with {layer.bias}" for layer in identified.candidates[: NEAREST * 2]
        )
        lines.append(f"the softmax could be any of these, and nothing decides: {pairs}")
    return "\n".join(lines)


def _found(source: Optional[Source]) -> str:
    if source is None:
        return "-"
    if not source.names:
        return "(zeros)"
    name = source.names[0] + (f" and {len(source.names) - 1} more" if len(source.names) > 1 else "")
    return f"{name} {list(source.shape)}"


def nearest(specs: Mapping[str, VariableSpec], identified: Identified, role: str, shape: Shape) -> List[str]:
    """The variables most like a role, those that play no role first: by shape, then by name."""
    ranked: List[Tuple[float, str]] = []
    for name in identified.unread or tuple(specs):
        spec = specs[name]
        same = spec.shape == tuple(shape)
        alike = len(spec.shape) == len(shape) and bool(set(spec.shape) & set(shape))
        score = 2.0 * same + alike + SequenceMatcher(None, role.lower(), name.lower()).ratio()
        if score > 0.5:
            ranked.append((-score, f"{name} {list(spec.shape)}"))
    return [text for _, text in sorted(ranked)[:NEAREST]]


def table(rows: Sequence[Sequence[str]]) -> List[str]:
    """Rows of texts as aligned lines that fit the terminal, the first underlined."""
    return text_table(rows[0], rows[1:]).split("\n")
