"""Makes the tutorial's files from the public ones: word list, word vectors, ids, manifest, histogram."""

from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from tf1_lstm.data import progress as bars
from tf1_lstm.data.glove import WordTable, find_glove, read_glove, tutorial_table
from tf1_lstm.data.ids import RULE, STEPS, WordIndex, id_matrix
from tf1_lstm.data.imdb_files import TEST_FILE, TRAIN_FILE, VECTORS_FILE, WORDS_FILE
from tf1_lstm.data.manifest import MANIFEST_FILE
from tf1_lstm.data.reviews import Corpus, find_reviews, read_reviews
from tf1_lstm.data.word2vec import SEED, gensim_version, train_table
from tf1_lstm.data.writing import all_or_nothing, write_array
from tf1_lstm.errors import InputError
from tf1_lstm.files import write_json

HISTOGRAM_FILE = "length-histogram.png"
FILES = (WORDS_FILE, VECTORS_FILE, TRAIN_FILE, TEST_FILE, HISTOGRAM_FILE, MANIFEST_FILE)
# Of the published files' bytes; for the ids of the array's bytes, in the order of the sorted file names.
PUBLISHED_WORDS = "8d881259aa3131ee5d61ae33d27040a223fe76266aaee24e6885d8b05e567a4a"
PUBLISHED_VECTORS = "8eeeb0808feeb0202ee8dde7e933353f74dc466b1f400cf733a539e11003ab6a"
SORTED_IDS = "7bd52ac9a64c47b6349900d2a1c9e8568113e9d7b877ecfc9525dc4cf27e1bd4"


def prepare_imdb(
    reviews: Path, glove: Optional[Path], data: Path, vectors: str = "glove", progress: bool = True
) -> Dict[str, Any]:
    """Write ``data/imdb``: all six ``FILES``, or none where anything fails.

    Args:
      reviews: folder or archive of the Large Movie Review Dataset.
      glove: GloVe's text file (plain, packed, or the folder with it); needed for ``"glove"``.
      data: the data folder; the files go to its sub-folder ``imdb``.
      vectors: ``"glove"``, or ``"train"`` for word2vec on the training reviews.
      progress: bars on standard error.

    Returns:
      The manifest, as written to ``manifest.json``.

    Raises:
      InputError: an input is missing or malformed, or the folder cannot be written.
    """
    if vectors not in ("glove", "train"):
        raise InputError(f"--vectors: found {vectors!r}, expected glove or train")
    if vectors == "glove" and glove is None:
        raise InputError("--glove: missing; expected GloVe's text file, or --vectors train")
    for path in (reviews, glove):
        if path is not None and not Path(path).exists():
            raise InputError(f"{path}: found no such file or folder")
    show = bars.visible if progress else bars.silent
    corpus, table, source = _read_sources(reviews, glove if vectors == "glove" else None, show)
    sources = {
        "reviews": {"name": find_reviews(reviews).name, "sha256_of_reviews": corpus.sha256},
        "vectors": {"kind": vectors, **source},
    }
    return write_files(corpus, table, Path(data) / "imdb", sources, show=show)


def _read_sources(
    reviews: Path, glove: Optional[Path], show: bars.Progress
) -> Tuple[Corpus, WordTable, Dict[str, Any]]:
    """Reviews, words with vectors from GloVe (trained where it is None), and whence they are."""
    if glove is not None:
        table = tutorial_table(read_glove(glove, show), glove)
        source: Dict[str, Any] = {"name": find_glove(glove).name, "sha256_of_text": table.sha256}
        return read_reviews(reviews, show), table, source
    source = {"name": "word2vec on the training reviews", "gensim": gensim_version(), "seed": SEED}
    corpus = read_reviews(reviews, show)
    return corpus, train_table(corpus.of("train"), show), source


def write_files(
    corpus: Corpus,
    table: WordTable,
    target: Path,
    sources: Dict[str, Any],
    steps: int = STEPS,
    show: bars.Progress = bars.silent,
    made_by: str = "tf1-lstm prepare imdb",
    histogram: bool = True,
) -> Dict[str, Any]:
    """Write the files of one corpus and one word table into ``target``; returns the manifest."""
    index = WordIndex(table.words)
    splits = {TRAIN_FILE: corpus.of("train"), TEST_FILE: corpus.of("test")}
    lengths = {name: word_counts(texts) for name, texts in splits.items()}
    arrays = {WORDS_FILE: np.array(table.words, dtype="S"), VECTORS_FILE: table.vectors}
    with show(sum(map(len, splits.values())), "ids", "reviews") as bar:
        for name, texts in splits.items():
            arrays[name] = id_matrix(texts, index, steps, bar.update)
    with all_or_nothing(target, last=MANIFEST_FILE) as folder:
        files = {name: write_array(folder / name, array) for name, array in arrays.items()}
        if histogram:
            draw_histogram(lengths[TRAIN_FILE], folder / HISTOGRAM_FILE)
        manifest = {
            "made_by": made_by,
            "rule": RULE,
            "steps": steps,
            "words": len(table.words),
            "dimensions": int(table.vectors.shape[1]),
            "sources": sources,
            "files": files,
            "train": _statistics(lengths[TRAIN_FILE], arrays[TRAIN_FILE], index.unknown),
            "test": _statistics(lengths[TEST_FILE], arrays[TEST_FILE], index.unknown),
            "as_published": _as_published(files),
        }
        write_json(folder / MANIFEST_FILE, manifest)
    return manifest


def word_counts(texts: List[str]) -> np.ndarray:
    """White-space separated words of each text before cleaning, int64 ``[texts]``."""
    return np.array([len(text.split()) for text in texts], np.int64)


def draw_histogram(lengths: np.ndarray, path: Path) -> None:
    """The tutorial's histogram of review lengths: 50 bins, axes 0-1200 and 0-8000 for its 25,000 reviews."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.8), dpi=100)
    axes = figure.add_subplot(1, 1, 1)
    axes.hist(lengths, 50)
    axes.set_xlabel("Sequence Length")
    axes.set_ylabel("Frequency")
    if len(lengths) == 25_000:
        axes.axis([0, 1200, 0, 8000])
    FigureCanvasAgg(figure).print_png(str(path), metadata={"Software": None})


def _as_published(files: Dict[str, Dict[str, Any]]) -> Dict[str, bool]:
    """Whether the words and vectors are the published files, and the ids those of the public reviews."""
    return {
        WORDS_FILE: files[WORDS_FILE]["sha256"] == PUBLISHED_WORDS,
        VECTORS_FILE: files[VECTORS_FILE]["sha256"] == PUBLISHED_VECTORS,
        TRAIN_FILE: files[TRAIN_FILE]["sha256_of_content"] == SORTED_IDS,
    }


def _statistics(lengths: np.ndarray, ids: np.ndarray, unknown: int) -> Dict[str, Any]:
    """Counts of one split: words before cleaning as the tutorial counts them, ids after it."""
    used = np.count_nonzero(ids)
    return {
        "files": len(lengths),
        "words": int(lengths.sum()),
        "mean_words": float(lengths.mean()),
        "longest": int(lengths.max()),
        "cut": int((lengths > ids.shape[1]).sum()),
        "ids": int(used),
        "unknown_ids": int((ids == unknown).sum()),
    }
