"""Wrong models in which rounding decides some examples, as trained weights make them: named by the others.

With small random weights every example of a wrong model can be predicted. With weights that saturate the gates
some of 16 examples cannot, by orders of magnitude, and no port can be asked to agree in them.
"""

import numpy as np
import pytest

from tests.parity.ports_python import run
from tests.parity.support import IDS, make_bundle
from tests.runs.conftest import called
from tf1_lstm.parity.cells import ACTIVATIONS
from tf1_lstm.parity.diagnosis import diagnose
from tf1_lstm.parity.mistakes import catalogue
from tf1_lstm.parity.problem import Numbers, Problem, problem_of
from tf1_lstm.parity.rounding import Rounding

UNITS = 16
# mistake -> how large the weights are, so that some examples are chaotic under it
SCALES = {"relu-for-tanh": 0.9, "kernels-swapped": 2.0}


def problem_with(scale: float) -> Problem:
    return problem_of(make_bundle(IDS, batch=16, units=UNITS, steps=80, scale=scale))


def changed_by(problem: Problem, name: str) -> Problem:
    (mistake,) = [m for m in catalogue(problem) if m.name == name]
    changed = mistake.change(problem)
    assert changed is not None
    return changed


def in_another_order(problem: Problem) -> Problem:
    """The same model with its units numbered otherwise, so that float32 rounds otherwise."""
    order = np.random.RandomState(3).permutation(UNITS)
    columns = np.concatenate([gate * UNITS + order for gate in range(4)])
    weights = dict(problem.weights)
    kernel, bias = weights["lstm/fw/0/kernel"], weights["lstm/fw/0/bias"]
    rows = np.concatenate([np.arange(len(kernel) - UNITS), len(kernel) - UNITS + order])
    weights["lstm/fw/0/kernel"], weights["lstm/fw/0/bias"] = kernel[rows][:, columns], bias[columns]
    weights["softmax/weights"] = weights["softmax/weights"][order]
    return Problem(**{**vars(problem), "weights": weights})


def seen_of(problem: Problem) -> np.ndarray:
    with np.errstate(all="ignore"):
        found = in_another_order(problem).in_type(np.float32).forward()
    assert found is not None
    return found.logits


@pytest.mark.parametrize("name", SCALES)
def test_a_mistake_is_named_by_the_examples_that_rounding_does_not_decide(name):
    problem = problem_with(SCALES[name])
    wrong = changed_by(problem, name)
    with np.errstate(all="ignore"):
        exact = wrong.forward()
        assert exact is not None
        known = Rounding(wrong, exact).known_examples()
    assert 8 <= known.sum() < 16  # else this shows nothing
    seen = seen_of(wrong)
    largest = np.abs(seen - exact.logits)[~known].max() / max(1.0, np.abs(seen[~known]).max())
    assert largest > 1e-4
    found = diagnose(problem, Numbers(seen))
    assert [e.names for e in found.explanations] == [(name,)]


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("name", "activation"),
    [
        ("relu-for-tanh", "leaky"),
        ("kernels-swapped", "rows"),
        ("relu-for-tanh", "softplus"),
        ("kernels-swapped", "leaky"),
    ],
)
def test_its_neighbours_are_not_named(name, activation, monkeypatch):
    problem = problem_with(SCALES[name])
    if activation == "rows":  # the kernel's rows, turned by one
        parts = {"lstm/fw/0/kernel": np.roll(problem.weights["lstm/fw/0/kernel"], 1, axis=0)}
        wrong = Problem(**{**vars(problem), "weights": {**problem.weights, **parts}})
    else:
        functions = {
            "leaky": lambda x: np.where(x > 0, x, 0.01 * x),
            "softplus": lambda x: np.logaddexp(0, x),
        }
        monkeypatch.setitem(ACTIVATIONS, activation, (functions[activation], np.ones_like))
        wrong = problem.with_cell(state_activation=activation)
    found = diagnose(problem, Numbers(seen_of(wrong)))
    assert not found.agrees
    assert found.explanations == ()


@pytest.mark.thorough
@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("framework", ["keras", "torch"])
def test_they_are_named_on_a_bundle_of_the_published_checkpoint(shared, prepared, tmp_path, framework):
    """From the logits alone too; about a third of the reviews are chaotic in one, one of them in the other."""
    checkpoint = str(shared / "checkpoints" / "imdb-lstm-90000")
    arguments = ["export", "imdb-lstm", "--checkpoint", checkpoint, "--data", str(prepared)]
    exported = called([*arguments, "--to", "bundle", "--out", "b.npz"], tmp_path)
    assert exported.returncode == 0, exported.stderr
    lines = run(framework, "run.py", framework, str(tmp_path / "b.npz"), *SCALES)
    assert [line["planted"] for line in lines] == [[name] for name in SCALES]
    for line in lines:
        assert line["visible"] == line["blind"] == [line["planted"]], line
