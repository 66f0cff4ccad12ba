"""Makes the embedded sample in Keras's layout, of the invented reviews and vectors of ``sample_imdb``."""

from pathlib import Path

from tf1_lstm.data.prepare_keras import from_corpus, vectors_by_id, write_prepared
from tools.sample_imdb import MAKER, corpus, word_table


def make(folder: Path) -> None:
    """Write the sample's files to ``folder``; always the same bytes."""
    prepared = from_corpus(corpus(), MAKER)
    vectors = vectors_by_id(prepared.words or (), word_table(), MAKER)
    write_prepared(prepared, folder, vectors, made_by="tools/make_sample.py")
