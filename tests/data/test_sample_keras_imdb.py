"""The embedded sample in Keras's layout: made anew to the byte, of the texts of the IMDB sample."""

from pathlib import Path
from typing import Dict, List

import numpy as np

from tests.conftest import PROJECT
from tf1_lstm.data.keras_imdb import KerasImdbDataset
from tf1_lstm.data.registry import open_dataset
from tools import sample_keras_imdb

SAMPLE = PROJECT / "data" / "sample" / "keras-imdb"


def test_the_script_makes_the_committed_bytes(tmp_path: Path) -> None:
    sample_keras_imdb.make(tmp_path / "made")
    names = sorted(path.name for path in SAMPLE.iterdir())
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == names
    for name in names:
        assert (tmp_path / "made" / name).read_bytes() == (SAMPLE / name).read_bytes(), name


def test_the_sample_is_small() -> None:
    assert sum(path.stat().st_size for path in SAMPLE.iterdir()) < 300_000


def test_it_opens_as_the_sample_with_vectors_for_every_word() -> None:
    data = open_dataset("keras-imdb", sample=True)
    assert isinstance(data, KerasImdbDataset)
    assert data.is_sample
    assert data.files.words is not None
    assert data.files.vectors is not None
    assert data.files.vectors.shape == (data.files.known, 20)
    assert np.count_nonzero(data.files.vectors.any(axis=1)) > 0.9 * data.files.known
    assert (len(data.files.train.labels), len(data.files.test.labels)) == (600, 400)
    # Half of it positive, and also of the last fifth, which recipes hold out.
    assert data.files.train.labels.mean() == data.files.test.labels.mean() == 0.5
    assert 0.4 < data.files.train.labels[-120:].mean() < 0.6


def test_its_reviews_are_the_texts_of_the_imdb_sample() -> None:
    data = KerasImdbDataset(SAMPLE)
    lines = (SAMPLE.parent / "imdb/reviews.tsv").read_text(encoding="utf-8").splitlines()
    texts: Dict[str, List[str]] = {"train": [], "test": []}
    for split, _, text in (line.split("\t") for line in lines):
        texts[split].append(text)
    random = np.random.RandomState(113)
    for split, reviews in (("train", data.files.train), ("test", data.files.test)):
        order = np.arange(len(texts[split]))
        random.shuffle(order)
        for row in (0, 1, len(order) - 1):
            text = "".join(
                " " if c in '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~' else c for c in texts[split][order[row]]
            )
            assert data.render(reviews.review(row)) == " ".join(text.lower().split())
            assert reviews.labels[row] == int(order[row] < len(order) / 2)
