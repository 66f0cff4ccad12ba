"""IMDB with one recurrent layer of 32 on reviews of 500 words, published in Keras (after Chollet)."""

from typing import Tuple

from tf1_lstm.core.cells import BasicLSTM, BasicRNN, Cell, ResetAfterGRU
from tf1_lstm.recipes.data_parts import KerasImdb
from tf1_lstm.recipes.experiment import (
    Embedding,
    Epochs,
    Experiment,
    Keras,
    KerasRMSprop,
    Recurrent,
    Sigmoid,
)
from tf1_lstm.recipes.printed_logs import GRU32_LOG, LSTM32_LOG, SIMPLE_RNN32_LOG, LogRows, log_lines
from tf1_lstm.recipes.published import Figure, Oddity, Published

SOURCE = "notes after Chollet's Deep Learning with Python (chapter 6), section 6.2"
STEPS_PER_EPOCH = 157  # 20,000 reviews in batches of 128, the last with 32
HELD_OUT = 5_000

ODDITIES = (
    Oddity(
        "Training goes on after the validation loss is lowest.",
        {"schedule.early_stopping": 3},
    ),
    Oddity(
        "The validation reviews are the last fifth of the training reviews in Keras's order, which `prepare "
        "keras-imdb` restores from the archive. Nothing to fix."
    ),
    Oddity("The document measures no test reviews. No setting: `evaluate --split test` does."),
)


def _recipe(name: str, title: str, cell: Cell, rows: LogRows) -> Experiment:
    """One of the three: only the cell is another."""
    return Experiment(
        name=name,
        title=f"IMDB, one layer of 32 on 500 words: {title}",
        data=KerasImdb(steps=500, words=10_000, padding="front", cutting="front", held_out=0.2),
        inputs=Embedding(32),
        recurrent=Recurrent(cell, read="state"),
        head=Sigmoid(),
        initial_values=Keras(),
        optimizer=KerasRMSprop(learning_rate=0.001),
        schedule=Epochs(len(rows), batch_size=128, validation="validation"),
        published=Published(
            source=SOURCE,
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
            headline=isinstance(cell, BasicLSTM),
            sample={
                "data.steps": 60,
                "data.words": 278,
                "schedule.batch_size": 16,
                "schedule.epochs": 2,
            },
        ),
    )


RECIPES: Tuple[Experiment, ...] = (
    _recipe("imdb-simplernn32", "SimpleRNN", BasicRNN(32), SIMPLE_RNN32_LOG),
    _recipe("imdb-lstm32", "LSTM", BasicLSTM(32), LSTM32_LOG),
    _recipe("imdb-gru32", "GRU", ResetAfterGRU(32), GRU32_LOG),
)
