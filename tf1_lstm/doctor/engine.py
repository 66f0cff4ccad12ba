"""The fast engine: whether its library is there and of these sources, and what this processor can do."""

import platform
from typing import Any, List

from tf1_lstm.doctor.findings import OK, PROJECT, WARNING, Finding, setup_command
from tf1_lstm.doctor.machine import cpu_flags

# What each instruction set of engine.h needs, the fastest first.
NEEDS = (("AVX512", {"avx512f"}), ("AVX2", {"avx2", "fma"}), ("AVX", {"avx"}))


def examine_engine() -> List[Finding]:
    """A line on ``--engine fast``; nothing else needs it, so it is at most a warning."""
    if platform.machine().lower() not in ("x86_64", "amd64") or platform.system() != "Linux":
        return [Finding("engine", "fast", WARNING, "not here: it is for Linux on x86-64")]
    build = build_program()
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


def build_program() -> Any:
    """Load ``graphs/engine/build.py`` as the program that it is: with it comes nothing else of the graphs."""
    from importlib.util import module_from_spec, spec_from_file_location

    path = PROJECT / "tf1_lstm" / "graphs" / "engine" / "build.py"
    spec: Any = spec_from_file_location("tf1_lstm_engine_build", str(path))
    program = module_from_spec(spec)
    spec.loader.exec_module(program)
    return program
