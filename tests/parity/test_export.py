"""The command ``export``: what TensorFlow 1.15 says of a checkpoint, checked by the NumPy reference."""

import json
import re
import struct
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from tests.parity.support import IMDB_RECIPES, KERAS_UNKNOWN
from tests.tiers import representative
from tf1_lstm.cli import main
from tf1_lstm.data.registry import open_dataset
from tf1_lstm.parity.bundle import Bundle, Words, read_bundle
from tf1_lstm.parity.diagnosis import diagnose
from tf1_lstm.parity.levels import rounding_of
from tf1_lstm.parity.problem import numbers_of, problem_of


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: Any) -> Any:
    """A function: recipe and settings -> a checkpoint of initial values, for the embedded sample."""
    from tf1_lstm.recipes import find_recipe
    from tf1_lstm.runs.model import Model
    from tf1_lstm.runs.resolve import resolve

    def make(name: str, **settings: Any) -> str:
        experiment = resolve(find_recipe(name), sample=True, settings=settings)
        prefix = str(tmp_path_factory.mktemp(name) / "model")
        with Model(experiment.recipe, experiment.dataset.constants(), training=True) as model:
            model.initialise()
            return str(model.saver.save(model.session, prefix, global_step=7, write_meta_graph=False))

    return make


def exported(out: Path, *arguments: str) -> Bundle:
    assert main(["export", *arguments, "--to", "bundle", "--out", str(out)]) == 0
    return read_bundle(out)


def assert_reference_agrees(bundle: Bundle) -> None:
    found = diagnose(problem_of(bundle), numbers_of(bundle))
    assert found.agrees, found
    assert max(rounding_of(bundle).values()) < 2e-4


def test_a_bundle_of_word_ids_agrees_with_the_reference(checkpoint, tmp_path):
    prefix = checkpoint("imdb-lstm")
    bundle = exported(tmp_path / "a.npz", "imdb-lstm", "--checkpoint", prefix, "--sample", "--examples", "6")
    assert_reference_agrees(bundle)
    assert bundle.document["dataset"]["is_sample"]
    assert bundle.document["checkpoint"]["step"] == 7
    dataset = open_dataset("imdb-ids", None, sample=True)
    rows = bundle.document["batch"]["rows"]
    split = dataset.split(bundle.document["batch"]["split"])
    np.testing.assert_array_equal(bundle.inputs, split.inputs[rows])
    np.testing.assert_array_equal(bundle.labels.argmax(axis=1), split.labels[rows])
    np.testing.assert_array_equal(bundle.sequence(), dataset.constants()["word_vectors"][bundle.inputs])
    assert bundle.split_logits is not None
    np.testing.assert_allclose(bundle.split_logits[rows], bundle.logits, atol=1e-5)


def test_what_differs_most_between_ports_is_in_the_batch(checkpoint, tmp_path):
    """One review at least has padding and an unknown word, where the split has such a review."""
    prefix = checkpoint("imdb-lstm")
    bundle = exported(tmp_path / "a.npz", "imdb-lstm", "--checkpoint", prefix, "--sample", "--examples", "2")
    assert bundle.vectors is not None
    split = open_dataset("imdb-ids", None, sample=True).split(bundle.document["batch"]["split"])
    padded_unknown = [
        (ids[:, -1] == 0) & (ids == bundle.vectors.unknown).any(axis=1)
        for ids in (split.inputs, bundle.inputs)
    ]
    assert padded_unknown[0].any() == padded_unknown[1].any()


@pytest.mark.parametrize(
    ("recipe", "setting"),
    [
        ("mnist-coupled", "cell=lstm_coupled"),
        pytest.param("mnist-bilstm", "readout=both-states", marks=pytest.mark.thorough),
    ],
)
def test_a_bundle_of_rows_agrees_with_the_reference(checkpoint, tmp_path, recipe, setting):
    name, value = setting.split("=")
    prefix = checkpoint(recipe, **{name: value})
    arguments = [recipe, "--checkpoint", prefix, "--sample", "--examples", "4", "--set", setting]
    bundle = exported(tmp_path / "a.npz", *arguments)
    assert_reference_agrees(bundle)
    assert bundle.settings[name] == value


# That the numbers of every recipe are TensorFlow's is also seen in test_against_tensorflow.py.


@pytest.mark.parametrize(
    "recipe",
    representative(IMDB_RECIPES, "imdb-lstm2-glove"),
)
def test_a_bundle_of_every_later_recipe_agrees_with_the_reference(checkpoint, tmp_path, recipe):
    """Every recipe on reviews by Keras's rule: states, loss, gradients, three steps of its optimizer."""
    small = {"units": 6, "vocabulary": 100, "steps": 40}
    arguments = [recipe, "--checkpoint", checkpoint(recipe, **small), "--sample", "--examples", "5"]
    arguments += [word for name, value in small.items() for word in ("--set", f"{name}={value}")]
    bundle = exported(tmp_path / "a.npz", *arguments)
    assert_reference_agrees(bundle)
    assert bundle.words == Words(100, KERAS_UNKNOWN)
    assert (bundle.vectors is None) == (bundle.settings["embedding"] != "word-vectors")
    assert bundle.document["optimizer"]["name"] == ("Adam" if recipe == "imdb-bilstm2" else "RMSprop")
    assert (bundle.logits[:, 0] == 0).all()
    padded = bundle.inputs[:, 0 if bundle.settings["padding"] == "front" else -1] == 0
    assert (padded & (bundle.inputs == KERAS_UNKNOWN).any(axis=1)).any()
    assert bundle.split_logits is not None
    assert len(bundle.split_logits) == bundle.document["split"]["examples"]


