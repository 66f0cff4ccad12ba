"""Models of one's own in bundles: regressions and outputs at every step, against TensorFlow 1.15."""

import json
from pathlib import Path
from typing import Any, Dict

import numpy as np
import pytest

from tests.parity.ports_python import needed_python
from tf1_lstm.cli import main
from tf1_lstm.errors import InputError
from tf1_lstm.parity import reference
from tf1_lstm.parity.bundle import read_bundle
from tf1_lstm.parity.spec import spec_of
from tf1_lstm.recipes import (
    GRU,
    SGD,
    Adam,
    Arrays,
    BasicLSTM,
    BasicRNN,
    Bidirectional,
    Epochs,
    Experiment,
    Layer,
    Recurrent,
    Regression,
    Rows,
    Softmax,
)
from tf1_lstm.recipes.flat import flat_settings

BATCH, STEPS, INPUTS, UNITS, CLASSES = 6, 7, 4, 5, 3
TOLERANCE = 1e-5
EACH = (BATCH, STEPS)


def experiment(recurrent: Recurrent, head: Any, **more: Any) -> Experiment:
    parts = {"data": Arrays("none.npz"), "optimizer": Adam(0.01), **more}
    return Experiment(
        inputs=Rows(INPUTS), recurrent=recurrent, head=head, schedule=Epochs(1, batch_size=BATCH), **parts
    )


CASES: Dict[str, Experiment] = {
    "squared errors": experiment(Recurrent(BasicLSTM(UNITS)), Regression(2)),
    "absolute errors of a dense layer": experiment(
        Recurrent(GRU(UNITS), layers=2), Regression(2, loss="absolute", dense=4)
    ),
    "squared errors at each step": experiment(
        Recurrent(BasicRNN(UNITS, activation="relu"), read="steps"), Regression(2)
    ),
    "a class at each step": experiment(Recurrent(BasicLSTM(UNITS), read="steps"), Softmax(CLASSES)),
    "a class at each step, both directions": experiment(
        Recurrent(BasicLSTM(UNITS), bidirectional=Bidirectional(), read="steps"), Softmax(CLASSES)
    ),
    "an LSTM with ReLU": experiment(Recurrent(BasicLSTM(UNITS, activation="relu")), Softmax(CLASSES)),
}


@pytest.mark.parametrize("kind", list(CASES))
def test_the_reference_gives_tensorflows_outputs_loss_and_gradients(kind: str) -> None:
    record = pytest.importorskip("tf1_lstm.runs.record", reason="needs TensorFlow 1.15").record
    composed = CASES[kind]
    spec = spec_of({**flat_settings(composed), "steps": STEPS})
    random = np.random.RandomState(2)
    weights = {
        role: random.normal(0, 0.5, shape).astype(np.float32) for role, shape in spec.shapes(INPUTS).items()
    }
    inputs = random.normal(size=(*EACH, INPUTS)).astype(np.float32)
    each = EACH if spec.per_step else EACH[:1]
    if spec.output == "regression":
        fed = labels = random.normal(size=(*each, 2)).astype(np.float32)
    else:
        numbers = random.randint(0, CLASSES, each)
        labels = np.eye(CLASSES, dtype=np.float32)[numbers]
        if spec.per_step:  # two steps do not count
            labels[0, -2:], numbers[0, -2:] = 0, -1
        fed = numbers.astype(np.int32) if spec.per_step else labels
    theirs = record(composed, weights, inputs, fed, {})
    wide = {role: array.astype(np.float64) for role, array in weights.items()}
    mine = reference.gradients(spec, wide, inputs.astype(np.float64), labels.astype(np.float64))
    np.testing.assert_allclose(mine.forward.logits, theirs.logits, atol=TOLERANCE)
    np.testing.assert_allclose(mine.loss, theirs.loss, atol=TOLERANCE)
    assert set(mine.gradients) == set(theirs.gradients)
    for role, array in mine.gradients.items():
        np.testing.assert_allclose(array, theirs.gradients[role], atol=TOLERANCE, err_msg=role)


@pytest.mark.parametrize(
    ("composed", "expected"),
    [
        (experiment(Recurrent(BasicLSTM(UNITS), mask="sequence_length"), Softmax(CLASSES)), "mask: found"),
        (experiment(Recurrent(BasicLSTM(UNITS), read="mean"), Softmax(CLASSES)), "read: found 'mean'"),
        (experiment(Recurrent(BasicLSTM(UNITS)), Softmax(CLASSES), front=Layer(3)), "front: found 3"),
        (experiment(Recurrent(BasicLSTM(UNITS)), Softmax(CLASSES), optimizer=SGD(0.1)), "optimizer: found"),
        (
            experiment(Recurrent(BasicLSTM(UNITS), go_backwards=True), Softmax(CLASSES)),
            "go_backwards: found True",
        ),
        (
            experiment(
                Recurrent(BasicLSTM(UNITS), bidirectional=Bidirectional(), read="output"), Softmax(CLASSES)
            ),
            "read: found 'output'",
        ),
    ],
)
def test_what_a_bundle_cannot_describe_is_refused(composed: Experiment, expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        spec_of(flat_settings(composed))


def write_sequences(path: Path) -> None:
    x = np.random.RandomState(1).normal(size=(60, 6, 3))
    np.savez(str(path), x=x, y=np.stack([x[:, :, 0].sum(axis=1), x[:, -1, 1]], axis=1))


def write_text(path: Path) -> None:
    path.write_text("the quick brown fox jumps over the lazy dog\n" * 60)


@pytest.mark.parametrize("port", ["keras", "torch"])
@pytest.mark.parametrize(("name", "write"), [("sequences.npz", write_sequences), ("plain.txt", write_text)])
def test_ports_of_ones_own_model_agree(
    name: str, write: Any, port: str, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    pytest.importorskip("tensorflow", reason="needs TensorFlow 1.15")
    python = needed_python(port)
    monkeypatch.chdir(tmp_path)
    write(tmp_path / name)
    few = ["--set", "epochs=1", "--set", "units=8"]
    assert main(["new", "mine.py", "--data", name]) == 0
    assert main(["train", "mine.py", "--run", "R", *few]) == 0
    assert main(["export", "mine.py", "--checkpoint", "R", "--to", "bundle", "--out", "b.npz"]) == 0
    capsys.readouterr()
    assert main(["compare", "b.npz", "--port", port, "--python", python, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    passed = {level["name"]: level["status"] for level in found["levels"]}
    for level in ("weights", "steps", "logits", "loss", "gradients", "updates"):
        assert passed[level] == "PASS", level
    shape = read_bundle("b.npz").logits.shape[1:]
    code = f"import numpy as np\n\ndef answer(x):\n    return np.ones((len(x), *{shape}), np.float32)\n"
    (tmp_path / "bad.py").write_text(code)
    assert main(["compare", "b.npz", "--port", "bad.py:answer", "--python", python]) == 1
