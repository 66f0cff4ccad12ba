"""What a port's first layer reads, against the bundle: the rows of its embedding, and the batch's steps.

``read_inputs`` runs beside the port and looks every vector up in the port's own table, so that
``explain_inputs`` can say which row stands where, and which id was read for which word.
"""

from typing import Dict, NamedTuple, Optional, Tuple

import numpy as np

from tf1_lstm.parity.bundle import Bundle, Words
from tf1_lstm.parity.optimizers import EMBEDDING
from tf1_lstm.parity.rounding import short_type

Arrays = Dict[str, np.ndarray]
TABLE, SEQUENCE, PLACES, IDS, ROWS = "table", "sequence", "places", "ids", "rows"
NOWHERE = -1
CLOSE = 1e-5
ROW_FOR_ID = "table = the data set's word vectors, row i for id i"
# A factor and a constant are found in so many numbers and more.
FEWEST = 16


class InputFault(NamedTuple):
    """What is wrong with the inputs.

    Attributes:
      name: a term, e.g. ``"embedding-rows-shifted"``.
      says: one sentence, with the numbers.
      fix: what to do.
    """

    name: str
    says: str
    fix: str


def expected_inputs(bundle: Bundle) -> Arrays:
    """Return the rows of the table that the bundle knows, and what the first layer reads."""
    found = {SEQUENCE: bundle.sequence()}
    if bundle.words is not None:
        found[TABLE] = _known(bundle)[1]
    return found


def _known(bundle: Bundle) -> Tuple[np.ndarray, np.ndarray]:
    """Return ids and their vectors: all of a trained embedding, else those of the bundle."""
    if bundle.vectors is not None:
        return bundle.vectors.ids, bundle.vectors.values
    return np.arange(len(bundle.weights[EMBEDDING])), bundle.weights[EMBEDDING]


def read_inputs(bundle: Bundle, sequence: Optional[np.ndarray], table: Optional[np.ndarray]) -> Arrays:
    """Return what a port reads.

    Args:
      bundle: the original.
      sequence: what the first layer read of the batch, ``[batch, steps, inputs]``, or None.
      table: the port's embedding ``[rows, dimensions]``, or None.

    Returns:
      ``sequence``; ``table``, the rows of the ids that the bundle knows; ``places``, the row of the port
      that holds each of the bundle's vectors; ``ids``, the row that each step read. -1: none.
    """
    found: Arrays = {}
    if sequence is not None:
        found[SEQUENCE] = sequence.astype(np.float32)
    if bundle.words is None or table is None or table.ndim != 2:
        return found
    ids, values = _known(bundle)
    table = np.ascontiguousarray(table, np.float32)
    found[ROWS] = np.array(len(table))
    if table.shape[1] != values.shape[1]:
        return found
    if ids[-1] < len(table):
        found[TABLE] = table[ids]
    where = {row.tobytes(): place for place, row in reversed(list(enumerate(table)))}
    found[PLACES] = _look_up(values, ids, table, where)
    if sequence is not None and sequence.shape == (*bundle.inputs.shape, table.shape[1]):
        found[IDS] = _look_up(
            found[SEQUENCE].reshape(-1, table.shape[1]), bundle.inputs.reshape(-1), table, where
        )
        found[IDS] = found[IDS].reshape(bundle.inputs.shape)
    return found


def _look_up(vectors: np.ndarray, ids: np.ndarray, table: np.ndarray, where: Dict[bytes, int]) -> np.ndarray:
    """Return the row that holds each vector; the expected one where several do."""
    own = np.minimum(ids, len(table) - 1)
    same = (table[own] == vectors).all(axis=1) & (own == ids)
    found = [where.get(v.tobytes(), NOWHERE) for v in np.ascontiguousarray(vectors, np.float32)]
    return np.where(same, ids, np.array(found, np.int64))


def explain_inputs(bundle: Bundle, seen: Arrays) -> Optional[InputFault]:
    """Say what is wrong with what a port reads; None where nothing is, or nothing can be seen."""
    found = _of_table(bundle, seen) if bundle.words is not None else None
    if found is None and SEQUENCE in seen:
        found = _of_steps(bundle.sequence(), seen[SEQUENCE])
    if found is None and IDS in seen:
        found = _of_ids(bundle, seen[IDS])
    if found is None and SEQUENCE in seen:
        found = _of_values(bundle.sequence(), seen[SEQUENCE])
    return found


def _of_table(bundle: Bundle, seen: Arrays) -> Optional[InputFault]:
    """Explain an embedding whose rows are others, or elsewhere."""
    words = bundle.words
    assert words is not None
    if PLACES not in seen or (bundle.vectors is None and _equal(bundle, seen)):
        return None
    ids, values = _known(bundle)
    places = seen[PLACES]
    # Rows that are alike (zeros) can stand anywhere.
    telling = (places != ids) & (np.abs(values).max(axis=1) > 0)
    rows = int(seen[ROWS])
    if not telling.any():
        says = f"the embedding has {rows:,} rows, expected {words.count:,}"
        return None if rows == words.count else InputFault("embedding-size", says, ROW_FOR_ID)
    share = f"{telling.sum():,} of the {len(ids):,} rows that the bundle knows"
    if (places[telling] == NOWHERE).all():
        if TABLE not in seen or np.abs(seen[TABLE][telling] - values[telling]).max() <= CLOSE:
            return None  # rounded numbers: the levels say how far off
        kind = short_type(seen[TABLE].reshape(-1))
        if kind and not short_type(values.reshape(-1)):
            return InputFault("embedding-rounded", f"the embedding is rounded to {kind}", "use float32")
        named = ", ".join(_name(int(i), words.unknown) for i in ids[telling][:3])
        return InputFault("embedding-rows-differ", f"{share} hold other numbers: id {named}", ROW_FOR_ID)
    known = telling & (places != NOWHERE)
    name, says = _of_places(ids[known], places[known], words, share)
    return InputFault(f"embedding-rows-{name}", says, ROW_FOR_ID)


