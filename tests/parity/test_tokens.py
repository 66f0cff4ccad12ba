"""What a port makes of texts is compared with what the data set makes of them."""

import sys
from pathlib import Path
from typing import Any, Dict, List

import numpy as np
import pytest

from tests.parity.support import IDS, make_bundle, with_document
from tf1_lstm.cli import main
from tf1_lstm.data.base import Example
from tf1_lstm.errors import InputError
from tf1_lstm.parity.bundle import write_bundle
from tf1_lstm.parity.levels import FAIL, PASS, UNKNOWN
from tf1_lstm.parity.tokens import compare_tokens, read_texts, tokens_of

WORDS = ["0", "the", "film", "is", "great", "and", "long", "end", "unk"]
STEPS = 6


class Words:
    """A data set of a few words, as the tutorial reads them."""

    def encode(self, items: List[str], names: List[str]) -> List[Example]:
        return [Example(name, ids(item.lower().split()[:STEPS]), {}) for item, name in zip(items, names)]

    def render(self, inputs: np.ndarray) -> str:
        return " ".join(WORDS[n] for n in inputs)


def ids(words: List[str]) -> np.ndarray:
    known = [WORDS.index(word) if word in WORDS else 8 for word in words]
    return np.array(known + [0] * (STEPS - len(known)), np.int32)


TEXTS = ["The film is great", "and the film is long and great the end", "great strange end"]
TOKENS = tokens_of(Words(), TEXTS, 8)


def of(*rows: List[str]) -> np.ndarray:
    return np.stack([ids(row) for row in rows])


SPLIT = [text.split() for text in TEXTS]
LOWER = [text.lower().split() for text in TEXTS]


@pytest.mark.parametrize(
    ("seen", "said", "place"),
    [
        (of(*(row[:STEPS] for row in SPLIT)), "not-lower-cased", "text 1, word 1"),
        (of(*(row[-STEPS:] for row in LOWER)), "truncated-at-other-end", "text 2, word 1"),
        (TOKENS.ids[:, ::-1], "words-reversed", "text 1, word 1"),
        (
            np.stack([np.roll(r, (r == 0).sum()) for r in TOKENS.ids]),
            "padding-at-other-end",
            "text 1, word 1",
        ),
        (np.where(TOKENS.ids > 0, TOKENS.ids + 3, 0), "ids-shifted: every word's id is +3 off", "text 1"),
        (np.where(TOKENS.ids == 8, 0, TOKENS.ids), "unknown-words: unknown words become 0", "text 3, word 2"),
        (np.where(TOKENS.ids == 2, 7, TOKENS.ids), "id 2 ('film') is expected, 7 is given", "text 1, word 2"),
        (
            np.where(TOKENS.ids == 2, 8, TOKENS.ids),
            "wrong-id: 'film' becomes an unknown word",
            "text 1, word 2",
        ),
        (TOKENS.ids[:, :-1], "expected whole numbers (3, 6)", ""),
        (TOKENS.ids * 1.0, "tokenize gave float64", ""),
    ],
)
def test_what_is_wrong_with_the_ids_is_named_with_its_first_place(seen, said, place):
    level = compare_tokens(TOKENS, seen, "")
    assert level.status == FAIL
    assert said in level.reason
    assert level.place.startswith(place)


def test_the_same_ids_pass_and_no_ids_are_not_judged():
    assert compare_tokens(TOKENS, TOKENS.ids.astype(np.int64), "").status == PASS
    assert compare_tokens(TOKENS, None, "no tokenize").status == UNKNOWN


def test_texts_are_lines_or_files(tmp_path: Path):
    (tmp_path / "lines.txt").write_text("one\n\ntwo\n")
    assert read_texts(tmp_path / "lines.txt") == ["one", "two"]
    (tmp_path / "b.txt").write_text("a\nb")
    assert sorted(read_texts(tmp_path)) == ["a\nb", "one\n\ntwo\n"]
    for name, content in (("empty", b"\n"), ("binary", b"\xff\xfe")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match="--texts"):
            read_texts(tmp_path / name)


def test_a_ports_tokenize_is_compared_on_the_sample(tmp_path: Path, capsys: Any):
    bundle = with_document(make_bundle(IDS, batch=2, steps=50), dataset={"name": "imdb-ids", "hashes": {}})
    write_bundle(tmp_path / "a.npz", bundle)
    (tmp_path / "texts.txt").write_text("This film is great\nthis film is bad\n")
    (tmp_path / "port.py").write_text(
        "import numpy as np\n"
        f"logits = np.load({str(tmp_path / 'a.npz')!r})['logits']\n"
        "def port(ids):\n    return logits\n"
        "def tokenize(texts):\n    return np.zeros((len(texts), 50), np.int32)\n"
    )
    arguments = ["compare", str(tmp_path / "a.npz"), "--port", f"{tmp_path / 'port.py'}:port", "--sample"]
    arguments += ["--texts", str(tmp_path / "texts.txt"), "--python", sys.executable]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 1
    printed = capsys.readouterr().out
    assert "texts" in printed
    assert "text 1, word 1; no known mistake explains it" in printed
    assert "it is in what is made of the texts: text 1, word 1" in printed
    assert "from the ids on, all that could be compared agrees" in printed


def test_texts_need_a_list_of_words(tmp_path: Path, capsys: Any):
    write_bundle(tmp_path / "a.npz", make_bundle(IDS, batch=2))
    arguments = [
        "compare",
        str(tmp_path / "a.npz"),
        "--port",
        "x:y",
        "--texts",
        "t",
        "--python",
        sys.executable,
    ]
    options: Dict[str, str] = {"--out": str(tmp_path / "out")}
    assert main([*arguments, *[word for pair in options.items() for word in pair]]) == 2
    assert "--texts: expected --data or --sample" in capsys.readouterr().err
