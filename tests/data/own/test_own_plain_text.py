"""Plain texts for language models, against the readers that people used."""

import collections
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tf1_lstm.data.own.plain_text import CorpusDataset, TokenReading
from tf1_lstm.errors import InputError

LINES = [
    f"the {a} of {b} is <unk> and costs N\n" for a in ("cat", "dog", "end") for b in ("day", "war", "sea")
]
TEXT = "".join(LINES * 4)


def written(tmp_path: Path, text: str = TEXT, name: str = "a.txt") -> str:
    (tmp_path / name).write_bytes(text.encode("utf-8"))
    return str(tmp_path / name)


def penn_treebank_ids(text: str) -> np.ndarray:
    """``_read_words``, ``_build_vocab`` and ``_file_to_word_ids`` of TensorFlow's Penn Treebank reader."""
    data = text.replace("\n", "<eos>").split()
    counter = collections.Counter(data)
    words, _ = list(zip(*sorted(counter.items(), key=lambda x: (-x[1], x[0]))))
    word_to_id = dict(zip(words, range(len(words))))
    return np.array([word_to_id[word] for word in data])


def test_words_and_batches_are_those_of_the_penn_treebank_reader(tmp_path: Path) -> None:
    # The published files have a space at both ends of a line.
    text = "".join(f" {line[:-1]} \n" for line in LINES * 4)
    data = CorpusDataset(written(tmp_path, text), 5, reading=TokenReading("words"), validation=0, test=0)
    raw, batch_size, steps = penn_treebank_ids(text), 4, 5
    assert data.tokens[data.unknown_id] == "<unk>" and data.words == raw.max() + 1
    batch_len = len(raw) // batch_size
    streams = raw[: batch_size * batch_len].reshape(batch_size, batch_len)
    sampler = data.train_sampler("published", batch_size, 1)
    assert sampler.steps_per_epoch == (batch_len - 1) // steps and sampler.contiguous
    for i in range(2 * sampler.steps_per_epoch):
        j = i % sampler.steps_per_epoch
        batch = sampler.batch(i)
        np.testing.assert_array_equal(batch.inputs, streams[:, j * steps : (j + 1) * steps])
        np.testing.assert_array_equal(batch.labels, streams[:, j * steps + 1 : (j + 1) * steps + 1])


def test_characters_are_numbered_by_count_as_char_rnn_does(tmp_path: Path) -> None:
    data = CorpusDataset(written(tmp_path), 10, reading=TokenReading(unknown=False), validation=0, test=0)
    counted = sorted(collections.Counter(TEXT).items(), key=lambda x: -x[1])
    assert data.tokens == [character for character, _ in counted] and data.unknown_id == -1
    assert data.render(np.asarray(data.split("train").inputs)[3]) == TEXT[30:40]


def test_shares_follow_one_another_and_every_split_is_read_once(tmp_path: Path) -> None:
    data = CorpusDataset(written(tmp_path), 10, validation=0.1, test=0.2)
    shown = {}
    for name in data.split_names():
        split = data.split(name)
        inputs, labels = np.asarray(split.inputs), np.asarray(split.labels)
        np.testing.assert_array_equal(inputs.ravel()[1:], labels.ravel()[:-1])
        shown[name] = "".join(map(data.render, inputs))
    length = len(TEXT)
    first = length - round(length * 0.1) - round(length * 0.2)
    for name, start, end in (
        ("train", 0, first),
        ("validation", first, length - round(length * 0.2)),
        ("test", length - round(length * 0.2), length),
    ):
        assert TEXT[start:end].startswith(shown[name]) and end - start - len(shown[name]) <= 10
    found = {finding.what: finding.total for finding in data.audit("published", 1)}
    assert found["test lines that are training lines too"] == 0  # no line has 40 characters


def test_the_vocabulary_is_of_the_training_file_alone(tmp_path: Path) -> None:
    train, test = written(tmp_path), written(tmp_path, "the zebra \xe9 of day\n" * 4 + LINES[0], "t.txt")
    data = CorpusDataset(train, 5, reading=TokenReading("words", vocabulary=8), validation=0, test=test)
    assert data.words == 8 and "zebra" not in data.tokens and data.tokens[data.unknown_id] == "<unk>"
    inputs = np.asarray(data.split("test").inputs)
    assert data.render(inputs[0]).split() == ["the", "<unk>", "<unk>", "of", "<unk>"]
    assert data.audit("published", 1)[0].total == 1
    characters = CorpusDataset(train, 5, validation=0, test=test)
    assert characters.tokens[-1] == "<unk>" and characters.unknown_id == len(characters.tokens) - 1
    with pytest.raises(InputError, match="found 'z' at place"):
        CorpusDataset(train, 5, reading=TokenReading(unknown=False), validation=0, test=test)


def test_predicts_after_the_end_of_a_text(tmp_path: Path) -> None:
    data = CorpusDataset(written(tmp_path), 10)
    long, short, empty = data.encode(["the cat of day is", b"the", ""], ["a", "b", "c"])
    assert long.inputs is not None and data.render(long.inputs) == " of day is" and long.length == 10
    assert short.inputs is not None and data.render(short.inputs[: short.length]) == "the"
    assert empty.refused == "the text is empty"


@pytest.mark.parametrize(
    ("content", "settings", "expected"),
    [
        (b"", {}, "a.txt: found an empty file"),
        (b"abc", {}, "found 3 characters for train, expected more than 5, the steps"),
        (b"abc" * 30, {"test": 0.03}, "found 3 characters for test"),
        (b"abc\xff" * 30, {}, "a.txt: line 1: found the byte 0xff at column 4, expected utf-8"),
        (b"abc" * 30, {"reading": TokenReading("letters")}, "found 'letters'"),
    ],
)
def test_says_what_is_wrong(tmp_path: Path, content: bytes, settings: Any, expected: str) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(InputError) as caught:
        CorpusDataset(str(tmp_path / "a.txt"), 5, **{"validation": 0, "test": 0, **settings})
    assert expected in str(caught.value)


def test_refuses_more_streams_than_the_text_has(tmp_path: Path) -> None:
    data = CorpusDataset(written(tmp_path, "abcdefghij" * 10), 9, validation=0, test=0)
    assert data.train_sampler("published", 10, 1).steps_per_epoch == 1
    with pytest.raises(InputError, match="found 11 streams of 100 ids, expected 1 to 10 for 9 steps"):
        data.train_sampler("published", 11, 1)
