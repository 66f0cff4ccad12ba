"""MNIST row by row: an image is 28 steps of 28 pixels, and the last state goes to a softmax."""

from typing import Any, Optional, Tuple

from tf1_lstm.recipes.base import Figure, Recipe
from tf1_lstm.recipes.settings import GraphSettings, Schedule

SOURCE = "seed 002 (notes on RNN and LSTM in TensorFlow 1, 12 April 2024)"
MEASURED = "the document's own loop, run once (seed 1)"

BATCH_SIZE = 128
TRAINED_IMAGES = 100_000  # the document's training_iters counts images

ODDITIES = (
    "The document prints no figures; those given here are of its own loop, run once to its end.",
    "What it prints as 'Train set accuracy' is measured on a batch of test images, and its final test "
    "on a single batch.",
)
VARIANT = "The document describes this variant in section 5, without code: here only the cell is another."


def _recipe(
    name: str,
    title: str,
    cell: str,
    *,
    section: str,
    accuracy: Optional[float] = None,
    oddities: Tuple[str, ...] = (),
    headline: bool = False,
    **graph: Any,
) -> Recipe:
    """One of the six: the same schedule, another cell; ``graph`` holds what else differs."""
    settings = {"readout": "last-state", **graph}
    corrected = {"sampler": "corrected", "log_batch": "train"}
    if settings.get("bidirectional"):
        corrected["readout"] = "both-states"
    return Recipe(
        name=name,
        title=f"MNIST row by row: {title}",
        source=f"{SOURCE}, section {section}",
        dataset="mnist-rows",
        graph=GraphSettings(
            inputs="rows",
            steps=28,
            input_size=28,
            classes=10,
            cell=cell,
            units=128,
            softmax_initializer="random_normal",
            softmax_bias=0.1,
            **settings,
        ),
        schedule=Schedule(
            batch_size=BATCH_SIZE,
            iterations=-(-TRAINED_IMAGES // BATCH_SIZE),
            learning_rate=0.001,
            log_every=20,
            log_batch="test",
            log_first=True,
            save_every=-(-TRAINED_IMAGES // BATCH_SIZE),
        ),
        figures=() if accuracy is None else (_figure(accuracy),),
        oddities=oddities + ODDITIES,
        corrected=corrected,
        headline=headline,
        sample_settings={"iterations": 250, "save_every": 125},
    )


def _figure(accuracy: float) -> Figure:
    name = "accuracy on all test images"
    return Figure(name, accuracy, 10_000, "test", False, MEASURED, sampler="whole")


RECIPES: Tuple[Recipe, ...] = (
    _recipe("mnist-rnn", "BasicRNNCell(128), last state", "basic_rnn", section="3", accuracy=0.938),
    _recipe(
        "mnist-lstm",
        "BasicLSTMCell(128), h of the last state",
        "basic_lstm",
        section="3",
        accuracy=0.964,
        headline=True,
    ),
    _recipe(
        "mnist-bilstm",
        "two BasicLSTMCell(128), h of the backward direction",
        "basic_lstm",
        section="3",
        accuracy=0.965,
        bidirectional=True,
        readout="backward-state",
    ),
    _recipe(
        "mnist-peephole",
        "LSTMCell(128, use_peepholes=True), h of the last state",
        "lstm_peephole",
        section="5",
        oddities=(VARIANT,),
    ),
    _recipe(
        "mnist-coupled",
        "CoupledInputForgetGateLSTMCell(128), h of the last state",
        "lstm_coupled",
        section="5",
        oddities=(VARIANT,),
    ),
    _recipe("mnist-gru", "GRUCell(128), last state", "gru", section="5", oddities=(VARIANT,)),
)
