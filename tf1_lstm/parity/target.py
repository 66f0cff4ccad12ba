"""Find a port: ``module:callable``, ``module:Class``, or a file, as ``compare --port`` takes it.

Runs in the child process only, under the port's own Python.
"""

import difflib
import importlib
import importlib.util
import inspect
import os
import sys
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

KERAS, TORCH, FUNCTION = "keras", "torch", "function"
FRAMEWORKS = ("keras", "tensorflow", "torch", "onnxruntime", "safetensors", "h5py")
WEIGHTS_ONLY = (".weights.h5", ".safetensors", ".npz", ".ckpt", ".index", ".bin")


class Port(NamedTuple):
    """A port that was found.

    Attributes:
      kind: ``"keras"`` (a ``keras.Model``), ``"torch"`` (an ``nn.Module``) or ``"function"``
        (inputs in, logits out: nothing else is visible).
      model: the model or function.
      source: the module or file it came from.
    """

    kind: str
    model: Any
    source: str


class TargetError(Exception):
    """The target cannot be found or is not something that can be compared."""


def load_target(target: str, bundle: Any) -> Port:
    """Import or load a port.

    Args:
      target: as typed.
      bundle: a recipe's, or that of a graph; given to what has a parameter named ``bundle``.
    """
    try:
        return _load(target, bundle)
    except ModuleNotFoundError as error:
        package = (error.name or "").split(".")[0]
        if package not in FRAMEWORKS:
            raise
        raise TargetError(
            f"{sys.executable} has no {package}: make ports makes .venv-ports, which has it, or name a "
            "Python by --python"
        ) from error


def _load(target: str, bundle: Any) -> Port:
    path = Path(target)
    if path.name.endswith(WEIGHTS_ONLY):
        raise TargetError(
            f"{path}: weights without a model; give module:Class or FILE.py:name of what loads them"
        )
    if path.suffix in (".keras", ".h5") or (path / "saved_model.pb").is_file():
        return _load_keras_file(path)
    if path.suffix in (".pt", ".pth", ".ts", ".torchscript"):
        return _load_torch_file(path)
    if path.suffix == ".onnx":
        return _load_onnx_file(path)
    module_name, colon, name = target.rpartition(":")
    if not colon or not module_name:
        hint = f"; of a file of Python the name in it is needed, as in {target}:MyModel"
        raise TargetError(
            f"{target!r}: expected module:callable, module:Class, FILE.py:name, a .keras or .onnx file, a "
            f"SavedModel folder or a TorchScript file (.pt){hint if path.suffix == '.py' else ''}"
        )
    found: Any = _import(module_name)
    for part in name.split("."):
        if not hasattr(found, part):
            names = [n for n in dir(found) if not n.startswith("_")]
            near = (
                difflib.get_close_matches(part, names, 3, 0.5) or [n for n in names if n in vars(found)][:5]
            )
            raise TargetError(
                f"{module_name} has no {part!r}; expected a name in it, such as {', '.join(near)}"
            )
        found = getattr(found, part)
    return as_port(_built(found, bundle), target)


