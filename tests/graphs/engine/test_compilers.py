"""The same bits whichever compiler made the library."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tf1_lstm.graphs.engine.build import FOLDER

PROJECT = Path(__file__).resolve().parents[3]
COMPILERS = ("gcc", "clang")
# Prints a line for every cell and instruction set: a hash of outputs, states and derivatives.
PRINT_BITS = """
import hashlib
from tests.graphs.engine.support import SETS, by_engine, make_case
from tf1_lstm.graphs.engine.layers import CELLS
from tf1_lstm.graphs.engine.library import EngineChoice
for cell in CELLS:
    for size in ({"units": 40, "inputs": 50, "batch": 130, "ragged": True}, {"units": 7, "reverse": True}):
        for instructions in SETS:
            found = by_engine(make_case(cell, **size), EngineChoice(instructions, 2))
            content = b"".join(found[name].tobytes() for name in sorted(found))
            print(cell, size["units"], instructions, hashlib.sha256(content).hexdigest())
print(LIBRARY in open("/proc/self/maps").read())
"""


def bits_of(compiler, folder):
    """Build a copy of the package with ``compiler``; what ``PRINT_BITS`` prints there."""
    package = folder / "tf1_lstm"
    ignored = shutil.ignore_patterns("*.so", "__pycache__")
    shutil.copytree(str(FOLDER.parents[1]), str(package), ignore=ignored)
    environment = {**os.environ, "CC": compiler, "PYTHONPATH": f"{folder}{os.pathsep}{PROJECT}"}
    engine = package / "graphs" / "engine"
    built = subprocess.run(
        [sys.executable, str(engine / "build.py")], env=environment, stdout=subprocess.PIPE, check=True
    )
    assert b"built the fast engine" in built.stdout
    library = str(engine / "libtf1_lstm_engine.so")
    program = f"LIBRARY = {library!r}\n{PRINT_BITS}"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=str(folder),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    *lines, own = done.stdout.decode().splitlines()
    assert own == "True"
    return lines


@pytest.mark.thorough
def test_gcc_and_clang_give_the_same_bits(tmp_path):
    missing = [name for name in COMPILERS if shutil.which(name) is None]
    if missing:
        pytest.skip(f"{' and '.join(missing)} not installed")
    by_gcc, by_clang = (bits_of(name, tmp_path / name) for name in COMPILERS)
    assert by_gcc == by_clang
    assert len(by_gcc) >= 12
