"""Writes the files that ``prepare`` makes: arrays as NumPy wrote them then, and all of them or none."""

import os
import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Dict, Iterator, Optional, Sequence

import numpy as np

from tf1_lstm.errors import InputError
from tf1_lstm.files import sha256_of_array, sha256_of_file


def write_npy(path: Path, array: np.ndarray) -> None:
    """Write ``array`` with the header that NumPy wrote before 1.14: version 1.0, padded to 16 bytes.

    The published files have it, and NumPy itself pads to 64 bytes now.
    """
    content = np.ascontiguousarray(array)
    header = repr(
        {"descr": np.lib.format.dtype_to_descr(content.dtype), "fortran_order": False, "shape": content.shape}
    )
    text = header[:-1] + ", }"
    text += " " * (-(10 + len(text) + 1) % 16) + "\n"
    with open(str(path), "wb") as stream:
        stream.write(np.lib.format.magic(1, 0) + len(text).to_bytes(2, "little") + text.encode("ascii"))
        stream.write(content.data)


def write_array(path: Path, array: np.ndarray) -> Dict[str, Any]:
    """Write ``array`` as ``write_npy`` does; returns what the manifest says of the file."""
    write_npy(path, array)
    return {
        "sha256": sha256_of_file(path),
        "sha256_of_content": sha256_of_array(array),
        "dtype": array.dtype.str,
        "shape": list(array.shape),
    }


@contextmanager
def all_or_nothing(target: Path, last: str, family: Sequence[str] = ()) -> Iterator[Path]:
    """A temporary folder whose files move to ``target`` when the block succeeds, and vanish when not.

    Args:
      target: the folder to be written; other files in it stay.
      last: the file to move last, the manifest: until then its hashes do not fit.
      family: files that are removed where an earlier call wrote them and this one did not.

    Raises:
      InputError: the folder cannot be written.
    """
    temporary: Optional[str] = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and not target.is_dir():
            raise InputError(f"{target}: found a file, expected a folder")
        temporary = tempfile.mkdtemp(prefix=target.name + ".", suffix=".tmp", dir=str(target.parent))
        yield Path(temporary)
        target.mkdir(exist_ok=True)
        made = os.listdir(temporary)
        for name in set(family).difference(made):
            with suppress(FileNotFoundError):
                os.unlink(str(target / name))
        for name in sorted(made, key=lambda name: (name == last, name)):
            os.replace(os.path.join(temporary, name), str(target / name))
    except OSError as error:
        raise InputError(f"{target}: cannot be written: {error.strerror or error}") from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
