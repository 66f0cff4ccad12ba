"""``compare-training``: both sides on the same batches from the command line, on the sample."""

import json
from pathlib import Path
from typing import Any, Tuple

import numpy as np
import pytest

from tests.parity.ports_python import needed_python
from tf1_lstm.cli import main

SMALL = ["--set", "recurrent.cell.units=8", "--set", "iterations=30"]
SLOW_LEARNER = """
import torch
from tf1_lstm.parity.ports.generated import torch_module

def too_slow(bundle):
    model = torch_module(bundle)
    trained = [p for p in model.parameters() if p.requires_grad]
    model.configure_optimizers = lambda: torch.optim.Adam(trained, 1e-6)
    return model

def breaks(bundle):
    model = torch_module(bundle)
    model.loss = lambda logits, classes: logits.sum() / 0
    return model

def answers(inputs):
    return inputs[:, 0, :10]
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: Any) -> Tuple[Path, Path]:
    """A run of mnist-rnn with 8 units, and its bundle."""
    folder = tmp_path_factory.mktemp("training")
    run, bundle = folder / "run", folder / "b.npz"
    assert main(["train", "mnist-rnn", "--sample", "--threads", "1", "--run", str(run), *SMALL]) == 0
    words = ["export", "mnist-rnn", "--checkpoint", str(run), "--to", "bundle", "--out", str(bundle)]
    assert main(words) == 0
    (folder / "ports.py").write_text(SLOW_LEARNER)
    return run, bundle


def compared(capsys: Any, original: Path, port: str, out: Path, *words: str) -> Tuple[int, Any]:
    capsys.readouterr()
    command = [
        "compare-training",
        str(original),
        "--port",
        port,
        "--out",
        str(out),
        "--threads",
        "1",
        "--json",
    ]
    code = main([*command, "--python", needed_python("torch"), *words])
    text = capsys.readouterr().out
    return code, json.loads(text) if text else None


def test_a_right_port_trains_to_the_same_accuracies_and_more_seeds_are_added(trained, tmp_path, capsys):
    run, _ = trained
    out = tmp_path / "out"
    code, found = compared(capsys, run, "torch", out, "--seeds", "1-2")
    assert code == 0
    assert found["verdict"]["word"] == "not judged"
    assert found["seeds"][0]["run"] == str(run)  # its seed is 1, so it was not trained again
    before = (out / "port-tf1" / "seed-2.json").stat().st_mtime_ns
    code, found = compared(capsys, run, "torch", out, "--seeds", "1-4")
    assert (out / "port-tf1" / "seed-2.json").stat().st_mtime_ns == before
    assert code == 0
    assert found["verdict"]["word"] == "same"
    assert [row["begins"] for row in found["seeds"]] == ["the original's"] * 4
    for row in found["seeds"]:
        assert row["port"]["accuracy"] == pytest.approx(row["original"]["accuracy"], abs=0.01)
        assert row["port"]["loss"] == pytest.approx(row["original"]["loss"], abs=1e-3)
    # Another experiment does not go on in this folder.
    other = ["--seeds", "1-3", "--set", "iterations=20"]
    assert compared(capsys, run, "torch", out, *other) == (2, None)


@pytest.mark.thorough
def test_a_port_that_learns_too_slowly_is_told_from_a_bundle(trained, tmp_path, capsys):
    run, bundle = trained
    port = f"{run.parent / 'ports.py'}:too_slow"
    code, found = compared(
        capsys, bundle, port, tmp_path / "out", "--seeds", "1-4", "--runs", str(run.parent)
    )
    assert code == 1
    assert found["verdict"]["word"] == "differs"
    assert found["verdict"]["mean_difference"] < -0.05
    assert found["port"]["logits_error"] < 1e-5  # what compare would see is right
    assert (
        main(
            [
                "compare-training",
                str(bundle),
                "--port",
                port,
                "--seeds",
                "1-4",
                "--out",
                str(tmp_path / "out"),
            ]
        )
        == 1
    )
    said = capsys.readouterr().out
    assert "verdict         not the same distribution: the port's differ by -" in said
    # Its own initial values are other figures, in a folder of their own.
    code, drawn = compared(capsys, bundle, "torch", tmp_path / "out", "--seeds", "1-3", "--initial", "port")
    assert code in (0, 1)
    assert {row["begins"] for row in drawn["seeds"]} == {"its own"}
    assert drawn["seeds"][0]["port"] != found["seeds"][0]["port"]


@pytest.mark.thorough
def test_a_training_that_breaks_is_told_and_nothing_is_judged(trained, tmp_path, capsys):
    run, _ = trained
    code, found = compared(capsys, run, f"{run.parent / 'ports.py'}:breaks", tmp_path / "out", "--seeds", "1")
    assert code == 2
    assert found["verdict"] is None
    assert "iteration 1: the port's loss is" in found["seeds"][0]["why"]


@pytest.mark.parametrize(
    ("port", "words", "said"),
    [
        ("ports.py:answers", ["--seeds", "1"], "cannot be trained; expected a keras.Model or nn.Module"),
        pytest.param("ports.py:nothing", ["--seeds", "1"], "has no 'nothing'", marks=pytest.mark.thorough),
        ("torch", ["--seeds", "1", "--split", "tset"], "tset"),
        ("torch", ["--seeds", "1", "--set", "unitz=3"], "unitz"),
        ("torch", ["--seeds", "1", "--runs", "nowhere"], "nowhere: no such folder"),
        ("torch", ["--seeds", "3-1"], "'3-1', expected"),
        ("torch", ["--seeds", "a"], "expected seeds such as 1-10"),
        ("torch", ["--seeds", "1", "--margin", "0"], "expected points"),
    ],
)
def test_what_cannot_be_trained_is_one_line(port, words, said, trained, tmp_path, capsys):
    run, _ = trained
    target = port.replace("ports.py", str(run.parent / "ports.py"))
    command = ["compare-training", str(run), "--port", target, "--out", str(tmp_path / "o"), *words]
    try:
        code: Any = main([*command, "--python", needed_python("torch")])
    except SystemExit as stopped:
        code = stopped.code
    assert code == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert said in error
    assert error.startswith("tf1-lstm")


def test_neither_run_nor_bundle_is_refused(tmp_path, capsys):
    np.savez(str(tmp_path / "b.npz"), a=np.zeros(1))
    for original in (tmp_path / "b.npz", tmp_path / "nothing", tmp_path):
        assert main(["compare-training", str(original), "--port", "torch", "--seeds", "1-3"]) == 2
        assert str(original) in capsys.readouterr().err


@pytest.mark.thorough
def test_a_keras_port_trains_to_the_same_accuracy(trained, tmp_path, capsys):
    run, _ = trained
    needed_python("keras")
    code, found = compared(capsys, run, "keras", tmp_path / "out", "--seeds", "1")
    assert code == 0
    row = found["seeds"][0]
    assert row["port"]["loss"] == pytest.approx(row["original"]["loss"], abs=1e-3)
