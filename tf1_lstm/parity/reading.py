"""What is read of the last recurrent layer, and back: which steps, and what becomes of two directions."""

from typing import Dict, NamedTuple, Optional, Tuple

import numpy as np

from tf1_lstm.parity.cells import Trace
from tf1_lstm.parity.spec import Spec

Arrays = Dict[str, np.ndarray]
Traces = Dict[Tuple[str, int], Trace]
# direction -> derivatives by h and by c of every step, in the direction's own order
Derivatives = Dict[str, Tuple[np.ndarray, Optional[np.ndarray]]]


def order(direction: str) -> int:
    """Return the step of a slice that turns the inputs' order into the order of processing, or back."""
    return -1 if direction == "bw" else 1


class Read(NamedTuple):
    """What is read.

    Attributes:
      states: ``[batch, width]``; of an output at every step ``[batch * steps, width]`` in the order of the
        inputs.
      outputs: direction -> ``[batch, units]``, its last computed step; or ``[batch, steps, units]`` in the
        order of the inputs.
      shares: ``[batch, steps, width]``, the share of each step in ``states``; None for one or for every step.
      mask: ``[batch, steps]``, False where an output is zero in place of what the layer gave; or None.
    """

    states: np.ndarray
    outputs: Arrays
    shares: Optional[np.ndarray] = None
    mask: Optional[np.ndarray] = None


def read_of(spec: Spec, traces: Traces, mask: Optional[np.ndarray], last_word: Optional[np.ndarray]) -> Read:
    """Read the last layer.

    Args:
      spec: says what is read.
      traces: of every layer.
      mask: ``[batch, steps]``, False at steps that were left out; None for none.
      last_word: ``[batch]``, its place in the sequence; needed for the position ``"word"``.
    """
    found = {name: _states(spec, traces[name, spec.layer_read]) for name in spec.directions_read}
    if spec.steps_on_batch_axis and not spec.per_step:
        # The port still cuts out[:, -1] or the last state, which is now the last example's.
        place = 0 if spec.position == "first" else -1
        found = {name: array[place][:: order(name)] for name, array in found.items()}
        return Read(_merged(spec, found), found)
    if not spec.reads_sequence:
        found = {name: array[:, -1] for name, array in found.items()}
        return Read(_merged(spec, found), found)
    zeroed = mask if spec.mask == "sequence_length" else None
    found = {name: array[:, :: order(name)] for name, array in found.items()}
    if zeroed is not None:
        found = {name: array * zeroed[:, :, None] for name, array in found.items()}
    merged = _merged(spec, found)
    if spec.per_step:
        return Read(merged.reshape(-1, merged.shape[2]), found, None, zeroed)
    shares = _shares(spec, merged, mask, last_word)
    return Read((merged * shares).sum(axis=1), found, shares, zeroed)


def _states(spec: Spec, trace: Trace) -> np.ndarray:
    if trace.c is None or spec.read == "h":
        return trace.h
    return trace.c if spec.read == "c" else trace.h + trace.c


def _merged(spec: Spec, outputs: Arrays) -> np.ndarray:
    arrays = list(outputs.values())
    if len(arrays) == 1 or spec.merge == "join":
        return np.concatenate(arrays, axis=-1)
    if spec.merge == "product":
        return arrays[0] * arrays[1]
    return (arrays[0] + arrays[1]) / (2 if spec.merge == "average" else 1)


def _back_merged(spec: Spec, outputs: Arrays, d_merged: np.ndarray) -> Arrays:
    names = list(outputs)
    if len(names) == 1:
        return {names[0]: d_merged}
    if spec.merge == "join":
        return dict(zip(names, np.split(d_merged, 2, axis=-1)))
    if spec.merge == "product":
        return {names[0]: d_merged * outputs[names[1]], names[1]: d_merged * outputs[names[0]]}
    return dict.fromkeys(names, d_merged / (2 if spec.merge == "average" else 1))


def _shares(
    spec: Spec, merged: np.ndarray, mask: Optional[np.ndarray], last_word: Optional[np.ndarray]
) -> np.ndarray:
    """Return the share of each step in what is read, ``[batch, steps, width]``."""
    batch, steps, _ = merged.shape
    counts = np.ones((batch, steps), bool) if mask is None else mask
    if spec.position == "mean":
        share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        return np.broadcast_to(share[:, :, None], merged.shape).astype(merged.dtype)
    if spec.position == "max":
        place = np.where(counts[:, :, None], merged, -np.inf).argmax(axis=1)[:, None]
    elif spec.position == "word":
        assert last_word is not None
        place = last_word[:, None, None]
    elif spec.position == "first":
        place = np.zeros((batch, 1, 1), int)
    elif spec.mask == "sequence_length":
        place = (counts.sum(axis=1) - 1)[:, None, None]
    else:
        place = np.full((batch, 1, 1), steps - 1)
    chosen = (np.arange(steps)[None, :, None] == place).astype(merged.dtype)
    return np.broadcast_to(chosen, merged.shape)


def back_read(spec: Spec, traces: Traces, read: Read, d_states: np.ndarray) -> Derivatives:
    """Return the derivatives by h and c of the last layer's steps, in its own order, of what is read."""
    merged = d_states
    if spec.reads_sequence:
        shape = next(iter(read.outputs.values())).shape[:2]
        merged = d_states.reshape(*shape, -1) if read.shares is None else read.shares * d_states[:, None]
    found: Derivatives = {}
    for direction, d_read in _back_merged(spec, read.outputs, merged).items():
        top = traces[direction, spec.layer_read]
        d_steps = np.zeros_like(top.h)
        if not spec.reads_sequence:
            d_steps[:, -1] = d_read
        else:
            kept = d_read if read.mask is None else d_read * read.mask[:, :, None]
            d_steps[:] = kept[:, :: order(direction)]
        of_c = d_steps if spec.read != "h" and top.c is not None else None
        of_h = np.zeros_like(top.h) if spec.read == "c" and of_c is not None else d_steps
        found[direction] = of_h, of_c
    return found
