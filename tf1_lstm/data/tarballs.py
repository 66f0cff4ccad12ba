"""Reads a tar from start to end without the faults of Python 3.7's ``tarfile``."""

import io
import tarfile
from pathlib import Path
from typing import IO, Callable, Iterator, cast

from tf1_lstm.data.guards import BUFFER, check_size, damage_told, safe_name
from tf1_lstm.errors import InputError

LARGEST_HEADER = 1 << 20  # bytes; an extended header holds a name, and names are short


class _Forward:
    """What ``tarfile`` reads from: it goes forward only and refuses to be asked for too much.

    ``tarfile`` of Python 3.7 follows a negative size backwards without end, reads an extended header
    of any claimed length into memory, and takes a missing end for an end.

    Attributes:
      last: the last bytes that were read; at the end of a whole tar, a block of zeros.
    """

    def __init__(self, stream: IO[bytes], path: Path, largest: int) -> None:
        self._stream, self._path, self._largest = stream, path, largest
        self._position = 0
        self.last = b""

    def read(self, count: int) -> bytes:
        if not 0 <= count <= self._largest:
            raise InputError(
                f"{self._path}: a header claims {count:,} bytes; expected at most {self._largest:,}"
            )
        self.last = self._stream.read(count)
        self._position += len(self.last)
        return self.last

    def tell(self) -> int:
        return self._position

    def seek(self, position: int) -> int:
        if position < self._position:
            raise InputError(f"{self._path}: a header points backwards; expected a whole tar archive")
        while self._position < position and self.read(min(position - self._position, BUFFER)):
            pass
        return self._position


def starts_as_tar(stream: io.BufferedReader) -> bool:
    """Tell from a stream's first bytes, which stay unread, whether it is a tar."""
    block = stream.peek(tarfile.BLOCKSIZE)[: tarfile.BLOCKSIZE]
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.TarError:
        return False
    return True


class TarMember:
    """One regular file of a tar; it can be read once, before the next member is asked for.

    Attributes:
      name: relative, with ``/`` between its parts.
    """

    def __init__(self, name: str, size: int, source: _Forward, path: Path) -> None:
        self.name = name
        self._left, self._source, self._path = size, source, path

    def read(self, count: int) -> bytes:
        """Read up to ``count`` bytes; fewer only at the member's end.

        Raises:
          InputError: the archive ends before the member does.
        """
        asked = min(count, self._left)
        content = self._source.read(asked)
        self._left -= len(content)
        if len(content) < asked:
            raise InputError(f"{self._path}: ends within {self.name!r}; expected a whole tar archive")
        return content


def tar_members(
    stream: IO[bytes], path: Path, wanted: Callable[[str], bool], member_limit: int
) -> Iterator[TarMember]:
    """Go through the wanted regular files of an unpacked tar.

    Args:
      stream: the tar's bytes; its own limit bounds what is read in all.
      path: the archive, for errors.
      wanted: tells from a member's safe name whether it is asked for.
      member_limit: the most bytes a wanted member may claim.

    Raises:
      InputError: no end mark, damage, hostile names or sizes, a wanted member that is sparse.
    """
    forward = _Forward(stream, path, max(member_limit, LARGEST_HEADER, BUFFER))
    with damage_told(path, "tar archive"):
        archive = tarfile.TarFile(
            fileobj=cast(IO[bytes], forward), encoding="utf-8", errors="surrogateescape"
        )
    while True:
        with damage_told(path, "tar archive"):
            info = archive.next()
        if info is None:
            break
        archive.members = []  # type: ignore[attr-defined]  # kept, they would fill the memory
        name = safe_name(path, info.name)
        if info.isreg() and wanted(name):
            check_size(path, name, info.size, member_limit)
            if info.issparse():
                raise InputError(f"{path}: member {name!r} is sparse; expected ordinary files")
            forward.seek(info.offset_data)
            yield TarMember(name, info.size, forward, path)
    if forward.last != tarfile.NUL * tarfile.BLOCKSIZE:
        raise InputError(f"{path}: truncated or damaged (no end mark); expected a whole tar archive")
    while stream.read(BUFFER):  # up to where gzip and xz keep their checksum
        pass
