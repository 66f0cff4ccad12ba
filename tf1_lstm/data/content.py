"""What a public file must hold, told by its content, and the wrapping in which it is kept."""

import gzip
import hashlib
import io
import os
import re
import tarfile
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Dict, Iterator, Match, Tuple, cast

from tf1_lstm.data.archives import iterate_members, open_stream
from tf1_lstm.data.download import WrongContentError
from tf1_lstm.data.guards import kind_of, regular_file
from tf1_lstm.data.parts import unwritable
from tf1_lstm.data.sources import PublicFile
from tf1_lstm.errors import InputError
from tf1_lstm.files import CHUNK, replacing

_REVIEW = re.compile(r"(?:.*/)?(train|test)/(pos|neg)/(\d+_\d+\.txt)")
_LONGEST_REVIEW = 4 << 20  # bytes; the longest public one has 13,704


def reviews_sha256(path: Path, limit: int) -> Tuple[str, int]:
    """Hash the labelled reviews of the Large Movie Review Dataset, whatever wraps them.

    The hash is SHA-256 over one line for each file ``aclImdb/{train,test}/{pos,neg}/ID_RATING.txt``,
    sorted by name as byte strings: the SHA-256 of its bytes in hexadecimal, two spaces, its name, a
    newline. In an unpacked archive GNU tools give the same::

      find aclImdb/*/pos aclImdb/*/neg -name '*.txt' | LC_ALL=C sort | xargs sha256sum | sha256sum

    Args:
      path: a folder or an archive; what stands above ``train`` and ``test`` in it may differ.
      limit: the most bytes that it may unpack to.

    Returns:
      The hash in hexadecimal, and the number of reviews.

    Raises:
      InputError: the archive is damaged or hostile, or holds the reviews twice.
    """
    digests: Dict[str, str] = {}
    for name, content in _reviews(path, limit):
        if name in digests:
            raise InputError(f"{path}: found {name} twice; expected each review once")
        digests[name] = hashlib.sha256(content).hexdigest()
    whole = hashlib.sha256()
    for name in sorted(digests):
        whole.update(f"{digests[name]}  {name}\n".encode())
    return whole.hexdigest(), len(digests)


def check_content(path: Path, public: PublicFile) -> None:
    """Check that a file, or for the reviews also a folder, holds a public file's content.

    Raises:
      WrongContentError: it does not, or cannot be read.
    """
    _refuse_web_page(path, public)
    if public.kept == "reviews":
        try:
            found, count = reviews_sha256(path, public.unpack_limit)
        except InputError as error:
            raise WrongContentError(str(error)) from error
        _compare(path, public, found, f"{count:,} labelled reviews")
        return
    digest, size = hashlib.sha256(), 0
    for chunk in _content(path, public):
        digest.update(chunk)
        size += len(chunk)
    _compare(path, public, digest.hexdigest(), f"{size:,} bytes")


def keep(path: Path, public: PublicFile, target: Path, movable: bool) -> None:
    """Check a file's content and put it at ``target`` in the wrapping that is kept there.

    Args:
      path: the file, or for the reviews also a folder, in any wrapping.
      public: what it must hold.
      target: where it goes, in one step.
      movable: whether ``path``, on the same disk, may be used up.

    Raises:
      WrongContentError: it is not that file's content, or cannot be read; ``target`` is as before.
      InputError: ``target`` cannot be written.
    """
    _refuse_web_page(path, public)
    if public.kept == "plain" or not _is_gzip(path):
        _rewrap(path, public, target)
        return
    check_content(path, public)
    if movable:
        try:
            os.replace(str(path), str(target))
        except OSError as error:
            raise unwritable(target, error) from error
        return
    with regular_file(path) as stream, replacing(target) as copy:
        for chunk in iter(lambda: stream.read(CHUNK), b""):
            copy.write(chunk)


def _rewrap(path: Path, public: PublicFile, target: Path) -> None:
    if public.kept == "reviews":
        check_content(path, public)
    with ExitStack() as stack:
        stream: IO[bytes] = stack.enter_context(replacing(target))
        if public.kept != "plain":  # without name and time, the same content gives the same file
            stream = cast(IO[bytes], stack.enter_context(gzip.GzipFile("", "wb", fileobj=stream, mtime=0)))
        if public.kept == "reviews":
            _pack_reviews(path, public, stream)
            return
        digest, size = hashlib.sha256(), 0
        for chunk in _content(path, public):
            stream.write(chunk)
            digest.update(chunk)
            size += len(chunk)
        _compare(path, public, digest.hexdigest(), f"{size:,} bytes")


def _pack_reviews(path: Path, public: PublicFile, stream: IO[bytes]) -> None:
    with tarfile.open(fileobj=stream, mode="w|", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in _reviews(path, public.unpack_limit):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def _is_gzip(path: Path) -> bool:
    try:
        return path.is_file() and kind_of(path) == "gzip"
    except InputError as error:
        raise WrongContentError(str(error)) from error


def _reviews(path: Path, limit: int) -> Iterator[Tuple[str, bytes]]:
    """Give each labelled review under its public name, ``aclImdb/train/pos/0_9.txt``."""

    def wanted(name: str) -> bool:
        return _REVIEW.fullmatch(name) is not None

    for name, content in iterate_members(path, wanted, limit, _LONGEST_REVIEW):
        split, side, file = cast(Match[str], _REVIEW.fullmatch(name)).groups()
        yield f"aclImdb/{split}/{side}/{file}", content


def _content(path: Path, public: PublicFile) -> Iterator[bytes]:
    try:
        with open_stream(path, public.member, public.unpack_limit) as stream:
            yield from iter(lambda: stream.read(CHUNK), b"")
    except InputError as error:
        raise WrongContentError(str(error)) from error


def _compare(path: Path, public: PublicFile, found: str, size: str) -> None:
    if found != public.sha256:
        raise WrongContentError(
            f"{path}: found {size} with content SHA-256 {found}; expected {public.name} with {public.sha256}"
        )


def _refuse_web_page(path: Path, public: PublicFile) -> None:
    """Name the usual wrong download: the page of a server or a hotspot, under the file's name."""
    try:
        if path.is_dir():
            return
        with regular_file(path) as stream:
            start = stream.read(512).lstrip().lower()
    except InputError as error:
        raise WrongContentError(str(error)) from error
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise WrongContentError(f"{path}: found a web page; expected {public.name}")
