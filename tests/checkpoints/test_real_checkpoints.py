"""The two published checkpoints, against TensorFlow's reader and their published figures."""

import filecmp
from pathlib import Path

import numpy as np
import pytest

from tests.checkpoints.support import lstm_logits
from tf1_lstm.checkpoints.canonical import expected_shapes
from tf1_lstm.checkpoints.formats.bundle_write import write_bundle
from tf1_lstm.checkpoints.formats.single_write import write_single
from tf1_lstm.checkpoints.inspection import inspect
from tf1_lstm.checkpoints.reading import read_checkpoint
from tf1_lstm.checkpoints.restore import load_weights
from tf1_lstm.recipes import all_recipes

IMDB = {
    "lstm/fw/0/kernel": (114, 256),
    "lstm/fw/0/bias": (256,),
    "softmax/weights": (64, 2),
    "softmax/bias": (2,),
}
MNIST = {
    "lstm/fw/0/kernel": (156, 512),
    "lstm/fw/0/bias": (512,),
    "softmax/weights": (128, 10),
    "softmax/bias": (10,),
}
# folder -> the name of the checkpoint in it
FOLDERS = {"imdb-lstm-90000": "pretrained_lstm.ckpt-90000", "mnist-lstm-2016": "model-150"}


@pytest.fixture
def checkpoints(shared: Path) -> Path:
    return shared / "checkpoints"


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_bit_is_the_one_that_tensorflow_reads(checkpoints, folder):
    import tensorflow as tf

    mine = read_checkpoint(checkpoints / folder)
    theirs = tf.train.load_checkpoint(str(checkpoints / folder / FOLDERS[folder]))
    assert set(mine.specs) == set(theirs.get_variable_to_shape_map())
    for name in mine.specs:
        values = theirs.get_tensor(name)
        assert mine.variables[name].tobytes() == values.tobytes()
        assert mine.variables[name].shape == values.shape


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_whose_checkpoint_file_has_dead_paths_is_found_by_the_name_in_it(checkpoints, folder):
    found = read_checkpoint(checkpoints / folder)
    assert Path(found.prefix).name == FOLDERS[folder]
    assert found.step == int(FOLDERS[folder].rsplit("-", 1)[1])
    assert "checkpoint file names it" in found.how


@pytest.mark.parametrize("folder", FOLDERS)
def test_writing_them_again_gives_the_published_bytes(checkpoints, folder, tmp_path):
    source = read_checkpoint(checkpoints / folder)
    writer = write_bundle if source.format == "V2 bundle" else write_single
    writer(str(tmp_path / FOLDERS[folder]), source.variables)
    names = [Path(path).name for path in source.files]
    assert filecmp.cmpfiles(str(checkpoints / folder), str(tmp_path), names, shallow=False)[0] == names


def test_the_imdb_softmax_is_found_beside_the_dead_variable(checkpoints):
    document = inspect(checkpoints / "imdb-lstm-90000", all_recipes())
    roles = {entry["name"]: entry["role"] for entry in document["variables"]}
    assert roles["Variable_1"] == "softmax/weights"
    assert roles["Variable_2"] == "softmax/bias"
    assert document["unread"] == ["Variable"]
    assert {"name": "imdb-lstm", "fits": True}.items() <= document["recipes"][0].items()


def test_the_imdb_checkpoint_gives_its_published_logits(checkpoints, prepared):
    arrays = load_weights(checkpoints / "imdb-lstm-90000", IMDB, want_slots=True).arrays
    ids = np.load(str(prepared / "imdb/idsMatrixTest.npy"), mmap_mode="r")[0]
    rows = np.load(str(prepared / "imdb/wordVectors.npy"), mmap_mode="r")[ids]
    softmax = (arrays["softmax/weights"], arrays["softmax/bias"])
    logits = lstm_logits(rows, arrays["lstm/fw/0/kernel"], arrays["lstm/fw/0/bias"], softmax)
    np.testing.assert_allclose(logits, [4.327704, -2.5567985], rtol=0, atol=5e-6)


def test_the_mnist_checkpoint_of_2016_is_restored_through_its_old_names(checkpoints):
    weights = load_weights(checkpoints / "mnist-lstm-2016", MNIST, want_slots=True)
    assert (weights.model.inputs, weights.model.units, weights.model.classes) == (28, 128, 10)
    assert weights.step == 150
    # 0.999 to the power of the step count since training began: Adam's own clock.
    assert weights.scalars["beta1_power"] == pytest.approx(0.9**151, rel=1e-4)


def test_each_recipes_expected_shapes_fill_the_checkpoint_it_was_trained_as(checkpoints):
    recipes = all_recipes()
    assert expected_shapes(recipes["imdb-lstm"], 50) == IMDB
    assert load_weights(checkpoints / "imdb-lstm-90000", IMDB).model.classes == 2
