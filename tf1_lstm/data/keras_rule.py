"""Keras's published rule for the reviews: words, their ranks, ids, and the order of the reviews.

Source: ``keras.preprocessing.text.Tokenizer`` as it was in 2015 and ``keras.datasets.imdb.load_data``.
"""

import collections
from typing import Counter, Dict, Iterable, List, Sequence

import numpy as np

from tf1_lstm.data.python2_order import python2_order

PADDING, START, UNKNOWN, UNUSED = range(4)
FIRST_WORD = 4  # the id of the most frequent word
SHUFFLE_SEED = 113
FILTERED = b'!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
_SPACES = bytes.maketrans(FILTERED, b" " * len(FILTERED))
RULE = (
    'bytes as in Python 2: ASCII letters lower case; !"#$%&()*+,-./:;<=>?@[\\]^_`{|}~, tab and line break '
    "become spaces; split at spaces (<br /> leaves br); words ranked by how often they come in the training "
    "reviews, ties in the order of Python 2's dictionaries; id = rank + 3; 0 padding, 1 start of a review, "
    "2 a word outside the vocabulary, 3 unused; words that are not in the training reviews are left out"
)
SHUFFLED = "shuffled by numpy.random.RandomState(113), train first, as keras.datasets.imdb.load_data does"
ORDER = f"positive then negative, file names sorted as bytes (as in Keras's imdb.npz); then {SHUFFLED}"


def split_words(text: str) -> List[bytes]:
    """The words of a text, UTF-8. Apostrophes stay, and so do letters other than ASCII, as they are."""
    return [word for word in text.encode("utf-8").lower().translate(_SPACES).split(b" ") if word]


def rank_words(reviews: Iterable[Sequence[bytes]]) -> List[bytes]:
    """All words of some reviews, the most frequent first."""
    counts: Counter[bytes] = collections.Counter()
    for words in reviews:
        counts.update(words)
    return sorted(python2_order(counts), key=lambda word: -counts[word])


def word_ids(words: Sequence[bytes]) -> Dict[bytes, int]:
    """The id of each word of a list in order of rank."""
    return {word: rank + FIRST_WORD for rank, word in enumerate(words)}


def shuffled(train: int, test: int) -> List[np.ndarray]:
    """The rows of ``train`` and of ``test`` reviews in the order that ``load_data`` puts them."""
    random = np.random.RandomState(SHUFFLE_SEED)
    orders = [np.arange(train), np.arange(test)]
    for order in orders:
        random.shuffle(order)
    return orders
