"""Recurrent programs of TensorFlow 1, as people wrote them: each builds one model and says what it is fed."""

from typing import Any, Callable, Dict, List, NamedTuple

import numpy as np

from tf1_lstm.graphs.quiet import tf

v1 = tf.compat.v1
rnn = tf.nn.rnn_cell


class Program(NamedTuple):
    """A model that was built in the current graph.

    Attributes:
      feeds: placeholder -> what it is fed; the inputs come first.
      output: tensor of the logits or numbers.
      loss: tensor that was made small.
    """

    feeds: Dict[Any, np.ndarray]
    output: Any
    loss: Any


Build = Callable[[], Program]
ALL: List[Build] = []
OUTSIDE: Dict[str, str] = {}  # program -> the word of the part that no experiment has
EXCUSED = ("convolved", "attention_over_steps", "tags_by_crf")  # of kinds that are outside by design


def program(build: Build) -> Build:
    """Count a function among the programs."""
    ALL.append(build)
    return build


def outside(word: str) -> Callable[[Build], Build]:
    """The same for one with a part that no experiment has, which adopt must name by this word."""

    def mark(build: Build) -> Build:
        OUTSIDE[build.__name__] = word
        return program(build)

    return mark


def floats(*shape: int) -> np.ndarray:
    """Normal draws."""
    return np.random.RandomState(sum(shape)).randn(*shape).astype(np.float32)


def ids(most: int, *shape: int) -> np.ndarray:
    """Ids from 1 to ``most`` - 1."""
    return np.random.RandomState(sum(shape)).randint(1, most, shape).astype(np.int32)


def one_hot(count: int, classes: int) -> np.ndarray:
    """So many labels as rows with a one."""
    return np.eye(classes, dtype=np.float32)[np.arange(count) % classes]
