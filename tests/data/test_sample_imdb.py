"""The embedded IMDB sample: made anew to the byte, varied, and not to be solved by counting words."""

from pathlib import Path
from typing import List, Tuple

import numpy as np
import pytest

from tests.conftest import PROJECT
from tf1_lstm.data.ids import clean
from tf1_lstm.data.imdb import ImdbIds
from tf1_lstm.data.registry import open_dataset
from tools import make_sample, sample_imdb

SAMPLE = PROJECT / "data" / "sample" / "imdb"


@pytest.fixture(scope="module")
def texts() -> List[Tuple[str, str, str]]:
    lines = (SAMPLE / "reviews.tsv").read_text(encoding="utf-8").splitlines()
    return [(split, side, text) for split, side, text in (line.split("\t") for line in lines)]


def test_the_script_makes_the_committed_bytes(tmp_path: Path) -> None:
    made = make_sample.make_all(tmp_path)
    assert tmp_path / "imdb" in made
    names = sorted(path.name for path in SAMPLE.iterdir())
    assert sorted(path.name for path in (tmp_path / "imdb").iterdir()) == names
    for name in names:
        assert (tmp_path / "imdb" / name).read_bytes() == (SAMPLE / name).read_bytes(), name


def test_the_sample_is_small() -> None:
    assert sum(path.stat().st_size for path in SAMPLE.iterdir()) < 600_000


def test_it_opens_as_the_sample_with_every_split() -> None:
    data = open_dataset("imdb-ids", sample=True)
    assert isinstance(data, ImdbIds)
    assert data.is_sample
    assert data.ids.shape == (600, sample_imdb.STEPS)
    assert data.split_names() == ("tutorial-test", "train", "official-test")
    assert len(data.split("official-test").labels) == 400
    assert (data.words[0], data.words[-1]) == (b"0", b"unk")
    assert not data.vectors[0].any()


def test_the_ids_are_those_of_the_texts(texts: List[Tuple[str, str, str]]) -> None:
    data = ImdbIds(SAMPLE)
    words = data.words.tolist()
    test = [text for split, _, text in texts if split == "test"]
    assert data.test_ids is not None
    for row in (0, 123, 200, 399):
        found = clean(test[row]).split()[: data.steps]
        expected = [words.index(word) if word in words else len(words) - 1 for word in found]
        assert data.test_ids[row, : len(found)].tolist() == expected
        assert not data.test_ids[row, len(found) :].any()


def test_reviews_vary_in_length_and_none_comes_twice(texts: List[Tuple[str, str, str]]) -> None:
    lengths = np.array([len(text.split()) for _, _, text in texts])
    assert lengths.min() < 15
    assert lengths.max() > 90
    assert 0.1 < (lengths > sample_imdb.STEPS).mean() < 0.5
    data = ImdbIds(SAMPLE)
    assert data.test_ids is not None
    rows = np.concatenate([data.ids, data.test_ids])
    assert len(np.unique(rows, axis=0)) > 0.98 * len(rows)


def test_counting_good_and_bad_words_is_not_enough(texts: List[Tuple[str, str, str]]) -> None:
    """Negations, concessions and plots mislead whoever looks at single words."""
    good, bad = ({word.encode() for word in group} for group in (sample_imdb.GOOD, sample_imdb.BAD))
    right = 0
    for _, side, text in texts:
        words = clean(text).split()
        balance = sum(word in good for word in words) - sum(word in bad for word in words)
        right += (balance > 0) if side == "pos" else (balance < 0)
    assert right / len(texts) < 0.75


def test_words_of_a_kind_lie_closer_than_others() -> None:
    table = sample_imdb.word_table()
    rows = {word: row for row, word in enumerate(table.words)}

    def centre(words: List[str]) -> np.ndarray:
        mean = table.vectors[[rows[word.encode()] for word in words]].mean(axis=0)
        return mean / np.linalg.norm(mean)

    halves = [(centre(group[::2]), centre(group[1::2])) for group in (sample_imdb.GOOD, sample_imdb.BAD)]
    for index, (first, second) in enumerate(halves):
        assert first @ second > first @ halves[1 - index][1]
