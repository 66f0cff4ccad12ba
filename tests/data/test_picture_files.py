"""Picture and array files of every kind are read, or refused with the reason."""

import struct
import zlib
from typing import Any, Callable, ClassVar, Dict, Tuple

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tests.data.idx_files import random_digits
from tests.data.pictures import (
    DIGIT,
    DIGITS,
    LARGE,
    enlarged,
    inputs_of,
    likeness,
    read_one,
    refusal_of,
    save,
)
from tf1_lstm.data import images
from tf1_lstm.data.images import read_pictures
from tf1_lstm.data.mnist_batches import to_inputs


class TestKindsOfPictures:
    MODES: ClassVar[Dict[str, Callable[[Image.Image], Image.Image]]] = {
        "colour": lambda grey: Image.merge(
            "RGB", [grey.point(lambda v: v), grey, grey.point(lambda v: v // 2)]
        ),
        "palette": lambda grey: grey.convert("RGB").convert("P", palette=Image.ADAPTIVE),
        "one bit": lambda grey: grey.point(lambda v: 255 if v > 128 else 0).convert("1"),
        "16 bits": lambda grey: Image.fromarray(np.asarray(grey).astype(np.uint16) * 257),
        "16 bits, inverted": lambda grey: Image.fromarray((255 - np.asarray(grey)).astype(np.uint16) * 257),
        "opaque alpha": lambda grey: grey.convert("RGBA"),
        "grey with alpha": lambda grey: grey.convert("LA"),
    }

    @pytest.mark.parametrize("mode", MODES)
    def test_of_every_mode_show_the_same_digit(self, tmp_path, mode):
        inputs = inputs_of(save(tmp_path / "digit.png", self.MODES[mode](LARGE)))
        assert likeness(inputs, DIGIT) > 0.9

    @pytest.mark.parametrize("ink", [0, 255])
    @pytest.mark.parametrize("behind", [0, 255])
    def test_of_ink_on_a_transparent_ground_show_it(self, tmp_path, ink, behind):
        """The colour of what is fully transparent must not matter."""
        alpha = np.asarray(enlarged(DIGIT, 8))
        grey = np.where(alpha > 0, ink, behind).astype(np.uint8)
        picture = Image.merge("LA", [Image.fromarray(grey), Image.fromarray(alpha)])
        assert likeness(inputs_of(save(tmp_path / "digit.png", picture)), DIGIT) > 0.93

    def test_of_paper_with_transparent_corners_show_the_ink(self, tmp_path):
        picture = LARGE.convert("RGBA")
        alpha = Image.new("L", LARGE.size, 0)
        ImageDraw.Draw(alpha).ellipse((-60, -60, LARGE.width + 60, LARGE.height + 60), fill=255)
        picture.putalpha(alpha)
        assert likeness(inputs_of(save(tmp_path / "digit.png", picture)), DIGIT) > 0.93

    def test_with_a_transparent_palette_entry_show_the_digit(self, tmp_path):
        grey = LARGE.point(lambda v: 1 if v > 128 else 0)
        picture = Image.frombytes("P", grey.size, grey.tobytes())
        picture.putpalette([0, 0, 0, 255, 255, 255])
        path = save(tmp_path / "digit.png", picture, transparency=1)
        assert likeness(inputs_of(path), DIGIT) > 0.9

    @pytest.mark.parametrize("suffix", ["bmp", "gif", "tiff", "ppm", "webp"])
    def test_of_other_lossless_formats_give_the_same_as_png(self, tmp_path, suffix):
        options = {"lossless": True} if suffix == "webp" else {}
        picture = LARGE.convert("RGB") if suffix in ("webp", "ppm") else LARGE
        expected = inputs_of(save(tmp_path / "digit.png", LARGE))
        assert np.array_equal(inputs_of(save(tmp_path / f"digit.{suffix}", picture, **options)), expected)

    @pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
    def test_jpeg_of_every_mode_shows_the_digit(self, tmp_path, mode):
        path = save(tmp_path / "digit.jpg", LARGE.convert(mode), quality=90)
        assert likeness(inputs_of(path), DIGIT) > 0.93

    def test_are_told_by_content_and_not_by_name(self, tmp_path):
        path = save(tmp_path / "digit.png", LARGE)
        expected = inputs_of(path)
        path.rename(tmp_path / "digit.txt")
        assert np.array_equal(inputs_of(tmp_path / "digit.txt"), expected)

    def test_turned_by_a_camera_are_turned_back(self, tmp_path):
        exif = Image.Exif()
        exif[0x0112] = 6  # the camera was turned: show it turned by 90 degrees clockwise
        path = save(tmp_path / "digit.jpg", LARGE.rotate(90, expand=True), exif=exif.tobytes(), quality=95)
        example = read_one(path)
        assert likeness(example.inputs, DIGIT) > 0.93
        assert example.notes["size"] == list(LARGE.size)


class TestArrays:
    @pytest.mark.parametrize("shape", [(3, 28, 28), (3, 784)])
    @pytest.mark.parametrize("kind", ["u1", "f2", "<f4", ">f4", "f8"])
    def test_of_many_images_give_one_example_each(self, tmp_path, shape, kind):
        array = DIGITS[:3].reshape(shape)
        expected = to_inputs(DIGITS[:3])
        np.save(str(tmp_path / "digits.npy"), array if kind == "u1" else to_inputs(array).astype(kind))
        examples = read_pictures(tmp_path / "digits.npy", "digits.npy")
        assert [example.name for example in examples] == ["digits.npy[0]", "digits.npy[1]", "digits.npy[2]"]
        found = np.stack([example.inputs for example in examples])
        assert found.dtype == np.float32
        assert np.abs(found - expected).max() <= (5e-4 if kind == "f2" else 0)
        assert examples[0].notes == {"size": [28, 28], "inverted": False, "centred": False}

    @pytest.mark.parametrize("shape", [(28, 28), (784,)])
    def test_of_one_image_give_it_unchanged_even_off_the_middle(self, tmp_path, shape):
        moved = np.roll(DIGIT, 5, axis=0)
        np.save(str(tmp_path / "digit.npy"), moved.reshape(shape))
        assert inputs_of(tmp_path / "digit.npy").tobytes() == to_inputs(moved).tobytes()

    BAD: ClassVar[Dict[str, Tuple[Any, str]]] = {
        "another shape": (np.zeros((3, 30, 30), np.uint8), "found an array of shape [3, 30, 30], expected"),
        "a colour image": (np.zeros((28, 28, 3), np.uint8), "found an array of shape [28, 28, 3], expected"),
        "four axes": (np.zeros((2, 2, 28, 28), np.uint8), "found an array of shape [2, 2, 28, 28]"),
        "a number": (np.float32(0.5), "found an array of shape []"),
        "no image": (np.zeros((0, 784), np.uint8), "found 0 images, expected 1 to"),
        "whole numbers": (
            np.ones((28, 28), np.int64),
            "found int64 pixels, expected uint8 (0 to 255) or float",
        ),
        "truth values": (np.ones((28, 28), bool), "found bool pixels"),
        "0 to 255 as floats": (
            np.full((28, 28), 255.0),
            "found float pixels from 255 to 255, expected 0 to 1",
        ),
        "negative": (np.full((784,), -0.5), "found float pixels from -0.5 to -0.5"),
        "not a number": (np.full((784,), np.nan), "found float pixels from nan to nan, expected 0 to 1"),
        "objects": (np.array([[None] * 784]), "pickled"),
        "blank": (np.zeros((28, 28), np.uint8), "found a blank image, expected a digit"),
    }

    @pytest.mark.parametrize("case", BAD)
    def test_that_are_no_images_are_refused(self, tmp_path, case):
        array, complaint = self.BAD[case]
        np.save(str(tmp_path / "bad.npy"), array)
        assert complaint in refusal_of(tmp_path / "bad.npy")

    def test_with_one_not_a_number_are_refused(self, tmp_path):
        array = to_inputs(DIGITS[:3])
        array[1, 4, 4] = np.nan
        np.save(str(tmp_path / "bad.npy"), array)
        assert "nan" in refusal_of(tmp_path / "bad.npy")

    def test_with_a_blank_image_lose_that_one_alone(self, tmp_path):
        array = DIGITS[:3].copy()
        array[1] = 0
        np.save(str(tmp_path / "digits.npy"), array)
        assert [e.refused is None for e in read_pictures(tmp_path / "digits.npy", "d")] == [True, False, True]

    def test_of_too_many_images_or_cut_are_refused(self, tmp_path, monkeypatch):
        np.save(str(tmp_path / "digits.npy"), DIGITS[:3])
        monkeypatch.setattr(images, "MAX_ARRAY_IMAGES", 2)
        assert "found 3 images, expected 1 to 2" in refusal_of(tmp_path / "digits.npy")
        whole = (tmp_path / "digits.npy").read_bytes()
        (tmp_path / "cut.npy").write_bytes(whole[:-1])
        assert "truncated" in refusal_of(tmp_path / "cut.npy")


class TestRefusals:
    @pytest.mark.parametrize("grey", [0, 127, 255])
    def test_of_a_blank_picture(self, tmp_path, grey):
        refusal = refusal_of(save(tmp_path / "blank.png", np.full((60, 40), grey, np.uint8)))
        assert "found a blank picture" in refusal
        assert "expected a digit" in refusal

    def test_of_a_fully_transparent_picture(self, tmp_path):
        assert "blank" in refusal_of(save(tmp_path / "clear.png", Image.new("RGBA", (50, 50), (9, 9, 9, 0))))

    def test_of_noise_alone(self, tmp_path):
        noise = random_digits(16, seed=1).reshape(112, 112)
        assert "nothing stands out" in refusal_of(save(tmp_path / "noise.png", noise))

    @pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "bmp", "tiff", "webp"])
    def test_of_a_file_cut_anywhere(self, tmp_path, suffix):
        whole = save(tmp_path / f"whole.{suffix}", LARGE.convert("RGB")).read_bytes()
        expected = inputs_of(tmp_path / f"whole.{suffix}")
        for length in [*range(0, len(whole), max(1, len(whole) // 25)), len(whole) - 13]:
            path = tmp_path / f"cut.{suffix}"
            path.write_bytes(whole[:length])
            example = read_one(path)
            if length >= len(whole) - 1 and example.refused is None:
                assert np.array_equal(example.inputs, expected)  # a closing byte alone was missing
                continue
            assert example.inputs is None, f"{length} of {len(whole)} bytes were taken"
            assert "expected" in str(example.refused)

    def test_of_a_png_with_one_changed_byte(self, tmp_path):
        whole = save(tmp_path / "whole.png", LARGE).read_bytes()
        expected = inputs_of(tmp_path / "whole.png")
        random = np.random.RandomState(1)
        for place in random.randint(8, len(whole), 60):
            changed = bytearray(whole)
            changed[place] ^= 1 << random.randint(8)
            (tmp_path / "changed.png").write_bytes(bytes(changed))
            example = read_one(tmp_path / "changed.png")
            # What follows the last pixel may differ.
            assert example.inputs is None or (
                place >= len(whole) - 12 and np.array_equal(example.inputs, expected)
            )

    @pytest.mark.parametrize("content", [b"", b"seven", bytes(range(256)) * 20, b"%PDF-1.4\n"])
    def test_of_something_else(self, tmp_path, content):
        (tmp_path / "seven.png").write_bytes(content)
        assert "not a picture" in refusal_of(tmp_path / "seven.png")

    def test_of_a_missing_file_and_a_folder(self, tmp_path):
        assert refusal_of(tmp_path / "absent.png").startswith("no such file; expected a picture")
        assert refusal_of(tmp_path / "absent.npy").startswith("no such file; expected an array")
        assert refusal_of(tmp_path).startswith("is a folder; expected a picture")

    @pytest.mark.parametrize("side", [7_200, 13_000, 60_000, 2**31 - 1])
    def test_of_a_decompression_bomb_before_it_is_unpacked(self, tmp_path, side):
        def chunk(kind, content):
            checked = kind + content
            return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

        header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
        pixels = chunk(b"IDAT", zlib.compress(bytes(1_000_000)))
        (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + pixels + chunk(b"IEND", b""))
        assert "expected up to 50,000,000 pixels" in refusal_of(tmp_path / "bomb.png")
