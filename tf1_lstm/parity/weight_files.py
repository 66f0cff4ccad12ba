"""Weights in the files that Keras 3 and PyTorch users load: ``.weights.h5`` and ``.safetensors``.

Both are written without Keras or PyTorch, and hold numbers only: nothing in them is code.
"""

import json
import struct
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from tf1_lstm.files import replacing
from tf1_lstm.parity.layouts import KERAS_LAYERS, TORCH_LAYERS, to_keras, to_torch
from tf1_lstm.parity.optimizers import EMBEDDING
from tf1_lstm.parity.spec import Spec

Arrays = Dict[str, np.ndarray]
KERAS_CELLS = {"lstm_peephole": "PeepholeLSTMCell", "lstm_coupled": "CoupledLSTMCell"}
TORCH_CELLS = {"lstm_peephole": "PeepholeLSTM", "lstm_coupled": "CoupledLSTM", "gru": "ResetBeforeGRU"}


class Trained(NamedTuple):
    """What is written.

    Attributes:
      spec: the model.
      settings: of the recipe: ``steps``, ``input_size``, ``classes``.
      weights: role -> float32.
      vectors: the whole table of frozen word vectors ``[words, dimensions]``, or None.
    """

    spec: Spec
    settings: Mapping[str, Any]
    weights: Mapping[str, np.ndarray]
    vectors: Optional[np.ndarray]

    @property
    def table(self) -> Optional[np.ndarray]:
        """What ids are looked up in, trained or frozen; None where the inputs are rows."""
        return self.weights.get(EMBEDDING, self.vectors)


def write_keras(path: Union[str, Path], trained: Trained) -> None:
    """Write a ``.weights.h5`` that Keras 3's ``load_weights`` reads into the model of ``keras_lines``.

    Raises:
      InputError: the file cannot be written.
    """
    import h5py

    with replacing(path) as stream, h5py.File(stream, "w") as file:
        for name, arrays in _keras_layers(trained):
            group = file.require_group(f"layers/{name}/vars")
            for number, array in enumerate(arrays):
                group.create_dataset(str(number), data=array)
        file.require_group("vars")


def _keras_layers(trained: Trained) -> List[Tuple[str, Sequence[np.ndarray]]]:
    """Return (place in the file, weights) of each layer, as Keras names them: by class and count."""
    spec, weights = trained.spec, trained.weights
    found: List[Tuple[str, Sequence[np.ndarray]]] = []
    table = trained.table
    if table is not None:
        found.append(("embedding", [table]))
    layer_name = {"SimpleRNN": "simple_rnn", "LSTM": "lstm", "GRU": "gru"}.get(
        KERAS_LAYERS.get(spec.cell.name, ""), "rnn"
    )
    for layer in range(spec.layers):
        count = f"_{layer}" if layer else ""
        for direction in spec.directions:
            parts = spec.parts(weights, direction, layer)
            own = spec.cell.name in KERAS_LAYERS
            arrays = to_keras(spec.cell, parts) if own else [parts[n] for n in spec.cell.shapes(1)]
            place = f"{layer_name}{count}"
            if spec.bidirectional:
                place = f"bidirectional{count}/{'forward' if direction == 'fw' else 'backward'}_layer"
            found.append((f"{place}/cell", arrays))
    if spec.dense_units:
        found.append(("dense", [weights["dense/kernel"], weights["dense/bias"]]))
    last = "dense_1" if spec.dense_units else "dense"
    found.append((last, [weights["softmax/weights"], weights["softmax/bias"]]))
    return found


