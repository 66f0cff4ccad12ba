"""Write a trained model for Keras, PyTorch or ONNX, and say how it is loaded."""

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import List, Optional

import numpy as np

from tf1_lstm.core.children import python_command
from tf1_lstm.errors import InputError
from tf1_lstm.files import replacing
from tf1_lstm.parity.keras_code import keras_code
from tf1_lstm.parity.onnx_graph import OPERATOR_SET, onnx_graph
from tf1_lstm.parity.runner import find_python
from tf1_lstm.parity.torch_code import torch_code
from tf1_lstm.parity.weight_files import Trained, write_keras, write_torch

ENDINGS = {"keras": (".weights.h5", ".keras"), "torch": (".safetensors",), "onnx": (".onnx",)}


def write_model(trained: Trained, to: str, out: Path, code: Optional[Path] = None) -> List[str]:
    """Write a model.

    Args:
      trained: the model.
      to: ``"keras"``, ``"torch"`` or ``"onnx"``.
      out: the file; its ending says what is written (``ENDINGS``).
      code: a Python file to write the lines to, or None.

    Returns:
      The lines of Python that build and load the model, as ``model``.

    Raises:
      InputError: another ending, a file that cannot be written, or no Python that can write it.
    """
    if not str(out).endswith(ENDINGS[to]):
        raise InputError(f"--out: found {out}, expected a name that ends in {' or '.join(ENDINGS[to])}")
    if to == "torch":
        write_torch(out, trained)
        lines = torch_code(trained, str(out))
    elif to == "onnx":
        _write_onnx(out, trained)
        lines = ["import onnxruntime", "", f"model = onnxruntime.InferenceSession({str(out)!r})"]
        kind = "int32" if trained.table is not None else "float32"
        lengths = ', "lengths": lengths' if trained.spec.takes_lengths else ""
        lines += [f'# logits = model.run(None, {{"inputs": inputs{lengths}}})[0]  # {kind}']
    elif str(out).endswith(".keras"):
        _write_whole_keras(out, trained)
        lines = ["import keras", "", f"model = keras.models.load_model({str(out)!r})"]
    else:
        write_keras(out, trained)
        lines = keras_code(trained, str(out))
    if code is not None:
        with replacing(code, "w") as stream:
            stream.write("\n".join([f'"""{trained.name}, with its trained weights."""', "", *lines, ""]))
    return lines


def _write_whole_keras(out: Path, trained: Trained) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_keras(folder / "model.weights.h5", trained)
        lines = keras_code(trained, str(folder / "model.weights.h5"), compiled=False)
        (folder / "model.py").write_text("\n".join(lines), encoding="utf-8")
        _save(folder, out, "keras")


def _write_onnx(out: Path, trained: Trained) -> None:
    graph = onnx_graph(trained)
    document = dict(graph._asdict(), name=trained.name or "model", operator_set=OPERATOR_SET)
    document["takes_lengths"] = trained.spec.takes_lengths
    del document["constants"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.savez(str(folder / "constants.npz"), **graph.constants)
        (folder / "graph.json").write_text(json.dumps(document), encoding="utf-8")
        _save(folder, out, "onnx")


def _save(folder: Path, out: Path, package: str) -> None:
    """Let the ports' Python write the file, beside its place, and move it there."""
    python, written = find_python(None), folder / out.name
    command = python_command("tf1_lstm.parity.ports.save", str(folder), str(written), python=python)
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3"),
        check=False,
    )
    if done.returncode or not written.is_file():
        said = (done.stdout.decode("utf-8", "replace").strip().splitlines() or [""])[-1]
        missing = f"No module named {package!r}" in said
        reason = f"{python} has no {package}: make ports makes one that has" if missing else said
        raise InputError(f"{out}: cannot be written: {reason:.300}")
    with replacing(out) as stream:
        stream.write(written.read_bytes())
