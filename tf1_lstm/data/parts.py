"""Unfinished downloads on disk: what has arrived, where it came from, and who may write it."""

import fcntl
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Iterator, NamedTuple, Optional

from tf1_lstm.errors import InputError
from tf1_lstm.files import read_json, write_json

SPARE = 64 << 20  # bytes that a download leaves free on the disk


class Note(NamedTuple):
    """What an unfinished download is a part of.

    Attributes:
      address: where it came from.
      total: bytes of the whole file, where the server said so.
      validator: the server's ETag or date of this version, where it gave one.
    """

    address: str
    total: Optional[int]
    validator: Optional[str]


class PartialDownload:
    """An unfinished download of ``target``: ``NAME.part``, and its note in ``NAME.part.json``."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(target.name + ".part")
        self._note = target.with_name(target.name + ".part.json")

    def size(self) -> int:
        """Tell how many bytes have arrived."""
        return self.path.stat().st_size if self.path.is_file() else 0

    def note(self) -> Optional[Note]:
        """Give the note, or None where there is no part or no trustworthy note of it."""
        if not self.path.is_file():
            return None
        try:
            fields = read_json(self._note)
            note = Note(str(fields["address"]), fields["total"], fields["validator"])
        except (InputError, KeyError, TypeError):
            return None
        total_known = isinstance(note.total, (int, type(None)))
        return note if total_known and isinstance(note.validator, (str, type(None))) else None

    def begin(self, note: Note) -> None:
        """Forget what was there, and note what comes now."""
        self.discard()
        write_json(self._note, note._asdict())

    def discard(self) -> None:
        """Remove the part and its note."""
        for path in (self.path, self._note):
            try:
                path.unlink()
            except FileNotFoundError:
                pass
            except OSError as error:
                raise unwritable(path, error) from error


def unwritable(path: Path, error: OSError) -> InputError:
    """Make the error for a file or folder that cannot be written."""
    return InputError(f"{path}: cannot be written: {error.strerror or error}")


def check_room(folder: Path, needed: int) -> None:
    """Refuse to begin what the disk cannot hold.

    Args:
      folder: where ``needed`` bytes are going to be written.
      needed: bytes.

    Raises:
      InputError: fewer bytes are free.
    """
    try:
        free = shutil.disk_usage(str(folder)).free
    except OSError as error:
        raise unwritable(folder, error) from error
    if free < needed + SPARE:
        wanted = (needed + SPARE) / 1e6
        raise InputError(f"{folder}: found {free / 1e6:,.0f} MB free on the disk; expected {wanted:,.0f} MB")


@contextmanager
def locked(target: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Keep other processes from fetching ``target`` meanwhile; wait where one already does.

    Args:
      target: the file; its folder is made where it is missing.
      say: takes a remark for the user who has to wait.

    Raises:
      InputError: the folder cannot be made or written.
    """
    path = target.with_name(f".{target.name}.lock")
    held = False
    while not held:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(str(path), os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise unwritable(path.parent, error) from error
        try:
            _wait_for(handle, target, say)
            # Whoever held the lock before has removed its file; a removed file locks nothing.
            held = _is_at(handle, path)
            if held:
                try:
                    yield
                finally:
                    path.unlink()
        finally:
            os.close(handle)


def _wait_for(handle: int, target: Path, say: Callable[[str], None]) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say(f"{target}: waiting for another process that is fetching it")
        fcntl.flock(handle, fcntl.LOCK_EX)
    except OSError:
        pass  # a file system without locks: the check of the content must do


def _is_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.stat(str(path)))
    except FileNotFoundError:
        return False
