"""LevelDB's sorted table, written byte for byte as TensorFlow writes it."""

from typing import List, Sequence, Tuple

from tf1_lstm.checkpoints.formats.crc32c import crc32c, masked
from tf1_lstm.checkpoints.formats.sstable import FOOTER, MAGIC
from tf1_lstm.checkpoints.formats.wire import write_varint

BLOCK_SIZE = 1 << 18  # bytes after which TensorFlow closes a block
RESTART_EVERY = 16  # entries between two keys that are written in full
UNCOMPRESSED = b"\0"


class _Block:
    """A block in the making."""

    def __init__(self, restart_every: int) -> None:
        self._restart_every = restart_every
        self._body = bytearray()
        self._restarts = [0]
        self._since = 0
        self._last = b""

    def add(self, key: bytes, value: bytes) -> None:
        shared = 0
        if self._since < self._restart_every:
            shared = _shared(self._last, key)
        else:
            self._restarts.append(len(self._body))
            self._since = 0
        own = key[shared:]
        self._body += write_varint(shared) + write_varint(len(own)) + write_varint(len(value)) + own + value
        self._since += 1
        self._last = key

    def size(self) -> int:
        return len(self._body) + 4 * len(self._restarts) + 4

    def finish(self) -> bytes:
        numbers = [*self._restarts, len(self._restarts)]
        return bytes(self._body) + b"".join(number.to_bytes(4, "little") for number in numbers)


def _shared(first: bytes, second: bytes) -> int:
    """How many bytes two keys begin with in common."""
    length = min(len(first), len(second))
    return next((place for place in range(length) if first[place] != second[place]), length)


def _between(key: bytes, following: bytes) -> bytes:
    """A short key that is not below ``key`` and below ``following``: all that an index needs."""
    place = _shared(key, following)
    if place == len(key) or place == len(following):
        return key
    raised = key[place] + 1
    return key[:place] + bytes([raised]) if raised < following[place] else key


def _after(key: bytes) -> bytes:
    """A short key that is not below ``key``."""
    place = next((place for place, byte in enumerate(key) if byte != 0xFF), None)
    return key if place is None else key[:place] + bytes([key[place] + 1])


class _File:
    """The bytes of a table in the making; ``place`` adds a block and says where it is."""

    def __init__(self) -> None:
        self.pieces: List[bytes] = []
        self._length = 0

    def place(self, block: bytes) -> bytes:
        body = block + UNCOMPRESSED
        self.pieces.append(body + masked(crc32c(body)).to_bytes(4, "little"))
        handle = write_varint(self._length) + write_varint(len(block))
        self._length += len(self.pieces[-1])
        return handle


def write_table(entries: Sequence[Tuple[bytes, bytes]]) -> bytes:
    """A whole table.

    Args:
      entries: keys and values, the keys in ascending order and each once.

    Raises:
      ValueError: keys out of order.
    """
    keys = [key for key, _ in entries]
    if any(first >= second for first, second in zip(keys, keys[1:])):
        raise ValueError("the keys of a table must ascend")
    out, index, block = _File(), _Block(1), _Block(RESTART_EVERY)
    for place, (key, value) in enumerate(entries):
        block.add(key, value)
        last = place == len(entries) - 1
        if last or block.size() >= BLOCK_SIZE:
            handle = out.place(block.finish())
            index.add(_after(key) if last else _between(key, keys[place + 1]), handle)
            block = _Block(RESTART_EVERY)
    handles = out.place(_Block(1).finish())  # the metaindex, always empty
    handles += out.place(index.finish())
    return b"".join(out.pieces) + handles.ljust(FOOTER - len(MAGIC), b"\0") + MAGIC
