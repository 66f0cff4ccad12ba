"""Read an ``.npz`` from outside: nothing unpickled, nothing larger than it says, no bomb unpacked."""

import zipfile
import zlib
from pathlib import Path
from typing import IO, Dict, Union

import numpy as np

from tf1_lstm.core.npy import read_header
from tf1_lstm.core.text import printable
from tf1_lstm.errors import InputError

MOST_MEMBERS = 10_000
MOST_BYTES = 2 << 30
# Deflate reaches about 1,030 to 1; runs of zeros (a direction without gradient) come close to it.
TYPES = ("<f4", "<f8", "<i4", "<i8", "|u1", "|b1", "<f2", "<i2", "<u4")


def read_npz(path: Union[str, Path], what: str) -> Dict[str, np.ndarray]:
    """Read every array of an ``.npz``.

    Args:
      path: the file.
      what: what it should be, for the error.

    Raises:
      InputError: missing, not an archive of arrays, damaged, too large, or with pickled objects.
    """
    source = Path(path)
    if not source.is_file():
        raise InputError(f"{source}: {'is a folder' if source.is_dir() else 'no such file'}; expected {what}")
    try:
        with zipfile.ZipFile(str(source)) as archive:
            return _read_members(source, archive, what)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError) as error:
        raise InputError(
            f"{source}: not a readable archive ({printable(error, 100)}); expected {what}"
        ) from error
    except (NotImplementedError, RuntimeError, MemoryError) as error:
        raise InputError(
            f"{source}: cannot be unpacked ({printable(error, 100)}); expected {what}"
        ) from error


def _read_members(source: Path, archive: zipfile.ZipFile, what: str) -> Dict[str, np.ndarray]:
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise InputError(f"{source}: {len(members):,} members, at most {MOST_MEMBERS:,} expected for {what}")
    total = sum(member.file_size for member in members)
    if total > MOST_BYTES:
        raise InputError(f"{source}: would unpack to {total:,} bytes, at most {MOST_BYTES:,} expected")
    arrays: Dict[str, np.ndarray] = {}
    for member in members:
        name = member.filename[:-4] if member.filename.endswith(".npy") else ""
        if not name or name in arrays:
            raise InputError(f"{source}: member {member.filename!r:.80} is not one array; expected {what}")
        with archive.open(member) as stream:
            try:
                arrays[name] = _read_array(stream, member.file_size)
            except ValueError as error:
                raise InputError(f"{source}: {name!r:.80}: {error}; expected {what}") from error
    return arrays


def _read_array(stream: IO[bytes], size: int) -> np.ndarray:
    """Read one ``.npy`` of ``size`` bytes; raise ValueError where it is not what its header says."""
    dtype, shape, fortran, offset = header = read_header(stream)
    if dtype.str not in TYPES:
        raise ValueError(f"its type is {dtype.str!r}, expected plain numbers")
    if header.size != size - offset:
        raise ValueError(f"its header states {dtype} {shape}, which is not its size")
    content = stream.read(header.size)
    if len(content) != header.size or stream.read(1):
        raise ValueError("truncated or longer than stated")
    array = np.frombuffer(content, dtype)
    return array.reshape(shape[::-1]).T.copy() if fortran else array.reshape(shape).copy()
