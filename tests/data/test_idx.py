"""IDX files are read exactly, whatever wraps them, and bad ones are refused in one clear line."""

import gzip
import lzma
from pathlib import Path

import numpy as np
import pytest

from tests.data.idx_files import image_bytes, label_bytes, number, random_digits
from tf1_lstm.data import idx
from tf1_lstm.data.idx import check_pair, read_images, read_labels
from tf1_lstm.errors import InputError

IMAGES = random_digits(5, seed=1)
LABELS = np.array([3, 0, 9, 9, 1])


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("wrap", [bytes, gzip.compress, lzma.compress], ids=["plain", "gzip", "xz"])
@pytest.mark.parametrize("name", ["images", "images.gz"])
def test_reads_the_same_whatever_the_wrapping_and_the_name(tmp_path, wrap, name):
    images = read_images(written(tmp_path / name, wrap(image_bytes(IMAGES))))
    labels = read_labels(written(tmp_path / "labels", wrap(label_bytes(LABELS))))
    assert np.array_equal(images.array, IMAGES)
    assert np.array_equal(labels.array, LABELS)
    assert images.array.dtype == labels.array.dtype == np.uint8


def test_accepts_other_digits_but_does_not_call_them_mnist(tmp_path):
    assert read_images(written(tmp_path / "train-images-idx3-ubyte", image_bytes(IMAGES))).mnist is None


@pytest.mark.parametrize(
    ("stem", "count", "first", "classes"),
    [
        ("train", 60000, [5, 0, 4, 1, 9], [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]),
        ("t10k", 10000, [7, 2, 1, 0, 4], [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]),
    ],
)
def test_reads_mnist_itself(shared, stem, count, first, classes):
    images = read_images(shared / f"data/mnist/{stem}-images-idx3-ubyte.gz")
    labels = read_labels(shared / f"data/mnist/{stem}-labels-idx1-ubyte.gz")
    assert (images.mnist, labels.mnist) == (f"{stem}-images", f"{stem}-labels")
    assert images.array.shape == (count, 28, 28)
    assert labels.array[:5].tolist() == first
    assert np.bincount(labels.array).tolist() == classes
    raw = gzip.decompress((shared / f"data/mnist/{stem}-images-idx3-ubyte.gz").read_bytes())
    for image, row, column in [(0, 14, 14), (17, 7, 12), (count - 1, 20, 9)]:
        assert images.array[image, row, column] == raw[16 + 784 * image + 28 * row + column]


SMALL_LABELS = label_bytes(LABELS)
BAD_IMAGES = {
    "labels in place of images": (
        SMALL_LABELS,
        "found magic number 2049 (IDX labels), expected 2051 (IDX images)",
    ),
    "something else": (b"hello world, no digits", "found magic number 1751477356 (something else)"),
    "nothing": (b"", "0 bytes"),
    "a cut header": (image_bytes(IMAGES)[:11], "found 11 bytes, expected a header of 16"),
    "a cut body": (image_bytes(IMAGES)[:-1], "found 3,935 bytes of content, expected 3,936 for 5 items"),
    "trailing bytes": (image_bytes(IMAGES) + b"x", "found at least 3,937 bytes of content, expected 3,936"),
    "another size": (
        number(2051) + number(2) + number(32) + number(32) + bytes(2048),
        "found images of 32 x 32 pixels, expected 28 x 28",
    ),
    "no image": (image_bytes(IMAGES[:0]), "found a header that says 0 items, expected 1 to"),
    "a mad header": (number(2051) + b"\xff" * 4 + number(28) * 2, "says 4,294,967,295 items"),
    "a zip": (b"PK\x03\x04" + bytes(40), "found magic number"),
}


@pytest.mark.parametrize("wrap", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("case", BAD_IMAGES)
def test_refuses_bad_images(tmp_path, case, wrap):
    content, complaint = BAD_IMAGES[case]
    path = written(tmp_path / "images.gz", wrap(content))
    with pytest.raises(InputError) as caught:
        read_images(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert complaint in str(caught.value)
    assert "expected" in str(caught.value)


@pytest.mark.parametrize("label", [10, 255])
def test_refuses_a_label_above_nine(tmp_path, label):
    path = written(tmp_path / "labels", label_bytes(np.array([1, 2, label, 3, label])))
    with pytest.raises(
        InputError, match=rf"found label {label} at position 2 \(2 such labels\), expected 0 to 9"
    ):
        read_labels(path)


def test_refuses_a_gzip_file_cut_anywhere(tmp_path):
    whole = gzip.compress(image_bytes(IMAGES))
    for length in range(2, len(whole), 97):
        with pytest.raises(InputError, match="truncated"):
            read_images(written(tmp_path / "cut.gz", whole[:length]))


def test_refuses_a_gzip_file_with_one_changed_byte(tmp_path):
    whole = gzip.compress(image_bytes(IMAGES))
    random = np.random.RandomState(2)
    for place in random.randint(10, len(whole), 60):
        changed = bytearray(whole)
        changed[place] ^= 1 << random.randint(8)
        with pytest.raises(InputError):
            read_images(written(tmp_path / "changed.gz", bytes(changed)))


def test_does_not_unpack_a_bomb(tmp_path, monkeypatch):
    monkeypatch.setattr(idx, "MAX_COUNT", 5)
    bomb = gzip.compress(number(2051) + number(6) + number(28) * 2 + bytes(50_000_000))
    with pytest.raises(InputError, match="says 6 items, expected 1 to 5"):
        read_images(written(tmp_path / "bomb.gz", bomb))
    padded = gzip.compress(image_bytes(IMAGES) + bytes(50_000_000))
    with pytest.raises(InputError, match="at least 3,937 bytes"):
        read_images(written(tmp_path / "padded.gz", padded))


def test_refuses_images_and_labels_of_different_number(tmp_path):
    images = read_images(written(tmp_path / "images", image_bytes(IMAGES)))
    labels = read_labels(written(tmp_path / "labels", label_bytes(LABELS[:4])))
    with pytest.raises(
        InputError, match=r"labels: found 4 labels, expected 5 as there are images in .*images"
    ):
        check_pair(images, labels)


def test_names_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(InputError, match="absent: No such file"):
        read_images(tmp_path / "absent")
    with pytest.raises(InputError, match="found a folder"):
        read_labels(tmp_path)
