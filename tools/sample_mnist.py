"""Makes the embedded sample of handwritten digits: scikit-learn's UCI digits in MNIST's form and files."""

import gzip
import io
import struct
from pathlib import Path
from typing import Dict, Tuple

import numpy as np
from PIL import Image

from tf1_lstm.data.idx import IMAGES_MAGIC, LABELS_MAGIC
from tf1_lstm.data.images import BOX_SIDE, centred
from tf1_lstm.files import replacing

SEED = 20
TEST_IMAGES = 384  # three batches of 128
GREYS = (
    15  # steps between black and white: the source has 16, and coarse greys pack into a fifth of the bytes
)


def make(folder: Path) -> None:
    """Write the four gzipped IDX files, the same bytes each time.

    Args:
      folder: where they go; its README.md is not touched.
    """
    for name, content in files().items():
        with replacing(folder / name) as stream:
            stream.write(packed(content))


def files() -> Dict[str, bytes]:
    """File name -> unpacked content. Needs scikit-learn, which brings the digits with it."""
    images, labels = digits()
    order = np.random.RandomState(SEED).permutation(len(images))
    parts = {"t10k": order[:TEST_IMAGES], "train": order[TEST_IMAGES:]}
    content = {}
    for name, rows in parts.items():
        content[f"{name}-images-idx3-ubyte.gz"] = (
            struct.pack(">IIII", IMAGES_MAGIC, len(rows), *images.shape[1:]) + images[rows].tobytes()
        )
        content[f"{name}-labels-idx1-ubyte.gz"] = (
            struct.pack(">II", LABELS_MAGIC, len(rows)) + labels[rows].tobytes()
        )
    return content


def digits() -> Tuple[np.ndarray, np.ndarray]:
    """All 1,797 digits: uint8 ``[n, 28, 28]`` in MNIST's form, and uint8 ``[n]`` labels."""
    from sklearn.datasets import load_digits

    source = load_digits()
    images = np.stack([enlarged(image) for image in source.images])
    return images, source.target.astype(np.uint8)


def enlarged(image: np.ndarray) -> np.ndarray:
    """Bring an 8 x 8 digit to 28 x 28: its box to 20 pixels, then centred by its mass, as MNIST's were.

    Args:
      image: ``[8, 8]``, whole numbers from 0 (black) to 16.

    Returns:
      uint8 ``[28, 28]`` with 16 grey levels.
    """
    rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
    box = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    grey = Image.fromarray(np.rint(box * (255 / 16)).astype(np.uint8))
    scale = BOX_SIDE / max(grey.size)
    # 8-bit resizing is done in whole numbers, so every machine makes the same pixels.
    large = np.asarray(grey.resize([round(side * scale) for side in grey.size], Image.BICUBIC))
    return centred((np.rint(large * (GREYS / 255)) * (255 // GREYS)).astype(np.uint8))


def packed(content: bytes) -> bytes:
    """Gzip without a time or a file name."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", fileobj=buffer, mode="wb", compresslevel=9, mtime=0) as stream:
        stream.write(content)
    return buffer.getvalue()
