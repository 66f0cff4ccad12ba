"""The V2 format written: one index and one data file, byte for byte as TensorFlow 1.15's Saver."""

from typing import Mapping

import numpy as np

from tf1_lstm.checkpoints.formats.bundle import HEADER_KEY, data_file
from tf1_lstm.checkpoints.formats.crc32c import crc32c, masked
from tf1_lstm.checkpoints.formats.sstable_write import write_table
from tf1_lstm.checkpoints.formats.tensors import NUMBERS, write_shape
from tf1_lstm.checkpoints.formats.wire import bytes_field, fixed32_field, int_field
from tf1_lstm.files import replacing

VERSION = bytes_field(3, int_field(1, 1))  # written for readers of version 1


def write_bundle(prefix: str, variables: Mapping[str, np.ndarray]) -> None:
    """Write ``PREFIX.data-00000-of-00001`` and ``PREFIX.index``, each under a temporary name first.

    The index comes last: until it is there, there is no checkpoint.

    Args:
      prefix: path without suffixes.
      variables: name -> values; any type that ``tensors.DTYPES`` has.

    Raises:
      InputError: the files cannot be written.
    """
    entries = {HEADER_KEY: int_field(1, 1) + VERSION}
    offset = 0
    names = sorted(variables, key=lambda name: name.encode("utf-8"))
    with replacing(data_file(prefix, 0, 1)) as stream:
        for name in names:
            values = np.asarray(variables[name])
            raw = values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes()
            stream.write(raw)
            entries[name.encode("utf-8")] = b"".join(
                [
                    int_field(1, NUMBERS[values.dtype.name]),
                    bytes_field(2, write_shape(values.shape)),
                    int_field(4, offset),
                    int_field(5, len(raw)),
                    fixed32_field(6, masked(crc32c(raw))),
                ]
            )
            offset += len(raw)
    with replacing(prefix + ".index") as stream:
        stream.write(write_table(sorted(entries.items())))
