"""Pictures of a digit, from ``.npy`` and picture files, brought to the form MNIST's images have.

MNIST's form: white on black, the digit's longer side 20 pixels, its centre of mass at pixel
(14, 14) of 28 x 28. Of MNIST's 70,000 images all but two have it (longer side 19 or 20, centre
within half a pixel), so ``looks_like_mnist`` can tell a picture that needs no change.
"""

import warnings
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from tf1_lstm.data.base import Example
from tf1_lstm.data.idx import IMAGE_SIDE
from tf1_lstm.data.mnist_batches import to_inputs
from tf1_lstm.errors import InputError
from tf1_lstm.files import read_npy

BOX_SIDE = 20
CENTRE = 14.0
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM")
MAX_PIXELS = 50_000_000
MAX_ARRAY_IMAGES = 100_000
WORKING_SIDE = 1024  # a larger picture is first made smaller: 20 pixels are needed, not 8,000
LEAST_CONTRAST = 24  # grey levels of 255 between paper and ink; less is taken for an empty picture
BOX_INK = 0.3  # of the firmest stroke; the digit's box is drawn round ink at least as firm
MARGIN = 4  # pixels kept round the box of 20


def read_pictures(path: Path, name: str) -> List[Example]:
    """Read one file: a picture, or an array of one or many pictures.

    A ``.npy`` file is taken as it is: ``[28, 28]``, ``[784]``, ``[n, 28, 28]`` or ``[n, 784]``, uint8
    or floating point from 0 to 1, white on black. A picture file of any size may be white on black
    or black on white; ``centred`` in the notes says whether it was brought to MNIST's form.

    Args:
      path: the file.
      name: the examples' name; pictures of an array with a first axis are called ``name[0]``, ...

    Returns:
      Examples with inputs ``[28, 28]`` float32 and the notes ``size`` (width, height),
      ``inverted``, ``centred``; one example with ``refused`` where the file cannot be used.
    """
    try:
        if path.suffix.lower() == ".npy":
            return _from_array(_read_array(path), name)
        return [_from_picture(path, _read_grey(path), name)]
    except InputError as error:
        # The example has a name already; the reason goes without it.
        return [Example(name, None, {}, _without_prefix(str(error), f"{path}: "))]


def _without_prefix(text: str, prefix: str) -> str:
    return text[len(prefix) :] if text.startswith(prefix) else text


def _read_array(path: Path) -> np.ndarray:
    """A checked ``.npy`` as ``[28, 28]`` or ``[n, 28, 28]``, uint8 or float32."""
    side = IMAGE_SIDE
    shapes = f"[{side}, {side}], [{side * side}], [n, {side}, {side}] or [n, {side * side}]"
    array = read_npy(path, f"an array of shape {shapes}", mmap=True)
    if array.shape[-2:] == (side, side) and array.ndim in (2, 3):
        shape: Tuple[int, ...] = array.shape
    elif array.shape[-1:] == (side * side,) and array.ndim in (1, 2):
        shape = (*array.shape[:-1], side, side)
    else:
        raise InputError(f"{path}: found an array of shape {list(array.shape)}, expected {shapes}")
    if len(shape) == 3 and not 0 < shape[0] <= MAX_ARRAY_IMAGES:
        raise InputError(f"{path}: found {shape[0]:,} images, expected 1 to {MAX_ARRAY_IMAGES:,}")
    if array.dtype == np.uint8:
        return np.array(array).reshape(shape)
    if array.dtype.kind != "f":
        raise InputError(f"{path}: found {array.dtype} pixels, expected uint8 (0 to 255) or float (0 to 1)")
    low, high = float(array.min()), float(array.max())
    if not (low >= 0.0 and high <= 1.0):  # also where either is NaN
        raise InputError(f"{path}: found float pixels from {low:g} to {high:g}, expected 0 to 1")
    return array.astype(np.float32).reshape(shape)


def _from_array(array: np.ndarray, name: str) -> List[Example]:
    inputs = to_inputs(array) if array.dtype == np.uint8 else array
    if inputs.ndim == 2:
        return [_array_example(inputs, name)]
    return [_array_example(image, f"{name}[{index}]") for index, image in enumerate(inputs)]


def _array_example(inputs: np.ndarray, name: str) -> Example:
    if inputs.min() == inputs.max():
        return Example(name, None, {}, "found a blank image, expected a digit")
    return Example(name, inputs, _notes((IMAGE_SIDE, IMAGE_SIDE), False, False))


