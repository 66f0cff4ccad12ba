"""Which Python 3.7 ``tools/find-python`` takes, and what it says where there is none.

Each test runs the real script in a world of its own: a PATH with a few system programs and
made-up interpreters. Those run the script's own probe in a real Python, with other facts.
"""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict

import pytest

FIND_PYTHON = Path(__file__).resolve().parents[2] / "tools" / "find-python"
PROGRAMS = ("dash", "sh", "sed", "head", "sort", "touch", "mkdir", "cp", "cat", "chmod")
GOOD_CPU = "processor\t: 0\nflags\t\t: fpu sse2 avx avx2 fma\n"


class World:
    """A machine as find-python sees it, in a folder whose name holds a space."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.pyenv = folder / "pyenv"
        self.bin.mkdir(parents=True)
        for name in PROGRAMS:
            program = shutil.which(name)
            if program:
                (self.bin / name).symlink_to(program)
        # A copy, since the project itself may be an unpacked archive, which has a Python.
        self.program = folder / "project" / "tools" / "find-python"
        self.program.parent.mkdir(parents=True)
        shutil.copy(str(FIND_PYTHON), str(self.program))
        self.cpuinfo = folder / "cpuinfo"
        self.cpuinfo.write_text(GOOD_CPU)
        self.uname("Linux", "x86_64")

    def script(self, path: Path, text: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path

    def uname(self, system: str, machine: str) -> None:
        self.script(self.bin / "uname", f"case $1 in -m) echo {machine} ;; -s) echo {system} ;; esac")

    def python(self, path: Path, facts: str = "") -> Path:
        """An interpreter in which ``facts`` (statements) hold when it runs the probe."""
        itself = f"import sys; sys.executable = {str(path)!r}; sys.prefix = sys.base_prefix"
        prepared = f"{itself}\n{facts}\nexec(sys.argv[1])"
        run = f'exec {shlex.quote(sys.executable)} -c {shlex.quote(prepared)} "$code"'
        return self.script(path, f"for code; do :; done\n{run}")

    def find(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        given: Dict[str, str] = {
            "PATH": str(self.bin),
            "HOME": str(self.folder / "home"),
            "PYENV_ROOT": str(self.pyenv),
            "TF1_LSTM_CPUINFO": str(self.cpuinfo),
        }
        given.update(environment)
        command = ["/bin/sh", str(self.program), *arguments]
        folder = str(self.folder)
        return subprocess.run(command, env=given, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "a machine")


def test_takes_a_python_that_was_named_before_all_others(world):
    named = world.python(world.folder / "mine" / "py")
    world.python(world.bin / "python3.7")
    found = world.find(PYTHON=str(named))
    assert (found.returncode, found.stdout, found.stderr) == (0, f"{named}\n", "")


def test_the_python_of_an_unpacked_archive_comes_before_the_machines(world):
    archived = world.python(world.program.parents[1] / "archive" / "python" / "bin" / "python3.7")
    world.python(world.bin / "python3.7")
    assert world.find().stdout == f"{archived}\n"
    named = world.python(world.folder / "mine" / "py")
    assert world.find(PYTHON=str(named)).stdout == f"{named}\n"


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ("sys.version_info = (3, 8, 18)", "is Python 3.8.18, expected 3.7"),
        ("import platform; platform.python_implementation = lambda: 'PyPy'", "is PyPy, expected CPython"),
        ("import struct; struct.calcsize = lambda _: 4", "is a 32-bit build, expected 64-bit"),
        ("import sysconfig; sysconfig.get_platform = lambda: 'linux-aarch64'", "is built for linux-aarch64"),
        ("sys.modules['ensurepip'] = None", "has no module ensurepip"),
        ("sys.modules['lzma'] = None", "has no module lzma"),
        ("sys.exit(1)", "does not run"),
    ],
)
def test_refuses_a_named_python_that_will_not_do_and_looks_no_further(world, facts, reason):
    named = world.python(world.folder / "py", facts)
    world.python(world.bin / "python3.7")
    found = world.find(PYTHON=str(named))
    assert (found.returncode, found.stdout) == (1, "")
    assert f"PYTHON={named} {reason}" in found.stderr
    assert found.stderr.count("\n") == 1


def test_refuses_a_named_python_that_is_not_there(world):
    found = world.find(PYTHON="/nowhere/python3.7")
    assert found.returncode == 1
    assert "PYTHON=/nowhere/python3.7 is no program" in found.stderr


def test_passes_over_pyenvs_refusing_shim_to_a_later_python_on_the_path(world):
    world.script(
        world.folder / "shims" / "python3.7", "echo 'pyenv: python3.7: command not found' >&2; exit 127"
    )
    behind = world.python(world.bin / "python3.7")
    found = world.find(PATH=f"{world.folder / 'shims'}:{world.bin}")
    assert (found.returncode, found.stdout, found.stderr) == (0, f"{behind}\n", "")


def test_passes_over_a_python37_that_is_something_else_to_pyenvs_newest(world):
    world.python(world.bin / "python3.7", "sys.version_info = (3, 8, 1)")
    world.python(world.pyenv / "versions" / "3.7.9" / "bin" / "python3.7")
    newest = world.python(world.pyenv / "versions" / "3.7.16" / "bin" / "python3.7")
    assert world.find().stdout == f"{newest}\n"


def test_passes_over_a_broken_version_of_pyenv(world):
    older = world.python(world.pyenv / "versions" / "3.7.9" / "bin" / "python3.7")
    world.python(world.pyenv / "versions" / "3.7.16" / "bin" / "python3.7", "sys.exit(1)")
    assert world.find().stdout == f"{older}\n"


def test_asks_pyenv_for_its_root(world):
    there = world.python(world.folder / "elsewhere" / "versions" / "3.7.16" / "bin" / "python3.7")
    world.script(
        world.bin / "pyenv", f'[ "$1" = root ] && echo {shlex.quote(str(world.folder / "elsewhere"))}'
    )
    assert world.find(PYENV_ROOT="").stdout == f"{there}\n"


def test_takes_the_python_that_uv_has_without_installing_one(world):
    its_own = world.python(world.folder / "uv" / "python3.7")
    world.script(world.bin / "uv", f'[ "$*" = "python find 3.7" ] && echo {shlex.quote(str(its_own))}')
    found = world.find()
    assert (found.stdout, found.stderr) == (f"{its_own}\n", "")


@pytest.mark.parametrize(
    ("offered_by", "also_tried"),
    [("python install 3.7", []), ("tool run uv@0.6.17 python install 3.7", ["uv python install 3.7"])],
)
def test_lets_uv_install_one_last(world, offered_by, also_tried):
    prepared = world.python(world.folder / "prepared")
    installed = world.folder / "uv" / "python3.7"
    world.script(
        world.bin / "uv",
        f"""place={shlex.quote(str(installed))}
