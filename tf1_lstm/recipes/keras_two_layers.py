"""IMDB with two recurrent layers of 64 and a dense layer, published in TensorFlow 2's Keras (seed 000).

Four experiments share embedding, width, dropout, loss, optimizer and batches; the cell differs, and the
last one starts from GloVe.
"""

from typing import Any, Tuple

from tf1_lstm.recipes.base import Figure, Recipe
from tf1_lstm.recipes.printed_logs import (
    GRU_LOG,
    GRUCELL_LOG,
    LSTM_GLOVE_LOG,
    LSTMCELL_LOG,
    Rows,
    log_lines,
)
from tf1_lstm.recipes.settings import GraphSettings, Schedule

SOURCE = "seed 000 (LSTM and GRU modules in TensorFlow 2, 14 June 2021), section 2"
BATCH_SIZE = 128
STEPS_PER_EPOCH = 195  # printed; 25,000 reviews without the last batch, which is not full
EVALUATED = 25_000

ODDITIES = (
    "The figures printed after each epoch as validation are of the test reviews, so whoever picks an epoch "
    "by them picks by the test.",
    "The last batch of an epoch is left out (195 of 195.3): the 40 reviews in it are others each time.",
    "Training goes on long after the validation loss is lowest, so the figure of the last epoch is not the "
    "best; the document explains early stopping and does not use it.",
    "The document prints how 86,539 words were indexed, not how; here words are counted by Keras's rule.",
    "Which end of a long review is cut is not stated: here the front (padding), as Keras does by default.",
    "How the reviews are shuffled is not stated: here all of them anew for each epoch.",
)
PUBLISHED_ON_195_BATCHES = (
    "Its test figures are of 195 batches (24,960 reviews); here all 25,000 are measured."
)
CELL_STEPS = (
    "80 words a review: the length that the comments of the cell models give; it is stated nowhere else."
)
LAYER_STEPS = (
    "100 words a review: the length that the comments of the layer models give; it is stated nowhere else."
)


def _recipe(
    name: str,
    title: str,
    cell: str,
    rows: Rows,
    *,
    steps: int,
    oddities: Tuple[str, ...],
    word_vector_size: int = 0,
    headline: bool = False,
    **graph: Any,
) -> Recipe:
    """One of the four: ``graph`` holds what differs in the embedding."""
    embedding = {"embedding": "trained", "vocabulary": 10_000, "input_size": 100, **graph}
    accuracy = rows[-1][3]
    return Recipe(
        name=name,
        title=f"IMDB, two layers of 64 and a dense one: {title}",
        source=SOURCE,
        dataset="keras-imdb",
        graph=GraphSettings(
            inputs="ids",
            steps=steps,
            classes=2,
            cell=cell,
            units=64,
            layers=2,
            readout="last-state",
            softmax_initializer="random_normal",
            softmax_bias=0.0,
            padding="front",
            initializers="keras",
            keep_prob=0.5,
            dropout_at="inputs,dense",
            dense_units=64,
            output="sigmoid",
            **embedding,
        ),
        schedule=Schedule(
            batch_size=BATCH_SIZE,
            iterations=STEPS_PER_EPOCH * len(rows),
            learning_rate=0.001,
            log_every=1,
            log_batch="epoch",
            save_every=0,
            optimizer="keras-rmsprop",
            epochs=len(rows),
            validation="test",
            drop_remainder=True,
        ),
        figures=(
            Figure(
                f"test accuracy after epoch {len(rows)}",
                accuracy,
                EVALUATED,
                "test",
                False,
                SOURCE,
                sampler="whole",
            ),
        ),
        log=log_lines(rows, STEPS_PER_EPOCH),
        oddities=(*oddities, PUBLISHED_ON_195_BATCHES, *ODDITIES),
        headline=headline,
        # A fifth of the training reviews is held out for choosing, and every review is trained on.
        corrected={
            "sampler": "corrected",
            "held_out": 0.2,
            "validation": "validation",
            "drop_remainder": False,
        },
        sample_settings={"steps": 40, "vocabulary": 278, "batch_size": 16, "epochs": 2},
        word_vector_size=word_vector_size,
    )


RECIPES: Tuple[Recipe, ...] = (
    _recipe(
        "imdb-lstmcell2",
        "LSTMCell, embedding of 100 trained",
        "basic_lstm",
        LSTMCELL_LOG,
        steps=80,
        oddities=(CELL_STEPS,),
        headline=True,
    ),
    _recipe(
        "imdb-grucell2",
        "GRUCell, embedding of 100 trained",
        "gru_reset_after",
        GRUCELL_LOG,
        steps=80,
        oddities=(CELL_STEPS,),
    ),
    _recipe(
        "imdb-gru2",
        "GRU layers, embedding of 100 trained",
        "gru_reset_after",
        GRU_LOG,
        steps=100,
        oddities=(LAYER_STEPS,),
    ),
    _recipe(
        "imdb-lstm2-glove",
        "LSTM layers, embedding from GloVe and frozen",
        "basic_lstm",
        LSTM_GLOVE_LOG,
        steps=100,
        oddities=(
            LAYER_STEPS,
            "Published with GloVe vectors of 100 dimensions; this runs with those that the data were "
            "prepared with, and the run's record has their hash.",
        ),
        word_vector_size=100,
        embedding="word-vectors",
        vocabulary=10_000,
        input_size=0,
    ),
)
