"""The data set of Keras's reviews: read as a recipe's settings say, checked when it is opened."""

import re
from pathlib import Path
from typing import Any, Dict

import numpy as np
import pytest

from tests.data.small_keras import GLOVE, prepared_folder
from tests.data.test_keras_npz import load_data
from tf1_lstm.data.keras_imdb import KerasImdbDataset
from tf1_lstm.data.registry import open_dataset
from tf1_lstm.errors import InputError
from tf1_lstm.files import sha256_of_array

SETTINGS: Dict[str, Any] = {
    "inputs": "ids",
    "steps": 5,
    "padding": "front",
    "vocabulary": 12,
    "embedding": "trained",
    "any_steps": False,
    "held_out": 0.0,
    "drop_remainder": False,
    "batch_order": "shuffled",
    "validation": "test",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared_folder(tmp_path_factory.mktemp("keras"), glove=GLOVE)


def read(folder: Path, **changed: Any) -> KerasImdbDataset:
    return KerasImdbDataset(folder).with_settings({**SETTINGS, **changed})


# ---- what is read --------------------------------------------------------------------------------


@pytest.mark.parametrize(("padding", "end"), [("front", "pre"), ("back", "post")])
@pytest.mark.parametrize(("steps", "vocabulary"), [(5, 12), (3, 300), (20, 5)])
def test_rows_are_those_of_keras_load_data_and_pad_sequences(
    folder: Path, padding: str, end: str, steps: int, vocabulary: int, monkeypatch: Any
) -> None:
    from tensorflow.python.keras.preprocessing.sequence import pad_sequences

    data = read(folder, padding=padding, steps=steps, vocabulary=vocabulary)
    published = load_data(folder / "imdb.npz", monkeypatch, num_words=vocabulary)
    for name, (rows, labels) in zip(("train", "test"), published):
        split = data.split(name)
        np.testing.assert_array_equal(split.inputs, pad_sequences(rows, steps, padding=end, truncating=end))
        np.testing.assert_array_equal(split.labels, labels)
        assert (split.inputs.dtype, split.labels.dtype) == (np.int32, np.int64)


def test_the_last_share_is_held_out_as_keras_validation_split_does(folder: Path) -> None:
    whole, data = read(folder), read(folder, held_out=0.25)
    assert (whole.split_names(), data.split_names()) == (("test", "train"), ("validation", "test", "train"))
    everything = whole.split("train").inputs
    np.testing.assert_array_equal(data.split("train").inputs, everything[:6])
    np.testing.assert_array_equal(data.split("validation").inputs, everything[6:])
    drawn = [data.train_sampler("published", 4, 0).rows(step) for step in range(2)]
    assert sorted(np.concatenate(drawn).tolist()) == list(range(6))
    with pytest.raises(InputError, match="--split: found 'validation', expected one of test, train"):
        whole.split("validation")
    with pytest.raises(
        InputError, match=r"setting held_out: found 0\.95, expected a share that leaves reviews"
    ):
        read(folder, held_out=0.95).split("train")


def test_settings_make_a_view_and_leave_the_data_as_they_were(folder: Path) -> None:
    data = KerasImdbDataset(folder)
    assert data.split("test").inputs.shape == (4, 500)
    view = data.with_settings(SETTINGS)
    assert view.split("test").inputs.shape == (4, 5)
    assert data.split("test").inputs.shape == (4, 500)
    assert view.files is data.files
    longest = view.with_settings({"any_steps": True}).train_sampler("published", 8, 0).batch(0)
    assert longest.inputs.shape == (8, 5)
    back = read(folder, steps=50, any_steps=True).train_sampler("published", 8, 0).batch(0)
    assert back.inputs.shape == (8, 9)


def test_word_vectors_are_by_id_with_zeros_where_glove_has_none(folder: Path) -> None:
    assert read(folder).constants() == {}
    for embedding in ("word-vectors", "word-vectors-trained"):
        vectors = read(folder, embedding=embedding, vocabulary=0).constants()["word_vectors"]
        assert (vectors.shape, vectors.dtype) == ((304, 3), np.float32)
        assert vectors[[4, 5, 7]].tolist() == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
        assert np.count_nonzero(vectors) == 9
    smaller = read(folder, embedding="word-vectors", vocabulary=6)
    assert smaller.constants()["word_vectors"].shape == (6, 3)
    assert smaller.split("train").inputs.max() == 5


def test_a_vocabulary_must_be_covered(tmp_path: Path) -> None:
    data = prepared_folder(tmp_path)
    message = r"setting vocabulary: found 305, expected 5 to 304, the ids in the data \(.*keras-imdb\)"
    with pytest.raises(InputError, match=message):
        read(data, vocabulary=305)
    with pytest.raises(InputError, match="setting vocabulary: found 4, expected 5 to 304"):
        read(data, vocabulary=4)
    with pytest.raises(
        InputError, match=r"wordVectors\.npy: no such file; .* embedding=word-vectors .*--glove"
    ):
        read(data, embedding="word-vectors")
    assert read(data, vocabulary=0).reading.vocabulary == 304


def test_opens_from_the_folder_above_and_through_the_registry(folder: Path) -> None:
    for place in (folder, folder / "keras-imdb"):
        assert open_dataset("keras-imdb", place).folder == folder / "keras-imdb"
    data = open_dataset("keras-imdb", folder)
    assert (data.class_names, data.example_kind, data.is_sample) == (("negative", "positive"), "text", False)
    ids = np.load(str(folder / "keras-imdb/trainIds.npy"))
    assert data.hashes()["trainIds.npy"] == sha256_of_array(ids)
    assert len(data.hashes()) == 8


# ---- texts ---------------------------------------------------------------------------------------


def test_a_text_is_read_as_the_reviews_are(folder: Path) -> None:
    data = read(folder, steps=8)
    example = data.encode(["The film: was\u00a0 GOOD!\r\nnot BAD, xyzzy rare w200"], ["t"])[0]
    assert example.inputs is not None
    # was\u00a0 and xyzzy are in no review; rare and w200 are outside the 12 ids.
    assert example.inputs.tolist() == [1, 4, 5, 7, 9, 8, 2, 2]
    assert example.inputs.dtype == np.int32
    assert example.notes["words"] == example.notes["read"] == 9
    assert not example.notes["cut"]
    assert example.notes["unknown"] == ["was\u00a0", "xyzzy", "rare", "w200"]
    assert data.render(example.inputs) == "the film good not bad ? ?"


@pytest.mark.parametrize(
    ("padding", "text", "inputs", "read_words", "unknown"),
    [
        ("front", "the film was good", [1, 4, 5, 6, 7], 4, []),
        ("front", "xyzzy the film was good", [1, 4, 5, 6, 7], 5, ["xyzzy"]),
        ("front", "bad the film was good not", [4, 5, 6, 7, 9], 5, []),
        ("front", "xyzzy bad xyzzy the film rare was xyzzy good", [4, 5, 2, 6, 7], 6, ["rare", "xyzzy"]),
        ("front", "the film was good not", [4, 5, 6, 7, 9], 5, []),
        ("back", "the film was good", [1, 4, 5, 6, 7], 4, []),
        ("back", "the film was good not bad", [1, 4, 5, 6, 7], 4, []),
        ("back", "the xyzzy film was good xyzzy not xyzzy", [1, 4, 5, 6, 7], 6, ["xyzzy"]),
        ("back", "good", [1, 7, 0, 0, 0], 1, []),
    ],
)
def test_a_long_text_is_cut_at_the_padded_end(
    folder: Path, padding: str, text: str, inputs: Any, read_words: int, unknown: Any
) -> None:
    example = read(folder, padding=padding).encode([text], ["t"])[0]
    assert example.inputs is not None
    assert example.inputs.tolist() == inputs
    notes = example.notes
    assert (notes["words"], notes["read"]) == (len(text.split()), read_words)
    assert notes["cut"] == (read_words < len(text.split()))
    assert notes["unknown"] == unknown


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the text is empty"),
        (b"\xff\xfe\x00", "not a text"),
        ("!!! ... ???", "nothing is left after cleaning: only punctuation"),
        ("xyzzy plugh", r"none of its words is known to the vocabulary \(xyzzy plugh\)"),
        ("the " + "w200 " * 9, r"none of the last 5 words is known to the vocabulary \(w200\)"),
        ("\u5f71\u7247", "none of its words is known"),
    ],
)
def test_a_text_without_an_answer_is_refused_with_a_reason(folder: Path, text: Any, reason: str) -> None:
    example = read(folder).encode([text], ["t"])[0]
    assert example.inputs is None
    assert re.match(reason, example.refused or "")


