"""IDX files for the tests, written from the format's description alone."""

import gzip
from pathlib import Path

import numpy as np


def number(value: int) -> bytes:
    return bytes([value >> 24 & 255, value >> 16 & 255, value >> 8 & 255, value & 255])


def image_bytes(images: np.ndarray) -> bytes:
    return number(2051) + b"".join(number(extent) for extent in images.shape) + images.tobytes()


def label_bytes(labels: np.ndarray) -> bytes:
    return number(2049) + number(len(labels)) + bytes(labels.tolist())


def write_pair(
    folder: Path, which: str, images: np.ndarray, labels: np.ndarray, name: str = "-{}.gz"
) -> None:
    """Write ``train`` or ``t10k``; ``name`` is what follows ``train-images``, around ``idx3-ubyte``."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = {
        f"{which}-images{name.format('idx3-ubyte')}": image_bytes(images),
        f"{which}-labels{name.format('idx1-ubyte')}": label_bytes(labels),
    }
    for file_name, content in contents.items():
        (folder / file_name).write_bytes(gzip.compress(content) if file_name.endswith(".gz") else content)


def random_digits(count: int, seed: int) -> np.ndarray:
    """Noise with MNIST's shape: uint8 ``[count, 28, 28]``, every image another."""
    return np.random.RandomState(seed).randint(0, 256, (count, 28, 28)).astype(np.uint8)
