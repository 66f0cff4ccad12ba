"""Trains word vectors on the reviews themselves, for those who have no GloVe file (needs gensim)."""

import zlib
from collections import Counter
from typing import Any, Dict, Iterator, List, Sequence, Set

import numpy as np

from tf1_lstm.data.glove import PADDING, UNKNOWN, WordTable
from tf1_lstm.data.ids import clean
from tf1_lstm.data.progress import Progress, silent
from tf1_lstm.errors import InputError

DIMENSIONS = 50
SEED = 1
EPOCHS = 5
LEAST_COUNT = 5  # rarer words become 'unk', so that its vector is learned too


def gensim_version() -> str:
    """The installed gensim's version.

    Raises:
      InputError: gensim is not installed.
    """
    try:
        import gensim
    except ImportError as error:
        raise InputError(
            "--vectors train: found no gensim, expected it (pip install -r requirements/word2vec.txt)"
        ) from error
    return str(gensim.__version__)


def train_table(texts: Sequence[str], progress: Progress = silent, seed: int = SEED) -> WordTable:
    """Train word2vec (CBOW, window 5) on cleaned reviews, the same bits for the same texts and seed.

    One worker and a hash of its own, because several threads, or Python's own string hash, would
    give other vectors in every run.

    Args:
      texts: one line each.
      progress: shows the reviews of the counting pass and of every epoch.
      seed: of the vectors' first values.

    Returns:
      Words by falling frequency between ``'0'`` (zero vector) and ``'unk'`` (learned from all
      words that occur less than ``LEAST_COUNT`` times); vectors float32 ``[words, 50]``.

    Raises:
      InputError: gensim is not installed, or no word is frequent enough.
    """
    gensim_version()
    from gensim.models import Word2Vec

    counts = Counter(word for text in texts for word in clean(text).split())
    known = {word for word, count in counts.items() if count >= LEAST_COUNT} - {PADDING, UNKNOWN}
    if not known:
        raise InputError(f"--vectors train: found no word {LEAST_COUNT} times in the reviews, expected many")
    with progress(len(texts) * (EPOCHS + 1), "word2vec", "reviews") as bar:
        model = Word2Vec(
            sentences=_Sentences(texts, known, bar),
            vector_size=DIMENSIONS,
            min_count=1,
            epochs=EPOCHS,
            workers=1,
            seed=seed,
            hashfxn=_hash,
        )
    return _table(model.wv.index_to_key, model.wv.vectors)


def _table(trained: List[str], vectors: np.ndarray) -> WordTable:
    """gensim's words and vectors in the published layout: padding first, unknown last."""
    rows: Dict[bytes, int] = {word.encode("ascii"): row for row, word in enumerate(trained)}
    words = [word for word in rows if word != UNKNOWN]
    table = np.zeros((len(words) + 2, vectors.shape[1]), np.float32)
    table[1:-1] = vectors[[rows[word] for word in words]]
    if UNKNOWN in rows:
        table[-1] = vectors[rows[UNKNOWN]]
    return WordTable([PADDING, *words, UNKNOWN], table, "")


class _Sentences:
    """Each review's words with the rare ones as ``unk``; gensim goes through them several times."""

    def __init__(self, texts: Sequence[str], known: Set[bytes], bar: Any) -> None:
        self._texts, self._known, self._bar = texts, known, bar

    def __iter__(self) -> Iterator[List[str]]:
        for text in self._texts:
            yield [
                (word if word in self._known else UNKNOWN).decode("ascii")
                for word in clean(text).split()
                if word != PADDING
            ]
            self._bar.update()


def _hash(word: str) -> int:
    return zlib.crc32(word.encode("utf-8"))
