"""Keras and PyTorch: shipped ports agree, planted mistakes are named, exported weights load.

Needs ``.venv-ports`` (``make ports``), or the Python named by ``TF1_LSTM_PORTS_PYTHON``. Each test
starts one process there, which does all of its work: importing a framework takes seconds.
"""

import json
from typing import Any, Dict

import pytest

from tests.parity.ports_python import ports_python, run
from tests.parity.support import RECIPE_BUNDLES
from tf1_lstm.cli import main
from tf1_lstm.parity.bundle import write_bundle
from tf1_lstm.parity.ports import TARGETS
from tf1_lstm.parity.weight_files import Trained, keras_lines, torch_lines, write_keras, write_torch

# Only seen in the training: the logits are right.
OF_TRAINING = {"adam-epsilon", "bias-trained-twice"}
# In its first step an LSTM has no state to forget.
WITHOUT_EFFECT = {"first-step-for-last": {"forget-bias-missing", "forget-bias-twice"}}


@pytest.mark.parametrize("framework", ["keras", "torch"])
def test_every_shipped_port_agrees_down_to_three_training_steps(framework):
    found = run(framework, "shipped.py", "ports", framework)
    wanted = [name for name, (recipe, _) in RECIPE_BUNDLES.items() if framework in TARGETS[recipe]]
    assert [line["name"] for line in found] == wanted
    for line in found:
        assert_agrees(line)


def assert_agrees(line: Dict[str, Any]) -> None:
    """Every level passes, and no number differs by 1e-5, rounding that ``compare`` would excuse included."""
    statuses = {level: status for level, (status, _) in line["levels"].items()}
    assert statuses.pop("labels") == "not available"  # no split in these bundles
    assert set(statuses.values()) == {"PASS"}, line
    assert max(line["errors"].values()) < 1e-5, line


def test_keras_3s_rmsprop_is_not_the_published_one():
    (line,) = run("keras", "shipped.py", "other-rmsprop")
    failing = {level for level, (status, _) in line["levels"].items() if status == "FAIL"}
    assert failing == {"updates"}, line


@pytest.mark.parametrize("framework", ["keras", "torch"])
def test_each_planted_mistake_is_named(framework):
    lines = run(framework, "run.py", framework, "single")
    assert len(lines) > 30
    for line in lines:
        assert line["visible"] == ([line["planted"]] if line["planted"] else []), line
        # nn.GRU and Keras's reset_after have a second bias, which TensorFlow 1 has not.
        assert False not in line["training"] or line["planted"] == ["reset-after"], line
        seen = sorted(set(line["planted"]) - OF_TRAINING)
        assert line["blind"] == ([seen] if seen else []), line


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
        assert len(line["visible"]) <= 2, line


@pytest.mark.parametrize("framework", ["keras", "torch"])
def test_exported_weights_load_with_the_printed_lines(framework, tmp_path):
    if not ports_python("safetensors" if framework == "torch" else framework):
        pytest.skip(f"no Python with {framework} in .venv-ports (make ports)")
    for number, (name, (recipe, bundle)) in enumerate(RECIPE_BUNDLES.items()):
        write_bundle(tmp_path / f"{number}.npz", bundle)
        table = None if bundle.vectors is None else bundle.vectors.table()
        trained = Trained(bundle.spec, bundle.settings, bundle.weights, table)
        if framework == "keras":
            path = str(tmp_path / f"{number}.weights.h5")
            write_keras(path, trained)
            lines = keras_lines(trained, path)
        else:
            path = str(tmp_path / f"{number}.safetensors")
            write_torch(path, trained)
            lines = torch_lines(trained, path)
        request = {
            "bundle": str(tmp_path / f"{number}.npz"),
            "to": framework,
            "recipe": recipe,
            "name": name,
            "lines": lines,
        }
        (tmp_path / f"{number}.json").write_text(json.dumps(request))
    found = run(framework, "shipped.py", "weights", str(tmp_path))
    assert {line["name"] for line in found} == set(RECIPE_BUNDLES)
    for line in found:
        if framework == "keras" and line["name"] == "imdb-bilstm2":
            assert "Keras does not have PyTorch's Adam" in line["levels"].pop("updates")[1]
            assert [line["levels"][level][0] for level in ("weights", "steps", "logits")] == ["PASS"] * 3
        else:
            assert_agrees(line)


@pytest.mark.parametrize(
    ("framework", "file", "seen"),
    [("keras", "port.keras", True), ("keras", "port-savedmodel", False), ("torch", "port.pt", True)],
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
