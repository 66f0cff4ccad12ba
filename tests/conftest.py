"""Fixtures for every test: the real files where they are, and the embedded sample."""

import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with the real files; tests that need it are skipped where there is none."""
    folder = Path(os.environ.get("TF1_LSTM_SHARED", PROJECT.parent / "shared"))
    if not (folder / "SHA256SUMS").is_file():
        pytest.skip(f"no real files: neither TF1_LSTM_SHARED nor {folder.name}/ beside the project has them")
    return folder


@pytest.fixture(scope="session")
def prepared(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the real IMDB arrays, prepared once a session (about 15 s)."""
    from tf1_lstm.data.prepare import prepare_imdb

    folder = tmp_path_factory.mktemp("prepared")
    prepare_imdb(
        shared / "data/imdb/aclImdb_v1.tar.gz",
        shared / "data/glove/glove.6B.50d.txt.xz",
        folder,
        progress=False,
    )
    return folder


@pytest.fixture(scope="session")
def prepared_keras(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the real reviews as Keras has them, prepared once a session (about 15 s)."""
    from tf1_lstm.data.prepare_keras import prepare_keras_imdb

    folder = tmp_path_factory.mktemp("prepared-keras")
    prepare_keras_imdb(
        shared / "data/imdb/aclImdb_v1.tar.gz",
        shared / "data/glove/glove.6B.50d.txt.xz",
        folder,
        progress=False,
    )
    return folder
