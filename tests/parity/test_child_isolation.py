"""A port's process imports nothing of the folder that one happens to be in."""

import json
import sys
from pathlib import Path

from tests.parity.support import ROWS, make_bundle
from tf1_lstm.parity.bundle import write_bundle
from tf1_lstm.parity.runner import PROJECT, find_python, run_port
from tf1_lstm.parity.target import load_target

PORT = """
import random
import numpy as np
import helper
def run(rows):
    return np.zeros((len(rows), helper.CLASSES), "float32")
"""


def test_neither_the_current_folder_nor_pythonpath_is_imported_from(tmp_path, monkeypatch):
    bundle = make_bundle(ROWS)
    write_bundle(tmp_path / "a.npz", bundle)
    for name in ("random", "json", "numpy"):
        (tmp_path / f"{name}.py").write_text(f"raise SystemExit('imported {name} of the folder')\n")
    (tmp_path / "tf1_lstm").mkdir()
    (tmp_path / "tf1_lstm" / "__init__.py").write_text("raise SystemExit('another tf1_lstm')\n")
    (tmp_path / "helper.py").write_text(f"CLASSES = {bundle.settings['classes']}\n")
    (tmp_path / "port.py").write_text(PORT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    left = tmp_path / "left"
    left.mkdir()
    request = {"bundle": str(tmp_path / "a.npz"), "target": str(tmp_path / "port.py") + ":run"}
    observed = run_port(request, sys.executable, left, 120)
    assert "logits" in observed.arrays, (observed, (left / "port-output.txt").read_text())
    assert not observed.failed


def test_the_python_of_the_ports_is_the_projects_and_not_the_folders(tmp_path, monkeypatch):
    planted = tmp_path / ".venv-ports" / "bin" / "python"
    planted.parent.mkdir(parents=True)
    planted.write_text("#!/bin/sh\n")
    planted.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    assert Path(find_python(None)) in (PROJECT / ".venv-ports" / "bin" / "python", Path(sys.executable))


def test_a_port_may_have_the_name_of_a_module(tmp_path):
    (tmp_path / "json.py").write_text("def run(rows):\n    return rows\n")
    port = load_target(f"{tmp_path / 'json.py'}:run", bundle=None)
    assert port.model("same") == "same"
    assert json.loads("[1]") == [1]
