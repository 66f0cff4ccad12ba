"""Keras and PyTorch: shipped ports agree, planted mistakes are named, exported weights load.

Needs ``.venv-ports`` (``make ports``), or the Python named by ``TF1_LSTM_PORTS_PYTHON``. Each test
starts one process there, which does all of its work: importing a framework takes seconds.
"""

import json
from typing import Any, Dict

import pytest

from tests.parity.ports_python import ports_python, run
from tests.parity.support import RECIPE_BUNDLES
from tests.tiers import representative
from tf1_lstm.cli import main
from tf1_lstm.parity.bundle import write_bundle
from tf1_lstm.parity.model_files import write_model
from tf1_lstm.parity.ports import GENERATED, target_of
from tf1_lstm.parity.weight_files import trained_of

# Only seen in the training: the logits are right.
OF_TRAINING = {"adam-epsilon", "bias-trained-twice"}
# In its first step an LSTM has no state to forget.
WITHOUT_EFFECT = {"first-step-for-last": {"forget-bias-missing", "forget-bias-twice"}}


# One of each: directions, peepholes, ids; a simple cell, a cell with two biases, two joined layers.
FEW = ("mnist-bilstm", "mnist-peephole", "imdb-gru2")
SHIPPED = (*FEW, "imdb-lstm", "imdb-simplernn32", "imdb-bilstm2")


@pytest.mark.parametrize("names", [SHIPPED, pytest.param(tuple(RECIPE_BUNDLES), marks=pytest.mark.thorough)])
@pytest.mark.parametrize("framework", representative(["keras", "torch"], "torch"))
def test_every_shipped_port_agrees_down_to_three_training_steps(framework, names):
    found = run(framework, "shipped.py", "ports", framework, *names)
    wanted = [
        (name, target)
        for name in names
        for target in sorted({target_of(RECIPE_BUNDLES[name][0], framework), GENERATED[framework]})
    ]
    assert [(line["name"], line["target"]) for line in found] == wanted
    for line in found:
        assert_agrees(line)


def assert_agrees(line: Dict[str, Any]) -> None:
    """Every level passes, and no number differs by 1e-5, rounding that ``compare`` would excuse included."""
    statuses = {level: status for level, (status, _) in line["levels"].items()}
    assert statuses.pop("labels") == "not available"  # no split in these bundles
    if "Keras does not have PyTorch's Adam" in line["levels"]["updates"][1]:
        assert line["optimizer"] == "pytorch-adam"
        del statuses["updates"]
    assert set(statuses.values()) == {"PASS"}, line
    assert max(line["errors"].values()) < 1e-5, line


@pytest.mark.thorough
def test_keras_3s_rmsprop_is_not_the_published_one():
    (line,) = run("keras", "shipped.py", "other-rmsprop")
    failing = {level for level, (status, _) in line["levels"].items() if status == "FAIL"}
    assert failing == {"updates"}, line


@pytest.mark.parametrize("framework", representative(["keras", "torch"], "torch"))
def test_each_planted_mistake_is_named(framework):
    lines = run(framework, "run.py", framework, "single")
    assert len(lines) > 30
    for line in lines:
        for view in ("visible", "blind"):  # states that are carried on are those at the last word
            line[view] = [
                n for n in line[view] if line["planted"] != ["padding-masked"] or n == line["planted"]
            ]
        assert line["visible"] == ([line["planted"]] if line["planted"] else []), line
        assert False not in line["training"], line
        seen = sorted(set(line["planted"]) - OF_TRAINING)
        assert line["blind"] == ([seen] if seen else []), line


@pytest.mark.thorough
@pytest.mark.parametrize("framework", ["keras", "torch"])
def test_each_mistake_behind_the_cells_is_named_and_its_neighbours_are_not(framework):
    """From the logits alone; what is planted is written in the framework's own words."""
    lines = run(framework, "heads.py", framework)
    assert len(lines) > 20
    for line in lines:
        if line["planted"] == "last word":  # the same logits as of padding that is skipped
            assert set(line["named"]) == {"output-at-last-word", "padding-masked"}, line
        else:
            assert line["named"] == ([line["name"]] if line["name"] else []), line
            assert line["agrees"] == (line["planted"] == "right"), line


