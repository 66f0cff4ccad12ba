"""Arrays written as ``.npz``: no pickle, the same arrays give the same bytes."""

import io
import zipfile
from typing import Mapping

import numpy as np

from tf1_lstm.files import PathLike, replacing

DATE = (1980, 1, 1, 0, 0, 0)  # a fixed one, so that the bytes depend on the content alone


def write_arrays(path: PathLike, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays under their names, which may be any text.

    Raises:
      InputError: the file cannot be written.
    """
    with replacing(path) as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            # np.asarray, not ascontiguousarray: a scalar stays one.
            np.lib.format.write_array(member, np.array(array, order="C"), version=(1, 0), allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, member.getvalue())