def keras_lines(trained: Trained, path: str) -> List[str]:
    """Return the lines that build the model and load the file; its last numbers are logits."""
    spec, settings = trained.spec, trained.settings
    imports = ["import keras"]
    if spec.cell.name in KERAS_CELLS:
        imports.append(f"from tf1_lstm.parity.ports.keras_cells import {KERAS_CELLS[spec.cell.name]}")
    last = [f"keras.layers.Dense({spec.outputs(settings['classes'])})"]
    if spec.dense_units:
        last.insert(0, f'keras.layers.Dense({spec.dense_units}, activation="relu")')
    shape: Tuple[int, ...] = (settings["steps"], settings["input_size"])
    first: List[str] = []
    table = trained.table
    if table is not None:
        shape = (None,) if settings.get("any_steps") else (settings["steps"],)
        frozen = "" if spec.trains_embedding else ", trainable=False"
        first = [f"keras.layers.Embedding({table.shape[0]}, {table.shape[1]}{frozen})"]
    load = f"model.load_weights({path!r})"
    if spec.bidirectional and not spec.joined_layers:
        read = f"{first[0]}(inputs)" if first else "inputs"
        both = f"keras.layers.Bidirectional({_keras_layer(spec)}), merge_mode=None)({read})"
        logits = f"{both}[1]" if spec.readout == "backward-state" else f"keras.layers.Concatenate()({both})"
        for dense in last:
            logits = f"{dense}({logits})"
        lines = [f"inputs = keras.Input({shape})", f"model = keras.Model(inputs, {logits})"]
        return [*imports, *lines, load]
    stack = [f"{_keras_layer(spec)}, return_sequences=True)"] * (spec.layers - 1) + [f"{_keras_layer(spec)})"]
    if spec.bidirectional:
        stack = [f"keras.layers.Bidirectional({layer})" for layer in stack]
    layers = ", ".join([f"keras.Input({shape})", *first, *stack, *last])
    return [*imports, f"model = keras.Sequential([{layers}])", load]


def _keras_layer(spec: Spec) -> str:
    """Return a recurrent layer as it is written in Python, without its last bracket."""
    name, units = spec.cell.name, spec.cell.units
    if name in KERAS_CELLS:
        return f"keras.layers.RNN({KERAS_CELLS[name]}({units}, forget_bias={spec.cell.forget_bias:g})"
    reset = ", reset_after=False" if name == "gru" else ""
    return f"keras.layers.{KERAS_LAYERS[name]}({units}{reset}"


def write_torch(path: Union[str, Path], trained: Trained) -> None:
    """Write a state dict as ``.safetensors``: a length, a JSON table, and the numbers.

    Raises:
      InputError: the file cannot be written.
    """
    arrays = {n: np.ascontiguousarray(a, np.float32) for n, a in torch_state(trained).items()}
    table: Dict[str, Any] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for name, array in arrays.items():
        table[name] = {
            "dtype": "F32",
            "shape": list(array.shape),
            "data_offsets": [offset, offset + array.nbytes],
        }
        offset += array.nbytes
    header = json.dumps(table).encode("utf-8")
    header += b" " * (-len(header) % 8)  # the format wants the numbers aligned
    with replacing(path) as stream:
        stream.write(struct.pack("<Q", len(header)))
        stream.write(header)
        for array in arrays.values():
            stream.write(array.tobytes())


def torch_state(trained: Trained) -> Arrays:
    """Return the state dict of a module with the parts of ``_torch_parts``."""
    spec, found = trained.spec, {}
    if trained.table is not None:
        found["embedding.weight"] = trained.table
    for layer in range(spec.layers):
        for direction in spec.directions:
            parts = spec.parts(trained.weights, direction, layer)
            if spec.cell.name in TORCH_LAYERS:
                suffix = f"_l{layer}" + ("_reverse" if direction == "bw" else "")
                named = {name + suffix: array for name, array in to_torch(spec.cell, parts).items()}
            else:
                named = {part.replace("/", "_"): array for part, array in parts.items()}
            found.update({f"recurrent.{name}": array for name, array in named.items()})
    if spec.dense_units:
        found["dense.weight"] = trained.weights["dense/kernel"].T
        found["dense.bias"] = trained.weights["dense/bias"]
    found["linear.weight"] = trained.weights["softmax/weights"].T
    found["linear.bias"] = trained.weights["softmax/bias"]
    return found


def torch_lines(trained: Trained, path: str) -> List[str]:
    """Return the lines that load the file."""
    return [
        "from safetensors.torch import load_file",
        f"model.load_state_dict(load_file({path!r}))  # {', '.join(_torch_parts(trained))}",
    ]


def _torch_parts(trained: Trained) -> List[str]:
    """Return the names of a module's parts, those that hold weights, in order."""
    name = trained.spec.cell.name
    kind = f"nn.{TORCH_LAYERS[name]}" if name in TORCH_LAYERS else f"ports.torch_cells.{TORCH_CELLS[name]}"
    embedding = ["embedding"] if trained.table is not None else []
    dense = ["dense"] if trained.spec.dense_units else []
    return [*embedding, f"recurrent ({kind})", *dense, "linear"]
