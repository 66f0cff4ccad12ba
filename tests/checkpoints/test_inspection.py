"""What ``inspect`` says of checkpoints that are not whole, or not alone."""

import json
import os
import shutil

import pytest

from tests.checkpoints.support import CASES
from tf1_lstm.cli import main


def inspected(capsys, path):
    assert main(["inspect", str(path), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def index_alone(tmp_path):
    shutil.copy(CASES / "no-optimizer-7.index", tmp_path / "m-7.index")
    return tmp_path


def test_an_index_without_data_tells_everything_but_values(index_alone, capsys):
    whole, found = inspected(capsys, CASES / "no-optimizer-7"), inspected(capsys, index_alone)
    for key in ("model", "naming", "recipes", "problem", "step", "unread"):
        assert found[key] == whole[key]
    assert [(one["name"], one["shape"]) for one in found["variables"]] == [
        (one["name"], one["shape"]) for one in whole["variables"]
    ]
    assert all(one["minimum"] is None for one in found["variables"])
    assert "m-7.data-00000-of-00001 is missing" in found["missing"]
    assert found["weights_sha256"] is None
    assert main(["inspect", str(index_alone)]) == 0
    assert "values      missing: its data file" in capsys.readouterr().out


def test_a_git_lfs_pointer_is_named_with_its_size(index_alone, capsys):
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 123456789\n"
    (index_alone / "m-7.data-00000-of-00001").write_text(pointer)
    assert "Git LFS pointer to 123,456,789 bytes" in inspected(capsys, index_alone)["missing"]
    assert main(["convert", str(index_alone), str(index_alone / "out"), "--to", "tf1.0"]) == 2
    assert "Git LFS pointer to 123,456,789 bytes" in capsys.readouterr().err


def test_a_folder_of_several_checkpoints_lists_them(tmp_path, capsys):
    for step in (1, 2, 30):
        for ending in (".index", ".data-00000-of-00001"):
            shutil.copy(CASES / f"no-optimizer-7{ending}", tmp_path / f"m-{step}{ending}")
    found = inspected(capsys, tmp_path)
    assert os.path.basename(found["prefix"]) == "m-30"
    assert found["others"] == ["m-1", "m-2"]
    assert main(["inspect", str(tmp_path)]) == 0
    assert "also here   m-1, m-2" in capsys.readouterr().out


def test_one_saved_layer_of_a_stack_may_be_several(tmp_path, capsys):
    import numpy as np

    from tf1_lstm.checkpoints.formats.bundle_write import write_bundle

    scope = "rnn/multi_rnn_cell/cell_0/basic_lstm_cell"
    shapes = {f"{scope}/kernel": (8, 16), f"{scope}/bias": (16,), "w": (4, 2), "b": (2,)}
    write_bundle(str(tmp_path / "m"), {name: np.zeros(shape, np.float32) for name, shape in shapes.items()})
    model = inspected(capsys, tmp_path / "m")["model"]
    assert model["summary"].startswith("one layer, or several that share it, one direction")
    assert model["layers_may_share"] is True
    assert inspected(capsys, CASES / "no-optimizer-7")["model"]["layers_may_share"] is False


def test_a_series_of_single_numbers_is_no_word_vector(tmp_path, capsys):
    import numpy as np

    from tf1_lstm.checkpoints.formats.bundle_write import write_bundle

    scope = "rnn/basic_lstm_cell"
    for inputs, fits in ((1, False), (50, True)):
        shapes = {f"{scope}/kernel": (inputs + 64, 256), f"{scope}/bias": (256,), "w": (64, 2), "b": (2,)}
        prefix = tmp_path / f"m{inputs}"
        write_bundle(str(prefix), {name: np.zeros(shape, np.float32) for name, shape in shapes.items()})
        names = [one["name"] for one in inspected(capsys, prefix)["recipes"] if one["fits"]]
        assert ("imdb-lstm" in names) is fits
