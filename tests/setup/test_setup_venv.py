"""When ``tools/setup_venv.py`` installs what, with a pip that only notes its installation."""

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Callable, List, Optional, Sequence

import pytest

from tools import setup_venv
from tools.setup_venv import Environment, SetupError

HASH = " \\\n    --hash=sha256:00\n"
LOCKS = {
    "requirements/pip.txt": f"pip==24.0{HASH}",
    "requirements.txt": f"numpy==1.18.5{HASH}google-pasta==0.2.0{HASH}",
    "requirements/dev.txt": f"numpy==1.18.5{HASH}PyTest==7.4.4{HASH}",
    "requirements/word2vec.txt": f"gensim==4.2.0{HASH}",
}
EVERYTHING = ["base", "project"]


class FakePip:
    """Stands in for ``setup_venv.run``: a real, empty environment; packages of one file each."""

    def __init__(self) -> None:
        self.commands: List[str] = []
        self.fail_at: Optional[str] = None
        self.raising: Callable[[str], BaseException] = SetupError

    def __call__(self, command: Sequence[str], root: Path, failure: str) -> None:
        words = " ".join(command)
        self.commands.append(words)
        if self.fail_at and self.fail_at in words:
            raise self.raising(failure)
        environment = Environment(root)
        if "-m venv" in words:
            real = [sys.executable, "-m", "venv", "--without-pip", str(environment.folder)]
            subprocess.run(real, check=True)
        elif "-r" in command:
            for pin in setup_venv.pins((root / command[-1]).read_text()):
                self.package(environment.site_packages, pin)
        elif "--editable" in command:
            (environment.folder / "bin" / "tf1-lstm").touch()

    def package(self, site_packages: Path, pin: str) -> None:
        name = pin.partition("-")[0]
        (site_packages / f"{name}.py").touch()
        info = site_packages / f"{pin}.dist-info"
        info.mkdir(exist_ok=True)
        (info / "RECORD").write_text(
            f"{name}.py,sha256=,0\n__pycache__/{name}.pyc,,\n{pin}.dist-info/RECORD,,\n"
        )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "the project"
    (folder / "tf1_lstm").mkdir(parents=True)
    (folder / "requirements").mkdir()
    for name, text in LOCKS.items():
        (folder / name).write_text(text)
    for name in ("pyproject.toml", "requirements/runtime.in", "tf1_lstm/__init__.py"):
        (folder / name).write_text("# first\n")
    return folder


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> FakePip:
    fake = FakePip()
    monkeypatch.setattr(setup_venv, "run", fake)
    return fake


def test_installs_hash_locked_in_order_and_nothing_the_second_time(root, pip):
    assert setup_venv.set_up(root, []) == EVERYTHING
    steps = [
        "-m venv",
        "-r requirements/pip.txt",
        "-r requirements.txt",
        "import tensorflow",
        "--editable .",
        "check",
    ]
    assert [step for step, command in zip(steps, pip.commands) if step in command] == steps
    assert len(pip.commands) == len(steps)
    locked = [command for command in pip.commands if " -r " in command]
    assert all("--require-hashes" in command and "--no-build-isolation" in command for command in locked)
    pip.commands.clear()
    assert setup_venv.set_up(root, []) == []
    assert pip.commands == []


@pytest.mark.parametrize("first", [[], ["dev"], ["word2vec", "dev"]])
def test_layers_come_in_any_order_and_leave_each_other_alone(root, pip, first):
    assert setup_venv.set_up(root, first) == [*EVERYTHING, *first]
    assert setup_venv.set_up(root, []) == []
    missing = [layer for layer in ("dev", "word2vec") if layer not in first]
    assert setup_venv.set_up(root, ["dev", "word2vec"]) == missing


@pytest.mark.parametrize("step", ["-m venv", "requirements/pip.txt", "requirements.txt", "import tensorflow"])
@pytest.mark.parametrize("raising", [SetupError, KeyboardInterrupt])
def test_a_set_up_that_ended_before_its_end_begins_again(root, pip, step, raising):
    pip.fail_at, pip.raising = step, raising
    with pytest.raises(raising):
        setup_venv.set_up(root, [])
    pip.fail_at = None
    assert setup_venv.set_up(root, []) == EVERYTHING
    assert setup_venv.set_up(root, []) == []


def test_a_failed_pip_check_is_met_again(root, pip):
    pip.fail_at = "pip check"
    for _ in range(2):
        with pytest.raises(SetupError, match="pip check"):
            setup_venv.set_up(root, [])


def test_a_renewal_that_fails_leaves_no_stamp_of_before(root, pip):
    setup_venv.set_up(root, ["dev"])
    (root / "requirements/dev.txt").write_text(f"mypy==1.4.1{HASH}")
    pip.fail_at = "requirements/dev.txt"
    with pytest.raises(SetupError):
        setup_venv.set_up(root, ["dev"])
    (root / "requirements/dev.txt").write_text(LOCKS["requirements/dev.txt"])
    pip.fail_at = None
    assert setup_venv.set_up(root, ["dev"]) == ["dev"]


