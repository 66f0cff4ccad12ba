"""From a stranger's checkpoint to an experiment: read from the graph, or asked for where nothing decides."""

import json
import shutil
from typing import Any, Callable, Dict, List

import numpy as np
import pytest

from tests.original import models, strangers
from tests.tiers import representative
from tf1_lstm.cli import main
from tf1_lstm.recipes.load import load_experiment

ADOPTED = [
    models.static_lstm,
    models.dynamic_lstm,
    models.shared_layers,
    models.stacked_gru,
    models.regression,
    models.per_step,
    models.bidirectional,
]
# What must be answered (or may be) where there is no graph: names and shapes do not say it.
ANSWERS: Dict[Callable[[], Dict[str, np.ndarray]], List[str]] = {
    models.static_lstm: ["forget_bias=0.8"],
    models.dynamic_lstm: ["activation=relu"],
    models.shared_layers: ["layers=2"],
    models.stacked_gru: [],
    models.regression: ["front=Variable", "read=steps"],
    models.per_step: ["read=steps", "inputs=one-hot"],
    models.bidirectional: [],
}


def without_graph(model, folder):
    """A copy of a checkpoint without its .meta."""
    for ending in (".index", ".data-00000-of-00001"):
        shutil.copy(model.prefix + ending, folder / f"m{ending}")
    return folder / "m"


