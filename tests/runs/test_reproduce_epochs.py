"""``reproduce`` of a recipe of epochs: what its results say beyond those of iterations."""

import csv
import dataclasses
import json
from pathlib import Path

import pytest

from tests.runs.conftest import called
from tf1_lstm.recipes import find_recipe
from tf1_lstm.report.documents import read_results
from tf1_lstm.runs.resolve import resolve

SMALL = ("steps=10", "units=4", "dense_units=4", "epochs=6", "early_stopping=1", "learning_rate=0.1")


@pytest.mark.thorough
def test_results_say_which_epoch_was_best_when_it_stopped_and_which_vectors_were_read(tmp_path: Path):
    settings = [word for setting in SMALL for word in ("--set", setting)]
    arguments = ["reproduce", "imdb-lstm2-glove", "--sample", "--run", "run", *settings]
    finished = called(arguments, tmp_path)
    assert finished.returncode == 0, finished.stderr
    results = read_results(tmp_path / "run" / "results.json")
    log = results["log"]
    losses = [entry["val_loss"] for entry in log]
    measured = results["epochs"]["measured"]
    assert results["epochs"]["split"] == "test" and results["epochs"]["published"] is None
    assert measured["best_epoch"] == losses.index(min(losses)) + 1 and measured["epochs"] == len(losses)
    # It stops with the first epoch that is not better than the best before; the steps are those it did.
    assert len(losses) == measured["best_epoch"] + 1 or len(losses) == 6
    assert results["iterations"] == log[-1]["iteration"]
    final = [e for e in results["evaluations"] if (e["split"], e["dropout"]) == ("test", "off")]
    assert final[0]["accuracy"] == log[-1]["val_accuracy"] == measured["last_accuracy"]
    vectors = resolve(find_recipe("imdb-lstm2-glove"), sample=True).dataset.constants()["word_vectors"]
    assert results["deviations"]["word_vector_size"] == [100, vectors.shape[1]]
    assert f"word_vector_size {vectors.shape[1]} (published 100)" in " ".join(finished.stdout.split())
    with open(tmp_path / "run" / "curves.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [float(row["val_loss"]) for row in rows] == losses


@pytest.mark.parametrize("name", ["imdb-lstm32", "imdb-gru2"])
def test_a_trained_embedding_deviates_by_no_vectors(name: str):
    assert resolve(find_recipe(name), sample=True).data_deviations == {}


def test_vectors_as_wide_as_the_published_ones_are_no_deviation(tmp_path: Path):
    experiment = resolve(find_recipe("imdb-bilstm2"), sample=True)
    (width,) = {experiment.dataset.constants()["word_vectors"].shape[1]}
    assert experiment.data_deviations == {"word_vector_size": [100, width]}
    as_wide = dataclasses.replace(experiment.published.published, word_vector_size=width)
    published = dataclasses.replace(experiment.published, published=as_wide)
    assert experiment._replace(published=published).data_deviations == {}
    json.dumps(experiment.data_deviations)
