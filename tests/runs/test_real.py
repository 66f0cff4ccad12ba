"""The published checkpoints and data give the published and measured figures (real files only)."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tf1_lstm.runs.evaluate import Evaluation, evaluate, logits_of, sampled_accuracies
from tf1_lstm.runs.restore import Restored, restore


def restored(recipe: str, checkpoint: Path, data: Path) -> Restored:
    return restore(recipe, checkpoint, data=data, device="cpu")


@pytest.fixture(scope="module")
def imdb(shared: Path, prepared: Path) -> Any:
    found = restored("imdb-lstm", shared / "checkpoints/imdb-lstm-90000", prepared)
    with found.model:
        yield found


def measured(model: Any, split: Any, **options: Any) -> Evaluation:
    found = evaluate(model, split, progress=False, **options)
    assert isinstance(found, Evaluation)
    return found


def test_first_official_review_has_the_measured_logits(imdb: Restored):
    inputs = imdb.experiment.dataset.split("official-test").inputs[:1]
    logits = logits_of(imdb.model, inputs)
    np.testing.assert_allclose(logits, [[4.327704, -2.5567985]], atol=1e-4)


def test_tutorial_test_accuracy_of_the_published_checkpoint(imdb: Restored):
    found = measured(imdb.model, imdb.experiment.dataset.split("tutorial-test"))
    assert found.examples == 2001
    assert found.accuracy == pytest.approx(0.83658, abs=5e-6)
    assert np.sum(found.confusion) == 2001


@pytest.mark.slow
def test_official_test_accuracy_of_the_published_checkpoint(imdb: Restored):
    found = measured(imdb.model, imdb.experiment.dataset.split("official-test"))
    assert found.examples == 25_000
    assert found.accuracy == pytest.approx(0.82596, abs=5e-6)


def test_dropout_on_draws_differ_and_are_repeatable(imdb: Restored):
    split = imdb.experiment.dataset.split("tutorial-test")
    few = split._replace(inputs=split.inputs[900:1100], labels=split.labels[900:1100])
    first = measured(imdb.model, few, dropout=True, draws=3)
    again = measured(imdb.model, few, dropout=True, draws=3)
    assert first.std is not None and first.std > 0
    assert (first.accuracy, first.loss) == (again.accuracy, again.loss)
    assert first.loss > measured(imdb.model, few).loss


def test_test_batches_hold_whole_reviews_and_follow_the_seed(imdb: Restored):
    first = sampled_accuracies(imdb.model, imdb.experiment.dataset, 3, seed=4)
    assert first == sampled_accuracies(imdb.model, imdb.experiment.dataset, 3, seed=4)
    for accuracy in first:
        assert accuracy * 24 == pytest.approx(round(accuracy * 24), abs=1e-5)


def test_checkpoint_of_2016_gives_its_accuracy_on_all_test_images(shared: Path):
    found = restored("mnist-lstm", shared / "checkpoints/mnist-lstm-2016", shared / "data")
    with found.model as model:
        evaluation = measured(model, found.experiment.dataset.split("test"))
    assert evaluation.examples == 10_000
    assert evaluation.accuracy == pytest.approx(0.841, abs=5e-5)


@pytest.mark.parametrize("name", ["rnn", "lstm", "bilstm", "peephole", "coupled", "gru"])
def test_numpy_cells_agree_with_the_graph_on_real_images(shared: Path, name: str):
    """Every cell's forward pass, recomputed in NumPy from the same weights."""
    from tf1_lstm.parity.reference import forward
    from tf1_lstm.parity.spec import spec_of
    from tf1_lstm.recipes import find_recipe
    from tf1_lstm.runs.model import Model
    from tf1_lstm.runs.resolve import resolve

    experiment = resolve(find_recipe(f"mnist-{name}"), data=shared / "data")
    inputs = experiment.dataset.split("test").inputs[:64]
    with Model(experiment.recipe, {}, seed=3) as model:
        model.initialise()
        weights = model.weights()
        expected = logits_of(model, inputs)
    spec = spec_of(experiment.flat())
    assert np.abs(forward(spec, weights.arrays, inputs).logits - expected).max() < 1e-5
