"""LevelDB's sorted table, as TensorFlow uses it: the ``.index`` of a bundle and the whole V1 file.

A table is data blocks, a metaindex block, an index block (last key of a block -> its place) and a
footer of 48 bytes. A block is entries with shared key prefixes, an array of restart points, then a
trailer of 5 bytes: compression type and masked CRC-32C.
"""

import os
from bisect import bisect_left
from contextlib import contextmanager
from typing import BinaryIO, Dict, Iterator, NamedTuple, Optional, Tuple

from tf1_lstm.checkpoints.formats import MalformedError
from tf1_lstm.checkpoints.formats.crc32c import crc32c, masked
from tf1_lstm.checkpoints.formats.wire import Buffer, read_varint

MAGIC = 0xDB4775248B80FB57.to_bytes(8, "little")
FOOTER = 48
TRAILER = 5
LONGEST_KEY = 1 << 14  # bytes; a variable's name in a key
MOST_KEYS = 1 << 26  # bytes of all keys of one block, unfolded: shared prefixes could make it huge


class Handle(NamedTuple):
    """Where a block is: its first byte and its size without the trailer."""

    offset: int
    size: int


class Table:
    """A sorted table in a file, read block by block.

    Attributes:
      path: the file.
      size: its length in bytes; every length in it is checked against that.
      index: where its index block is.
      handles: where its data blocks are.
    """

    def __init__(self, path: str) -> None:
        """Read the footer and the index block.

        Raises:
          MalformedError: not a table, or its index is damaged.
          OSError: the file cannot be read.
        """
        self.path = path
        with open(path, "rb") as stream:
            self.size = os.fstat(stream.fileno()).st_size
            if self.size < FOOTER:
                raise MalformedError(f"{self.size} bytes are too few for a table")
            stream.seek(self.size - FOOTER)
            footer = stream.read(FOOTER)
            if footer[-8:] != MAGIC:
                raise MalformedError("does not end as a table does: cut off, or another kind of file")
            _, position = _read_handle(footer, 0)
            self.index, _ = _read_handle(footer, position)
            entries = list(block_entries(self._block(stream, self.index)))
        self._last_keys = [key for key, _ in entries]
        self.handles = [_read_handle(value, 0)[0] for _, value in entries]
        if sorted(self._last_keys) != self._last_keys:
            raise MalformedError("the index is not in order")
        self._kept = -1  # which block's entries are in memory
        self._entries: Dict[bytes, memoryview] = {}

    def _block(self, stream: BinaryIO, handle: Handle) -> Buffer:
        if handle.offset + handle.size + TRAILER > self.size:
            raise MalformedError(
                f"a block claims bytes {handle.offset:,} to {handle.offset + handle.size + TRAILER:,} "
                f"of {self.size:,}"
            )
        stream.seek(handle.offset)
        raw = stream.read(handle.size + TRAILER)
        if len(raw) != handle.size + TRAILER:
            raise MalformedError("the file became shorter while it was read")
        stored = int.from_bytes(raw[-4:], "little")
        if masked(crc32c(memoryview(raw)[:-4])) != stored:
            raise MalformedError(f"checksum of the block at byte {handle.offset:,} does not fit: damaged")
        kind, body = raw[-TRAILER], memoryview(raw)[:-TRAILER]
        if kind != 0:
            raise MalformedError(
                f"compression type {kind} found, expected none: TensorFlow's Saver writes none"
            )
        return body

    def blocks(self) -> Iterator[Buffer]:
        """The data blocks in order, one in memory at a time."""
        with self._open() as stream:
            for handle in self.handles:
                yield self._block(stream, handle)

    def items(self) -> Iterator[Tuple[bytes, memoryview]]:
        """Every key and value, in the table's order."""
        for block in self.blocks():
            yield from block_entries(block)

    def get(self, key: bytes) -> Optional[memoryview]:
        """The value of a key, or None. The block it is in is kept for the next call."""
        place = bisect_left(self._last_keys, key)
        if place == len(self.handles):
            return None
        if place != self._kept:
            with self._open() as stream:
                self._entries = dict(block_entries(self._block(stream, self.handles[place])))
            self._kept = place
        return self._entries.get(key)

    @contextmanager
    def _open(self) -> Iterator[BinaryIO]:
        with open(self.path, "rb") as stream:
            if os.fstat(stream.fileno()).st_size != self.size:
                raise MalformedError("the file changed while it was read")
            yield stream


def _read_handle(data: Buffer, position: int) -> Tuple[Handle, int]:
    offset, position = read_varint(data, position)
    size, position = read_varint(data, position)
    return Handle(offset, size), position


def block_entries(block: Buffer) -> Iterator[Tuple[bytes, memoryview]]:
    """The keys and values of one block; the values are views of it.

    Raises:
      MalformedError: a length past the block's end, or keys beyond any sense.
    """
    if len(block) < 4:
        raise MalformedError("a block is shorter than its own end")
    restarts = int.from_bytes(block[-4:], "little")
    end = len(block) - 4 - 4 * restarts
    if end < 0:
        raise MalformedError(f"a block of {len(block):,} bytes claims {restarts:,} restart points")
    view, position, key, unfolded = memoryview(block), 0, b"", 0
    while position < end:
        shared, position = read_varint(block, position)
        own, position = read_varint(block, position)
        length, position = read_varint(block, position)
        if shared > len(key) or own + length > end - position or shared + own > LONGEST_KEY:
            raise MalformedError("an entry of a block runs past its end")
        key = key[:shared] + bytes(view[position : position + own])
        position += own
        unfolded += len(key)
        if unfolded > MOST_KEYS:
            raise MalformedError("the keys of a block are too long together")
        yield key, view[position : position + length]
        position += length
