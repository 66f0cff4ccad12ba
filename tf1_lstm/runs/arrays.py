"""A model over arrays that somebody gives, without a data set."""

from typing import Any, Dict, Iterator, Optional

import numpy as np

from tf1_lstm.errors import InputError
from tf1_lstm.recipes.experiment import Rows
from tf1_lstm.runs.model import Model

AT_ONCE = 500


def outputs_of(
    model: Model, inputs: np.ndarray, where: str, lengths: Optional[np.ndarray] = None
) -> np.ndarray:
    """The logits, or the numbers of a regression, dropout off; see ``feeds_of``."""
    found = []
    for feeds in feeds_of(model, inputs, where, lengths):
        found.append(model.session.run(model.graph.logits, feeds))
    return np.concatenate(found)


def feeds_of(
    model: Model, inputs: np.ndarray, where: str, lengths: Optional[np.ndarray] = None
) -> Iterator[Dict[Any, np.ndarray]]:
    """Yield what a graph is fed of arrays that somebody gives, ``AT_ONCE`` examples at once, dropout off.

    Args:
      model: filled with weights.
      inputs: ``[batch, steps]`` ids of any integer type, or ``[batch, steps, width]`` float32 or float64.
      where: what an error names.
      lengths: ``[batch]``, the steps of each example that count; None for all.

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
    if lengths is not None:
        _check_lengths(model, inputs, lengths, where)
        inputs = inputs if rows else cut_to_lengths(inputs, lengths)
    for first in range(0, len(inputs), AT_ONCE):
        part = inputs[first : first + AT_ONCE].astype(np.float32 if rows else np.int32)
        counted = None if lengths is None else lengths[first : first + AT_ONCE].astype(np.int32)
        yield {graph.inputs: part, graph.keep_prob: 1.0, **model.length_feed(part, counted)}


def cut_to_lengths(ids: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Ids with zeros behind each example's length: by them a graph of ids knows where it ends."""
    return np.where(np.arange(ids.shape[1]) < lengths[:, None], ids, 0).astype(ids.dtype)


def _check_lengths(model: Model, inputs: np.ndarray, lengths: np.ndarray, where: str) -> None:
    """Refuse lengths that the inputs do not have, or that this model does not read."""
    if model.recipe.recurrent.mask != "sequence_length":
        raise InputError(
            f"{where}: found lengths for a model with recurrent.mask={model.recipe.recurrent.mask}, expected "
            "sequence_length"
        )
    if lengths.shape != (len(inputs),) or lengths.dtype.kind not in "iu":
        raise InputError(
            f"{where}: found lengths {lengths.dtype} {list(lengths.shape)}, expected whole numbers "
            f"[{len(inputs)}]"
        )
    if not 1 <= lengths.min() <= lengths.max() <= inputs.shape[1]:
        raise InputError(
            f"{where}: found lengths from {lengths.min()} to {lengths.max()}, expected 1 to {inputs.shape[1]}"
        )
    if inputs.dtype.kind in "iu" and not inputs[np.arange(len(inputs)), lengths - 1].all():
        raise InputError(f"{where}: found id 0 at the end of an example, expected a word (0 is padding)")
