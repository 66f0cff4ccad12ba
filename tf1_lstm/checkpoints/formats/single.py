"""The V1 format: one table that holds a list of all tensors and, under other keys, their values.

Savers up to TensorFlow 0.12 wrote it by default. A sharded Saver wrote several such files, named
``PREFIX-00000-of-00002``, each with its own list.
"""

import os
from typing import Dict, List, NamedTuple, Sequence, Tuple

import numpy as np

from tf1_lstm.checkpoints.formats import MalformedError
from tf1_lstm.checkpoints.formats.ordered import Extent, slice_key
from tf1_lstm.checkpoints.formats.sstable import Table
from tf1_lstm.checkpoints.formats.tensors import (
    VariableSpec,
    check_cover,
    count,
    dtype_name,
    item_size,
    read_extents,
    read_shape,
    resolve,
)
from tf1_lstm.checkpoints.formats.wire import BYTES, VARINT, Buffer, Message, unpack_varints

META_KEY = b""
CONTENT = 4  # TensorProto.tensor_content: raw bytes instead of a list
FIXED = {"float32": 5, "float64": 6, "complex64": 9, "complex128": 12}  # TensorProto's lists of fixed size
VARINTS = {
    "float16": 13,
    "int32": 7,
    "int16": 7,
    "int8": 7,
    "uint8": 7,
    "uint16": 7,
    "int64": 10,
    "bool": 11,
    "uint32": 16,
    "uint64": 17,
}


class Piece(NamedTuple):
    """One stored slice: which file, which key, which part of the tensor."""

    table: Table
    key: bytes
    extents: Tuple[Extent, ...]


class SingleFile:
    """An open V1 checkpoint of one file or several shards.

    Attributes:
      specs: name -> Spec, in the files' order.
      files: the paths.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        """Read each file's list of tensors and check it against the files' sizes.

        Raises:
          MalformedError: damaged, or not a checkpoint at all.
          OSError: a file cannot be read.
        """
        self.files = list(paths)
        self._pieces: Dict[str, List[Piece]] = {}
        shapes: Dict[str, Tuple[Tuple[int, ...], str]] = {}
        for path in paths:
            table = Table(path)
            for name, shape, dtype, pieces in _read_list(table):
                if shapes.setdefault(name, (shape, dtype)) != (shape, dtype):
                    raise MalformedError(f"{name}: two files of the checkpoint give it different shapes")
                self._pieces.setdefault(name, []).extend(pieces)
        stored = sum(os.path.getsize(path) for path in paths)
        self.specs: Dict[str, VariableSpec] = {}
        for name, (shape, dtype) in shapes.items():
            self.specs[name] = VariableSpec(shape, dtype, len(self._pieces[name]))
            # A varint may take one byte, a fixed-size number takes its size: no tensor needs less.
            least = count(shape) * (item_size(dtype) if dtype in FIXED else 1)
            if least > stored:
                raise MalformedError(
                    f"{name}: {dtype} {list(shape)} needs {least:,} bytes, the file has {stored:,}"
                )

    def read(self, name: str) -> np.ndarray:
        """A variable's values, put together from its slices.

        Raises:
          MalformedError: values are missing, too few or too many, or a block's checksum does not fit.
          KeyError: there is no such variable.
        """
        spec = self.specs[name]
        pieces = self._pieces[name]
        item_size(spec.dtype)
        places = [resolve(piece.extents, spec.shape) for piece in pieces]
        check_cover(places, spec.shape)
        full = np.empty(spec.shape, spec.dtype)
        for place, piece in zip(places, pieces):
            value = piece.table.get(piece.key)
            if value is None:
                raise MalformedError(f"{name}: its values are missing")
            full[place] = _read_values(name, value, spec.dtype, full[place].shape)
        return full


def _read_list(table: Table) -> List[Tuple[str, Tuple[int, ...], str, List[Piece]]]:
    value = table.get(META_KEY)
    if value is None:
        raise MalformedError("a table without a list of tensors: not a checkpoint")
    try:
        meta = Message(value).blob(1)
    except MalformedError as error:
        raise MalformedError("a table, but not of a V1 checkpoint (an .index under another name?)") from error
    found = []
    for saved in map(Message, Message(meta).blobs(1)):
        name = saved.text(1)
        slices = [tuple(read_extents(extents)) for extents in saved.blobs(4)]
        pieces = [Piece(table, slice_key(name, extents), extents) for extents in slices]
        found.append((name, read_shape(saved.blob(2)), dtype_name(saved.integer(3)), pieces))
    return found


def _read_values(name: str, value: Buffer, dtype: str, shape: Tuple[int, ...]) -> np.ndarray:
    saved = Message(Message(value).blob(2))
    if saved.blob(1) != name.encode("utf-8"):
        raise MalformedError(f"{name}: its values bear the name of another variable")
    tensor = Message(saved.blob(3))
    if tensor.has(CONTENT):
        flat = np.frombuffer(tensor.blob(CONTENT), np.dtype(dtype).newbyteorder("<"))
    elif dtype in FIXED:
        pieces = [field.value for field in tensor.all(FIXED[dtype]) if not isinstance(field.value, int)]
        raw = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        flat = np.frombuffer(raw, np.dtype(dtype).newbyteorder("<"))
    else:
        flat = _varint_values(tensor, dtype)
    if len(flat) != count(shape):
        raise MalformedError(f"{name}: {len(flat):,} values stored, {list(shape)} needs {count(shape):,}")
    return flat.reshape(shape)


def _varint_values(tensor: Message, dtype: str) -> np.ndarray:
    parts = [np.zeros(0, np.uint64)]
    for field in tensor.all(VARINTS[dtype]):
        if field.kind == BYTES and not isinstance(field.value, int):
            parts.append(unpack_varints(field.value))
        elif field.kind == VARINT:
            parts.append(np.array([field.value], np.uint64))
    values = np.concatenate(parts)
    if dtype == "float16":  # stored as the bits of each half
        return values.astype(np.uint16).view(np.float16)
    return values.astype(dtype)
