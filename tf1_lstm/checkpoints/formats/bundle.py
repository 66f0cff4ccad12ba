"""The V2 format, a bundle: ``PREFIX.index`` says where each tensor is in ``PREFIX.data-N-of-M``."""

import os
from typing import Dict, List, NamedTuple, Tuple

import numpy as np

from tf1_lstm.checkpoints.file_signatures import lfs_size
from tf1_lstm.checkpoints.formats import MalformedError
from tf1_lstm.checkpoints.formats.crc32c import crc32c, masked
from tf1_lstm.checkpoints.formats.ordered import Extent, slice_key
from tf1_lstm.checkpoints.formats.sstable import Table
from tf1_lstm.checkpoints.formats.tensors import (
    VariableSpec,
    check_cover,
    dtype_name,
    item_size,
    read_extents,
    read_shape,
    resolve,
)
from tf1_lstm.checkpoints.formats.wire import Buffer, Message, decode

HEADER_KEY = b""
MOST_SHARDS = 100_000  # the file names have five digits


class Entry(NamedTuple):
    """Where one tensor, or one slice of one, is stored.

    Attributes:
      dtype, shape: as in ``VariableSpec``.
      shard: number of the data file.
      offset, size: its bytes in that file.
      crc: masked CRC-32C of those bytes.
      slices: the slices that a partitioned tensor is stored as; empty for a plain one.
    """

    dtype: str
    shape: Tuple[int, ...]
    shard: int
    offset: int
    size: int
    crc: int
    slices: Tuple[Tuple[Extent, ...], ...]


def data_file(prefix: str, shard: int, shards: int) -> str:
    """The name of a data file."""
    return f"{prefix}.data-{shard:05d}-of-{shards:05d}"


