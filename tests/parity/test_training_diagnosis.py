"""The diagnosis of loss, gradients and updates, on ports simulated in float32."""

import numpy as np
import pytest

from tests.parity.simulated import BUNDLES, everything_of
from tests.parity.support import ROWS, make_bundle
from tf1_lstm.parity.diagnosis import diagnose
from tf1_lstm.parity.mistakes import catalogue, training_catalogue
from tf1_lstm.parity.problem import problem_of

TRAINED_BUNDLES = {
    "rows": make_bundle(ROWS, batch=3),
    "imdb-gru32": BUNDLES["imdb-gru32"],
    "imdb-bilstm2": BUNDLES["imdb-bilstm2"],
}
OF_TRAINING = {
    "rows": ["adam-epsilon", "adam-epsilon", "bias-trained-twice", "loss-summed"],
    "imdb-gru32": [
        "rmsprop-epsilon",
        "rmsprop-epsilon",
        "rmsprop-decay",
        "rmsprop-decay",
        "rmsprop-first-value",
        "loss-summed",
        "labels-swapped",
        "embedding-frozen",
        "padding-row-frozen",
    ],
    "imdb-bilstm2": [
        "adam-epsilon",
        "adam-epsilon",
        "bias-trained-once",
        "loss-summed",
        "labels-swapped",
        "embedding-frozen",
        "padding-row-frozen",
    ],
}


@pytest.mark.parametrize(
    ("name", "number"), [(name, n) for name, known in OF_TRAINING.items() for n in range(len(known))]
)
def test_mistakes_of_training_are_named(name, number):
    problem = problem_of(TRAINED_BUNDLES[name])
    known = training_catalogue(problem)
    assert [mistake.name for mistake in known] == OF_TRAINING[name]
    mistake = known[number]
    changed = mistake.change(problem)
    assert changed is not None
    found = diagnose(problem, everything_of(changed, updates=True))
    assert not found.agrees
    assert [(e.names, e.mistakes[0].variant) for e in found.explanations] == [
        ((mistake.name,), mistake.variant)
    ]


def test_what_shows_in_updates_alone_is_not_named_without_them():
    problem = problem_of(BUNDLES["imdb-gru32"])
    right = everything_of(problem)
    assert diagnose(problem, right).agrees
    assert right.loss is not None
    wrong = diagnose(problem, right._replace(loss=right.loss * 1.5))
    assert wrong.explanations == ()
    assert not wrong.agrees


@pytest.mark.parametrize("name", ["rows", "imdb-lstm32"])
@pytest.mark.parametrize("loss_of_logits", [False, True])
def test_a_port_that_returns_probabilities_may_take_its_loss_rightly(name, loss_of_logits):
    problem = problem_of(BUNDLES[name])
    wrong = problem.with_spec(probabilities=True, loss_of_logits=loss_of_logits)
    found = diagnose(problem, everything_of(wrong, updates=True))
    assert [(e.names, e.training) for e in found.explanations] == [(("probabilities-for-logits",), True)]


def test_a_mistake_in_the_cell_is_told_by_gradients_in_the_cells_own_weights():
    """A port may hold the right weights and use them wrongly: its gradient is then moved back."""
    problem = problem_of(BUNDLES["rows"])
    order = next(m for m in catalogue(problem) if m.name == "gate-order-ifjo")
    changed = order.change(problem)
    assert changed is not None
    seen = everything_of(changed)
    assert seen.gradients is not None
    gradients = dict(seen.gradients)
    for name in ("lstm/fw/0/kernel", "lstm/fw/0/bias"):
        i, f, j, o = np.split(gradients[name], 4, axis=-1)
        gradients[name] = np.concatenate([i, j, f, o], axis=-1)
    found = diagnose(problem, seen._replace(gradients=gradients))
    assert [(e.names, e.training) for e in found.explanations] == [(("gate-order-ifjo",), True)]
    assert (
        not diagnose(problem, seen._replace(gradients={n: g + 0.1 for n, g in gradients.items()}))
        .explanations[0]
        .training
    )
