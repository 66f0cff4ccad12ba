"""Which device TensorFlow may use here; a GPU that CUDA 10 cannot drive is refused with the reason.

Imports no TensorFlow. Standard library and Python 3.6 syntax only, because ``doctor`` reports from
here in environments where nothing else works.
"""

import re
from contextlib import contextmanager
from typing import Any, Dict, Iterator, List, NamedTuple, Optional

from tf1_lstm.errors import InputError
from tf1_lstm.gpus import (
    QUERY_TIMEOUT,
    Build,
    Gpu,
    find_gpus,
    library_paths,
    tensorflow_build,
    visible,
)

CHOICES = ("auto", "cpu", "gpu")
# TensorFlow 1.15's own lowest compute capability, and the highest that CUDA 10 knows.
OLDEST, NEWEST = (3, 5), (7, 5)
# The first Linux driver for CUDA 10.0.
OLDEST_DRIVER = (410, 48)
OTHER_IMAGE = "NVIDIA's TensorFlow 1.15 image (docs/container.md)"


class Device(NamedTuple):
    """Where TensorFlow is going to run.

    Attributes:
      name: ``"cpu"`` or ``"gpu"``.
      reason: one line for the user.
      environment: variables to set before TensorFlow is imported.
    """

    name: str
    reason: str
    environment: Dict[str, str]


