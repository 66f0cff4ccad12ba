"""`prepare` writes the published files from the public ones: all of them or none."""

import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any, Dict, List

import numpy as np
import pytest

from tests.conftest import PROJECT
from tests.data.small_imdb import GLOVE, review_files, tar_gz, write_tree
from tf1_lstm.cli import main
from tf1_lstm.data import prepare
from tf1_lstm.data.ids import WordIndex, clean, id_matrix
from tf1_lstm.data.imdb import ImdbIds
from tf1_lstm.data.prepare import prepare_imdb
from tf1_lstm.data.sources import PUBLIC_FILES
from tf1_lstm.data.writing import write_npy
from tf1_lstm.errors import InputError
from tf1_lstm.files import sha256_of_array, sha256_of_file

MADE = [
    "idsMatrix.npy",
    "idsMatrixTest.npy",
    "length-histogram.png",
    "manifest.json",
    "wordVectors.npy",
    "wordsList.npy",
]


@pytest.fixture
def sources(tmp_path: Path) -> Dict[str, Path]:
    (tmp_path / "g.txt").write_bytes(GLOVE)
    return {"reviews": write_tree(tmp_path / "reviews", review_files()), "glove": tmp_path / "g.txt"}


def run(sources: Dict[str, Path], data: Path, **more: Any) -> Dict[str, Any]:
    return prepare_imdb(sources["reviews"], sources["glove"], data, progress=False, **more)


def test_ids_follow_the_tutorials_rule(sources: Dict[str, Path], tmp_path: Path) -> None:
    run(sources, tmp_path / "data")
    # words: 0 | , | the | good | 0 | unk
    ids = np.load(str(tmp_path / "data/imdb/idsMatrix.npy"))
    assert ids.shape == (4, 250)
    assert ids.dtype == np.int32
    assert [row[row != 0].tolist() for row in ids] == [
        [3, 3, 2, 5],  # film is unknown; <br /> parts two words
        [2, 3],  # only the first line
        [5, 3],
        [5, 5],  # the no-break space is removed, which joins two words
    ]
    test = np.load(str(tmp_path / "data/imdb/idsMatrixTest.npy"))
    assert test[0].tolist() == [3] * 250
    assert test[1].tolist() == [0] * 250
    assert test[3, :4].tolist() == [0, 2, 0, 0]  # '0' is the padding's row, because that comes first


def test_manifest_describes_what_was_written(sources: Dict[str, Path], tmp_path: Path) -> None:
    manifest = run(sources, tmp_path)
    folder = tmp_path / "imdb"
    assert sorted(os.listdir(str(folder))) == MADE
    assert json.loads((folder / "manifest.json").read_text()) == manifest
    for name, described in manifest["files"].items():
        array = np.load(str(folder / name))
        assert described == {
            "sha256": sha256_of_file(folder / name),
            "sha256_of_content": sha256_of_array(array),
            "dtype": array.dtype.str,
            "shape": list(array.shape),
        }
    assert manifest["train"]["files"] == 4
    assert manifest["train"]["words"] == 4 + 2 + 2 + 3  # white-space separated, before cleaning
    assert manifest["train"]["mean_words"] == 2.75
    assert manifest["test"]["longest"] == 300
    assert manifest["test"]["cut"] == 1
    assert not any(manifest["as_published"].values())


def test_same_bytes_from_a_folder_and_an_archive_and_again(sources: Dict[str, Path], tmp_path: Path) -> None:
    archive = tar_gz(tmp_path / "r.tar.gz", review_files())
    for name, reviews in (("a", sources["reviews"]), ("b", archive), ("b", archive)):
        prepare_imdb(reviews, sources["glove"], tmp_path / name, progress=False)
    for name in set(MADE) - {"manifest.json"}:
        assert (tmp_path / "a/imdb" / name).read_bytes() == (tmp_path / "b/imdb" / name).read_bytes()


def test_shows_count_rate_and_time_left_on_standard_error(
    sources: Dict[str, Path], tmp_path: Path, capfd: Any
) -> None:
    prepare_imdb(sources["reviews"], sources["glove"], tmp_path)
    out, err = capfd.readouterr()
    assert out == ""
    for label in ("word vectors: 100%", "reviews: 100%", "ids: 100%"):
        assert label in err
    run(sources, tmp_path)
    assert capfd.readouterr().err == ""


