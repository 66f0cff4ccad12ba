"""TensorFlow 1.15, imported without its chatter: ``from tf1_lstm.core.tensorflow import tf``.

TensorFlow warns of NumPy's and its own future on import, of deprecations while a graph is built,
and logs what the processor could do. None of it is about the user's work, and all of it is said
before results are printed. ``TF_CPP_MIN_LOG_LEVEL``, where the user set it, is left alone.
"""

import logging
import os
import signal
import warnings
from contextlib import contextmanager
from typing import Any, Dict, Iterable, Iterator, List, Tuple

# 3: on a machine without a GPU the absence of its driver is logged as an error.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@contextmanager
def _ctrl_c_afterwards() -> Iterator[None]:
    """Let Ctrl-C, and the alarm that repeats it, wait: within the import of TensorFlow's C++ they crashed Python,
    once in sixty times.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGALRM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


with _ctrl_c_afterwards(), warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import tensorflow as tf

if os.environ["TF_CPP_MIN_LOG_LEVEL"] != "0":
    tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)
    logging.getLogger("tensorflow").propagate = False

__all__ = ["load_variables", "tf"]


def load_variables(values: Iterable[Tuple[Any, Any]], session: Any) -> None:
    """Give variables their values as ``Variable.load`` does, all in one step.

    Each operation that a session runs for the first time costs it a look at the whole graph: many
    times what the assignment takes.

    Args:
      values: pairs of a variable and its array.
      session: of the variables' graph.
    """
    left = list(values)
    while left:
        feeds: Dict[Any, Any] = {}
        operations: List[Any] = []
        later: List[Tuple[Any, Any]] = []
        for variable, value in left:
            given = variable.initializer.inputs[1]
            if given in feeds:  # two variables that share the tensor of their initial values
                later.append((variable, value))
                continue
            operations.append(variable.initializer)
            feeds[given] = value
        session.run(operations, feeds)
        left = later
