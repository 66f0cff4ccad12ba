"""Snappy's raw block format, unpacked: the one compression that a checkpoint's table may use.

TensorFlow reads compressed tables and has never written them, so only reading is needed.
"""

from typing import Tuple

from tf1_lstm.checkpoints.formats import MalformedError
from tf1_lstm.checkpoints.formats.wire import Buffer, read_varint

LARGEST_RATIO = 22  # a copy of 64 bytes takes 3


def unpack(data: Buffer) -> bytes:
    """The bytes that a snappy block stands for.

    Raises:
      MalformedError: anything that the format does not allow, or a claimed length that so few bytes
        cannot reach.
    """
    length, position = read_varint(data, 0)
    if length > LARGEST_RATIO * len(data):
        raise MalformedError(f"a compressed block of {len(data):,} bytes claims {length:,}")
    out = bytearray()
    while position < len(data):
        tag = data[position]
        position += 1
        if tag & 3 == 0:
            size, position = _literal_size(data, position, tag)
            out += _take(data, position, size)
            position += size
        else:
            size, offset, position = _copy(data, position, tag)
            _repeat(out, size, offset)
        if len(out) > length:
            break
    if len(out) != length:
        raise MalformedError(f"a compressed block claims {length:,} bytes and holds another number")
    return bytes(out)


def _take(data: Buffer, position: int, size: int) -> Buffer:
    if size > len(data) - position:
        raise MalformedError("a compressed block ends too early")
    return data[position : position + size]


def _literal_size(data: Buffer, position: int, tag: int) -> Tuple[int, int]:
    size = tag >> 2
    if size < 60:
        return size + 1, position
    extra = size - 59
    return int.from_bytes(_take(data, position, extra), "little") + 1, position + extra


def _copy(data: Buffer, position: int, tag: int) -> Tuple[int, int, int]:
    if tag & 3 == 1:
        low = _take(data, position, 1)[0]
        return (tag >> 2 & 7) + 4, tag >> 5 << 8 | low, position + 1
    width = 2 if tag & 3 == 2 else 4
    offset = int.from_bytes(_take(data, position, width), "little")
    return (tag >> 2) + 1, offset, position + width


def _repeat(out: bytearray, size: int, offset: int) -> None:
    if not 0 < offset <= len(out):
        raise MalformedError("a compressed block refers to bytes before its beginning")
    piece = bytes(out[len(out) - offset : len(out) - offset + size])
    while len(piece) < size:  # the copy overlaps itself: a repeated pattern
        piece += piece[: size - len(piece)]
    out += piece