def test_a_failure_leaves_the_folder_as_it_was(
    sources: Dict[str, Path], tmp_path: Path, monkeypatch: Any
) -> None:
    run(sources, tmp_path / "data")
    before = {name: (tmp_path / "data/imdb" / name).read_bytes() for name in MADE}
    sources["glove"].write_bytes(GLOVE.replace(b"good", b"fine"))

    def full_disk(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(prepare, "draw_histogram", full_disk)
    with pytest.raises(InputError, match="imdb: cannot be written: No space left on device"):
        run(sources, tmp_path / "data")
    assert {name: (tmp_path / "data/imdb" / name).read_bytes() for name in MADE} == before
    assert os.listdir(str(tmp_path / "data")) == ["imdb"]


def test_refuses_what_is_not_there_before_reading_anything(sources: Dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere: found no such file or folder"):
        prepare_imdb(tmp_path / "nowhere", sources["glove"], tmp_path)
    with pytest.raises(InputError, match="--glove: missing"):
        prepare_imdb(sources["reviews"], None, tmp_path)
    with pytest.raises(InputError, match="--vectors: found 'bert', expected glove or train"):
        run(sources, tmp_path, vectors="bert")


def test_refuses_a_target_that_is_a_file(sources: Dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/imdb").write_bytes(b"")
    with pytest.raises(InputError, match="imdb: found a file, expected a folder"):
        run(sources, tmp_path / "data")
    with pytest.raises(InputError, match="cannot be written"):
        run(sources, tmp_path / "g.txt")


@pytest.mark.parametrize("array", [np.zeros((3, 2), np.float32), np.array([b"a", b"abc"]), np.arange(7)])
def test_npy_header_is_the_old_one_and_numpy_reads_it(tmp_path: Path, array: np.ndarray) -> None:
    write_npy(tmp_path / "a.npy", array)
    content = (tmp_path / "a.npy").read_bytes()
    assert content[:8] == b"\x93NUMPY\x01\x00"
    assert (len(content) - array.nbytes) % 16 == 0
    assert len(content) - array.nbytes <= 96
    np.testing.assert_array_equal(np.load(str(tmp_path / "a.npy")), array)


def test_cleaning_keeps_small_letters_digits_and_spaces() -> None:
    assert clean("It's 10/10!<br /><br />GREAT\tfilm") == b"its 1010  greatfilm"
    assert clean("\u212a\u0130 na\u00efve \u5f71") == b"ki nave "  # small forms of Kelvin sign and dotted I
    assert clean("<BR />") == b" "


def test_of_equal_words_the_first_counts() -> None:
    words = [b"0", b"a", b"0", b"a", b"unk"]
    assert WordIndex(words).ids([b"0", b"a", b"x", b"unk"]) == [words.index(b"0"), words.index(b"a"), 4, 4]


def test_progress_adds_up_to_all_texts() -> None:
    done: List[int] = []
    id_matrix(["a"] * 1234, WordIndex([b"0", b"a", b"unk"]), 3, done.append)
    assert sum(done) == 1234


def test_real_files_are_the_published_ones(prepared: Path) -> None:
    folder = prepared / "imdb"
    words = "8d881259aa3131ee5d61ae33d27040a223fe76266aaee24e6885d8b05e567a4a"
    assert sha256_of_file(folder / "wordsList.npy") == words
    vectors = "8eeeb0808feeb0202ee8dde7e933353f74dc466b1f400cf733a539e11003ab6a"
    assert sha256_of_file(folder / "wordVectors.npy") == vectors
    ids = np.load(str(folder / "idsMatrix.npy"))
    content = "7bd52ac9a64c47b6349900d2a1c9e8568113e9d7b877ecfc9525dc4cf27e1bd4"
    assert (ids.shape, ids.dtype, sha256_of_array(ids)) == ((25000, 250), np.int32, content)


def test_real_statistics_are_the_published_ones(prepared: Path) -> None:
    manifest = json.loads((prepared / "imdb/manifest.json").read_text())
    train = manifest["train"]
    assert (train["files"], train["words"], train["mean_words"]) == (25_000, 5_844_680, 233.7872)
    assert manifest["test"]["files"] == 25_000
    assert all(manifest["as_published"].values())
    text = "d8f717f8dd4b545cb7f418ef9f3d0c3e6e68a6f48b97d32f8b7aae40cb31f96f"
    assert manifest["sources"]["vectors"]["sha256_of_text"] == text


def test_real_row_3_is_the_array_that_the_tutorial_prints(prepared: Path) -> None:
    row = np.load(str(prepared / "imdb/idsMatrix.npy"))[3]
    assert row[:8].tolist() == [37, 14, 2407, 201534, 96, 37314, 319, 7158]
    assert row[112:124].tolist() == [10464, 19, 7, 369, 5, 1541, 36, 100, 181, 19, 7, 410]
    assert not row[124:].any()


def test_real_words_and_vectors_are_those_that_the_tutorial_prints(prepared: Path) -> None:
    data = ImdbIds(prepared)
    words = data.words.tolist()
    sentence = b"i thought the movie was incredible and inspiring".split()
    assert [words.index(word) for word in sentence] == [41, 804, 201534, 1005, 15, 7446, 5, 13767]
    baseball = data.vectors[words.index(b"baseball")]
    np.testing.assert_array_equal(baseball[:3], np.array([-1.93270004, 1.04209995, -0.78514999], np.float32))


def test_real_ids_equal_a_slow_walk_through_the_rule(prepared: Path, shared: Path) -> None:
    words = [word.decode() for word in np.load(str(prepared / "imdb/wordsList.npy")).tolist()]
    ids = np.load(str(prepared / "imdb/idsMatrixTest.npy"), mmap_mode="r")
    rows = {"aclImdb/test/neg/0_2.txt": 12_500, "aclImdb/test/neg/10000_4.txt": 12_501}  # first by byte order
    with tarfile.open(str(shared / "data/imdb/aclImdb_v1.tar.gz"), "r|gz") as archive:
        for member in archive:
            if member.name not in rows:
                continue
            stream = archive.extractfile(member)
            assert stream is not None
            line = stream.read().decode("utf-8").splitlines()[0].lower().replace("<br />", " ")
            expected = [0] * 250
            for position, word in enumerate(re.sub("[^A-Za-z0-9 ]+", "", line).split()[:250]):
                expected[position] = words.index(word) if word in words else 399_999
            assert ids[rows.pop(member.name)].tolist() == expected
            if not rows:
                break
    assert not rows


LIMITS = """
import resource, sys, time
from pathlib import Path
from tf1_lstm.cli import main
from tf1_lstm.data import prepare

shared, target = map(Path, sys.argv[1:])
start = time.process_time()
prepare.prepare_imdb(shared / "data/imdb", shared / "data/glove", target)
print(time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


@pytest.mark.slow
def test_real_preparation_takes_under_60_s_and_2_gb(shared: Path, tmp_path: Path) -> None:
    """Seconds of one CPU, because others may keep the machine busy; about 15 here."""
    process = subprocess.run(
        [sys.executable, "-c", LIMITS, str(shared), str(tmp_path)],
        cwd=str(PROJECT),
        stdout=subprocess.PIPE,
        check=True,
    )
    seconds, megabytes = map(float, process.stdout.split())
    assert seconds < 60
    assert megabytes < 2048


@pytest.mark.parametrize("recipe, dataset", [("imdb-lstm", "imdb"), ("imdb-lstm32", "keras-imdb")])
def test_what_a_command_without_data_suggests_works_as_it_is_printed(
    recipe: str, dataset: str, tmp_path: Path, capsys: Any
) -> None:
    data = tmp_path / "data"
    test_batches = ["test-batches", recipe, "--checkpoint", "none", "--data", str(data)]
    assert main(test_batches) == 2
    fetch, prepare = re.findall(r"`tf1-lstm (.*?)`", capsys.readouterr().err)
    assert (fetch, prepare) == (f"fetch all --data {data}", f"prepare {dataset} --data {data}")
    assert main(prepare.split()) == 2
    assert f"`tf1-lstm {fetch}`" in capsys.readouterr().err
    for what, name in (("imdb", "aclImdb_v1.tar.gz"), ("glove", "glove.6B.50d.txt")):  # as fetch puts them
        assert name in [public.name for public in PUBLIC_FILES if public.what == what]
        (data / what).mkdir(parents=True)
    tar_gz(data / "imdb" / "aclImdb_v1.tar.gz", review_files())
    (data / "glove" / "glove.6B.50d.txt").write_bytes(GLOVE)
    assert main(prepare.split()) == 0
    assert str(data / dataset / "manifest.json") in capsys.readouterr().out
    assert main(test_batches) == 2  # The suggestion was right: it is not the data that are missing now.
    assert "`tf1-lstm" not in capsys.readouterr().err
