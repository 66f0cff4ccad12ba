"""``tf1-lstm runs`` and ``tf1-lstm report``: every run below a folder, whatever state it is in."""

import csv
import io
import json
import re
import sys
from pathlib import Path
from typing import Any, List

import pytest

from tests.runs.conftest import small
from tf1_lstm.cli import main
from tf1_lstm.core.text_table import display_width
from tf1_lstm.runs.folder import RunFolder
from tf1_lstm.runs.listing import list_runs
from tf1_lstm.runs.loop import TrainOptions
from tf1_lstm.runs.train import train

try:
    from mlflow.tracking import MlflowClient
except ImportError:
    MlflowClient = None
needs_mlflow = pytest.mark.skipif(
    MlflowClient is None, reason="MLflow is not installed (mlflow-skinny<2 has its file store)"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs that ended, one that holds nothing yet, and one whose record is no JSON."""
    folder = tmp_path_factory.mktemp("runs")
    for seed in (1, 2):
        train(small(), folder / "group" / f"seed{seed}", TrainOptions(seed=seed), progress=False)
    record = RunFolder.open(folder / "group" / "seed1").record
    kept = (
        "recipe",
        "settings",
        "deviations",
        "options",
        "data_folder",
        "sample",
        "data",
        "started",
        "iterations",
    )
    more = {name: record[name] for name in record if name in kept or name == "experiment"}
    RunFolder.create(folder / "begun", {**more, "ended": None}).close()
    (folder / "broken").mkdir()
    (folder / "broken" / "run.json").write_text("{")
    return folder


def printed(capsys: Any, *arguments: object) -> str:
    assert main([str(argument) for argument in arguments]) == 0
    return capsys.readouterr().out


def test_every_run_is_listed_with_its_state_and_what_it_gave(folder: Path):
    begun, broken, first, second = list_runs(folder)
    assert (begun.state, begun.step) == ("stopped", 0)
    assert broken.state.startswith("cannot be read: ") and not broken.recipe
    assert [run.seed for run in (first, second)] == [1, 2]
    assert {run.state for run in (first, second)} == {"finished"}
    assert first.step == first.iterations == 12
    last = [event for event in RunFolder.open(first.path).events() if event["event"] == "evaluation"][-1]
    assert first.accuracies[last["split"]] == last["accuracy"]
    assert first.weights_sha256 == RunFolder.open(first.path).checkpoints()[-1]["weights_sha256"]
    assert first.weights_sha256 != second.weights_sha256


def test_a_run_that_a_process_holds_is_running(folder: Path):
    run = RunFolder.open(folder / "begun")
    run.lock()
    assert list_runs(folder)[0].state == "running"
    run.close()
    assert list_runs(folder)[0].state == "stopped"


def test_what_reproduce_measured_counts_more_than_what_the_training_did(folder: Path, tmp_path: Path):
    import shutil

    shutil.copytree(str(folder / "group" / "seed1"), str(tmp_path / "run"))
    evaluations = [
        {"split": "train", "dropout": "off", "accuracy": 0.25},
        {"split": "train", "dropout": "on", "accuracy": 0.75},
    ]
    (tmp_path / "run" / "results.json").write_text(json.dumps({"evaluations": evaluations}))
    assert list_runs(tmp_path)[0].accuracies["train"] == 0.25


def test_the_table_fits_and_the_other_forms_say_the_same(folder: Path, capsys: Any, monkeypatch: Any):
    monkeypatch.setenv("COLUMNS", "80")
    table = printed(capsys, "runs", folder)
    assert max(map(display_width, table.splitlines())) <= 80
    for word in ("begun", "seed1", "seed2", "finished", "cannot be read"):
        assert word in " ".join(table.split())
    document = json.loads(printed(capsys, "runs", folder, "--json"))
    rows: List[Any] = list(csv.DictReader(io.StringIO(printed(capsys, "runs", folder, "--csv"))))
    assert [row["path"] for row in rows] == [run["path"] for run in document["runs"]]
    assert [row["weights_sha256"] for row in rows] == [run["weights_sha256"] for run in document["runs"]]
    assert float(rows[2]["accuracy tutorial-test"]) == document["runs"][2]["accuracies"]["tutorial-test"]


def test_one_page_has_every_run_sortable_and_every_curve(folder: Path, capsys: Any, tmp_path: Path):
    out = tmp_path / "all.html"
    assert str(out) in printed(capsys, "report", folder, "--out", out)
    page = out.read_text(encoding="utf-8")
    assert page.count("<tr>") == 1 + 4
    # Two runs have logged figures: two lines in each of two charts.
    assert page.count("<polyline") == 4 and page.count("<svg") == 2
    for run in list_runs(folder)[2:]:
        assert f'data-value="{run.accuracies["tutorial-test"]}"' in page
    assert not re.search(r"(src|href)=\"(https?:)?//", page)
    assert "script-src 'sha256-" in page and "aria-sort" in page


def test_nothing_from_a_run_becomes_markup(tmp_path: Path, folder: Path):
    from tf1_lstm.report.index_page import render_index
    from tf1_lstm.runs.listing import shown

    evil = "<script>alert(1)</script>\"'&"
    run = shown(list_runs(folder)[2], folder, folder)
    run = run._replace(name=evil, recipe=evil, state=evil, page=evil, changed={evil: [evil, evil]})
    text = render_index([run], evil)
    assert "<script>alert" not in text and text.count("<script>") == 1


@pytest.mark.parametrize("command", ["runs", "report"])
def test_a_folder_that_is_not_there_is_bad_input(command: str, tmp_path: Path, capsys: Any):
    assert main([command, str(tmp_path / "nowhere")]) == 2
    assert "nowhere: no such folder" in capsys.readouterr().err


def test_a_folder_without_runs_is_said(tmp_path: Path, capsys: Any):
    assert "no runs below" in printed(capsys, "runs", tmp_path)
    assert main(["report", str(tmp_path)]) == 2
    assert not list(tmp_path.iterdir())


@needs_mlflow
def test_mlflow_reads_back_what_was_trained(folder: Path, capsys: Any, tmp_path: Path):
    store, out = tmp_path / "store", ("--out", tmp_path / "all.html")
    assert "3 written, 1 that cannot be read left out" in printed(
        capsys, "report", folder, "--mlflow", store, *out
    )
    client = MlflowClient(tracking_uri=store.as_uri())
    number = client.get_experiment_by_name("imdb-lstm").experiment_id
    found = {run.data.tags["mlflow.runName"]: run for run in client.search_runs([number])}
    assert set(found) == {"begun", "group/seed1", "group/seed2"}
    second, listed = found["group/seed2"], list_runs(folder)[3]
    assert second.info.status == "FINISHED" and found["begun"].info.status == "KILLED"
    assert (second.data.params["seed"], second.data.params["schedule.iterations"]) == ("2", "12")
    assert second.data.metrics["tutorial-test/accuracy"] == listed.accuracies["tutorial-test"]
    history = client.get_metric_history(second.info.run_id, "loss")
    assert [(one.step, one.value) for one in history] == [(e["iteration"], e["loss"]) for e in listed.log]
    assert "run.json" in [one.path for one in client.list_artifacts(second.info.run_id)]
    assert "0 written, 3 there already" in printed(capsys, "report", folder, "--mlflow", store, *out)


def test_without_mlflow_its_store_is_refused_with_the_next_step(
    folder: Path, capsys: Any, monkeypatch: Any, tmp_path: Path
):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    assert (
        main(["report", str(folder), "--mlflow", str(tmp_path / "s"), "--out", str(tmp_path / "a.html")]) == 2
    )
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1 and "pip install" in printed
    assert not list(tmp_path.iterdir())


@needs_mlflow
def test_a_folder_that_is_no_store_is_left_alone(folder: Path, capsys: Any, tmp_path: Path):
    (tmp_path / "letter.txt").write_text("Dear")
    assert main(["report", str(folder), "--mlflow", str(tmp_path)]) == 2
    assert "found no file store of MLflow" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]
