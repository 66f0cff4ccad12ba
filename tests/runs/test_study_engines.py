"""Both engines in a study: one distribution or two, from one root or from several."""

import json

import numpy as np
import pytest

from tests.runs.study_files import write_results, write_study
from tf1_lstm.cli import main
from tf1_lstm.runs.study import read_study

SEEDS = list(range(1, 11))


@pytest.mark.parametrize(
    ("shift", "verdict"), [(0.0, "equal within 1 point"), (0.03, "differ"), (None, "cannot tell")]
)
def test_trainings_by_both_engines_under_two_roots_are_compared(tmp_path, capsys, shift, verdict):
    study = write_study(
        tmp_path,
        {"recipe": "mnist-lstm", "seeds": SEEDS},
        {"recipe": "mnist-lstm", "seeds": SEEDS, "engine": "fast"},
    )
    draw = np.random.RandomState(4)
    spread = 0.004 if shift is not None else 0.04
    for root, engine in ((tmp_path / "a", None), (tmp_path / "b", "fast")):
        for job in read_study(study).jobs(root):
            if job.cell.engine == engine:
                moved = (shift or 0.0) if engine else 0.0
                write_results(
                    job, 0.75 + moved + spread * draw.standard_normal(), engine={"name": engine or "exact"}
                )
    words = ["study", "table", str(study), "--root", str(tmp_path / "a"), "--out", str(tmp_path / "out")]
    assert main([*words, "--more-roots", str(tmp_path / "b")]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "Engines, fast minus exact: mnist-lstm, test:" in printed
    assert "with 10 and 10 seeds; Welch p" in printed
    (found,) = json.loads((tmp_path / "out" / "small.json").read_text())["engines"]
    assert found["verdict"] == verdict
    assert found["seeds"] == [10, 10]
    assert found["power_at_std"] == pytest.approx(0.562, abs=0.002)  # of the noncentral t, 18 degrees, 2.236
    assert found["paired_difference"] == pytest.approx(found["difference"])
    assert f"{verdict}" in (tmp_path / "out" / "small.md").read_text()


def test_a_study_by_one_engine_says_nothing_of_two(tmp_path, capsys):
    study = write_study(tmp_path, {"recipe": "mnist-lstm", "seeds": [1, 2], "engine": "fast"})
    for job in read_study(study).jobs(tmp_path / "a"):
        write_results(job, 0.9 + job.seed / 100, engine={"name": "fast"})
    assert main(["study", "table", str(study), "--root", str(tmp_path / "a")]) == 0
    assert "Engines" not in capsys.readouterr().out
