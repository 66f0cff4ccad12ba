"""The embedded sample of digits is small, is what its script makes, and has MNIST's form."""

import gzip
import zlib
from pathlib import Path

import numpy as np
import pytest

from tf1_lstm.data.idx import read_images, read_labels
from tf1_lstm.data.images import looks_like_mnist
from tools import sample_mnist

SAMPLE = Path(__file__).parents[2] / "data/sample/mnist"
FILES = sorted(SAMPLE.glob("*.gz"))


def read(part, reader):
    kind = "images-idx3" if reader is read_images else "labels-idx1"
    return reader(SAMPLE / f"{part}-{kind}-ubyte.gz").array


def test_is_small_and_carries_no_time():
    assert len(FILES) == 4
    assert sum(path.stat().st_size for path in FILES) < 300_000
    for path in FILES:
        assert path.read_bytes()[4:8] == bytes(4)


def test_is_what_the_script_makes(tmp_path):
    pytest.importorskip("sklearn")
    sample_mnist.make(tmp_path)
    for path in FILES:
        made = (tmp_path / path.name).read_bytes()
        assert gzip.decompress(made) == gzip.decompress(path.read_bytes())
        if zlib.ZLIB_RUNTIME_VERSION.startswith(("1.2.", "1.3.")) and "ng" not in zlib.ZLIB_RUNTIME_VERSION:
            assert made == path.read_bytes()  # other deflaters pack the same content differently


def test_holds_every_digit_of_its_source_once():
    digits = pytest.importorskip("sklearn.datasets").load_digits()
    labels = np.concatenate([read("train", read_labels), read("t10k", read_labels)])
    assert np.array_equal(np.bincount(labels), np.bincount(digits.target))
    images = np.concatenate([read("train", read_images), read("t10k", read_images)])
    assert len({image.tobytes() for image in images}) == len(images) == 1797


def test_shows_the_digits_of_its_source():
    digits = pytest.importorskip("sklearn.datasets").load_digits()
    for index in range(0, 1797, 60):
        small = digits.images[index] / 16
        rows, columns = np.flatnonzero(small.any(1)), np.flatnonzero(small.any(0))
        box = small[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        large = sample_mnist.enlarged(digits.images[index]) / 255
        rows, columns = np.flatnonzero(large.any(1)), np.flatnonzero(large.any(0))
        shown = large[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        # The middle of each source pixel, looked up in the enlarged digit.
        at = [
            np.minimum(((np.arange(n) + 0.5) / n * m).astype(int), m - 1)
            for n, m in zip(box.shape, shown.shape)
        ]
        assert np.corrcoef(shown[np.ix_(*at)].ravel(), box.ravel())[0, 1] > 0.9


def test_has_the_form_of_mnist():
    for part in ("train", "t10k"):
        assert all(looks_like_mnist(image) for image in read(part, read_images))


def test_names_its_source_and_licence():
    text = (SAMPLE / "README.md").read_text(encoding="utf-8")
    for words in ("not MNIST", "Alpaydin", "UCI Machine Learning Repository", "CC BY 4.0", "Changed"):
        assert words in text