def check_device(choice: str = "auto", timeout: float = QUERY_TIMEOUT) -> Device:
    """Choose the device, or refuse a GPU on which TensorFlow 1.15 would hang or compute wrongly.

    Args:
      choice: ``"cpu"``; ``"gpu"``, refused where there is none that can be used; or ``"auto"``: a
        GPU where one can be used, else the CPU, and refused where TensorFlow would find and use a
        GPU that it must not use.
      timeout: seconds for each question to the driver.

    Raises:
      InputError: the GPU is refused; the message names it, the reason and the ways out.
    """
    if choice not in CHOICES:
        raise InputError(f"--device: found {choice!r}, expected one of {', '.join(CHOICES)}")
    if choice == "cpu":
        return _cpu("asked for with --device cpu")
    build = tensorflow_build()
    every, note = find_gpus(timeout)
    gpus = visible(every)
    if not gpus:
        return _cpu_unless(choice == "gpu", note or "no NVIDIA GPU is visible")
    if build.cuda is None:
        return _cpu_unless(choice == "gpu", "the installed TensorFlow has no GPU code")
    if not is_cuda_10(build):
        reason = f"{gpus[0].name} with CUDA {build.cuda}; not stock TensorFlow 1.15, so not the same bits"
        return Device("gpu", reason, {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"})
    missing = [name for name, path in library_paths().items() if path is None]
    return _stock_device(choice, gpus, missing)


def is_cuda_10(build: Build) -> bool:
    """Whether a TensorFlow is limited to the GPUs that CUDA 10 can drive."""
    return build.cuda is not None and build.cuda.split(".")[0] == "10"


def _stock_device(choice: str, gpus: List[Gpu], missing: List[str]) -> Device:
    """The device of the stock wheel, which looks at every visible GPU."""
    faults = [fault for fault in map(fault_of, gpus) if fault]
    dangerous = [fault for fault, gpu in zip(map(fault_of, gpus), gpus) if fault and is_dangerous(gpu)]
    if dangerous and (choice == "gpu" or not missing):
        raise InputError(f"--device {choice}: {dangerous[0]}; expected {_ways_out(gpus)}")
    if missing:
        reason = f"{missing[0]} is not found, and without it TensorFlow 1.15 uses no GPU"
        return _cpu_unless(choice == "gpu", reason)
    if len(faults) == len(gpus):
        return _cpu_unless(choice == "gpu", faults[0])
    name = next(gpu.name for gpu in gpus if fault_of(gpu) is None)
    return Device("gpu", f"{name} with CUDA 10.0", {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"})


def _cpu(reason: str) -> Device:
    # GPUs are hidden from TensorFlow as well, so that nothing can hang where it sees one after all.
    return Device("cpu", reason, {"CUDA_VISIBLE_DEVICES": "-1"})


def _cpu_unless(refused: bool, reason: str) -> Device:
    if refused:
        raise InputError(f"--device gpu: {reason}; expected a GPU that CUDA 10.0 can drive, or --device cpu")
    return _cpu(reason)


def _ways_out(gpus: List[Gpu]) -> str:
    usable = ",".join(str(gpu.number) for gpu in gpus if fault_of(gpu) is None)
    chosen = [f"CUDA_DEVICE_ORDER=PCI_BUS_ID CUDA_VISIBLE_DEVICES={usable}"] if usable else []
    return ", or ".join([*chosen, "--device cpu", OTHER_IMAGE])


def is_dangerous(gpu: Gpu) -> bool:
    """Whether stock TensorFlow 1.15 might start on a GPU and then hang or compute wrongly."""
    return gpu.capability is None or gpu.capability > NEWEST


def fault_of(gpu: Gpu) -> Optional[str]:
    """Why stock TensorFlow 1.15 must not or cannot use a GPU; None where it can."""
    if gpu.capability is None:
        return f"GPU {gpu.number} ({gpu.name}) does not tell its compute capability"
    found = f"GPU {gpu.number} ({gpu.name}) has compute capability {gpu.capability[0]}.{gpu.capability[1]}"
    if gpu.capability > NEWEST:
        limit = f"CUDA 10 drives none above {NEWEST[0]}.{NEWEST[1]}"
        return f"{found}, and {limit}: TensorFlow 1 hangs there, or computes wrong numbers"
    if gpu.capability < OLDEST:
        return f"{found}, and TensorFlow 1.15 drives none below {OLDEST[0]}.{OLDEST[1]}"
    driver = tuple(int(part) for part in re.findall(r"\d+", gpu.driver)[:2])
    if driver and driver < OLDEST_DRIVER:
        return f"GPU {gpu.number} ({gpu.name}) has driver {gpu.driver}, and CUDA 10.0 needs 410.48 or later"
    return None


def gpu_determinism() -> Dict[str, str]:
    """The environment for the same bits again on a GPU, to be set before TensorFlow is imported.

    ``TF_CUDNN_DETERMINISTIC`` is the one that stock 1.15 reads. ``TF_DETERMINISTIC_OPS`` came with
    2.1; NVIDIA's own 1.15 reads it too, and ``NVIDIA_TF32_OVERRIDE=0`` keeps that one from rounding
    to TF32. Variables do not suffice with stock 1.15: the gradient of ``tf.nn.bias_add`` adds in no
    fixed order (see :func:`bias_added_in_order`); the fused softmax cross-entropy is known not to
    repeat either, so that exact mode has to place it on the CPU; XLA's reductions repeat from 2.2 on
    only. ``TF_USE_CUDNN_AUTOTUNE`` may not be set at all.

    Source: the documentation of NVIDIA's tensorflow-determinism (now framework-reproducibility), and
    the names in the 1.15.0 wheel's libraries. This project has not run it on a GPU.
    """
    return {"TF_CUDNN_DETERMINISTIC": "1", "TF_DETERMINISTIC_OPS": "1", "NVIDIA_TF32_OVERRIDE": "0"}


@contextmanager
def bias_added_in_order(nn_ops: Any, math_ops: Any) -> Iterator[None]:
    """Let graphs that are built inside add biases by ``math_ops.add``, whose gradient sums in one order.

    TensorFlow's cells look ``bias_add`` up in its module whenever they are called, so that replacing
    it there reaches them. NVIDIA's tensorflow-determinism does the same for stock 1.14 to 2.0.

    Args:
      nn_ops: the module ``tensorflow.python.ops.nn_ops``.
      math_ops: the module ``tensorflow.python.ops.math_ops``.

    Raises:
      ValueError: a bias that is not for the last dimension, which no recurrent cell has.
    """

    def bias_add(value: Any, bias: Any, data_format: Optional[str] = None, name: Optional[str] = None) -> Any:
        if data_format not in (None, "NHWC"):
            raise ValueError(f"a bias in {data_format} cannot be added in order")
        return math_ops.add(value, bias, name=name)

    original = nn_ops.bias_add
    nn_ops.bias_add = bias_add
    try:
        yield
    finally:
        nn_ops.bias_add = original
