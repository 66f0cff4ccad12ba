"""`prepare keras-imdb` writes the reviews as Keras has them, from either source: all files or none."""

import json
import os
import shutil
from pathlib import Path
from typing import Any, Dict

import numpy as np
import pytest

from tests.data.small_imdb import GLOVE, review_files, tar_gz, write_tree, zipped
from tests.data.small_keras import arrays, prepared_folder, write_index, write_npz
from tf1_lstm.cli import main
from tf1_lstm.data import prepare_keras
from tf1_lstm.data.keras_imdb import KerasImdbDataset
from tf1_lstm.data.prepare_keras import prepare_keras_imdb, prepare_keras_npz
from tf1_lstm.errors import InputError
from tf1_lstm.files import sha256_of_array, sha256_of_file
from tf1_lstm.recipes import find_recipe
from tf1_lstm.recipes.flat import flat_settings

REVIEW_FILES = [f"{split}{kind}.npy" for split in ("test", "train") for kind in ("Ids", "Labels", "Offsets")]


@pytest.fixture
def sources(tmp_path: Path) -> Dict[str, Path]:
    (tmp_path / "g.txt").write_bytes(GLOVE)
    return {"reviews": write_tree(tmp_path / "reviews", review_files()), "glove": tmp_path / "g.txt"}


def run(sources: Dict[str, Path], data: Path) -> Dict[str, Any]:
    return prepare_keras_imdb(sources["reviews"], sources["glove"], data, progress=False)


def test_ids_follow_keras_rule(sources: Dict[str, Path], tmp_path: Path) -> None:
    """Worked out by hand: the train reviews are (file names sorted as bytes, positive first) as below."""
    run(sources, tmp_path)
    data = KerasImdbDataset(tmp_path)
    assert data.files.words is not None
    words = data.files.words.tolist()
    counts = {"good": 4, "the": 2, "br": 1, "film": 1, "not": 1, "caf\u00e9": 1, "the\u00a0last": 1}
    assert {word.decode("utf-8") for word in words} == set(counts)
    assert words[:2] == [b"good", b"the"]
    ids = {word.decode("utf-8"): number for number, word in enumerate(words, 4)}
    order = np.arange(4)
    random = np.random.RandomState(113)
    random.shuffle(order)
    train = ["good good the br film", "the good", "not good", "caf\u00e9 the\u00a0last"]
    expected = [[1, *(ids[word] for word in train[row].split(" "))] for row in order]
    assert [data.files.train.review(row).tolist() for row in range(4)] == expected
    assert data.files.train.labels.tolist() == [1 if row < 2 else 0 for row in order]
    order = np.arange(4)
    random.shuffle(order)
    # Words that no train review has ("last", "0") are left out; an empty review is its start marker.
    test = [[1, *[4] * 300], [1], [1], [1, 5]]
    assert [data.files.test.review(row).tolist() for row in range(4)] == [test[row] for row in order]
    assert data.files.test.labels.tolist() == [1 if row < 2 else 0 for row in order]


def test_word_vectors_are_glove_rows_by_id(sources: Dict[str, Path], tmp_path: Path) -> None:
    manifest = run(sources, tmp_path)
    vectors = np.load(str(tmp_path / "keras-imdb/wordVectors.npy"))
    assert (vectors.shape, vectors.dtype) == ((11, 3), np.float32)
    assert vectors[4].tolist() == [np.float32(0.1), 20, 0.5]
    assert vectors[5].tolist() == [0.5, -1.25, 3]
    assert not vectors[:4].any()
    assert np.count_nonzero(vectors.any(axis=1)) == 2
    source = manifest["sources"]["vectors"]
    assert source["name"] == "g.txt"
    assert source["sha256_of_text"] == sha256_of_file(sources["glove"])
    assert (source["dimensions"], source["words"], source["found"]) == (3, 7, 2)


