"""The fast engine: whether its library is there and of these sources, and what this processor can do."""

import platform
from typing import List

from tf1_lstm.doctor.findings import OK, WARNING, Finding, setup_command
from tf1_lstm.doctor.machine import cpu_flags
from tf1_lstm.graphs.engine import build

# What each instruction set of engine.h needs, the fastest first.
NEEDS = (("AVX512", {"avx512f"}), ("AVX2", {"avx2", "fma"}), ("AVX", {"avx"}))


def examine_engine() -> List[Finding]:
    """A line on ``--engine fast``; nothing else needs it, so it is at most a warning."""
    if platform.machine().lower() not in ("x86_64", "amd64") or platform.system() != "Linux":
        return [Finding("engine", "fast", WARNING, "not here: it is for Linux on x86-64")]
    source = build.source_sha256()
    library = build.LIBRARY
    found = build.built_source(library)
    if found is None:
        compiler = build.find_compiler()
        fix = setup_command() if compiler else f"install gcc or clang, then {setup_command()}"
        lacking = "" if compiler else ", and there is no C compiler (gcc or clang)"
        return [Finding("engine", "fast", WARNING, f"not built{lacking}; all but --engine fast works", fix)]
    if found != source:
        text = f"{library.name} was built from other sources; all but --engine fast works"
        return [Finding("engine", "fast", WARNING, text, setup_command())]
    flags = set((cpu_flags() or "").split())
    sets = [name for name, needed in NEEDS if needed <= flags]
    if not sets:
        return [Finding("engine", "fast", WARNING, "this processor has none of AVX512, AVX2 and AVX")]
    return [Finding("engine", "fast", OK, f"built, {sets[0]}, source {source[:12]}")]
