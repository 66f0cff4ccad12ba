"""Models that are built, run and saved once for all tests of this folder."""

import json
from pathlib import Path
from typing import Any, Dict

import pytest

from tests.original import models
from tf1_lstm.errors import InputError
from tf1_lstm.original import run, session

# What is about the process that runs a graph stands in test_graph.py and test_hostile.py.
HERE = ("test_adopt.py", "test_adopt_export.py", "test_graph_bundle.py")


@pytest.fixture(autouse=True)
def graphs_run_here(request: Any, monkeypatch: Any) -> None:
    """Run graphs in this process where their isolation is not what is tested: another takes seconds."""
    if request.path.name in HERE:
        monkeypatch.setattr(session, "_limit", lambda request: None)
        monkeypatch.setattr(run, "_start", _start)


def _start(folder: Path, file: str, limits: Any) -> Dict[str, Any]:
    session.main(folder)
    document: Dict[str, Any] = json.loads((folder / run.ANSWER).read_text(encoding="utf-8"))
    if document["error"]:
        raise InputError(f"{file}: TensorFlow refused it: {document['error']}")
    return document


@pytest.fixture(scope="session")
def saved(tmp_path_factory):
    """Return a function: a builder of ``models`` to what was saved of it."""
    made = {}

    def get(build):
        if build not in made:
            made[build] = models.save(build, tmp_path_factory.mktemp(build.__name__))
        return made[build]

    return get
