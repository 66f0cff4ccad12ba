"""The ids that a port makes of texts, against those of the original's data set."""

from pathlib import Path
from typing import Any, Callable, List, NamedTuple, Optional, Tuple

import numpy as np

from tf1_lstm.errors import InputError
from tf1_lstm.parity.levels import FAIL, PASS, UNKNOWN, Level

MOST_TEXTS, MOST_BYTES = 10_000, 64 << 20


class Tokens(NamedTuple):
    """Texts as the original reads them.

    Attributes:
      texts: as they were given.
      ids: ``[texts, steps]`` int32.
      backwards: the same of the texts' words in the opposite order.
      word_of: id -> the word.
      unknown: the id of unknown words.
    """

    texts: List[str]
    ids: np.ndarray
    backwards: np.ndarray
    word_of: Callable[[int], str]
    unknown: int


def read_texts(path: Path) -> List[str]:
    """Return the lines of a file, or the content of each ``.txt`` file of a folder.

    Raises:
      InputError: missing, empty, too large or not UTF-8.
    """
    try:
        files = sorted(path.glob("*.txt"))[:MOST_TEXTS] if path.is_dir() else [path]
        if sum(file.stat().st_size for file in files) > MOST_BYTES:
            raise InputError(f"--texts: {path} has more than {MOST_BYTES:,} bytes")
        found = [file.read_bytes().decode("utf-8") for file in files]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"--texts: {path} cannot be read as UTF-8 text ({error})") from error
    texts = found if path.is_dir() else found[0].splitlines()
    texts = [text for text in texts if text.strip()][:MOST_TEXTS]
    if not texts:
        raise InputError(f"--texts: {path} has no text; expected one text a line, or a folder of .txt files")
    return texts


def tokens_of(dataset: Any, texts: List[str], unknown: int) -> Tokens:
    """Return texts as a data set reads them.

    Raises:
      InputError: a text that the data set refuses.
    """

    def ids_of(given: List[str]) -> np.ndarray:
        examples = dataset.encode(given, [f"text {n + 1}" for n in range(len(given))])
        for example in examples:
            if example.inputs is None:
                raise InputError(f"--texts: {example.name}: {example.refused}")
        return np.stack([example.inputs for example in examples])

    reverse = [" ".join(reversed(text.split())) for text in texts]
    return Tokens(
        texts, ids_of(texts), ids_of(reverse), lambda n: str(dataset.render(np.array([n]))), unknown
    )


def compare_tokens(tokens: Tokens, seen: Optional[np.ndarray], reason: str) -> Level:
    """Return the verdict on a port's ids ``[texts, steps]``; None where it gave none, for a reason."""
    if seen is None:
        return Level("texts", UNKNOWN, 0.0, reason=reason)
    if seen.shape != tokens.ids.shape or seen.dtype.kind not in "iu":
        says = f"tokenize gave {seen.dtype} {seen.shape}, expected whole numbers {tokens.ids.shape}"
        return Level("texts", FAIL, 0.0, reason=says)
    wrong = seen != tokens.ids
    if not wrong.any():
        return Level("texts", PASS, 0.0, reason=f"{wrong.size:,} ids of {len(seen):,} texts agree")
    text, step = (int(n) for n in np.argwhere(wrong)[0])
    right, found = int(tokens.ids[text, step]), int(seen[text, step])
    first = f"id {right} ({_word(tokens, right)}) is expected, {found} is given"
    name, says = _named(tokens, seen, wrong)
    share = f"{int(wrong.sum()):,} of {wrong.size:,} ids differ"
    reason = "; ".join([f"{name}: {says}" if name else "no known mistake explains it", first, share])
    return Level("texts", FAIL, 0.0, place=f"text {text + 1}, word {step + 1}", reason=reason)


def _word(tokens: Tokens, number: int) -> str:
    if number in (0, tokens.unknown):
        return "padding" if not number else "an unknown word"
    return repr(tokens.word_of(number))


def _named(tokens: Tokens, seen: np.ndarray, wrong: np.ndarray) -> Tuple[str, str]:
    """Return a name for what is wrong, and a sentence; "" where there is none."""
    right = tokens.ids
    steps = np.unique((seen - right)[wrong])
    if len(steps) == 1 and (wrong == (right != 0)).all():
        return "ids-shifted", f"every word's id is {int(steps[0]):+d} off"
    if (right[wrong] == tokens.unknown).all() and len(np.unique(seen[wrong])) == 1:
        return "unknown-words", f"unknown words become {int(seen[wrong][0])}, expected {tokens.unknown}"
    word, given = int(right[wrong][0]), int(seen[wrong][0])
    if word and (right[wrong] == word).all() and (seen[right == word] == given).all():
        becomes = "an unknown word" if given == tokens.unknown else str(given)
        return "wrong-id", f"{_word(tokens, word)} becomes {becomes}, there and everywhere"
    rows = [
        (_used(right[r]), _used(seen[r]), _used(tokens.backwards[r])) for r in np.flatnonzero(wrong.any(1))
    ]
    places = np.argwhere(wrong)
    for holds, name, says in (
        (all(np.array_equal(a, b) for a, b, _ in rows), "padding-at-other-end", "it stands at the other end"),
        (
            all(np.array_equal(c[::-1], b) for _, b, c in rows),
            "truncated-at-other-end",
            "their beginning is cut",
        ),
        (all(np.array_equal(a[::-1], b) for a, b, _ in rows), "words-reversed", "the last word comes first"),
        (
            all(_is_capital(tokens, row, int(right[row, step])) for row, step in places),
            "not-lower-cased",
            "only words with capitals differ: lower-case the texts first",
        ),
    ):
        if holds:
            return name, says
    return "", ""


def _used(ids: np.ndarray) -> np.ndarray:
    return ids[ids != 0]


def _is_capital(tokens: Tokens, row: int, number: int) -> bool:
    """Whether a word stands with a capital in its text."""
    if number in (0, tokens.unknown):
        return False
    word, text = tokens.word_of(number), tokens.texts[row]
    return any(form in text for form in {word.capitalize(), word.upper(), word.title()} - {word})
