"""Whole studies on the embedded sample: stopped, gone on with, and run again for nothing."""

import json
import signal
import subprocess
import time

import pytest

from tests.runs.study_files import write_study
from tf1_lstm.core.children import python_command
from tf1_lstm.runs.study import BEGUN, DONE, read_study, state_of

CELL = {"recipe": "mnist-rnn", "seeds": [1, 2], "set": {"iterations": 400, "save_every": 100}}


def study(verb, path, root, *more):
    return python_command("tf1_lstm", "study", verb, str(path), "--root", str(root), *more)


def events(job):
    return [json.loads(line)["event"] for line in (job.folder / "log.jsonl").read_text().splitlines()]


@pytest.mark.thorough
def test_a_study_that_was_stopped_goes_on_and_trains_nothing_twice(tmp_path):
    path, root = write_study(tmp_path, CELL), tmp_path / "root"
    jobs = read_study(path).jobs(root)
    command = study("run", path, root, "--sample", "--jobs", "2")
    running = subprocess.Popen(command, stderr=subprocess.PIPE, universal_newlines=True)
    try:
        while not all((job.folder / "losses.f32").is_file() for job in jobs):
            assert running.poll() is None
            time.sleep(0.1)
        running.send_signal(signal.SIGTERM)
        _, error = running.communicate(timeout=100)
    finally:
        running.kill()
    assert running.returncode == 143 and "goes on" in error
    assert [state_of(job).word for job in jobs] == [BEGUN, BEGUN]
    # One by a scheduler's call, the other by the whole study.
    assert subprocess.run(study("job", path, root, "1", "--sample"), check=False).returncode == 0
    assert [state_of(job).word for job in jobs] == [DONE, BEGUN]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0 and "2 of 2 jobs done" in done.stderr
    assert [state_of(job).word for job in jobs] == [DONE, DONE]
    for job in jobs:
        assert events(job).count("start") == 1 and events(job).count("resume") == 1
    before = [(job.folder / "results.json").stat().st_mtime_ns for job in jobs]
    assert subprocess.run(study("job", path, root, "2", "--sample"), check=False).returncode == 0
    assert [(job.folder / "results.json").stat().st_mtime_ns for job in jobs] == before


def test_a_job_that_fails_is_named_with_its_reason(tmp_path):
    path, root = write_study(tmp_path, {**CELL, "seeds": [1]}), tmp_path / "root"
    (tmp_path / "empty").mkdir()
    failed = subprocess.run(
        [*study("run", path, root), "--data", str(tmp_path / "empty"), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert failed.returncode == 2
    assert "job 1 failed with exit code 2: tf1-lstm: " in failed.stderr
    assert [job["state"] for job in json.loads(failed.stdout)["jobs"]] == ["new"]
    unknown = subprocess.run(
        study("job", path, root, "2", "--sample"),
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert unknown.returncode == 2 and "job 2: expected 1 to 1" in unknown.stderr
