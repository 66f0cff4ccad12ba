"""Real processes, really killed: a resumed run ends with the bits of one that was left alone."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, List

import pytest

from tests.runs.conftest import PROJECT, called, environment, tf1_lstm
from tf1_lstm.runs.folder import RunFolder

TRAIN = ["train", "imdb-lstm", "--sample", "--run", "run", "--set", "log_every=20"]


def start(arguments: List[str], folder: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "tf1_lstm", *arguments],
        cwd=str(folder),
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def progressed(folder: Path) -> Any:
    """Something that changes whenever the run gets on."""
    run = folder / "run"
    return [(p.name, p.stat().st_size) for p in (run / "log.jsonl", run / "losses.f32") if p.exists()]


def wait_for_progress(process: "subprocess.Popen[bytes]", folder: Path) -> bool:
    """Wait until the process has written something of its own; False where it ended before."""
    before = progressed(folder)
    while progressed(folder) == before:
        if process.poll() is not None:
            return False
        time.sleep(0.02)
    return True


def result(run: Path) -> Any:
    """Everything that must be the same: weights and slots of the last checkpoint, losses, logged figures."""
    from tf1_lstm.checkpoints.reading import read_checkpoint

    folder = RunFolder.open(run)
    log = [(e["iteration"], e["loss"], e["accuracy"]) for e in folder.events() if e["event"] == "log"]
    last = folder.checkpoints()[-1]
    variables = read_checkpoint(str(run / last["prefix"])).variables
    bits = {name: array.tobytes() for name, array in variables.items()}
    return last["step"], last["weights_sha256"], bits, folder.losses().tobytes(), log


def killed_until_done(folder: Path, iterations: int, save_every: int, kills: int, seed: int) -> int:
    """Train, kill at random moments, resume; returns how often it was killed."""
    draw = random.Random(seed)
    length = [f"--iterations={iterations}", f"--save-every={save_every}"]
    done = 0
    while True:
        begun = (folder / "run" / "run.json").exists()
        process = start(["resume", "run"] if begun else [*TRAIN, *length], folder)
        if done < kills and wait_for_progress(process, folder):
            time.sleep(draw.uniform(0, 0.25))
            process.kill()
            done += 1
        error = process.communicate()[1].decode()
        if process.returncode == 0:
            return done
        assert process.returncode == -signal.SIGKILL, error


def compare_after_kills(folder: Path, iterations: int, save_every: int, kills: int) -> int:
    whole = folder / "whole"
    broken = folder / "broken"
    for path in (whole, broken):
        path.mkdir()
    length = [f"--iterations={iterations}", f"--save-every={save_every}"]
    finished = called([*TRAIN, *length], whole)
    assert finished.returncode == 0, finished.stderr
    done = killed_until_done(broken, iterations, save_every, kills, seed=1)
    assert result(broken / "run") == result(whole / "run")
    return done


@pytest.mark.thorough
def test_a_run_killed_at_random_moments_ends_with_the_same_bits(tmp_path: Path):
    # A checkpoint every second iteration: the moments fall into saves as often as between them.
    assert compare_after_kills(tmp_path, iterations=60, save_every=2, kills=4) >= 3


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_run_killed_at_thirty_and_more_random_moments_ends_with_the_same_bits(tmp_path: Path):
    assert compare_after_kills(tmp_path, iterations=600, save_every=2, kills=36) >= 30


@pytest.mark.parametrize(
    "number, code",
    [(signal.SIGTERM, 143), pytest.param(signal.SIGINT, 130, marks=pytest.mark.thorough)],
)
def test_a_signal_ends_cleanly_says_how_to_resume_and_loses_nothing(tmp_path: Path, number: int, code: int):
    length = ["--iterations=2000", "--save-every=1000"]
    process = start([*TRAIN, *length], tmp_path)
    assert wait_for_progress(process, tmp_path)
    process.send_signal(number)
    error = process.communicate(timeout=300)[1].decode()
    assert process.returncode == code
    assert "tf1-lstm resume run" in error.splitlines()[-1]
    assert "Traceback" not in error
    run = RunFolder.open(tmp_path / "run")
    (checkpoint,) = run.checkpoints()
    assert len(run.losses()) == checkpoint["step"] < 2000
    assert run.damage(checkpoint) is None


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run that stopped with checkpoints at 4, 8 and where the signal came."""
    folder = tmp_path_factory.mktemp("stopped")
    process = start([*TRAIN, "--iterations=500", "--save-every=4"], folder)
    while sum(1 for _ in folder.glob("run/checkpoints/*.index")) < 3:
        assert process.poll() is None
        time.sleep(0.02)
    process.terminate()
    assert process.wait() == 143
    return folder


