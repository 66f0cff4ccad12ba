"""What the machine tells of its GPUs and CUDA libraries, and what the installed TensorFlow wants of them.

Nothing here loads CUDA or TensorFlow into this process. Standard library and Python 3.6 syntax only:
``doctor`` reports from here in environments where nothing else works.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from tf1_lstm.core.children import script_command

Capability = Tuple[int, int]

# What TensorFlow 1.15 opens by name when it starts; one missing, and it uses no GPU at all.
CUDA_LIBRARIES = (
    "libcudart.so.10.0",
    "libcublas.so.10.0",
    "libcufft.so.10.0",
    "libcurand.so.10.0",
    "libcusolver.so.10.0",
    "libcusparse.so.10.0",
    "libcudnn.so.7",
)
DRIVER_LIBRARY = "libcuda.so.1"
BUILD_INFO = ("tensorflow_core/python/platform/build_info.py", "tensorflow/python/platform/build_info.py")
FIELDS = ("index", "name", "driver_version", "uuid")
QUERY_TIMEOUT = 2.0  # seconds; nvidia-smi hangs where a driver is broken

# Asks the driver itself, by its stable interface; attributes 75 and 76 are the compute capability.
ASK_DRIVER = """
import ctypes, json
cuda = ctypes.CDLL("libcuda.so.1")
def ask(name, *arguments):
    if getattr(cuda, name)(*arguments):
        raise SystemExit(1)
count, device, major, minor = (ctypes.c_int() for _ in range(4))
name = ctypes.create_string_buffer(256)
ask("cuInit", 0)
ask("cuDeviceGetCount", ctypes.byref(count))
found = []
for index in range(count.value):
    ask("cuDeviceGet", ctypes.byref(device), index)
    ask("cuDeviceGetName", name, 256, device)
    ask("cuDeviceGetAttribute", ctypes.byref(major), 75, device)
    ask("cuDeviceGetAttribute", ctypes.byref(minor), 76, device)
    found.append([name.value.decode("utf-8", "replace"), major.value, minor.value])
print(json.dumps(found))
"""


class Gpu(NamedTuple):
    """One GPU, as the driver tells of it.

    Attributes:
      number: its place in PCI bus order, which is nvidia-smi's.
      name: the product.
      driver: the driver's version, or ``""`` where it is not known.
      capability: compute capability, or None where it is not known.
      uuid: the identity that ``CUDA_VISIBLE_DEVICES`` may name, or ``""``.
    """

    number: int
    name: str
    driver: str
    capability: Optional[Capability]
    uuid: str = ""


class Build(NamedTuple):
    """The installed TensorFlow, as its files tell.

    Attributes:
      found: whether there is one.
      cuda: the CUDA version that it was built for, such as ``"10"``; None for a CPU-only build.
    """

    found: bool
    cuda: Optional[str]


def find_gpus(timeout: float = QUERY_TIMEOUT) -> Tuple[List[Gpu], str]:
    """Every NVIDIA GPU, whether visible to CUDA programs or not, in PCI bus order.

    Args:
      timeout: seconds that each question to the driver may take.

    Returns:
      The GPUs, and why there may be more than these, or ``""``.
    """
    gpus, note = _ask_nvidia_smi(timeout)
    if gpus and all(gpu.capability for gpu in gpus):
        return gpus, note
    if library_paths([DRIVER_LIBRARY])[DRIVER_LIBRARY] is None:
        return gpus, note
    told, fault = _ask_driver(timeout)
    if not gpus:
        return told, note or fault
    # An old nvidia-smi does not know the field; the driver does, in the same order.
    known = {gpu.number: gpu.capability for gpu in told}
    return [gpu._replace(capability=gpu.capability or known.get(gpu.number)) for gpu in gpus], note or fault


def _ask_nvidia_smi(timeout: float) -> Tuple[List[Gpu], str]:
    program = shutil.which("nvidia-smi")
    if program is None:
        return [], ""
    # Drivers before 2021 do not know compute_cap and refuse the whole question.
    for fields in ((*FIELDS, "compute_cap"), FIELDS):
        query = [program, "--query-gpu=" + ",".join(fields), "--format=csv,noheader"]
        code, output = run_for(query, timeout)
        if code is None:
            return [], "nvidia-smi does not answer"
        if code == 0:
            return _parse(output, fields), ""
        if "not a valid field" not in output:
            break
    return [], "nvidia-smi fails: " + (output.strip().splitlines() or ["without a word"])[0]


def _parse(output: str, fields: Sequence[str]) -> List[Gpu]:
    """GPUs from nvidia-smi's comma-separated lines; a line of another shape is left out."""
    gpus = []
    for line in output.splitlines():
        values = dict(zip(fields, (value.strip() for value in line.split(","))))
        if len(values) != len(fields) or not values["index"].isdigit():
            continue
        found = re.match(r"(\d+)\.(\d+)$", values.get("compute_cap", ""))
        capability = (int(found.group(1)), int(found.group(2))) if found else None
        number, driver = int(values["index"]), values["driver_version"]
        gpus.append(Gpu(number, values["name"], driver, capability, values["uuid"]))
    return gpus