@pytest.mark.thorough
def test_a_batch_is_as_long_as_its_longest_review_where_the_recipe_says_so(checkpoint, tmp_path):
    prefix = checkpoint("imdb-bilstm2", units=2, steps=60)
    arguments = ["imdb-bilstm2", "--checkpoint", prefix, "--sample", "--set", "units=2", "--set", "steps=60"]
    bundle = exported(tmp_path / "a.npz", *arguments, "--examples", "1")
    assert bundle.inputs.shape[1] < 60
    assert bundle.inputs[:, -1].any()


@pytest.mark.thorough
def test_the_published_mnist_checkpoint_agrees_with_the_reference(shared, tmp_path):
    arguments = ["--checkpoint", str(shared / "checkpoints" / "mnist-lstm-2016")]
    arguments += ["--data", str(shared / "data" / "mnist"), "--examples", "8"]
    bundle = exported(tmp_path / "a.npz", "mnist-lstm", *arguments)
    assert_reference_agrees(bundle)
    labels = np.array(bundle.document["split"]["labels"])
    assert bundle.split_logits is not None
    if bundle.document["split"]["examples"] == 10000:
        # facts.md: 84.1 % of the 10,000 test images.
        assert abs((bundle.split_logits.argmax(axis=1) == labels).mean() - 0.841) < 0.001


def test_keras_weights_hold_the_gates_in_keras_order(checkpoint, tmp_path, capsys):
    from tf1_lstm.checkpoints.reading import read_checkpoint

    prefix, out = checkpoint("mnist-lstm"), tmp_path / "a.weights.h5"
    arguments = ["export", "mnist-lstm", "--checkpoint", prefix, "--sample", "--to", "keras", "--json"]
    assert main([*arguments, "--out", str(out)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert f"model.load_weights({str(out)!r})" in document["lines"]
    saved = read_checkpoint(prefix).variables
    i, j, f, o = np.split(saved["rnn/basic_lstm_cell/bias"], 4)
    with h5py.File(str(out), "r") as file:
        np.testing.assert_allclose(file["layers/lstm/cell/vars/2"][()], np.concatenate([i, f + 1, j, o]))
        assert file["layers/lstm/cell/vars/0"].shape == (28, 512)


def test_torch_weights_are_numbers_behind_a_table_and_nothing_else(checkpoint, tmp_path, capsys):
    from tf1_lstm.checkpoints.reading import read_checkpoint

    prefix, out = checkpoint("mnist-rnn"), tmp_path / "a.safetensors"
    arguments = ["export", "mnist-rnn", "--checkpoint", prefix, "--sample", "--to", "torch"]
    assert main([*arguments, "--out", str(out)]) == 0
    assert "model.load_state_dict(load_file(" in capsys.readouterr().out
    content = out.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    table = json.loads(content[8 : 8 + length].decode("utf-8"))
    start, end = table["recurrent.weight_ih_l0"]["data_offsets"]
    found = np.frombuffer(content[8 + length + start : 8 + length + end], "<f4")
    kernel = read_checkpoint(prefix).variables["rnn/basic_rnn_cell/kernel"]
    np.testing.assert_array_equal(found.reshape(128, 28), kernel[:28].T)
    assert length % 8 == 0
    assert len(content) == 8 + length + sum(
        a["data_offsets"][1] - a["data_offsets"][0] for n, a in table.items() if n != "__metadata__"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--to", "keras", "--out", "a.h5"], "ends in .weights.h5 or .keras"),
        (["--to", "torch", "--out", "a.pt"], "ends in .safetensors"),
        (["--to", "onnx", "--out", "a.onnx.txt"], "ends in .onnx"),
        (["--to", "bundle", "--out", "a.npz", "--code", "a.py"], "--code: found with --to bundle"),
        (["--to", "bundle", "--out", "a.npz", "--split", "nonsense"], "nonsense"),
        (["--to", "bundle", "--out", "/proc/no/a.npz"], "cannot be written"),
    ],
)
def test_what_cannot_be_exported_ends_with_code_2(checkpoint, tmp_path, capsys, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    code = main(["export", "mnist-rnn", "--checkpoint", checkpoint("mnist-rnn"), "--sample", *arguments])
    assert code == 2
    assert said in capsys.readouterr().err


def test_the_code_is_written_to_a_file_too(checkpoint, tmp_path, capsys):
    arguments = ["export", "mnist-gru", "--checkpoint", checkpoint("mnist-gru"), "--sample", "--to", "torch"]
    arguments += ["--out", str(tmp_path / "a.safetensors")]
    assert main([*arguments, "--code", str(tmp_path / "a.py")]) == 0
    text = (tmp_path / "a.py").read_text()
    compile(text, "a.py", "exec")
    assert "class ResetBeforeGRU(_Layer):" in text
    assert "tf1_lstm" not in text
    assert text.split("\n", 2)[2].rstrip() in capsys.readouterr().out


def test_the_help_text_names_each_format(capsys):
    with pytest.raises(SystemExit):
        main(["export", "--help"])
    text = re.sub(r"\s+", " ", capsys.readouterr().out)
    for ending in (".npz", ".weights.h5", ".keras", ".safetensors", ".onnx"):
        assert ending in text
