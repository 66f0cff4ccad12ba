"""The engine's C under AddressSanitizer, UndefinedBehaviorSanitizer and ThreadSanitizer."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.graphs.engine.support import needs_engine
from tf1_lstm.graphs.engine.build import FLAGS, FOLDER, SETS, find_compiler

DRIVER = Path(__file__).with_name("driver.c")


@needs_engine
@pytest.mark.thorough
@pytest.mark.parametrize("sanitizer", ["address,undefined", "thread"])
def test_nothing_is_found(sanitizer, tmp_path):
    compiler = find_compiler()
    if compiler is None:
        pytest.skip("no C compiler")
    # A sanitized library that TensorFlow's process would have to load is not made: the driver is alone.
    flags = [flag for flag in FLAGS if flag not in ("-fvisibility=hidden", "-O3")]
    flags += ["-O1", "-g", f"-fsanitize={sanitizer}", "-fno-sanitize-recover=all", f"-I{FOLDER}"]
    parts = []
    for name, chosen in SETS.items():
        parts.append(str(tmp_path / f"{name}.o"))
        command = [compiler, *flags, *chosen, f"-DENGINE_BUILD_{name}", "-c", str(FOLDER / "kernels.c")]
        subprocess.run([*command, "-o", parts[-1]], check=True)
    program = str(tmp_path / "driver")
    own = [str(FOLDER / name) for name in ("engine.c", "memory.c", "threads.c")]
    sources = [str(DRIVER), *own, *parts]
    linked = subprocess.run(
        [compiler, *flags, *sources, "-Wl,--wrap=posix_memalign", "-o", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if linked.returncode and b"cannot find" in linked.stdout:
        pytest.skip(f"{compiler} has no -fsanitize={sanitizer} here")
    assert linked.returncode == 0, linked.stdout.decode()
    done = subprocess.run(
        [program, "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "ASAN_OPTIONS": "detect_leaks=1", "UBSAN_OPTIONS": "print_stacktrace=1"},
        check=False,
    )
    assert done.stdout.decode() == "ok\n"
    assert done.returncode == 0
