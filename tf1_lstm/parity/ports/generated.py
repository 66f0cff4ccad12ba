"""The model of any bundle as a port: the code that ``tf1-lstm export`` prints, with the bundle's weights."""

import linecache
import tempfile
from pathlib import Path
from typing import Any, Dict

from tf1_lstm.parity.bundle import Bundle
from tf1_lstm.parity.keras_code import keras_code
from tf1_lstm.parity.torch_code import torch_code
from tf1_lstm.parity.weight_files import torch_state, trained_of, write_keras


def keras_model(bundle: Bundle) -> Any:
    """Return the ``keras.Model`` of ``model_code.keras_code``."""
    trained = trained_of(bundle)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.weights.h5"
        write_keras(path, trained)
        return _run("\n".join(keras_code(trained, str(path))))["model"]


def torch_module(bundle: Bundle) -> Any:
    """Return the ``nn.Module`` of ``model_code.torch_code``."""
    import torch

    trained = trained_of(bundle)
    module = _run("\n".join(torch_code(trained)))["Model"]()
    module.load_state_dict({name: torch.tensor(array) for name, array in torch_state(trained).items()})
    return module


def _run(code: str) -> Dict[str, Any]:
    name = "<generated>"
    # TorchScript, and tracebacks, look for the source there.
    linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
    found: Dict[str, Any] = {"__name__": "generated"}
    exec(compile(code, name, "exec"), found)
    return found
