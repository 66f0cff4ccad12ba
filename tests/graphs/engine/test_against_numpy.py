"""Every cell of the engine against float64 NumPy: outputs, states, every derivative."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.graphs.engine.support import SETS, by_engine, by_numpy, make_case, needs_engine, worst
from tf1_lstm.graphs.engine.layers import CELLS
from tf1_lstm.graphs.engine.library import EngineChoice

# Rounding of float32 over some tens of steps; a wrong gate is off by 1e-2 and more.
TOLERANCE = 3e-6


@needs_engine
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("instructions", SETS)
@pytest.mark.parametrize("cell", CELLS)
def test_is_the_numpy_cell(cell, instructions, ragged, reverse):
    case = make_case(cell, units=37, inputs=11, batch=29, steps=13, ragged=ragged, reverse=reverse)
    assert worst(by_engine(case, EngineChoice(instructions, 2)), by_numpy(case)) < TOLERANCE


@needs_engine
@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    cell=st.sampled_from(list(CELLS)),
    units=st.integers(1, 70),
    inputs=st.integers(1, 40),
    batch=st.integers(1, 60),
    steps=st.integers(1, 20),
    ragged=st.booleans(),
    reverse=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_any_shape_is_the_numpy_cell(cell, units, inputs, batch, steps, ragged, reverse, seed):
    case = make_case(
        cell, units=units, inputs=inputs, batch=batch, steps=steps, ragged=ragged, reverse=reverse, seed=seed
    )
    found = [by_engine(case, EngineChoice(name, threads)) for name, threads in ((SETS[0], 1), (SETS[-1], 3))]
    expected = by_numpy(case)
    assert max(worst(one, expected) for one in found) < TOLERANCE
