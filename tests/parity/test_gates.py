"""Where a port first leaves the original, in models of several layers and of another GRU."""

import numpy as np
import pytest

from tests.parity.support import RECIPE_BUNDLES
from tf1_lstm.parity.bundle import Bundle
from tf1_lstm.parity.gates import Divergence, first_divergence
from tf1_lstm.parity.problem import problem_of

TOLERANCE = 1e-5


def divergence(bundle: Bundle, role: str, columns: slice) -> Divergence:
    """Of a port that has 1 too much in some columns of a bias."""
    weights = {name: array.astype(np.float64) for name, array in bundle.weights.items()}
    weights[role][..., columns] += 1
    problem = problem_of(bundle)
    problem.weights.update(weights)
    forward = problem.forward()
    assert forward is not None
    found = first_divergence(bundle, forward.steps(), weights, TOLERANCE)
    assert found is not None
    return found


@pytest.mark.parametrize("direction", ["fw", "bw"])
def test_a_wrong_gate_of_a_joined_second_layer_is_found_there(direction):
    """The layer reads both directions of the one below; the first step has no state to forget."""
    bundle = RECIPE_BUNDLES["imdb-bilstm2"][1]
    steps, units = bundle.inputs.shape[1], bundle.settings["units"]
    found = divergence(bundle, f"lstm/{direction}/1/bias", slice(2 * units, 3 * units))
    assert (found.direction, found.layer, found.step) == (direction, 1, 1)
    assert found.place == (steps - 2 if direction == "bw" else 1)
    assert found.gates == ["forget gate"]


@pytest.mark.parametrize(
    ("block", "gates"), [(0, ["update gate"]), (1, ["reset gate", "candidate"]), (2, ["candidate"])]
)
def test_the_gates_of_a_gru_with_two_biases_are_named(block, gates):
    bundle = RECIPE_BUNDLES["imdb-gru2"][1]
    units = bundle.settings["units"]
    found = divergence(bundle, "gru/fw/1/bias", slice(block * units, (block + 1) * units))
    assert (found.layer, found.step) == (1, 0)
    assert sorted(found.gates) == sorted(gates)


def test_right_states_do_not_diverge():
    for name in ("imdb-bilstm2", "imdb-gru2"):
        bundle = RECIPE_BUNDLES[name][1]
        assert first_divergence(bundle, bundle.steps, bundle.weights, TOLERANCE) is None
