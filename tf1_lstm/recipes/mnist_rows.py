"""MNIST row by row: an image is 28 steps of 28 pixels, and the last state goes to a softmax."""

from typing import Any, Optional, Tuple

from tf1_lstm.core.cells import GRU, BasicLSTM, BasicRNN, Cell, CoupledLSTM, PeepholeLSTM
from tf1_lstm.recipes.data_parts import MnistRows
from tf1_lstm.recipes.experiment import (
    Adam,
    Bidirectional,
    Experiment,
    Recurrent,
    Rows,
    Softmax,
    Steps,
    TensorFlow1,
)
from tf1_lstm.recipes.published import Figure, Oddity, Published

SOURCE = "notes on RNN and LSTM in TensorFlow 1 (12 April 2024)"
MEASURED = "own run of the published code (seed 1, once)"

BATCH_SIZE = 128
TRAINED_IMAGES = 100_000  # the document's training_iters counts images
ITERATIONS = -(-TRAINED_IMAGES // BATCH_SIZE)

ODDITIES = (
    Oddity(
        "Batches are shuffled copies of 55,000 images end to end; 5,000 training images are never used "
        "(the audit counts them).",
        {"data.sampler": "corrected"},
    ),
    Oddity(
        "What it prints as 'Train set accuracy' is measured on a batch of test images.",
        {"schedule.log_batch": "train"},
    ),
    Oddity("Its final test is on a single batch of 128 images. No setting: `evaluate` measures all 10,000."),
    Oddity(
        "The document prints no figures; those given here are of an own run of the published code, once to "
        "its end. No setting."
    ),
)
VARIANT = Oddity(
    "The document describes this variant in section 5, without code: here only the cell is another. "
    "No setting."
)
BACKWARD_ONLY = Oddity(
    "Only the backward direction's state is read, so the forward cell gets no gradient.",
    {"recurrent.bidirectional.merge": "join"},
)


def _recipe(
    name: str,
    title: str,
    cell: Cell,
    *,
    section: str,
    accuracy: Optional[float] = None,
    oddities: Tuple[Oddity, ...] = (),
    headline: bool = False,
    **recurrent: Any,
) -> Experiment:
    """One of the six: the same schedule, another cell."""
    return Experiment(
        name=name,
        title=f"MNIST row by row: {title}",
        data=MnistRows(sampler="published"),
        inputs=Rows(28),
        recurrent=Recurrent(cell, read="state", **recurrent),
        head=Softmax(10),
        initial_values=TensorFlow1(softmax="random_normal", softmax_bias=0.1),
        optimizer=Adam(learning_rate=0.001),
        schedule=Steps(
            ITERATIONS,
            batch_size=BATCH_SIZE,
            log_every=20,
            log_batch="test",
            log_first=True,
            save_every=ITERATIONS,
        ),
        published=Published(
            source=f"{SOURCE}, section {section}",
            figures=() if accuracy is None else (_figure(accuracy),),
            oddities=oddities + ODDITIES,
            headline=headline,
            sample={"schedule.iterations": 250, "schedule.save_every": 125},
        ),
    )


def _figure(accuracy: float) -> Figure:
    name = "accuracy on all test images"
    return Figure(name, accuracy, 10_000, "test", False, MEASURED, sampler="whole", own_run=True)


RECIPES: Tuple[Experiment, ...] = (
    _recipe("mnist-rnn", "BasicRNNCell(128), last state", BasicRNN(128), section="3", accuracy=0.938),
    _recipe(
        "mnist-lstm",
        "BasicLSTMCell(128), h of the last state",
        BasicLSTM(128),
        section="3",
        accuracy=0.964,
        headline=True,
    ),
    _recipe(
        "mnist-bilstm",
        "two BasicLSTMCell(128), h of the backward direction",
        BasicLSTM(128),
        section="3",
        accuracy=0.965,
        oddities=(BACKWARD_ONLY,),
        bidirectional=Bidirectional(merge="backward"),
    ),
    _recipe(
        "mnist-peephole",
        "LSTMCell(128, use_peepholes=True), h of the last state",
        PeepholeLSTM(128),
        section="5",
        oddities=(VARIANT,),
    ),
    _recipe(
        "mnist-coupled",
        "CoupledInputForgetGateLSTMCell(128), h of the last state",
        CoupledLSTM(128),
        section="5",
        oddities=(VARIANT,),
    ),
    _recipe("mnist-gru", "GRUCell(128), last state", GRU(128), section="5", oddities=(VARIANT,)),
)
