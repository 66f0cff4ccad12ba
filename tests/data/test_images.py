"""Pictures of digits are brought to what MNIST's images are."""

import io
from typing import Callable, Dict

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies
from PIL import Image, ImageDraw

from tests.data.pictures import DIGIT, DIGITS, enlarged, inputs_of, likeness, on_paper, read_one, save
from tf1_lstm.data.idx import read_images, read_labels
from tf1_lstm.data.images import looks_like_mnist
from tf1_lstm.data.mnist_batches import to_inputs


def photographed(digit: np.ndarray) -> Image.Image:
    """Noise, and light from one side."""
    sheet = np.asarray(on_paper(digit, ink=70, paper=190), dtype=np.float64)
    sheet += np.random.RandomState(1).normal(0, 4, sheet.shape) + np.linspace(-12, 12, sheet.shape[1])
    return Image.fromarray(np.clip(sheet, 0, 255).astype(np.uint8))


def through_jpeg(digit: np.ndarray) -> Image.Image:
    stream = io.BytesIO()
    on_paper(digit).save(stream, "JPEG", quality=75)
    return Image.open(stream)


CHANGES: Dict[str, Callable[[np.ndarray], Image.Image]] = {
    "bigger": lambda digit: enlarged(digit, 10),
    "bigger by an odd factor": lambda digit: enlarged(digit, 3.57),
    "smaller": lambda digit: enlarged(digit, 0.6, Image.BOX),
    "inverted and moved": on_paper,
    "huge": lambda digit: on_paper(digit, 50),
    "photographed": photographed,
    "jpeg": through_jpeg,
    "drawn with a hard pen": lambda digit: enlarged(digit, 14).point(lambda grey: 0 if grey > 127 else 255),
}


def test_pixels_are_scaled_as_tensorflows_loader_does():
    pixels = np.arange(256, dtype=np.uint8)
    # 8 times 24 bits are exact in float64, so one rounding to float32 is left: a float32 product.
    expected = (np.arange(256) * np.float64(np.float32(1 / 255))).astype(np.float32)
    assert to_inputs(pixels).tobytes() == expected.tobytes()
    assert not np.array_equal(expected, np.arange(256, dtype=np.float32) / np.float32(255))


class TestMnistsOwnImages:
    @pytest.fixture(scope="class")
    def test_images(self, shared):
        return read_images(shared / "data/mnist/t10k-images-idx3-ubyte.gz").array

    @pytest.fixture(scope="class")
    def neighbours(self, shared):
        """A classifier that owes nothing to this project: the nearest of 6,000 training images."""
        known = read_images(shared / "data/mnist/train-images-idx3-ubyte.gz").array[:6000]
        labels = read_labels(shared / "data/mnist/train-labels-idx1-ubyte.gz").array[:6000]
        flat = known.reshape(6000, 784).astype(np.float32) / 255
        squares = (flat * flat).sum(1)

        def classify(inputs):
            given = inputs.reshape(len(inputs), 784)
            return labels[(squares - 2 * given @ flat.T).argmin(1)]

        return classify

    def test_are_taken_as_they_are(self, test_images):
        assert all(looks_like_mnist(image) for image in test_images)

    @pytest.mark.parametrize("inverted", [False, True])
    def test_keep_every_bit_through_a_png(self, test_images, tmp_path, inverted):
        for image in test_images[:40]:
            path = save(tmp_path / "digit.png", 255 - image if inverted else image)
            assert inputs_of(path).tobytes() == to_inputs(image).tobytes()
            assert read_one(path).notes == {"size": [28, 28], "inverted": inverted, "centred": False}

    @pytest.mark.parametrize("change", CHANGES)
    def test_come_back_from_a_changed_picture(self, test_images, neighbours, shared, tmp_path, change):
        labels = read_labels(shared / "data/mnist/t10k-labels-idx1-ubyte.gz").array
        count = 8 if change == "huge" else 150
        originals = test_images[:count]
        found = [inputs_of(save(tmp_path / "digit.bmp", CHANGES[change](image))) for image in originals]
        likenesses = [likeness(inputs, image) for inputs, image in zip(found, originals)]
        assert np.mean(likenesses) > (0.85 if change == "smaller" else 0.92)
        mistakes = (neighbours(to_inputs(originals)) != labels[:count]).sum()
        mistakes_now = (neighbours(np.stack(found)) != labels[:count]).sum()
        assert mistakes <= 0.1 * count + 2
        assert mistakes_now <= mistakes + 3

    def test_enlarged_without_smoothing_come_back_nearly_exactly(self, test_images, tmp_path):
        differences = []
        for image in test_images[:100]:
            inputs = inputs_of(save(tmp_path / "digit.png", enlarged(image, 10, Image.NEAREST)))
            differences.append(np.abs(inputs * 255 - image).max())
        # Where the centre falls to the other side of a rounding, the digit moves by one pixel.
        assert np.mean(np.array(differences) < 1.5) > 0.98


class TestSampleImages:
    @pytest.mark.parametrize("inverted", [False, True])
    def test_are_taken_as_they_are(self, tmp_path, inverted):
        for image in DIGITS[:20]:
            inputs = inputs_of(save(tmp_path / "digit.png", 255 - image if inverted else image))
            assert inputs.tobytes() == to_inputs(image).tobytes()

    @pytest.mark.parametrize("change", CHANGES)
    def test_come_back_from_a_changed_picture(self, tmp_path, change):
        picture = CHANGES[change](DIGIT)
        example = read_one(save(tmp_path / "digit.png", picture))
        assert likeness(example.inputs, DIGIT) > 0.9
        assert example.notes["size"] == list(picture.size)
        assert example.notes["centred"]
        assert example.notes["inverted"] == (change not in ("bigger", "bigger by an odd factor", "smaller"))

    def test_moved_within_their_28_pixels_are_centred(self, tmp_path):
        moved = np.roll(DIGIT, (3, -2), axis=(0, 1))
        path = save(tmp_path / "digit.png", moved)
        assert read_one(path).notes["centred"]
        assert np.abs(inputs_of(path) * 255 - DIGIT).max() < 1.5


@hypothesis.settings(max_examples=60, deadline=None, derandomize=True)
@hypothesis.given(
    width=strategies.integers(1, 90),
    height=strategies.integers(1, 90),
    strokes=strategies.lists(strategies.tuples(*[strategies.integers(-5, 95)] * 4), min_size=1, max_size=4),
    greys=strategies.tuples(strategies.integers(0, 255), strategies.integers(0, 255)),
    pen=strategies.integers(1, 12),
)
def test_any_drawing_is_centred_or_refused(tmp_path_factory, width, height, strokes, greys, pen):
    picture = Image.new("L", (width, height), greys[0])
    for stroke in strokes:
        ImageDraw.Draw(picture).line(stroke, fill=greys[1], width=pen)
    example = read_one(save(tmp_path_factory.getbasetemp() / "drawing.png", picture))
    if example.inputs is None:
        assert example.refused
        return
    assert example.inputs.shape == (28, 28)
    assert example.inputs.min() >= 0
    assert example.inputs.max() == 1
    mass = example.inputs.astype(np.float64)
    centre = [float((mass.sum(1 - axis) @ np.arange(28)) / mass.sum()) for axis in (0, 1)]
    assert np.abs(np.array(centre) - 14).max() < 1.5