def _ask_driver(timeout: float) -> Tuple[List[Gpu], str]:
    """Ask libcuda in a child process, which a broken driver may hang or kill."""
    environment = {name: value for name, value in os.environ.items() if name != "CUDA_VISIBLE_DEVICES"}
    environment["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
    code, output = run_for(script_command(ASK_DRIVER), timeout, environment)
    if code is None:
        return [], DRIVER_LIBRARY + " does not answer"
    if code != 0:
        return [], ""  # a library without a device behind it, as in CUDA's images
    found = json.loads(output)
    return [Gpu(index, name, "", (major, minor)) for index, (name, major, minor) in enumerate(found)], ""


def run_for(
    command: Sequence[str], timeout: float, environment: Optional[Mapping[str, str]] = None
) -> Tuple[Optional[int], str]:
    """Run a program for at most ``timeout`` seconds.

    Returns:
      Its exit code, or None where it was ended or could not start, and what it printed.
    """
    try:
        child = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=None if environment is None else dict(environment),
        )
    except OSError as error:
        return None, str(error)
    try:
        output, _ = child.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        child.kill()
        # What its own children hold open is not waited for.
        child.stdout.close()  # type: ignore[union-attr]
        child.wait()
        return None, ""
    return child.returncode, output.decode("utf-8", "replace")


def visible(gpus: Sequence[Gpu]) -> List[Gpu]:
    """The GPUs that ``CUDA_VISIBLE_DEVICES`` lets CUDA programs see; its numbers are in PCI bus order."""
    setting = os.environ.get("CUDA_VISIBLE_DEVICES")
    if setting is None:
        return list(gpus)
    found: List[Gpu] = []
    for word in setting.split(","):
        wanted = word.strip()
        fitting = [
            gpu
            for gpu in gpus
            if wanted == str(gpu.number) or (wanted[:4] == "GPU-" and gpu.uuid.startswith(wanted))
        ]
        if not fitting:
            break  # CUDA ignores what stands behind a device that is not there, -1 among them
        found.append(fitting[0])
    return found


def library_paths(names: Sequence[str] = CUDA_LIBRARIES) -> Dict[str, Optional[str]]:
    """Where the system's loader would find each library, or None."""
    folders = [folder for folder in os.environ.get("LD_LIBRARY_PATH", "").split(":") if folder]
    cached = _loader_cache()
    found: Dict[str, Optional[str]] = {}
    for name in names:
        paths = [os.path.join(folder, name) for folder in folders]
        found[name] = next((path for path in paths if os.path.exists(path)), cached.get(name))
    return found


def _loader_cache() -> Dict[str, str]:
    program = shutil.which("ldconfig", path=os.environ.get("PATH", os.defpath) + ":/sbin:/usr/sbin")
    output = run_for([program, "-p"], QUERY_TIMEOUT)[1] if program else ""
    return dict(re.findall(r"^\s*(\S+) \(.*=> (\S+)$", output, re.M))


def tensorflow_build(path: Optional[Sequence[str]] = None) -> Build:
    """What the TensorFlow on the module search path was built for, read from its files.

    Args:
      path: folders to search; ``sys.path`` by default.
    """
    for folder in sys.path if path is None else path:
        for name in BUILD_INFO:
            source = Path(folder or ".") / name
            if source.is_file():
                text = source.read_text(encoding="utf-8", errors="replace")
                if not re.search(r"^is_cuda_build\s*=\s*True", text, re.M):
                    return Build(True, None)
                version = re.search(r"^cuda_version_number\s*=\s*['\"]([^'\"]+)", text, re.M)
                # Stock 1.15 tells no more than "10"; one that tells nothing is taken for it.
                return Build(True, version.group(1) if version else "10")
    return Build(False, None)
