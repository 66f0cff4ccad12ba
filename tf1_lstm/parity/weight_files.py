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
from tf1_lstm.parity.layouts import KERAS_LAYERS, cells_in_order, has_torch_layer, to_keras, to_torch
from tf1_lstm.parity.optimizers import EMBEDDING
from tf1_lstm.parity.spec import FRONT, Spec

Arrays = Dict[str, np.ndarray]


class Trained(NamedTuple):
    """What is written.

    Attributes:
      name: of the recipe.
      spec: the model.
      weights: role -> float32.
      vectors: the whole table of frozen word vectors ``[words, dimensions]``, or None.
    """

    name: str
    spec: Spec
    weights: Mapping[str, np.ndarray]
    vectors: Optional[np.ndarray]

    @property
    def read_width(self) -> int:
        """How many numbers a step of the model's inputs has, in front of everything."""
        return int(self.weights[FRONT[0]].shape[0]) if self.spec.front else self.width

    @property
    def table(self) -> Optional[np.ndarray]:
        """What ids are looked up in, trained or frozen; None where the inputs are rows."""
        return self.weights.get(EMBEDDING, self.vectors)

    @property
    def width(self) -> int:
        """How many numbers the first layer reads at each step."""
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
    if spec.front:
        found.append(("dense", [weights[name] for name in FRONT]))
    before = 1 if spec.front else 0
    layer_name = {"SimpleRNN": "simple_rnn", "LSTM": "lstm", "GRU": "gru"}.get(
        KERAS_LAYERS.get(spec.cell.name, ""), "rnn"
    )
    number = 0
    for layer in range(spec.cell_layers):
        for direction in spec.directions if is_pair(spec, layer) else _by_depth(spec):
            parts = spec.parts(weights, direction, layer)
            own, cell = spec.cell.name in KERAS_LAYERS, spec.cell_of(layer)
            arrays = to_keras(cell, parts) if own else [parts[n] for n in cell.shapes(1)]
            if is_pair(spec, layer):
                half = "forward" if direction == "fw" else "backward"
                place = f"bidirectional{f'_{layer}' if layer else ''}/{half}_layer"
            else:
                place = layer_name + (f"_{number}" if number else "")
                number += 1
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
    if spec.front:
        found["front.weight"], found["front.bias"] = (trained.weights[name].T for name in FRONT)
    for number, (direction, layer) in enumerate(cells_in_order(spec.directions, spec.cell_layers)):
        parts = spec.parts(trained.weights, direction, layer)
        prefix, suffix = f"recurrent.{number}.", "_l0"
        if is_one_module(spec):
            prefix, suffix = "recurrent.", f"_l{layer}" + ("_reverse" if direction == "bw" else "")
        elif spec.shared_cell:
            prefix = "recurrent."
        if has_torch_layer(spec.cell, spec.mask):
            named = {name + suffix: array for name, array in to_torch(spec.cell_of(layer), parts).items()}
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
    if not has_torch_layer(spec.cell, spec.mask) or (spec.shared_cell and spec.layers > 1) or spec.widths:
        return False
    return not spec.bidirectional or spec.joined_layers or spec.layers == 1


def is_pair(spec: Spec, layer: int) -> bool:
    """Whether a layer of both directions is a ``Bidirectional`` in Keras.

    Its outputs are zero at steps that are left out, where TensorFlow's here keep the last one.
    """
    kept = spec.mask == "mask_zero" and spec.reads_sequence and layer == spec.layers - 1
    return spec.bidirectional and (spec.joined_layers or spec.layers == 1) and not kept


def _by_depth(spec: Spec) -> Tuple[str, ...]:
    """Return the directions of a layer as Keras sorts them: what is turned round at the end stands first."""
    found = sorted_directions(spec)
    return found[::-1] if spec.reads_sequence else found


def sorted_directions(spec: Spec) -> Tuple[str, ...]:
    """Return the directions that are read, forward first."""
    return tuple(name for name in spec.directions if name in spec.directions_read)
