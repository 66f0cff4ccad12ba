"""Count the words of the IMDB reviews as several tokenizers read them, beside the document of 2021's two numbers.

That document prints how many words its index has (86,539) and how many of the first 9,999 have a GloVe
vector (9,838), and does not say how its reviews were read. Each line is one way to read the 25,000
training reviews; about a minute in all.

    .venv/bin/python benchmarks/vocabulary.py --reviews aclImdb_v1.tar.gz --glove glove.6B.50d.txt
"""

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Callable, Counter, Dict, List, Set

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tf1_lstm.core.text_table import text_table
from tf1_lstm.data.glove import find_glove, read_glove
from tf1_lstm.data.keras_rule import FILTERED
from tf1_lstm.data.reviews import read_reviews

PUBLISHED = ("printed in the document", 86_539, 9_838)
MOST_FREQUENT = 9_999
_KERAS = str.maketrans(FILTERED.decode(), " " * len(FILTERED))
_NO_PUNCTUATION = re.compile(r"[^a-z0-9\s]")
_NOT = re.compile(r"n't\b")
_ENDINGS = {"'re": "are", "'ve": "have", "'ll": "will", "'d": "would", "'m": "am"}
_ENDING = re.compile("(" + "|".join(_ENDINGS) + r")\b")
_POSSESSIVE = re.compile(r"'s\b")


def _keras(text: str) -> List[str]:
    return [word for word in text.lower().translate(_KERAS).split(" ") if word]


def _ascii(text: str) -> List[str]:
    return _keras(text.encode("ascii", "ignore").decode())


def _expanded(text: str) -> str:
    text = text.lower().replace("won't", "will not").replace("can't", "can not")
    return _ENDING.sub(lambda found: " " + _ENDINGS[found.group(1)], _NOT.sub(" not", text))


def _expand(text: str) -> List[str]:
    return _keras(_expanded(text))


def _expand_last(text: str) -> List[str]:
    return _expanded(" ".join(_keras(text))).split()


def _expand_no_possessive(text: str) -> List[str]:
    return _keras(_POSSESSIVE.sub("", _expanded(text)))


def _expand_ascii(text: str) -> List[str]:
    return _keras(_expanded(text.encode("ascii", "ignore").decode()))


def _split(text: str) -> List[str]:
    return _keras(_ENDING.sub(r" \1", _NOT.sub(" n't", text.lower())))


def _split_possessive(text: str) -> List[str]:
    return _keras(_POSSESSIVE.sub(" 's", _ENDING.sub(r" \1", _NOT.sub(" n't", text.lower()))))


def _letters(text: str) -> List[str]:
    return _NO_PUNCTUATION.sub("", text.lower().replace("<br />", " ")).split()


def _expand_then_letters(text: str) -> List[str]:
    return _NO_PUNCTUATION.sub("", _expanded(text.replace("<br />", " "))).split()


READINGS: Dict[str, Callable[[str], List[str]]] = {
    "Keras's Tokenizer": _keras,
    "the same, letters of ASCII alone": _ascii,
    "contractions expanded, then Keras's": _expand,
    "expanded, letters of ASCII alone": _expand_ascii,
    "Keras's, then contractions expanded": _expand_last,
    "expanded, 's taken off, then Keras's": _expand_no_possessive,
    "n't, 're, 've, 'll, 'd, 'm split off": _split,
    "these and 's split off": _split_possessive,
    "all punctuation taken out (the IMDB tutorial's rule)": _letters,
    "contractions expanded, then all punctuation out": _expand_then_letters,
}


def count(texts: List[str], split: Callable[[str], List[str]], known: Set[str]) -> Dict[str, int]:
    """How many words there are, and how many of the most frequent have a vector."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(split(text))
    most = [word for word, _ in counts.most_common(MOST_FREQUENT)]
    return {"words": len(counts), "hits": sum(word in known for word in most)}


def main() -> int:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser(prog="vocabulary", description=__doc__.splitlines()[0])
    parser.add_argument("--reviews", type=Path, required=True, metavar="PATH")
    parser.add_argument("--glove", type=Path, required=True, metavar="PATH")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    texts = read_reviews(options.reviews).of("train")
    known = {word.decode("utf-8") for word in read_glove(find_glove(options.glove)).words}
    found = {name: count(texts, split, known) for name, split in READINGS.items()}
    if options.json:
        print(json.dumps({"published": {"words": PUBLISHED[1], "hits": PUBLISHED[2]}, "readings": found}))
        return 0
    rows = [[PUBLISHED[0], f"{PUBLISHED[1]:,}", f"{PUBLISHED[2]:,}"]]
    rows += [[name, f"{one['words']:,}", f"{one['hits']:,}"] for name, one in found.items()]
    print(text_table(("reading", "words", f"of {MOST_FREQUENT:,} in GloVe"), rows, right=(1, 2)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
