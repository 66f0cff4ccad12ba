"""Files at the border: hashing, reading ``.npy`` safely, and writing so that nothing is half-written."""

import hashlib
import json
import os
import stat
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Iterator, Union

import numpy as np

from tf1_lstm.core.npy import Header, ObjectArrayError, read_header
from tf1_lstm.errors import InputError

PathLike = Union[str, Path]
CHUNK = 1 << 20
MOST_JSON_BYTES = 64 << 20
MOST_DIGITS = 400


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
      InputError: where the folder or the file cannot be written (full disk, no permission), or ``path`` is a
        device or a pipe, which a rename would do away with.
    """
    target = Path(path)
    temporary = ""
    try:
        _refuse_device(target)
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


def _refuse_device(target: Path) -> None:
    try:
        mode = os.stat(str(target)).st_mode
    except FileNotFoundError:
        return
    # /dev/stdout leads to whatever standard output is, which may well be a file.
    leads_to_process = target.is_symlink() and os.readlink(str(target)).startswith("/proc/")
    if leads_to_process or not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise InputError(f"{target}: found a device or a pipe, expected the name of a file")


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
        status = os.stat(str(path))
        if not stat.S_ISREG(status.st_mode) or status.st_size > MOST_JSON_BYTES:
            found = "not a file" if not stat.S_ISREG(status.st_mode) else f"{status.st_size:,} bytes"
            raise InputError(f"{path}: found {found}, expected a JSON file of at most {MOST_JSON_BYTES:,}")
        return parse_json(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise InputError(f"{path}: not a readable JSON file ({error})") from error


def parse_json(text: str) -> Any:
    """Parse JSON as its standard says: no NaN or infinity, and neither nested nor counted without end.

    Raises:
      ValueError: it is not; also where Python's parser runs out of its stack.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant, parse_int=whole_number, parse_float=_finite)
    except RecursionError as error:
        raise ValueError("lists within lists without end") from error


def _refuse_constant(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


def whole_number(digits: str) -> int:
    """A number of JSON.

    Raises:
      ValueError: one of more digits than a file of ours can have.
    """
    if len(digits) > MOST_DIGITS:  # the time that Python takes grows with the square
        raise ValueError(f"a number of {len(digits):,} digits")
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{digits:.20} is more than a number can be")
    return number


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
        with open(str(source), "rb") as stream:
            header = read_header(stream)
            expected, found = header.offset + header.size, os.fstat(stream.fileno()).st_size
            if found != expected:
                how = "truncated" if found < expected else "longer than its header says"
                raise InputError(f"{source}: {how}: {found:,} bytes found, {expected:,} expected for {what}")
            return _elements(stream, header, mmap)
    except ObjectArrayError as error:
        raise InputError(f"{source}: holds {error}; expected {what}") from error
    except ValueError as error:
        raise InputError(f"{source}: not a .npy file ({error}); expected {what}") from error
    except (OSError, MemoryError) as error:
        reason = getattr(error, "strerror", None) or error or "not enough memory"
        raise InputError(f"{source}: cannot be read ({reason}); expected {what}") from error


def _elements(stream: IO[bytes], header: Header, mmap: bool) -> np.ndarray:
    """The array behind a header whose size is the file's."""
    order = "F" if header.fortran_order else "C"
    if not header.size:  # nothing can be mapped
        return np.empty(header.shape, header.dtype, order)
    if mmap:
        return np.memmap(stream, header.dtype, "r", header.offset, header.shape, order)
    count = header.size // header.dtype.itemsize
    return np.fromfile(stream, header.dtype, count).reshape(header.shape, order=order)
