"""A layer by the engine and by float64 NumPy, from the same weights."""

from typing import Any, Dict, NamedTuple, Optional

import numpy as np
import pytest

from tf1_lstm.errors import InputError
from tf1_lstm.graphs.engine.library import EngineChoice, supported_sets
from tf1_lstm.parity.backprop import back
from tf1_lstm.parity.cells import ReferenceCell, run

try:
    SETS = supported_sets()
    WHY = ""
except InputError as problem:
    SETS, WHY = (), str(problem)

needs_engine = pytest.mark.skipif(not SETS, reason=WHY)


class Case(NamedTuple):
    """One layer, its inputs, and the derivatives that come from behind it."""

    cell: ReferenceCell
    parts: Dict[str, np.ndarray]
    inputs: np.ndarray
    d_outputs: np.ndarray
    d_last: np.ndarray
    lengths: Optional[np.ndarray]
    reverse: bool


def make_case(
    name: str,
    *,
    units: int = 5,
    inputs: int = 3,
    batch: int = 4,
    steps: int = 6,
    seed: int = 0,
    ragged: bool = False,
    reverse: bool = False,
) -> Case:
    """Random weights and inputs, float32 values."""
    draw = np.random.RandomState(seed)

    def normal(*shape: int) -> np.ndarray:
        return draw.standard_normal(shape).astype(np.float32)

    cell = ReferenceCell(name, units, forget_bias=0.8)
    scale = np.float32(1 / np.sqrt(inputs + units))
    return Case(
        cell=cell,
        parts={part: scale * normal(*shape) for part, shape in cell.shapes(inputs).items()},
        inputs=normal(batch, steps, inputs),
        d_outputs=normal(batch, steps, units),
        d_last=normal(batch, units),
        lengths=draw.randint(0, steps + 1, batch).astype(np.int32) if ragged else None,
        reverse=reverse,
    )


def by_engine(case: Case, choice: EngineChoice, **given: Any) -> Dict[str, np.ndarray]:
    """Outputs, last state, and derivatives by every part and the inputs."""
    from tf1_lstm.core.tensorflow import tf
    from tf1_lstm.graphs.engine.layers import layer

    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        inputs = tf.constant(given.pop("inputs", case.inputs))
        parts = {name: tf.constant(value) for name, value in case.parts.items()}
        found = layer(
            choice,
            case.cell.name,
            parts,
            inputs,
            forget_bias=case.cell.forget_bias,
            reverse=case.reverse,
            lengths=None if case.lengths is None else tf.constant(case.lengths),
            **given,
        )
        loss = tf.reduce_sum(found.outputs * case.d_outputs) + tf.reduce_sum(found.h * case.d_last)
        if found.c is not None:
            loss += 0.0 * tf.reduce_sum(found.c)
        wanted = {**parts, "inputs": inputs}
        derivatives = dict(zip(wanted, tf.gradients(loss, list(wanted.values()))))
        return session.run({**derivatives, "outputs": found.outputs, "h": found.h})


def by_numpy(case: Case) -> Dict[str, np.ndarray]:
    """The same in float64, by another program."""
    batch, steps = case.inputs.shape[:2]
    parts = {name: value.astype(np.float64) for name, value in case.parts.items()}
    lengths = np.full(batch, steps) if case.lengths is None else case.lengths
    # Where each step is read: a sequence that is reversed keeps its padding behind it.
    order = np.tile(np.arange(steps), (batch, 1))
    if case.reverse:
        for row, length in zip(order, lengths):
            row[:length] = row[:length][::-1]
    rows = np.arange(batch)[:, None]
    mask = np.arange(steps) < lengths[:, None]
    trace = run(case.cell, parts, case.inputs.astype(np.float64)[rows, order], mask)
    # Behind its end a layer puts out zeros; the last state is that of the last step.
    d_h = case.d_outputs.astype(np.float64)[rows, order] * mask[:, :, None]
    d_h[:, -1] += case.d_last
    found = back(case.cell, parts, trace, d_h)
    outputs, d_inputs = np.zeros_like(trace.h), np.zeros_like(case.inputs, np.float64)
    outputs[rows, order] = trace.h * mask[:, :, None]
    d_inputs[rows, order] = found.inputs
    return {**found.parts, "inputs": d_inputs, "outputs": outputs, "h": trace.h[:, -1]}


def worst(found: Dict[str, np.ndarray], expected: Dict[str, np.ndarray]) -> float:
    """The largest difference, of each array as a share of its largest number (or of 1)."""
    assert set(found) == set(expected)

    def largest(values: np.ndarray) -> float:
        return float(np.abs(values).max(initial=0))

    return max(largest(found[name] - value) / max(1.0, largest(value)) for name, value in expected.items())
