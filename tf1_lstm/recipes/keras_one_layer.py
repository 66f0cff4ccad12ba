"""IMDB with one recurrent layer of 32 on reviews of 500 words, published in Keras (seed 004)."""

from typing import Tuple

from tf1_lstm.recipes.base import Figure, Recipe
from tf1_lstm.recipes.printed_logs import GRU32_LOG, LSTM32_LOG, SIMPLE_RNN32_LOG, Rows, log_lines
from tf1_lstm.recipes.settings import GraphSettings, Schedule

SOURCE = "seed 004 (notes on recurrent networks after Chollet's Deep Learning with Python), section 6.2"
STEPS_PER_EPOCH = 157  # 20,000 reviews in batches of 128, the last with 32
HELD_OUT = 5_000

ODDITIES = (
    "The validation reviews are the last fifth of the training reviews in Keras's order, which `prepare "
    "keras-imdb` restores from the archive.",
    "The document measures no test reviews; `evaluate --split test` does.",
    "Training goes on after the validation loss is lowest.",
)


def _recipe(name: str, title: str, cell: str, rows: Rows) -> Recipe:
    """One of the three: only the cell is another."""
    return Recipe(
        name=name,
        title=f"IMDB, one layer of 32 on 500 words: {title}",
        source=SOURCE,
        dataset="keras-imdb",
        graph=GraphSettings(
            inputs="ids",
            steps=500,
            input_size=32,
            classes=2,
            cell=cell,
            units=32,
            readout="last-state",
            softmax_initializer="random_normal",
            softmax_bias=0.0,
            padding="front",
            embedding="trained",
            vocabulary=10_000,
            initializers="keras",
            output="sigmoid",
        ),
        schedule=Schedule(
            batch_size=128,
            iterations=STEPS_PER_EPOCH * len(rows),
            learning_rate=0.001,
            log_every=1,
            log_batch="epoch",
            save_every=0,
            optimizer="keras-rmsprop",
            epochs=len(rows),
            validation="validation",
            held_out=0.2,
        ),
        figures=(
            Figure(
                f"validation accuracy after epoch {len(rows)}",
                rows[-1][3],
                HELD_OUT,
                "validation",
                False,
                SOURCE,
                sampler="whole",
            ),
        ),
        log=log_lines(rows, STEPS_PER_EPOCH),
        oddities=ODDITIES,
        headline=cell == "basic_lstm",
        corrected={"sampler": "corrected"},
        sample_settings={"steps": 60, "vocabulary": 278, "batch_size": 16, "epochs": 2},
    )


RECIPES: Tuple[Recipe, ...] = (
    _recipe("imdb-simplernn32", "SimpleRNN", "basic_rnn", SIMPLE_RNN32_LOG),
    _recipe("imdb-lstm32", "LSTM", "basic_lstm", LSTM32_LOG),
    _recipe("imdb-gru32", "GRU", "gru_reset_after", GRU32_LOG),
)
