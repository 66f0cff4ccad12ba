"""The machine itself: architecture, AVX, memory, disk, and the Python that runs this."""

import contextlib
import os
import platform
import re
import shutil
import struct
import sys
from pathlib import Path
from typing import List, Optional

from tf1_lstm.doctor.findings import OK, PROBLEM, PROJECT, WARNING, Finding, size_text
from tf1_lstm.gpus import Build, run_for

MIB = 1 << 20
LEAST_MEMORY, GOOD_MEMORY = 1000 * MIB, 2500 * MIB
LEAST_DISK, GOOD_DISK = 100 * MIB, 2000 * MIB
# The word that a cgroup uses for "no limit" in version 1 is a number near 2**63.
NO_LIMIT = 1 << 60
CPUINFO_VARIABLE = "TF1_LSTM_CPUINFO"  # a file to read in place of /proc/cpuinfo, for tests
CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def examine_machine(build: Build) -> List[Finding]:
    """Examine everything in this module.

    Args:
      build: the TensorFlow that was found, since NVIDIA's own runs on Python 3.8.
    """
    return [architecture(), avx(), memory(), disk(Path.cwd()), python(build)]


def architecture() -> Finding:
    """x86-64 on Linux or macOS is what TensorFlow 1.15 has wheels for."""
    machine, system = platform.machine(), platform.system()
    found = f"{system} {machine}"
    if machine.lower() not in ("x86_64", "amd64") or struct.calcsize("P") != 8:
        reason = "TensorFlow 1.15 exists for 64-bit x86 with AVX only"
        return Finding("machine", "architecture", PROBLEM, found + ": " + reason, "use an x86-64 machine")
    if system == "Windows":
        return Finding(
            "machine", "architecture", PROBLEM, found + ": not supported", "use WSL or the container"
        )
    return Finding("machine", "architecture", OK, found)


def avx() -> Finding:
    """The wheel's code uses AVX throughout; without it the import dies with "Illegal instruction"."""
    flags = cpu_flags()
    if flags is None:
        return Finding("machine", "AVX", WARNING, "the processor's features cannot be read here")
    if re.search(r"(?i)\bavx(1\.0)?\b", flags):
        return Finding("machine", "AVX", OK, "yes")
    reason = 'no: TensorFlow 1.15 dies with "Illegal instruction" (an old or an emulated processor)'
    return Finding("machine", "AVX", PROBLEM, reason, "use a processor with AVX, and no emulation")


def cpu_flags() -> Optional[str]:
    """The first processor's features, or None where they cannot be read."""
    try:
        text = Path(os.environ.get(CPUINFO_VARIABLE, "/proc/cpuinfo")).read_text(errors="replace")
    except OSError:
        features = run_for(["sysctl", "-n", "machdep.cpu.features"], 1.0)
        return features[1] if features[0] == 0 else None
    # Arm's own word for it is "Features".
    found = re.search(r"^(?:flags|Features)\s*:(.*)$", text, re.M)
    return found.group(1) if found else None


def memory() -> Finding:
    """Memory that may be used: the machine's, or a container's limit."""
    total = memory_limit()
    if total is None:
        return Finding("machine", "memory", WARNING, "cannot be read here")
    found = size_text(total)
    if total < LEAST_MEMORY:
        return Finding("machine", "memory", PROBLEM, found + ", at least 1 GB needed", "give it more memory")
    if total < GOOD_MEMORY:
        fix = "use smaller batches (--set batch_size=N), or give it more memory"
        return Finding("machine", "memory", WARNING, found + "; 2.5 GB are enough for everything", fix)
    return Finding("machine", "memory", OK, found)


def memory_limit() -> Optional[int]:
    """Bytes of memory for this process, or None where nothing tells."""
    sizes = []
    with contextlib.suppress(ValueError, OSError, AttributeError):
        sizes.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for name in CGROUP_LIMITS:
        try:
            limit = Path(name).read_text().strip()
        except OSError:
            continue
        if limit.isdigit() and int(limit) < NO_LIMIT:
            sizes.append(int(limit))
    return min(sizes) if sizes else None


def disk(folder: Path) -> Finding:
    """Free space where runs are written."""
    free = shutil.disk_usage(str(folder)).free
    found = f"{size_text(free)} free in {folder}"
    if free < LEAST_DISK:
        return Finding("machine", "disk", PROBLEM, found + ", at least 100 MB needed", "make room there")
    if free < GOOD_DISK:
        return Finding("machine", "disk", WARNING, found + "; all data and runs take 2 GB", "make room there")
    return Finding("machine", "disk", OK, found)


def python(build: Build) -> Finding:
    """Stock TensorFlow 1.15 has wheels up to Python 3.7."""
    found = f"{platform.python_version()} ({sys.executable})"
    release = platform.python_version_tuple()[:2]
    if release == ("3", "7"):
        return Finding("python", "version", OK, found)
    if build.found and release == ("3", "8"):
        return Finding(
            "python", "version", WARNING, found + ": for NVIDIA's TensorFlow 1.15, not the stock one"
        )
    environment = PROJECT / ".venv" / "bin" / "tf1-lstm"
    fix = f"{environment} doctor" if environment.exists() else "make setup, or use the container"
    return Finding("python", "version", PROBLEM, found + ": TensorFlow 1.15 needs Python 3.7", fix)
