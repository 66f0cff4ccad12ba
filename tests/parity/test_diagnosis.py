"""The diagnosis on ports simulated in float32: named when it explains, silent when it does not.

Ports in Keras and PyTorch, which share no code with the reference, are in ``test_planted_*.py``.
"""

import dataclasses
import random
from pathlib import Path

import numpy as np
import pytest

from tests.parity.simulated import BUNDLES, everything_of, logits_of
from tests.tiers import representative
from tf1_lstm.parity.bundle import Bundle
from tf1_lstm.parity.diagnosis import diagnose
from tf1_lstm.parity.dropout import DROPOUT
from tf1_lstm.parity.mistakes import apply_all, catalogue, training_catalogue
from tf1_lstm.parity.problem import Numbers, Problem, numbers_of, problem_of

# The others differ from these in sizes only.
DIFFERENT = [
    name for name in BUNDLES if name not in ("imdb-lstmcell2", "imdb-lstm2-glove", "imdb-gru2", "imdb-gru32")
]


ALWAYS = {"kernel-transposed", "relu-for-tanh", "no-bias", "first-step-for-last", "probabilities-for-logits"}
SAME = {"padding-masked", "output-at-last-word"}
# Mistakes that only the recipes of word ids with an embedding, a dense layer or two layers allow.
OF_RECIPES = {
    "imdb-grucell2": {
        "gate-order-ruc",
        "gate-order-of-bias",
        "reset-before",
        "biases-summed",
        "biases-swapped",
        "dense-relu-missing",
        "dense-kernel-reshaped",
        "no-dense-bias",
        "first-layer-for-last",
        "padding-behind",
        "padding-masked",
        "ids-shifted",
        "unknown-as-padding",
        "dropout-scaled-twice",
        "classes-swapped",
    },
    "imdb-bilstm2": {
        "forget-bias-added",
        "directions-swapped",
        "directions-joined-in-other-order",
        "backward-output-at-last-step",
        "first-layer-for-last",
        "padding-in-front",
        "classes-swapped",
    },
    "square gru": {"kernels-swapped", "reset-before"},
    "imdb-lstm32": {"forget-bias-missing", "gate-order-ifjo", "padding-behind", "hard-sigmoid"},
    "imdb-simplernn32": {"padding-behind", "kernel-transposed"},
}


@pytest.mark.parametrize("name", BUNDLES)
def test_the_right_numbers_agree(name):
    bundle = BUNDLES[name]
    found = diagnose(problem_of(bundle), numbers_of(bundle))
    assert found.agrees
    assert found.explanations == ()
    blind = diagnose(problem_of(bundle), Numbers(bundle.logits))
    assert blind.agrees


@pytest.mark.parametrize("name", representative(DIFFERENT, "rows", "rnn", "imdb-grucell2"))
def test_each_mistake_is_named_from_the_logits_alone(name):
    problem = problem_of(BUNDLES[name])
    right = logits_of(problem)
    mistakes = [m for m in catalogue(problem) if m.common or name == "ids"]
    assert {m.name for m in mistakes} >= ALWAYS
    for mistake in mistakes:
        changed = mistake.change(problem)
        assert changed is not None
        wrong = logits_of(changed)
        if np.abs(wrong - right).max() < 1e-5:
            continue  # the backward state is the output at the first step
        found = diagnose(problem, Numbers(wrong))
        names = [e.names for e in found.explanations]
        if mistake.name in SAME:  # a state that is carried on is the state at the last word
            assert (mistake.name,) in names
            names = [n for n in names if n[0] not in SAME - {mistake.name}]
        assert names == [(mistake.name,)], mistake


@pytest.mark.parametrize("name", OF_RECIPES)
def test_what_a_recipe_allows_to_get_wrong_is_known(name):
    assert {mistake.name for mistake in catalogue(problem_of(BUNDLES[name]))} >= OF_RECIPES[name]


