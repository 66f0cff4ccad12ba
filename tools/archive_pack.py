"""The archive as a file: the same members give the same bytes, and a damaged member is named.

It is a tar in zstd or xz. Its first member lists the SHA-256 of all the others, so that it can be checked
as a stream, and after unpacking by ``sha256sum --check``. Owners, times and order are fixed.
"""

import hashlib
import io
import lzma
import os
import shutil
import tarfile
from pathlib import Path
from typing import IO, Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple, Union

LIST = "archive/SHA256SUMS"
CHUNK = 1 << 20
ZSTD_MAGIC, XZ_MAGIC = b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\x00"


class ArchiveError(Exception):
    """The archive cannot be made, or is not what it should be; the message is the one line to print."""


class Member(NamedTuple):
    """One file of the archive.

    Attributes:
      name: its path below the archive's folder.
      source: its content, or the file that has it.
      executable: whether it may be run.
    """

    name: str
    source: Union[bytes, Path]
    executable: bool = False

    @property
    def size(self) -> int:
        """Its bytes."""
        return len(self.source) if isinstance(self.source, bytes) else self.source.stat().st_size

    def open(self) -> IO[bytes]:
        """Its content as a stream."""
        return io.BytesIO(self.source) if isinstance(self.source, bytes) else self.source.open("rb")


def sha256_of(stream: IO[bytes]) -> str:
    """SHA-256 of the rest of a stream."""
    digest = hashlib.sha256()
    for chunk in iter(lambda: stream.read(CHUNK), b""):
        digest.update(chunk)
    return digest.hexdigest()


def listing(members: Sequence[Member]) -> bytes:
    """The list of members as ``sha256sum`` writes it."""
    lines = []
    for member in members:
        with member.open() as stream:
            lines.append(f"{sha256_of(stream)}  {member.name}\n")
    return "".join(lines).encode()


