"""A cell from outside of the package: one class and its NumPy reference, and every command knows it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tf1_lstm.cli import main
from tf1_lstm.core.cells import cell_kinds
from tf1_lstm.recipes.load import load_experiment

SOURCE = '''
"""The minimal gated unit (Zhou et al., 2016) on MNIST rows."""

from dataclasses import dataclass

import numpy as np

from tf1_lstm.recipes import Adam, Cell, Experiment, MnistRows, Recurrent, Rows, Softmax, Steps


@dataclass(frozen=True)
class MinimalGatedUnit(Cell):
    """f = sigmoid(W_f [x, h] + b_f); h' = (1 - f) h + f tanh(W_c [x, f h] + b_c)."""

    flat_kind = "minimal_gated"
    kind = "mgu"
    kernels = {"forget/kernel": ("forget/bias", 1), "candidate/kernel": ("candidate/bias", 1)}
    tensorflow_classes = ("MinimalGatedUnitCell",)

    def tensorflow(self):
        import tensorflow as tf
        from tensorflow.python.ops.rnn_cell_impl import LayerRNNCell

        class MinimalGatedUnitCell(LayerRNNCell):
            state_size = output_size = property(lambda cell: self.units)

            def build(self_, shape):
                rows = shape[1].value + self.units
                for name in ("forget", "candidate"):
                    setattr(self_, name + "_kernel", self_.add_variable(name + "/kernel", [rows, self.units]))
                    zeros = tf.compat.v1.zeros_initializer()
                    bias = self_.add_variable(name + "/bias", [self.units], initializer=zeros)
                    setattr(self_, name + "_bias", bias)
                self_.built = True

            def call(self_, inputs, state):
                both = tf.concat([inputs, state], 1)
                forget = tf.sigmoid(tf.matmul(both, self_.forget_kernel) + self_.forget_bias)
                both = tf.concat([inputs, forget * state], 1)
                candidate = tf.tanh(tf.matmul(both, self_.candidate_kernel) + self_.candidate_bias)
                new = (1 - forget) * state + forget * candidate
                return new, new

        return MinimalGatedUnitCell()

    def step(self, parts, inputs, state):
        (h,) = state
        both = np.concatenate([inputs, h], 1)
        forget = 1 / (1 + np.exp(-(both @ parts["forget/kernel"] + parts["forget/bias"])))
        both = np.concatenate([inputs, forget * h], 1)
        candidate = np.tanh(both @ parts["candidate/kernel"] + parts["candidate/bias"])
        return ((1 - forget) * h + forget * candidate,)


EXPERIMENT = Experiment(
    data=MnistRows(),
    inputs=Rows(28),
    recurrent=Recurrent(MinimalGatedUnit(units=5)),
    head=Softmax(10),
    optimizer=Adam(),
    schedule=Steps(12, batch_size=16, log_every=4, save_every=6),
)
'''


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    (folder / "mine.py").write_text(SOURCE)
    arguments = ["train", str(folder / "mine.py"), "--sample", "--run", str(folder / "run"), "--no-summaries"]
    assert main(arguments) == 0
    return folder


def test_it_is_known_by_its_name_once_its_file_is_read(trained: Path):
    experiment = load_experiment(str(trained / "mine.py"))
    assert cell_kinds()["minimal_gated"].__name__ == "MinimalGatedUnit"
    assert experiment.recurrent.cell.shapes(28)["forget/kernel"] == (33, 5)


def test_its_run_verifies_and_evaluates_from_the_folder_alone(trained: Path, capsys: pytest.CaptureFixture):
    (trained / "mine.py").rename(trained / "elsewhere.py")
    try:
        assert main(["verify", str(trained / "run"), "--rerun", "5"]) == 0
        assert main(["evaluate", str(trained / "run"), "--checkpoint", str(trained / "run"), "--json"]) == 0
    finally:
        (trained / "elsewhere.py").rename(trained / "mine.py")
    output = capsys.readouterr().out
    assert '"accuracy"' in output


def test_a_changed_file_is_told_and_the_copy_counts(trained: Path, capsys: pytest.CaptureFixture):
    before = (trained / "mine.py").read_text()
    (trained / "mine.py").write_text(before.replace("units=5", "units=6"))
    try:
        checkpoint = ["--checkpoint", str(trained / "run"), "--json"]
        assert main(["evaluate", str(trained / "mine.py"), *checkpoint]) == 0
    finally:
        (trained / "mine.py").write_text(before)
    captured = capsys.readouterr()
    assert "has changed since" in captured.err
    assert json.loads(captured.out)["recipe"] == "mine"


def test_its_outputs_are_those_of_its_numpy_reference(trained: Path):
    from tf1_lstm.runs.evaluate import logits_of
    from tf1_lstm.runs.restore import restore

    restored = restore(str(trained / "mine.py"), trained / "run")
    with restored.model as model:
        split = restored.experiment.dataset.split("test")
        images = split.inputs[:7]
        logits = logits_of(model, images)
        arrays = model.weights().arrays
    cell = restored.experiment.recipe.recurrent.cell
    parts = {
        name[len("mgu/fw/0/") :]: array.astype(np.float64) for name, array in arrays.items() if "mgu/" in name
    }
    state: Any = (np.zeros((7, 5)),)
    for step in range(28):
        state = cell.step(parts, images[:, step].astype(np.float64), state)
    expected = state[-1] @ arrays["softmax/weights"] + arrays["softmax/bias"]
    assert np.abs(logits - expected).max() < 1e-5


def test_a_bundle_of_it_is_compared_with_its_numpy_reference(trained: Path, tmp_path: Path):
    from tf1_lstm.parity.bundle import read_bundle
    from tf1_lstm.parity.problem import problem_of

    out = tmp_path / "bundle.npz"
    words = ["export", str(trained / "mine.py"), "--checkpoint", str(trained / "run"), "--sample"]
    assert main([*words, "--to", "bundle", "--out", str(out), "--examples", "4"]) == 0
    bundle = read_bundle(out)
    numbers: Any = problem_of(bundle).forward()
    assert np.abs(numbers.logits - bundle.logits).max() < 1e-5


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("EXPERIMENT = (", "line 1"),
        ("x = 1", "found no experiment, expected one named EXPERIMENT"),
        ("EXPERIMENT = 3", "EXPERIMENT is of type int, expected an Experiment"),
        ("raise SystemExit(0)", "line 1: SystemExit"),
        ("from tf1_lstm.recipes import *\nBasicLSTM(units=-1)", "line 2: setting units: found -1"),
    ],
)
def test_a_wrong_file_is_refused_in_a_line(
    content: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture
):
    (tmp_path / "mine.py").write_text(content)
    assert main(["train", str(tmp_path / "mine.py"), "--sample"]) == 2
    error = capsys.readouterr().err.strip()
    assert message in error and str(tmp_path / "mine.py") in error
    assert "\n" not in error
