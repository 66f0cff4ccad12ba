"""The NumPy reference against TensorFlow 1.15's own graphs: every state, gradient and Adam step."""

import dataclasses

import numpy as np
import pytest

from tf1_lstm.parity import reference
from tf1_lstm.parity.adam import Adam, adam_steps
from tf1_lstm.parity.cells import Cell
from tf1_lstm.parity.reference import Spec
from tf1_lstm.recipes.base import CELLS, GraphSettings

TOLERANCE = 1e-5
STEPS, INPUTS, UNITS, CLASSES, BATCH = 7, 4, 5, 3, 6

PLAIN = GraphSettings(
    inputs="rows",
    steps=STEPS,
    input_size=INPUTS,
    classes=CLASSES,
    cell="basic_lstm",
    units=UNITS,
    readout="last-output",
    softmax_initializer="random_normal",
)
CASES = [
    *({"cell": cell, "layers": 2, "bidirectional": True, "readout": "both-states"} for cell in CELLS),
    {"bidirectional": True, "readout": "backward-state"},
    {"cell": "basic_rnn", "readout": "last-state"},
    {"forget_bias": 0.3},
]


@pytest.mark.parametrize("changes", CASES, ids=lambda changes: "-".join(str(v) for v in changes.values()))
def test_agrees_with_tensorflow(changes):
    record = pytest.importorskip("tf1_lstm.runs.record", reason="needs TensorFlow 1.15").record
    settings = dataclasses.replace(PLAIN, **changes)
    spec = Spec(
        Cell(settings.cell, UNITS, settings.forget_bias),
        settings.readout,
        settings.layers,
        settings.bidirectional,
        Adam(learning_rate=0.01),
    )
    random = np.random.RandomState(1)
    weights = {
        role: random.normal(scale=0.6, size=shape).astype(np.float32)
        for role, shape in spec.shapes(INPUTS, CLASSES).items()
    }
    inputs = random.normal(size=(BATCH, STEPS, INPUTS)).astype(np.float32)
    labels = np.eye(CLASSES, dtype=np.float32)[random.randint(0, CLASSES, BATCH)]

    theirs = record(settings, 0.01, weights, inputs, labels, {})

    ours = reference.gradients(spec, weights, inputs, labels)
    assert abs(ours.loss - theirs.loss) < TOLERANCE
    np.testing.assert_allclose(ours.forward.logits, theirs.logits, atol=TOLERANCE)
    steps = ours.forward.steps()
    assert steps.keys() == theirs.steps.keys()
    for name, expected in theirs.steps.items():
        np.testing.assert_allclose(steps[name], expected, atol=TOLERANCE, err_msg=name)
    assert ours.gradients.keys() == theirs.gradients.keys()
    for role, expected in theirs.gradients.items():
        np.testing.assert_allclose(ours.gradients[role], expected, atol=TOLERANCE, err_msg=role)
    adam = adam_steps(
        spec.adam, weights, lambda now: reference.gradients(spec, now, inputs, labels).gradients
    )
    for step, (mine, expected) in enumerate(zip(adam, theirs.adam)):
        for role in expected:
            np.testing.assert_allclose(
                mine[role], expected[role], atol=TOLERANCE, err_msg=f"{role}, step {step + 1}"
            )