def _of_places(ids: np.ndarray, places: np.ndarray, words: Words, share: str) -> Tuple[str, str]:
    """Say how vectors that belong to ``ids`` came to stand at ``places``."""
    steps = np.unique((places - ids + words.count // 2) % words.count) - words.count // 2
    if len(steps) == 1 and len(ids) > 2:
        return "shifted", f"the vectors of {share} stand {steps[0]:+d} further on"
    if (places == words.count - 1 - ids).all() and len(ids) > 2:
        return "reversed", f"{share} stand in the opposite order"
    if len(ids) == 2 and set(places) == set(ids):
        first, second = (_name(int(i), words.unknown) for i in ids)
        return "swapped", f"the vectors of id {first} and id {second} are swapped"
    says = f"the vectors of {share} stand in other rows: that of id {ids[0]} in row {places[0]}"
    return "in-another-order", says


def _equal(bundle: Bundle, seen: Arrays) -> bool:
    return TABLE in seen and np.array_equal(seen[TABLE], _known(bundle)[1])


def _name(number: int, unknown: int) -> str:
    return f"{number}" + (" (the padding)" if not number else " (unknown words)" if number == unknown else "")


def _of_steps(right: np.ndarray, seen: np.ndarray) -> Optional[InputFault]:
    """Explain another number of steps, or another width."""
    if seen.shape == right.shape or seen.ndim != 3 or len(seen) != len(right):
        return None
    (steps, width), (wanted, wanted_width) = seen.shape[1:], right.shape[1:]
    if (steps, width) == (wanted_width, wanted):
        says = (
            f"the first layer reads [{steps}, {width}] for each example, expected [{wanted}, {wanted_width}]"
        )
        return InputFault("steps-and-inputs-exchanged", says, "inputs = inputs.transpose(0, 2, 1)")
    if width != wanted_width:
        says = f"the first layer reads {width} numbers at each step, expected {wanted_width}"
        return InputFault("input-size", says, "check what stands between the inputs and the first layer")
    says, short = f"the first layer reads {steps} steps of {wanted}", steps < wanted
    small, large = (seen, right) if short else (right, seen)
    for start in range(large.shape[1] - small.shape[1] + 1):
        if np.abs(large[:, start : start + small.shape[1]] - small).max(initial=0) <= CLOSE:
            last = start + small.shape[1]
            without = f"{start} at the beginning, {large.shape[1] - last} at the end"
            says += f": {'without' if short else 'with'} {without}"
            break
    return InputFault("number-of-steps", says, f"feed all {wanted} steps")


def _of_ids(bundle: Bundle, ids: np.ndarray) -> Optional[InputFault]:
    words, right = bundle.words, bundle.inputs
    assert words is not None
    wrong = ids != right
    if not wrong.any():
        return None
    row, step = (int(k) for k in np.argwhere(wrong)[0])
    expected, found = _name(int(right[row, step]), words.unknown), _name(int(ids[row, step]), words.unknown)
    if ids[row, step] == NOWHERE:
        found = "no row of its embedding"
    says = f"review {row + 1}, step {step + 1}: id {expected} is expected, {found} is read"
    pairs = np.unique(np.stack([right[wrong], ids[wrong]], axis=1), axis=0)
    changed = np.unique(right[wrong])
    if len(pairs) == len(changed) <= 3 and np.isin(right, changed).sum() == wrong.sum():
        return InputFault("wrong-id", f"{says}, there and everywhere", "correct the id of that word")
    return InputFault(
        "ids-differ", f"{says}; {wrong.sum():,} of {wrong.size:,} ids differ", "compare the ids"
    )


def _of_values(right: np.ndarray, seen: np.ndarray) -> Optional[InputFault]:
    """Explain inputs that are a multiple of the right ones, plus a constant."""
    if seen.shape != right.shape or np.abs(seen - right).max(initial=0) <= CLOSE or right.size < FEWEST:
        return None
    centred = right - right.mean()
    slope = float((centred * seen).sum() / max(float((centred**2).sum()), 1e-30))
    offset = float(seen.mean() - slope * right.mean())
    rest = np.abs(seen - (slope * right + offset)).max()
    if rest > CLOSE * max(1.0, abs(slope), abs(offset)) * 10 or abs(slope) < 1e-6:
        order = np.argwhere(np.abs(seen - right).max(axis=2) > CLOSE)[0]
        says = f"the first layer reads other numbers, first in example {order[0] + 1} at step {order[1] + 1}"
        return InputFault("inputs-differ", says, "print what the first layer reads")
    plus = f"{'+' if offset >= 0 else '-'} {abs(offset):.6g}"
    says = f"the first layer reads {slope:.6g} times the right inputs {plus}"
    return InputFault("inputs-scaled", says, "feed the inputs as they are; pictures divided by 255")
