"""A graph's bundle: what a session gave, read back as it was, and a port of it judged."""

import json
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.original import models
from tests.parity.ports_python import needed_python
from tf1_lstm.cli import main
from tf1_lstm.errors import InputError
from tf1_lstm.parity.graph_bundle import is_graph_bundle, read_graph_bundle

PORTS = Path(__file__).parent / "ports"


@pytest.fixture(scope="module")
def bundle(saved, tmp_path_factory):
    """Return a function: a builder to the bundle of its model."""
    made = {}

    def get(build):
        if build not in made:
            model, folder = saved(build), tmp_path_factory.mktemp("bundles")
            words = []
            for name, value in model.feeds.items():
                np.save(folder / f"{name}.npy", value)
                words += ["--feed", f"{name}={folder / name}.npy"]
            words += ["--fetch", "logits", "--loss", "loss", "--to", "bundle"]
            assert main(["graph", model.prefix, *words, "--out", str(folder / "b.npz")]) == 0
            made[build] = folder / "b.npz"
        return made[build]

    return get


def judged(capsys, path, target, tmp_path, code, python=sys.executable):
    capsys.readouterr()
    words = ["--port", str(target), "--python", python, "--out", str(tmp_path), "--json"]
    assert main(["compare", str(path), *words]) == code
    document = json.loads(capsys.readouterr().out)
    return document, {level["name"]: level["status"] for level in document["levels"]}


def test_holds_what_the_session_gave(saved, bundle):
    model, found = saved(models.shared_layers), read_graph_bundle(bundle(models.shared_layers))
    assert set(found.inputs) == {"x:0", "y:0", "keep_prob:0"}
    assert set(found.used) == {"x:0", "keep_prob:0"}  # not the labels
    np.testing.assert_array_equal(found.outputs["logits:0"], model.outputs["logits:0"])
    assert found.loss == float(model.outputs["loss:0"])
    assert set(found.gradients) == set(model.gradients)
    for name, array in model.gradients.items():
        np.testing.assert_array_equal(found.gradients[name], array)
        assert found.weights[name].shape == array.shape


def test_the_same_run_gives_the_same_bytes(saved, bundle, tmp_path):
    model = saved(models.static_lstm)
    words = []
    for name, value in model.feeds.items():
        np.save(tmp_path / f"{name}.npy", value)
        words += ["--feed", f"{name}={tmp_path / name}.npy"]
    words += ["--fetch", "logits", "--loss", "loss", "--to", "bundle", "--out", str(tmp_path / "again.npz")]
    assert main(["graph", model.prefix, *words]) == 0
    assert (tmp_path / "again.npz").read_bytes() == bundle(models.static_lstm).read_bytes()


@pytest.mark.parametrize(
    ("build", "name"),
    [
        (models.attention, "Attention"),
        pytest.param(models.convolutional, "Convolution", marks=pytest.mark.thorough),
    ],
)
def test_a_pytorch_port_of_what_no_recipe_describes_agrees(build, name, bundle, tmp_path, capsys):
    python = needed_python("torch")
    target = f"{PORTS / 'torch_port.py'}:{name}"
    document, levels = judged(capsys, bundle(build), target, tmp_path, 0, python)
    assert levels == {"logits": "PASS", "loss": "PASS", "gradients": "PASS"}
    assert document["verdict"] == "agrees in logits, loss, gradients"


def test_a_wrong_pytorch_port_differs(bundle, tmp_path, capsys):
    python = needed_python("torch")
    target = f"{PORTS / 'torch_port.py'}:AttentionOverUnits"
    _, levels = judged(capsys, bundle(models.attention), target, tmp_path, 1, python)
    assert levels == {"logits": "FAIL", "loss": "FAIL", "gradients": "FAIL"}


def test_a_numpy_port_is_judged_at_what_it_shows(bundle, tmp_path, capsys):
    target = f"{PORTS / 'numpy_port.py'}:Stocks"
    _, levels = judged(capsys, bundle(models.regression), target, tmp_path, 0)
    assert levels == {"logits": "PASS", "loss": "PASS", "gradients": "not available"}
    assert main(["compare", str(bundle(models.regression)), "--port", target, "--out", str(tmp_path)]) == 0
    assert "agrees in logits, loss" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "phrase"),
    [
        ("wrong_shape", "returned shape (2, 10, 1)"),
        ("raising", "RuntimeError: not today"),
        ("missing", "missing"),
        ("random", ""),
    ],
)
def test_a_port_that_fails_is_reported(name, phrase, bundle, tmp_path, capsys):
    target = f"{PORTS / 'numpy_port.py'}:{name}"
    # A port without an answer cannot be judged; one whose answer changes does not hold.
    document, _ = judged(capsys, bundle(models.regression), target, tmp_path, 1 if name == "random" else 2)
    assert not document["holds"]
    assert phrase in json.dumps(document["failures"])
    assert name != "random" or document["random"]


def test_no_port_of_the_project_stands_for_a_graph(bundle, capsys):
    assert main(["compare", str(bundle(models.regression)), "--port", "torch", "--out", "/nonexistent"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_damaged_bundle_is_refused(bundle, tmp_path):
    source = bundle(models.static_lstm)
    assert is_graph_bundle(source)
    with zipfile.ZipFile(source) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    chosen = sorted(name for name in members if name.startswith("weights/"))[0]
    for change in ("value", "missing", "extra"):
        altered = dict(members)
        if change == "value":
            altered[chosen] = altered[chosen][:-1] + bytes([altered[chosen][-1] ^ 1])
        elif change == "missing":
            del altered[chosen]
        else:
            altered["more/x.npy"] = altered[chosen]
        path = tmp_path / f"{change}.npz"
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in altered.items():
                archive.writestr(name, content)
        with pytest.raises(InputError, match=r"damaged|differ"):
            read_graph_bundle(path)
