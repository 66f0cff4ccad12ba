"""One process at a time and its children: from training to measuring, and however a process ends."""

import subprocess
import sys
import threading
import time

import pytest

from tests.runs.study_files import write_run, write_study
from tf1_lstm.core.children import python_command
from tf1_lstm.errors import InputError, InUseError
from tf1_lstm.runs.locks import INHERITED, held, hold, is_held
from tf1_lstm.runs.study import IN_USE, read_study, state_of

SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]


def test_a_second_process_is_refused_until_the_first_lets_go(tmp_path):
    with hold(tmp_path):
        assert is_held(tmp_path)
        with pytest.raises(InUseError, match="in use by another process") as caught:
            hold(tmp_path)
        assert caught.value.exit_code == 75
    assert not is_held(tmp_path)
    hold(tmp_path).close()


def test_waiting_ends_when_the_first_lets_go_and_not_before(tmp_path):
    first = hold(tmp_path)
    freed = []

    def free():
        freed.append(True)
        first.close()

    threading.Timer(0.3, free).start()
    with hold(tmp_path, wait=60):
        assert freed
    second = hold(tmp_path)
    with pytest.raises(InUseError):
        hold(tmp_path, wait=0.1)
    second.close()


def test_a_child_has_its_parents_lock_and_keeps_it_when_the_parent_is_gone(tmp_path):
    with held(tmp_path / "run") as lent:
        child = subprocess.Popen(SLEEP, stdout=subprocess.PIPE, **lent)
        assert child.stdout is not None and child.stdout.readline() == b"up\n"
    try:
        assert is_held(tmp_path / "run")
    finally:
        child.kill()
        child.communicate()
    assert not is_held(tmp_path / "run")


def test_an_inherited_lock_is_taken_over_for_its_own_folder_alone(tmp_path, monkeypatch):
    (tmp_path / "other").mkdir()
    with held(tmp_path / "run") as lent:
        monkeypatch.setenv(INHERITED, lent["env"][INHERITED])
        hold(tmp_path / "run").close()
        assert is_held(tmp_path / "run")
        with hold(tmp_path / "other"), pytest.raises(InUseError):
            hold(tmp_path / "other")


def test_a_lock_that_is_a_link_is_refused(tmp_path):
    (tmp_path / ".lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="found a link"), held(tmp_path):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_reproduce_is_refused_while_another_process_measures(tmp_path):
    path = write_study(tmp_path, {"recipe": "mnist-rnn", "seeds": [1]})
    (job,) = read_study(path).jobs(tmp_path / "root")
    write_run(job)
    with hold(job.folder):
        assert state_of(job).word == IN_USE
        words = ["study", "job", str(path), "1", "--root", str(tmp_path / "root"), "--sample"]
        begun = time.monotonic()
        refused = subprocess.run(
            python_command("tf1_lstm", *words, "--wait", "1"), stderr=subprocess.PIPE, text=True, check=False
        )
    assert refused.returncode == 75 and time.monotonic() - begun > 1
    assert "in use by another process" in refused.stderr and "Traceback" not in refused.stderr
