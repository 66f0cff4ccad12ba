"""Building the engine's library, and every reason for which one is refused."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.graphs.engine.support import needs_engine
from tf1_lstm.errors import InputError
from tf1_lstm.graphs.engine import build, library


def test_without_a_compiler_the_set_up_says_so_in_a_line_and_succeeds(tmp_path):
    folder = tmp_path / "engine"
    shutil.copytree(str(build.FOLDER), str(folder), ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    environment = {**os.environ, "PATH": str(tmp_path), "CC": ""}
    command = [sys.executable, "-I", str(folder / "build.py"), "--strict"]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    said = done.stdout.decode()
    assert "found no C compiler" in said
    assert "everything else works" in said
    assert said.count("\n") == 1
    assert not (folder / build.LIBRARY.name).exists()


@pytest.mark.parametrize("options, code", [([], 0), (["--strict"], 1)])
def test_a_compiler_that_fails_is_an_error_where_an_image_is_built(tmp_path, options, code):
    shutil.copy(str(build.FOLDER / "build.py"), str(tmp_path))
    environment = {**os.environ, "CC": shutil.which("false") or ""}
    command = [sys.executable, "-I", str(tmp_path / "build.py"), *options]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=False)
    assert done.returncode == code
    assert b"could not compile the fast engine" in done.stdout


def test_a_compiler_that_is_named_and_not_there_is_not_replaced_by_another(tmp_path, monkeypatch):
    monkeypatch.setenv("CC", "clang-of-another-day")
    with pytest.raises(build.BuildError, match=r"found no C compiler .*; CC names 'clang-of-another-day'"):
        build.build(tmp_path / "lib.so")


def test_a_missing_library_is_refused_with_what_to_type(tmp_path):
    with pytest.raises(InputError, match=r"--engine fast: .* is not there; `make setup` builds it"):
        library.opened(tmp_path / "none.so")


def test_a_library_of_other_sources_is_refused(tmp_path):
    other = tmp_path / "other.so"
    other.write_bytes(b"\x7fELF of another day")
    with pytest.raises(InputError, match="built from other sources"):
        library.opened(other)


def test_a_library_that_the_system_cannot_load_is_refused_with_the_reason(tmp_path):
    damaged = tmp_path / "damaged.so"
    damaged.write_bytes(b"\x7fELF" + build.source_sha256().encode())
    with pytest.raises(InputError, match=r"does not fit this system: .*damaged\.so"):
        library.opened(damaged)


@needs_engine
def test_a_library_of_a_newer_system_is_refused_with_the_version_that_is_missing(tmp_path):
    content = build.LIBRARY.read_bytes()
    needed = max(re.findall(rb"GLIBC_2\.\d+(?=\0)", content))
    newer = tmp_path / "newer.so"
    newer.write_bytes(content.replace(needed + b"\0", b"GLIBC_9" + needed[7:] + b"\0"))
    with pytest.raises(InputError, match=r"does not fit this system: .*version `GLIBC_9\.\d+' not found"):
        library.opened(newer)


@needs_engine
def test_an_instruction_set_that_the_processor_lacks_is_refused(monkeypatch):
    monkeypatch.setattr(library, "supported_sets", lambda: ("AVX",))
    with pytest.raises(InputError, match="lacks AVX512; it has AVX"):
        library.choose(1, "AVX512")
    with pytest.raises(InputError, match="lacks AVX2"):
        library.chosen_again("AVX2", 1)


@needs_engine
@pytest.mark.thorough
def test_an_emulated_processor_without_fused_multiplication_is_refused_what_it_lacks():
    emulator = shutil.which("qemu-x86_64") or shutil.which("qemu-x86_64-static")
    if emulator is None:
        pytest.skip("qemu-user is not installed")
    code = "from tf1_lstm.graphs.engine.library import choose, chosen_again; print(choose(1)); chosen_again('AVX2', 1)"
    command = [emulator, "-cpu", "SandyBridge", sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.stdout.decode() == "EngineChoice(instruction_set='AVX', threads=1)\n"
    assert "--engine fast: this processor lacks AVX2; it has AVX" in done.stderr.decode().splitlines()[-1]


def test_the_same_bits_come_from_another_fused_instruction_set(monkeypatch):
    monkeypatch.setattr(library, "supported_sets", lambda: ("AVX2", "AVX"))
    assert library.chosen_again("AVX512", 3) == library.EngineChoice("AVX2", 3)


def test_a_compiler_that_fails_leaves_no_library(tmp_path, monkeypatch):
    compiler = tmp_path / "cc"
    compiler.write_text("#!/bin/sh\necho 'error: no such thing' >&2\nexit 1\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("CC", str(compiler))
    with pytest.raises(build.BuildError, match="could not compile the fast engine: error: no such thing"):
        build.build(tmp_path / "lib.so")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cc"]