def _import(name: str) -> Any:
    """Import a module, or a file by its path (``folder/port.py``)."""
    if not name.endswith(".py"):
        # Last: no file of the folder takes the place of an installed or a standard module.
        sys.path.append(os.getcwd())
        if importlib.util.find_spec(name.split(".", maxsplit=1)[0]) is None:
            raise TargetError(f"no module {name!r} here or installed; expected one, or FILE.py:name")
        return importlib.import_module(name)
    path = Path(name)
    if not path.is_file():
        raise TargetError(f"{name}: no such file")
    sys.path.append(str(path.parent.resolve()))
    # By a name of its own, so that a port may be called keras.py.
    spec = importlib.util.spec_from_file_location(f"port_{path.stem}", str(path.resolve()))
    if spec is None or spec.loader is None:
        raise TargetError(f"{name}: not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _built(found: Any, bundle: Any) -> Any:
    """Call a class, or a function that takes a bundle; return anything else as it is."""
    if not callable(found):
        return found
    try:
        parameters = inspect.signature(found).parameters
    except (TypeError, ValueError):
        parameters = MappingProxyType({})
    if "bundle" in parameters:
        return found(bundle)
    needed = [
        name
        for name, parameter in parameters.items()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    if inspect.isclass(found) and needed:
        raise TargetError(
            f"{found.__name__} needs {', '.join(needed)}: call the parameter that takes the bundle 'bundle', "
            "or give a function without parameters that returns the model"
        )
    if not inspect.isclass(found) and inspect.isfunction(found) and not parameters:
        return found()
    return found() if inspect.isclass(found) else found


def as_port(model: Any, source: str) -> Port:
    """Say what kind of port an object is, without importing a framework that it does not use."""
    keras, torch = sys.modules.get("keras"), sys.modules.get("torch")
    if keras is not None and isinstance(model, keras.Model):
        return Port(KERAS, model, source)
    if torch is not None and isinstance(model, torch.nn.Module):
        return Port(TORCH, model, source)
    if not callable(model):
        raise TargetError(f"{source}: a {type(model).__name__}, which cannot be called")
    return Port(FUNCTION, model, source)


def _load_keras_file(path: Path) -> Port:
    if not path.exists():
        raise TargetError(f"{path}: no such file")
    import keras

    if path.suffix == ".h5":
        return Port(KERAS, _legacy_keras(path), str(path))
    if path.suffix == ".keras":
        _register_cells()
        # Safe mode refuses Python code that is stored in the file.
        return Port(KERAS, keras.models.load_model(path, compile=True, safe_mode=True), str(path))
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))
    signature = loaded.signatures["serving_default"]
    (name, spec), *more = signature.structured_input_signature[1].items()
    if more:
        raise TargetError(f"{path}: serving_default has {1 + len(more)} inputs, expected 1")

    def serve(inputs: np.ndarray) -> np.ndarray:
        outputs = list(signature(**{name: tf.cast(inputs, spec.dtype)}).values())
        return outputs[0].numpy()

    # The signature lives as long as what it was loaded from.
    serve.loaded = loaded  # type: ignore[attr-defined]
    return Port(FUNCTION, serve, str(path))


def _legacy_keras(path: Path) -> Any:
    """Return the model of a file of Keras 1 or 2, where it holds one."""
    import h5py
    import keras

    with h5py.File(str(path), "r") as file:
        if "model_config" not in file.attrs:
            raise TargetError(
                f"{path}: weights without a model; give module:Class or FILE.py:name of what loads them"
            )
    return keras.models.load_model(path, compile=False)


def _register_cells() -> None:
    """Let Keras find the cells that ``export --to keras`` puts into a whole model."""
    importlib.import_module("tf1_lstm.parity.ports.keras_cells")


def _load_onnx_file(path: Path) -> Port:
    if not path.is_file():
        raise TargetError(f"{path}: no such file")
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    given = session.get_inputs()
    kinds = {"int32": np.int32, "int64": np.int64, "float": np.float32, "double": np.float64}
    for each in given:
        if each.type[len("tensor(") : -1] not in kinds:
            raise TargetError(f"{path}: its input is a {each.type}, expected one of {', '.join(kinds)}")

    def run(*inputs: np.ndarray) -> np.ndarray:
        if len(inputs) != len(given):
            raise TargetError(f"{path}: has {len(given)} inputs, expected {len(inputs)}")
        named = {
            each.name: array.astype(kinds[each.type[len("tensor(") : -1]])
            for each, array in zip(given, inputs)
        }
        return session.run(None, named)[0]

    return Port(FUNCTION, run, str(path))


def _load_torch_file(path: Path) -> Port:
    if not path.is_file():
        raise TargetError(f"{path}: no such file")
    import torch

    try:
        return Port(TORCH, torch.jit.load(str(path), map_location="cpu"), str(path))
    except RuntimeError as error:
        raise TargetError(
            f"{path}: not TorchScript ({str(error).splitlines()[0]}); a state dict has no model: "
            "give module:Class instead"
        ) from error
