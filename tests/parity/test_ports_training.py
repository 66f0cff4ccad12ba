"""``python -m tf1_lstm.parity.ports.train``: its steps are the bundle's, and it writes what it measured."""

import json
import math
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, List

import pytest

from tests.parity.ports_python import PROJECT, environment, needed_python, run
from tests.parity.support import IMDB_RECIPES
from tf1_lstm.data.registry import open_dataset
from tf1_lstm.recipes import find_recipe
from tf1_lstm.recipes.flat import flat_settings


def start(framework: str, out: Path, *arguments: str) -> "subprocess.Popen[str]":
    command = [needed_python(framework), "-m", "tf1_lstm.parity.ports.train", *arguments]
    return subprocess.Popen(
        [*command, "--sample", "--threads", "1", "--out", str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=str(PROJECT),
        env=environment(),
        universal_newlines=True,
    )


def trained(framework: str, out: Path, *arguments: str) -> Any:
    process = start(framework, out, *arguments)
    _, errors = process.communicate()
    assert process.returncode == 0, errors[-3000:]
    return json.loads(out.read_text())


def refused(framework: str, out: Path, *arguments: str) -> str:
    process = start(framework, out, *arguments)
    _, errors = process.communicate()
    assert process.returncode == 2, errors[-3000:]
    assert not out.exists()
    return errors


@pytest.mark.thorough
@pytest.mark.parametrize(
    "names",
    [
        ("imdb-gru32", "imdb-lstm2-glove", "imdb-bilstm2"),
        tuple(IMDB_RECIPES),
    ],
)
def test_each_trainer_takes_the_three_steps_of_the_bundle(names):
    needed_python("torch")
    found = run("keras", "shipped.py", "trainers", *names)
    assert [line["name"] for line in found] == list(names)
    for line in found:
        assert max(line["updates"], line["loss"], line["logits"]) < 1e-5, line
        assert line["correct"][0] == line["correct"][1], line


@pytest.mark.thorough
def test_a_pytorch_training_writes_its_figures_and_the_seed_decides_them(tmp_path):
    arguments = ["imdb-bilstm2", "--seed", "5", "--set", "steps=20"]
    first = trained("torch", tmp_path / "a.json", *arguments)
    assert_figures(first, "imdb-bilstm2", epochs=2)
    assert first["evaluations"][0]["split"] == "test"
    assert len(first["evaluations"]) == 1
    assert list(first["framework"]) == ["torch"]
    assert first["deviations"]["data.steps"] == [2500, 20]
    again = trained("torch", tmp_path / "b.json", *arguments)
    assert again["log"] == first["log"]
    other = trained("torch", tmp_path / "c.json", "imdb-bilstm2", "--seed", "6", "--epochs", "1")
    assert other["log"][0]["loss"] != first["log"][0]["loss"]


@pytest.mark.thorough
def test_a_keras_training_measures_the_test_reviews_at_its_end(tmp_path):
    document = trained("keras", tmp_path / "a.json", "imdb-gru32", "--seed", "5", "--epochs", "3")
    assert_figures(document, "imdb-gru32", epochs=3)
    assert [entry["split"] for entry in document["evaluations"]] == ["validation", "test"]
    assert sorted(document["framework"]) == ["keras", "tensorflow"]
    words = "python -m tf1_lstm.parity.ports.train imdb-gru32 --seed 5 --sample --epochs 3 --threads 1"
    assert document["command"] == words


def assert_figures(document: Any, recipe: str, epochs: int) -> None:
    published = find_recipe(recipe)
    sample = published.with_settings(published.published.sample)
    dataset = open_dataset("keras-imdb", None, sample=True).with_settings(flat_settings(sample))
    size = sample.schedule.batch_size
    steps = dataset.train_sampler("published", size, 5).steps_per_epoch
    assert [entry["iteration"] for entry in document["log"]] == [
        steps * number for number in range(1, epochs + 1)
    ]
    assert [entry["epoch"] for entry in document["log"]] == list(range(1, epochs + 1))
    assert document["epochs"] == epochs
    assert document["sample"] is True
    assert document["seed"] == 5
    last, validation = document["log"][-1], document["evaluations"][0]
    assert (last["val_loss"], last["val_accuracy"]) == (validation["loss"], validation["accuracy"])
    assert validation["examples"] == len(dataset.split(validation["split"]).labels)
    # A model that has hardly learned: the loss of two classes is near log 2.
    assert document["log"][0]["loss"] == pytest.approx(math.log(2), abs=0.1)
    for entry in [*document["log"], *document["evaluations"]]:
        assert 0.3 < entry["accuracy"] <= 1
    assert document["ms_per_iteration"] > 0
    assert str(PROJECT) not in json.dumps(document)


def test_sigterm_leaves_the_last_whole_epoch(tmp_path):
    out = tmp_path / "a.json"
    process = start("torch", out, "imdb-bilstm2", "--epochs", "10000", "--set", "steps=10")
    while not out.exists():
        assert process.poll() is None, process.communicate()[1][-3000:]
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    lines, errors = process.communicate()
    assert process.returncode == 128 + signal.SIGTERM
    document = json.loads(out.read_text())
    assert document["epochs"] == len(document["log"]) == len(lines.splitlines())
    assert f"stopped in epoch {document['epochs'] + 1}" in errors
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["mnist-lstm"], "recipe mnist-lstm: found one that is not trained in epochs"),
        (["imdb-gru32", "--set", "epochs=0"], "setting epochs: found 0, expected 1 or more"),
        (
            ["imdb-gru32", "--set", "cell=gru"],
            "setting recurrent.cell: found 'GRU', expected 'ResetAfterGRU'",
        ),
        (["no-such-recipe"], "recipe 'no-such-recipe': unknown"),
        (["imdb-gru32", "--set", "units=-1"], "setting units: found -1"),
    ],
)
def test_what_cannot_be_trained_is_refused(arguments: List[str], said: str, tmp_path):
    assert f"ports.train: {said}" in refused("torch", tmp_path / "a.json", *arguments)