@pytest.mark.thorough
@pytest.mark.parametrize("framework", ["keras", "torch"])
def test_each_mistake_of_the_training_is_named_and_its_neighbours_are_not(framework):
    """By the framework's own optimizer and loss, alone and in pairs."""
    lines = run(framework, "training.py", framework)
    assert len(lines) > 18
    for line in lines:
        named = line["named"]
        if line["planted"] == "epsilon 1e-07":
            # A norm clipped to a tenth is, to Adam, an epsilon that is ten times as large.
            assert "adam-epsilon" in named, line
            named = [name for name in named if name != "gradients-clipped"]
        assert named == ([line["name"]] if line["name"] else []), line
        assert line["agrees"] == (line["planted"] in ("", "value 0.0033")), line


@pytest.mark.thorough
@pytest.mark.parametrize("framework", ["keras", "torch"])
def test_noise_of_the_states_is_named_with_its_share_and_other_noise_is_not(framework):
    lines = run(framework, "state_noise.py", framework)
    assert len(lines) > 1
    for line in lines:
        assert line["named"] == ([line["name"]] if line["name"] else []), line
        if line["name"]:
            assert line["kept"] == [pytest.approx(1 - float(line["planted"].split()[-1]), abs=0.101)], line


@pytest.mark.slow
@pytest.mark.parametrize("framework", ["keras", "torch"])
def test_thirty_random_pairs_of_planted_mistakes_are_named(framework):
    lines = run(framework, "run.py", framework, "pairs")
    assert len(lines) == 30
    for line in lines:
        planted = set(line["planted"])
        assert sorted(planted) in line["visible"], line
        assert False not in line["training"], line
        seen = planted - OF_TRAINING
        for read, hidden in WITHOUT_EFFECT.items():
            if read in seen:
                seen -= hidden
        assert sorted(seen) in line["blind"], line
        assert len(line["visible"]) <= (4 if "padding-masked" in planted else 2), line


@pytest.mark.parametrize("names", [FEW, pytest.param(tuple(RECIPE_BUNDLES), marks=pytest.mark.thorough)])
@pytest.mark.parametrize(
    ("to", "ending", "package"),
    [
        pytest.param("keras", ".weights.h5", "keras", marks=pytest.mark.thorough),
        pytest.param("keras", ".keras", "keras", marks=pytest.mark.thorough),
        ("torch", ".safetensors", "safetensors"),
        ("onnx", ".onnx", "onnxruntime"),
    ],
)
def test_the_exported_code_run_as_it_is_passes_every_level(to, ending, package, names, tmp_path, monkeypatch):
    """Keras and PyTorch train as the recipe does; an ONNX model only answers."""
    python = ports_python(package)
    if not python:
        pytest.skip(f"no Python with {package} in .venv-ports (make ports)")
    monkeypatch.setattr("tf1_lstm.parity.model_files.find_python", lambda given: python)
    if ending == ".keras" and names != FEW:
        pytest.skip("a .keras file is written by a process of its own")
    for number, name in enumerate(names):
        write_bundle(tmp_path / f"{number}.npz", RECIPE_BUNDLES[name][1])
        out, code = tmp_path / f"{number}{ending}", tmp_path / f"{number}.py"
        lines = write_model(trained_of(RECIPE_BUNDLES[name][1]), to, out, code)
        assert code.read_text().endswith("\n".join(["", *lines, ""]))
    found = run(package, "shipped.py", "weights", to, str(tmp_path))
    assert len(found) == len(names)
    for line in found:
        if to == "onnx":
            assert line["error"] < 1e-6, line
        else:
            assert_agrees(line)


@pytest.mark.parametrize(
    ("framework", "file", "seen"),
    [
        pytest.param("keras", "port.keras", True, marks=pytest.mark.thorough),
        pytest.param("keras", "port-savedmodel", False, marks=pytest.mark.thorough),
        ("torch", "port.pt", True),
    ],
)
def test_saved_models_are_compared(framework, file, seen, tmp_path, capsys):
    run(framework, "shipped.py", "files", framework, str(tmp_path))
    write_bundle(tmp_path / "a.npz", RECIPE_BUNDLES["mnist-lstm"][1])
    arguments = ["compare", str(tmp_path / "a.npz"), "--port", str(tmp_path / file), "--json"]
    code = main([*arguments, "--python", ports_python(framework), "--out", str(tmp_path / "out")])
    document = json.loads(capsys.readouterr().out)
    assert code == 0, document
    statuses = {level["name"]: level["status"] for level in document["levels"]}
    assert statuses["logits"] == "PASS"
    for level in ("weights", "gradients"):
        assert statuses[level] == ("PASS" if seen else "not available"), document
