"""The shipped ports on the published checkpoints and the real data, at every level."""

import json
from pathlib import Path
from typing import Any, Dict

import pytest

from tests.runs.conftest import PROJECT, called

PYTHON = PROJECT / ".venv-ports" / "bin" / "python"
CHECKPOINTS = {"imdb-lstm": "imdb-lstm-90000", "mnist-lstm": "mnist-lstm-2016"}


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("port", ["keras", "torch"])
@pytest.mark.parametrize("recipe", list(CHECKPOINTS))
def test_shipped_port_passes_every_level_on_a_published_checkpoint(
    shared: Path, prepared: Path, tmp_path: Path, recipe: str, port: str
):
    if not PYTHON.exists():
        pytest.skip("no .venv-ports (make ports)")
    data = str(prepared if recipe == "imdb-lstm" else shared / "data")
    checkpoint = str(shared / "checkpoints" / CHECKPOINTS[recipe])
    exported = called(
        ["export", recipe, "--checkpoint", checkpoint, "--data", data, "--to", "bundle", "--out", "b.npz"],
        tmp_path,
    )
    assert exported.returncode == 0, exported.stderr
    arguments = ["compare", "b.npz", "--port", port, "--python", str(PYTHON), "--data", data, "--json"]
    compared = called(arguments, tmp_path)
    assert compared.returncode == 0, compared.stdout + compared.stderr
    assert statuses(json.loads(compared.stdout)) == {"PASS"}


@pytest.mark.thorough
def test_a_shipped_port_passes_every_level_where_the_whole_table_of_vectors_is_given(tmp_path: Path):
    if not PYTHON.exists():
        pytest.skip("no .venv-ports (make ports)")
    checkpoint = str(PROJECT / "checkpoints" / "sample")
    exported = called(
        ["export", "imdb-lstm", "--checkpoint", checkpoint, "--sample", "--to", "bundle", "--out", "b.npz"],
        tmp_path,
    )
    assert exported.returncode == 0, exported.stderr
    arguments = ["compare", "b.npz", "--port", "torch", "--python", str(PYTHON), "--sample", "--json"]
    compared = called(arguments, tmp_path)
    assert compared.returncode == 0, compared.stdout + compared.stderr
    assert statuses(json.loads(compared.stdout)) == {"PASS"}


def statuses(document: Dict[str, Any]) -> set:
    levels = document["levels"]
    found = levels.values() if isinstance(levels, dict) else levels
    return {level["status"] for level in found}
