"""Arrays that grow in a temporary file, so that data of any size take little memory."""

import os
import tempfile
from array import array
from typing import Any, Union

import numpy as np

from tf1_lstm.errors import InputError

_BUFFERED = 1 << 20


def temporary_folder() -> str:
    """``TMPDIR`` where it is set, else ``/var/tmp``: ``/tmp`` is in memory on many machines."""
    usual = "/var/tmp"
    given = any(os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP"))
    return tempfile.gettempdir() if given or not os.access(usual, os.W_OK) else usual


class Growing:
    """Values end to end in a temporary file that has no name and goes with the process.

    Args:
      dtype: of the values.
    """

    def __init__(self, dtype: Any) -> None:
        self._dtype = np.dtype(dtype)
        self._folder, self._bytes = temporary_folder(), 0
        try:
            self._file = tempfile.TemporaryFile(  # noqa: SIM115 (it lives as long as the array)
                prefix="tf1-lstm.", dir=self._folder, buffering=_BUFFERED
            )
        except OSError as error:
            raise self._unwritable(error) from error

    def append(self, values: Union["array[Any]", np.ndarray, bytes]) -> None:
        """Add values, which must be of the array's type already.

        Raises:
          InputError: the disk is full.
        """
        content = memoryview(values).cast("B") if len(values) else b""
        try:
            self._file.write(content)
        except OSError as error:
            raise self._unwritable(error) from error
        self._bytes += len(content)

    def mapped(self) -> np.ndarray:
        """All values, one axis, mapped into memory; may be changed in place. Nothing can follow."""
        try:
            self._file.flush()
        except OSError as error:
            raise self._unwritable(error) from error
        if not self._bytes:
            return np.zeros(0, self._dtype)
        found = np.memmap(self._file, self._dtype, "r+", shape=(self._bytes // self._dtype.itemsize,))
        self._file.close()
        return np.asarray(found)

    def _unwritable(self, error: OSError) -> InputError:
        return InputError(
            f"{self._folder}: cannot be written after {self._bytes:,} bytes: {error.strerror or error}; "
            "expected room for the data (TMPDIR names another folder)"
        )
