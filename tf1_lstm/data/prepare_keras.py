"""Makes the reviews as ``keras.datasets.imdb`` has them, from the raw files: ids, labels, words, vectors."""

from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

import numpy as np

from tf1_lstm.data import keras_npz
from tf1_lstm.data import progress as bars
from tf1_lstm.data.glove import DIMENSIONS, WordTable, find_glove, read_glove
from tf1_lstm.data.imdb_files import VECTORS_FILE, WORDS_FILE
from tf1_lstm.data.keras_files import ALL_FILES, FOLDER, review_files
from tf1_lstm.data.keras_reviews import Reviews
from tf1_lstm.data.keras_rule import (
    FIRST_WORD,
    ORDER,
    RULE,
    SHUFFLE_SEED,
    SHUFFLED,
    START,
    rank_words,
    shuffled,
    split_words,
    word_ids,
)
from tf1_lstm.data.manifest import MANIFEST_FILE
from tf1_lstm.data.reviews import Corpus, find_reviews, read_reviews
from tf1_lstm.data.writing import all_or_nothing, write_array
from tf1_lstm.errors import InputError
from tf1_lstm.files import sha256_of_file, write_json

VOCABULARY = 10_000
LONGEST_WORD = 1000
# SHA-256 of the arrays that the public reviews give, without the ``.npy`` header.
PUBLIC_CONTENT = {
    "trainIds.npy": "0bf957acec216e13236c5a79e58b9fdac74959f631fde7be23a121803e4b8398",
    "trainLabels.npy": "172b1f6acbc8146e8ec69c60dcf8380d339b7f92ecc3dbcb315d71a6a4c245a6",
    "testIds.npy": "924bb8dec6ba7b6cfbd854bdf201a5080ca7cc20fd628c069ff91acf8fd2dcf3",
    "testLabels.npy": "eb5b8b08047733a63e7b04179d2848324cd6e7075ee29feed6c5547ee06dda97",
    WORDS_FILE: "19aeaf81893c77114d1f2df919b5ada38fecea592faaf59979158d4dfd41e067",
}
MADE_BY = "tf1-lstm prepare keras-imdb"


class Prepared(NamedTuple):
    """What is to be written.

    Attributes:
      splits: ``"train"`` and ``"test"``, in their final order.
      words: UTF-8, in order of rank; None where they are not known.
      order: how the reviews are ordered, for the manifest.
      sources: for the manifest, by what they are the source of.
    """

    splits: Dict[str, Reviews]
    words: Optional[List[bytes]]
    order: str
    sources: Dict[str, Any]


class Vectors(NamedTuple):
    """Word vectors, float32 ``[ids, dimensions]`` by id, and what the manifest says of their source."""

    array: np.ndarray
    source: Dict[str, Any]


def prepare_keras_imdb(
    reviews: Path, glove: Optional[Path], data: Path, dimensions: int = DIMENSIONS, progress: bool = True
) -> Dict[str, Any]:
    """Write ``data/keras-imdb`` from the raw reviews: all files, or none where anything fails.

    Args:
      reviews: folder or archive of the Large Movie Review Dataset.
      glove: GloVe's text file, for recipes that take word vectors, or None.
      data: the data folder.
      dimensions: which of several GloVe files to take from a zip or a folder.
      progress: bars on standard error.

    Returns:
      The manifest, as written to ``manifest.json``.

    Raises:
      InputError: an input is missing or malformed, or the folder cannot be written.
    """
    _check_there(reviews, glove)
    show = bars.visible if progress else bars.silent
    prepared = from_corpus(read_reviews(reviews, show), find_reviews(reviews).name, show)
    return write_prepared(prepared, Path(data) / FOLDER, _read_vectors(prepared, glove, dimensions, show))


def prepare_keras_npz(
    npz: Path,
    word_index: Optional[Path],
    glove: Optional[Path],
    data: Path,
    dimensions: int = DIMENSIONS,
    progress: bool = True,
) -> Dict[str, Any]:
    """Write ``data/keras-imdb`` from the files that Keras publishes; otherwise as ``prepare_keras_imdb``.

    Args:
      npz: ``imdb.npz``.
      word_index: ``imdb_word_index.json``; without it ids cannot be shown as words, nor texts be read.
      glove: as in ``prepare_keras_imdb``.
      data: as there.
      dimensions: as there.
      progress: as there.
    """
    _check_there(npz, word_index, glove)
    if glove is not None and word_index is None:
        raise InputError("--glove: needs the words; expected --word-index, Keras's imdb_word_index.json")
    show = bars.visible if progress else bars.silent
    splits = keras_npz.read_reviews(npz)
    sources = {"reviews": {"name": Path(npz).name, "sha256": sha256_of_file(npz)}}
    words = None
    if word_index is not None:
        ranks = max(int(reviews.ids.max()) for reviews in splits.values()) - FIRST_WORD + 1
        words = keras_npz.read_words(word_index, ranks)
        sources["words"] = {"name": Path(word_index).name, "sha256": sha256_of_file(word_index)}
    prepared = Prepared(splits, words, f"as in {Path(npz).name}; then {SHUFFLED}", sources)
    return write_prepared(prepared, Path(data) / FOLDER, _read_vectors(prepared, glove, dimensions, show))


