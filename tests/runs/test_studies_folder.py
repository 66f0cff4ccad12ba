"""The studies that come with the project name recipes, settings and engines that there are."""

from pathlib import Path

import pytest

from tf1_lstm.recipes import find_recipe
from tf1_lstm.runs.engine import ENGINES
from tf1_lstm.runs.study import PORT, read_study

STUDIES = sorted((Path(__file__).resolve().parents[2] / "studies").glob("*.json"))


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_every_study_names_what_there_is(path):
    study = read_study(path)
    assert study.name == path.stem
    for cell in study.cells:
        find_recipe(cell.recipe).with_settings({name: str(value) for name, value in cell.settings.items()})
        assert cell.engine in (None, *ENGINES, PORT)
