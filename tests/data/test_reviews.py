"""The review files are read in one order, from whatever wraps them, or refused in one clear line."""

from pathlib import Path
from typing import Dict

import pytest

from tests.data.small_imdb import review_files, tar_gz, write_tree, zipped
from tf1_lstm.data.reviews import PARTS, read_reviews
from tf1_lstm.errors import InputError


@pytest.fixture
def files() -> Dict[str, bytes]:
    return review_files()


def test_reads_the_first_line_of_each_review_sorted_by_name_as_bytes(
    tmp_path: Path, files: Dict[str, bytes]
) -> None:
    corpus = read_reviews(write_tree(tmp_path, files))
    assert corpus.lines["train", "pos"] == ["Good, good THE<br />film!", "the good"]  # "10" before "9"
    assert corpus.lines["test", "neg"] == ["last", "0 the 0"]
    assert corpus.of("train") == corpus.lines["train", "pos"] + corpus.lines["train", "neg"]
    assert {len(corpus.lines[part]) for part in PARTS} == {2}


def test_every_wrapping_and_order_gives_the_same(tmp_path: Path, files: Dict[str, bytes]) -> None:
    backwards = dict(reversed(list(files.items())))
    found = [
        read_reviews(write_tree(tmp_path / "a", files)),
        read_reviews(tmp_path / "a" / "aclImdb"),
        read_reviews(tar_gz(tmp_path / "b.tar.gz", backwards)),
        read_reviews(zipped(tmp_path / "b.zip", backwards)),
        read_reviews(tar_gz(tmp_path / "aclImdb_v1.tar.gz", files).parent),
    ]
    assert all(corpus == found[0] for corpus in found)


def test_a_single_changed_byte_changes_the_hash(tmp_path: Path, files: Dict[str, bytes]) -> None:
    before = read_reviews(write_tree(tmp_path, files)).sha256
    (tmp_path / "aclImdb/train/pos/9_8.txt").write_bytes(b"the good\nbad bad bae")
    assert read_reviews(tmp_path).sha256 != before


def test_passes_over_hidden_files_and_copies_of_a_mac(tmp_path: Path, files: Dict[str, bytes]) -> None:
    plain = read_reviews(zipped(tmp_path / "a.zip", files))
    files["__MACOSX/aclImdb/train/pos/._9_8.txt"] = b"\xff"
    files["aclImdb/train/pos/._9_8.txt"] = b"\xff"
    assert read_reviews(zipped(tmp_path / "b.zip", files)) == plain


@pytest.mark.parametrize("missing", ["train/pos", "test/neg"])
def test_refuses_reviews_with_a_part_missing(tmp_path: Path, files: Dict[str, bytes], missing: str) -> None:
    kept = {name: content for name, content in files.items() if missing not in name}
    with pytest.raises(InputError, match=rf"found no reviews \(\*\.txt\) in {missing}, expected train/pos"):
        read_reviews(write_tree(tmp_path, kept))


def test_refuses_a_folder_without_any_review(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="in train/pos, train/neg, test/pos, test/neg, expected"):
        read_reviews(tmp_path)


def test_refuses_unequal_numbers_of_positive_and_negative_reviews(
    tmp_path: Path, files: Dict[str, bytes]
) -> None:
    del files["aclImdb/train/neg/0_1.txt"]
    with pytest.raises(InputError, match="found 2 reviews in train/pos and 1 in train/neg, expected as many"):
        read_reviews(write_tree(tmp_path, files))


def test_refuses_two_copies_of_the_reviews(tmp_path: Path, files: Dict[str, bytes]) -> None:
    files.update({"copy/" + name: content for name, content in review_files().items()})
    with pytest.raises(
        InputError, match="found reviews below 'aclImdb/' and below 'copy/aclImdb/', expected one"
    ):
        read_reviews(write_tree(tmp_path, files))


def test_refuses_bytes_that_are_not_utf_8_and_names_the_review(
    tmp_path: Path, files: Dict[str, bytes]
) -> None:
    files["aclImdb/test/pos/1_10.txt"] = b"caf\xe9"
    with pytest.raises(
        InputError, match=r"test/pos/1_10\.txt: found bytes that are not UTF-8 at 3, expected"
    ):
        read_reviews(write_tree(tmp_path, files))


def test_refuses_a_truncated_archive(tmp_path: Path, files: Dict[str, bytes]) -> None:
    archive = tar_gz(tmp_path / "a.tar.gz", files)
    archive.write_bytes(archive.read_bytes()[:-40])
    with pytest.raises(InputError, match=r"a\.tar\.gz: truncated"):
        read_reviews(archive)
