"""Study files, the state of jobs, and the table of whatever is done."""

import csv
import fcntl
import json
from typing import Any

import pytest

from tests.runs.study_files import write_results, write_run, write_study
from tf1_lstm.cli import main
from tf1_lstm.errors import InputError
from tf1_lstm.recipes import find_recipe
from tf1_lstm.runs.resolve import resolve
from tf1_lstm.runs.study import BEGUN, DONE, IN_USE, NEW, TRAINED, read_study, state_of
from tf1_lstm.runs.study_jobs import JobOptions, command_of
from tf1_lstm.runs.study_table import write_study_table

RNN = {"recipe": "mnist-rnn", "seeds": [1, 2, 3, 4, 5]}
ACCURACIES = [0.936, 0.937, 0.938, 0.939, 0.940]


@pytest.fixture
def jobs(tmp_path):
    return read_study(write_study(tmp_path, RNN)).jobs(tmp_path / "root")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "expected"),
        ({"cells": []}, "at least one"),
        ({"cells": [{"seeds": [1]}]}, "cell 1: expected an object with recipe"),
        ({"cells": [{"recipe": "mnist-rnn", "seeds": []}]}, "seeds: found"),
        ({"cells": [{"recipe": "mnist-rnn", "seeds": [True]}]}, "whole numbers"),
        ({"cells": [{"recipe": "mnist-rnn", "seeds": [-1]}]}, "whole numbers"),
        ({"cells": [{"recipe": "mnist-rnn", "seeds": [3, 3]}]}, "seed 3: named twice"),
        ({"cells": [RNN, RNN]}, "cell 2: the same recipe and settings as cell 1"),
        (
            {"cells": [{**RNN, "recipe": "a/x.py:A"}, {**RNN, "recipe": "b/x.py:A"}]},
            "cell 2: its runs would lie among those of cell 1, whose file has the same name",
        ),
        ({"cells": [{**RNN, "set": {"units": [1]}}]}, "set: found"),
        ({"cells": [{**RNN, "sets": {}}]}, "'sets': unknown"),
        ({"name": "../x", "cells": [RNN]}, "name: found"),
        ({"cells": [RNN], "seeds": 3}, "'seeds': unknown"),
        ({"cells": [{**RNN, "engine": 3}]}, "engine: found"),
        ({"cells": [{**RNN, "engine": "fats"}]}, "engine: found"),
        ({"cells": [{**RNN, "recipe": "mnist-rn"}]}, "cell 1: recipe 'mnist-rn': unknown"),
        ({"cells": [{**RNN, "set": {"unit": 3}}]}, "cell 1: setting 'unit': unknown"),
        ({"cells": [RNN, {**RNN, "recipe": "none.py"}]}, "cell 2: "),
    ],
)
def test_a_file_that_is_no_study_is_refused_in_one_line(tmp_path, capsys, document, message):
    path = tmp_path / "study.json"
    path.write_text(json.dumps(document))
    assert main(["study", "plan", str(path), "--root", str(tmp_path / "root")]) == 2
    error = capsys.readouterr().err
    assert message in error and str(path) in error and error.count("\n") == 1


def test_jobs_are_numbered_and_their_folders_follow_from_cell_and_seed(tmp_path):
    cells: Any = [{**RNN, "seeds": [7]}, {**RNN, "seeds": [7, 8], "set": {"iterations": 500}}]
    jobs = read_study(write_study(tmp_path, *cells)).jobs(tmp_path)
    again = read_study(write_study(tmp_path, *reversed(cells))).jobs(tmp_path)
    assert [job.number for job in jobs] == [1, 2, 3]
    assert jobs[0].folder == tmp_path / "mnist-rnn" / "published" / "seed7"
    assert {job.folder for job in jobs} == {job.folder for job in again} and len(
        {j.folder for j in jobs}
    ) == 3


def test_a_users_recipe_is_found_from_the_studys_folder(tmp_path):
    path = write_study(tmp_path, {"recipe": "mine.py:SMALL", "seeds": [1]})
    (job,) = read_study(path).jobs(tmp_path)
    assert job.cell.recipe == f"{tmp_path / 'mine.py'}:SMALL"
    assert job.folder.parent.parent.name == "mine.py-SMALL"
    (alone,) = read_study(write_study(tmp_path, {"recipe": "mine.py", "seeds": [1]})).jobs(tmp_path)
    assert alone.cell.recipe == str(tmp_path / "mine.py")


