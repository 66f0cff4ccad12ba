"""Keras's rule, held against Keras's own code, and on the real reviews against its published index."""

from pathlib import Path

import numpy as np
import pytest

from tests.data.published_ranks import RANKS
from tf1_lstm.data.keras_imdb import KerasImdbDataset
from tf1_lstm.data.keras_rule import rank_words, split_words, word_ids

TEXTS = [
    "This film was GREAT!<br /><br />It's 10/10; don't miss it...",
    "  well-made,\tsaid (the) [critics]\nof {that} time~ ",
    "'quoted' words -- and_underscores @ home: $5 = 5%",
    "",
]


@pytest.mark.parametrize("text", TEXTS)
def test_words_are_those_of_keras_tokenizer(text: str) -> None:
    from tensorflow.python.keras.preprocessing.text import text_to_word_sequence

    assert [word.decode("utf-8") for word in split_words(text)] == text_to_word_sequence(text)


def test_letters_other_than_ascii_stay_as_they_are() -> None:
    assert split_words("CAF\u00c9 caf\u00e9\u0085\u00a0Z") == [
        "caf\u00c9".encode(),
        "caf\u00e9\u0085\u00a0z".encode(),
    ]


def test_ranks_count_words_and_ties_stand_as_python_2_had_them() -> None:
    reviews = [[b"a", b"x"], [b"b", b"x"], [b"c", b"x", b"y", b"y"]]
    words = rank_words(reviews)
    assert words == [b"x", b"y", b"a", b"c", b"b"]
    assert word_ids(words) == {b"x": 4, b"y": 5, b"a": 6, b"c": 7, b"b": 8}


# ---- the real reviews ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real(prepared_keras: Path) -> KerasImdbDataset:
    return KerasImdbDataset(prepared_keras)


def test_real_index_is_the_one_that_keras_publishes(real: KerasImdbDataset) -> None:
    assert real.files.words is not None
    ranks = {word.decode("utf-8"): rank for rank, word in enumerate(real.files.words.tolist(), 1)}
    assert len(ranks) == 88_584
    assert list(ranks)[:10] == ["the", "and", "a", "of", "to", "is", "br", "in", "it", "i"]
    assert {word: ranks.get(word) for word in RANKS} == RANKS


def test_real_first_train_review_is_the_one_that_keras_gives(real: KerasImdbDataset) -> None:
    published = (
        "1 14 22 16 43 530 973 1622 1385 65 458 4468 66 3941 4 173 36 256 5 25 100 43 838 112 50 670 2 9 35 "
        "480 284 5 150 4 172 112 167 2 336 385 39 4 172 4536 1111 17 546 38 13 447 4 192 50 16 6 147 2025 19"
    )
    review = real.files.train.review(0)
    assert len(review) == 218
    ids = np.where(review < 10_000, review, 2)
    assert ids[:58].tolist() == [int(number) for number in published.split()]
    assert ids[-5:].tolist() == [16, 5345, 19, 178, 32]
    assert len(real.files.train.review(1)) == 189


def test_real_reviews_come_in_keras_order(real: KerasImdbDataset) -> None:
    train = [
        "this film was just brilliant casting location",
        "big hair big boobs bad music and",
        "this has to be one of the worst films",
        "the scots excel at storytelling",
    ]
    test = [
        "please give this one a miss br br",
        "this film requires a lot of patience",
        "many animation buffs consider",
    ]
    for reviews, starts in ((real.files.train, train), (real.files.test, test)):
        for row, start in enumerate(starts):
            assert real.render(reviews.review(row)).startswith(start)
    assert real.files.train.labels[:10].tolist() == [1, 0, 0, 1, 0, 0, 1, 0, 1, 0]
    assert real.files.test.labels[:3].tolist() == [0, 1, 1]


def test_real_lengths_are_those_of_keras_reviews(real: KerasImdbDataset) -> None:
    lengths = real.files.train.lengths
    assert (lengths.mean(), lengths.max(), lengths.min()) == (238.71364, 2494, 11)
    assert (real.files.test.lengths.mean(), real.files.test.lengths.max()) == (230.8042, 2315)
