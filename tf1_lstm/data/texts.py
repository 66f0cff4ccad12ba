"""Makes a user's text ready for the graph, or says why it cannot be answered."""

import re
import unicodedata
from typing import Any, Dict, List, Optional, Tuple, Union

import numpy as np

from tf1_lstm.data.base import Example
from tf1_lstm.data.ids import WordIndex, clean

_LINE_END = re.compile("\r\n|\r|\n")
_SHOWN_WORDS = 5
_LOOKED_AT = 100_000  # characters that are enough to tell which script a text is in
_CONTROLS = re.compile("[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f\ufffd]")


def encode_text(item: Union[str, bytes], name: str, index: WordIndex, steps: int) -> Example:
    """One text of any length to one row of ids, cleaned as the reviews were.

    The text counts as a whole: a line break is a space, where a review file ends at its first one.

    Args:
      item: the text, or a file's bytes.
      name: how the user knows it.
      index: the vocabulary.
      steps: how many words the graph reads; further ones are cut.

    Returns:
      inputs int32 ``[steps]``; notes ``words`` (after cleaning), ``read`` (not cut), ``cut``,
      ``unknown`` (the first few of the read words without a vector) and ``unknown_count``. Where
      nothing could be answered, ``refused`` says why and ``inputs`` is None.
    """
    text, reason = readable(item)
    if reason:
        return refusal(name, reason)
    words = clean(text).split()
    if not words:
        return refusal(name, _why_nothing_is_left(text))
    if _mostly_foreign(text, words):
        return refusal(name, f"mostly {_foreign(text)}")
    return _looked_up(name, words, index, steps)


def readable(item: Union[str, bytes]) -> Tuple[str, str]:
    """A text, or a file's bytes, as one line; or an empty one and why it cannot be read."""
    text = _as_text(item)
    if text is None or _is_binary(text):
        return "", "not a text (binary data, or bytes that are not UTF-8)"
    if not text.strip():
        return "", "the text is empty"
    return _LINE_END.sub(" ", text), ""


def refusal(name: str, reason: str, notes: Optional[Dict[str, Any]] = None) -> Example:
    """The example of a text that cannot be answered."""
    return Example(name, None, notes or {}, reason)


def notes_on(words: List[bytes], read: List[bytes], unknown: List[bytes]) -> Dict[str, Any]:
    """The notes of ``encode_text`` on a text's ``words``, those ``read``, and the ``unknown`` of these."""
    shown = list(dict.fromkeys(word.decode("utf-8", "replace") for word in unknown))
    return {
        "words": len(words),
        "read": len(read),
        "cut": len(words) > len(read),
        "unknown": shown[:_SHOWN_WORDS],
        "unknown_count": len(unknown),
    }


def why_all_unknown(notes: Dict[str, Any], read: List[bytes], end: str) -> str:
    """Why a text of unknown words has no answer; ``end`` is ``"first"`` or ``"last"``, the words read."""
    shown = " ".join(notes["unknown"]) or read[0].decode("utf-8", "replace")
    which = f"the {end} {len(read)} words" if notes["cut"] else "its words"
    return f"none of {which} is known to the vocabulary ({shown[:80]})"


def _looked_up(name: str, words: List[bytes], index: WordIndex, steps: int) -> Example:
    read = words[:steps]
    row = np.zeros(steps, np.int32)
    row[: len(read)] = index.ids(read)
    notes = notes_on(words, read, [word for word in read if not index.knows(word)])
    if not ((row != 0) & (row != index.unknown)).any():
        return refusal(name, why_all_unknown(notes, read, "first"), notes)
    return Example(name, row, notes)


def _as_text(item: Union[str, bytes]) -> Optional[str]:
    if isinstance(item, str):
        return item
    try:
        return item.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None


def _is_binary(text: str) -> bool:
    """NUL, lone surrogates (undecodable bytes), or more than a few control characters."""
    if "\0" in text:
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    start = text[:_LOOKED_AT]
    return len(_CONTROLS.findall(start)) * 20 > len(start)


def _why_nothing_is_left(text: str) -> str:
    if any(character.isalpha() for character in text[:_LOOKED_AT]):
        return _foreign(text)
    return "nothing is left after cleaning: only words of a-z and 0-9 can be read"


def _foreign(text: str) -> str:
    letter = next(c for c in text[:_LOOKED_AT] if c.isalpha() and ord(c) > 127)
    script = unicodedata.name(letter, "unknown letters").split(" ")[0].split("-")[0]
    return f"written in another script ({script}): only words of a-z and 0-9 can be read"


def _mostly_foreign(text: str, words: List[bytes]) -> bool:
    """Whether cleaning removed more letters than it kept."""
    start = text[:_LOOKED_AT]
    if len(start.encode("ascii", "ignore")) == len(start):
        return False
    foreign = sum(1 for character in start if ord(character) > 127 and character.isalpha())
    return foreign > sum(map(len, words))
