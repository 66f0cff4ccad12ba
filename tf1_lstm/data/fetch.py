"""Brings the public files into the data folder: from the network or from another folder, always checked."""

import os
from pathlib import Path
from typing import Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from tf1_lstm.data.content import check_content, keep
from tf1_lstm.data.download import Downloader, NotDownloadedError, Patience, WrongContentError
from tf1_lstm.data.parts import locked
from tf1_lstm.data.sources import PUBLIC_FILES, PublicFile, addresses_of
from tf1_lstm.errors import InputError
from tf1_lstm.files import CHUNK


class FetchedFile(NamedTuple):
    """What became of one public file.

    Attributes:
      what: the data set.
      path: where the file is.
      source: the address or path it came from; its own path where it was there before.
      sha256: of its content, by the rule of its kind.
      licence: what its authors say of its use.
      status: ``"already there"``, ``"downloaded"`` or ``"copied"``.
      replaced: whether a wrong file stood in its place.
    """

    what: str
    path: Path
    source: str
    sha256: str
    licence: str
    status: str
    replaced: bool


class _NotFoundError(InputError):
    """A folder holds the file under none of its names."""


def fetch(
    what: str,
    data: Path,
    source: Optional[Path] = None,
    progress: bool = True,
    table: Sequence[PublicFile] = PUBLIC_FILES,
    patience: Optional[Patience] = None,
) -> List[FetchedFile]:
    """Bring public files into ``data/glove``, ``data/imdb`` and ``data/mnist``.

    A file that is there with the right content is left alone. A wrong one is replaced, but only by
    a right one. A file put below ``data`` by hand, however it is wrapped, is used before any download.

    Args:
      what: the name of a data set in the table, or ``"all"``.
      data: the data folder; it is made where it is missing.
      source: a folder to take the files from, in it or in a folder of the data set's name, under
        their public names, wrapped or not. The network is not used then.
      progress: show remarks and a bar on standard error.
      table: the public files.
      patience: how long to wait for an address.

    Returns:
      One entry for each file, in the table's order.

    Raises:
      InputError: no such data set; a file is not in ``source``, or not the right one; no address
        served it (the message says what to put where); ``data`` cannot be written. The other files
        of ``what`` are brought nevertheless, where it was a file that was missing.
    """
    wanted = [public for public in table if what in ("all", public.what)]
    if not wanted:
        names = sorted({public.what for public in table})
        raise InputError(f"fetch: found no data set {what!r}; expected {', '.join(names)} or all")
    if source is not None and not Path(source).is_dir():
        raise InputError(f"{source}: no such folder; expected one that holds the public files")
    downloader = Downloader(progress, patience)
    fetched: List[FetchedFile] = []
    failures: List[Tuple[PublicFile, InputError]] = []
    for public in wanted:
        try:
            fetched.append(_fetch_one(public, Path(data), source and Path(source), downloader))
        except (_NotFoundError, NotDownloadedError) as error:
            failures.append((public, error))
    if failures and source is not None:
        raise InputError(_what_is_missing([public for public, _ in failures], Path(source)))
    if failures:
        raise InputError(_what_to_put_where(failures, Path(data)))
    return fetched


# ---- one file ------------------------------------------------------------------------------------


def _fetch_one(public: PublicFile, data: Path, source: Optional[Path], downloader: Downloader) -> FetchedFile:
    target = data / public.what / public.name
    entry = FetchedFile(
        public.what, target, str(target), public.sha256, public.licence, "already there", replaced=False
    )
    if _fault(target, public) is None:  # before the lock, so that a read-only data folder serves too
        return entry
    with locked(target, downloader.say):
        fault = _fault(target, public)
        if fault is None:
            return entry
        if fault:
            downloader.say(f"{fault}; it stays until the right one is here")
        copied = _from_folder(public, source or data, target, downloader.say, strict=source is not None)
        if copied is not None:
            return entry._replace(source=str(copied), status="copied", replaced=bool(fault))
        try:
            address = _download(public, target, downloader)
        except NotDownloadedError as error:
            raise NotDownloadedError(f"{error}; {fault}" if fault else str(error)) from error
        return entry._replace(source=address, status="downloaded", replaced=bool(fault))


def _fault(target: Path, public: PublicFile) -> Optional[str]:
    """Say what is wrong with the file in place: None for nothing, empty where there is none."""
    if not os.path.lexists(str(target)):
        return ""
    try:
        check_content(target, public)
    except WrongContentError as error:
        return str(error)
    return None


def _download(public: PublicFile, target: Path, downloader: Downloader) -> str:
    def accept(part: Path) -> None:
        keep(part, public, target, movable=True)

    return downloader.download(
        addresses_of(public),
        target.with_name(public.download_name),
        accept,
        limit=max(2 * public.download_bytes, public.content_bytes) + CHUNK,
        room=public.content_bytes if public.kept == "plain" else 0,
    )


def _from_folder(
    public: PublicFile, folder: Path, target: Path, say: Callable[[str], None], strict: bool
) -> Optional[Path]:
    """Take the file from a folder; without ``strict`` it is no error that none or a wrong one is there."""
    faults: List[WrongContentError] = []
    for candidate in _candidates(public, folder, target):
        try:
            keep(candidate, public, target, movable=False)
            return candidate
        except WrongContentError as error:
            faults.append(error)
            say(str(error))
    if strict:
        raise faults[0] if faults else _NotFoundError(f"{folder}: no {public.name}")
    return None


def _candidates(public: PublicFile, folder: Path, target: Path) -> Iterator[Path]:
    usable = Path.exists if public.kept == "reviews" else Path.is_file  # reviews may be unpacked
    for place in (folder, folder / public.what):
        for name in dict.fromkeys((public.name, public.download_name, *public.accepted)):
            path = place / name
            if usable(path) and not (target.exists() and path.samefile(target)):
                yield path
        if public.kept == "reviews" and (place / "train" / "pos").is_dir():
            yield place


# ---- what to tell --------------------------------------------------------------------------------


def _what_is_missing(missing: List[PublicFile], source: Path) -> str:
    names = ", ".join(public.name for public in missing)
    places = " or ".join(str(source / what) for what in dict.fromkeys(public.what for public in missing))
    return (
        f"{source}: found no {names}; expected them there or in {places}, "
        "unpacked or wrapped as .gz, .xz or .zip, or as the public archives"
    )


def _what_to_put_where(failures: List[Tuple[PublicFile, InputError]], data: Path) -> str:
    names: Dict[str, List[str]] = {}
    for public, _ in failures:
        names.setdefault(public.what, []).append(public.download_name)
    places = "; ".join(f"{', '.join(files)} into {data / what}" for what, files in names.items())
    what = next(iter(names)) if len(names) == 1 else "all"
    return (
        f"{failures[0][0].download_name}: not downloaded ({failures[0][1]}); without a network put "
        f"{places}, or all into one folder for --from, and run 'tf1-lstm fetch {what}' again"
    )
