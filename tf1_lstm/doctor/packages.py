"""The packages that are installed, beside those that are locked; and whether TensorFlow imports."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

from tf1_lstm.core.children import script_command
from tf1_lstm.doctor.findings import OK, PROBLEM, PROJECT, UNCHECKED, WARNING, Clock, Finding, setup_command

LOCK = PROJECT / "requirements.txt"
IMPORT = """
import sys
sys.path[:] = sys.argv[1:]
import warnings
warnings.simplefilter("ignore")
import tensorflow
print("imported", tensorflow.__version__)
"""
# What is in the last words of a failed import, and what it means.
KNOWN_CAUSES = (
    (r"No module named '?tensorflow'?$", "it is not installed"),
    (r"Descriptors cannot|google.protobuf|cannot import name '\w*builder", "protobuf must be below 3.21"),
    (r"GLIBC\w*_[\d.]+. not found", "the system's C library is too old for the wheel"),
    (r"numpy", "another numpy than the locked one"),
)


def examine_packages(
    lock: Path = LOCK, path: Optional[Sequence[str]] = None, stock: bool = True
) -> List[Finding]:
    """Compare every locked package with what is installed.

    Args:
      lock: a pip requirements file with a pinned version on each line.
      path: folders to look for installed packages in; ``sys.path`` by default.
      stock: False for NVIDIA's TensorFlow, which comes with other packages than the locked ones.
    """
    try:
        locked = locked_versions(lock.read_text(encoding="utf-8"))
    except OSError:
        fix = "use a complete copy of the project"
        return [Finding("packages", lock.name, WARNING, "no such file, so nothing to compare with", fix)]
    installed = installed_versions(sys.path if path is None else path)
    installed.setdefault("tensorflow", installed.get("nvidia-tensorflow", ""))
    return [compare(name, version, installed.get(name), stock) for name, version in locked.items()]


def compare(name: str, locked: str, installed: Optional[str], stock: bool = True) -> Finding:
    """Compare one package's versions; None or nothing stands for one that is not installed."""
    if installed == locked:
        return Finding("packages", name, OK, locked)
    if not installed:
        if stock:
            return Finding("packages", name, PROBLEM, "not installed", setup_command())
        return Finding("packages", name, OK, "not installed; it may not be needed here")
    found = f"{installed} is installed, {locked} is locked"
    if stock:
        return Finding("packages", name, WARNING, found, setup_command())
    return Finding("packages", name, WARNING, found + " (NVIDIA's image has its own)")


def locked_versions(text: str) -> Dict[str, str]:
    """Normal name -> version of every ``name==version`` that begins a line."""
    found = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)", text, re.M)
    return {normal_name(name): version for name, version in found}


def installed_versions(path: Sequence[str]) -> Dict[str, str]:
    """Normal name -> version, from the names of the metadata folders; the first found counts."""
    versions: Dict[str, str] = {}
    for folder in path:
        try:
            entries = sorted(os.listdir(folder or "."))
        except OSError:
            continue
        for entry in entries:
            found = re.match(r"(.+?)-([^-]+)(?:-py[\d.]+)?\.(?:dist-info|egg-info)$", entry)
            if found:
                versions.setdefault(normal_name(found.group(1)), found.group(2))
    return versions


def normal_name(name: str) -> str:
    """A package's name as pip compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


class ImportTrial:
    """An import of TensorFlow in a child process, begun early and looked at in the end."""

    def __init__(self, path: Optional[Sequence[str]] = None) -> None:
        """Start it, with the GPUs hidden, since it is not the place to wait for a driver.

        Args:
          path: folders to look for TensorFlow in; ``sys.path`` by default, as for every command.
        """
        environment = dict(os.environ, CUDA_VISIBLE_DEVICES="-1", TF_CPP_MIN_LOG_LEVEL="2")
        self.begun = time.monotonic()
        self.child = subprocess.Popen(
            script_command(IMPORT, *(sys.path if path is None else path)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )

    def finding(self, clock: Clock) -> Finding:
        """Wait for its end as long as the clock allows, and say how it went."""
        try:
            output = self.child.communicate(timeout=clock.left())[0].decode("utf-8", "replace")
        except subprocess.TimeoutExpired:
            os.killpg(self.child.pid, signal.SIGKILL)
            self.child.wait()
            seconds = time.monotonic() - self.begun
            found = f"not at its end after {seconds:.1f} s, which a slow or busy machine may need"
            return Finding("tensorflow", "import", UNCHECKED, found, "run it again: tf1-lstm doctor")
        return judge_import(self.child.returncode, output, time.monotonic() - self.begun)


def judge_import(code: int, output: str, seconds: float) -> Finding:
    """Say what the end of an import means.

    Args:
      code: the child's exit code; negative for a signal.
      output: what it printed.
      seconds: how long it took.
    """
    version = re.search(r"^imported (\S+)$", output, re.M)
    if code == 0 and version:
        return judge_version(version.group(1), seconds)
    if code < 0:
        return judge_signal(-code)
    lines = output.strip().splitlines() or [f"exit code {code}"]
    causes = [meaning for pattern, meaning in KNOWN_CAUSES if re.search(pattern, output, re.M)]
    found = f"fails: {lines[-1]}" + (f" ({causes[0]})" if causes else "")
    return Finding("tensorflow", "import", PROBLEM, found, setup_command())


def judge_version(version: str, seconds: float) -> Finding:
    """TensorFlow imports; 1.15.0 is the one that figures are the same bits with."""
    found = f"{version} imports in {seconds:.1f} s"
    if not version.startswith("1.15."):
        return Finding("tensorflow", "import", PROBLEM, found + ", expected 1.15.0", setup_command())
    if version != "1.15.0":
        return Finding("tensorflow", "import", WARNING, found + ": the same figures, not the same bits")
    return Finding("tensorflow", "import", OK, found)


def judge_signal(number: int) -> Finding:
    """TensorFlow's import took its process down."""
    names = {value.value: value.name for value in signal.Signals}
    found = f"dies with {names.get(number, f'signal {number}')}"
    meanings: Dict[str, Tuple[str, str]] = {
        "SIGILL": (
            ": an instruction that this processor lacks, AVX",
            "use a processor with AVX, and no emulation",
        ),
        "SIGKILL": (": the system ended it, perhaps for want of memory", "give it more memory"),
    }
    meaning, fix = meanings.get(names.get(number, ""), (": a library does not fit", setup_command()))
    return Finding("tensorflow", "import", PROBLEM, found + meaning, fix)