def _notes(size: Tuple[int, int], inverted: bool, centred: bool) -> Dict[str, Any]:
    return {"size": list(size), "inverted": inverted, "centred": centred}


def _read_grey(path: Path) -> Image.Image:
    """A picture file as 8-bit grey (mode ``L``), upright, its transparent parts filled."""
    what = f"a picture ({', '.join(FORMATS)}) or a .npy array"
    if not path.is_file():
        raise InputError(f"{path}: {'is a folder' if path.is_dir() else 'no such file'}; expected {what}")
    try:
        with warnings.catch_warnings():
            # Pillow warns of odd metadata, which does not matter here, and of huge pictures, which does.
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(str(path), formats=FORMATS) as image:
                _check_size(path, image.size)
                if image.format == "PNG":
                    # Loading a PNG does not notice that its end is missing; verifying does, but uses it up.
                    image.verify()
            with Image.open(str(path), formats=FORMATS) as image:
                return _to_grey(path, ImageOps.exif_transpose(image))
    except InputError:
        raise
    except UnidentifiedImageError as error:
        raise InputError(f"{path}: found something that is not a picture, expected {what}") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InputError(f"{path}: found a huge picture, expected up to {MAX_PIXELS:,} pixels") from error
    except Exception as error:  # a damaged file makes Pillow's decoders raise nearly anything
        raise InputError(
            f"{path}: found a damaged or truncated picture ({error}), expected {what}"
        ) from error


def _check_size(path: Path, size: Tuple[int, int]) -> None:
    width, height = size
    if width * height > MAX_PIXELS:
        raise InputError(
            f"{path}: found {width:,} x {height:,} pixels, expected up to {MAX_PIXELS:,} pixels in all"
        )


def _to_grey(path: Path, image: Image.Image) -> Image.Image:
    if image.mode == "F":
        raise InputError(f"{path}: found a picture of floating-point numbers, expected 8 or 16 bits a pixel")
    if image.mode.startswith("I"):
        # 16 bits a pixel, which Pillow's own conversion would cut off at 255.
        values = np.clip(np.asarray(image, dtype=np.float32), 0, 65535)
        return Image.fromarray(np.rint(values / 257.0).astype(np.uint8))
    if image.mode in ("LA", "PA", "La", "RGBA", "RGBa") or "transparency" in image.info:
        return _fill_transparent(image.convert("RGBA"))
    return image.convert("L")


def _fill_transparent(image: Image.Image) -> Image.Image:
    """Put paper behind a picture with transparent parts, so that its ink can be told from them."""
    grey = np.asarray(image.convert("RGB").convert("L"), dtype=np.float32)
    alpha = np.asarray(image.getchannel("A"), dtype=np.float32) / 255.0
    visible = grey[alpha > 0.5]
    if not visible.size:
        return Image.fromarray(np.zeros(grey.shape, np.uint8))
    paper = float(np.median(visible))
    if visible.size < 0.5 * grey.size or np.ptp(visible) < LEAST_CONTRAST:
        # What can be seen is the ink itself: the paper is the opposite.
        paper = 0.0 if visible.mean() > 127.5 else 255.0
    return Image.fromarray(np.rint(grey * alpha + paper * (1.0 - alpha)).astype(np.uint8))


def _from_picture(path: Path, grey: Image.Image, name: str) -> Example:
    size = grey.size
    if max(size) > WORKING_SIDE:
        grey.thumbnail((WORKING_SIDE, WORKING_SIDE), Image.BOX)
    pixels = np.asarray(grey)
    contrast = int(pixels.max()) - int(pixels.min())
    if contrast < LEAST_CONTRAST:
        raise InputError(
            f"{path}: found a blank picture (its lightest and darkest points differ by {contrast} of 255), "
            "expected a digit"
        )
    inverted = is_dark_on_light(pixels)
    ink = 255 - pixels if inverted else pixels
    as_it_is = looks_like_mnist(ink)
    image = ink if as_it_is else as_mnist(ink)
    if image is None:
        raise InputError(f"{path}: found a picture in which nothing stands out, expected a digit")
    return Example(name, to_inputs(image), _notes(size, inverted, not as_it_is))


