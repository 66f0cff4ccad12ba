"""Word vectors from the reviews themselves: optional, reproducible, in the published layout."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import PROJECT
from tests.data.small_imdb import review_files, write_tree
from tf1_lstm.data.prepare import prepare_imdb
from tf1_lstm.data.word2vec import EPOCHS, train_table
from tf1_lstm.errors import InputError

TEXTS = ["The good film, 0 unk", "a bad film<br />rare", "the film"] * 6 + ["once"]
HASH = f"""
import hashlib
from tf1_lstm.data.word2vec import train_table
table = train_table({TEXTS!r})
print(hashlib.sha256(b" ".join(table.words) + table.vectors.tobytes()).hexdigest())
"""


def test_says_how_to_install_gensim_where_it_is_missing(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "gensim", None)
    reviews = write_tree(tmp_path / "reviews", review_files())
    with pytest.raises(InputError, match=r"found no gensim, .*pip install -r requirements/word2vec\.txt"):
        prepare_imdb(reviews, None, tmp_path, vectors="train", progress=False)
    assert not (tmp_path / "imdb").exists()


def test_words_stand_by_frequency_between_padding_and_unknown() -> None:
    pytest.importorskip("gensim", reason="the optional extra word2vec is not installed")
    done = []

    class Bar:
        def __enter__(self) -> "Bar":
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def update(self) -> None:
            done.append(1)

    table = train_table(TEXTS, lambda *_: Bar())
    assert table.words[:2] == [b"0", b"film"]
    assert table.words[-1] == b"unk"
    assert set(table.words[2:-1]) == {b"the", b"good", b"a", b"bad", b"rare"}
    assert table.vectors.shape == (8, 50)
    assert table.vectors.dtype == np.float32
    assert not table.vectors[0].any()
    assert (np.abs(table.vectors[1:]).sum(axis=1) > 0).all()  # 'unk' too, learned from the rare words
    assert len(done) == len(TEXTS) * (EPOCHS + 1)


def test_vectors_do_not_depend_on_pythons_hash_seed() -> None:
    pytest.importorskip("gensim", reason="the optional extra word2vec is not installed")
    found = set()
    for seed in ("0", "1"):
        path = os.pathsep.join([str(PROJECT), os.environ.get("PYTHONPATH", "")])
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path}
        found.add(
            subprocess.run(
                [sys.executable, "-c", HASH], env=environment, check=True, stdout=subprocess.PIPE
            ).stdout
        )
    assert len(found) == 1


def test_prepare_trains_and_indexes_in_one_go(tmp_path: Path) -> None:
    pytest.importorskip("gensim", reason="the optional extra word2vec is not installed")
    files = {name: content * 3 for name, content in review_files().items()}
    manifest = prepare_imdb(write_tree(tmp_path / "r", files), None, tmp_path, "train", progress=False)
    assert manifest["sources"]["vectors"]["kind"] == "train"
    assert manifest["dimensions"] == 50


def test_refuses_reviews_without_a_frequent_word() -> None:
    pytest.importorskip("gensim", reason="the optional extra word2vec is not installed")
    with pytest.raises(InputError, match="found no word 5 times in the reviews, expected many"):
        train_table(["a b c", "d e f"])
