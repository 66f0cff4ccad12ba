"""One safe way to read files from outside, whatever wraps them: plain, gzip, xz, zip, tar or a folder.

Wrappings are told by their content and not by their names. Nothing is written to disk, no link is
followed, every read is counted against a limit, and whatever is damaged or hostile ends in an
``InputError`` that names the file, what was found and what was expected.
"""

import fnmatch
import io
import os
import stat
import zipfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Callable, Iterator, List, Optional, Tuple, cast

from tf1_lstm.data.guards import (
    BUFFER,
    Guarded,
    check_size,
    damage_told,
    kind_of,
    regular_file,
    safe_name,
    unwrapped,
)
from tf1_lstm.data.tarballs import starts_as_tar, tar_members
from tf1_lstm.errors import InputError

DEFAULT_LIMIT = 4 << 30  # bytes, unpacked: more than any file this project reads
MEMBER_LIMIT = 64 << 20  # bytes of one member
SUFFIXES = ("", ".gz", ".xz", ".zip")  # how a file that stands in a folder may be wrapped


@contextmanager
def open_stream(path: Path, member: Optional[str] = None, limit: int = DEFAULT_LIMIT) -> Iterator[BinaryIO]:
    """Open the unpacked bytes of one file for reading from start to end.

    Args:
      path: a plain file, one wrapped in gzip, xz, zip or a (compressed) tar, or a folder.
      member: which file of a zip, tar or folder is meant, as a shell pattern for its last name or
        its whole name (``"*50d.txt"``). In a zip exactly one must match, in a tar the first does;
        in a folder it may also be wrapped (``.gz``, ``.xz``, ``.zip``). Without it a zip must hold
        one file only, and tars and folders are refused. Ignored for a file that wraps one file.
      limit: the most bytes the file may unpack to; of a tar, up to the end of the member.

    Raises:
      InputError: missing, truncated, damaged or encrypted; no such member, or several; more than
        ``limit`` bytes, at once where the archive says so and otherwise when they have been read.
    """
    source = Path(path)
    if member is not None and source.is_dir():
        source = _file_in_folder(source, member)
    kind = kind_of(source)
    with ExitStack() as stack:
        if kind == "zip":
            archive = stack.enter_context(_zip_archive(source))
            chosen = _the_one(source, _zip_files(archive, source), member)
            yield stack.enter_context(_zip_stream(archive, chosen, source, limit))
            return
        stream = stack.enter_context(unwrapped(source, kind, limit))
        if not starts_as_tar(stream):
            yield cast(BinaryIO, stream)
            return
        if member is None:
            raise InputError(f"{source}: found a tar archive; expected one file")
        pattern = member
        for found in tar_members(stream, source, lambda name: _matches(name, pattern), limit):
            yield _buffered(found, source, "tar archive", limit)
            return
        raise InputError(f"{source}: no member like {member} found in the tar archive; expected one")


def iterate_members(
    path: Path,
    wanted: Callable[[str], bool],
    limit: int = DEFAULT_LIMIT,
    member_limit: int = MEMBER_LIMIT,
) -> Iterator[Tuple[str, bytes]]:
    """Read the wanted regular files of a folder, a tar (plain, gzip, xz) or a zip.

    Args:
      path: the folder or the archive.
      wanted: tells from a member's name whether its bytes are asked for.
      limit: the most bytes to read in all; in a tar the skipped members count too.
      member_limit: the most bytes one wanted member may have.

    Yields:
      ``(name, bytes)``: the name relative to the archive or folder, with ``/`` between its parts
      and without ``./``. An archive's members come in its own order: sort where order matters.

    Links, devices and folders are passed over.

    Raises:
      InputError: not one of these kinds, truncated, damaged or encrypted; a member whose name is
        absolute or climbs with ``..``; the same wanted name twice; more bytes than the limits.
    """
    source = Path(path)
    seen = set()
    for name, content in _members(source, wanted, limit, member_limit):
        if name in seen:
            raise InputError(f"{source}: found member {name!r} twice; expected each name once")
        seen.add(name)
        yield name, content


def _members(
    source: Path, wanted: Callable[[str], bool], limit: int, member_limit: int
) -> Iterator[Tuple[str, bytes]]:
    if source.is_dir():
        yield from _folder_members(source, wanted, limit, member_limit)
        return
    kind = kind_of(source)
    if kind == "zip":
        yield from _zip_members(source, wanted, limit, member_limit)
        return
    with unwrapped(source, kind, limit) as stream:
        if not starts_as_tar(stream):
            found = "a file that is no archive" if kind == "plain" else f"no tar inside the {kind} file"
            raise InputError(f"{source}: found {found}; expected a folder, .tar, .tar.gz, .tar.xz or .zip")
        for member in tar_members(stream, source, wanted, member_limit):
            yield member.name, member.read(member_limit)


