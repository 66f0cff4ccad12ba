"""The lock of a run folder: one process at a time, and its children, from training to measuring.

It is a ``flock`` on the file ``.lock``: it ends with the process, however that ends, and leaves nothing
to clean up. A process that has it hands it to a child by an open file, so that the two have one lock
together: it is free once both have ended. It holds on local disks and NFS 4, not on object stores.
"""

import fcntl
import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Dict, Iterator, Optional

from tf1_lstm.errors import InputError, InUseError

NAME = ".lock"
INHERITED = "TF1_LSTM_LOCK"  # number of the open file that a parent handed down
LOOK = 0.5


def hold(folder: Path, wait: float = 0.0) -> IO[str]:
    """Lock a run folder until the file that is returned is closed, or this process ends.

    Args:
      folder: of the run; it must exist.
      wait: seconds to wait for a process that has it.

    Raises:
      InUseError: another process still has it.
      InputError: it cannot be locked at all.
    """
    inherited = _inherited(folder)
    if inherited is not None:
        return inherited
    until = time.monotonic() + wait
    try:
        stream = open(folder / NAME, "a+", encoding="ascii")  # noqa: SIM115 (held while writing)
        while not _try(stream):
            if time.monotonic() >= until:
                stream.close()
                raise InUseError(f"{folder}: in use by another process, expected a run that has stopped")
            time.sleep(min(LOOK, max(0.0, until - time.monotonic())))
    except OSError as error:
        raise InputError(f"{folder}: cannot be locked: {error.strerror or error}") from error
    return stream


def _try(stream: IO[str]) -> bool:
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_held(folder: Path) -> bool:
    """Whether a process has the run. The question itself keeps nobody out for longer than an instant."""
    try:
        with open(folder / NAME, "rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # there is no such file, or it cannot be asked
        return False
    return False


@contextmanager
def held(folder: Path, wait: float = 0.0) -> Iterator[Dict[str, Any]]:
    """Hold a folder's lock, made where it is missing, and lend it to children.

    Yields:
      What ``subprocess.Popen`` needs for a child to have the lock too.

    Raises:
      InUseError: another process has it.
      InputError: it cannot be locked, or is a link to elsewhere.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: cannot be used as a run folder: {error.strerror or error}") from error
    if (folder / NAME).is_symlink():
        raise InputError(f"{folder / NAME}: found a link, expected a file or folder of the run itself")
    with hold(folder, wait) as stream:
        number = stream.fileno()
        yield {"pass_fds": (number,), "env": {**os.environ, INHERITED: str(number)}}


def _inherited(folder: Path) -> Optional[IO[str]]:
    """The parent's lock, where it is of this very folder."""
    number = os.environ.get(INHERITED, "")
    if not number.isdigit():
        return None
    try:
        given, own = os.fstat(int(number)), os.stat(folder / NAME)
        if (given.st_dev, given.st_ino) != (own.st_dev, own.st_ino):
            return None
        stream = os.fdopen(os.dup(int(number)), "a+", encoding="ascii")
        if not _try(stream):
            stream.close()
            return None
    except OSError:
        return None
    return stream
