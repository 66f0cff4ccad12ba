"""Weights in the layouts of Keras and PyTorch: Keras's GRU there and back, and what has another bias."""

import numpy as np
import pytest

from tf1_lstm.parity.cells import ReferenceCell, run
from tf1_lstm.parity.layouts import from_keras, from_torch, to_keras, to_torch

UNITS, INPUTS = 4, 3
CELL = ReferenceCell("gru_reset_after", UNITS)


@pytest.fixture
def parts():
    random = np.random.RandomState(0)
    return {part: random.normal(size=shape) for part, shape in CELL.shapes(INPUTS).items()}


def test_a_gru_that_resets_after_comes_back_from_either_layout(parts):
    for found in (from_keras(CELL, to_keras(CELL, parts)), from_torch(CELL, to_torch(CELL, parts))):
        assert set(found) == set(parts)
        for part, array in parts.items():
            np.testing.assert_array_equal(found[part], array)


def test_pytorchs_gru_computes_the_same_from_its_layout(parts):
    """The equations of ``torch.nn.GRU``'s documentation, written out for one step."""
    random = np.random.RandomState(1)
    x, h = random.normal(size=INPUTS), random.normal(size=UNITS)
    layer = to_torch(CELL, parts)

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    r_in, z_in, n_in = np.split(layer["weight_ih"] @ x + layer["bias_ih"], 3)
    r_back, z_back, n_back = np.split(layer["weight_hh"] @ h + layer["bias_hh"], 3)
    z = sigmoid(z_in + z_back)
    new = (1 - z) * np.tanh(n_in + sigmoid(r_in + r_back) * n_back) + z * h
    found = run(CELL, parts, x[None, None], state=(h[None], h[None])).h[0, 0]
    np.testing.assert_allclose(found, new, rtol=1e-12)


def test_a_single_bias_counts_as_the_inputs(parts):
    """Keras's GRU with ``reset_after=False`` has one."""
    kernel, recurrent, bias = to_keras(CELL, parts)
    found = from_keras(CELL, [kernel, recurrent, bias[0]])["bias"]
    np.testing.assert_array_equal(found, [bias[0], np.zeros(3 * UNITS)])


def test_a_missing_bias_counts_as_zero(parts):
    layer = to_torch(CELL, parts)
    del layer["bias_ih"], layer["bias_hh"]
    assert not from_torch(CELL, layer)["bias"].any()
    assert from_torch(CELL, layer)["bias"].shape == (2, 3 * UNITS)
