"""Run folders and bundles of before experiments were made of parts still load, verify and resume."""

import json
import shutil
from pathlib import Path

import pytest

from tests.tiers import representative
from tf1_lstm.parity.bundle import read_bundle
from tf1_lstm.recipes import find_recipe
from tf1_lstm.recipes.flat import flat_settings
from tf1_lstm.runs.recorded import iterations_of, run_of
from tf1_lstm.runs.restore import restore
from tf1_lstm.runs.start import resume_run
from tf1_lstm.runs.verify import verify

FOLDER = Path(__file__).resolve().parents[1] / "fixtures" / "format1"
DIGESTS = json.loads((FOLDER / "digests.json").read_text())
INTERRUPTED = ("imdb-lstm", "imdb-lstmcell2")
BUNDLES = ("imdb-lstm", "mnist-bilstm", "imdb-lstmcell2", "imdb-bilstm2")


@pytest.mark.parametrize("name", representative(INTERRUPTED, "imdb-lstm"))
def test_an_interrupted_run_ends_with_the_bits_that_it_would_have_had(name: str, tmp_path: Path):
    run = tmp_path / "run"
    shutil.copytree(str(FOLDER / f"{name}-interrupted"), str(run))
    outcome = resume_run(run)
    assert outcome is not None
    assert outcome.weights_sha256 == DIGESTS[name]
    assert all(check.holds for check in verify(run, rerun=3))


def test_a_finished_run_verifies_and_restores(tmp_path: Path):
    run = tmp_path / "run"
    shutil.copytree(str(FOLDER / "mnist-bilstm"), str(run))
    checks = list(verify(run, rerun=6))
    assert [check.name for check in checks if not check.holds] == []
    restored = restore("mnist-bilstm", run)
    with restored.model:
        assert restored.facts["weights_sha256"] == DIGESTS["mnist-bilstm"]
    assert restored.experiment.recipe.recurrent.cell.units == 4
    assert restored.experiment.deviations["recurrent.cell.units"] == [128, 4]


@pytest.mark.parametrize("name", ["imdb-lstm-interrupted", "imdb-lstmcell2-interrupted", "mnist-bilstm"])
def test_every_flat_setting_of_a_record_is_kept(name: str):
    run = run_of(FOLDER / name)
    assert run is not None
    found = flat_settings(run.used, iterations_of(run.record))
    assert {key: found[key] for key in run.record["settings"]} == run.record["settings"]


@pytest.mark.parametrize("name", BUNDLES)
def test_a_bundle_loads_and_describes_the_same_model(name: str):
    bundle = read_bundle(FOLDER / f"{name}-bundle.npz")
    assert bundle.recipe == name
    assert bundle.spec.cell.units == 4
    published = flat_settings(find_recipe(name))
    assert set(bundle.settings) <= set(published)
