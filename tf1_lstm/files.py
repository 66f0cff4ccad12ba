"""Files at the border: hashing, reading ``.npy`` safely, and writing so that nothing is half-written."""

import hashlib
import json
import os
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Iterator, Tuple, Union

import numpy as np

from tf1_lstm.errors import InputError

PathLike = Union[str, Path]
CHUNK = 1 << 20


def sha256_of_file(path: PathLike) -> str:
    """SHA-256 of a file's bytes, in lower-case hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for chunk in iter(lambda: stream.read(CHUNK), b""):
            digest.update(chunk)
    return digest.hexdigest()


def sha256_of_array(array: np.ndarray) -> str:
    """SHA-256 of an array's bytes alone, in C order and without a header."""
    return hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()


@contextmanager
def replacing(path: PathLike, mode: str = "wb") -> Iterator[IO[Any]]:
    """Open a temporary file beside ``path`` and rename it to ``path`` when the block succeeds.

    Args:
      path: the file to be written; its folder is made where it is missing.
      mode: ``"wb"`` or ``"w"`` (UTF-8).

    Raises:
      InputError: where the folder or the file cannot be written (full disk, no permission).
    """
    target = Path(path)
    temporary = ""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=target.name + ".", suffix=".tmp", dir=str(target.parent))
        os.fchmod(handle, 0o666 & ~_umask())
        with open(handle, mode, encoding=None if "b" in mode else "utf-8") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, str(target))
        temporary = ""
    except OSError as error:
        raise InputError(f"{target}: cannot be written: {error.strerror or error}") from error
    finally:
        if temporary:
            with suppress(OSError):
                os.unlink(temporary)


def _umask() -> int:
    current = os.umask(0o022)
    os.umask(current)
    return current


def write_json(path: PathLike, document: Any) -> None:
    """Write ``document`` as indented JSON, replacing ``path`` in one step."""
    with replacing(path, "w") as stream:
        json.dump(document, stream, indent=1, ensure_ascii=False, allow_nan=False)
        stream.write("\n")


def read_json(path: PathLike) -> Any:
    """Read a JSON file.

    Raises:
      InputError: where the file is missing, unreadable or not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise InputError(f"{path}: not a readable JSON file ({error})") from error


def read_npy(path: PathLike, what: str, mmap: bool = False) -> np.ndarray:
    """Read one array from a ``.npy`` file without ever unpickling.

    Args:
      path: the file.
      what: what the file should hold, for the error ("the word list, a byte-string array").
      mmap: map the file instead of reading it.

    Raises:
      InputError: missing, pickled, truncated or not a ``.npy`` file at all.
    """
    source = Path(path)
    if not source.is_file():
        raise InputError(f"{source}: {'is a folder' if source.is_dir() else 'no such file'}; expected {what}")
    try:
        dtype, shape, offset = _npy_header(source)
    except (
        OSError,
        ValueError,
        SyntaxError,
        EOFError,
        MemoryError,
        OverflowError,
        TypeError,
        KeyError,
    ) as error:
        raise InputError(f"{source}: not a .npy file; expected {what}") from error
    if dtype.hasobject:
        raise InputError(f"{source}: holds pickled Python objects, which are never loaded; expected {what}")
    count = 1
    for extent in shape:
        count *= extent
    expected, found = offset + count * dtype.itemsize, source.stat().st_size
    if found < expected:
        raise InputError(f"{source}: truncated: {found:,} bytes found, {expected:,} expected for {what}")
    try:
        return np.load(str(source), mmap_mode="r" if mmap else None, allow_pickle=False)
    except (OSError, ValueError, EOFError, MemoryError) as error:
        raise InputError(f"{source}: cannot be read ({error}); expected {what}") from error


def _npy_header(path: Path) -> Tuple[np.dtype, Tuple[int, ...], int]:
    with open(str(path), "rb") as stream:
        version = np.lib.format.read_magic(stream)
        if version == (1, 0):
            shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
        else:
            shape, _, dtype = np.lib.format.read_array_header_2_0(stream)
        if any(extent < 0 for extent in shape):
            raise ValueError("negative extent")
        return dtype, shape, stream.tell()
