"""Weights in the files that Keras 3 and PyTorch users load: ``.weights.h5`` and ``.safetensors``.

Both are written without Keras or PyTorch, and hold numbers only: nothing in them is code.
"""

import json
import struct
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from tf1_lstm.files import replacing
from tf1_lstm.parity.bundle import Bundle
from tf1_lstm.parity.layouts import KERAS_LAYERS, TORCH_LAYERS, cells_in_order, to_keras, to_torch
from tf1_lstm.parity.optimizers import EMBEDDING
from tf1_lstm.parity.spec import Spec

Arrays = Dict[str, np.ndarray]


class Trained(NamedTuple):
    """What is written.

    Attributes:
      name: of the recipe.
      spec: the model.
      weights: role -> float32.
      vectors: the whole table of frozen word vectors ``[words, dimensions]``, or None.
      front: activation of a layer in front of the recurrent ones; empty without one.
      trains: whether the specification's optimizer is the recipe's.
    """

    name: str
    spec: Spec
    weights: Mapping[str, np.ndarray]
    vectors: Optional[np.ndarray]
    front: str = ""
    trains: bool = True

    @property
    def read_width(self) -> int:
        """How many numbers a step of the model's inputs has, in front of everything."""
        return int(self.weights["front/kernel"].shape[0]) if self.front else self.width

    @property
    def table(self) -> Optional[np.ndarray]:
        """What ids are looked up in, trained or frozen; None where the inputs are rows."""
        return self.weights.get(EMBEDDING, self.vectors)

    @property
    def width(self) -> int:
        """How many numbers the first layer reads at each step."""
        if self.table is not None and not self.front:
            return int(self.table.shape[1])
        rows = self.spec.parts(self.weights, "fw", 0)
        joined = rows.get("kernel", rows.get("gates/kernel"))
        assert joined is not None
        return len(joined) - (0 if "recurrent_kernel" in rows else self.spec.cell.units)


def trained_of(bundle: Bundle) -> Trained:
    """Return a bundle's model; of frozen word vectors it has the rows of the batch, and NaN elsewhere."""
    vectors = None if bundle.vectors is None else bundle.vectors.table()
    return Trained(bundle.recipe, bundle.spec, bundle.weights, vectors)


def write_keras(path: Union[str, Path], trained: Trained) -> None:
    """Write a ``.weights.h5`` that Keras 3's ``load_weights`` reads into the model of ``keras_code``.

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
    if trained.front:
        found.append(("dense", [weights["front/kernel"], weights["front/bias"]]))
    before = 1 if trained.front else 0
    layer_name = {"SimpleRNN": "simple_rnn", "LSTM": "lstm", "GRU": "gru"}.get(
        KERAS_LAYERS.get(spec.cell.name, ""), "rnn"
    )
    paired = spec.joined_layers or spec.layers == 1
    directions = spec.directions if paired or spec.readout == "both-states" else spec.directions[-1:]
    for number, (direction, layer) in enumerate(cells_in_order(directions, spec.layers)):
        parts = spec.parts(weights, direction, layer)
        own = spec.cell.name in KERAS_LAYERS
        arrays = to_keras(spec.cell, parts) if own else [parts[n] for n in spec.cell.shapes(1)]
        place = layer_name + (f"_{number}" if number else "")
        if spec.bidirectional and paired:
            half = "forward" if direction == "fw" else "backward"
            place = f"bidirectional{f'_{layer}' if layer else ''}/{half}_layer"
        found.append((f"{place}/cell", arrays))
    if spec.dense_units:
        name = f"dense_{before}" if before else "dense"
        found.append((name, [weights["dense/kernel"], weights["dense/bias"]]))
        before += 1
    last = f"dense_{before}" if before else "dense"
    found.append((last, [weights["softmax/weights"], weights["softmax/bias"]]))
    return found


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
    """Return the state dict of the module of ``torch_code``."""
    spec, found = trained.spec, {}
    if trained.table is not None:
        found["embedding.weight"] = trained.table
    if trained.front:
        found["front.weight"] = trained.weights["front/kernel"].T
        found["front.bias"] = trained.weights["front/bias"]
    for number, (direction, layer) in enumerate(cells_in_order(spec.directions, spec.layers)):
        parts = spec.parts(trained.weights, direction, layer)
        prefix, suffix = f"recurrent.{number}.", "_l0"
        if is_one_module(spec):
            prefix, suffix = "recurrent.", f"_l{layer}" + ("_reverse" if direction == "bw" else "")
        if spec.cell.name in TORCH_LAYERS:
            named = {name + suffix: array for name, array in to_torch(spec.cell, parts).items()}
        else:
            named = {part.replace("/", "_"): array for part, array in parts.items()}
        found.update({prefix + name: array for name, array in named.items()})
    if spec.dense_units:
        found["dense.weight"] = trained.weights["dense/kernel"].T
        found["dense.bias"] = trained.weights["dense/bias"]
    found["linear.weight"] = trained.weights["softmax/weights"].T
    found["linear.bias"] = trained.weights["softmax/bias"]
    return found


def is_one_module(spec: Spec) -> bool:
    """Whether one of PyTorch's modules has all layers and directions, as it joins them."""
    return spec.cell.name in TORCH_LAYERS and (
        not spec.bidirectional or spec.joined_layers or spec.layers == 1
    )
