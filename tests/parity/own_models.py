"""Experiments of one's own that between them use every setting of a model, and their bundles.

The numbers of a bundle are TensorFlow 1.15's, on random weights and inputs.
"""

from typing import Any, Dict, Tuple

import numpy as np

from tf1_lstm.parity.bundle import Bundle
from tf1_lstm.parity.spec import Spec, spec_of
from tf1_lstm.recipes import (
    GRU,
    SGD,
    Adadelta,
    Adam,
    Arrays,
    BasicLSTM,
    BasicRNN,
    Bidirectional,
    CoupledLSTM,
    Embedding,
    Epochs,
    Experiment,
    Layer,
    PeepholeLSTM,
    Recurrent,
    Regression,
    ResetAfterGRU,
    Rows,
    Softmax,
)
from tf1_lstm.recipes.flat import flat_settings

BATCH, STEPS, INPUTS, UNITS, CLASSES, WORDS = 6, 7, 4, 5, 3, 12
LENGTHS = np.array([7, 5, 1, 4, 7, 3], np.int32)
LSTM, BOTH = BasicLSTM(UNITS), Bidirectional()


def experiment(recurrent: Recurrent, head: Any = None, **more: Any) -> Experiment:
    """An experiment on rows, where nothing else is said."""
    parts = {"inputs": Rows(INPUTS), "data": Arrays("none.npz"), "optimizer": Adam(0.01), **more}
    return Experiment(
        recurrent=recurrent, head=head or Softmax(CLASSES), schedule=Epochs(1, batch_size=BATCH), **parts
    )


def of_words(recurrent: Recurrent, head: Any = None, **more: Any) -> Experiment:
    """An experiment on ids with a trained embedding."""
    return experiment(recurrent, head, inputs=Embedding(INPUTS, WORDS), **more)


def merged(how: str, joined: bool = False) -> Bidirectional:
    """Two directions."""
    return Bidirectional(how, joined)


COUNTED: Dict[str, Any] = {"mask": "sequence_length"}
ZEROS: Dict[str, Any] = {"mask": "mask_zero"}
MODELS: Dict[str, Experiment] = {
    "squared errors": experiment(Recurrent(LSTM), Regression(2)),
    "absolute errors of a dense layer": experiment(
        Recurrent(GRU(UNITS), layers=2), Regression(2, loss="absolute", dense=4)
    ),
    "squared errors at each step": experiment(
        Recurrent(BasicRNN(UNITS, activation="relu"), read="steps"), Regression(2)
    ),
    "a class at each step": experiment(Recurrent(LSTM, read="steps")),
    "a class at each step, both directions": experiment(Recurrent(LSTM, bidirectional=BOTH, read="steps")),
    "an LSTM with ReLU": experiment(Recurrent(BasicLSTM(UNITS, activation="relu"))),
    "lengths": experiment(Recurrent(LSTM, **COUNTED)),
    "lengths, two stacks": experiment(Recurrent(GRU(UNITS), 2, BOTH, **COUNTED)),
    "lengths, two stacks, each step": experiment(Recurrent(LSTM, 2, BOTH, "steps", **COUNTED)),
    "lengths, sum of the last outputs": experiment(Recurrent(LSTM, 1, merged("sum"), "output", **COUNTED)),
    "lengths, product at each step": experiment(
        Recurrent(ResetAfterGRU(UNITS), 1, merged("product"), "steps", **COUNTED)
    ),
    "lengths, mean of the average": experiment(
        Recurrent(PeepholeLSTM(UNITS), 2, merged("average", joined=True), "mean", **COUNTED)
    ),
    "lengths, maximum of a coupled LSTM": experiment(
        Recurrent(CoupledLSTM(UNITS, activation="relu"), read="maximum", **COUNTED)
    ),
    "lengths, backwards, each step": experiment(
        Recurrent(LSTM, 2, read="steps", go_backwards=True, **COUNTED)
    ),
    "backwards": experiment(Recurrent(GRU(UNITS, activation="sigmoid"), go_backwards=True)),
    "a shared cell behind a ReLU layer": experiment(Recurrent(LSTM, 3, shared_cell=True), front=Layer(UNITS)),
    "lengths, a shared cell, the mean": experiment(
        Recurrent(GRU(UNITS), 2, read="mean", shared_cell=True, **COUNTED), front=Layer(UNITS, "tanh")
    ),
    "a linear layer and gradient descent": experiment(
        Recurrent(BasicRNN(UNITS, activation="sigmoid")), front=Layer(3, "linear"), optimizer=SGD(0.1)
    ),
    "the forward direction and Adadelta": experiment(
        Recurrent(LSTM, 1, merged("forward")), optimizer=Adadelta(1.0)
    ),
    "zeros left out": of_words(Recurrent(LSTM, 2, **ZEROS)),
    "zeros left out, each step": of_words(Recurrent(ResetAfterGRU(UNITS), 1, BOTH, "steps", **ZEROS)),
    "zeros left out, two stacks, maximum": of_words(Recurrent(LSTM, 2, merged("sum"), "maximum", **ZEROS)),
    "zeros left out, backwards, the mean": of_words(
        Recurrent(BasicRNN(UNITS), read="mean", go_backwards=True, **ZEROS)
    ),
    "words up to the last, backwards": of_words(
        Recurrent(LSTM, go_backwards=True, **COUNTED), front=Layer(3, "sigmoid")
    ),
    "the mean of all steps": of_words(Recurrent(LSTM, read="mean")),
    "the maximum of the sum": of_words(Recurrent(LSTM, 2, merged("sum"), "maximum")),
    "the last output of each direction": of_words(Recurrent(GRU(UNITS), 1, BOTH, "output")),
    "three widths, selu twice, absolute errors at each step": experiment(
        Recurrent(LSTM, 3, read="steps", widths=(UNITS, 3, 6)),
        Regression(2, loss="absolute", dense=4, dense_activation="selu", activation="selu"),
        front=Layer(3, "selu"),
    ),
    "lengths, joined layers of two widths": experiment(
        Recurrent(GRU(UNITS), 2, merged("join", joined=True), "mean", widths=(UNITS, 3), **COUNTED)
    ),
    "two stacks of two widths": experiment(
        Recurrent(ResetAfterGRU(UNITS), 2, BOTH, "steps", widths=(UNITS, 7))
    ),
}
# Between them they use every setting; the others are combinations.
FEW = (
    "squared errors",
    "lengths, two stacks, each step",
    "lengths, mean of the average",
    "lengths, backwards, each step",
    "lengths, a shared cell, the mean",
    "zeros left out, two stacks, maximum",
    "words up to the last, backwards",
    "the forward direction and Adadelta",
    "three widths, selu twice, absolute errors at each step",
    "lengths, joined layers of two widths",
)


