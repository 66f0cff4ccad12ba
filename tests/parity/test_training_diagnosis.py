"""The diagnosis of loss, gradients and updates, on ports simulated in float32."""

import dataclasses

import numpy as np
import pytest

from tests.parity.simulated import BUNDLES, everything_of
from tests.parity.support import ROWS, make_bundle
from tests.tiers import representative
from tf1_lstm.parity.diagnosis import diagnose
from tf1_lstm.parity.layouts import from_keras, to_keras
from tf1_lstm.parity.mistakes import catalogue, training_catalogue
from tf1_lstm.parity.problem import Numbers, problem_of

TRAINED_BUNDLES = {
    "rows": make_bundle(ROWS, batch=3),
    "imdb-gru32": BUNDLES["imdb-gru32"],
    "imdb-bilstm2": BUNDLES["imdb-bilstm2"],
}
# What each model allows to get wrong in training, whatever the optimizer.
ALWAYS = {"another-optimizer", "weight-decay", "gradients-clipped", "loss-summed"}
OF_TRAINING = {
    "rows": {"adam-epsilon", "bias-trained-twice"},
    "imdb-gru32": {"rmsprop-epsilon", "rmsprop-decay", "rmsprop-first-value", "padding-row-frozen"},
    "imdb-bilstm2": {"adam-epsilon", "bias-trained-once", "labels-swapped", "embedding-frozen"},
}


@pytest.mark.parametrize("name", representative(OF_TRAINING, "rows", "imdb-gru32"))
def test_mistakes_of_training_are_named(name):
    """A clipping that clips nothing is right; two that clip alike are both named."""
    problem = problem_of(TRAINED_BUNDLES[name])
    known = training_catalogue(problem, everything_of(problem, updates=True))
    assert {mistake.name for mistake in known} == {
        *ALWAYS,
        *OF_TRAINING[name],
        *(["embedding-frozen", "labels-swapped"] if name != "rows" else []),
        *(["padding-row-frozen"] if name == "imdb-bilstm2" else []),
        *(["bias-trained-twice"] if name == "imdb-lstm32" else []),
    }
    told = set()
    for mistake in known:
        changed = mistake.change(problem)
        assert changed is not None
        found = diagnose(problem, everything_of(changed, updates=True))
        if found.agrees:
            assert mistake.name in ("gradients-clipped", "weight-decay"), mistake
            continue
        told.add(mistake.name)
        assert (mistake.name,) in [e.names for e in found.explanations], mistake
        assert len({e.names for e in found.explanations}) == 1, (mistake, found.explanations)
    assert told >= ALWAYS - {"gradients-clipped"} | OF_TRAINING[name]


@pytest.mark.parametrize("name", ["rows", "imdb-gru32"])
@pytest.mark.parametrize(
    ("expected", "optimizer", "spec"),
    [
        ("learning-rate", {"learning_rate": 0.003}, {}),
        ("learning-rate", {"learning_rate": 0.1}, {}),
        ("weight-decay", {"decoupled_decay": 0.05}, {}),
        ("labels-smoothed", {}, {"label_smoothing": 0.1}),
        # Neighbours that have no name.
        ("", {"learning_rate": 0.00312}, {}),
        ("", {"clip": "value", "clip_at": 3.3e-4}, {}),
        ("", {"weight_decay": 0.0333}, {}),
        ("", {"epsilon": 3e-4}, {}),
        ("", {}, {"label_smoothing": 0.1234}),
    ],
)
def test_settings_that_the_numbers_give_away_are_named_where_they_are_round(name, expected, optimizer, spec):
    problem = problem_of(TRAINED_BUNDLES[name])
    changed = problem.with_optimizer(**optimizer).with_spec(**spec)
    changed = changed.with_optimizer(**optimizer)
    found = diagnose(problem, everything_of(changed, updates=True))
    assert not found.agrees
    assert [e.names for e in found.explanations] == ([(expected,)] if expected else [])


def test_a_rate_that_changes_between_the_steps_is_not_called_another_rate():
    problem = problem_of(TRAINED_BUNDLES["rows"])
    slow = everything_of(problem, updates=True)
    fast = everything_of(problem.with_optimizer(learning_rate=0.01), updates=True)
    assert slow.updates is not None
    assert fast.updates is not None
    found = diagnose(problem, slow._replace(updates=(fast.updates[0], slow.updates[1], slow.updates[2])))
    assert found.explanations == ()


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


@pytest.mark.parametrize(("momentum", "named"), [(0.0, [("another-optimizer",)]), (0.9, [])])
def test_plain_descent_at_a_rate_of_its_own_is_named_and_with_momentum_is_not(momentum, named):
    problem = problem_of(make_bundle(ROWS))
    seen = everything_of(problem)
    now, moves, updates = dict(problem.weights), dict.fromkeys(problem.weights, 0.0), []
    for _ in range(3):
        found = problem.training(now)
        assert found is not None
        moves = {role: momentum * moves[role] + array for role, array in found.gradients.items()}
        now = {role: array - 0.01 * moves[role] for role, array in now.items()}
        updates.append({role: array.astype(np.float32) for role, array in now.items()})
    diagnosis = diagnose(problem, seen._replace(updates=tuple(updates)))
    assert not diagnosis.agrees
    assert [e.names for e in diagnosis.explanations] == named
    if named:
        assert diagnosis.explanations[0].mistakes[0].variant == "plain gradient descent, at 0.01"


@pytest.mark.parametrize(("second", "explained"), [(1.0, True), (2.0, False), (0.0, False)])
def test_a_second_bias_that_a_gru_trains_is_explained(second, explained):
    """Keras's GRU with its default ``reset_after``, calculated as the cell that has two biases by right.

    ``second`` is how many times the step of the candidate's second bias is made.
    """
    problem = problem_of(make_bundle(ROWS, cell="gru"))
    cell, units = problem.spec.cell, problem.spec.cell.units
    kernel, recurrent, bias = to_keras(cell, problem.spec.parts(problem.weights, "fw", 0))
    prefix, other = "gru/fw/0/", dataclasses.replace(cell, name="gru_reset_after")
    weights = {role: array for role, array in problem.weights.items() if not role.startswith(prefix)}
    own = {"kernel": kernel, "recurrent_kernel": recurrent, "bias": np.stack([bias, np.zeros_like(bias)])}
    weights.update({prefix + part: array for part, array in own.items()})
    port = dataclasses.replace(problem.with_spec(cell=other), weights=weights).in_type(np.float32)

    def as_seen(arrays, summed):
        parts = from_keras(cell, [arrays[prefix + part] for part in own], summed)
        rest = {role: array for role, array in arrays.items() if not role.startswith(prefix)}
        return {**rest, **{prefix + part: array for part, array in parts.items()}}

    def trained(now):
        found = port.training(now)
        assert found is not None
        return found

    first = trained(port.weights)
    updates, now = [], {role: array.astype(np.float64) for role, array in port.weights.items()}
    rule = port.spec.optimizer
    slots = {role: rule.slots(array) for role, array in now.items()}
    for step in (1, 2, 3):
        gradients = trained(now).gradients
        for role, array in now.items():
            move, slots[role] = rule.move(slots[role], gradients[role], step)
            if role == prefix + "bias":
                move[1, 2 * units :] *= second
            now[role] = array - move
        updates.append(as_seen(now, True))
    seen = Numbers(
        first.forward.logits,
        first.forward.steps(),
        first.loss,
        as_seen(first.gradients, False),
        tuple(updates),
    )
    found = diagnose(problem, seen)
    assert [(e.names, e.training) for e in found.explanations] == [(("reset-after",), explained)]
