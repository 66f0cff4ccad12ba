"""Small files for the tests of Keras's reviews: an ``imdb.npz`` made as Keras's is, and prepared folders."""

import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any, Dict, List

import numpy as np

from tf1_lstm.data.prepare_keras import prepare_keras_npz

GLOVE = b"the 1 2 3\nfilm 4 5 6\ngood 7 8 9\n"
WORDS = ["the", "film", "was", "good", "bad", "not", "caf\u00e9", "it's", "br", "rare"]
# Ranks, positive reviews first; lengths from 1 to 8.
TRAIN = [
    [1, 2, 3, 4],
    [4],
    [7, 3, 4, 4, 9, 9, 300],
    [8, 4],
    [1, 2, 3, 5],
    [5, 5, 10],
    [6, 4],
    [1, 2, 3, 6, 4, 5, 5, 5],
]
TEST = [[2, 4, 4], [8, 6, 5], [1, 2, 3, 5], [5]]


def objects(rows: List[Any]) -> np.ndarray:
    """An object array, whose items are ``rows`` even where they are of one length."""
    array = np.empty(len(rows), object)
    array[:] = rows
    return array


def arrays(train: List[Any] = TRAIN, test: List[Any] = TEST) -> Dict[str, np.ndarray]:
    """The four arrays of ``imdb.npz``."""
    labels = [np.repeat(np.array([1, 0], np.int64), len(rows) // 2) for rows in (train, test)]
    return {"x_train": objects(train), "x_test": objects(test), "y_train": labels[0], "y_test": labels[1]}


def npy(array: np.ndarray, protocol: int = 2, body: bytes = b"") -> bytes:
    """One member: NumPy's header, and the array pickled with ``protocol`` (or another ``body``)."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, np.lib.format.header_data_from_array_1_0(array))
    if not body:
        body = pickle.dumps(array, protocol=protocol) if array.dtype.hasobject else array.tobytes()
    return stream.getvalue() + body


def write_npz(path: Path, protocol: int = 2, **changed: Any) -> Path:
    """Write ``imdb.npz``; ``changed`` are members' bytes, or None for a member that is left out."""
    members = {**{name: npy(array, protocol) for name, array in arrays().items()}, **changed}
    with zipfile.ZipFile(str(path), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            if content is not None:
                archive.writestr(f"{name}.npy", content)
    return path


def write_index(path: Path, words: int = 300) -> Path:
    """Write ``imdb_word_index.json``: ``WORDS``, then words that only have a number."""
    ranks = {word: rank for rank, word in enumerate(WORDS, 1)}
    ranks.update({f"w{rank}": rank for rank in range(len(WORDS) + 1, words + 1)})
    path.write_text(json.dumps(dict(reversed(list(ranks.items())))))
    return path


def prepared_folder(folder: Path, words: bool = True, glove: bytes = b"") -> Path:
    """A data folder with the small reviews; with word vectors where there is a GloVe text."""
    folder.mkdir(parents=True, exist_ok=True)
    index = write_index(folder / "index.json") if words else None
    vectors = None
    if glove:
        vectors = folder / "glove.txt"
        vectors.write_bytes(glove)
    prepare_keras_npz(write_npz(folder / "imdb.npz"), index, vectors, folder, progress=False)
    return folder
