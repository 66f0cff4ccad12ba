"""Pictures of digits through ``predict``, as a user gives them."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.runs.conftest import called


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the sample's digits that is right nine times of ten."""
    folder = tmp_path_factory.mktemp("pictures")
    finished = called(["train", "mnist-lstm", "--sample", "--run", "run"], folder)
    assert finished.returncode == 0, finished.stderr
    return folder / "run"


@pytest.mark.thorough
def test_pictures_of_any_size_and_polarity_and_arrays_are_read(run: Path, tmp_path: Path):
    from PIL import Image

    from tf1_lstm.data.registry import open_dataset

    split = open_dataset("mnist-rows", sample=True).split("test")
    images = np.rint(split.inputs[:20] * 255).astype(np.uint8)
    names = []
    for number, image in enumerate(images):
        large = Image.fromarray(255 - image).resize((140, 140), Image.BICUBIC)
        canvas = Image.new("L", (200, 170), 255)
        canvas.paste(large, (40, 10))
        canvas.save(tmp_path / f"{number}.png")
        names.append(f"{number}.png")
    np.save(tmp_path / "all.npy", images)
    base = ["predict", "mnist-lstm", "--checkpoint", f"{run}/checkpoints", "--json", "--file"]
    finished = called([*base, *names, "all.npy"], tmp_path)
    assert finished.returncode == 0, finished.stderr
    found = [p["label"] for p in json.loads(finished.stdout)["predictions"]]
    assert len(found) == 40
    true = [str(label) for label in split.labels[:20]]
    assert sum(a == b for a, b in zip(found[20:], true)) >= 17
    assert sum(a == b for a, b in zip(found[:20], found[20:])) >= 17
    notes = json.loads(finished.stdout)["predictions"][0]["notes"]
    assert notes["inverted"] is True


def test_a_blank_and_a_broken_picture_are_refused_with_the_reason(run: Path, tmp_path: Path):
    from PIL import Image

    Image.new("L", (50, 50), 255).save(tmp_path / "blank.png")
    (tmp_path / "broken.png").write_bytes((tmp_path / "blank.png").read_bytes()[:40])
    arguments = ["predict", "mnist-lstm", "--checkpoint", f"{run}/checkpoints", "--json"]
    finished = called([*arguments, "--file", "blank.png", "broken.png", "missing.png"], tmp_path)
    assert finished.returncode == 1
    for prediction in json.loads(finished.stdout)["predictions"]:
        assert prediction["refused"]
    finished = called([*arguments, "--text", "seven"], tmp_path)
    assert finished.returncode == 2
    assert "reads pictures; expected --file" in finished.stderr
