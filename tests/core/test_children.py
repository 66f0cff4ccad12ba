"""Children import the installed package and nothing from the folder that one is in."""

import os
import subprocess
import sys

import pytest

import tf1_lstm
from tf1_lstm.core.children import python_command, script_command


@pytest.fixture
def hostile_folder(tmp_path):
    """A folder in which every import from it would be noticed."""
    for name in ("random", "json", "numpy", "runpy", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text(f"raise SystemExit('imported {name} of the folder')\n")
    package = tmp_path / "tf1_lstm"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit('imported tf1_lstm of the folder')\n")
    (package / "__main__.py").write_text("print('ran tf1_lstm of the folder')\n")
    return tmp_path


def run(command, folder):
    environment = dict(os.environ, PYTHONPATH=str(folder), PYTHONSTARTUP=str(folder / "random.py"))
    return subprocess.run(
        command,
        cwd=str(folder),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )


def test_runs_this_package_whatever_stands_in_the_folder(hostile_folder):
    done = run(python_command("tf1_lstm", "--version"), hostile_folder)
    assert (done.returncode, done.stdout) == (0, f"tf1-lstm {tf1_lstm.__version__}\n")


def test_exit_code_and_arguments_pass_through(hostile_folder):
    done = run(python_command("tf1_lstm", "inspect", "--json", "no such checkpoint"), hostile_folder)
    assert done.returncode == 2
    assert "no such checkpoint" in done.stdout


def test_a_plain_child_would_have_taken_the_folders_package(hostile_folder):
    done = run([sys.executable, "-m", "tf1_lstm", "--version"], hostile_folder)
    assert done.returncode != 0 or "of the folder" in done.stdout


def test_source_given_as_text_is_isolated_too(hostile_folder):
    done = run(
        script_command("import random, sys; print(sys.argv[1:], random.__file__)", "a b"), hostile_folder
    )
    assert done.returncode == 0
    assert done.stdout.startswith("['a b']")
    assert str(hostile_folder) not in done.stdout
