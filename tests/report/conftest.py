"""Fixtures of the report tests."""

import json

import pytest

from tests.report.examples import imdb_recipe, make_results
from tests.report.gallery import catching_figures


@pytest.fixture
def recipe():
    return imdb_recipe()


@pytest.fixture
def results():
    return make_results()


@pytest.fixture
def write_results(tmp_path):
    """Write a results document as ``reproduce`` does: plain JSON."""

    def write(name, **changes):
        path = tmp_path / "results" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(make_results(**changes)), encoding="utf-8")
        return path

    return write


@pytest.fixture
def drawn():
    """The figures that a test draws, caught on their way to a file."""
    with catching_figures() as figures:
        yield figures