def test_without_words_ids_are_shown_and_texts_refused(tmp_path: Path) -> None:
    data = KerasImdbDataset(prepared_folder(tmp_path, words=False))
    assert data.render(np.array([0, 0, 1, 4, 2, 300])) == "4 2 300"
    with pytest.raises(InputError, match=r"wordsList\.npy: no such file; expected the words.*--word-index"):
        data.encode(["good"], ["t"])
    assert data.files.known == 304  # the largest rank is 300
    assert read(tmp_path, vocabulary=304).split("train").inputs.max() == 303


# ---- audit ---------------------------------------------------------------------------------------


def findings(data: KerasImdbDataset, batch_size: int) -> Dict[str, int]:
    return {finding.what: finding.total for finding in data.audit("published", batch_size)}


def test_audit_counts_what_an_epoch_leaves_out_and_what_is_shared(folder: Path) -> None:
    assert findings(read(folder, drop_remainder=True), 3) == {
        "training reviews left out of an epoch": 2,
        "training reviews used twice in an epoch": 0,
        "test reviews that are training reviews too": 1,  # the film was bad
        "test reviews that the validation figures are of": 4,
    }
    assert (
        findings(read(folder, held_out=0.5, validation="validation"), 3)[
            "training reviews left out of an epoch"
        ]
        == 0
    )
    assert "validation reviews that are training reviews too" in findings(read(folder, held_out=0.5), 3)


def test_audit_of_the_real_reviews(prepared_keras: Path) -> None:
    data = KerasImdbDataset(prepared_keras).with_settings(
        {**SETTINGS, "vocabulary": 10_000, "drop_remainder": True}
    )
    assert findings(data, 128) == {
        "training reviews left out of an epoch": 40,
        "training reviews used twice in an epoch": 0,
        "test reviews that are training reviews too": 123,  # as data/README.md says of the raw reviews
        "test reviews that the validation figures are of": 25_000,
    }
