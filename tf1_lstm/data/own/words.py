"""How texts become words, and words ids."""

import hashlib
from array import array
from typing import Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from tf1_lstm.data.ids import clean
from tf1_lstm.data.own.examples import FIRST_WORD, UNKNOWN
from tf1_lstm.errors import InputError

_AT_ONCE = 1 << 18  # ids
_KERAS_FILTERED = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
_KERAS_SPACES = str.maketrans(_KERAS_FILTERED, " " * len(_KERAS_FILTERED))
TOKENIZERS = ("keras", "tutorial", "spaces", "characters")

Split = Callable[[str], List[str]]


class WordRule(NamedTuple):
    """What a word is, and which words get an id of their own.

    Attributes:
      tokenizer: ``"keras"``: ``keras.preprocessing.text.text_to_word_sequence`` as Python 3 runs it;
        ``"tutorial"``: the IMDB tutorial's ``cleanSentences``; ``"spaces"``: split at white space alone;
        ``"characters"``: each character.
      lower: lower case first; the tutorial's rule always does.
      vocabulary: ids there are, padding and "unknown" included (Keras's ``num_words`` with an
        ``oov_token``); 0 for every word.
      min_count: the least occurrences in the training part.
    """

    tokenizer: str = "keras"
    lower: bool = True
    vocabulary: int = 10_000
    min_count: int = 1

    def split(self) -> Split:
        """The function from a text to its words.

        Raises:
          InputError: an unknown tokenizer, or numbers that cannot be.
        """
        if self.tokenizer not in TOKENIZERS:
            raise InputError(f"tokenizer: found {self.tokenizer!r}, expected one of {', '.join(TOKENIZERS)}")
        if self.tokenizer == "tutorial" and not self.lower:
            raise InputError("lower: found False, expected True: the tutorial's cleaning is of lower case")
        if self.vocabulary < 0 or 0 < self.vocabulary <= FIRST_WORD:
            raise InputError(
                f"vocabulary: found {self.vocabulary}, expected 0 (all) or {FIRST_WORD + 1} and more"
            )
        if self.min_count < 1:
            raise InputError(f"min_count: found {self.min_count}, expected 1 or more")
        rules: Dict[str, Split] = {
            "keras": _keras,
            "tutorial": _tutorial,
            "spaces": str.split,
            "characters": list,
        }
        rule = rules[self.tokenizer]
        return (lambda text: rule(text.lower())) if self.lower else rule


DEFAULT_RULE = WordRule()


def _keras(text: str) -> List[str]:
    return [word for word in text.translate(_KERAS_SPACES).split(" ") if word]


def _tutorial(text: str) -> List[str]:
    return clean(text).decode("ascii").split()


class _Numbers(Dict[str, int]):
    """Gives a new word the next number."""

    def __missing__(self, word: str) -> int:
        number = self[word] = len(self)
        return number


class Numbered:
    """Words numbered as they come; the numbers stand for the words until the vocabulary is known."""

    def __init__(self) -> None:
        self._numbers = _Numbers()

    def numbers(self, words: Iterable[str]) -> "array[int]":
        """int32 numbers of some words, new ones where a word is new."""
        return array("i", map(self._numbers.__getitem__, words))

    def words(self) -> List[str]:
        """Every word by its number."""
        return list(self._numbers)


def chosen_words(
    ids: np.ndarray,
    used: np.ndarray,
    offsets: np.ndarray,
    words: Sequence[str],
    rule: WordRule,
    reserved: int = FIRST_WORD,
    ties: Optional[np.ndarray] = None,
) -> List[str]:
    """The words of the training part by falling count, equal counts in the order of their first use.

    That is the order of ``keras.preprocessing.text.Tokenizer``.

    Args:
      ids: int32, all texts' words by their number, end to end.
      used: bool ``[texts]``, which are of the training part.
      offsets: int64 ``[texts + 1]``.
      words: every word by its number.
      rule: how many are chosen.
      reserved: ids of ``rule.vocabulary`` that no word has.
      ties: ``[words]``, orders equal counts in another way.
    """
    counts = np.zeros(len(words), np.int64)
    first = np.full(len(words), np.iinfo(np.int64).max, np.int64)
    # From the end to the beginning, so that the first use of a word is written last.
    for start, numbers in reversed(list(_runs(ids, used, offsets))):
        counts += np.bincount(numbers, minlength=len(words))
        first[numbers[::-1]] = start + np.arange(len(numbers))[::-1]
    order = np.lexsort((first if ties is None else ties, -counts))
    order = order[counts[order] >= rule.min_count]
    if rule.vocabulary:
        order = order[: rule.vocabulary - reserved]
    return [words[number] for number in order.tolist()]


def _runs(ids: np.ndarray, used: np.ndarray, offsets: np.ndarray) -> Iterator[Tuple[int, np.ndarray]]:
    """Pieces of ``ids`` that hold texts which are ``used``, with their place; never all at once."""
    first = 0
    while first < len(used):
        last = max(int(np.searchsorted(offsets, offsets[first] + _AT_ONCE, side="right")) - 1, first + 1)
        inside = np.repeat(used[first:last], np.diff(offsets[first : last + 1]))
        yield int(offsets[first]), ids[offsets[first] : offsets[last]][inside]
        first = last


def replace_numbers(ids: np.ndarray, words: Sequence[str], vocabulary: Dict[str, int]) -> None:
    """Put the vocabulary's ids, or "unknown", in the place of the words' numbers."""
    final = np.array([vocabulary.get(word, UNKNOWN) for word in words], np.int32)
    for start in range(0, len(ids), _AT_ONCE):
        ids[start : start + _AT_ONCE] = final[ids[start : start + _AT_ONCE]]


def sha256_of_words(words: Sequence[str]) -> str:
    """SHA-256 of words in order, a line each (a line break inside one is written as JSON writes it)."""
    whole = hashlib.sha256()
    for word in words:
        whole.update(word.replace("\\", "\\\\").replace("\n", "\\n").encode("utf-8", "surrogatepass") + b"\n")
    return whole.hexdigest()
