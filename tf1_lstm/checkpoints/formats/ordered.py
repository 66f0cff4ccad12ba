"""The keys under which slices of variables are stored: bytes that sort as (name, slice) do.

A key is the number 0, the name, the rank, and for each dimension start and length (-1: all of it).
"""

from typing import Sequence, Tuple

Extent = Tuple[int, int]  # start, length; length -1 stands for the whole dimension
ESCAPES = {0: b"\0\xff", 255: b"\xff\0"}


def _number(value: int) -> bytes:
    """An unsigned number: how many bytes it needs, then those bytes, most significant first."""
    size = (value.bit_length() + 7) // 8
    return bytes([size]) + value.to_bytes(size, "big")


def _signed(value: int) -> bytes:
    """A signed number of n bytes whose first n bits say n (inverted where it is negative).

    Of 8n bits n + 1 are header and sign, which leaves 7n - 1 for the magnitude.
    """
    magnitude = ~value if value < 0 else value
    size = 1
    while magnitude.bit_length() > 7 * size - 1:
        size += 1
    header = ((1 << size) - 1) << (8 * size - size)
    number = value & ((1 << 8 * size) - 1)
    return (number ^ header).to_bytes(size, "big")


def _text(value: bytes) -> bytes:
    """A string, its zeros and 255s escaped, then an end mark that sorts before any of them."""
    return b"".join(ESCAPES.get(byte, bytes([byte])) for byte in value) + b"\0\1"


def slice_key(name: str, extents: Sequence[Extent]) -> bytes:
    """The key of one slice of a variable.

    Args:
      name: the variable's name.
      extents: (start, length) of each dimension.
    """
    pieces = [_number(0), _text(name.encode("utf-8")), _number(len(extents))]
    for start, length in extents:
        pieces += [_signed(start), _signed(length)]
    return b"".join(pieces)
