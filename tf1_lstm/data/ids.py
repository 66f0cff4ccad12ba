"""Turns texts into word ids by the tutorial's rule."""

from typing import Callable, Dict, Iterable, List, Sequence

import numpy as np

STEPS = 250
RULE = (
    "first line of each file; lower case; <br /> becomes a space; everything but a-z, 0-9 and space "
    "removed; split on white space; the word's first row in wordsList, or the last row if unknown; "
    "cut at the number of steps; 0 after the end; rows: positive then negative, file names sorted as bytes"
)
_KEPT = b"abcdefghijklmnopqrstuvwxyz0123456789 "
_REMOVED = bytes(set(range(256)) - set(_KEPT))


def clean(text: str) -> bytes:
    """The text as the tutorial's ``cleanSentences`` leaves it, in ASCII.

    Lower case first, so that a capital whose small form is ASCII (the Kelvin sign) stays. Tabs and
    line breaks are removed like punctuation, which joins the words around them.
    Source: LSTM in TensorFlow (Easter79), section 1.
    """
    lowered = text.lower().replace("<br />", " ")
    return lowered.encode("ascii", "ignore").translate(None, _REMOVED)


class WordIndex:
    """Looks words up as ``wordsList.index`` does, but in a dictionary.

    Attributes:
      unknown: the id of every word that is not in the list: the last row.
    """

    def __init__(self, words: Sequence[bytes]) -> None:
        """Index ``words``; of equal words the first counts."""
        self.unknown = len(words) - 1
        self._rows: Dict[bytes, int] = dict(zip(reversed(words), range(self.unknown, -1, -1)))

    def ids(self, words: Iterable[bytes]) -> List[int]:
        """The id of each word."""
        find, unknown = self._rows.get, self.unknown
        return [find(word, unknown) for word in words]

    def knows(self, word: bytes) -> bool:
        """Whether the word has a row of its own."""
        return word in self._rows


def id_matrix(
    texts: Sequence[str], index: WordIndex, steps: int = STEPS, step: Callable[[int], object] = int
) -> np.ndarray:
    """Ids of many texts.

    Args:
      texts: one line each.
      index: the vocabulary.
      steps: width of the matrix; longer texts are cut, shorter ones padded with 0.
      step: called with the number of texts done since the last call.

    Returns:
      int32 ``[texts, steps]``.
    """
    matrix = np.zeros((len(texts), steps), np.int32)
    for row, text in enumerate(texts):
        ids = index.ids(clean(text).split(None, steps)[:steps])
        matrix[row, : len(ids)] = ids
        if row % 500 == 499:
            step(500)
    step(len(texts) % 500)
    return matrix
