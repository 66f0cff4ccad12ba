"""Large inputs take little memory: ids lie in a temporary file, and no text is kept."""

import tracemalloc
from pathlib import Path

import numpy as np

from tf1_lstm.data.own.sequences import ArraysDataset
from tf1_lstm.data.own.tables import Format
from tf1_lstm.data.own.text_sources import table_sources
from tf1_lstm.data.own.texts import TextsDataset

ROWS = 20_000
WORDS = 60


def peak_while_training(tmp_path: Path, rows: int) -> float:
    """Bytes a row that Python and NumPy hold at most, from opening a table to its batches."""
    path = tmp_path / f"{rows}.csv"
    random = np.random.RandomState(1)
    with open(str(path), "w") as stream:
        stream.write("text,label\n")
        for number in range(rows):
            numbers = random.randint(0, 1000, WORDS)
            stream.write(" ".join(f"word{n}" for n in numbers) + f",{number % 3}\n")
    tracemalloc.start()
    sources, validation, test = table_sources(path, "text", "label", 0.1, 0.1, "", Format())
    data = TextsDataset(sources, 50, validation=validation, test=test)
    sampler = data.train_sampler("published", 32, 1)
    for step in range(20):
        sampler.batch(step)
    split = data.split("train")
    for start in range(0, 1000, 250):
        assert split.inputs[start : start + 250].shape == (250, 50)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def test_a_row_of_a_table_takes_a_few_numbers_and_not_its_text(tmp_path: Path) -> None:
    small, large = (peak_while_training(tmp_path, rows) for rows in (ROWS // 4, ROWS))
    a_row = (large - small) / (ROWS - ROWS // 4)
    # A row's text has 420 bytes, and as a list of words 4,000. Held are its key, place, label and split,
    # and for a moment what sorts them.
    assert a_row < 250


def test_arrays_are_mapped_and_not_read(tmp_path: Path) -> None:
    x = np.zeros((20000, 50, 16), np.float32)
    y = np.arange(20000) % 2
    np.savez(str(tmp_path / "stored.npz"), x=x, y=y)
    np.savez_compressed(str(tmp_path / "packed.npz"), x=x, y=y)
    size = x.nbytes
    del x
    for name in ("stored.npz", "packed.npz"):
        tracemalloc.start()
        data = ArraysDataset(str(tmp_path / name), validation=0, test=0)
        for step in range(5):
            assert data.train_sampler("published", 32, 1).batch(step).inputs.shape == (32, 50, 16)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        # Blocks of 4 MB are checked at a time, as they are and as float32.
        assert peak < 12 << 20 < size
