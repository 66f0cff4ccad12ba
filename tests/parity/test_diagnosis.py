"""The diagnosis on ports simulated in float32: named when it explains, silent when it does not.

Ports in Keras and PyTorch, which share no code with the reference, are in ``test_planted_*.py``.
"""

import dataclasses
import random
from pathlib import Path

import numpy as np
import pytest

from tests.parity.support import IDS, ROWS, make_bundle
from tf1_lstm.parity.adam import adam_steps
from tf1_lstm.parity.bundle import Bundle
from tf1_lstm.parity.diagnosis import DROPOUT, diagnose
from tf1_lstm.parity.mistakes import apply_all, catalogue, training_catalogue
from tf1_lstm.parity.problem import Numbers, Problem, numbers_of, problem_of

BUNDLES = {
    "ids": make_bundle(IDS),
    "rows": make_bundle(ROWS),
    "gru": make_bundle(ROWS, cell="gru"),
    "rnn": make_bundle(ROWS, cell="basic_rnn"),
    "peephole": make_bundle(ROWS, cell="lstm_peephole"),
    "coupled": make_bundle(ROWS, cell="lstm_coupled"),
    "both": make_bundle(ROWS, bidirectional=True, readout="both-states"),
    "backward": make_bundle(ROWS, bidirectional=True, readout="backward-state"),
}


def logits_of(problem: Problem) -> np.ndarray:
    found = problem.in_type(np.float32).forward()
    assert found is not None
    return found.logits


def everything_of(problem: Problem, adam: bool = False) -> Numbers:
    """What a port that is wrong in this way shows when all of it is visible."""
    small = problem.in_type(np.float32)
    training = small.training()
    assert training is not None
    steps = None
    if adam:
        steps = tuple(
            adam_steps(
                problem.spec.adam,
                small.weights,
                lambda now: small.training(now).gradients,  # type: ignore[union-attr]
            )
        )
    forward = training.forward
    return Numbers(forward.logits, forward.steps(), training.loss, training.gradients, steps)


@pytest.mark.parametrize("name", BUNDLES)
def test_the_right_numbers_agree(name):
    bundle = BUNDLES[name]
    found = diagnose(problem_of(bundle), numbers_of(bundle))
    assert found.agrees
    assert found.explanations == ()
    blind = diagnose(problem_of(bundle), Numbers(bundle.logits))
    assert blind.agrees


@pytest.mark.parametrize("name", BUNDLES)
def test_each_mistake_is_named_from_the_logits_alone(name):
    problem = problem_of(BUNDLES[name])
    right = logits_of(problem)
    for mistake in [m for m in catalogue(problem) if m.common or name == "ids"]:
        changed = mistake.change(problem)
        assert changed is not None
        wrong = logits_of(changed)
        if np.abs(wrong - right).max() < 1e-5:
            continue  # the backward state is the output at the first step
        found = diagnose(problem, Numbers(wrong))
        assert [e.names for e in found.explanations] == [(mistake.name,)], mistake


@pytest.mark.parametrize("name", ["ids", "gru", "both"])
def test_each_mistake_is_named_with_states_and_gradients_visible(name):
    problem = problem_of(BUNDLES[name])
    for mistake in [m for m in catalogue(problem) if m.common and m.name != "steps-on-batch-axis"]:
        changed = mistake.change(problem)
        assert changed is not None
        found = diagnose(problem, everything_of(changed))
        assert [(e.names, e.training) for e in found.explanations] == [((mistake.name,), True)], mistake


@pytest.mark.parametrize("name", ["ids", "rows", "gru", "both"])
def test_pairs_are_named_from_the_logits_alone(name):
    problem = problem_of(BUNDLES[name])
    known = [m for m in catalogue(problem) if m.common]
    draw = random.Random(7)
    tried = 0
    while tried < 5:
        pair = tuple(sorted(draw.sample(known, 2), key=lambda m: m.stage))
        changed = apply_all(problem, pair)
        if pair[0].group == pair[1].group or changed is None:
            continue
        wrong = logits_of(changed)
        alone = [apply_all(problem, part) for part in ((), (pair[0],), (pair[1],))]
        if min(np.abs(wrong - logits_of(part)).max() for part in alone if part is not None) < 1e-3:
            continue  # one of the two has no effect beside the other
        tried += 1
        found = diagnose(problem, Numbers(wrong))
        assert tuple(sorted(m.name for m in pair)) in [tuple(sorted(e.names)) for e in found.explanations]


@pytest.mark.parametrize("scale", [1.0, 1e-2, 1e-4])
@pytest.mark.parametrize("name", ["ids", "rows", "both"])
def test_numbers_that_no_mistake_explains_are_called_unexplained(name, scale):
    bundle = BUNDLES[name]
    noise = np.random.RandomState(5).normal(scale=scale, size=bundle.logits.shape)
    found = diagnose(problem_of(bundle), Numbers(bundle.logits + noise))
    assert not found.agrees
    assert found.explanations == ()
    assert found.singles > 60
    assert found.pairs > 500