def test_the_10000_most_frequent_words_have_vectors(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(prepare_keras, "VOCABULARY", 6)
    folder = prepared_folder(tmp_path, glove=GLOVE) / "keras-imdb"
    assert np.load(str(folder / "wordVectors.npy")).shape == (4 + 6, 3)
    assert len(np.load(str(folder / "wordsList.npy"))) == 300


def test_manifest_describes_what_was_written(sources: Dict[str, Path], tmp_path: Path) -> None:
    manifest = run(sources, tmp_path)
    folder = tmp_path / "keras-imdb"
    names = sorted([*REVIEW_FILES, "manifest.json", "wordVectors.npy", "wordsList.npy"])
    assert sorted(os.listdir(str(folder))) == names
    assert json.loads((folder / "manifest.json").read_text()) == manifest
    for name, described in manifest["files"].items():
        array = np.load(str(folder / name))
        assert described == {
            "sha256": sha256_of_file(folder / name),
            "sha256_of_content": sha256_of_array(array),
            "dtype": array.dtype.str,
            "shape": list(array.shape),
        }
    assert manifest["train"]["reviews"] == 4
    assert manifest["train"]["positive"] == 2
    assert manifest["train"]["mean_length"] == (6 + 3 + 3 + 3) / 4
    assert manifest["test"]["longest"] == 301
    assert (manifest["words"], manifest["shuffle_seed"]) == (7, 113)
    assert "RandomState(113)" in manifest["order"]
    assert not any(manifest["of_public_reviews"].values())


def test_same_bytes_from_a_folder_an_archive_and_an_npz(sources: Dict[str, Path], tmp_path: Path) -> None:
    run(sources, tmp_path / "a")
    prepare_keras_imdb(tar_gz(tmp_path / "r.tar.gz", review_files()), None, tmp_path / "b", progress=False)
    first = KerasImdbDataset(tmp_path / "a").files
    # As Keras's file has it: ranks, in the order before the shuffle.
    random = np.random.RandomState(113)
    rows = []
    for reviews in (first.train, first.test):
        order = np.arange(4)
        random.shuffle(order)
        place = np.argsort(order)
        rows.append([[int(id_) - 3 for id_ in reviews.review(row)[1:]] for row in place])
    np.savez(str(tmp_path / "imdb.npz"), **arrays(*rows))
    assert first.words is not None
    index = {word.decode("utf-8"): rank for rank, word in enumerate(first.words.tolist(), 1)}
    (tmp_path / "index.json").write_text(json.dumps(index))
    prepare_keras_npz(tmp_path / "imdb.npz", tmp_path / "index.json", None, tmp_path / "c", progress=False)
    for name in [*REVIEW_FILES, "wordsList.npy"]:
        content = (tmp_path / "a/keras-imdb" / name).read_bytes()
        assert content == (tmp_path / "b/keras-imdb" / name).read_bytes()
        assert content == (tmp_path / "c/keras-imdb" / name).read_bytes()


def test_files_of_an_earlier_call_do_not_stay(sources: Dict[str, Path], tmp_path: Path) -> None:
    run(sources, tmp_path)
    (tmp_path / "keras-imdb/notes.txt").write_text("mine")
    prepare_keras_npz(write_npz(tmp_path / "imdb.npz"), None, None, tmp_path, progress=False)
    assert sorted(os.listdir(str(tmp_path / "keras-imdb"))) == sorted(
        [*REVIEW_FILES, "manifest.json", "notes.txt"]
    )


def test_a_failure_leaves_the_folder_as_it_was(
    sources: Dict[str, Path], tmp_path: Path, monkeypatch: Any
) -> None:
    run(sources, tmp_path / "data")
    folder = tmp_path / "data/keras-imdb"
    before = {name: (folder / name).read_bytes() for name in os.listdir(str(folder))}

    def full_disk(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(prepare_keras, "write_json", full_disk)
    with pytest.raises(InputError, match="keras-imdb: cannot be written: No space left on device"):
        prepare_keras_npz(write_npz(tmp_path / "imdb.npz"), None, None, tmp_path / "data", progress=False)
    assert {name: (folder / name).read_bytes() for name in os.listdir(str(folder))} == before
    assert os.listdir(str(tmp_path / "data")) == ["keras-imdb"]


def test_refuses_what_is_not_there_or_does_not_fit(sources: Dict[str, Path], tmp_path: Path) -> None:
    npz = write_npz(tmp_path / "imdb.npz")
    with pytest.raises(InputError, match="nowhere: found no such file or folder"):
        prepare_keras_imdb(tmp_path / "nowhere", None, tmp_path)
    with pytest.raises(InputError, match="nowhere: found no such file or folder"):
        prepare_keras_npz(npz, tmp_path / "nowhere", None, tmp_path)
    with pytest.raises(InputError, match="--glove: needs the words; expected --word-index"):
        prepare_keras_npz(npz, None, sources["glove"], tmp_path)
    with pytest.raises(InputError, match="found 20 words, expected 300 or more, the ranks in the reviews"):
        prepare_keras_npz(npz, write_index(tmp_path / "index.json", words=20), None, tmp_path)
    write_tree(sources["reviews"], {"aclImdb/train/pos/10_9.txt": b"a" * 1001})
    with pytest.raises(InputError, match=r"found a word of 1,001 bytes, .* expected words of at most 1,000"):
        run(sources, tmp_path)
    assert not (tmp_path / "keras-imdb").exists()


def test_takes_the_vectors_of_the_wanted_width_from_an_archive(
    sources: Dict[str, Path], tmp_path: Path
) -> None:
    wider = b"the 1 2 3 4\ngood 5 6 7 8\n"
    members = {"glove.6B.50d.txt": GLOVE, "glove.6B.100d.txt": wider}
    archive = zipped(tmp_path / "glove.6B.zip", members)
    for place in (archive, tmp_path):
        for dimensions, width in ((50, 3), (100, 4)):
            prepare_keras_imdb(sources["reviews"], place, tmp_path, dimensions, progress=False)
            assert np.load(str(tmp_path / "keras-imdb/wordVectors.npy")).shape == (11, width)


def test_the_command_prints_files_and_statistics(
    sources: Dict[str, Path], tmp_path: Path, capsys: Any
) -> None:
    data = ["--data", str(tmp_path / "data")]
    reviews = ["--reviews", str(sources["reviews"]), "--glove", str(sources["glove"])]
    assert main(["prepare", "keras-imdb", *reviews, *data]) == 0
    out = capsys.readouterr().out
    assert f"{tmp_path / 'data/keras-imdb/trainIds.npy'}  15  sha256 " in out
    assert "train: 4 reviews, 2 positive; mean length 3.75, longest 6 (with the start marker)" in out
    assert "word vectors for 2 of the 7 most frequent words" in out
    npz = [
        "--npz",
        str(write_npz(tmp_path / "imdb.npz")),
        "--word-index",
        str(write_index(tmp_path / "i.json")),
    ]
    assert main(["prepare", "keras-imdb", *npz, *data, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sources"]["words"]["name"] == "i.json"
    assert main(["prepare", "keras-imdb", *reviews, *npz[2:], *data]) == 2
    assert "--word-index: found it with --reviews, expected it with --npz" in capsys.readouterr().err


def test_the_command_finds_what_was_fetched_and_says_what_fetches_it(
    sources: Dict[str, Path], tmp_path: Path, capsys: Any
) -> None:
    data = tmp_path / "data"
    for name in ("imdb", "keras-imdb"):
        assert main(["prepare", name, "--data", str(data)]) == 2
        assert f"`tf1-lstm fetch all --data {data}` brings" in capsys.readouterr().err
    (data / "imdb").mkdir(parents=True)
    (data / "glove").mkdir()
    shutil.copytree(str(sources["reviews"]), str(data / "imdb" / "aclImdb"))
    shutil.copy(str(sources["glove"]), str(data / "glove" / "glove.6B.50d.txt"))
    assert main(["prepare", "keras-imdb", "--data", str(data)]) == 0
    assert "word vectors for 2 of the 7 most frequent words" in capsys.readouterr().out


def test_real_preparation_is_the_recorded_one(prepared_keras: Path) -> None:
    manifest = json.loads((prepared_keras / "keras-imdb/manifest.json").read_text())
    assert len(manifest["of_public_reviews"]) == 5
    assert all(manifest["of_public_reviews"].values())
    vectors = manifest["sources"]["vectors"]
    assert (vectors["dimensions"], vectors["words"], vectors["found"]) == (50, 10000, 9797)


def test_no_real_review_is_cut_for_the_document_that_reads_whole_ones(prepared_keras: Path) -> None:
    manifest = json.loads((prepared_keras / "keras-imdb/manifest.json").read_text())
    longest = max(manifest[split]["longest"] for split in ("train", "test"))
    assert 1_000 < longest <= flat_settings(find_recipe("imdb-bilstm2"))["steps"]
