"""GloVe's text becomes words and vectors, rearranged as the tutorial's files are, or one clear line."""

import gzip
import hashlib
import lzma
from pathlib import Path
from typing import Callable, Dict, List

import numpy as np
import pytest

from tests.data.small_imdb import GLOVE, zipped
from tf1_lstm.data.glove import WordTable, read_glove, tutorial_table
from tf1_lstm.errors import InputError

PACKERS: Dict[str, Callable[[bytes], bytes]] = {"": bytes, ".xz": lzma.compress, ".gz": gzip.compress}


def test_reads_words_and_numbers_line_by_line(tmp_path: Path) -> None:
    (tmp_path / "g.txt").write_bytes(GLOVE)
    table = read_glove(tmp_path / "g.txt")
    lines = [line.split(" ") for line in GLOVE.decode().splitlines()]
    assert table.words == [line[0].encode() for line in lines]
    np.testing.assert_array_equal(
        table.vectors, np.array([[float(v) for v in w[1:]] for w in lines], "float32")
    )
    assert table.vectors.dtype == np.float32
    assert table.sha256 == hashlib.sha256(GLOVE).hexdigest()


def test_every_number_is_the_float32_nearest_to_its_decimals(tmp_path: Path) -> None:
    values = np.random.RandomState(3).standard_normal((9000, 4)) * 10.0 ** np.arange(-3, 1)
    text = "".join(f"w{i} " + " ".join(f"{v:.5g}" for v in row) + "\n" for i, row in enumerate(values))
    (tmp_path / "g.txt").write_text(text)
    expected = [[np.float32(v) for v in line.split(" ")[1:]] for line in text.splitlines()]
    np.testing.assert_array_equal(read_glove(tmp_path / "g.txt").vectors, np.array(expected))


@pytest.mark.parametrize(
    "name", ["glove.6B.50d.txt", "glove.6B.50d.txt.xz", "glove.6B.50d.txt.gz", "glove.6B.zip"]
)
@pytest.mark.parametrize("below", ["", "glove"])
def test_finds_the_file_in_a_folder_however_it_is_packed(tmp_path: Path, name: str, below: str) -> None:
    folder = tmp_path / below
    folder.mkdir(exist_ok=True)
    if name.endswith("zip"):
        zipped(folder / name, {"glove.6B.100d.txt": b"other 1\n", "glove.6B.50d.txt": GLOVE})
    else:
        (folder / name).write_bytes(PACKERS[Path(name).suffix.replace(".txt", "")](GLOVE))
    assert read_glove(tmp_path).sha256 == hashlib.sha256(GLOVE).hexdigest()


def test_lays_the_words_out_as_the_published_files_do(tmp_path: Path) -> None:
    (tmp_path / "g.txt").write_bytes(GLOVE)
    glove = read_glove(tmp_path / "g.txt")
    table = tutorial_table(glove, tmp_path)
    assert table.words == [b"0", b",", b"the", b"good", b"0", b"unk"]
    np.testing.assert_array_equal(table.vectors[0], [0, 0, 0])
    np.testing.assert_array_equal(table.vectors[[2, 5]], glove.vectors[[0, 2]])
    np.testing.assert_array_equal(table.vectors[[1, 3, 4]], glove.vectors[[1, 3, 4]])
    assert glove.words[0] == b"the"


@pytest.mark.parametrize(
    "words", [[b"the", b"of", b"in"], [b"unk", b"the", b"of"], [b"the", b"unk"], [b"unk"]]
)
def test_refuses_a_word_list_without_unk_in_its_middle(words: List[bytes]) -> None:
    with pytest.raises(InputError, match=r"g\.txt: no word 'unk' .* expected GloVe 6B"):
        tutorial_table(WordTable(words, np.zeros((len(words), 2), np.float32), ""), Path("g.txt"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty; expected a word and its numbers"),
        (b"word\n", r"line 1: found b'word', expected a word and its numbers"),
        (b" 1 2\n", r"line 1: found b' 1 2'"),
        (b"a 1 2\n\nb 1 2\n", r"line 2: found b'', expected a word"),
        (b"a 1 2\nb 1\n", "line 2: found 1 numbers, expected 2 as in line 1"),
        (b"a 1 2\nb 1 2 3\n", "line 2: found 3 numbers, expected 2"),
        (b"a 1 2\nb 1  2\n", "line 2: found 3 numbers"),
        (b"a 1 2\nb 1 two\n", "line 2: found b'two', expected a finite number"),
        (b"a 1 2\nb 1 2x\nc 1 2\n", "line 2: found b'2x'"),
        (b"a 1 2\nb 1 nan\n", "line 2: found b'nan', expected a finite number"),
        (b"a 1 -inf\n", "line 1: found b'-inf'"),
        (b"a 1 1e39\n", "line 1: found b'1e39'"),
        (b"a 1 2\nb 1\t2 \n", "line 2: found b'1.t2', expected a finite number"),
        (b"a 1 2\nb 1 2\na 3 4\n", "line 3: found 'a' a second time"),
        (b"a 1 2\n\xff\xfe 1 2\n", "line 2: found bytes that are not UTF-8"),
        (b"a 1 2\nb\0 1 2\n", "line 2: found a NUL byte"),
        (b"a" * 70_000 + b" 1 2\n", "a line of 65,536 bytes or more"),
    ],
)
def test_refuses_a_malformed_text_and_names_the_line(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "g.txt").write_bytes(content)
    with pytest.raises(InputError, match=message) as error:
        read_glove(tmp_path / "g.txt")
    assert str(error.value).startswith(str(tmp_path / "g.txt"))


def test_names_the_right_line_far_into_the_file(tmp_path: Path) -> None:
    lines = [b"w%d 1 2" % number for number in range(10_000)]
    lines[8_999] = b"w8999 1"
    (tmp_path / "g.txt").write_bytes(b"\n".join(lines))
    with pytest.raises(InputError, match="line 9,000: found 1 numbers"):
        read_glove(tmp_path / "g.txt")


@pytest.mark.parametrize("ending", ["xz", "gz"])
def test_refuses_a_truncated_archive(tmp_path: Path, ending: str) -> None:
    (tmp_path / f"g.txt.{ending}").write_bytes(PACKERS["." + ending](GLOVE * 50)[:-12])
    with pytest.raises(InputError, match=rf"g\.txt\.{ending}: truncated"):
        read_glove(tmp_path / f"g.txt.{ending}")


def test_refuses_a_folder_without_glove(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"found no GloVe file in the folder, expected one of glove\.6B\.50d\.txt"
    ):
        read_glove(tmp_path)