def test_a_mistake_that_explains_the_logits_but_not_the_states_is_not_named():
    problem = problem_of(BUNDLES["rows"])
    twice = next(m for m in catalogue(problem) if m.name == "forget-bias-twice").change(problem)
    assert twice is not None
    seen = everything_of(twice)
    states = {name: array + 0.01 for name, array in seen.steps.items()}
    assert diagnose(problem, seen).explanations != ()
    assert diagnose(problem, seen._replace(steps=states)).explanations == ()


def test_one_example_is_enough_for_a_black_box():
    bundle = BUNDLES["ids"]
    problem = problem_of(bundle).rows(np.array([2]))
    missing = next(m for m in catalogue(problem) if m.name == "forget-bias-missing").change(problem)
    assert missing is not None
    names = [e.names for e in diagnose(problem, Numbers(logits_of(missing))).explanations]
    assert ("forget-bias-missing",) in names


def test_mistakes_that_a_model_cannot_tell_apart_are_listed_together():
    """Where the saved bias is zero, a layer without bias lacks the forget bias and nothing else."""
    problem = problem_of(BUNDLES["rows"])
    weights = dict(problem.weights, **{"lstm/fw/0/bias": problem.weights["lstm/fw/0/bias"] * 0})
    problem = dataclasses.replace(problem, weights=weights)
    missing = next(m for m in catalogue(problem) if m.name == "forget-bias-missing").change(problem)
    assert missing is not None
    found = diagnose(problem, Numbers(logits_of(missing)))
    assert {e.names for e in found.explanations} == {("forget-bias-missing",), ("no-bias",)}


@pytest.mark.parametrize("number", range(4))
def test_mistakes_of_training_are_named(number):
    problem = problem_of(make_bundle(ROWS, batch=3))
    mistake = training_catalogue(problem)[number]
    changed = mistake.change(problem)
    assert changed is not None
    if mistake.name == "bias-trained-twice":
        small = problem.in_type(np.float32)
        steps = adam_steps(
            problem.spec.adam,
            small.weights,
            lambda now: small.training(now).gradients,  # type: ignore[union-attr]
            factor=lambda role: 2.0 if role == "lstm/fw/0/bias" else 1.0,
        )
        seen = everything_of(problem)._replace(adam=tuple(steps))
    else:
        seen = everything_of(changed, adam=True)
    found = diagnose(problem, seen)
    assert not found.agrees
    assert [e.names for e in found.explanations] == [(mistake.name,)]


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


def dropped(bundle: Bundle, problem: Problem, runs: int, keep: float) -> Numbers:
    random_state = np.random.RandomState(0)
    forward = problem.forward()
    assert forward is not None
    weights, bias = problem.weights["softmax/weights"], problem.weights["softmax/bias"]
    answers = [
        (forward.features * (random_state.random_sample(forward.features.shape) < keep) / keep) @ weights
        + bias
        for _ in range(runs)
    ]
    return Numbers(answers[0], repeats=np.stack(answers))


@pytest.mark.parametrize("keep", [0.5, 0.75])
def test_dropout_left_on_is_named_with_its_rate(keep):
    bundle = BUNDLES["ids"]
    problem = problem_of(bundle)
    found = diagnose(problem, dropped(bundle, problem, 64, keep))
    assert found.random
    assert [e.names for e in found.explanations] == [("dropout-left-on",)]
    dropout = found.explanations[0].dropout
    assert dropout is not None
    assert abs(dropout.keep_prob - keep) < 0.08


def test_dropout_beside_another_mistake_names_both():
    bundle = BUNDLES["ids"]
    problem = problem_of(bundle)
    other = next(m for m in catalogue(problem) if m.name == "sequence-reversed").change(problem)
    assert other is not None
    found = diagnose(problem, dropped(bundle, other, 64, 0.75))
    assert ("sequence-reversed", "dropout-left-on") in [e.names for e in found.explanations]
    assert ("dropout-left-on",) not in [e.names for e in found.explanations]


def test_other_randomness_is_not_called_dropout():
    bundle = BUNDLES["ids"]
    noise = np.random.RandomState(0).normal(scale=0.3, size=(64, *bundle.logits.shape))
    noise[:, 1:] *= 0.01
    found = diagnose(problem_of(bundle), Numbers(bundle.logits + noise[0], repeats=bundle.logits + noise))
    assert found.random
    assert found.explanations == ()


def test_every_mistake_is_described_in_the_document():
    text = (Path(__file__).parents[2] / "docs" / "compare.md").read_text(encoding="utf-8")
    for bundle in BUNDLES.values():
        problem = problem_of(bundle)
        for mistake in [*catalogue(problem), *training_catalogue(problem)]:
            is_order = mistake.name.startswith("gate-order-") and mistake.name != "gate-order-of-bias"
            assert f"`{'gate-order-…' if is_order else mistake.name}`" in text
    assert f"`{DROPOUT}`" in text
