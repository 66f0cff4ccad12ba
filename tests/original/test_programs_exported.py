"""The collection's adopted programs as Keras and PyTorch code: the outputs of the sessions that saved them.

One program in six by default; all with ``TF1_LSTM_PROGRAMS=all``.
"""

import json
import subprocess

import numpy as np
import pytest

from tests.original.programs.running import adopted_program
from tests.original.test_programs import ADOPTED, DROPS, STEP
from tests.parity.ports_python import needed_python
from tf1_lstm.cli import main
from tf1_lstm.recipes.experiment import OneHot
from tf1_lstm.recipes.load import load_experiment
from tf1_lstm.runs.arrays import cut_to_lengths

ENDINGS = {"torch": "safetensors", "keras": "weights.h5"}
TOLERANCE = 1e-5
RUN = """
import json, os, runpy, sys
import numpy as np
to, folders = sys.argv[1], sys.argv[2:]
def differs(folder):
    os.chdir(folder)
    model = runpy.run_path("exported.py")["model"]
    arrays = [np.load(name) for name in ("x.npy", "lengths.npy") if os.path.exists(name)]
    if to == "torch":
        import torch
        found = model(*map(torch.from_numpy, arrays)).detach().numpy()
    else:
        found = model.predict(arrays if len(arrays) > 1 else arrays[0], verbose=0)
    right = np.load("outputs.npy")
    return float(np.abs(found.reshape(right.shape) - right).max())
for folder in folders:
    try:
        print(json.dumps([folder, differs(folder)]))
    except Exception as error:
        print(json.dumps([folder, None, repr(error)]))
"""


@pytest.mark.thorough
@pytest.mark.parametrize("to", ["torch", "keras"])
def test_code_that_is_exported_gives_the_programs_outputs(to, tmp_path):
    python = needed_python(to)
    folders = []
    for build in ADOPTED[::STEP]:
        if build.__name__ in DROPS:
            continue
        folder = tmp_path / build.__name__
        folder.mkdir()
        found = adopted_program(build, folder)
        words = ["--to", to, "--out", str(folder / f"w.{ENDINGS[to]}"), "--code", str(folder / "exported.py")]
        words += ["--checkpoint", found.prefix]
        assert main(["export", str(folder / "mine.py"), *words]) == 0, build.__name__
        inputs = load_experiment(f"{folder}/mine.py").inputs
        if isinstance(inputs, OneHot):  # the code reads rows, as the recurrent layer does
            x = np.eye(inputs.words, dtype=np.float32)[found.inputs]
        else:
            x = found.inputs if found.inputs.dtype.kind in "iu" else found.inputs.astype(np.float32)
        if found.lengths is not None and x.dtype.kind == "f":
            np.save(str(folder / "lengths.npy"), found.lengths)
        elif found.lengths is not None:  # of ids the code counts up to the last that is not 0
            x = cut_to_lengths(x, found.lengths)
        np.save(str(folder / "x.npy"), x)
        outputs = found.outputs[..., 1:] if found.said.kind == "sigmoid" else found.outputs
        np.save(str(folder / "outputs.npy"), outputs)
        folders.append(str(folder))
    done = subprocess.run([str(python), "-c", RUN, to, *folders], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    assert len(lines) == len(folders)
    wrong = [line for line in lines if line[1] is None or not line[1] < TOLERANCE]
    assert wrong == []
