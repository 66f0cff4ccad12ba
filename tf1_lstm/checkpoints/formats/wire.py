"""Protocol-buffer bytes, read and written without a schema and never past their end."""

from typing import Dict, Iterator, List, NamedTuple, Tuple, Union

import numpy as np

from tf1_lstm.checkpoints.formats import MalformedError

Buffer = Union[bytes, memoryview]
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
FIXED_SIZE = {FIXED64: 8, FIXED32: 4}
UINT64 = (1 << 64) - 1


class Field(NamedTuple):
    """One field of a message.

    Attributes:
      number: the field's number in its ``.proto``.
      kind: the wire type: ``VARINT``, ``FIXED64``, ``BYTES`` or ``FIXED32``.
      value: an unsigned int for VARINT, a view of the bytes for the other three.
    """

    number: int
    kind: int
    value: Union[int, memoryview]


def read_varint(data: Buffer, position: int) -> Tuple[int, int]:
    """An unsigned varint of at most 64 bits at ``position``, and the position after it."""
    value = 0
    for count in range(10):
        if position >= len(data):
            raise MalformedError("a number runs past the end")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            if value > UINT64:
                break
            return value, position
    raise MalformedError("a number is longer than 64 bits")


def signed(value: int) -> int:
    """An unsigned 64-bit varint read as int64."""
    return value - (1 << 64) if value >> 63 else value


def fields(message: Buffer) -> Iterator[Field]:
    """The fields of a message in their order, without copying their bytes.

    Raises:
      MalformedError: a length beyond the message's end, or a wire type that proto3 does not write.
    """
    view, position = memoryview(message), 0
    while position < len(message):
        tag, position = read_varint(message, position)
        number, kind = tag >> 3, tag & 7
        if not 0 < number < 1 << 29:
            raise MalformedError(f"field number {number}")
        if kind == VARINT:
            value, position = read_varint(message, position)
            yield Field(number, kind, value)
            continue
        if kind == BYTES:
            length, position = read_varint(message, position)
        elif kind in FIXED_SIZE:
            length = FIXED_SIZE[kind]
        else:
            raise MalformedError(f"wire type {kind}")
        if length > len(message) - position:
            raise MalformedError(
                f"a field claims {length:,} bytes where {len(message) - position:,} are left"
            )
        yield Field(number, kind, view[position : position + length])
        position += length


def decode(text: Buffer) -> str:
    """A variable's name from UTF-8; raises MalformedError for other bytes and control characters.

    A name is printed on terminals, so it must not be able to steer them.
    """
    try:
        name = str(text, "utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError(f"a variable's name is not text: {bytes(text[:60])!r}") from error
    if not name.isprintable():
        raise MalformedError(f"a variable's name holds control characters: {bytes(text[:60])!r}")
    return name


class Message:
    """A message's fields by number, each checked for its wire type when it is asked for."""

    def __init__(self, message: Buffer) -> None:
        """Split a message. Raises MalformedError as ``fields`` does."""
        self._found: Dict[int, List[Field]] = {}
        for field in fields(message):
            self._found.setdefault(field.number, []).append(field)

    def ints(self, number: int) -> List[int]:
        """The values of a repeated varint or fixed-size field, unsigned."""
        values = []
        for field in self._found.get(number, []):
            if field.kind == BYTES:
                raise MalformedError(f"field {number} holds bytes where a number was expected")
            value = field.value
            values.append(value if isinstance(value, int) else int.from_bytes(value, "little"))
        return values

    def integer(self, number: int) -> int:
        """The value of a single number, read as int64: the last one counts, 0 where it is missing."""
        return signed((self.ints(number) or [0])[-1])

    def has(self, number: int) -> bool:
        """Whether the field is there at all."""
        return number in self._found

    def blobs(self, number: int) -> List[memoryview]:
        """The values of a repeated bytes or message field."""
        values = []
        for field in self._found.get(number, []):
            if field.kind != BYTES or isinstance(field.value, int):
                raise MalformedError(f"field {number} holds a number where bytes were expected")
            values.append(field.value)
        return values

    def blob(self, number: int) -> memoryview:
        """The value of a single bytes or message field, empty where it is missing."""
        return (self.blobs(number) or [memoryview(b"")])[-1]

    def text(self, number: int) -> str:
        """The value of a single string field; raises MalformedError where it is no UTF-8."""
        return decode(self.blob(number))

    def all(self, number: int) -> List[Field]:
        """The fields of one number as they stand, for packed numbers."""
        return self._found.get(number, [])


def unpack_varints(data: Buffer) -> np.ndarray:
    """Packed varints as uint64, without a Python loop over them.

    Raises:
      MalformedError: the last one has no end, or one is longer than 64 bits.
    """
    raw = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(raw < 0x80)
    if len(raw) and (not len(ends) or ends[-1] != len(raw) - 1):
        raise MalformedError("a number runs past the end")
    starts = np.concatenate([np.zeros(1, ends.dtype), ends[:-1] + 1]) if len(ends) else ends
    if len(ends) and int((ends - starts).max()) > 9:
        raise MalformedError("a number is longer than 64 bits")
    values = np.zeros(len(ends), np.uint64)
    for place in range(10):
        here = np.flatnonzero(starts + place <= ends)
        values[here] |= (raw[starts[here] + place] & 0x7F).astype(np.uint64) << np.uint64(7 * place)
    return values


def write_varint(value: int) -> bytes:
    """An int from -2**63 below 2**64 as a varint (negative ones take ten bytes)."""
    value &= UINT64
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def int_field(number: int, value: int) -> bytes:
    """A varint field; nothing for 0, as proto3 leaves defaults out."""
    return write_varint(number << 3 | VARINT) + write_varint(value) if value else b""


def bytes_field(number: int, value: bytes) -> bytes:
    """A length-delimited field, written even where it is empty."""
    return write_varint(number << 3 | BYTES) + write_varint(len(value)) + value


def fixed32_field(number: int, value: int) -> bytes:
    """A fixed32 field; nothing for 0."""
    return write_varint(number << 3 | FIXED32) + value.to_bytes(4, "little") if value else b""
