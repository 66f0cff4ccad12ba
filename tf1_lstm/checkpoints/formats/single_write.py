"""The V1 format written: one file, byte for byte as the Saver of TensorFlow 0.12."""

from typing import List, Mapping, Tuple

import numpy as np

from tf1_lstm.checkpoints.formats.ordered import slice_key
from tf1_lstm.checkpoints.formats.single import FIXED, META_KEY, VARINTS
from tf1_lstm.checkpoints.formats.sstable_write import write_table
from tf1_lstm.checkpoints.formats.tensors import NUMBERS, write_extents, write_shape
from tf1_lstm.checkpoints.formats.wire import bytes_field, int_field, write_varint
from tf1_lstm.files import replacing

VERSION = bytes_field(2, int_field(1, 1))
ALL = (0, -1)  # the extent of a whole dimension


def write_single(path: str, variables: Mapping[str, np.ndarray]) -> None:
    """Write a V1 checkpoint under a temporary name, then rename it.

    Args:
      path: the file; TensorFlow calls it the prefix.
      variables: name -> values; any type that ``tensors.DTYPES`` has.

    Raises:
      InputError: the file cannot be written.
    """
    tensors: List[bytes] = []
    entries: List[Tuple[bytes, bytes]] = []
    for name in sorted(variables, key=lambda name: name.encode("utf-8")):
        values = np.asarray(variables[name])
        extents = [ALL] * values.ndim
        text, extent_bytes = name.encode("utf-8"), write_extents(extents)
        described = [
            bytes_field(1, text),
            bytes_field(2, write_shape(values.shape)),
            int_field(3, NUMBERS[values.dtype.name]),
            bytes_field(4, extent_bytes),
        ]
        tensors.append(bytes_field(1, b"".join(described)))
        saved = [bytes_field(1, text), bytes_field(2, extent_bytes), bytes_field(3, _tensor(values))]
        entries.append((slice_key(name, extents), bytes_field(2, b"".join(saved))))
    meta = bytes_field(1, b"".join(tensors) + VERSION)
    with replacing(path) as stream:
        stream.write(write_table(sorted([(META_KEY, meta), *entries])))


def _tensor(values: np.ndarray) -> bytes:
    """A TensorProto with the values alone; type and shape stand in the list of tensors."""
    name = values.dtype.name
    if not values.size:
        return b""
    if name in FIXED:
        little = values.astype(values.dtype.newbyteorder("<"), copy=False)
        return bytes_field(FIXED[name], little.tobytes())
    numbers = values.view(np.uint16) if name == "float16" else values
    return bytes_field(VARINTS[name], b"".join(write_varint(int(number)) for number in numbers.flat))