def test_the_state_of_a_job_follows_from_its_folder(jobs):
    job = jobs[0]
    assert state_of(job) == (NEW, 0.0)
    write_run(job, ended=False, done=4)
    assert state_of(job) == (BEGUN, 0.4)
    (job.folder / ".lock").write_text("")
    with open(job.folder / ".lock") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        assert state_of(job) == (IN_USE, 0.4)
    write_run(job)
    assert state_of(job) == (TRAINED, 1.0)
    write_results(job, 0.9, weights="others")
    write_run(job)  # The results are of other weights than the run ended with.
    assert state_of(job).word == TRAINED
    write_results(job, 0.9)
    assert state_of(job) == (DONE, 1.0)
    (job.folder / "results.json").write_text("{half")
    assert state_of(job).word == TRAINED


def test_results_of_another_seed_are_not_a_jobs_results(jobs):
    write_results(jobs[0], 0.9, seed=2)
    assert state_of(jobs[0]).word == TRAINED


def test_a_job_is_one_reproduction_with_one_thread(tmp_path):
    cell = {**RNN, "seeds": [3], "set": {"iterations": 5, "output.corrected": True}, "engine": "fast"}
    (job,) = read_study(write_study(tmp_path, cell)).jobs(tmp_path)
    words = command_of(job, JobOptions(sample=True))
    tail = words[words.index("reproduce") :]
    expected = (
        "reproduce mnist-rnn --seed 3 --threads 1 --set iterations=5 --set output.corrected=true --sample"
    )
    assert tail == [*expected.split(), "--engine", "fast", "--run", str(job.folder)]
    assert "-I" in words


def test_a_port_needs_a_python_for_ports(tmp_path):
    cell = {"recipe": "imdb-gru2", "seeds": [1], "engine": "port"}
    (job,) = read_study(write_study(tmp_path, cell)).jobs(tmp_path)
    with pytest.raises(InputError, match="--ports-python"):
        command_of(job, JobOptions())
    words = command_of(job, JobOptions(ports_python="/ports/python"))
    assert words[0] == "/ports/python" and words[-1] == str(job.folder / "results.json")