def _buffered(content: Any, path: Path, kind: str, limit: int) -> BinaryIO:
    return cast(BinaryIO, io.BufferedReader(Guarded(content, path, kind, limit), BUFFER))


def _matches(name: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(name.rpartition("/")[2], pattern)


# ---- zip -----------------------------------------------------------------------------------------


@contextmanager
def _zip_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    with regular_file(path) as raw:
        with damage_told(path, "zip archive"):
            archive = zipfile.ZipFile(raw)
        with archive:
            yield archive


def _zip_files(archive: zipfile.ZipFile, path: Path) -> List[Tuple[str, zipfile.ZipInfo]]:
    files = []
    for info in archive.infolist():
        name = safe_name(path, info.filename)
        kind = stat.S_IFMT(info.external_attr >> 16)  # 0 where the archive was not made under Unix
        if not info.is_dir() and kind in (0, stat.S_IFREG):
            files.append((name, info))
    return files


def _the_one(path: Path, files: List[Tuple[str, zipfile.ZipInfo]], pattern: Optional[str]) -> zipfile.ZipInfo:
    found = [(name, info) for name, info in files if pattern is None or _matches(name, pattern)]
    if len(found) == 1:
        return found[0][1]
    names = ", ".join(name for name, _ in (found or files)[:5]) or "nothing"
    expected = "only one file" if pattern is None else f"one member like {pattern}"
    raise InputError(f"{path}: found {len(found)} in the zip archive (of {names}); expected {expected}")


@contextmanager
def _zip_stream(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path, limit: int
) -> Iterator[BinaryIO]:
    check_size(path, info.filename, info.file_size, limit)
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        # Python inflates the other methods without a bound on what one read may give.
        raise InputError(
            f"{path}: found zip method {info.compress_type} in {info.filename!r}; expected deflate"
        )
    with damage_told(path, "zip archive"):
        source = archive.open(info)
    with source:
        yield _buffered(source, path, "zip archive", limit)


def _zip_members(
    path: Path, wanted: Callable[[str], bool], limit: int, member_limit: int
) -> Iterator[Tuple[str, bytes]]:
    left = limit
    with _zip_archive(path) as archive:
        for name, info in _zip_files(archive, path):
            if wanted(name):
                with _zip_stream(archive, info, path, min(left, member_limit)) as stream:
                    content = stream.read()
                if len(content) != info.file_size:
                    raise InputError(
                        f"{path}: {name!r} is truncated; expected {info.file_size:,} bytes of it"
                    )
                left -= len(content)
                yield name, content


# ---- folders -------------------------------------------------------------------------------------


def _file_in_folder(folder: Path, pattern: str) -> Path:
    try:
        names = sorted(entry.name for entry in folder.iterdir() if entry.is_file())
    except OSError as error:
        raise InputError(f"{folder}: {error.strerror or error}; expected a readable folder") from error
    for suffix in SUFFIXES:
        found = [name for name in names if fnmatch.fnmatchcase(name, pattern + suffix)]
        if len(found) > 1:
            raise InputError(
                f"{folder}: found {', '.join(found[:5])}; expected one file like {pattern}{suffix}"
            )
        if found:
            return folder / found[0]
    raise InputError(f"{folder}: no such file in the folder; expected {pattern} (or .gz, .xz, .zip of it)")


def _folder_members(
    folder: Path, wanted: Callable[[str], bool], limit: int, member_limit: int
) -> Iterator[Tuple[str, bytes]]:
    left = limit

    def refuse(error: OSError) -> None:
        raise InputError(f"{error.filename}: {error.strerror}; expected a readable folder") from error

    for root, folders, files in os.walk(str(folder), onerror=refuse):  # does not enter linked folders
        folders.sort()
        inside = Path(root).relative_to(folder).as_posix()
        for file in sorted(files):
            name = file if inside == "." else f"{inside}/{file}"
            if not wanted(name):
                continue
            content = _read_inside(os.path.join(root, file), min(left, member_limit))
            if content is not None:
                left -= len(content)
                yield name, content


def _read_inside(path: str, limit: int) -> Optional[bytes]:
    """Read a file, or give None for what is no regular file; no link is followed, no pipe waited for."""
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return None
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(handle, "rb") as stream:
            check_size(Path(path).parent, os.path.basename(path), os.fstat(handle).st_size, limit)
            return stream.read(limit)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; expected a readable file") from error