case "$*" in
'python find 3.7') [ -x "$place" ] && echo "$place" ;;
'{offered_by}') mkdir -p "${{place%/*}}"; cp {shlex.quote(str(prepared))} "$place"; echo installed ;;
*) exit 64 ;;
esac""",
    )
    found = world.find()
    # The copy still calls itself by the name it was made with.
    assert found.stdout == f"{prepared}\n"
    run = [line.partition("running: ")[2] for line in found.stderr.splitlines() if "running: " in line]
    assert run == [*also_tried, f"uv {offered_by}"]


def test_pyenv_comes_before_uv(world):
    world.script(world.bin / "uv", "touch asked-uv; exit 1")
    pyenvs = world.python(world.pyenv / "versions" / "3.7.16" / "bin" / "python3.7")
    assert world.find().stdout == f"{pyenvs}\n"


def test_without_any_python_names_the_ways_to_get_it_the_container_first(world):
    world.script(world.bin / "uv", "echo no network >&2; exit 1")
    world.script(world.bin / "python3.7", "exit 127")
    found = world.find()
    assert (found.returncode, found.stdout) == (1, "")
    ways = [found.stderr.index(way) for way in ("docker compose", "pyenv install 3.7", "uv:  ")]
    assert ways == sorted(ways)
    assert f"{world.bin / 'python3.7'}: does not run" in found.stderr
    assert "uv python install 3.7: failed" in found.stderr


def test_keeps_the_interpreter_of_a_working_environment(world):
    kept = world.python(world.folder / ".venv" / "bin" / "python")
    world.python(world.bin / "python3.7")
    assert world.find("--keep", ".venv").stdout == f"{kept}\n"


def test_keeps_no_broken_environment_and_not_against_a_named_python(world):
    world.python(world.folder / ".venv" / "bin" / "python", "sys.exit(1)")
    other = world.python(world.bin / "python3.7")
    assert world.find("--keep", ".venv").stdout == f"{other}\n"
    world.python(world.folder / ".venv" / "bin" / "python")
    assert world.find("--keep", ".venv", PYTHON=str(other)).stdout == f"{other}\n"


@pytest.mark.skipif(sys.prefix == sys.base_prefix, reason="the tests do not run in a virtual environment")
def test_from_a_virtual_environment_takes_the_python_it_was_made_from(world):
    found = world.find(PYTHON=sys.executable)
    assert found.stdout == f"{sys.base_prefix}/bin/python3.7\n"


def test_variables_of_another_python_do_not_reach_the_candidates(world):
    python = world.python(world.bin / "python3.7")
    found = world.find(PYTHONHOME="/nowhere", PYTHONPATH="/nowhere", VIRTUAL_ENV="/nowhere")
    assert found.stdout == f"{python}\n"


@pytest.mark.parametrize("machine", ["aarch64", "arm64", "armv7l"])
def test_on_arm_says_that_tensorflow_cannot_run_before_it_tries_anything(world, machine):
    world.uname("Linux", machine)
    world.script(world.bin / "python3.7", "touch tried")
    found = world.find(PYTHON=str(world.bin / "python3.7"))
    assert (found.returncode, found.stdout) == (2, "")
    assert f"its processor is Arm ({machine})" in found.stderr
    assert found.stderr.count("\n") == 1
    assert not (world.folder / "tried").exists()


def test_without_avx_says_that_tensorflow_cannot_run(world):
    world.cpuinfo.write_text(GOOD_CPU.replace(" avx avx2", ""))
    world.python(world.bin / "python3.7")
    found = world.find()
    assert (found.returncode, found.stdout) == (2, "")
    assert "no AVX" in found.stderr
    assert found.stderr.count("\n") == 1


def test_avx2_or_avx512_alone_is_not_taken_for_avx(world):
    world.cpuinfo.write_text(GOOD_CPU.replace(" avx ", " avx512f "))
    assert world.find().returncode == 2


@pytest.mark.parametrize(("features", "status"), [("FPU SSE4.2 AVX1.0 F16C", 0), ("FPU SSE4.2", 2), ("", 0)])
def test_reads_the_features_of_a_mac_and_goes_on_where_it_cannot(world, features, status):
    world.uname("Darwin", "x86_64")
    world.script(world.bin / "sysctl", f"echo '{features}'")
    world.python(world.bin / "python3.7")
    assert world.find(TF1_LSTM_CPUINFO="/nowhere").returncode == status


def test_on_windows_points_to_wsl(world):
    world.uname("MINGW64_NT-10.0", "x86_64")
    found = world.find()
    assert found.returncode == 2
    assert "WSL" in found.stderr


def test_is_a_posix_script_that_an_old_shell_can_read():
    shell = shutil.which("dash") or "/bin/sh"
    for script in (FIND_PYTHON, FIND_PYTHON.parent / "setup"):
        subprocess.run([shell, "-n", str(script)], check=True)
        assert os.access(str(script), os.X_OK)
