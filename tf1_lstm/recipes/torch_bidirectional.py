"""IMDB with a two-layer bidirectional LSTM on batches of similar length, published in PyTorch (seed 003)."""

from typing import Tuple

from tf1_lstm.recipes.base import Recipe
from tf1_lstm.recipes.settings import GraphSettings, Schedule

SOURCE = "seed 003 (LSTM in PyTorch with torchtext, 10 March 2023), section 4"
BATCH_SIZE = 30
EPOCHS = 10
STEPS_PER_EPOCH = 834  # 25,000 reviews, the last batch with 10

IMDB_BILSTM2 = Recipe(
    name="imdb-bilstm2",
    title="IMDB, two bidirectional LSTM layers of 256, embedding from GloVe and trained",
    source=SOURCE,
    dataset="keras-imdb",
    graph=GraphSettings(
        inputs="ids",
        steps=250,
        input_size=0,
        classes=2,
        cell="basic_lstm",
        units=256,
        readout="both-states",
        softmax_initializer="random_normal",
        layers=2,
        bidirectional=True,
        forget_bias=0.0,
        softmax_bias=0.0,
        any_steps=True,
        padding="back",
        embedding="word-vectors-trained",
        initializers="pytorch",
        joined_layers=True,
        double_bias=True,
        keep_prob=0.5,
        dropout_at="embedding,layers,states",
        output="sigmoid",
    ),
    schedule=Schedule(
        batch_size=BATCH_SIZE,
        iterations=STEPS_PER_EPOCH * EPOCHS,
        learning_rate=0.001,
        log_every=1,
        log_batch="epoch",
        save_every=0,
        optimizer="pytorch-adam",
        epochs=EPOCHS,
        validation="test",
        batch_order="similar-length",
    ),
    oddities=(
        "The document's figures are in a picture, so there is none to compare with.",
        "Its reviews are not cut; here they are cut to 250 words (steps), the length of the IMDB tutorial, "
        "since a step costs the same however long ago the review began.",
        "Its words are those of spaCy's tokenizer, upper and lower case apart; here those of Keras's rule.",
        "Padding is read like a word; batches of similar length keep it short. Here a review is measured "
        "without any.",
        "PyTorch trains two biases for each gate that are only ever added, so their sum moves twice as far.",
        "Published with GloVe vectors of 100 dimensions; this runs with those that the data were prepared "
        "with, and the run's record has their hash.",
        "The test reviews are measured after each epoch (in the document before it), so whoever picks an "
        "epoch by them picks by the test.",
    ),
    headline=True,
    corrected={"sampler": "corrected", "held_out": 0.2, "validation": "validation"},
    sample_settings={"steps": 40, "units": 16, "batch_size": 10, "epochs": 2},
    word_vector_size=100,
)

RECIPES: Tuple[Recipe, ...] = (IMDB_BILSTM2,)
