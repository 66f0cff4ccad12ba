"""Maps the arrays of ``.npy`` and ``.npz`` files into memory; nothing is unpickled or held twice."""

import io
import struct
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any, Dict, Tuple

import numpy as np

from tf1_lstm.data.guards import regular_file
from tf1_lstm.data.own.growing import Growing
from tf1_lstm.errors import InputError
from tf1_lstm.files import CHUNK, read_npy

MOST_UNPACKED = 16 << 30
_LONGEST_HEADER = 1 << 16
_LOCAL_HEADER = 30
_KINDS = "biufUS"
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    OSError,
    EOFError,
    ValueError,
    SyntaxError,
    TypeError,
    KeyError,
    RuntimeError,
    NotImplementedError,
    MemoryError,
    OverflowError,
)


def map_npy(path: Path, what: str) -> np.ndarray:
    """One array, mapped; of numbers, truth values or text.

    Raises:
      InputError: see ``files.read_npy``.
    """
    return _checked(np.asarray(read_npy(path, what, mmap=True)), path, what)


def names_in(path: Path) -> Tuple[str, ...]:
    """The names of an ``.npz``'s arrays.

    Raises:
      InputError: missing, or no archive.
    """
    with regular_file(path) as stream:
        try:
            with zipfile.ZipFile(stream) as archive:
                return tuple(_array_name(name) for name in archive.namelist())
        except _DAMAGE as error:
            raise _damaged(path, error) from error


def map_npz(path: Path, whats: Dict[str, str]) -> Dict[str, np.ndarray]:
    """Some arrays of an ``.npz``: mapped where they are stored as they are, else unpacked to disk once.

    Args:
      path: the file.
      whats: name -> what it should be, for the error.

    Raises:
      InputError: missing, damaged, without such an array, pickled, or more than 16 GB unpacked.
    """
    found: Dict[str, np.ndarray] = {}
    with regular_file(path) as stream:
        try:
            with zipfile.ZipFile(stream) as archive:
                members = {_array_name(member.filename): member for member in archive.infolist()}
                for name, what in whats.items():
                    if name not in members:
                        shown = ", ".join(sorted(members)[:8]) or "no array"
                        raise InputError(f"{path}: found {shown}, expected {name!r}, {what}")
                    array = _member(path, archive, members[name], stream)
                    found[name] = _checked(array, path, f"{name!r}, {what}")
        except _DAMAGE as error:
            raise _damaged(path, error) from error
    return found


def _member(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo, raw: Any) -> np.ndarray:
    if member.file_size > MOST_UNPACKED:
        raise InputError(
            f"{path}: {member.filename!r:.60} claims {member.file_size:,} bytes, "
            f"expected at most {MOST_UNPACKED:,}"
        )
    with archive.open(member) as stream:
        dtype, shape, fortran, begin = _header(stream)
        count = 1
        for extent in shape:
            count *= extent
        if dtype.hasobject:
            return np.empty(0, object)
        if begin + count * dtype.itemsize != member.file_size:
            raise ValueError(f"{member.filename!r:.60} is not of the size that its header states")
        order = "F" if fortran else "C"
        if member.compress_type == zipfile.ZIP_STORED and count:
            offset = _content_begins(raw, member) + begin
            return np.asarray(np.memmap(str(path), dtype, "r", offset, shape, order))
        growing = Growing(np.uint8)
        for content in iter(lambda: stream.read(CHUNK), b""):
            growing.append(content)
    return growing.mapped().view(dtype).reshape(shape, order=order)


def _content_begins(raw: Any, member: zipfile.ZipInfo) -> int:
    raw.seek(member.header_offset)
    header = raw.read(_LOCAL_HEADER)
    if header[:4] != b"PK\x03\x04" or len(header) < _LOCAL_HEADER:
        raise ValueError("a member has no header")
    name, extra = struct.unpack("<HH", header[26:30])
    return int(member.header_offset + _LOCAL_HEADER + name + extra)


def _header(stream: IO[bytes]) -> Tuple[np.dtype, Tuple[int, ...], bool, int]:
    """Type, shape, Fortran order, and the bytes that the header takes."""
    start = stream.read(8)
    if start[:6] != b"\x93NUMPY" or start[6:8] not in (b"\x01\x00", b"\x02\x00"):
        raise ValueError("a member is no .npy array")
    width = 2 if start[6] == 1 else 4
    size = stream.read(width)
    length = int.from_bytes(size, "little")
    if length > _LONGEST_HEADER or len(size) < width:
        raise ValueError(f"an array's header has {length:,} bytes")
    content = io.BytesIO(size + stream.read(length))
    read = np.lib.format.read_array_header_1_0 if width == 2 else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(content)
    if any(extent < 0 for extent in shape):
        raise ValueError("an array's shape has a negative extent")
    return dtype, shape, fortran, 8 + width + length


def _array_name(member: str) -> str:
    return member[:-4] if member.endswith(".npy") else member


def _checked(array: np.ndarray, path: Path, what: str) -> np.ndarray:
    if array.dtype.kind not in _KINDS:
        found = "pickled objects, which are never loaded" if array.dtype.hasobject else str(array.dtype)
        raise InputError(f"{path}: found {found}; expected {what}")
    return array


def _damaged(path: Path, error: BaseException) -> InputError:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return InputError(
        f"{path}: not a readable .npz archive ({reason}); expected arrays as numpy.savez writes them"
    )
