"""Hashes of large files that were computed before, kept in the user's cache from process to process.

A hash is used again only while the file's device, inode, size, time of change and time of status change
(which no program can set) are what they were, and only where the file had been left alone for a minute
before it was hashed: a later change of it would otherwise fall into the same tick of a clock, or into a
page of memory that is mapped and not written yet. A file system whose time stamps end in 2038 gives every later
change the same one, which is no sign of anything.
"""

import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Dict, List

from tf1_lstm.errors import InputError
from tf1_lstm.files import read_json, sha256_of_file, write_json

LEAST = 1 << 20  # bytes of a file that is worth it
QUIET = 60.0  # seconds
LAST_SECOND = 2**31 - 1  # in January 2038, for time stamps of 32 bits
_MOST = 256  # files that are remembered
_writing = threading.Lock()


def remembered_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, computed or remembered. Raises OSError."""
    before = os.stat(str(path))
    if before.st_size < LEAST:
        return sha256_of_file(path)
    name, stamp = str(path.resolve()), _stamp(before)
    known = _load().get(name)
    if isinstance(known, dict) and known.get("stamp") == stamp and isinstance(known.get("sha256"), str):
        return str(known["sha256"])
    begun = time.time()
    found = sha256_of_file(path)
    latest = max(before.st_mtime, before.st_ctime)
    left_alone = latest < begun - QUIET and int(latest) != LAST_SECOND
    if left_alone and _stamp(os.stat(str(path))) == stamp:
        _keep(name, {"stamp": stamp, "sha256": found})
    return found


def cache_file() -> Path:
    """Where the hashes are kept: below ``XDG_CACHE_HOME``, or ``~/.cache``."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "tf1-lstm" / "checked.json"


def _stamp(status: os.stat_result) -> List[int]:
    return [status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def _load() -> Dict[str, Any]:
    """What is remembered; nothing from a file that others may write."""
    path = cache_file()
    try:
        status = os.stat(str(path))
        if status.st_uid != os.getuid() or status.st_mode & 0o022:
            return {}
        document = read_json(path)
    except (OSError, InputError):
        return {}
    return document if isinstance(document, dict) else {}


def _keep(name: str, entry: Dict[str, Any]) -> None:
    """Remember one more; where that cannot be written, the file is hashed again the next time."""
    path = cache_file()
    with _writing, suppress(OSError, InputError):
        entries = [(old, value) for old, value in _load().items() if old != name][1 - _MOST :]
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_json(path, dict([*entries, (name, entry)]))
        path.chmod(0o600)
