"""One flipped bit beside a manifest is refused; data without one are taken as they are."""

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from tf1_lstm.data import checked
from tf1_lstm.data.manifest import check_manifest
from tf1_lstm.data.registry import open_dataset
from tf1_lstm.errors import InputError
from tf1_lstm.files import sha256_of_file

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


@pytest.fixture
def big(tmp_path, monkeypatch):
    """A large file that was left alone for a while, and how often anything is hashed."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(checked, "LEAST", 10)
    monkeypatch.setattr(checked, "QUIET", 0.05)
    path, counted = tmp_path / "big.npy", []
    path.write_bytes(b"content of the file")
    hashing = sha256_of_file

    def count(name):
        counted.append(name)
        return hashing(name)

    monkeypatch.setattr(checked, "sha256_of_file", count)
    time.sleep(0.1)
    return path, counted


def test_a_large_file_is_hashed_once_for_its_content_and_time_stamps(big):
    path, counted = big
    assert len({checked.remembered_sha256(path) for _ in range(3)}) == 1
    assert len(counted) == 1
    assert checked.cache_file().stat().st_mode & 0o777 == 0o600


def test_a_bit_that_is_flipped_is_noticed_though_size_and_time_are_put_back(big):
    path, _ = big
    before, status = checked.remembered_sha256(path), path.stat()
    with open(str(path), "r+b") as stream:
        stream.write(b"C")
    os.utime(str(path), ns=(status.st_atime_ns, status.st_mtime_ns))
    assert path.stat().st_mtime_ns == status.st_mtime_ns and path.stat().st_size == status.st_size
    assert checked.remembered_sha256(path) != before


def test_a_file_that_has_just_changed_is_not_remembered(big, monkeypatch):
    path, counted = big
    monkeypatch.setattr(checked, "QUIET", 60.0)
    checked.remembered_sha256(path)
    checked.remembered_sha256(path)
    assert len(counted) == 2 and not checked.cache_file().exists()


def test_after_2038_a_file_whose_time_stamps_ended_then_is_not_remembered(big, monkeypatch):
    path, counted = big
    os.utime(
        str(path), (checked.LAST_SECOND, checked.LAST_SECOND)
    )  # as such a file system keeps a later time
    monkeypatch.setattr(time, "time", lambda: checked.LAST_SECOND + 1e6)
    for _ in range(2):
        checked.remembered_sha256(path)
    assert len(counted) == 2
    os.utime(str(path), (checked.LAST_SECOND + 9, checked.LAST_SECOND + 9))  # one whose time stamps go on
    for _ in range(2):
        checked.remembered_sha256(path)
    assert len(counted) == 3


@pytest.mark.parametrize("content", ["", "[]", '{"PATH": 3}', '{"PATH": {"stamp": [1], "sha256": "0"}}', "{"])
def test_a_spoilt_cache_is_not_believed(big, content):
    path, counted = big
    right = checked.remembered_sha256(path)
    checked.cache_file().write_text(content.replace("PATH", str(path.resolve())))
    assert checked.remembered_sha256(path) == right and len(counted) == 2


def test_a_cache_that_others_may_write_is_not_believed(big):
    path, counted = big
    right = checked.remembered_sha256(path)
    text = checked.cache_file().read_text().replace(right, "0" * 64)
    checked.cache_file().write_text(text)
    checked.cache_file().chmod(0o666)
    assert checked.remembered_sha256(path) == right and len(counted) == 2


def test_without_a_place_for_the_cache_files_are_hashed_each_time(big, monkeypatch):
    path, counted = big
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null/nowhere")
    assert checked.remembered_sha256(path) == checked.remembered_sha256(path) and len(counted) == 2
