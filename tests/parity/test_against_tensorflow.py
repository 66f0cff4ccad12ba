"""The NumPy reference against TensorFlow 1.15's own graphs: every state, gradient and update."""

from typing import Any

import numpy as np
import pytest

from tests.experiments import CELLS, experiment
from tests.parity.support import IMDB_RECIPES, RECIPE_BUNDLES
from tf1_lstm.parity import reference
from tf1_lstm.parity.optimizers import update_steps
from tf1_lstm.parity.spec import spec_of
from tf1_lstm.recipes import find_recipe
from tf1_lstm.recipes.experiment import TrainedVectors
from tf1_lstm.recipes.flat import experiment_of_flat, flat_settings

TOLERANCE = 1e-5
STEPS, INPUTS, UNITS, CLASSES, BATCH = 7, 4, 5, 3, 6

PLAIN = {
    "steps": STEPS,
    "input_size": INPUTS,
    "classes": CLASSES,
    "units": UNITS,
    "readout": "last-output",
    "batch_size": BATCH,
    "learning_rate": 0.01,
}
# One layer and two, cells with one bias and with two, an embedding that is frozen and one that is trained.
UNLIKE = ("imdb-simplernn32", "imdb-gru2", "imdb-lstm2-glove")
CASES = [
    *(
        pytest.param(
            {"cell": cell, "layers": 2, "bidirectional": True, "readout": "both-states"},
            marks=() if cell == "gru" else pytest.mark.thorough,
        )
        for cell in CELLS
    ),
    {"bidirectional": True, "readout": "backward-state"},
    {"cell": "basic_rnn", "readout": "last-state"},
    {"forget_bias": 0.3},
    {
        "cell": "basic_rnn",
        "layers": 3,
        "bidirectional": True,
        "readout": "backward-state",
        "joined_layers": True,
    },
    {"dense_units": 4, "output": "sigmoid", "classes": 2},
]


def recorded(*arguments: Any) -> Any:
    record = pytest.importorskip("tf1_lstm.runs.record", reason="needs TensorFlow 1.15").record
    return record(*arguments)


def assert_close(mine: Any, theirs: Any, what: str) -> None:
    assert mine.keys() == theirs.keys()
    for name, expected in theirs.items():
        np.testing.assert_allclose(mine[name], expected, atol=TOLERANCE, err_msg=f"{what} {name}")


@pytest.mark.parametrize("changes", CASES, ids=lambda changes: "-".join(str(v) for v in changes.values()))
def test_agrees_with_tensorflow(changes):
    built = experiment(**{**PLAIN, **changes})
    spec = spec_of(flat_settings(built))
    random = np.random.RandomState(1)
    weights = {
        role: random.normal(scale=0.6, size=shape).astype(np.float32)
        for role, shape in spec.shapes(INPUTS).items()
    }
    inputs = random.normal(size=(BATCH, STEPS, INPUTS)).astype(np.float32)
    classes = built.head.columns
    labels = np.eye(classes, dtype=np.float32)[random.randint(0, classes, BATCH)]

    theirs = recorded(built, weights, inputs, labels, {})

    ours = reference.gradients(spec, weights, inputs, labels)
    assert abs(ours.loss - theirs.loss) < TOLERANCE
    np.testing.assert_allclose(ours.forward.logits, theirs.logits, atol=TOLERANCE)
    assert_close(ours.forward.steps(), theirs.steps, "steps")
    assert_close(ours.gradients, theirs.gradients, "gradient of")
    updates = update_steps(
        spec.optimizer, weights, lambda now: reference.gradients(spec, now, inputs, labels).gradients
    )
    for mine, expected in zip(updates, theirs.updates):
        assert_close(mine, expected, "updated")


@pytest.mark.parametrize(
    ("name", "optimizer"),
    [
        *(
            pytest.param(
                name,
                RECIPE_BUNDLES[name][1].settings["optimizer"],
                marks=() if name in UNLIKE else pytest.mark.thorough,
            )
            for name in IMDB_RECIPES
        ),
        pytest.param("imdb-gru32", "adam", marks=pytest.mark.thorough),
        ("imdb-gru32", "pytorch-adam"),
        pytest.param("imdb-bilstm2", "keras-rmsprop", marks=pytest.mark.thorough),
    ],
)
def test_every_recipe_of_word_ids_agrees_with_tensorflow(name, optimizer):
    bundle = RECIPE_BUNDLES[name][1]
    recipe = experiment_of_flat(find_recipe(name), {**bundle.settings, "optimizer": optimizer})
    spec = spec_of(flat_settings(recipe))
    constants = {} if bundle.vectors is None else {"word_vectors": bundle.vectors.values}
    if isinstance(recipe.inputs, TrainedVectors):
        constants["word_vectors"] = np.zeros_like(bundle.weights["embedding"])  # the weights count

    theirs = recorded(recipe, bundle.weights, bundle.inputs, bundle.labels, constants)

    assert abs(bundle.loss - theirs.loss) < TOLERANCE
    np.testing.assert_allclose(bundle.logits, theirs.logits, atol=TOLERANCE)
    assert_close(bundle.steps, theirs.steps, "steps")
    assert_close(bundle.gradients, theirs.gradients, "gradient of")
    exact = {role: array.astype(np.float64) for role, array in bundle.weights.items()}
    inputs = bundle.inputs if spec.trains_embedding else bundle.sequence().astype(np.float64)
    updates = update_steps(
        spec.optimizer,
        exact,
        lambda now: reference.gradients(spec, now, inputs, bundle.labels).gradients,
        factor=spec.factor,
    )
    for mine, expected in zip(updates, theirs.updates):
        assert_close(mine, expected, "updated")
    if optimizer == bundle.settings["optimizer"]:
        for stored, expected in zip(bundle.updates, theirs.updates):
            assert_close(stored, expected, "stored")
