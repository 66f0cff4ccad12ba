"""Commands that write files are killed at random moments: nothing is half-written, and the end is the same.

``train`` and ``resume`` have theirs in ``tests/runs/test_interruption.py``. ``TF1_LSTM_KILLS`` sets how
often each command is killed (12): with those two's 36 and 16 of each here, it is 100.
"""

import hashlib
import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest

from tests.data.small_imdb import review_files, write_tree
from tests.runs.study_files import write_study
from tests.runs.test_interruption import result as trained
from tf1_lstm.core.children import python_command
from tf1_lstm.data.manifest import check_manifest, recorded_hashes
from tf1_lstm.parity.bundle import read_bundle
from tf1_lstm.runs.folder import RunFolder
from tf1_lstm.runs.study import DONE, read_study, state_of

KILLS = int(os.environ.get("TF1_LSTM_KILLS", "12"))

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def run(words: List[str], folder: Path) -> None:
    command = python_command("tf1_lstm", *words)
    done = subprocess.run(command, cwd=str(folder), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def digests(folder: Path) -> Dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".tmp" not in str(path) and ".part" not in path.name
    }


def kill_often(
    words: List[str],
    folder: Path,
    out: str,
    check: Callable[[Path], None],
    result: Callable[[Path], Any] = digests,
) -> int:
    """Kill a command at random moments and look at what is there; then let it end, and compare."""
    whole, broken = folder / "whole", folder / "broken"
    for place in (whole, broken):
        place.mkdir()
    begun = time.monotonic()
    run([word.replace("OUT", str(whole / out)) for word in words], folder)
    length, draw, kills = time.monotonic() - begun, random.Random(1), 0
    again = [word.replace("OUT", str(broken / out)) for word in words]
    for _ in range(KILLS):
        process = subprocess.Popen(
            python_command("tf1_lstm", *again),
            cwd=str(folder),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            process.wait(draw.uniform(0.3 * length, 1.05 * length))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # its children too
            process.wait()
            kills += 1
        check(broken / out)
    run(again, folder)
    assert result(broken) == result(whole)
    return kills


def test_prepare(tmp_path):
    write_tree(tmp_path / "reviews", review_files())

    def check(out: Path) -> None:
        manifest = out / "keras-imdb" / "manifest.json"
        if manifest.is_file():
            check_manifest(manifest.parent, list(recorded_hashes(manifest)))

    words = ["prepare", "keras-imdb", "--reviews", str(tmp_path / "reviews"), "--data", "OUT"]
    assert kill_often(words, tmp_path, "data", check)


def test_fetch(tmp_path, shared):
    source = shared / "data" / "mnist"

    def check(out: Path) -> None:
        from tf1_lstm.data.content import check_content
        from tf1_lstm.data.sources import PUBLIC_FILES

        for public in PUBLIC_FILES:
            if (out / "mnist" / public.name).exists():
                check_content(out / "mnist" / public.name, public)

    assert kill_often(["fetch", "mnist", "--from", str(source), "--data", "OUT"], tmp_path, "data", check)


def test_export(tmp_path):
    run(["train", "mnist-rnn", "--sample", "--iterations", "2", "--run", "run"], tmp_path)

    def check(out: Path) -> None:
        if out.exists():
            read_bundle(out)

    words = ["export", "mnist-rnn", "--checkpoint", "run", "--sample", "--to", "bundle", "--out", "OUT"]
    assert kill_often(words, tmp_path, "a.npz", check)


def test_study(tmp_path):
    cell = {"recipe": "mnist-rnn", "seeds": [1, 2], "set": {"iterations": 40, "save_every": 4}}
    study = write_study(tmp_path, cell)

    def check(out: Path) -> None:
        for job in read_study(study).jobs(out):
            state_of(job)
            if not (job.folder / "run.json").exists():
                continue
            run = RunFolder.open(job.folder)
            assert not run.edits() and run.losses().size >= max([0, *(c["step"] for c in run.checkpoints())])
            assert not any(run.damage(checkpoint) for checkpoint in run.checkpoints())

    def result(place: Path) -> Any:
        jobs = read_study(study).jobs(place / "root")
        assert {state_of(job).word for job in jobs} == {DONE}
        found = [json.loads((job.folder / "results.json").read_text()) for job in jobs]
        evaluated = [(one["weights_sha256"], one["evaluations"]) for one in found]
        return [trained(job.folder) for job in jobs], evaluated

    words = ["study", "run", str(study), "--root", "OUT", "--sample", "--jobs", "2"]
    assert kill_often(words, tmp_path, "root", check, result)