class _Hashed:
    """A file that is written to, and the SHA-256 of what was written."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        return self.file.write(data)

    def flush(self) -> None:
        self.file.flush()


def _compressing(file: Any, suffix: str) -> Any:
    if suffix == ".xz":
        return lzma.LZMAFile(file, "w", preset=1)
    import zstandard

    # With worker threads the bytes do not depend on how many there are. Most of it is compressed already.
    return zstandard.ZstdCompressor(level=3, threads=2, write_checksum=True).stream_writer(
        file, closefd=False
    )


def write(
    target: Path, members: Sequence[Member], time: int, progress: Callable[[int, str], Any]
) -> Dict[str, Any]:
    """Write an archive and ``TARGET.sha256``, each as a whole or not at all.

    Args:
      target: where; it ends in ``.tar.zst`` or ``.tar.xz``. The members' folder is its name without that.
      members: sorted by name here.
      time: seconds since 1970 that every member gets.
      progress: makes a bar from a number of bytes and a label.

    Returns:
      ``sha256`` and ``bytes`` of the file, ``unpacked`` bytes and ``members``.

    Raises:
      ArchiveError: the disk is full, or cannot be written.
    """
    folder = target.name[: target.name.index(".tar.")]
    ordered = sorted(members)
    ordered.insert(0, Member(LIST, listing(ordered)))
    total = sum(member.size for member in ordered)
    target.parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(str(target.parent)).free
    if free < total:
        raise ArchiveError(
            f"{target.parent}: found {free / 1e6:,.0f} MB free, expected up to {total / 1e6:,.0f} MB"
        )
    part = target.with_name(f".{target.name}.part")
    bar = progress(total, "packing")
    try:
        with part.open("wb") as file:
            hashed = _Hashed(file)
            with _compressing(hashed, target.suffix) as stream, tarfile.open(
                fileobj=stream, mode="w|", format=tarfile.GNU_FORMAT
            ) as tar:
                for member in ordered:
                    info = tarfile.TarInfo(f"{folder}/{member.name}")
                    info.size, info.mtime = member.size, time
                    info.mode = 0o755 if member.executable else 0o644
                    with member.open() as content:
                        tar.addfile(info, content)
                    bar.update(member.size)
            file.flush()
            os.fsync(file.fileno())
        sums = target.with_name(f"{target.name}.sha256")
        sums_part = target.with_name(f".{sums.name}.part")
        sums_part.write_text(f"{hashed.digest.hexdigest()}  {target.name}\n")
        sums_part.replace(sums)
        part.replace(target)
    except OSError as error:
        raise ArchiveError(f"{target}: {error.strerror or error}; nothing was left of it") from error
    finally:
        bar.close()
        if part.exists():
            part.unlink()
    return {
        "sha256": hashed.digest.hexdigest(),
        "bytes": target.stat().st_size,
        "unpacked": total,
        "members": len(ordered),
    }


class _Decompressed:
    """A compressed file as a stream for tarfile; a file that ends early is an error."""

    def __init__(self, file: IO[bytes], path: Path) -> None:
        magic = file.read(6)
        file.seek(0)
        self.file = file
        self.rest = b""
        if magic == XZ_MAGIC:
            self.decompressor: Any = lzma.LZMADecompressor()
        elif magic[:4] == ZSTD_MAGIC:
            import zstandard

            self.decompressor = zstandard.ZstdDecompressor().decompressobj()
        else:
            raise ArchiveError(f"{path}: found no zstd and no xz file, expected what `make archive` wrote")

    def read(self, size: int) -> bytes:
        while len(self.rest) < size and not self.decompressor.eof:
            chunk = self.file.read(1 << 16)
            if not chunk:
                raise EOFError("the file is cut short")
            self.rest += self.decompressor.decompress(chunk)
        data, self.rest = self.rest[:size], self.rest[size:]
        return data


def _members(file: IO[bytes], path: Path) -> Iterator[Tuple[str, Optional[IO[bytes]]]]:
    """(name, content) of every member, None for what is no plain file; then the rest up to the end."""
    whole: Any = _Decompressed(file, path)
    with tarfile.open(fileobj=whole, mode="r|") as tar:
        for info in tar:
            yield info.name.partition("/")[2], tar.extractfile(info) if info.isreg() else None
    while whole.read(CHUNK):  # where the compressed file's own sum is
        pass


def check(path: Path, progress: Callable[[int, str], Any]) -> List[str]:
    """Compare every member of an archive with the list in it, without unpacking to disk.

    Returns:
      The members' names.

    Raises:
      ArchiveError: a member is damaged, missing, or not in the list: its name is in the message.
    """
    listed: Dict[str, str] = {}
    found: List[str] = []

    def lost() -> Optional[str]:
        seen = set(found)
        return next((name for name in listed if name not in seen), None)

    bar = progress(path.stat().st_size, "checking")
    try:
        with path.open("rb") as file:
            for name, stream in _members(file, path):
                if stream is None:
                    raise ArchiveError(f"{path}: member {name} is no plain file")
                if not listed:
                    if name != LIST:
                        raise ArchiveError(f"{path}: the first member is {name}, expected {LIST}")
                    lines = stream.read().decode("utf-8", "replace").splitlines()
                    listed.update((line[66:], line[:64]) for line in lines)
                    continue
                digest, wanted = sha256_of(stream), listed.get(name, "no such member")
                if wanted != digest:
                    raise ArchiveError(
                        f"{path}: member {name} is damaged: found SHA-256 {digest}, expected {wanted}"
                    )
                found.append(name)
                bar.update(file.tell() - bar.n)
    except ArchiveError:
        raise
    except Exception as error:  # what a decompressor or tarfile says of damaged bytes has no common class
        raise ArchiveError(f"{path}: damaged at member {lost() or LIST}: {error}") from error
    finally:
        bar.close()
    if lost() or not listed:
        raise ArchiveError(f"{path}: member {lost() or LIST} is missing; the file is cut short")
    return found
