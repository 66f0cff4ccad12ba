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
from tf1_lstm.parity.reference import Spec

Arrays = Dict[str, np.ndarray]
KERAS_CELLS = {"lstm_peephole": "PeepholeLSTMCell", "lstm_coupled": "CoupledLSTMCell"}
TORCH_CELLS = {"lstm_peephole": "PeepholeLSTM", "lstm_coupled": "CoupledLSTM", "gru": "ResetBeforeGRU"}


class Trained(NamedTuple):
    """What is written.

    Attributes:
      spec: the model.
      settings: of the recipe: ``steps``, ``input_size``, ``classes``.
      weights: role -> float32.
      vectors: the whole table of word vectors ``[words, dimensions]``, or None.
    """

    spec: Spec
    settings: Mapping[str, Any]
    weights: Mapping[str, np.ndarray]
    vectors: Optional[np.ndarray]


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
    spec = trained.spec
    found: List[Tuple[str, Sequence[np.ndarray]]] = []
    if trained.vectors is not None:
        found.append(("embedding", [trained.vectors]))
    layer_name = {"SimpleRNN": "simple_rnn", "LSTM": "lstm", "GRU": "gru"}.get(
        KERAS_LAYERS.get(spec.cell.name, ""), "rnn"
    )
    for layer in range(spec.layers):
        count = f"_{layer}" if layer else ""
        for direction in spec.directions:
            parts = spec.parts(trained.weights, direction, layer)
            own = spec.cell.name in KERAS_LAYERS
            arrays = to_keras(spec.cell, parts) if own else [parts[n] for n in spec.cell.shapes(1)]
            place = f"{layer_name}{count}"
            if spec.bidirectional:
                place = f"bidirectional{count}/{'forward' if direction == 'fw' else 'backward'}_layer"
            found.append((f"{place}/cell", arrays))
    found.append(("dense", [trained.weights["softmax/weights"], trained.weights["softmax/bias"]]))
    return found


def keras_lines(trained: Trained, path: str) -> List[str]:
    """Return the lines that build the model and load the file."""
    spec, settings = trained.spec, trained.settings
    units, classes = spec.cell.units, settings["classes"]
    imports = ["import keras"]
    layer = f"keras.layers.{KERAS_LAYERS.get(spec.cell.name, 'RNN')}({units}"
    if spec.cell.name in KERAS_CELLS:
        cell = KERAS_CELLS[spec.cell.name]
        imports.append(f"from tf1_lstm.parity.ports.keras_cells import {cell}")
        layer = f"keras.layers.RNN({cell}({units}, forget_bias={spec.cell.forget_bias:g})"
    if spec.cell.name == "gru":
        layer += ", reset_after=False"
    shape: Tuple[int, ...] = (settings["steps"], settings["input_size"])
    stack = [f"{layer}, return_sequences=True)"] * (spec.layers - 1) + [f"{layer})"]
    if trained.vectors is not None:
        shape = (settings["steps"],)
        stack.insert(0, "keras.layers.Embedding({}, {}, trainable=False)".format(*trained.vectors.shape))
    if not spec.bidirectional:
        layers = ", ".join([f"keras.Input({shape})", *stack, f"keras.layers.Dense({classes})"])
        return [*imports, f"model = keras.Sequential([{layers}])", f"model.load_weights({path!r})"]
    both = f"keras.layers.Bidirectional({layer}), merge_mode=None)(rows)"
    read = "[1]" if spec.readout == "backward-state" else ""
    features = both + read if read else f"keras.layers.Concatenate()({both})"
    return [
        *imports,
        f"rows = keras.Input({shape})",
        f"model = keras.Model(rows, keras.layers.Dense({classes})({features}))",
        f"model.load_weights({path!r})",
    ]


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
    """Return the state dict of a module with ``embedding`` (for ids), ``recurrent`` and ``linear``."""
    spec, found = trained.spec, {}
    if trained.vectors is not None:
        found["embedding.weight"] = trained.vectors
    for layer in range(spec.layers):
        for direction in spec.directions:
            parts = spec.parts(trained.weights, direction, layer)
            if spec.cell.name in TORCH_LAYERS:
                suffix = f"_l{layer}" + ("_reverse" if direction == "bw" else "")
                named = {name + suffix: array for name, array in to_torch(spec.cell, parts).items()}
            else:
                named = {part.replace("/", "_"): array for part, array in parts.items()}
            found.update({f"recurrent.{name}": array for name, array in named.items()})
    found["linear.weight"] = trained.weights["softmax/weights"].T
    found["linear.bias"] = trained.weights["softmax/bias"]
    return found


def torch_lines(trained: Trained, path: str) -> List[str]:
    """Return the lines that load the file."""
    name = trained.spec.cell.name
    kind = f"nn.{TORCH_LAYERS[name]}" if name in TORCH_LAYERS else f"ports.torch_cells.{TORCH_CELLS[name]}"
    embedding = "embedding, " if trained.vectors is not None else ""
    return [
        "from safetensors.torch import load_file",
        f"model.load_state_dict(load_file({path!r}))  # {embedding}recurrent ({kind}) and linear",
    ]