def settings_of(composed: Experiment) -> Dict[str, Any]:
    """Flat settings with the number of steps, which the data decide."""
    return {**flat_settings(composed), "steps": STEPS}


def batch_of(spec: Spec, random: Any) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inputs, labels as a bundle has them, and as the graph takes them."""
    if spec.embedding:
        inputs = random.randint(1, WORDS, (BATCH, STEPS)).astype(np.int32)
        inputs[np.arange(STEPS) >= LENGTHS[:, None]] = 0
        inputs[0, 2] = 0
    else:
        inputs = random.normal(size=(BATCH, STEPS, INPUTS)).astype(np.float32)
    each = (BATCH, STEPS) if spec.per_step else (BATCH,)
    if spec.output == "regression":
        labels = random.normal(size=(*each, 2)).astype(np.float32)
        return inputs, labels, labels
    numbers = random.randint(0, CLASSES, each).astype(np.int32)
    labels = np.eye(CLASSES, dtype=np.float32)[numbers]
    if not spec.per_step:
        return inputs, labels, labels
    labels[0, -2:], numbers[0, -2:] = 0, -1  # two steps do not count
    return inputs, labels, numbers


def recorded(composed: Experiment) -> Bundle:
    """The bundle of TensorFlow 1.15's numbers."""
    from tf1_lstm.runs.record import record

    settings, random = settings_of(composed), np.random.RandomState(2)
    spec = spec_of(settings)
    weights = {
        role: random.normal(0, 0.5, shape).astype(np.float32)
        for role, shape in spec.shapes(INPUTS, WORDS).items()
    }
    inputs, labels, fed = batch_of(spec, random)
    lengths = LENGTHS if spec.takes_lengths else None
    numbers = record(composed, weights, inputs, fed, {}, lengths)
    document: Dict[str, Any] = {"recipe": "mine", "settings": settings, "batch": {}, "versions": {}}
    if spec.embedding:
        document["words"] = {"count": WORDS, "unknown": 1}
    return Bundle(
        document=document,
        weights=weights,
        inputs=inputs,
        labels=labels,
        vectors=None,
        steps=numbers.steps,
        logits=numbers.logits,
        loss=numbers.loss,
        gradients=numbers.gradients,
        updates=tuple(numbers.updates),
        split_logits=None,
        lengths=lengths,
    )
