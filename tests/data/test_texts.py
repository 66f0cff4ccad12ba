"""Any text gets a row of ids or a clear refusal."""

import re
import time
from pathlib import Path
from typing import List, Union

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.small_imdb import WORDS, write_arrays
from tf1_lstm.data.base import Example
from tf1_lstm.data.ids import WordIndex, id_matrix
from tf1_lstm.data.imdb import ImdbIds
from tf1_lstm.data.texts import encode_text

INDEX = WordIndex(WORDS.tolist())  # 0 | good | bad | film | unk


def encode(text: Union[str, bytes], steps: int = 6) -> Example:
    return encode_text(text, "t", INDEX, steps)


def test_a_text_becomes_ids_with_padding_and_notes() -> None:
    example = encode("Good film, GOOD xyzzy!")
    assert example.inputs is not None
    assert example.inputs.tolist() == [1, 3, 1, 4, 0, 0]
    assert example.inputs.dtype == np.int32
    assert example.refused is None
    assert example.notes == {"words": 4, "read": 4, "cut": False, "unknown": ["xyzzy"], "unknown_count": 1}


def test_the_whole_text_counts_with_line_breaks_as_spaces() -> None:
    texts: List[Union[str, bytes]] = [b"\xef\xbb\xbfgood\rbad\n", "good\r\nbad", "\n\ngood<br />bad\n"]
    for text in texts:
        example = encode(text)
        assert example.inputs is not None
        assert example.inputs.tolist() == [1, 2, 0, 0, 0, 0]


def test_one_line_is_read_as_a_review_file_would_be() -> None:
    for text in ("Good, bad\tfilm 0", "it's \u00e0 good\u00a0film --- bad bad bad bad bad"):
        example = encode(text)
        np.testing.assert_array_equal(example.inputs, id_matrix([text], INDEX, 6)[0])


def test_a_long_text_is_cut_and_says_so_at_once() -> None:
    start = time.process_time()
    example = encode("xyzzy good " * 50_000)
    assert time.process_time() - start < 1
    assert example.notes == {
        "words": 100_000,
        "read": 6,
        "cut": True,
        "unknown": ["xyzzy"],
        "unknown_count": 3,
    }
    assert example.inputs is not None
    assert example.inputs.tolist() == [4, 1, 4, 1, 4, 1]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the text is empty"),
        (" \n\t ", "the text is empty"),
        (b"", "the text is empty"),
        ("?!... ---", "nothing is left after cleaning: only words of a-z and 0-9 can be read"),
        ("\U0001f600\U0001f44d", "nothing is left after cleaning"),
        ("xyzzy plugh", r"none of its words is known to the vocabulary \(xyzzy plugh\)"),
        ("xyzzy " * 7 + "good", r"none of the first 6 words is known to the vocabulary \(xyzzy\)"),
        ("0 0", r"none of its words is known to the vocabulary \(0\)"),
        ("good\0bad", "not a text"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not a text"),
        (b"caf\xe9 good", r"not a text \(binary data, or bytes that are not UTF-8\)"),
        ("good \udcff\udcfe film", "not a text"),
        ("\x01\x02good\x03", "not a text"),
        ("\ufffd\ufffd good", "not a text"),
        (
            "\u0444\u0438\u043b\u044c\u043c",
            r"written in another script \(CYRILLIC\): only words of a-z and 0-9",
        ),
        ("\u7535\u5f71\u5f88\u597d\u770b 2001", r"mostly written in another script \(CJK\)"),
    ],
)
def test_refuses_what_has_no_answer_and_says_why(text: Union[str, bytes], reason: str) -> None:
    example = encode(text)
    assert example.inputs is None
    assert example.refused is not None
    assert re.search(reason, example.refused), example.refused


def test_a_few_foreign_letters_are_no_reason_to_refuse() -> None:
    example = encode("good film, d\u00e9j\u00e0 vu")
    assert example.refused is None
    assert example.notes["unknown"] == ["dj", "vu"]


@settings(derandomize=True, max_examples=300, deadline=None)
@given(text=st.one_of(st.text(), st.binary(), st.text(alphabet="god bafilm0\n<br />\u00e9")))
def test_every_text_has_an_answer_or_a_reason(text: Union[str, bytes]) -> None:
    example = encode(text)
    assert (example.inputs is None) == (example.refused is not None)
    if example.inputs is not None:
        assert example.inputs.shape == (6,)
        assert 0 <= example.inputs.min() <= example.inputs.max() <= 4


def test_a_data_set_answers_many_texts_in_order(tmp_path: Path) -> None:
    examples = ImdbIds(write_arrays(tmp_path)).encode(["good", "", "bad film"], ["a", "b", "c"])
    assert [(example.name, example.inputs is None) for example in examples] == [
        ("a", False),
        ("b", True),
        ("c", False),
    ]


def test_the_tutorials_sentence_has_the_tutorials_ids(prepared: Path) -> None:
    (example,) = ImdbIds(prepared).encode(["I thought the movie was incredible and inspiring"], ["seed"])
    assert example.inputs is not None
    assert example.inputs[:10].tolist() == [41, 804, 201534, 1005, 15, 7446, 5, 13767, 0, 0]
