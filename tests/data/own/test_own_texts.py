"""Labelled texts from tables and folders, against Keras's own tokenizer and padding."""

import csv
import json
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

import numpy as np
import pytest
from keras_preprocessing.sequence import pad_sequences
from keras_preprocessing.text import Tokenizer

from tf1_lstm.data.own.tables import Format
from tf1_lstm.data.own.text_sources import TextFolder, folder_sources, table_sources
from tf1_lstm.data.own.texts import TextsDataset
from tf1_lstm.data.own.words import WordRule
from tf1_lstm.errors import InputError

CLASSES = ("bad", "fair", "good")


def rows_of(count: int, seed: int = 1) -> List[Tuple[str, str]]:
    """Texts whose label is one of three; some words are rare, one text stands twice."""
    random = np.random.RandomState(seed)
    words = [f"w{number}" for number in range(40)] + ["Größe", "don't", "naïve"]
    rows = []
    for number in range(count):
        chosen = random.choice(words, random.randint(1, 30), p=_zipf(len(words)))
        text = " ".join(chosen) + random.choice([".", "!", ", yes", " (No)"])
        rows.append((text, CLASSES[number % 3]))
    rows[7] = rows[4]
    return rows


def _zipf(count: int) -> np.ndarray:
    weights = 1 / np.arange(1, count + 1)
    return weights / weights.sum()


def write_csv(path: Path, rows: Sequence[Sequence[str]], header: Sequence[str] = ("text", "label")) -> Path:
    with open(str(path), "w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def dataset(path: Path, steps: int = 8, **more: Any) -> TextsDataset:
    """A table's texts."""
    split = {name: more.pop(name, 0.2) for name in ("validation", "test")}
    sources, validation, test = table_sources(
        path,
        more.pop("text", "text"),
        more.pop("label", "label"),
        split["validation"],
        split["test"],
        more.pop("split_column", ""),
        more.pop("how", Format()),
    )
    return TextsDataset(sources, steps, validation=validation, test=test, **more)


@pytest.mark.parametrize(("padding", "cutting"), [("front", "back"), ("back", "front"), ("front", "front")])
@pytest.mark.parametrize("vocabulary", [0, 20])
def test_ids_are_those_of_keras_fitted_on_the_training_part(
    tmp_path: Path, padding: str, cutting: str, vocabulary: int
) -> None:
    rows = rows_of(60)
    data = dataset(
        write_csv(tmp_path / "a.csv", rows),
        rule=WordRule(vocabulary=vocabulary),
        padding=padding,
        cutting=cutting,
    )
    texts = [text for text, _ in rows]
    keras = Tokenizer(num_words=vocabulary or None, oov_token="<oov>")
    keras.fit_on_texts([texts[row] for row in data.rows_of("train")])
    side = {"front": "pre", "back": "post"}
    for name in data.split_names():
        chosen = [texts[row] for row in data.rows_of(name)]
        expected = pad_sequences(
            keras.texts_to_sequences(chosen), 8, padding=side[padding], truncating=side[cutting]
        )
        split = data.split(name)
        np.testing.assert_array_equal(np.asarray(split.inputs), expected)
        assert split.lengths is not None
        np.testing.assert_array_equal(split.lengths, (expected != 0).sum(axis=1))
        assert [data.class_names[label] for label in split.labels] == [
            rows[row][1] for row in data.rows_of(name)
        ]


def test_every_kind_of_table_gives_the_same_data(tmp_path: Path) -> None:
    rows = rows_of(30)
    expected = dataset(write_csv(tmp_path / "a.csv", rows))
    with open(str(tmp_path / "a.tsv"), "w", encoding="utf-8") as stream:
        stream.writelines(f"{label}\t{text}\n" for text, label in rows)
    with open(str(tmp_path / "a.jsonl"), "w", encoding="utf-8") as stream:
        stream.writelines(json.dumps({"n": 1, "text": text, "label": label}) + "\n\n" for text, label in rows)
    (tmp_path / "b.csv").write_bytes((tmp_path / "a.csv").read_bytes().decode().encode("cp1252"))
    (tmp_path / "c.csv").write_bytes((tmp_path / "a.csv").read_bytes().decode().encode("utf-16"))
    others = [
        dataset(tmp_path / "a.tsv", how=Format(names=("label", "text"))),
        dataset(tmp_path / "a.jsonl"),
        dataset(tmp_path / "b.csv", how=Format("cp1252")),
        dataset(tmp_path / "c.csv", how=Format("utf-16")),
    ]
    for other in others:
        assert other.tokens == expected.tokens
        for name in expected.split_names():
            np.testing.assert_array_equal(other.split(name).inputs, expected.split(name).inputs)
            np.testing.assert_array_equal(other.split(name).labels, expected.split(name).labels)


def test_a_folder_of_classes_gives_each_file_once(tmp_path: Path) -> None:
    rows = rows_of(30)
    for number, (text, label) in enumerate(rows):
        (tmp_path / "in" / label).mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / label / f"{number:03}.txt").write_text(text, encoding="utf-8")
    (tmp_path / "in" / "bad" / ".hidden").write_text("no")
    sources, validation, test = folder_sources(tmp_path / "in", (), 0.2, 0.2, "utf-8")
    data = TextsDataset(sources, 8, validation=validation, test=test)
    assert data.class_names == CLASSES
    assert sum(len(data.rows_of(name)) for name in data.split_names()) == 30
    before = data.hashes()
    (tmp_path / "in" / "bad" / "000.txt").write_text("another")
    after = TextsDataset(sources, 8, validation=validation, test=test).hashes()
    assert before["in"] != after["in"] and before["classes"] == after["classes"]


