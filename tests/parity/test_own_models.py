"""Models of one's own in bundles, and as exported Keras, PyTorch and ONNX models, against TensorFlow 1.15."""

import functools
import json
from pathlib import Path
from typing import Any, Callable, Tuple

import numpy as np
import pytest

from tests.parity.own_models import FEW, MODELS, recorded
from tests.parity.ports_python import needed_python, run
from tf1_lstm.cli import main
from tf1_lstm.parity.bundle import Bundle, read_bundle, write_bundle
from tf1_lstm.parity.levels import PASS, UNKNOWN, compare_levels
from tf1_lstm.parity.model_files import write_model
from tf1_lstm.parity.problem import problem_of
from tf1_lstm.parity.runner import _collect
from tf1_lstm.parity.weight_files import trained_of

TOLERANCE = 1e-5
# ONNX's operators take lengths, but no mask.
WITHOUT_ONNX = {name for name, model in MODELS.items() if model.recurrent.mask == "mask_zero"}


# Those that every run tries: a plain one, steps that are left out, layers of several widths.
FEWER = (
    "squared errors",
    "words up to the last, backwards",
    "three widths, selu twice, absolute errors at each step",
)
NAMES = [
    name
    if name in FEWER
    else pytest.param(name, marks=pytest.mark.thorough if name in FEW else pytest.mark.slow)
    for name in MODELS
]
MANY = [
    pytest.param(FEW, marks=pytest.mark.thorough),
    FEWER,
    pytest.param(tuple(MODELS), marks=pytest.mark.slow, id="all"),
]


@pytest.fixture(scope="module")
def bundle_of(tmp_path_factory: Any) -> Callable[[str], Bundle]:
    """A function: name -> TensorFlow's numbers of that model, written and read back."""
    pytest.importorskip("tensorflow", reason="needs TensorFlow 1.15")
    folder = tmp_path_factory.mktemp("bundles")

    @functools.lru_cache(maxsize=None)
    def found(name: str) -> Bundle:
        path = folder / f"{list(MODELS).index(name)}.npz"
        write_bundle(path, recorded(MODELS[name]))
        return read_bundle(path)

    return found


@pytest.mark.parametrize("name", NAMES)
def test_the_reference_gives_tensorflows_states_outputs_loss_and_gradients(
    name: str, bundle_of: Callable[[str], Bundle]
) -> None:
    bundle = bundle_of(name)
    mine = problem_of(bundle).training()
    assert mine is not None
    np.testing.assert_allclose(mine.forward.logits, bundle.logits, atol=TOLERANCE)
    np.testing.assert_allclose(mine.loss, bundle.loss, atol=TOLERANCE)
    for step, array in mine.forward.steps().items():
        np.testing.assert_allclose(array, bundle.steps[step], atol=TOLERANCE, err_msg=step)
    assert set(mine.gradients) == set(bundle.gradients)
    for role, array in mine.gradients.items():
        np.testing.assert_allclose(array, bundle.gradients[role], atol=TOLERANCE, err_msg=role)


@pytest.mark.parametrize("models", MANY)
@pytest.mark.parametrize(
    ("to", "ending", "package"),
    [
        pytest.param("keras", ".weights.h5", "keras", marks=pytest.mark.thorough),
        ("torch", ".safetensors", "torch"),
        ("onnx", ".onnx", "onnxruntime"),
    ],
)
def test_every_model_is_exported_and_agrees(
    to: str,
    ending: str,
    package: str,
    models: Tuple[str, ...],
    bundle_of: Callable[[str], Bundle],
    tmp_path: Path,
    monkeypatch: Any,
) -> None:
    """The code that export prints, with the weights that it writes, run as it is."""
    python = needed_python(package)
    monkeypatch.setattr("tf1_lstm.parity.model_files.find_python", lambda given: python)
    names = [name for name in models if to != "onnx" or name not in WITHOUT_ONNX]
    for number, name in enumerate(names):
        folder = tmp_path / f"{number:02}"
        folder.mkdir()
        write_bundle(folder / "b.npz", bundle_of(name))
        out, code = folder / f"model{ending}", folder / "model.py"
        write_model(trained_of(bundle_of(name)), to, out, code)
        target = str(out) if to == "onnx" else f"{code}:model"
        request = {"bundle": str(folder / "b.npz"), "target": target}
        (folder / "request.json").write_text(json.dumps(request))
    run(package, "own_models.py", str(tmp_path))
    for number, name in enumerate(names):
        assert_agrees(name, bundle_of(name), tmp_path / f"{number:02}", to)


def assert_agrees(name: str, bundle: Bundle, folder: Path, to: str) -> None:
    assert not (folder / "crash.txt").exists(), (name, (folder / "crash.txt").read_text())
    observed = _collect(folder, "")
    levels = {level.name: level for level in compare_levels(bundle, observed, {}, None)}
    wanted = ("logits",) if to == "onnx" else ("weights", "steps", "logits", "loss", "gradients", "updates")
    for level in wanted:
        assert levels[level].status == PASS, (name, levels[level], observed.failed)
        assert not levels[level].reason, (name, levels[level])
        if level != "updates":  # Adam makes whole steps of rounding
            assert (levels[level].absolute or 0) < TOLERANCE, (name, levels[level])
    assert levels["inputs"].status in (PASS, UNKNOWN), (name, levels["inputs"])


def write_sequences(path: Path) -> None:
    x = np.random.RandomState(1).normal(size=(60, 6, 3))
    np.savez(str(path), x=x, y=np.stack([x[:, :, 0].sum(axis=1), x[:, -1, 1]], axis=1))


def write_text(path: Path) -> None:
    path.write_text("the quick brown fox jumps over the lazy dog\n" * 60)


@pytest.mark.parametrize(
    ("name", "write", "port"),
    [
        ("sequences.npz", write_sequences, "torch"),
        pytest.param("plain.txt", write_text, "keras", marks=pytest.mark.thorough),
        pytest.param("sequences.npz", write_sequences, "keras", marks=pytest.mark.thorough),
        pytest.param("plain.txt", write_text, "torch", marks=pytest.mark.thorough),
    ],
)
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
