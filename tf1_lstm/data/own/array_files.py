"""Maps the arrays of ``.npy`` and ``.npz`` files into memory; nothing is unpickled or held twice."""

import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any, Dict, Tuple

import numpy as np

from tf1_lstm.core.npy import ObjectArrayError, read_header
from tf1_lstm.core.text import printable
from tf1_lstm.data.guards import regular_file
from tf1_lstm.data.own.growing import Growing
from tf1_lstm.errors import InputError
from tf1_lstm.files import CHUNK, read_npy

MOST_UNPACKED = 16 << 30
_LOCAL_HEADER = 30
_KINDS = "biufUS"
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    OSError,
    EOFError,
    ValueError,
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
                    try:
                        array = _member(path, archive, members[name], stream)
                    except ObjectArrayError as error:
                        raise InputError(f"{path}: found {error}; expected {name!r}, {what}") from error
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
        header = read_header(stream)
        if header.offset + header.size != member.file_size:
            raise ValueError(f"{member.filename!r:.60} is not of the size that its header states")
        order = "F" if header.fortran_order else "C"
        if member.compress_type == zipfile.ZIP_STORED and header.size:
            offset = _content_begins(raw, member) + header.offset
            return np.asarray(np.memmap(str(path), header.dtype, "r", offset, header.shape, order))
        growing = Growing(np.uint8)
        for content in iter(lambda: stream.read(CHUNK), b""):
            growing.append(content)
    return growing.mapped().view(header.dtype).reshape(header.shape, order=order)


def _content_begins(raw: Any, member: zipfile.ZipInfo) -> int:
    raw.seek(member.header_offset)
    header = raw.read(_LOCAL_HEADER)
    if header[:4] != b"PK\x03\x04" or len(header) < _LOCAL_HEADER:
        raise ValueError("a member has no header")
    name, extra = struct.unpack("<HH", header[26:30])
    return int(member.header_offset + _LOCAL_HEADER + name + extra)


def _array_name(member: str) -> str:
    return member[:-4] if member.endswith(".npy") else member


def _checked(array: np.ndarray, path: Path, what: str) -> np.ndarray:
    if array.dtype.kind not in _KINDS:
        raise InputError(f"{path}: found {array.dtype}; expected {what}")
    return array


def _damaged(path: Path, error: BaseException) -> InputError:
    reason = printable(error, 100) or type(error).__name__
    return InputError(
        f"{path}: not a readable .npz archive ({reason}); expected arrays as numpy.savez writes them"
    )
