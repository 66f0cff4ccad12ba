"""One flipped bit beside a manifest is refused; data without one are taken as they are."""

import json
import shutil
from pathlib import Path

import pytest

from tf1_lstm.data.manifest import check_manifest
from tf1_lstm.data.registry import open_dataset
from tf1_lstm.errors import InputError

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "sample"
FILES = {
    "imdb": ("imdb-ids", ("wordsList.npy", "wordVectors.npy", "idsMatrix.npy", "idsMatrixTest.npy")),
    "keras-imdb": ("keras-imdb", ("trainIds.npy", "testLabels.npy", "wordVectors.npy", "wordsList.npy")),
}


@pytest.mark.parametrize("folder", FILES)
def test_every_flipped_bit_is_refused_with_the_files_name(folder, tmp_path):
    dataset, names = FILES[folder]
    for name in names:
        copy = tmp_path / name / folder
        shutil.copytree(str(SAMPLE / folder), str(copy))
        open_dataset(dataset, copy)
        content = bytearray((copy / name).read_bytes())
        content[-4] ^= 1
        (copy / name).write_bytes(bytes(content))
        with pytest.raises(InputError, match=rf"{name}: found ") as refused:
            open_dataset(dataset, copy)
        if name == "wordVectors.npy":  # nothing in it tells, but its hash
            assert "as manifest.json says" in str(refused.value)


def test_without_a_manifest_nothing_is_held_against_it(tmp_path):
    copy = tmp_path / "imdb"
    shutil.copytree(str(SAMPLE / "imdb"), str(copy))
    (copy / "manifest.json").unlink()
    open_dataset("imdb-ids", copy)


@pytest.mark.parametrize("document", [[], {}, {"files": 3}, {"files": {"a": {}}}, {"files": {"a": 3}}])
def test_what_is_no_manifest_is_refused(document, tmp_path):
    (tmp_path / "manifest.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match="expected prepare's manifest"):
        check_manifest(tmp_path, ["a"])
