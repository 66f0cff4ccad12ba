"""Tensors inside checkpoint files: their types, their shapes, and the slices they are stored as."""

from typing import Dict, List, NamedTuple, Sequence, Tuple

import numpy as np

from tf1_lstm.checkpoints.formats import MalformedError
from tf1_lstm.checkpoints.formats.ordered import Extent
from tf1_lstm.checkpoints.formats.wire import Buffer, Message, bytes_field, int_field, write_varint

LENGTH_TAG = write_varint(2 << 3)  # the length is in a oneof: written even where it is 0
MOST_DIMENSIONS = 32  # NumPy's limit; no recurrent network needs more than three

DTYPES: Dict[int, str] = {  # TensorFlow's DataType -> NumPy's name
    1: "float32",
    2: "float64",
    3: "int32",
    4: "uint8",
    5: "int16",
    6: "int8",
    8: "complex64",
    9: "int64",
    10: "bool",
    17: "uint16",
    18: "complex128",
    19: "float16",
    22: "uint32",
    23: "uint64",
}
OTHER_DTYPES = {7: "string", 14: "bfloat16", 20: "resource", 21: "variant"}
NUMBERS = {name: number for number, name in DTYPES.items()}


class VariableSpec(NamedTuple):
    """What a variable is before its values are read.

    Attributes:
      shape: its full shape.
      dtype: NumPy's name of its type, or TensorFlow's where NumPy has none (``"string"``).
      sliced: in how many pieces it is stored.
    """

    shape: Tuple[int, ...]
    dtype: str
    sliced: int = 1

    @property
    def is_numeric(self) -> bool:
        """Whether NumPy has the type, so that the values can be read."""
        return self.dtype in NUMBERS

    @property
    def size(self) -> int:
        """Bytes of all elements, as an int that never overflows; raises MalformedError as item_size."""
        return count(self.shape) * item_size(self.dtype)


def count(shape: Sequence[int]) -> int:
    """How many elements a shape has, as an int that never overflows."""
    product = 1
    for extent in shape:
        product *= extent
    return product


def dtype_name(number: int) -> str:
    """The name of a DataType number."""
    return DTYPES.get(number) or OTHER_DTYPES.get(number) or f"type {number}"


def item_size(dtype: str) -> int:
    """Bytes of one element.

    Raises:
      MalformedError: the type has no fixed size, or NumPy does not have it.
    """
    if dtype not in NUMBERS:
        raise MalformedError(f"values of type {dtype} cannot be read")
    return int(np.dtype(dtype).itemsize)


def read_shape(message: Buffer) -> Tuple[int, ...]:
    """A TensorShapeProto.

    Raises:
      MalformedError: unknown rank, a negative extent, or more dimensions than NumPy allows.
    """
    found = Message(message)
    if found.integer(3):
        raise MalformedError("a shape of unknown rank")
    dimensions = found.blobs(2)
    if len(dimensions) > MOST_DIMENSIONS:
        raise MalformedError(f"a shape of {len(dimensions)} dimensions")
    extents = [Message(dimension).integer(1) for dimension in dimensions]
    if any(extent < 0 for extent in extents):
        raise MalformedError(f"a shape with a negative extent: {extents}")
    return tuple(extents)


def write_shape(shape: Sequence[int]) -> bytes:
    """A TensorShapeProto."""
    return b"".join(bytes_field(2, int_field(1, extent)) for extent in shape)


def read_extents(message: Buffer) -> List[Extent]:
    """A TensorSliceProto: (start, length) of each dimension, length -1 for all of it."""
    found = [Message(extent) for extent in Message(message).blobs(1)]
    return [(extent.integer(1), extent.integer(2) if extent.has(2) else -1) for extent in found]


def write_extents(extents: Sequence[Extent]) -> bytes:
    """A TensorSliceProto."""
    pieces = []
    for start, length in extents:
        bounds = b"" if length == -1 else LENGTH_TAG + write_varint(length)
        pieces.append(bytes_field(1, int_field(1, start) + bounds))
    return b"".join(pieces)


def resolve(extents: Sequence[Extent], shape: Sequence[int]) -> Tuple[slice, ...]:
    """The NumPy slices that extents mean in a tensor of that shape.

    Raises:
      MalformedError: another rank, or a slice that leaves the tensor.
    """
    if len(extents) != len(shape):
        raise MalformedError(f"a slice of {len(extents)} dimensions in a tensor of {len(shape)}")
    slices = []
    for (start, length), size in zip(extents, shape):
        first, extent = (0, size) if length == -1 else (start, length)
        if first < 0 or extent < 0 or first + extent > size:
            raise MalformedError(f"a slice from {first} with length {extent} in a dimension of {size}")
        slices.append(slice(first, first + extent))
    return tuple(slices)


def check_cover(slices: Sequence[Tuple[slice, ...]], shape: Sequence[int]) -> None:
    """Check that slices fill a tensor exactly, each element once.

    Memory is asked for only after the sizes of the slices add up, so a claim alone costs nothing.

    Raises:
      MalformedError: a gap or an overlap.
    """
    stored = sum(count([part.stop - part.start for part in place]) for place in slices)
    if stored != count(shape):
        raise MalformedError(f"its slices hold {stored:,} elements, the shape {list(shape)} {count(shape):,}")
    if len(slices) > 1:
        seen = np.zeros(shape, bool)
        for place in slices:
            if seen[place].any():
                raise MalformedError("its slices overlap")
            seen[place] = True
