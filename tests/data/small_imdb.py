"""Small files for the tests of the IMDB data: reviews, a GloVe text, and the tutorial's arrays."""

import io
import tarfile
import zipfile
from pathlib import Path
from typing import Dict, Tuple

import numpy as np

GLOVE = b"the 0.5 -1.25 3\n, 1 2 3\nunk -0.1 -0.2 -0.3\ngood 1e-1 2E1 .5\n0 7 8 9\nlast 4 5 6\n"
WORDS = np.array([b"0", b"good", b"bad", b"film", b"unk"], dtype="S")


def review_files() -> Dict[str, bytes]:
    """Two reviews of each kind, one of them with several lines."""
    return {
        "aclImdb/README": b"about",
        "aclImdb/train/pos/10_9.txt": b"Good, good THE<br />film!",
        "aclImdb/train/pos/9_8.txt": b"the good\nbad bad bad",
        "aclImdb/train/neg/0_1.txt": b"not good",
        "aclImdb/train/neg/1_2.txt": "caf\u00e9 the\u00a0last".encode(),
        "aclImdb/train/unsup/0_0.txt": b"nobody knows",
        "aclImdb/test/pos/0_10.txt": b"good " * 300,
        "aclImdb/test/pos/1_10.txt": b"",
        "aclImdb/test/neg/0_1.txt": b"last\r\nnot read",
        "aclImdb/test/neg/1_1.txt": b"0 the 0",
    }


def write_tree(folder: Path, files: Dict[str, bytes]) -> Path:
    """Write files below a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def tar_gz(path: Path, files: Dict[str, bytes]) -> Path:
    """Pack files, in the order given."""
    with tarfile.open(str(path), "w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def zipped(path: Path, files: Dict[str, bytes]) -> Path:
    """Pack files, in the order given."""
    with zipfile.ZipFile(str(path), "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def arrays(rows: int = 50, steps: int = 6) -> Dict[str, np.ndarray]:
    """The tutorial's files in small; every row of ids is another one."""
    ids = np.zeros((rows, steps), np.int32)
    ids[:, 0] = np.arange(rows) % 5
    ids[:, 1] = np.arange(rows) // 5 % 5
    ids[:, 2] = np.arange(rows) // 25 % 5
    return {
        "wordsList.npy": WORDS,
        "wordVectors.npy": np.arange(15, dtype=np.float32).reshape(5, 3) / 8,
        "idsMatrix.npy": ids,
        "idsMatrixTest.npy": ids[:8].copy(),
    }


def write_arrays(folder: Path, changed: Tuple[str, np.ndarray] = ("", WORDS), rows: int = 50) -> Path:
    """Write ``arrays()`` with NumPy itself, one of them replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in {**arrays(rows), changed[0]: changed[1]}.items():
        if name:
            np.save(str(folder / name), array, allow_pickle=True)
    return folder
