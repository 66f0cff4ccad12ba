"""Trainings by the fast engine: recorded, the same bits again, and gone on with by itself alone."""

import json
import os
import signal
from pathlib import Path

import pytest

from tests.graphs.engine.support import SETS, needs_engine
from tf1_lstm.cli import main
from tf1_lstm.errors import InputError
from tf1_lstm.graphs.engine import build
from tf1_lstm.recipes import find_recipe
from tf1_lstm.runs import evaluate
from tf1_lstm.runs.engine import engine_of
from tf1_lstm.runs.folder import RunFolder
from tf1_lstm.runs.loop import TrainingLoop
from tf1_lstm.runs.model import Model
from tf1_lstm.runs.resolve import resolve
from tf1_lstm.runs.start import resume_run, start_run
from tf1_lstm.runs.verify import verify

pytestmark = needs_engine


def train(path: Path, recipe: str = "imdb-lstm", iterations: int = 6, **options):
    settings = {"iterations": iterations, "save_every": 3}
    return start_run(
        recipe, sample=True, run=path, settings=settings, engine="fast", progress=False, **options
    )


def test_a_run_records_its_engine_and_comes_again_bit_for_bit_with_any_number_of_threads(tmp_path):
    one, two = train(tmp_path / "one", threads=1), train(tmp_path / "two", threads=2)
    assert one.weights_sha256 == two.weights_sha256
    record = RunFolder.open(tmp_path / "one").record["engine"]
    assert record == {"name": "fast", "instruction_set": SETS[0], "source_sha256": build.source_sha256()}
    exact = start_run(
        "imdb-lstm", sample=True, run=tmp_path / "exact", settings={"iterations": 6}, progress=False
    )
    assert exact.weights_sha256 != one.weights_sha256
    assert RunFolder.open(tmp_path / "exact").record["engine"] == {"name": "exact"}
    checks = list(verify(tmp_path / "one", rerun=4))
    assert all(check.holds for check in checks), checks
    assert any(check.name == "engine" and check.seen.startswith("fast: ") for check in checks)


def test_an_interrupted_run_ends_with_the_bits_of_one_that_was_not(tmp_path, monkeypatch):
    whole = train(tmp_path / "whole", recipe="mnist-bilstm")
    iterate = TrainingLoop.iterate

    def stop_at_four(self, iteration):
        iterate(self, iteration)
        if iteration == 3:
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(TrainingLoop, "iterate", stop_at_four)
    stopped = train(tmp_path / "stopped", recipe="mnist-bilstm")
    assert stopped.exit_code == 143
    monkeypatch.setattr(TrainingLoop, "iterate", iterate)
    resumed = resume_run(tmp_path / "stopped")
    assert resumed is not None
    assert resumed.weights_sha256 == whole.weights_sha256


def test_a_run_of_another_source_is_not_gone_on_with(tmp_path, monkeypatch, capsys):
    train(tmp_path / "run")
    folder = RunFolder.open(tmp_path / "run")
    other = {**folder.record["engine"], "source_sha256": "0" * 64}
    folder.save_record(engine=other, ended=None)
    folder.close()
    assert main(["resume", str(tmp_path / "run")]) == 2
    error = capsys.readouterr().err
    assert "source 0000000000000000…" in error
    assert "cannot go on with the same bits" in error


def test_what_the_engine_lacks_is_refused_in_a_line_before_a_folder_is_made(tmp_path):
    with pytest.raises(InputError, match="--engine fast: found --not-exact"):
        train(tmp_path / "run", exact=False)
    with pytest.raises(InputError, match=r"recurrent\.cell\.activation: found relu, expected tanh"):
        start_run(
            "mnist-lstm",
            sample=True,
            run=tmp_path / "run",
            settings={"recurrent.cell.activation": "relu"},
            engine="fast",
            progress=False,
        )
    assert not (tmp_path / "run").exists()


def test_a_split_is_evaluated_to_the_same_bits_two_batches_at_a_time(monkeypatch):
    experiment = resolve(find_recipe("imdb-lstm"), sample=True, settings={})
    split = experiment.dataset.split(experiment.dataset.split_names()[-1])
    monkeypatch.setattr(evaluate, "BATCH", 7)
    found = []
    for threads in (1, 2):
        engine = engine_of("fast", threads=threads, device="cpu")
        with Model(experiment.recipe, experiment.dataset.constants(), engine=engine) as model:
            model.initialise()
            found.append(
                [evaluate.logits_of(model, split.inputs, dropout=on).tobytes() for on in (False, True)]
            )
    assert found[0] == found[1]
    assert len(split.inputs) > 3 * 7


def test_evaluate_names_the_engine_and_gives_the_same_accuracy(tmp_path, capsys):
    train(tmp_path / "run")
    found = {}
    for engine in ("exact", "fast"):
        capsys.readouterr()
        words = ["evaluate", "imdb-lstm", "--checkpoint", str(tmp_path / "run"), "--engine", engine, "--json"]
        assert main(words) == 0
        found[engine] = json.loads(capsys.readouterr().out)
        assert found[engine]["engine"]["name"] == engine
    assert found["fast"]["accuracy"] == found["exact"]["accuracy"]
    assert found["fast"]["loss"] == pytest.approx(found["exact"]["loss"], abs=1e-6)
