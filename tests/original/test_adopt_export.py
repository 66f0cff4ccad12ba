"""Adopted models as Keras and PyTorch code: the outputs of the session that saved the checkpoint."""

import os
import subprocess

import numpy as np
import pytest

from tests.original import models
from tests.parity.ports_python import needed_python
from tf1_lstm.cli import main

RUN = """
import runpy, sys
import numpy as np
code, inputs, out, to = sys.argv[1:]
model = runpy.run_path(code)["model"]
rows = np.load(inputs)
if to == "torch":
    import torch
    np.save(out, model(torch.from_numpy(rows)).detach().numpy())
else:
    np.save(out, model.predict(rows, verbose=0))
"""
ENDINGS = {"torch": "safetensors", "keras": "weights.h5"}


@pytest.mark.parametrize(
    ("build", "to"),
    [
        (models.shared_layers, "torch"),
        pytest.param(models.static_lstm, "keras", marks=pytest.mark.thorough),
        pytest.param(models.static_lstm, "torch", marks=pytest.mark.thorough),
        pytest.param(models.shared_layers, "keras", marks=pytest.mark.thorough),
        pytest.param(models.regression, "torch", marks=pytest.mark.thorough),
        pytest.param(models.regression, "keras", marks=pytest.mark.thorough),
    ],
)
def test_an_adopted_model_is_exported_whole(build, to, saved, tmp_path):
    python = needed_python(to)
    model = saved(build)
    source, code = tmp_path / "mine.py", tmp_path / "code.py"
    assert main(["adopt", model.prefix, "--out", str(source)]) == 0
    words = ["--to", to, "--out", str(tmp_path / f"w.{ENDINGS[to]}"), "--code", str(code)]
    assert main(["export", str(source), "--checkpoint", model.prefix, *words]) == 0
    np.save(tmp_path / "x.npy", model.feeds["x"])
    arguments = [str(code), str(tmp_path / "x.npy"), str(tmp_path / "y.npy"), to]
    environment = dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1")
    done = subprocess.run([python, "-c", RUN, *arguments], capture_output=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    right = model.outputs["logits:0"]
    found = np.load(tmp_path / "y.npy").reshape(right.shape)
    np.testing.assert_allclose(found, right, atol=1e-5, rtol=1e-5)
