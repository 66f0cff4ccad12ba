"""Streams that do not trust what they read: limits on bytes, on names, and damage told in one line."""

import gzip
import io
import lzma
import os
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Iterator

from tf1_lstm.core.text import printable
from tf1_lstm.errors import InputError

BUFFER = 1 << 18
_MAGIC = ((b"\x1f\x8b", "gzip"), (b"\xfd7zXZ\x00", "xz"), (b"PK\x03\x04", "zip"), (b"PK\x05\x06", "zip"))
# What the standard library raises, by experience, on archives that are cut, altered or made to harm.
_DAMAGE = (
    EOFError,
    MemoryError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
    lzma.LZMAError,
    struct.error,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)


def kind_of(path: Path) -> str:
    """Tell a file's outermost wrapping: ``"gzip"``, ``"xz"``, ``"zip"`` or ``"plain"``.

    Raises:
      InputError: the file is missing, is not a regular file, or cannot be read.
    """
    with regular_file(path) as stream:
        start = stream.read(8)
    return next((kind for magic, kind in _MAGIC if start.startswith(magic)), "plain")


@contextmanager
def damage_told(path: Path, kind: str) -> Iterator[None]:
    """Turn whatever a damaged archive makes the standard library raise into one ``InputError``."""
    try:
        yield
    except _DAMAGE as error:
        reason = printable(error, 100).rstrip(".") or type(error).__name__
        raise InputError(f"{path}: truncated or damaged ({reason}); expected a whole {kind}") from error


@contextmanager
def regular_file(path: Path) -> Iterator[BinaryIO]:
    """Open a regular file for reading.

    Raises:
      InputError: missing, unreadable, a folder, or a pipe or device (which could wait for ever).
    """
    try:
        mode = os.stat(str(path)).st_mode
        if not stat.S_ISREG(mode):
            found = "a folder" if stat.S_ISDIR(mode) else "a pipe or device"
            raise InputError(f"{path}: found {found}; expected a file")
        stream = open(str(path), "rb")  # noqa: SIM115 (faults inside the caller's block are not ours)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; expected a readable file") from error
    with stream:
        yield stream


class Guarded(io.RawIOBase):
    """The bytes of another stream, counted against a limit; its faults become ``InputError``."""

    def __init__(self, source: Any, path: Path, kind: str, limit: int) -> None:
        super().__init__()
        self._source, self._path, self._kind, self._limit = source, path, kind, limit
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with damage_told(self._path, self._kind):
            content = self._source.read(len(buffer))
        self._count += len(content)
        if self._count > self._limit:
            raise InputError(
                f"{self._path}: unpacks to more than {self._limit:,} bytes; expected at most that"
            )
        buffer[: len(content)] = content
        return len(content)


@contextmanager
def unwrapped(path: Path, kind: str, limit: int) -> Iterator[io.BufferedReader]:
    """Open the bytes inside gzip or xz, or a plain file itself.

    Args:
      path: the file.
      kind: what ``kind_of`` said of it; not ``"zip"``.
      limit: the most bytes it may unpack to.
    """
    with regular_file(path) as raw:
        source: Any = raw
        if kind == "gzip":
            source = gzip.GzipFile(fileobj=raw)
        elif kind == "xz":
            source = lzma.LZMAFile(raw)  # noqa: SIM115 (it owns nothing that `raw` does not)
        what = "file" if kind == "plain" else f"{kind} file"
        yield io.BufferedReader(Guarded(source, path, what, limit), BUFFER)


def safe_name(path: Path, name: str) -> str:
    """Bring a member's name to ``/`` between its parts and no ``./``.

    Raises:
      InputError: the name is empty or absolute, or climbs with ``..``.
    """
    parts = name.replace("\\", "/").split("/")
    if not parts[0] or ".." in parts or re.match(r"[A-Za-z]:[\\/]", name):
        raise InputError(f"{path}: found a member named {name!r}; expected relative names without '..'")
    return "/".join(part for part in parts if part not in ("", "."))


def check_size(path: Path, name: str, size: int, limit: int) -> None:
    """Refuse a member by the size it claims, in bytes, before any of it is read."""
    if not 0 <= size <= limit:
        raise InputError(f"{path}: member {name!r} claims {size:,} bytes; expected at most {limit:,}")
