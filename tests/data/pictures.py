"""Pictures of digits for the tests, and what comes of a picture file."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tf1_lstm.data.base import Example
from tf1_lstm.data.idx import read_images
from tf1_lstm.data.images import read_pictures

SAMPLE = Path(__file__).parents[2] / "data/sample/mnist/t10k-images-idx3-ubyte.gz"
DIGITS = read_images(SAMPLE).array
DIGIT = DIGITS[3]


def save(path: Path, picture: Any, **options: Any) -> Path:
    """Save a picture or a uint8 array; the name's ending says how."""
    (picture if isinstance(picture, Image.Image) else Image.fromarray(picture)).save(str(path), **options)
    return path


def read_one(path: Path) -> Example:
    (example,) = read_pictures(path, "it")
    return example


def inputs_of(path: Path) -> np.ndarray:
    example = read_one(path)
    assert example.inputs is not None, example.refused
    assert example.inputs.shape == (28, 28)
    assert example.inputs.dtype == np.float32
    return example.inputs


def refusal_of(path: Path) -> str:
    """The reason why the file's only example was refused."""
    example = read_one(path)
    assert example.inputs is None
    assert example.refused
    return example.refused


def likeness(inputs: np.ndarray, digit: np.ndarray) -> float:
    """Correlation of two images, 1 where they are the same up to brightness."""
    return float(np.corrcoef(inputs.ravel(), digit.ravel())[0, 1])


def enlarged(digit: np.ndarray, times: float, kind: int = Image.BICUBIC) -> Image.Image:
    return Image.fromarray(digit).resize((round(28 * times),) * 2, kind)


def on_paper(digit: np.ndarray, times: float = 6, ink: int = 40, paper: int = 225) -> Image.Image:
    """Dark on light, off the middle of a wider sheet."""
    large = np.asarray(enlarged(digit, times), dtype=np.float64) / 255
    sheet = np.zeros((large.shape[0] + 130, large.shape[1] + 70))
    sheet[100 : 100 + large.shape[0], 10 : 10 + large.shape[1]] = large
    return Image.fromarray(np.rint(paper + (ink - paper) * sheet).astype(np.uint8))


LARGE = on_paper(DIGIT)
