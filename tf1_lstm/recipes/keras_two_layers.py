"""IMDB with two recurrent layers of 64 and a dense layer, published in TensorFlow 2's Keras in 2021.

Four experiments share embedding, width, dropout, loss, optimizer and batches; the cell differs, and the
last one starts from GloVe.
"""

from typing import Tuple

from tf1_lstm.core.cells import BasicLSTM, Cell, ResetAfterGRU
from tf1_lstm.recipes.data_parts import KerasImdb
from tf1_lstm.recipes.experiment import (
    Dropout,
    Embedding,
    Epochs,
    Experiment,
    FrozenVectors,
    Inputs,
    Keras,
    KerasRMSprop,
    Recurrent,
    Sigmoid,
)
from tf1_lstm.recipes.printed_logs import (
    GRU_LOG,
    GRUCELL_LOG,
    LSTM_GLOVE_LOG,
    LSTMCELL_LOG,
    LogRows,
    log_lines,
)
from tf1_lstm.recipes.published import Figure, Oddity, Published

SOURCE = "LSTM and GRU modules in TensorFlow 2 (qq_43940950, CSDN article 117899567, 14 June 2021), section 2"
BATCH_SIZE = 128
STEPS_PER_EPOCH = 195  # printed; 25,000 reviews without the last batch, which is not full
EVALUATED = 25_000
UNITS = 64

ODDITIES = (
    Oddity(
        "The figures printed after each epoch as validation are of the test reviews, so whoever picks an "
        "epoch by them picks by the test. Fixed by holding out the last fifth of the training reviews.",
        {"data.held_out": 0.2, "schedule.validation": "validation"},
    ),
    Oddity(
        "The last batch of an epoch is left out (195 of 195.3): the 40 reviews in it are others each time.",
        {"schedule.drop_remainder": False},
    ),
    Oddity(
        "Training goes on long after the validation loss is lowest, so the figure of the last epoch is not "
        "the best.",
        {"schedule.early_stopping": 3},
    ),
    Oddity(
        "How the reviews are read is not said, and two printed numbers show that it is not as here: 86,539 "
        "words, and 9,838 of the first 9,999 with a GloVe vector. Keras's Tokenizer finds 88,582 words in "
        "the training reviews, and 9,800; only splitters of contractions that keep 's come near. So the "
        "words differ, and with them the first epochs' losses. No setting."
    ),
    Oddity(
        "Which end of a long review is cut or padded is not stated: here the front (data.cutting, "
        "data.padding), as Keras does by default. Nothing to fix."
    ),
    Oddity(
        "How the reviews are shuffled is not stated: here all of them anew for each epoch. Nothing to fix."
    ),
)
PUBLISHED_ON_195_BATCHES = Oddity(
    "Its test figures are of 195 batches (24,960 reviews); here all 25,000 are measured. No setting."
)
CELL_STEPS = Oddity(
    "80 words a review: the length that the comments of the cell models give; it is stated nowhere else. "
    "Nothing to fix (data.steps)."
)
LAYER_STEPS = Oddity(
    "100 words a review: the length that the comments of the layer models give; it is stated nowhere else. "
    "Nothing to fix (data.steps)."
)
MASK_EACH_STEP = Oddity(
    "TensorFlow 2.5, of the document's day, drops the inputs of its LSTM and GRU layers anew at each step, "
    "but keeps one mask for all steps of LSTMCell and GRUCell; Keras 3 keeps one mask in both. Nothing to fix "
    "(dropout.at)."
)
GLOVE_WIDTH = Oddity(
    "Published with GloVe vectors of 100 dimensions; this runs with those that the data were prepared with, "
    "and the run's record has their hash. No setting: `prepare keras-imdb --glove FILE` decides."
)


def _recipe(
    name: str,
    title: str,
    cell: Cell,
    rows: LogRows,
    *,
    steps: int,
    oddities: Tuple[Oddity, ...],
    inputs: Inputs,
    dropped: str = "inputs",
    word_vector_size: int = 0,
    headline: bool = False,
) -> Experiment:
    """One of the four; ``dropped``: how the layers' ``dropout=`` is drawn."""
    accuracy = rows[-1][3]
    return Experiment(
        name=name,
        title=f"IMDB, two layers of 64 and a dense one: {title}",
        data=KerasImdb(steps=steps, words=10_000, padding="front", cutting="front"),
        inputs=inputs,
        recurrent=Recurrent(cell, layers=2, read="state"),
        dropout=Dropout(0.5, (dropped, "dense")),
        head=Sigmoid(dense=64),
        initial_values=Keras(),
        optimizer=KerasRMSprop(learning_rate=0.001),
        schedule=Epochs(len(rows), batch_size=BATCH_SIZE, validation="test", drop_remainder=True),
        published=Published(
            source=SOURCE,
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
            sample={
                "data.steps": 40,
                "data.words": 278,
                "schedule.batch_size": 16,
                "schedule.epochs": 2,
            },
            word_vector_size=word_vector_size,
        ),
    )


RECIPES: Tuple[Experiment, ...] = (
    _recipe(
        "imdb-lstmcell2",
        "LSTMCell, embedding of 100 trained",
        BasicLSTM(UNITS),
        LSTMCELL_LOG,
        steps=80,
        oddities=(CELL_STEPS,),
        inputs=Embedding(100),
        headline=True,
    ),
    _recipe(
        "imdb-grucell2",
        "GRUCell, embedding of 100 trained",
        ResetAfterGRU(UNITS),
        GRUCELL_LOG,
        steps=80,
        oddities=(CELL_STEPS,),
        inputs=Embedding(100),
    ),
    _recipe(
        "imdb-gru2",
        "GRU layers, embedding of 100 trained",
        ResetAfterGRU(UNITS),
        GRU_LOG,
        steps=100,
        oddities=(LAYER_STEPS, MASK_EACH_STEP),
        inputs=Embedding(100),
        dropped="inputs-each-step",
    ),
    _recipe(
        "imdb-lstm2-glove",
        "LSTM layers, embedding from GloVe and frozen",
        BasicLSTM(UNITS),
        LSTM_GLOVE_LOG,
        steps=100,
        oddities=(LAYER_STEPS, MASK_EACH_STEP, GLOVE_WIDTH),
        inputs=FrozenVectors(),
        dropped="inputs-each-step",
        word_vector_size=100,
    ),
)