@pytest.mark.parametrize(
    ("changed", "again"),
    [
        ("requirements.txt", ["base", "project", "dev"]),
        ("requirements/pip.txt", ["base", "project", "dev"]),
        ("requirements/dev.txt", ["dev"]),
        ("pyproject.toml", ["project"]),
        ("tf1_lstm/__init__.py", ["project"]),
        ("requirements/word2vec.txt", []),
    ],
)
def test_installs_again_what_a_changed_file_was_used_for(root, pip, changed, again):
    setup_venv.set_up(root, ["dev"])
    (root / changed).write_text((root / changed).read_text() + "# second\n")
    assert setup_venv.set_up(root, ["dev"]) == again


def test_another_interpreter_means_another_environment(root, pip, monkeypatch):
    setup_venv.set_up(root, [])
    monkeypatch.setattr(sys, "version", "3.7.17 (another)")
    assert "another Python" in str(Environment(root).stale("base"))
    assert setup_venv.set_up(root, []) == EVERYTHING


def test_a_moved_folder_gets_a_new_environment(root, pip):
    setup_venv.set_up(root, [])
    moved = root.parent / "moved"
    root.rename(moved)
    assert setup_venv.set_up(moved, []) == EVERYTHING


@pytest.mark.parametrize(
    ("lost", "reason"),
    [
        ("bin/python", "does not run"),
        ("lib/python3.7/site-packages/numpy.py", "lacks numpy.py of numpy 1.18.5"),
        (
            "lib/python3.7/site-packages/google_pasta-0.2.0.dist-info/RECORD",
            "lacks RECORD of google_pasta 0.2.0",
        ),
        ("tf1-lstm-base.json", "not to its end"),
    ],
)
def test_sees_what_was_lost_and_makes_it_anew(root, pip, lost, reason):
    setup_venv.set_up(root, [])
    (root / ".venv" / lost).unlink()
    assert reason in str(Environment(root).stale("base"))
    assert setup_venv.set_up(root, []) == EVERYTHING


def test_sees_another_version_than_the_locked_one(root, pip):
    setup_venv.set_up(root, [])
    site_packages = Environment(root).site_packages
    (site_packages / "numpy-1.18.5.dist-info").rename(site_packages / "numpy-1.21.6.dist-info")
    assert Environment(root).stale("base") == "lacks numpy 1.18.5"


def test_sees_a_lost_program_and_a_damaged_stamp(root, pip):
    setup_venv.set_up(root, ["dev"])
    (root / ".venv" / "bin" / "tf1-lstm").unlink()
    Environment(root).stamp("dev").write_text("{")
    assert setup_venv.set_up(root, ["dev"]) == ["project", "dev"]


def test_compiled_files_may_come_and_go(root, pip):
    setup_venv.set_up(root, [])
    assert not list(Environment(root).site_packages.glob("__pycache__/numpy.pyc"))
    assert Environment(root).stale("base") is None


def test_a_linked_environment_is_unlinked_and_what_it_leads_to_left_alone(root, pip, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").touch()
    (root / ".venv").symlink_to(elsewhere)
    assert setup_venv.set_up(root, []) == EVERYTHING
    assert (elsewhere / "precious").exists()
    assert not (root / ".venv").is_symlink()


def test_two_at_a_time_wait_for_each_other(root, pip):
    results: List[List[str]] = []
    with setup_venv.locked(root / ".venv.lock"):
        other = threading.Thread(target=lambda: results.append(setup_venv.set_up(root, [])))
        other.start()
        other.join(0.3)
        assert other.is_alive()
        assert pip.commands == []
    other.join(30)
    assert results == [EVERYTHING]


def test_a_stamp_says_what_the_layer_was_made_from(root, pip):
    setup_venv.set_up(root, [])
    stamp = json.loads(Environment(root).stamp("base").read_text())
    assert stamp["root"] == str(root)
    assert stamp["interpreter"][1] == sys.version
    assert sorted(stamp["sha256"]) == ["requirements.txt", "requirements/pip.txt"]


def test_variables_that_lead_elsewhere_do_not_reach_pip(tmp_path, monkeypatch):
    for name in setup_venv.LEAKING_VARIABLES:
        monkeypatch.setenv(name, "/nowhere")
    monkeypatch.setenv("PIP_USER", "1")
    code = f"import os, sys; sys.exit(any(n in os.environ for n in {setup_venv.LEAKING_VARIABLES!r}))"
    setup_venv.run([sys.executable, "-c", code], tmp_path, "a variable leaked")
    code = "import os, sys; sys.exit(os.environ['PIP_USER'] != '0')"
    setup_venv.run([sys.executable, "-c", code], tmp_path, "PIP_USER leaked")


def test_a_failed_step_says_what_it_meant_and_the_signal(tmp_path):
    with pytest.raises(SetupError, match=r"^pip could not install x \(status 3;"):
        setup_venv.run([sys.executable, "-c", "raise SystemExit(3)"], tmp_path, "pip could not install x")
    illegal = "import os, signal; os.kill(os.getpid(), signal.SIGILL)"
    with pytest.raises(SetupError, match=r"does not start \(status -4, signal 4;"):
        setup_venv.run([sys.executable, "-c", illegal], tmp_path, "does not start")


def test_an_unknown_layer_is_refused(capsys):
    with pytest.raises(SystemExit) as refusal:
        setup_venv.main(["devel"])
    assert refusal.value.code == 2
    assert "unknown layer 'devel', expected dev or notebooks or word2vec" in capsys.readouterr().err