def _check_there(*paths: Optional[Path]) -> None:
    for path in paths:
        if path is not None and not Path(path).exists():
            raise InputError(f"{path}: found no such file or folder")


def _read_vectors(
    prepared: Prepared, glove: Optional[Path], dimensions: int, show: bars.Progress
) -> Optional[Vectors]:
    if glove is None:
        return None
    table = read_glove(glove, show, dimensions)
    return vectors_by_id(prepared.words or (), table, find_glove(glove, dimensions).name)


def from_corpus(corpus: Corpus, name: str, show: bars.Progress = bars.silent) -> Prepared:
    """Ids of all reviews by Keras's rule, in Keras's order; ``name`` is what the manifest calls them."""
    texts = {split: corpus.of(split) for split in ("train", "test")}
    split_up: Dict[str, List[List[bytes]]] = {split: [] for split in texts}
    with show(sum(map(len, texts.values())), "words", "reviews") as bar:
        for split, lines in texts.items():
            for line in lines:
                split_up[split].append(split_words(line))
                bar.update()
    words = rank_words(split_up["train"])
    ids = word_ids(words)
    splits = {}
    for split, order in zip(texts, shuffled(len(texts["train"]), len(texts["test"]))):
        reviews = split_up[split]
        positive = len(reviews) // 2
        splits[split] = Reviews.of(
            [[START, *(ids[word] for word in reviews[row] if word in ids)] for row in order.tolist()],
            [int(row < positive) for row in order.tolist()],
        )
    return Prepared(splits, words, ORDER, {"reviews": {"name": name, "sha256_of_reviews": corpus.sha256}})


def write_prepared(
    prepared: Prepared, target: Path, vectors: Optional[Vectors] = None, made_by: str = MADE_BY
) -> Dict[str, Any]:
    """Write the files into ``target``; returns the manifest."""
    arrays: Dict[str, np.ndarray] = {}
    for split, reviews in prepared.splits.items():
        arrays.update(zip(review_files(split), reviews))
    if prepared.words is not None:
        arrays[WORDS_FILE] = _word_array(prepared.words)
    sources = dict(prepared.sources)
    if vectors is not None:
        arrays[VECTORS_FILE], sources["vectors"] = vectors
    with all_or_nothing(target, last=MANIFEST_FILE, family=ALL_FILES) as folder:
        files = {name: write_array(folder / name, array) for name, array in arrays.items()}
        manifest = {
            "made_by": made_by,
            "rule": RULE,
            "order": prepared.order,
            "shuffle_seed": SHUFFLE_SEED,
            "words": len(prepared.words or ()),
            "sources": sources,
            "files": files,
            "of_public_reviews": {
                name: files[name]["sha256_of_content"] == known
                for name, known in PUBLIC_CONTENT.items()
                if name in files
            },
            **{split: _statistics(reviews) for split, reviews in prepared.splits.items()},
        }
        write_json(folder / MANIFEST_FILE, manifest)
    return manifest


def vectors_by_id(words: Sequence[bytes], table: WordTable, name: str) -> Vectors:
    """The vectors of the 10,000 most frequent words by id, zero where ``table`` (the file ``name``) lacks one."""
    rows = {word: row for row, word in enumerate(table.words)}
    wanted = words[:VOCABULARY]
    array = np.zeros((FIRST_WORD + len(wanted), table.vectors.shape[1]), np.float32)
    found = [(id_, rows[word]) for id_, word in enumerate(wanted, FIRST_WORD) if word in rows]
    for id_, row in found:
        array[id_] = table.vectors[row]
    source = {
        "name": name,
        "sha256_of_text": table.sha256,
        "dimensions": int(array.shape[1]),
        "words": len(wanted),
        "found": len(found),
    }
    return Vectors(array, source)


def _word_array(words: List[bytes]) -> np.ndarray:
    """Byte strings ``[words]``, each as wide as the longest, which therefore must not be too long."""
    longest = max(map(len, words), default=0)
    if longest > LONGEST_WORD or b"\0" in b"".join(words):
        raise InputError(
            f"reviews: found a word of {longest:,} bytes, or one with a NUL, "
            f"expected words of at most {LONGEST_WORD:,} bytes"
        )
    return np.array(words, dtype="S")


def _statistics(reviews: Reviews) -> Dict[str, Any]:
    """Counts of one split; lengths with the start marker, as Keras counts them."""
    lengths = reviews.lengths
    return {
        "reviews": len(lengths),
        "positive": int(reviews.labels.sum()),
        "ids": len(reviews.ids),
        "mean_length": float(lengths.mean()),
        "longest": int(lengths.max()),
        "outside_vocabulary": int((reviews.ids >= VOCABULARY).sum()),
    }