def test_plan_says_states_and_times(tmp_path, jobs, capsys):
    write_results(jobs[0], 0.9)
    write_run(jobs[1], ended=False, done=5)
    arguments = ["study", "plan", str(tmp_path / "small.json"), "--root", str(tmp_path / "root")]
    assert main(arguments) == 0
    text = capsys.readouterr().out
    assert "begun, 50 %" in text and "50.0 s" in text and "about 5 min 50 s of one core" in text
    assert main([*arguments, "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["jobs"]
    assert [one["state"] for one in listed] == ["done", "begun", "new", "new", "new"]
    assert [one["seconds_left"] for one in listed] == [0.0, 50.0, 100.0, 100.0, 100.0]


def table(tmp_path, capsys, *arguments):
    words = ["study", "table", str(tmp_path / "small.json"), "--root", str(tmp_path / "root"), *arguments]
    code = main(words)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_jobs_begun_on_other_data_are_named_where_the_data_are_given(tmp_path, jobs, capsys):
    write_results(jobs[0], 0.937)
    record = json.loads((jobs[0].folder / "run.json").read_text())
    hashes = resolve(find_recipe("mnist-rnn"), sample=True).dataset.hashes()
    path = str(write_study(tmp_path, RNN))
    for data, expected in (({**hashes, sorted(hashes)[0]: "0" * 64}, [1]), (hashes, [])):
        (jobs[0].folder / "run.json").write_text(json.dumps({**record, "data": data}))
        assert main(["study", "plan", path, "--root", str(tmp_path / "root"), "--sample", "--json"]) == 0
        printed = capsys.readouterr()
        listed = json.loads(printed.out)["jobs"]
        assert [job["job"] for job in listed if job["other_data"]] == expected
        assert ("job 1 was begun on other data" in printed.err) == bool(expected)
    assert main(["study", "plan", path, "--root", str(tmp_path), "--data", str(tmp_path / "none")]) == 2
    assert "no such folder" in capsys.readouterr().err


def test_table_writes_rows_with_a_verdict(tmp_path, jobs, capsys):
    for job, accuracy in zip(jobs, ACCURACIES):
        write_results(job, accuracy)
    code, out, err = table(tmp_path, capsys, "--json")
    assert code == 0
    (row,) = json.loads(out)
    assert {"recipe", "settings", "split", "dropout", "n", "mean", "std", "interval", "published"} <= set(row)
    # m = .938, s = .00158114, t(.975, 4) = 2.776445: half-width .00480895 + .00005 of rounding.
    assert row["mean"] == pytest.approx(0.938) and row["n"] == 5
    assert row["interval"] == pytest.approx([0.938 - 0.0048589, 0.938 + 0.0048589], abs=1e-7)
    assert row["verdict"] == "reproduced"
    folder = tmp_path / "root" / "table"
    names = {path.name for path in folder.iterdir()}
    assert {"small.md", "small.csv", "small.json", "small-seeds.png"} <= names
    assert all(str(folder / name) in err for name in names)
    whole = json.loads((folder / "small.json").read_text())
    assert whole["rows"] == [row] and whole["mixed"] == [] and whole["missing_jobs"] == 0
    assert [len(job["results_sha256"]) for job in whole["jobs"]] == [64] * 5
    with open(folder / "small.csv") as stream:
        (line,) = csv.DictReader(stream)
    assert float(line["interval_low"]) == row["interval"][0] and line["seeds"] == "1 2 3 4 5"
    assert "reproduced" in (folder / "small.md").read_text()


def test_table_of_few_seeds_judges_nothing_and_says_what_is_missing(tmp_path, jobs, capsys):
    for job, accuracy in zip(jobs[:4], ACCURACIES):
        write_results(job, accuracy - 0.2)
    _, out, _ = table(tmp_path, capsys)
    assert "not judged" in out and "differs" not in out and "1 of 5 jobs are not done yet" in out


def test_table_without_any_result_is_an_error(tmp_path, jobs, capsys):
    code, _, err = table(tmp_path, capsys)
    assert code == 2 and "none of its 5 jobs is done" in err


def test_two_seeds_with_equal_weights_are_an_error(tmp_path, jobs, capsys):
    write_results(jobs[0], 0.9, weights="same")
    write_results(jobs[1], 0.9, weights="same")
    code, _, err = table(tmp_path, capsys)
    assert code == 2 and "seeds 1 and 2 ended with the same weights" in err


def test_mixtures_in_a_cell_are_named(tmp_path, jobs, capsys):
    environment = {"commit": "beef+", "tensorflow": "1.15.0", "cpu": "another one"}
    write_results(jobs[0], 0.9)
    write_results(jobs[1], 0.91, environment=environment, data={"train": "bb" * 32}, engine={"name": "fast"})
    _, out, _ = table(tmp_path, capsys)
    for found in ("more than one commit", "one data: train aaaaaaaa", "one engine", "one processor"):
        assert found in out
    assert "seeds 2 are from a commit with changes" in out


def test_the_sample_and_other_settings_are_never_judged(tmp_path, capsys):
    jobs = read_study(write_study(tmp_path, RNN, {**RNN, "set": {"units": 3}})).jobs(tmp_path / "root")
    for job, accuracy in zip(jobs, ACCURACIES * 2):
        changes: Any = {"deviations": {"units": [128, 3]}} if job.cell.settings else {"sample": True}
        write_results(job, accuracy, weights=f"{job.number}", **changes)
    _, out, _ = table(tmp_path, capsys, "--json")
    assert [row["verdict"] for row in json.loads(out)] == ["not judged"] * 2


def epochs(loss, accuracies):
    return [
        {
            "iteration": 10 * number,
            "epoch": number,
            "loss": loss,
            "accuracy": 0.9,
            "val_loss": 0.4,
            "val_accuracy": accuracy,
        }
        for number, accuracy in enumerate(accuracies, 1)
    ]


def test_epochs_are_judged_by_their_later_half_and_the_first_loss_too(tmp_path, capsys):
    cell = {"recipe": "imdb-gru32", "seeds": [1, 2, 3, 4, 5]}
    jobs = read_study(write_study(tmp_path, cell)).jobs(tmp_path / "root")
    for job, shift in zip(jobs, (-0.002, -0.001, 0.0, 0.001, 0.002)):
        log = epochs(0.9 + shift, [0.5] * 5 + [0.88 + shift] * 5)
        settings = {"validation": "validation"}
        write_results(job, 0.88 + shift, split="validation", examples=5000, log=log, settings=settings)
    _, out, _ = table(tmp_path, capsys, "--json")
    last, late, early = json.loads(out)
    assert late["mean"] == pytest.approx(0.88) and late["published"] is not None
    assert early["what"] == "training loss of epoch 1" and early["verdict"].startswith("differs by +")
    assert early["verdict"].endswith("nats (p < 0.001)")
    # Three figures of one document: the smallest p is multiplied by three.
    ordered = sorted((row["p"], row["p_holm"]) for row in (last, late, early))
    assert ordered[0][1] == pytest.approx(3 * ordered[0][0])


def test_a_port_is_paired_with_tensorflow_1_by_seed(tmp_path, capsys):
    cell = {"recipe": "imdb-gru32", "seeds": [1, 2, 3]}
    jobs = read_study(write_study(tmp_path, cell, {**cell, "engine": "port"})).jobs(tmp_path / "root")
    for job, accuracy in zip(jobs, (0.85, 0.86, 0.87, 0.851, 0.859, 0.873)):
        of_port = {"framework": {"keras": "3"}, "cpu": "a processor", "seconds": 9.0, "epochs": 1}
        changes: Any = {**of_port, "settings": {"epochs": 1}} if job.cell.engine else {}
        write_results(job, accuracy, **changes)
    _, out, _ = table(tmp_path, capsys, "--json")
    port = next(row for row in json.loads(out) if row["engine"] == "port")
    assert port["paired"]["seeds"] == [1, 2, 3] and port["paired"]["mean"] == pytest.approx(-0.001)
    assert "paired by seed" in (tmp_path / "root" / "table" / "small.md").read_text()


def test_figures_of_sampled_batches_are_judged_at_their_own_checkpoint(tmp_path, capsys):
    cell = {"recipe": "imdb-lstm", "seeds": [1, 2, 3, 4, 5]}
    study = read_study(write_study(tmp_path, cell))
    jobs = study.jobs(tmp_path / "root")
    for job in jobs:
        evaluations = [
            {
                "split": "tutorial-test",
                "dropout": "on",
                "examples": 2001,
                "accuracy": at + job.seed / 1000,
                "checkpoint_step": step,
            }
            for step, at in ((40000, 0.84), (50000, 0.83))
        ]
        write_results(job, 0.0, evaluations=evaluations)
    rows = write_study_table(study, jobs, tmp_path / "table").documents
    found = {row["checkpoint"]: row for row in rows}
    assert found[40000]["published"] == pytest.approx(0.8541667) and found[None]["published"] is None
    # The published mean is of 240 reviews: sqrt(.843 * .157 / 240) = 2.35 points, twice that and more.
    assert found[40000]["verdict"].startswith("cannot tell (±4.6")


def test_a_regression_has_a_table_of_errors(tmp_path, capsys):
    jobs = read_study(write_study(tmp_path, RNN)).jobs(tmp_path / "root")
    errors = [3.0, 3.1, 3.2, 3.3, 3.4]
    for job, error in zip(jobs, errors):
        one = {"split": "test", "examples": 40, "dropout": "off", "mean_absolute_error": error}
        write_results(job, 0.0, evaluations=[one])
    _, out, _ = table(tmp_path, capsys, "--json")
    (row,) = json.loads(out)
    assert (row["what"], row["published"]) == ("mean absolute error", None)
    assert row["mean"] == pytest.approx(3.2) and row["values"]["5"] == 3.4
    code, out, _ = table(tmp_path, capsys)
    assert code == 0 and "3.2000 ± 0.1581" in out and "%" not in out.split("Accuracies")[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"evaluations": [3]}, "evaluations[0]: found int, expected an object"),
        ({"log": None}, "log: found NoneType"),
        ({"deviations": {"units": 3}}, "deviations.units: found 3, expected [published, used]"),
    ],
)
def test_results_that_cannot_be_what_they_say_are_named(change, message, tmp_path, jobs, capsys):
    write_results(jobs[0], 0.9, **change)
    code, _, error = table(tmp_path, capsys)
    assert code == 2 and message in error and "results.json" in error and error.count("\n") == 1


@pytest.mark.parametrize(
    "document", [{"settings": []}, {"evaluations": None, "epochs": 1, "settings": {"epochs": 1}}, {}]
)
def test_a_port_whose_results_are_no_results_has_begun(document, tmp_path):
    (job,) = read_study(write_study(tmp_path, {**RNN, "seeds": [1], "engine": "port"})).jobs(tmp_path)
    job.folder.mkdir(parents=True)
    (job.folder / "results.json").write_text(json.dumps({"seed": 1, **document}))
    assert state_of(job).word == BEGUN