def copy_of(stopped: Path, tmp_path: Path) -> Path:
    import shutil

    shutil.copytree(str(stopped / "run"), str(tmp_path / "run"))
    return tmp_path / "run"


def test_resume_falls_back_from_a_damaged_checkpoint_and_says_so(stopped: Path, tmp_path: Path):
    run = copy_of(stopped, tmp_path)
    steps = [checkpoint["step"] for checkpoint in RunFolder.open(run).checkpoints()]
    data = run / "checkpoints" / f"imdb-lstm-{steps[-1]}.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:1000])
    process = start(["resume", "run"], tmp_path)
    while not any(e["event"] == "resume" for e in RunFolder.open(run).events()):
        assert process.poll() is None, process.communicate()[1].decode()
        time.sleep(0.05)
    process.terminate()
    error = process.communicate()[1].decode()
    assert f"checkpoint {steps[-1]}" in error
    assert "has changed since it was written; trying the one before" in error
    (event,) = [e for e in RunFolder.open(run).events() if e["event"] == "resume"]
    assert event["step"] == steps[-2]


def test_a_run_in_use_is_refused(stopped: Path, tmp_path: Path):
    run = RunFolder.open(copy_of(stopped, tmp_path))
    run.lock()
    finished = called(["resume", "run"], tmp_path)
    run.close()
    assert finished.returncode == 75
    assert finished.stderr == "tf1-lstm: run: in use by another process, expected a run that has stopped\n"


def test_a_run_whose_settings_were_edited_is_refused(stopped: Path, tmp_path: Path):
    run = copy_of(stopped, tmp_path)
    text = (run / "run.json").read_text()
    (run / "run.json").write_text(text.replace('"units": 64', '"units": 32'))
    finished = called(["resume", "run"], tmp_path)
    assert finished.returncode == 2
    assert finished.stderr.startswith("tf1-lstm: run: run.json: ")
    assert finished.stderr.endswith("was edited; expected a run as it was written\n")


def test_a_run_whose_data_changed_is_refused(stopped: Path, tmp_path: Path):
    import shutil

    copy_of(stopped, tmp_path)
    data = tmp_path / "data" / "imdb"
    shutil.copytree(str(PROJECT / "data" / "sample" / "imdb"), str(data))
    (data / "manifest.json").unlink()
    content = bytearray((data / "wordVectors.npy").read_bytes())
    content[-4] ^= 1
    (data / "wordVectors.npy").write_bytes(bytes(content))
    finished = called(["resume", "run", "--data", "data"], tmp_path)
    assert finished.returncode == 2
    assert "wordVectors.npy: changed since the run began" in finished.stderr
    assert len(finished.stderr.splitlines()) == 1


def test_a_full_disk_ends_in_one_line_and_leaves_the_last_checkpoint(tmp_path: Path):
    """A limit on file size stands in for the full disk: the checkpoint's data does not fit."""
    import resource

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    finished = tf1_lstm([*TRAIN, "--iterations=20", "--save-every=5"], tmp_path, preexec_fn=limit)
    assert finished.returncode == 2
    last = finished.stderr.strip().splitlines()[-1]
    assert last.startswith("tf1-lstm: run/checkpoints/imdb-lstm-5: the checkpoint cannot be written")
    assert "Traceback" not in finished.stderr
    assert not list(tmp_path.glob("run/checkpoints/*.index"))
