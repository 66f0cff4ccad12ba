"""Headers of NumPy's ``.npy`` format, read by a grammar of their own and never evaluated.

NumPy's own reader hands a header of any length to Python's parser, which a sum of a hundred thousand
terms sends to a stack overflow. A header that ``np.save`` wrote for plain numbers needs no such parser:
three keys, a short text, a truth value and a few whole numbers.
"""

import re
import struct
from typing import IO, Any, Dict, Iterator, List, NamedTuple, Tuple

import numpy as np

LONGEST_HEADER = 10_000  # bytes; NumPy's own limit since 1.24
MOST_AXES = 32
MOST_BYTES = 1 << 62  # keeps products of extents within 64 bits

_MAGIC = b"\x93NUMPY"
_WIDTHS = {(1, 0): "<H", (2, 0): "<I", (3, 0): "<I"}
_TOKEN = re.compile(r"\s*(?:([{}():,])|'([\w.<>|=]{0,40})'|(True|False)\b|(\d{1,19})L?(?!\w))")
_PLAIN_TYPE = re.compile(r"[<>|=]?([biufc])(\d{1,2})|[<>|=]?([SU])(\d{1,9})")
_OBJECT_TYPE = re.compile(r"[<>|=]?O\d*")


class ObjectArrayError(ValueError):
    """The array holds pickled Python objects."""


class Header(NamedTuple):
    """What a ``.npy`` says of its array.

    Attributes:
      dtype: of plain numbers, truth values or texts.
      shape: the extents.
      fortran_order: whether the first axis is the fastest.
      offset: bytes before the first element.
    """

    dtype: np.dtype
    shape: Tuple[int, ...]
    fortran_order: bool
    offset: int

    @property
    def size(self) -> int:
        """Bytes of the elements."""
        count = int(self.dtype.itemsize)
        for extent in self.shape:
            count *= extent
        return count


def read_header(stream: IO[bytes]) -> Header:
    """Read a header of version 1, 2 or 3; the stream then stands at the first element.

    Raises:
      ObjectArrayError: the array is one of Python objects.
      ValueError: no ``.npy``, or a header that ``np.save`` does not write for plain arrays.
    """
    start = stream.read(8)
    kind = _WIDTHS.get((start[6], start[7])) if len(start) == 8 and start[:6] == _MAGIC else None
    if kind is None:
        raise ValueError("not a .npy array")
    field = stream.read(struct.calcsize(kind))
    if len(field) != struct.calcsize(kind):
        raise ValueError("truncated within its header")
    (length,) = struct.unpack(kind, field)
    if length > LONGEST_HEADER:
        raise ValueError(f"a header of {length:,} bytes, expected at most {LONGEST_HEADER:,}")
    text = stream.read(length)
    if len(text) != length:
        raise ValueError("truncated within its header")
    dtype, shape, fortran = parse_header(text)
    return Header(dtype, shape, fortran, 8 + len(field) + length)


def parse_header(text: bytes) -> Tuple[np.dtype, Tuple[int, ...], bool]:
    """Read the dictionary of a header: type, shape, and whether the order is Fortran's.

    Args:
      text: at most ``LONGEST_HEADER`` bytes, ``{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }``.
    """
    fields = _dictionary(_tokens(text))
    if set(fields) != {"descr", "fortran_order", "shape"}:
        raise ValueError("its header is not a .npy header")
    descr, shape, fortran = fields["descr"], fields["shape"], fields["fortran_order"]
    if not isinstance(descr, str) or type(fortran) is not bool or not isinstance(shape, tuple):
        raise ValueError("its header is not a .npy header")
    if _OBJECT_TYPE.fullmatch(descr):
        raise ObjectArrayError("pickled Python objects, which are never loaded")
    dtype = _plain_type(descr)
    total = dtype.itemsize
    for extent in shape:
        total *= max(1, extent)
    if len(shape) > MOST_AXES or total > MOST_BYTES:
        raise ValueError(f"its shape is {shape!r:.60}")
    return dtype, shape, fortran


def _plain_type(descr: str) -> np.dtype:
    if not _PLAIN_TYPE.fullmatch(descr):
        raise ValueError(f"its type is {descr!r:.40}, expected plain numbers or texts")
    try:
        dtype = np.dtype(descr)
    except TypeError as error:
        raise ValueError(f"its type is {descr!r:.40}, which NumPy does not know") from error
    if not dtype.itemsize:
        raise ValueError(f"its type is {descr!r:.40}, which holds nothing")
    return dtype


def _tokens(text: bytes) -> Iterator[Any]:
    """Punctuation as it is, texts as ``("text", value)``, truth values and whole numbers as they are."""
    if len(text) > LONGEST_HEADER:
        raise ValueError(f"a header of {len(text):,} bytes, expected at most {LONGEST_HEADER:,}")
    header, place = text.decode("latin-1").rstrip(), 0
    while place < len(header):
        found = _TOKEN.match(header, place)
        if found is None:
            raise ValueError(f"its header holds {header[place : place + 20]!r}")
        place = found.end()
        mark, word, truth, number = found.groups()
        if mark:
            yield mark
        elif word is not None:
            yield ("text", word)
        else:
            yield truth == "True" if truth else int(number)


def _dictionary(tokens: Iterator[Any]) -> Dict[str, Any]:
    """``{ TEXT : VALUE , ... }`` with or without a last comma, and nothing after it."""
    unreadable = ValueError("its header cannot be read")
    fields: Dict[str, Any] = {}
    if next(tokens, None) != "{":
        raise unreadable
    token = next(tokens, None)
    while token != "}":
        if type(token) is not tuple or token[1] in fields or next(tokens, None) != ":":
            raise unreadable
        fields[token[1]], token = _value(tokens)
        if token == ",":
            token = next(tokens, None)
        elif token != "}":
            raise unreadable
    if next(tokens, None) is not None:
        raise unreadable
    return fields


def _value(tokens: Iterator[Any]) -> Tuple[Any, Any]:
    """A text, a truth value or a tuple of whole numbers, and the token after it."""
    token = next(tokens, None)
    if type(token) is tuple:
        return token[1], next(tokens, None)
    if type(token) is bool:
        return token, next(tokens, None)
    if token != "(":
        raise ValueError("its header cannot be read")
    extents: List[int] = []
    token = next(tokens, None)
    comma = True
    while token != ")":
        if type(token) is not int or not comma:
            raise ValueError("its shape is not one of whole numbers")
        extents.append(token)
        token = next(tokens, None)
        comma = token == ","
        if comma:
            token = next(tokens, None)
    if len(extents) == 1 and not comma:
        raise ValueError("its shape is not a tuple")
    return tuple(extents), next(tokens, None)