def is_dark_on_light(pixels: np.ndarray) -> bool:
    """Whether a picture's border is nearer to its lightest than to its darkest point.

    Args:
      pixels: uint8 ``[height, width]``.
    """
    return bool(np.median(_border(pixels)) > (float(pixels.max()) + float(pixels.min())) / 2)


def _border(pixels: np.ndarray) -> np.ndarray:
    return np.concatenate([pixels[0], pixels[-1], pixels[1:-1, 0], pixels[1:-1, -1]])


def looks_like_mnist(ink: np.ndarray) -> bool:
    """Whether an image has MNIST's size, box and centre, so that it is taken as it is.

    Args:
      ink: uint8 ``[height, width]``, white on black.
    """
    if ink.shape != (IMAGE_SIDE, IMAGE_SIDE) or not ink.any():
        return False
    top, bottom, left, right = _box(ink > 0)
    off = max(abs(position - CENTRE) for position in _centre_of_mass(ink))
    return max(bottom - top, right - left) in (BOX_SIDE - 1, BOX_SIDE) and off <= 0.5 + 1e-6


def as_mnist(ink: np.ndarray) -> Optional[np.ndarray]:
    """Crop, scale and centre a digit as MNIST's were.

    The digit's box is scaled to 20 pixels on its longer side, with grey levels from antialiasing,
    and moved by whole pixels until its centre of mass is nearest to pixel (14, 14): MNIST's own
    description, its rounding found by measuring the 70,000 images.

    Args:
      ink: uint8 ``[height, width]``, white on black (or on dark grey), not blank.

    Returns:
      uint8 ``[28, 28]``, or None where no stroke stands out from the noise of the border.
    """
    border = _border(ink).astype(np.float32)
    strokes = ink.astype(np.float32) - np.median(border)
    # Six times the border's median deviation is some four standard deviations of its noise.
    noise = 6.0 * float(np.median(np.abs(border - np.median(border))))
    peak = float(strokes.max())
    if peak <= noise:
        return None
    strokes[strokes < noise] = 0.0
    digit = _scaled(strokes, _box(strokes >= max(BOX_INK * peak, noise)))
    digit = np.rint(np.clip(digit / digit.max(), 0, 1) * 255).astype(np.uint8)
    return centred(digit)


def centred(digit: np.ndarray) -> np.ndarray:
    """Put a digit of at most 28 x 28 pixels on black by its centre of mass; what is outside is cut off.

    Args:
      digit: uint8 ``[height, width]``, white on black, not blank.

    Returns:
      uint8 ``[28, 28]``.
    """
    row, column = _centre_of_mass(digit)
    around = np.pad(digit, IMAGE_SIDE, mode="constant")
    top, left = (IMAGE_SIDE - int(np.rint(CENTRE - position)) for position in (row, column))
    return around[top : top + IMAGE_SIDE, left : left + IMAGE_SIDE].copy()


def _scaled(strokes: np.ndarray, box: Tuple[int, int, int, int]) -> np.ndarray:
    """Scale a picture so that ``box`` is 20 pixels on its longer side, with ``MARGIN`` pixels round it.

    The margin keeps the faint edge of the strokes, which lies outside a box drawn round firm ink.
    """
    top, bottom, left, right = box
    scale = BOX_SIDE / max(bottom - top, right - left)
    height, width = max(1, round((bottom - top) * scale)), max(1, round((right - left) * scale))
    above, beside = MARGIN * (bottom - top) / height, MARGIN * (right - left) / width
    pad = int(np.ceil(max(above, beside)))
    picture = Image.fromarray(np.pad(strokes, pad, mode="constant"))
    source = (left - beside + pad, top - above + pad, right + beside + pad, bottom + above + pad)
    # The mean of the covered area is what MNIST's antialiasing was; growing needs something smoother.
    kind = Image.BOX if scale <= 1 else Image.BICUBIC
    return np.asarray(picture.resize((width + 2 * MARGIN, height + 2 * MARGIN), kind, box=source))


def _centre_of_mass(image: np.ndarray) -> Tuple[float, float]:
    """(row, column) in pixels, a pixel's own position being its index."""
    mass = image.astype(np.float64)
    rows, columns = mass.sum(axis=1), mass.sum(axis=0)
    total = mass.sum()
    return float(rows @ np.arange(len(rows)) / total), float(columns @ np.arange(len(columns)) / total)


def _box(mask: np.ndarray) -> Tuple[int, int, int, int]:
    """Top, bottom, left, right (ends excluded) of a mask's True part, which must not be empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
