"""The device of a command, settled before TensorFlow is imported."""

import os
import sys

from tf1_lstm.devices import check_device, gpu_determinism


def use_device(choice: str, exact: bool = True) -> str:
    """Check ``--device`` and set the environment that it needs.

    Args:
      choice: ``auto``, ``cpu`` or ``gpu``.
      exact: on a GPU also set what makes its numbers repeat.

    Returns:
      ``"cpu"`` or ``"gpu"``.

    Raises:
      InputError: a GPU that TensorFlow 1.15 would hang on, or compute wrongly with.
    """
    device = check_device(choice)
    os.environ.update(device.environment)
    if device.name == "gpu":
        if exact:
            os.environ.update(gpu_determinism())
            # Trying algorithms out would choose among them by time.
            os.environ.pop("TF_USE_CUDNN_AUTOTUNE", None)
        print(f"tf1-lstm: on a GPU: {device.reason}", file=sys.stderr)
    return device.name
