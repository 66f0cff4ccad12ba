"""Fixtures for every test: the real files where they are, and the embedded sample."""

import fcntl
import os
from pathlib import Path
from typing import Callable, List, Tuple

import pytest

PROJECT = Path(__file__).resolve().parents[1]

# Two workers whose frameworks have two threads each wait for one another; a test that is about threads asks for them.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: List[pytest.Item]) -> None:
    """Whole real data take a quarter of a minute to prepare, and most machines have none."""
    for item in items:
        if {"prepared", "prepared_keras"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.thorough)


def made_once(name: str, make: Callable[[Path], object], factory: pytest.TempPathFactory) -> Path:
    """A folder that ``make`` fills once for all processes of a run of the tests."""
    base = factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with open(str(base / f"{name}.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = base / f"{name}-made"
        if not folder.exists():
            half = base / f"{name}-half"
            half.mkdir()
            make(half)
            half.rename(folder)
    return folder


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

    reviews, vectors = sources(shared)
    return made_once(
        "prepared", lambda folder: prepare_imdb(reviews, vectors, folder, progress=False), tmp_path_factory
    )


@pytest.fixture(scope="session")
def prepared_keras(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the real reviews as Keras has them, prepared once a session (about 15 s)."""
    from tf1_lstm.data.prepare_keras import prepare_keras_imdb

    reviews, vectors = sources(shared)
    return made_once(
        "keras",
        lambda folder: prepare_keras_imdb(reviews, vectors, folder, progress=False),
        tmp_path_factory,
    )


def sources(shared: Path) -> Tuple[Path, Path]:
    """The real reviews and word vectors."""
    return shared / "data/imdb/aclImdb_v1.tar.gz", shared / "data/glove/glove.6B.50d.txt.xz"
