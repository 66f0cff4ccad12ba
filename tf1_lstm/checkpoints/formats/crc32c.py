"""CRC-32C (Castagnoli), as LevelDB tables and bundles store it, computed by NumPy in parallel lanes.

A CRC without its first and last inversion is linear over GF(2), and zeros in front of the data do
not change it. So the data is cut into equal lanes, all lanes advance together eight bytes at a
time, and neighbours are joined pairwise: the left one is moved past the zeros that the right
one's length stands for.
"""

from functools import lru_cache
from typing import Union

import numpy as np

POLYNOMIAL = 0x82F63B78  # reflected
MASK_DELTA = 0xA282EAD8
LANES = 2048
SMALL = 1 << 12  # bytes below which one plain loop is quicker
CHUNK = 4 << 20  # bytes worked on at once, so that memory stays bounded

Bytes = Union[bytes, bytearray, memoryview, np.ndarray]


def _tables() -> np.ndarray:
    """``[8, 256]`` uint32: row k is what a byte does to the register k more bytes later."""
    first = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        first = np.where(first & 1, (first >> 1) ^ np.uint32(POLYNOMIAL), first >> 1).astype(np.uint32)
    rows = [first]
    for _ in range(7):
        rows.append(first[rows[-1] & 0xFF] ^ (rows[-1] >> 8))
    return np.stack(rows)


TABLES = _tables()
_PLAIN = [int(entry) for entry in TABLES[0]]


def _apply(shift: np.ndarray, crc: np.ndarray) -> np.ndarray:
    """A linear operator ``[4, 256]`` (one table for each byte) applied to registers of any shape."""
    return (
        shift[0][crc & 0xFF]
        ^ shift[1][crc >> 8 & 0xFF]
        ^ shift[2][crc >> 16 & 0xFF]
        ^ shift[3][crc >> 24 & 0xFF]
    )


@lru_cache(maxsize=256)
def _zeros(length: int) -> np.ndarray:
    """The operator that moves a register past ``length`` zero bytes, by repeated squaring."""
    places = np.arange(4, dtype=np.uint32)[:, None] * np.uint32(8)
    identity = (np.arange(256, dtype=np.uint32)[None, :] << places).astype(np.uint32)
    if length == 0:
        return identity
    if length == 1:
        return TABLES[0][identity & 0xFF] ^ (identity >> 8)
    half = _zeros(length // 2)
    doubled = _apply(half, half)
    return _apply(_zeros(1), doubled) if length % 2 else doubled


def _plain(register: int, data: bytes) -> int:
    for byte in data:
        register = _PLAIN[(register ^ byte) & 0xFF] ^ (register >> 8)
    return register


def _lanes(register: int, data: np.ndarray) -> int:
    width = -(-len(data) // (LANES * 8)) * 8  # bytes of a lane, a multiple of 8
    padded = np.zeros(LANES * width, np.uint8)
    padded[-len(data) :] = data
    start = len(padded) - len(data)
    padded[start : start + 4] ^= np.array([register], "<u4").view(np.uint8)
    words = np.ascontiguousarray(padded.view("<u4").reshape(LANES, width // 4).T)
    crc = np.zeros(LANES, np.uint32)
    low = TABLES[7::-1]  # low[k]: the table for byte k of the eight
    for position in range(0, width // 4, 2):
        first, second = words[position] ^ crc, words[position + 1]
        crc = _apply(low[:4], first) ^ _apply(low[4:], second)
    while len(crc) > 1:
        crc = _apply(_zeros(width), crc[0::2]) ^ crc[1::2]
        width *= 2
    return int(crc[0])


def crc32c(data: Bytes) -> int:
    """CRC-32C of some bytes.

    Args:
      data: anything with a contiguous buffer.

    Returns:
      An unsigned 32-bit int; 0xE3069283 for ``b"123456789"``.
    """
    array = np.frombuffer(data, np.uint8)
    register = 0xFFFFFFFF
    for start in range(0, len(array), CHUNK):
        chunk = array[start : start + CHUNK]
        small = len(chunk) < SMALL
        register = _plain(register, chunk.tobytes()) if small else _lanes(register, chunk)
    return register ^ 0xFFFFFFFF


def masked(crc: int) -> int:
    """The form in which files store a CRC, so that a CRC over bytes with CRCs in them stays sound."""
    return ((crc >> 15 | crc << 17) + MASK_DELTA) & 0xFFFFFFFF
