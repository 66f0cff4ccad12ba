"""Choosing the device. No GPU is needed: nvidia-smi, libcuda, the loader's cache and TensorFlow's
build are fakes, small programs and files in front of the real ones. No real GPU has run these tests.
"""

import mmap
import os
import subprocess
from pathlib import Path
from typing import Any, List

import numpy as np
import pytest

from tf1_lstm.devices import bias_added_in_order, check_device, fault_of, gpu_determinism
from tf1_lstm.errors import InputError
from tf1_lstm.gpus import CUDA_LIBRARIES, Build, Gpu, find_gpus, library_paths, tensorflow_build, visible

V100 = "0, Tesla V100-SXM2-16GB, 470.57, GPU-aaaa, 7.0"
RTX_3090 = "1, NVIDIA GeForce RTX 3090, 470.57, GPU-bbbb, 8.6"
K20 = "0, Tesla K20, 390.10, GPU-cccc, 3.0"

FAKE_LIBCUDA = """
int cuInit(unsigned flags) { return INIT; }
int cuDeviceGetCount(int *count) { *count = 1; return 0; }
int cuDeviceGet(int *device, int number) { *device = number; return 0; }
int cuDeviceGetName(char *name, int length, int device) { name[0] = 'X'; name[1] = 0; return 0; }
int cuDeviceGetAttribute(int *value, int which, int device) { *value = which == 75 ? 8 : 9; return 0; }
"""