def test_shares_are_stratified_and_keep_identical_texts_together(tmp_path: Path) -> None:
    rows = [(f"text {number // 2}", CLASSES[number // 2 % 3]) for number in range(600)]
    data = dataset(write_csv(tmp_path / "a.csv", rows), validation=0.1, test=0.25)
    every = np.concatenate([data.rows_of(name) for name in data.split_names()])
    np.testing.assert_array_equal(np.sort(every), np.arange(600))
    for name, share in (("test", 0.25), ("validation", 0.1)):
        counts = np.bincount(data.split(name).labels, minlength=3)
        assert np.abs(counts - 200 * share).max() <= 2
    assert all(found.total == 0 for found in data.audit("published", 10))
    other = dataset(tmp_path / "a.csv", validation=0.1, test=0.25, seed=2)
    assert not np.array_equal(other.rows_of("test"), data.rows_of("test"))


def test_the_audit_finds_what_leaks_between_files(tmp_path: Path) -> None:
    train = [("a b", "x"), ("c d", "y"), ("e", "x"), ("e!", "y"), ("?", "x")]
    write_csv(tmp_path / "train.csv", train)
    write_csv(tmp_path / "test.csv", [("A, b.", "x"), ("unseen c", "y")])
    data = dataset(tmp_path / "train.csv", validation=0, test=str(tmp_path / "test.csv"))
    found = {finding.what: finding for finding in data.audit("published", 2)}
    assert found["test examples that are training examples too"].rows == (5,)
    assert found["identical examples with different labels"].rows == (2, 3)
    assert found["texts without a word"].rows == (4,)
    assert "unseen" not in data.tokens
    assert data.split("test").inputs[1].tolist()[:2] == [1, data.tokens.index("c") + 2]


def test_a_column_names_the_splits(tmp_path: Path) -> None:
    rows = [("a", "x", "train"), ("b", "y", "dev"), ("c", "y", "Training"), ("d", "x", "test")]
    data = dataset(write_csv(tmp_path / "a.csv", rows, ("text", "label", "part")), split_column="part")
    assert {name: data.rows_of(name).tolist() for name in data.split_names()} == {
        "test": [3],
        "validation": [1],
        "train": [0, 2],
    }


def test_batches_are_epochs_and_depend_on_seed_and_step_alone(tmp_path: Path) -> None:
    data = dataset(write_csv(tmp_path / "a.csv", rows_of(60)))
    sampler = data.train_sampler("published", 7, 3)
    again = data.train_sampler("published", 7, 3)
    batches = [sampler.batch(step) for step in range(2 * sampler.steps_per_epoch)]
    rows = np.concatenate([batch.rows for batch in batches])
    count = len(data.rows_of("train"))
    for epoch in (rows[:count], rows[count:]):
        np.testing.assert_array_equal(np.sort(epoch), data.rows_of("train"))
    late = again.batch(2 * sampler.steps_per_epoch - 1)
    np.testing.assert_array_equal(late.inputs, batches[-1].inputs)
    assert late.labels.sum() == len(late.rows) and late.labels.shape[1] == 3
    assert late.lengths is not None and late.lengths.dtype == np.int32
    assert not np.array_equal(rows[:count], rows[count:])


def test_predicts_texts_by_the_same_rule(tmp_path: Path) -> None:
    rows = rows_of(60)
    data = dataset(write_csv(tmp_path / "a.csv", rows), rule=WordRule(vocabulary=20), cutting="front")
    train = data.split("train")
    for place, row in enumerate(data.rows_of("train")[:10]):
        text = rows[row][0]
        example = data.encode([text if place % 2 else text.encode()], ["t"])[0]
        if example.inputs is None:
            assert set(train.inputs[place].tolist()) <= {0, 1}
            continue
        np.testing.assert_array_equal(example.inputs, train.inputs[place])
        assert train.lengths is not None and example.length == train.lengths[place]
    refused = data.encode(["", "zzz yyy", b"\xff\xfe\x00"], ["a", "b", "c"])
    assert [example.refused is None for example in refused] == [False, False, False]
    assert "zzz" in str(refused[1].refused)


@pytest.mark.parametrize("header", [b"", b"6 3\n"])
@pytest.mark.parametrize("end", [b"\n", b" \n"])
def test_words_and_vectors_of_any_width_from_a_file(tmp_path: Path, header: bytes, end: bytes) -> None:
    words = [b"w1", b"w2", b". .", b"<unk>", b"w1", b"w3"]
    table = np.random.RandomState(1).rand(6, 3).astype(np.float32)
    lines = [b" ".join([word, *(repr(float(x)).encode() for x in row)]) for word, row in zip(words, table)]
    (tmp_path / "v.txt").write_bytes(header + end.join(lines) + end)
    path = write_csv(tmp_path / "a.csv", rows_of(30))
    data = dataset(path, vectors=str(tmp_path / "v.txt"), rule=WordRule(vocabulary=0))
    assert data.tokens == ["w1", "w2", ". .", "<unk>", "w3"]
    expected = np.stack([np.zeros(3), table[3], table[0], table[1], table[2], table[3], table[5]])
    np.testing.assert_array_equal(data.constants()["word_vectors"], expected.astype(np.float32))
    fewer = dataset(path, vectors=str(tmp_path / "v.txt"), rule=WordRule(vocabulary=4))
    assert fewer.tokens == ["w1", "w2"]
    np.testing.assert_allclose(fewer.constants()["word_vectors"][1], table[:2].mean(axis=0), atol=1e-7)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "a.csv: found an empty file, expected text"),
        (b"text,label\n", "a.csv: found no row, expected some"),
        (b"text,lable\na,b\n", "line 1: found the column 'label' not at all among text, lable"),
        (b"text;label\na;b\n", "(separator=';' splits them)"),
        (b"text,label,text\na,b,c\n", "line 1: found the column 'text' twice or more"),
        (b"text,label\na,x\nb\nc,y\n", "line 3: found 1 field, expected 2"),
        (b'text,label\n"a,x\nb,y\n', "lines 2 to 3: found the end of the file inside quotes"),
        (b"text,label\na,x\nb\xe9,y\n", "line 3: found the byte 0xe9 at column 2, expected utf-8"),
        ("text,label\na,x\n".encode("utf-16"), "found the mark of utf-16, expected utf-8"),
        (b"text,label\na,x\nb,x\nc,x\n", "found 'x' alone, expected two classes or more"),
        (b"text,label\na,x\nb,\n", "line 3: found no value in the column 'label', expected a label"),
        (b"text,label\na\0,x\n", "line 2: found a NUL byte"),
    ],
)
def test_says_where_a_table_is_wrong(tmp_path: Path, content: bytes, expected: str) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(InputError) as caught:
        dataset(tmp_path / "a.csv", validation=0, test=0)
    assert expected in str(caught.value) and "a.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"text": "a"}\n', "line 1: found text, expected the key 'label'"),
        ('[{"text": "a"}]\n', "line 1: found a list, expected an object"),
        ('{"text": "a", "label": null}\n', "line 1: found null at 'label', expected a text or a number"),
        ('{"text": \n', "line 1: found no JSON, expected an object"),
    ],
)
def test_says_where_json_lines_are_wrong(tmp_path: Path, content: str, expected: str) -> None:
    (tmp_path / "a.jsonl").write_text(content)
    with pytest.raises(InputError, match=expected.replace("[", r"\[")):
        dataset(tmp_path / "a.jsonl")


