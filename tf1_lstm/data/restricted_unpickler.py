"""Reads a pickled NumPy array of lists of whole numbers, and nothing else, without executing anything.

``np.savez`` pickles an array of lists, and a pickle is a program. Here it is held against the few
instructions that such an array needs before it runs; the names in it stand for one inert class; and
what comes out is checked down to the last number. Whatever is wrong raises ``ValueError``.
"""

import io
import pickle
import re
from typing import Any, List, Type

MOST_NUMBERS = 1 << 26
MOST_LISTS = 1 << 20
_NAMES = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),  # how Python 3 writes bytes for Python 2: their text and "latin1"
}
# Instructions of protocols 2 to 4: numbers, the memo (up to 4 million places), items of a list ...
_COMMON = re.compile(
    rb"(?:K.|M..|J.{4}|\x8a(?:\x01.|\x02..|\x03.{3}|\x04.{4})|[qh].|r..[\0-\x3f]\0|j.{4}|[(ae\x94]){1,4096}",
    re.DOTALL,
)
# ... and those that are rare, or come once for each list: an empty list, tuples, constants, calls.
_RARE = re.compile(rb"[t\]N)Rb\x85-\x89\x93]|\x80[\x02-\x04]|\x95.{8}|c[\w.]{1,64}\n\w{1,64}\n", re.DOTALL)
_TEXT_LENGTHS = {b"X": 4, b"C": 1, b"U": 1, b"\x8c": 1}  # instruction: bytes of its length
_LONGEST_TEXT = 64
_STOP = b"."


def load_lists(content: bytes) -> List[List[int]]:
    """The rows of a pickled one-dimensional object array whose items are lists of numbers from 0 up.

    Raises:
      ValueError: anything else; the message says what was found.
    """
    _check_instructions(content)

    class Stub(_Stub):
        """Of this call alone: a pickle may set attributes of a class."""

    try:
        array = _Unpickler(io.BytesIO(content), Stub).load()
    except (pickle.UnpicklingError, EOFError, AttributeError, IndexError, KeyError, TypeError) as error:
        raise ValueError(f"a damaged pickle ({error})") from error
    except (OverflowError, MemoryError) as error:
        raise ValueError(f"a pickle that cannot be read ({error})") from error
    return _rows(array, Stub)


class _Stub:
    """What every name in the pickle stands for: it keeps what it is given, and does nothing."""

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Unpickler(pickle.Unpickler):
    """Resolves the names that NumPy's own pickles hold to an inert class, and refuses all others."""

    def __init__(self, stream: io.BytesIO, stub: Type["_Stub"]) -> None:
        super().__init__(stream)
        self._stub = stub

    def find_class(self, module: str, name: str) -> Any:
        """The inert class, for each of the names that are expected."""
        if (module, name) not in _NAMES:
            raise pickle.UnpicklingError(f"it names {f'{module}.{name}':.80}, which is never called")
        return self._stub


def _check_instructions(content: bytes) -> None:
    """Walk over the instructions without running them: only those that such an array needs, to the end."""
    place = rare = 0
    while content[place : place + 1] != _STOP:
        common = _COMMON.match(content, place)
        if common:
            place = common.end()
            continue
        single = _RARE.match(content, place)
        place = single.end() if single else _after_text(content, place)
        rare += 1
        if rare > MOST_LISTS:
            raise ValueError(f"more than {MOST_LISTS:,} lists")
    if place + 1 != len(content):
        raise ValueError(f"{len(content) - place - 1:,} bytes after the end of the pickle")


def _after_text(content: bytes, place: int) -> int:
    """Where a short text ends that begins at ``place``."""
    instruction = content[place : place + 1]
    start = place + 1 + _TEXT_LENGTHS.get(instruction, 0)
    length = int.from_bytes(content[place + 1 : start], "little")
    if not instruction or start > len(content):
        raise ValueError("a truncated pickle")
    if instruction not in _TEXT_LENGTHS or length > _LONGEST_TEXT:
        raise ValueError(f"the pickle instruction {instruction!r}, which no array of lists of numbers needs")
    return start + length


def _rows(array: Any, stub: Type[_Stub]) -> List[List[int]]:
    """Take the rows out of the array's state: (version, shape, type, order, rows)."""
    state = array.state if type(array) is stub else None
    if type(state) is not tuple or len(state) != 5 or type(state[4]) is not list:
        raise ValueError("a pickle of something else than an array of lists")
    shape, rows = state[1], state[4]
    if shape != (len(rows),) or len(rows) > MOST_LISTS:
        raise ValueError(f"an array of {len(rows):,} items whose shape says otherwise")
    if not all(type(row) is list for row in rows):
        raise ValueError("an item that is not a list")
    # Before looking inside: one list may stand in many places.
    if sum(map(len, rows)) > MOST_NUMBERS:
        raise ValueError(f"more than {MOST_NUMBERS:,} numbers")
    for number, row in enumerate(rows):
        if not set(map(type, row)) <= {int} or min(row, default=0) < 0:
            raise ValueError(f"something else than numbers from 0 up in row {number:,}")
    return rows