class TensorBundle:
    """An open bundle.

    Attributes:
      prefix: path of its files without ``.index`` and ``.data-N-of-M``.
      shards: number of data files.
      specs: name -> Spec, in the index's order.
      files: the index and the data files.
    """

    def __init__(self, prefix: str, needs_data: bool = True) -> None:
        """Read the index and check every claim of it against the data files' sizes.

        Args:
          prefix: path without ``.index``.
          needs_data: whether the data files must be there; without them everything but values is known.

        Raises:
          MalformedError: damaged, or data files are missing or too short.
          OSError: a file cannot be read.
        """
        self.prefix = prefix
        self._needs_data = needs_data
        self._entries: Dict[bytes, Entry] = {}
        header = None
        for key, value in Table(prefix + ".index").items():
            if key in self._entries or (key == HEADER_KEY and header is not None):
                raise MalformedError(f"the index names {key!r} twice")
            if key == HEADER_KEY:
                header = Message(value)
            else:
                self._entries[key] = _read_entry(value)
        if header is None:
            raise MalformedError("the index has no header: not the index of a bundle")
        self.shards = header.integer(1)
        self._order = ">" if header.integer(2) else "<"
        if not 0 < self.shards < MOST_SHARDS:
            raise MalformedError(f"the index claims {self.shards:,} data files")
        self._sizes: Dict[int, int] = {}
        self.specs = {decode(key): self._spec(key) for key in self._entries if not key.startswith(b"\0")}
        self.files = [prefix + ".index"] + [data_file(prefix, n, self.shards) for n in sorted(self._sizes)]

    def _spec(self, key: bytes) -> VariableSpec:
        entry = self._entries[key]
        pieces = self._pieces(decode(key), entry)
        for piece in pieces:
            self._check_claim(decode(key), piece)
        if entry.slices:
            _places(decode(key), entry, pieces)
        return VariableSpec(entry.shape, entry.dtype, len(pieces))

    def _pieces(self, name: str, entry: Entry) -> List[Entry]:
        if not entry.slices:
            return [entry]
        keys = [slice_key(name, extents) for extents in entry.slices]
        if any(key not in self._entries for key in keys):
            raise MalformedError(f"{name}: the index lacks one of its {len(keys)} slices")
        return [self._entries[key] for key in keys]

    def missing_data(self) -> str:
        """Why values cannot be read, in a phrase; empty where every data file is there."""
        for shard in range(self.shards):
            path = data_file(self.prefix, shard, self.shards)
            base = os.path.basename(path)
            if not os.path.isfile(path):
                return f"its data file {base} is missing"
            pointed = lfs_size(path)
            if pointed is not None:
                return f"its data file {base} is a Git LFS pointer to {pointed:,} bytes; run 'git lfs pull'"
        return ""

    def _check_claim(self, name: str, entry: Entry) -> None:
        if not self._needs_data:
            return
        size = self._shard_size(entry.shard)
        if entry.offset < 0 or entry.size < 0 or entry.offset + entry.size > size:
            raise MalformedError(
                f"{name}: the index claims bytes {entry.offset:,} to {entry.offset + entry.size:,} of a "
                f"data file that has {size:,}: cut off, or not the data of this index"
            )
        if VariableSpec(entry.shape, entry.dtype).is_numeric:
            wanted = VariableSpec(entry.shape, entry.dtype).size
            if wanted != entry.size:
                raise MalformedError(
                    f"{name}: {entry.size:,} bytes stored, {entry.dtype} {list(entry.shape)} needs {wanted:,}"
                )

    def _shard_size(self, shard: int) -> int:
        if shard not in self._sizes:
            if not 0 <= shard < self.shards:
                raise MalformedError(f"the index refers to data file {shard} of {self.shards}")
            path = data_file(self.prefix, shard, self.shards)
            if not os.path.isfile(path):
                raise MalformedError(f"its data file {os.path.basename(path)} is missing")
            pointed = lfs_size(path)
            if pointed is not None:
                raise MalformedError(
                    f"its data file {os.path.basename(path)} is a Git LFS pointer to {pointed:,} bytes; "
                    "run 'git lfs pull'"
                )
            self._sizes[shard] = os.path.getsize(path)
        return self._sizes[shard]

    def read(self, name: str) -> np.ndarray:
        """A variable's values, put together from its slices, checked by their checksums.

        Raises:
          MalformedError: a checksum that does not fit, gaps between slices, a type without numbers.
          KeyError: there is no such variable.
        """
        entry = self._entries[name.encode("utf-8")]
        item_size(entry.dtype)
        if not entry.slices:
            return self._values(name, entry)
        pieces = self._pieces(name, entry)
        places = _places(name, entry, pieces)
        full = np.empty(entry.shape, entry.dtype)
        for place, piece in zip(places, pieces):
            full[place] = self._values(name, piece)
        return full

    def _values(self, name: str, entry: Entry) -> np.ndarray:
        with open(data_file(self.prefix, entry.shard, self.shards), "rb") as stream:
            stream.seek(entry.offset)
            raw = bytearray(entry.size)
            if stream.readinto(raw) != entry.size:
                raise MalformedError(f"{name}: the data file became shorter while it was read")
        if masked(crc32c(raw)) != entry.crc:
            raise MalformedError(f"{name}: the checksum of its values does not fit: the data file is damaged")
        dtype = np.dtype(entry.dtype)
        values = np.frombuffer(raw, dtype.newbyteorder(self._order)).reshape(entry.shape)
        return values.astype(dtype, copy=False)


def _places(name: str, entry: Entry, pieces: List[Entry]) -> List[Tuple[slice, ...]]:
    """Where each piece goes in the whole, after checking that together they are the whole."""
    places = [resolve(extents, entry.shape) for extents in entry.slices]
    for place, piece in zip(places, pieces):
        shape = tuple(part.stop - part.start for part in place)
        if piece.dtype != entry.dtype or piece.shape != shape or piece.slices:
            raise MalformedError(f"{name}: a slice is stored with another type or shape than it should have")
    check_cover(places, entry.shape)
    return places


def _read_entry(value: Buffer) -> Entry:
    found = Message(value)
    return Entry(
        dtype_name(found.integer(1)),
        read_shape(found.blob(2)),
        found.integer(3),
        found.integer(4),
        found.integer(5),
        (found.ints(6) or [0])[-1],
        tuple(tuple(read_extents(extents)) for extents in found.blobs(7)),
    )
