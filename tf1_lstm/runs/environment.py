"""What a result was made with: packages, processor, threads, source commit."""

import os
import platform
import subprocess
from pathlib import Path
from typing import Any, Dict, Optional

PROJECT = Path(__file__).resolve().parents[2]


def describe_environment() -> Dict[str, Any]:
    """Package versions, processor with its flags, cores and source commit, as JSON-ready values."""
    import numpy

    from tf1_lstm import __version__
    from tf1_lstm.graphs.quiet import tf

    facts = processor()
    return {
        "tf1_lstm": __version__,
        "commit": _commit(),
        "python": platform.python_version(),
        "tensorflow": tf.version.VERSION,
        "tensorflow_build": tf.version.GIT_VERSION,
        "numpy": numpy.__version__,
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": facts.get("model name", platform.processor() or "unknown"),
        "instruction_set": instruction_set(facts.get("flags", "")),
        "cpu_flags": facts.get("flags", ""),
        "cores": available_cores(),
    }


def short_environment() -> Dict[str, Any]:
    """What of it may differ between two processes of one run, without the processor's flags."""
    names = ("commit", "tensorflow", "system", "cpu", "instruction_set", "cores")
    found = describe_environment()
    return {name: found[name] for name in names}


def instruction_set(flags: str) -> str:
    """The widest of the instruction sets among a processor's flags, on which the bits depend."""
    has = set(flags.split())
    for name, needed in (("AVX-512", {"avx512f"}), ("AVX2", {"avx2", "fma"}), ("AVX", {"avx"})):
        if needed <= has:
            return name
    return "none of AVX"


def available_cores() -> int:
    """Cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def processor() -> Dict[str, str]:
    """Model name and flags of the first processor, from /proc/cpuinfo where there is one."""
    found: Dict[str, str] = {}
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as lines:
            for line in lines:
                name, _, value = line.partition(":")
                if name.strip() in ("model name", "flags") and name.strip() not in found:
                    found[name.strip()] = value.strip()
    except OSError:
        pass
    return found


def _commit() -> Optional[str]:
    """The source's git commit, with ``+`` where tracked files differ from it; None outside a checkout."""
    try:
        run = ["git", "-C", str(PROJECT), "describe", "--always", "--abbrev=40", "--dirty=+", "--exclude=*"]
        done = subprocess.run(
            run,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
