"""In the container: from root to the owner of runs/, for any user id."""

import os
import subprocess

import pytest

from tf1_lstm.core.children import python_command


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize("owner", [0, 1001, 4242])
def test_the_program_runs_as_the_owner_of_runs(owner, tmp_path):
    (tmp_path / "runs").mkdir()
    os.chown(str(tmp_path / "runs"), owner, owner)
    command = python_command("tf1_lstm.core.owner", "sh", "-c", "id -u; id -g; id -G")
    done = subprocess.run(command, cwd=str(tmp_path), capture_output=True, text=True, check=True)
    uid, gid, groups = done.stdout.splitlines()
    assert (uid, gid) == (str(owner), str(owner))
    if owner:
        assert groups == str(owner)


def test_a_missing_folder_or_program_is_a_line(tmp_path):
    (tmp_path / "runs").mkdir()
    command = python_command("tf1_lstm.core.owner", "/no/such/program")
    done = subprocess.run(command, cwd=str(tmp_path), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("tf1-lstm: ['/no/such/program'] cannot be started")
    assert "Traceback" not in done.stderr
