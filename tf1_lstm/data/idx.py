"""Reading the IDX files of MNIST, gzipped or not, with every check a file from outside needs."""

import hashlib
import struct
from pathlib import Path
from typing import BinaryIO, NamedTuple, Optional, Tuple, Union

import numpy as np

from tf1_lstm.data.guards import kind_of, unwrapped
from tf1_lstm.data.sources import MNIST_SHA256
from tf1_lstm.errors import InputError

IMAGE_SIDE = 28
CLASSES = 10
MAX_COUNT = 250_000  # four times MNIST; beyond that a header is wrong or hostile
MAX_BYTES = 16 + MAX_COUNT * IMAGE_SIDE**2 + 1

IMAGES_MAGIC = 0x00000803  # unsigned bytes, three dimensions
LABELS_MAGIC = 0x00000801  # unsigned bytes, one dimension
_MAGIC_MEANS = {IMAGES_MAGIC: "IDX images", LABELS_MAGIC: "IDX labels"}


class IdxFile(NamedTuple):
    """The content of one IDX file.

    Attributes:
      path: the file it came from.
      array: uint8, ``[images, 28, 28]`` or ``[labels]``; read-only.
      sha256: of the unpacked bytes, header included.
      mnist: the name of the MNIST file with this content (a key of ``MNIST_SHA256``), or None.
    """

    path: Path
    array: np.ndarray
    sha256: str
    mnist: Optional[str]


def read_images(path: Union[str, Path]) -> IdxFile:
    """Read 28 x 28 images: a header of four big-endian numbers, then one byte per pixel.

    Args:
      path: an IDX file, gzipped (or xz) or not; its first bytes tell, not its name.

    Raises:
      InputError: missing or unreadable file, broken or truncated gzip, wrong magic number, images
        of another size, more or fewer bytes than the header says, or more than ``MAX_COUNT`` images.
    """
    return _read(Path(path), IMAGES_MAGIC, (IMAGE_SIDE, IMAGE_SIDE))


def read_labels(path: Union[str, Path]) -> IdxFile:
    """Read labels: a header of two big-endian numbers, then one byte per label.

    Raises:
      InputError: as ``read_images``, or a label above 9.
    """
    content = _read(Path(path), LABELS_MAGIC, ())
    wrong = np.flatnonzero(content.array >= CLASSES)
    if wrong.size:
        raise InputError(
            f"{content.path}: found label {content.array[wrong[0]]} at position {wrong[0]:,} "
            f"({wrong.size:,} such labels), expected 0 to 9"
        )
    return content


def check_pair(images: IdxFile, labels: IdxFile) -> None:
    """Refuse images and labels that cannot belong together.

    Raises:
      InputError: where there is not exactly one label for each image.
    """
    if len(images.array) != len(labels.array):
        raise InputError(
            f"{labels.path}: found {len(labels.array):,} labels, "
            f"expected {len(images.array):,} as there are images in {images.path}"
        )


def _read(path: Path, magic: int, item_shape: Tuple[int, ...]) -> IdxFile:
    kind = kind_of(path)
    # A zip is no wrapping of IDX files: read as it is, its magic number is wrong.
    with unwrapped(path, "plain" if kind == "zip" else kind, MAX_BYTES) as stream:
        return _parse(path, stream, magic, item_shape)


def _parse(path: Path, stream: BinaryIO, magic: int, item_shape: Tuple[int, ...]) -> IdxFile:
    header_bytes = 4 * (2 + len(item_shape))
    header = stream.read(header_bytes)
    found_magic = int.from_bytes(header[:4], "big")
    if found_magic != magic or len(header) < 4:
        found = _MAGIC_MEANS.get(found_magic, f"{len(header)} bytes" if len(header) < 4 else "something else")
        raise InputError(
            f"{path}: found magic number {found_magic} ({found}), expected {magic} ({_MAGIC_MEANS[magic]})"
        )
    if len(header) < header_bytes:
        raise InputError(f"{path}: truncated: found {len(header)} bytes, expected a header of {header_bytes}")
    count, *shape = struct.unpack(f">{1 + len(item_shape)}I", header[4:])
    if tuple(shape) != item_shape:
        found = " x ".join(map(str, shape))
        raise InputError(f"{path}: found images of {found} pixels, expected {IMAGE_SIDE} x {IMAGE_SIDE}")
    if not 0 < count <= MAX_COUNT:
        raise InputError(f"{path}: found a header that says {count:,} items, expected 1 to {MAX_COUNT:,}")
    size = count * int(np.prod(item_shape, dtype=np.int64))
    # One byte more than expected: it shows trailing bytes, and at the end gzip checks its sum.
    body = stream.read(size + 1)
    if len(body) != size:
        more = "at least " if len(body) > size else ""
        raise InputError(
            f"{path}: found {more}{header_bytes + len(body):,} bytes of content, "
            f"expected {header_bytes + size:,} for {count:,} items"
        )
    digest = hashlib.sha256(header)
    digest.update(body)
    sha256 = digest.hexdigest()
    mnist = next((name for name, known in MNIST_SHA256.items() if known == sha256), None)
    return IdxFile(path, np.frombuffer(body, np.uint8).reshape((count, *item_shape)), sha256, mnist)