def adopt(capsys, path, out, *more, code=0):
    capsys.readouterr()
    assert main(["adopt", str(path), "--out", str(out), *more, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def refusal(capsys, *words):
    assert main([*map(str, words)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


def predicted(source, checkpoint, inputs, folder):
    np.save(folder / "inputs.npy", inputs)
    words = ["--checkpoint", str(checkpoint), "--file", str(folder / "inputs.npy")]
    assert main(["predict", str(source), *words, "--out", str(folder / "y.npz")]) == 0
    with np.load(folder / "y.npz") as arrays:
        return arrays["outputs"]


def close(outputs, model):
    right = model.outputs["logits:0"]
    np.testing.assert_allclose(outputs.reshape(right.shape), right, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize(
    "build",
    representative(ADOPTED, "static_lstm", "stacked_gru", "per_step"),
    ids=lambda build: build.__name__,
)
def test_with_its_graph_nothing_is_guessed_and_everything_agrees(build, saved, tmp_path, capsys):
    model = saved(build)
    document = adopt(capsys, model.prefix, tmp_path / "mine.py", "--check")
    assert document["check"]["agree"] is True
    assert all(value is not None and value <= 1e-6 for value in document["check"]["differences"].values())
    assert document["open"] == {}
    if build is not models.bidirectional:  # predict takes whole sequences, this one was fed lengths
        close(
            predicted(tmp_path / "mine.py", model.prefix, next(iter(model.feeds.values())), tmp_path), model
        )


@pytest.mark.parametrize(
    "build",
    representative(strangers.ALL, "char", "projected", "row_bias", "relu_front"),
    ids=lambda build: build.__name__,
)
def test_models_as_strangers_wrote_them_are_adopted(build, saved, tmp_path, capsys):
    regularised = build is strangers.relu_front  # its loss holds more than the mean error
    document = adopt(capsys, saved(build).prefix, tmp_path / "mine.py", "--check")
    assert document["check"]["differences"]["outputs"] <= 1e-6
    assert document["check"]["agree"] is True
    assert ("regularisation" in document["check"]["note"]) is regularised
    assert document["check"]["alternatives"] == []


def test_the_file_says_what_the_graph_says(saved, tmp_path, capsys):
    adopt(capsys, saved(models.static_lstm).prefix, tmp_path / "a.py")
    static: Any = load_experiment(str(tmp_path / "a.py"))
    assert static.recurrent.cell.forget_bias == 0.8
    assert static.data.steps == 5
    assert static.optimizer.learning_rate == 0.01
    adopt(capsys, saved(models.shared_layers).prefix, tmp_path / "b.py")
    shared: Any = load_experiment(str(tmp_path / "b.py"))
    assert (shared.recurrent.layers, shared.recurrent.shared_cell) == (2, True)
    assert shared.front is not None
    assert (shared.front.units, shared.front.activation) == (4, "linear")
    adopt(capsys, saved(models.regression).prefix, tmp_path / "c.py")
    stocks: Any = load_experiment(str(tmp_path / "c.py"))
    assert type(stocks.head).__name__ == "Regression"
    assert (stocks.recurrent.read, type(stocks.optimizer).__name__) == ("steps", "SGD")


@pytest.mark.parametrize(
    "build",
    representative(ADOPTED, "static_lstm", "stacked_gru"),
    ids=lambda build: build.__name__,
)
def test_without_its_graph_the_answers_lead_to_the_same_outputs(build, saved, tmp_path, capsys):
    model = saved(build)
    checkpoint = without_graph(model, tmp_path)
    words = [word for answer in ANSWERS[build] for word in ("--answer", answer)]
    document = adopt(capsys, checkpoint, tmp_path / "mine.py", *words)
    assert document["graph"] is None
    assert set(document["open"]) <= {
        "recurrent.cell.forget_bias",
        "recurrent.cell.activation",
        "recurrent.read",
        "head",
        "front.activation",
        "inputs",
    }
    text = (tmp_path / "mine.py").read_text()
    assert all(
        text.count(f"--answer {path.rsplit('.', 1)[-1]}=") for path in document["open"] if "front" not in path
    )
    if build is not models.bidirectional:
        close(predicted(tmp_path / "mine.py", checkpoint, next(iter(model.feeds.values())), tmp_path), model)


def test_where_two_readings_fit_it_asks(saved, tmp_path, capsys):
    stocks = without_graph(saved(models.regression), tmp_path)
    error = refusal(capsys, "adopt", stocks, "--out", tmp_path / "mine.py")
    assert "--answer front=Variable, or front=none" in error
    assert not (tmp_path / "mine.py").exists()
    shared = tmp_path / "shared"
    shared.mkdir()
    error = refusal(
        capsys, "adopt", without_graph(saved(models.shared_layers), shared), "--out", tmp_path / "m.py"
    )
    assert "--answer layers=N" in error


@pytest.mark.parametrize("build", [models.attention, models.convolutional], ids=lambda build: build.__name__)
def test_what_an_experiment_cannot_say_is_refused_with_and_without_its_graph(build, saved, tmp_path, capsys):
    model = saved(build)
    refusal(capsys, "adopt", model.prefix, "--out", tmp_path / "mine.py")
    refusal(capsys, "adopt", without_graph(model, tmp_path), "--out", tmp_path / "mine.py")
    assert not (tmp_path / "mine.py").exists()


def test_a_wrong_answer_is_found_and_the_right_ones_are_named(saved, tmp_path, capsys):
    model = saved(models.static_lstm)
    words = ["--answer", "forget_bias=0.0", "--check"]
    document = adopt(capsys, model.prefix, tmp_path / "mine.py", *words, code=1)
    assert document["check"]["agree"] is False
    assert {"recurrent.cell.forget_bias": 0.8} in document["check"]["alternatives"]


@pytest.mark.parametrize(
    ("words", "phrase"),
    [
        (["--answer", "units=4"], "expected one of output, layers"),
        (["--answer", "layers=two"], "expected a whole number"),
        (["--answer", "forget_bias"], "expected NAME=VALUE"),
        (["--answer", "output=nothing:0"], "found no output nothing:0"),
        (["--out", "mine.txt"], "ends in .py"),
    ],
)
def test_bad_answers_are_refused_in_a_line(words, phrase, saved, tmp_path, capsys):
    out = ["--out", str(tmp_path / "mine.py")] if "--out" not in words else []
    assert phrase in refusal(capsys, "adopt", saved(models.static_lstm).prefix, *out, *words)


def test_a_file_that_is_there_is_not_overwritten(saved, tmp_path, capsys):
    (tmp_path / "mine.py").write_text("mine")
    error = refusal(capsys, "adopt", saved(models.static_lstm).prefix, "--out", tmp_path / "mine.py")
    assert "exists already" in error
    assert (tmp_path / "mine.py").read_text() == "mine"


def test_without_data_what_needs_them_is_refused(saved, tmp_path, capsys):
    model = saved(models.static_lstm)
    adopt(capsys, model.prefix, tmp_path / "mine.py")
    error = refusal(capsys, "evaluate", tmp_path / "mine.py", "--checkpoint", model.prefix)
    assert "found NoData, expected data of your own" in error


@pytest.mark.parametrize("inputs", [np.zeros((2, 5)), np.zeros((2, 9, 3)), np.zeros((2, 5, 3), np.int32)])
def test_predict_refuses_arrays_that_do_not_fit(inputs, saved, tmp_path, capsys):
    model = saved(models.static_lstm)
    adopt(capsys, model.prefix, tmp_path / "mine.py")
    np.save(tmp_path / "x.npy", inputs)
    words = ["--checkpoint", model.prefix, "--file", tmp_path / "x.npy", "--out", tmp_path / "y.npz"]
    assert main(["predict", str(tmp_path / "mine.py"), *map(str, words)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "y.npz").exists()


def test_inspect_ends_with_the_command_that_goes_on(saved, capsys):
    model = saved(models.shared_layers)
    assert main(["inspect", model.prefix]) == 0
    printed = capsys.readouterr().out
    assert "2 layers that share one cell" in printed
    assert printed.rstrip().endswith(f"tf1-lstm adopt {model.prefix} --out mine.py")


@pytest.mark.parametrize("build", [models.attention, models.convolutional], ids=lambda build: build.__name__)
def test_inspect_names_what_adopt_would_refuse(build, saved, capsys):
    assert main(["inspect", saved(build).prefix]) == 0
    printed = capsys.readouterr().out
    assert "adopt does not take it: found" in printed
    assert printed.rstrip().endswith(f"tf1-lstm graph {saved(build).prefix}")