def test_refuses_labels_that_the_training_part_lacks(tmp_path: Path) -> None:
    write_csv(tmp_path / "train.csv", [("a", "x"), ("b", "y")])
    write_csv(tmp_path / "test.csv", [("a", "x"), ("b", "z")])
    with pytest.raises(
        InputError, match=r"test.csv: line 3: found the label 'z', expected one of the training"
    ):
        dataset(tmp_path / "train.csv", validation=0, test=str(tmp_path / "test.csv"))


def test_refuses_an_enormous_file_before_reading_it(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with open(str(path), "wb") as stream:
        stream.truncate(10 << 30)
    with pytest.raises(
        InputError, match=r"a.csv: found 10,737,418,240 bytes, expected at most 8,589,934,592"
    ):
        dataset(path)


def test_refuses_folders_that_are_none_or_hold_no_class(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for folder, expected in (("missing", "expected a folder"), ("empty", "expected a folder for each class")):
        with pytest.raises(InputError, match=expected):
            list(TextFolder(tmp_path / folder).texts())
    (tmp_path / "empty" / "pos").mkdir()
    with pytest.raises(InputError, match="expected a text in each"):
        list(TextFolder(tmp_path / "empty").texts())


def test_refuses_settings_that_cannot_be(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", rows_of(30))
    cases: List[Tuple[Dict[str, Any], str]] = [
        ({"rule": WordRule(tokenizer="bert")}, "tokenizer: found 'bert'"),
        ({"rule": WordRule(tokenizer="tutorial", lower=False)}, "lower: found False"),
        ({"rule": WordRule(vocabulary=2)}, "vocabulary: found 2"),
        ({"padding": "pre"}, "padding: found 'pre', expected front or back"),
        ({"test": 1.5}, "test: found 1.5"),
        ({"test": 0.6, "validation": 0.5}, "found 0.5 \\+ 0.6"),
        ({"test": 0.001}, "test: found none of 30 examples"),
        ({"classes": ("bad", "good")}, "found the label 'fair'"),
        ({"how": Format("utf-9")}, "encoding: found 'utf-9'"),
    ]
    for settings, expected in cases:
        with pytest.raises(InputError, match=expected):
            dataset(path, **settings)


def test_a_number_of_a_million_digits_takes_no_time(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "a", "label": ' + "7" * 1_000_000 + "}")
    with pytest.raises(InputError, match="line 1: found no JSON"):
        dataset(tmp_path / "a.jsonl")
