"""A user's text as a row of ids by Keras's rule, and a row of ids as text."""

from typing import Dict, List, Optional, Union

import numpy as np

from tf1_lstm.data.base import Example
from tf1_lstm.data.keras_reviews import Reading
from tf1_lstm.data.keras_rule import FIRST_WORD, PADDING, START, split_words
from tf1_lstm.data.texts import notes_on, readable, refusal, why_all_unknown


def encode_text(item: Union[str, bytes], name: str, ids: Dict[bytes, int], reading: Reading) -> Example:
    """One text of any length to one row of ids, treated as Keras's test reviews were.

    Words that no training review has are left out; those outside the vocabulary become "unknown". The
    start marker counts as a word when the row is cut, so a text of ``steps`` words loses only that.

    Args:
      item: the text, or a file's bytes.
      name: how the user knows it.
      ids: the id of each word of the training reviews.
      reading: how the row is cut and padded.

    Returns:
      inputs int32 ``[steps]`` and the notes of ``texts.encode_text``; ``read`` and ``unknown`` are about
      the end of the text that is read: the last words where ``padding`` is ``"front"``.
    """
    text, reason = readable(item)
    if reason:
        return refusal(name, reason)
    words = split_words(text)
    if not words:
        return refusal(name, "nothing is left after cleaning: only punctuation")
    places = [place for place, word in enumerate(words) if word in ids]
    row = reading.rows(
        [np.array([START, *(ids[words[place]] for place in places)], np.int32)], reading.steps
    )[0]
    read = _read(words, places, reading)
    notes = notes_on(
        words, read, [word for word in read if ids.get(word, reading.vocabulary) >= reading.vocabulary]
    )
    if not (row >= FIRST_WORD).any():
        end = "last" if reading.padding == "front" else "first"
        return refusal(name, why_all_unknown(notes, read, end), notes)
    return Example(name, row, notes)


def rendered(inputs: np.ndarray, words: Optional[np.ndarray]) -> str:
    """The words of a row of ids, ``?`` for an unknown one; the ids themselves where ``words`` is None."""
    ids = [int(id_) for id_ in inputs if id_ not in (PADDING, START)]
    if words is None:
        return " ".join(map(str, ids))
    known = [words[id_ - FIRST_WORD] if id_ >= FIRST_WORD else b"?" for id_ in ids]
    return b" ".join(known).decode("utf-8", "replace")


def _read(words: List[bytes], places: List[int], reading: Reading) -> List[bytes]:
    """The words of the end that is read; ``places`` are those that have an id."""
    if len(places) + 1 <= reading.steps:
        return words
    if reading.padding == "front":
        return words[places[-reading.steps] :]
    return words[: places[reading.steps - 1]]