@pytest.mark.parametrize(
    "name", representative(["ids", "gru", "both", "imdb-grucell2", "imdb-bilstm2"], "gru")
)
def test_each_mistake_is_named_with_states_and_gradients_visible(name):
    problem = problem_of(BUNDLES[name])
    for mistake in [m for m in catalogue(problem) if m.common and not m.mixes_examples]:
        changed = mistake.change(problem)
        assert changed is not None
        found = diagnose(problem, everything_of(changed))
        names = [(e.names, e.training) for e in found.explanations]
        assert names == [((mistake.name,), True)], mistake


@pytest.mark.parametrize(
    "name", representative(["ids", "rows", "gru", "both", "imdb-grucell2"], "rows", "gru")
)
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
@pytest.mark.parametrize("name", representative(["ids", "rows", "both"], "rows"))
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


def dropped(bundle: Bundle, problem: Problem, runs: int, keep: float) -> Numbers:
    random_state = np.random.RandomState(0)
    forward = problem.forward()
    assert forward is not None
    weights, bias = problem.weights["softmax/weights"], problem.weights["softmax/bias"]
    answers = np.stack(
        [
            (forward.features * (random_state.random_sample(forward.features.shape) < keep) / keep) @ weights
            + bias
            for _ in range(runs)
        ]
    )
    if problem.spec.output == "sigmoid":
        answers = np.concatenate([np.zeros_like(answers), answers], axis=2)
    return Numbers(answers[0], repeats=answers)


@pytest.mark.parametrize("name", ["ids", "imdb-lstm32", "imdb-lstmcell2"])
@pytest.mark.parametrize("keep", [0.5, 0.75])
def test_dropout_left_on_is_named_with_its_rate(name, keep):
    bundle = BUNDLES[name]
    problem = problem_of(bundle)
    found = diagnose(problem, dropped(bundle, problem, 64, keep))
    assert found.random
    assert [e.names for e in found.explanations] == [("dropout-left-on",)]
    dropout = found.explanations[0].dropout
    assert dropout is not None
    assert abs(dropout.keep_prob - keep) < 0.08


def dropped_at(problem: Problem, keep: float, places: str) -> Numbers:
    """A port with dropout on at some places; what is kept is drawn for each step at ``inputs-by-step``."""
    random_state = np.random.RandomState(99)

    def drop(place: str, array: np.ndarray) -> np.ndarray:
        if place not in places:
            return array
        kept = random_state.random_sample(array.shape) < keep
        if place == "inputs" and "inputs-by-step" not in places:
            kept = np.repeat(kept[:, :1], array.shape[1], axis=1)
        return array * kept / keep

    runs = [problem.forward(drop) for _ in range(48)]
    logits = np.stack([run.logits for run in runs if run is not None])
    assert runs[0] is not None
    return Numbers(logits[0], runs[0].steps(), repeats=logits)


@pytest.mark.parametrize("name", ["imdb-lstmcell2", "imdb-bilstm2"])
def test_dropout_left_on_at_every_place_of_the_recipe_is_named(name):
    problem = problem_of(BUNDLES[name])
    places = problem.spec.dropout_places
    assert places == tuple(BUNDLES[name].settings["dropout_at"].split(","))
    found = diagnose(problem, dropped_at(problem, problem.spec.keep_prob, ",".join(places)))
    assert [e.names for e in found.explanations] == [("dropout-left-on",)]
    dropout = found.explanations[0].dropout
    assert dropout is not None
    assert dropout.places == places


@pytest.mark.parametrize(
    ("keep", "places"),
    [
        (0.85, "inputs,dense"),
        pytest.param(0.5, "inputs", marks=pytest.mark.thorough),
        pytest.param(0.5, "inputs-by-step,dense", marks=pytest.mark.thorough),
    ],
)
def test_dropout_of_another_kind_is_not_called_the_recipes(keep, places):
    problem = problem_of(BUNDLES["imdb-lstmcell2"])
    found = diagnose(problem, dropped_at(problem, keep, places))
    assert found.random
    assert not any(e.dropout is not None and e.dropout.places for e in found.explanations)


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
        for mistake in [*catalogue(problem), *training_catalogue(problem, numbers_of(bundle))]:
            is_order = mistake.name.startswith("gate-order-") and mistake.name != "gate-order-of-bias"
            assert f"`{'gate-order-…' if is_order else mistake.name}`" in text
    assert f"`{DROPOUT}`" in text
