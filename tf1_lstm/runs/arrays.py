"""A model over arrays that somebody gives, without a data set."""

import numpy as np

from tf1_lstm.errors import InputError
from tf1_lstm.recipes.experiment import Rows
from tf1_lstm.runs.model import Model

AT_ONCE = 500


def outputs_of(model: Model, inputs: np.ndarray, where: str) -> np.ndarray:
    """The logits, or the numbers of a regression, dropout off.

    Args:
      model: filled with weights.
      inputs: ``[batch, steps]`` ids of any integer type, or ``[batch, steps, width]`` float32 or float64.
      where: what an error names.

    Raises:
      InputError: another type or shape, or an id that the embedding has no row for.
    """
    rows = isinstance(model.recipe.inputs, Rows)
    graph = model.graph
    expected = graph.inputs.shape.as_list()
    fits = inputs.ndim == len(expected) and all(
        wanted in (None, extent) for wanted, extent in zip(expected, inputs.shape)
    )
    kind = "numbers" if rows else "ids"
    if not fits or inputs.dtype.kind not in ("f" if rows else "iu") or not len(inputs):
        shown = ["?" if extent is None else extent for extent in expected]
        raise InputError(f"{where}: found {inputs.dtype} {list(inputs.shape)}, expected {kind} {shown}")
    words = model.recipe.words
    if not rows and words and inputs.size and not 0 <= inputs.min() <= inputs.max() < words:
        raise InputError(
            f"{where}: found ids from {inputs.min()} to {inputs.max()}, expected 0 to {words - 1}"
        )
    found = []
    for first in range(0, len(inputs), AT_ONCE):
        part = inputs[first : first + AT_ONCE].astype(np.float32 if rows else np.int32)
        feeds = {graph.inputs: part, graph.keep_prob: 1.0, **model.length_feed(part, None)}
        found.append(model.session.run(graph.logits, feeds))
    return np.concatenate(found)
