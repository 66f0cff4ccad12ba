"""GPUs, their driver, and the libraries that TensorFlow 1.15 wants for them."""

import os
from typing import List

from tf1_lstm.devices import OTHER_IMAGE, fault_of, is_cuda_10
from tf1_lstm.doctor.findings import OK, WARNING, Clock, Finding
from tf1_lstm.gpus import CUDA_LIBRARIES, Build, Gpu, find_gpus, library_paths, visible

# Where CUDA's installers put libraries that the loader does not look at by itself.
USUAL_FOLDERS = ("/usr/local/cuda-10.0/lib64", "/usr/local/cuda/lib64", "/usr/lib/cuda/lib64")
QUESTION = 1.4  # seconds for each question to the driver


def examine_gpus(build: Build, clock: Clock) -> List[Finding]:
    """Examine every GPU, and the libraries.

    Args:
      build: the TensorFlow that was found.
      clock: what is left of the examination.
    """
    every, note = find_gpus(min(QUESTION, clock.left()))
    seen = visible(every)
    findings = [examine_gpu(gpu, gpu in seen, build) for gpu in every]
    if note:
        findings.append(Finding("gpu", "driver", WARNING, note, "fix the driver, or use --device cpu"))
    elif not every:
        findings.append(Finding("gpu", "GPU", OK, "none; TensorFlow runs on the CPU"))
    if build.found and build.cuda is None:
        found = "this TensorFlow has no GPU code"
        findings.append(Finding("gpu", "TensorFlow", WARNING if every else OK, found))
    elif not build.found or is_cuda_10(build):
        findings.append(examine_libraries(wanted=bool(seen)))
    else:
        findings.append(Finding("gpu", "TensorFlow", OK, f"built for CUDA {build.cuda}"))
    return findings


def examine_gpu(gpu: Gpu, is_visible: bool, build: Build) -> Finding:
    """Say whether TensorFlow can use a GPU."""
    capability = ".".join(map(str, gpu.capability)) if gpu.capability else "unknown"
    driver = f", driver {gpu.driver}" if gpu.driver else ""
    found = f"{gpu.name}, compute capability {capability}{driver}"
    name = f"GPU {gpu.number}"
    if not is_visible:
        return Finding("gpu", name, OK, found + "; hidden by CUDA_VISIBLE_DEVICES")
    fault = fault_of(gpu) if not build.found or is_cuda_10(build) else None
    if fault:
        # The CPU remains, so that it is no more than a warning.
        fix = f"--device cpu, or {OTHER_IMAGE}"
        return Finding("gpu", name, WARNING, found + ": " + fault.split(", and ", 1)[-1], fix)
    return Finding("gpu", name, OK, found)


def examine_libraries(wanted: bool) -> Finding:
    """Look for CUDA 10.0's and cuDNN 7's libraries.

    Args:
      wanted: whether there is a GPU to use them with.
    """
    paths = library_paths()
    missing = [name for name, path in paths.items() if path is None]
    if not missing:
        return Finding("gpu", "CUDA 10.0, cuDNN 7", OK, os.path.dirname(paths[CUDA_LIBRARIES[0]] or ""))
    found = "not found: " + ("any of its libraries" if len(missing) == len(paths) else ", ".join(missing))
    if not wanted:
        return Finding("gpu", "CUDA 10.0, cuDNN 7", OK, found + " (they matter with a GPU only)")
    folders = [folder for folder in USUAL_FOLDERS if os.path.exists(os.path.join(folder, missing[0]))]
    fix = f"export LD_LIBRARY_PATH={folders[0]}" if folders else "use the container (docs/container.md)"
    return Finding("gpu", "CUDA 10.0, cuDNN 7", WARNING, found, fix)