class FakeMachine:
    """Programs and libraries that stand before the real ones."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.programs = folder / "bin"
        self.libraries = folder / "lib"
        self.site = folder / "site"
        for path in (self.programs, self.libraries, self.site):
            path.mkdir()
        # Nothing else on PATH but the shell, so that a real nvidia-smi is not found.
        (self.programs / "sh").symlink_to("/bin/sh")
        monkeypatch.setenv("PATH", str(self.programs))
        monkeypatch.setenv("LD_LIBRARY_PATH", str(self.libraries))
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        monkeypatch.syspath_prepend(str(self.site))
        self.program("ldconfig", "exit 0")
        self.tensorflow("is_cuda_build = True\ncuda_version_number = '10'\n")

    def program(self, name: str, script: str) -> None:
        """Put a shell script on PATH."""
        path = self.programs / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def nvidia_smi(self, *lines: str) -> None:
        """An nvidia-smi that knows compute_cap."""
        self.program("nvidia-smi", "\n".join(f"echo '{line}'" for line in lines))

    def cuda_10(self) -> None:
        """Every library that TensorFlow 1.15 looks for, as an empty file."""
        for name in CUDA_LIBRARIES:
            (self.libraries / name).write_bytes(b"")

    def tensorflow(self, build_info: str) -> None:
        """A TensorFlow of which there is no more than the file about its build."""
        path = self.site / "tensorflow_core/python/platform/build_info.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(build_info)

    def libcuda(self, init: int = 0) -> None:
        """A driver library with one GPU of compute capability 8.9; ``init`` is what cuInit returns."""
        compiler = next((path for path in ("/usr/bin/cc", "/usr/bin/gcc") if os.path.exists(path)), None)
        if compiler is None:
            pytest.skip("no C compiler to make the fake libcuda with")
        source = self.libraries / "cuda.c"
        source.write_text(FAKE_LIBCUDA.replace("INIT", str(init)))
        library = str(self.libraries / "libcuda.so.1")
        command = [compiler, "-shared", "-fPIC", "-o", library, str(source)]
        subprocess.run(command, env={"PATH": "/usr/bin:/bin"}, check=True)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeMachine:
    return FakeMachine(tmp_path, monkeypatch)


def test_runs_on_the_cpu_where_there_is_no_gpu(machine):
    device = check_device("auto")
    assert (device.name, device.environment) == ("cpu", {"CUDA_VISIBLE_DEVICES": "-1"})
    assert "no NVIDIA GPU" in device.reason


def test_asking_for_a_gpu_where_there_is_none_is_refused(machine):
    with pytest.raises(InputError, match=r"--device gpu: no NVIDIA GPU is visible; expected .* --device cpu"):
        check_device("gpu")


@pytest.mark.parametrize("choice", ["auto", "gpu"])
def test_uses_a_gpu_that_cuda_10_can_drive(machine, choice):
    machine.nvidia_smi(V100)
    machine.cuda_10()
    device = check_device(choice)
    assert device.name == "gpu"
    assert "V100" in device.reason


@pytest.mark.parametrize("choice", ["auto", "gpu"])
def test_refuses_compute_capability_8_with_the_reason_and_the_choice(machine, choice):
    machine.nvidia_smi(RTX_3090)
    machine.cuda_10()
    with pytest.raises(InputError) as caught:
        check_device(choice)
    message = str(caught.value)
    for part in ("RTX 3090", "8.6", "CUDA 10", "hangs", "--device cpu", "NVIDIA's TensorFlow 1.15 image"):
        assert part in message
    assert "\n" not in message


def test_the_cpu_is_chosen_on_any_machine(machine):
    machine.nvidia_smi(RTX_3090)
    machine.cuda_10()
    assert check_device("cpu").name == "cpu"


def test_a_new_gpu_that_tensorflow_cannot_reach_does_not_stop_the_cpu(machine):
    machine.nvidia_smi(RTX_3090)  # without CUDA 10's libraries
    device = check_device("auto")
    assert device.name == "cpu"
    assert "libcudart.so.10.0" in device.reason
    # Hidden, should TensorFlow find libraries where this project did not.
    assert device.environment["CUDA_VISIBLE_DEVICES"] == "-1"


def test_one_missing_library_is_named(machine):
    machine.nvidia_smi(V100)
    machine.cuda_10()
    (machine.libraries / "libcudnn.so.7").unlink()
    assert "libcudnn.so.7" in check_device("auto").reason
    with pytest.raises(InputError, match=r"libcudnn\.so\.7"):
        check_device("gpu")


def test_two_gpus_of_which_one_can_be_used_are_refused_with_the_way_to_choose_it(machine, monkeypatch):
    machine.nvidia_smi(V100, RTX_3090)
    machine.cuda_10()
    with pytest.raises(InputError, match="CUDA_DEVICE_ORDER=PCI_BUS_ID CUDA_VISIBLE_DEVICES=0,"):
        check_device("auto")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert check_device("auto").name == "gpu"


@pytest.mark.parametrize("line", [K20, "0, Tesla V100, 396.26, GPU-d, 7.0"])
def test_too_old_a_gpu_or_driver_leaves_the_cpu(machine, line):
    machine.nvidia_smi(line)
    machine.cuda_10()
    assert check_device("auto").name == "cpu"
    with pytest.raises(InputError, match="--device cpu"):
        check_device("gpu")


def test_nvidias_own_tensorflow_runs_on_new_gpus_and_says_that_the_bits_differ(machine):
    machine.nvidia_smi(RTX_3090)
    machine.tensorflow("is_cuda_build = True\ncuda_version_number = '12.1'\n")
    device = check_device("auto")
    assert device.name == "gpu"
    assert "not the same bits" in device.reason


def test_a_tensorflow_without_gpu_code_runs_on_the_cpu(machine):
    machine.nvidia_smi(RTX_3090)
    machine.cuda_10()
    machine.tensorflow("is_cuda_build = False\n")
    assert check_device("auto").name == "cpu"


def test_a_hanging_nvidia_smi_ends_in_time(machine):
    machine.program("nvidia-smi", "while :; do :; done")
    device = check_device("auto", timeout=0.3)
    assert (device.name, device.reason) == ("cpu", "nvidia-smi does not answer")


def test_a_failing_nvidia_smi_is_quoted(machine):
    machine.program("nvidia-smi", "echo 'NVIDIA-SMI has failed: no driver'; exit 9")
    assert "NVIDIA-SMI has failed: no driver" in check_device("auto").reason


def test_an_unknown_choice_is_refused(machine):
    with pytest.raises(InputError, match="'tpu', expected one of auto, cpu, gpu"):
        check_device("tpu")


def test_an_nvidia_smi_too_old_for_compute_cap_is_completed_by_the_driver(machine):
    machine.program(
        "nvidia-smi",
        'case "$*" in *compute_cap*) echo "Field compute_cap is not a valid field to query."; exit 2; esac\n'
        "echo '0, NVIDIA RTX 4090, 460.32, GPU-e'",
    )
    machine.libcuda()
    machine.cuda_10()
    assert find_gpus()[0] == [Gpu(0, "NVIDIA RTX 4090", "460.32", (8, 9), "GPU-e")]
    with pytest.raises(InputError, match=r"8\.9"):
        check_device("auto")


def test_a_gpu_whose_capability_nobody_tells_is_refused(machine):
    machine.nvidia_smi("0, Mystery, 470.57, GPU-f, [N/A]")
    machine.cuda_10()
    with pytest.raises(InputError, match="does not tell its compute capability"):
        check_device("auto")


def test_gpus_are_found_without_nvidia_smi(machine):
    machine.libcuda()
    assert find_gpus()[0] == [Gpu(0, "X", "", (8, 9))]


def test_the_stub_library_of_cuda_images_is_no_gpu(machine):
    machine.libcuda(init=34)  # CUDA_ERROR_STUB_LIBRARY
    assert find_gpus() == ([], "")


@pytest.mark.parametrize(
    ("setting", "expected"),
    [("0,1", [0, 1]), ("1,0", [1, 0]), ("", []), ("-1", []), ("0,-1,1", [0]), ("GPU-b", [1]), ("7", [])],
)
def test_visible_gpus_are_chosen_as_cuda_does(monkeypatch, setting: str, expected: List[int]):
    gpus = [Gpu(0, "a", "", (7, 0), "GPU-aaaa"), Gpu(1, "b", "", (7, 0), "GPU-bbbb")]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", setting)
    assert [gpu.number for gpu in visible(gpus)] == expected


def test_capabilities_from_3_5_to_7_5_are_used():
    usable = [
        (major, minor)
        for major in range(2, 13)
        for minor in range(10)
        if fault_of(Gpu(0, "", "470.57", (major, minor))) is None
    ]
    # CUDA 10.0's last is Turing, 7.5; TensorFlow 1.15's first is 3.5.
    assert (min(usable), max(usable)) == ((3, 5), (7, 5))


def test_libraries_are_found_as_the_loader_finds_them(machine):
    (machine.libraries / "libcudnn.so.7").write_bytes(b"")
    machine.program("ldconfig", "printf '\\tlibcudart.so.10.0 (libc6,x86-64) => /cuda/libcudart.so.10.0\\n'")
    paths = library_paths()
    assert paths["libcudnn.so.7"] == str(machine.libraries / "libcudnn.so.7")
    assert paths["libcudart.so.10.0"] == "/cuda/libcudart.so.10.0"
    assert paths["libcublas.so.10.0"] is None


def test_the_build_is_read_from_files(tmp_path: Path):
    assert tensorflow_build([str(tmp_path), str(tmp_path / "no such folder")]) == Build(False, None)


def test_the_installed_wheel_is_recognised_as_cuda_10():
    pytest.importorskip("tensorflow", minversion="1.15.0")
    assert tensorflow_build() == Build(True, "10")


def lstm_run(tf: Any, in_order: bool) -> Any:
    """Outputs, gradients of the weights and op types of a small LSTM with fixed weights."""
    from tensorflow.python.ops import math_ops, nn_ops

    numbers = np.random.RandomState(0)
    inputs = numbers.randn(3, 5, 4).astype(np.float32)
    with tf.Graph().as_default() as graph, tf.compat.v1.Session() as session:
        cell = tf.compat.v1.nn.rnn_cell.BasicLSTMCell(6)
        if in_order:
            with bias_added_in_order(nn_ops, math_ops):
                outputs, _ = tf.compat.v1.nn.dynamic_rnn(cell, inputs, dtype=tf.float32)
        else:
            outputs, _ = tf.compat.v1.nn.dynamic_rnn(cell, inputs, dtype=tf.float32)
        kernel, bias = tf.compat.v1.trainable_variables()
        gradients = tf.gradients(tf.reduce_sum(outputs**2), [kernel, bias])
        kernel.load(numbers.randn(10, 24).astype(np.float32), session)
        bias.load(numbers.randn(24).astype(np.float32), session)
        types = {operation.type for operation in graph.get_operations()}
        return session.run(outputs), session.run(gradients), types


def test_biases_added_in_order_give_the_same_numbers_without_bias_add():
    from tf1_lstm.graphs.quiet import tf

    expected, expected_gradients, types = lstm_run(tf, in_order=False)
    outputs, gradients, ordered_types = lstm_run(tf, in_order=True)
    assert {"BiasAdd", "BiasAddGrad"} <= types
    assert not {"BiasAdd", "BiasAddGrad"} & ordered_types
    np.testing.assert_array_equal(outputs, expected)
    for gradient, reference in zip(gradients, expected_gradients):
        np.testing.assert_allclose(gradient, reference, rtol=1e-5, atol=1e-5)


def test_bias_add_is_put_back_even_after_an_error():
    from tensorflow.python.ops import math_ops, nn_ops

    original = nn_ops.bias_add
    with pytest.raises(ValueError, match="NCHW"), bias_added_in_order(nn_ops, math_ops):
        nn_ops.bias_add(None, None, data_format="NCHW")
    assert nn_ops.bias_add is original


@pytest.mark.slow
def test_the_stock_wheel_reads_the_one_variable_and_not_the_other():
    tensorflow = pytest.importorskip("tensorflow", minversion="1.15.0")
    folder = Path(tensorflow.__file__).parents[1] / "tensorflow_core"
    libraries = [
        folder / "python/_pywrap_tensorflow_internal.so",
        *folder.glob("libtensorflow_framework.so.1"),
    ]
    found = set()
    for library in libraries:
        with library.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            found |= {name for name in gpu_determinism() if content.find(name.encode()) >= 0}
    assert found == {"TF_CUDNN_DETERMINISTIC"}
