"""An adopted checkpoint over data of one's own: measured, in batches, exported, compared, converted."""

import json

import numpy as np
import pytest

from tests.original import models
from tests.parity.ports_python import needed_python
from tf1_lstm.cli import main

EXAMPLES = 30


@pytest.fixture
def adopted(saved, tmp_path, monkeypatch):
    """A folder with mine.py, x.npz and the checkpoint's prefix; the accuracy is the original graph's own."""
    model = saved(models.static_lstm)
    monkeypatch.chdir(tmp_path)
    random = np.random.RandomState(4)
    x, y = random.normal(0, 1, (EXAMPLES, 5, 3)).astype(np.float32), random.randint(0, 2, EXAMPLES)
    np.savez("x.npz", x=x, y=y)
    np.save("x.npy", x)
    assert main(["adopt", model.prefix, "--out", "mine.py"]) == 0
    words = ["--feed", "x=x.npy", "--fetch", "logits:0", "--out", "graph.npz"]
    assert main(["graph", model.prefix, *words]) == 0
    with np.load("graph.npz") as arrays:
        logits = arrays["logits:0"] if "logits:0" in arrays else arrays["logits"]
    return model.prefix, logits, y


OWN = ["--set", "data=Arrays", "--set", "data.file=x.npz"]


def said(capsys, *words):
    capsys.readouterr()
    assert main([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_it_is_measured_over_own_data_as_its_own_graph_answers(adopted, capsys):
    prefix, logits, y = adopted
    whole = ["--set", "data.division.test=0", "--set", "data.division.validation=0"]
    document = said(capsys, "evaluate", "mine.py", "--checkpoint", prefix, *OWN, *whole, "--split", "train")
    assert document["examples"] == EXAMPLES
    assert document["accuracy"] == pytest.approx((logits.argmax(1) == y).mean(), abs=1e-6)
    batches = said(capsys, "test-batches", "mine.py", "--checkpoint", prefix, *OWN, "--batches", "2")
    assert len(batches["test_batches"]["accuracies"]) == 2


@pytest.mark.thorough
def test_it_is_exported_compared_and_converted_with_own_data(adopted, capsys, tmp_path):
    prefix, _, _ = adopted
    words = ["--checkpoint", prefix, *OWN, "--to", "bundle", "--out", "b.npz"]
    assert main(["export", "mine.py", *words]) == 0
    python = needed_python("torch")
    assert main(["compare", "b.npz", "--port", "torch", "--python", str(python)]) == 0
    converted = said(capsys, "convert", prefix, "c/model.ckpt", "--to", "tf1.0")
    assert converted
    before = said(capsys, "predict", "mine.py", "--checkpoint", prefix, "--file", "x.npy", "--out", "1.npz")
    after = said(capsys, "predict", "mine.py", "--checkpoint", "c", "--file", "x.npy", "--out", "2.npz")
    assert before["weights_sha256"] == after["weights_sha256"]
    with np.load("1.npz") as first, np.load("2.npz") as second:
        assert np.array_equal(first["outputs"], second["outputs"])
