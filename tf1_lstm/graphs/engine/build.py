"""Compile the fast engine with the C compiler that is there; standard library only.

Run as a program by ``make setup``: where there is no compiler, it says so and everything but
``--engine fast`` works. The library is written beside its sources, and knows their hash.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import List, Optional

FOLDER = Path(__file__).resolve().parent
LIBRARY = FOLDER / "libtf1_lstm_engine.so"
SETS = {"AVX512": ["-mavx512f"], "AVX2": ["-mavx2", "-mfma"], "AVX": ["-mavx"]}
FLAGS = ["-std=c11", "-O3", "-fPIC", "-Wall", "-Wextra", "-fvisibility=hidden", "-pthread"]
# No operation may be contracted or done in another order: the bits are those of the source.
FLAGS += ["-ffp-contract=off"]
COMPILERS = ("gcc", "clang", "cc")


class BuildError(Exception):
    """The engine cannot be built; the message is one line."""


def source_files() -> List[Path]:
    """The C sources and headers, in the order of their names."""
    return sorted(path for path in FOLDER.iterdir() if path.suffix in (".c", ".h"))


def source_sha256() -> str:
    """SHA-256 over the sources' names and contents, and the compiler's flags."""
    digest = hashlib.sha256(repr((SETS, FLAGS)).encode())
    for path in source_files():
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def find_compiler() -> Optional[str]:
    """``CC`` (one program) where it is set, else the first of gcc, clang and cc; None where it is not there."""
    chosen = os.environ.get("CC")
    return next(filter(None, map(shutil.which, [chosen] if chosen else COMPILERS)), None)


def build(target: Path = LIBRARY) -> Path:
    """Compile to ``target``, which is written as a whole or not at all.

    Raises:
      BuildError: no compiler, another processor than x86-64, or the compiler fails.
    """
    if platform.machine() not in ("x86_64", "AMD64") or sys.platform != "linux":
        raise BuildError(
            f"the fast engine is for Linux on x86-64; this is {sys.platform}, {platform.machine()}"
        )
    compiler = find_compiler()
    if compiler is None:
        chosen = os.environ.get("CC")
        where = f"; CC names {chosen!r}, which is not there" if chosen else ""
        raise BuildError(f"found no C compiler (gcc or clang), which the fast engine is built with{where}")
    with tempfile.TemporaryDirectory(prefix="tf1-lstm-engine-") as scratch:
        parts = []
        for name, flags in SETS.items():
            parts.append(Path(scratch) / f"kernels-{name}.o")
            _run(
                [compiler, *FLAGS, *flags, f"-DENGINE_BUILD_{name}", "-c", "kernels.c", "-o", str(parts[-1])]
            )
        made = Path(scratch) / target.name
        define = f'-DENGINE_SOURCE="{source_sha256()}"'
        own = ["engine.c", "memory.c", "threads.c", "tf_ops.c"]
        # TensorFlow, which loads the library, has what tf_ops.c calls.
        _run([compiler, *FLAGS, define, "-shared", *own, *map(str, parts), "-o", str(made)])
        new = target.with_name(f"{target.name}.{os.getpid()}.new")
        shutil.copyfile(str(made), str(new))
        new.replace(target)
    return target


def _run(command: List[str]) -> None:
    done = subprocess.run(
        command, cwd=str(FOLDER), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if done.returncode:
        words = done.stdout.decode(errors="replace").strip().splitlines()
        first = next((line for line in words if "error" in line), words[0] if words else "no message")
        raise BuildError(f"{command[0]} could not compile the fast engine: {first}")


def built_source(library: Path = LIBRARY) -> Optional[str]:
    """The hash of the sources that a library was made from; None where there is none, or it has none."""
    if not library.is_file():
        return None
    content = library.read_bytes()
    return next((digest for digest in (source_sha256(),) if digest.encode() in content), "other")


def main() -> int:
    """Build where the library is missing or of other sources; says in a line what it did.

    With ``--again``, when a set-up found nothing else to do, a missing compiler is not told once more. With
    ``--strict``, for an image, a compiler that is there and fails is an error (exit code 1).
    """
    if built_source() == source_sha256() or ("--again" in sys.argv and not find_compiler()):
        return 0
    try:
        build()
    except (BuildError, OSError) as error:
        print(f"tf1-lstm: {error}; everything else works without it", flush=True)
        return 1 if "--strict" in sys.argv and find_compiler() else 0
    print("tf1-lstm: built the fast engine (--engine fast)", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
