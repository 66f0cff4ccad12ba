"""The order in which Python 2 went through a dictionary, which decided ties in Keras's word index.

Keras's index was made under 64-bit Python 2.7, whose order follows from the keys' hashes alone: hashes
were not randomized. Source: CPython 2.7, ``Objects/stringobject.c`` (``string_hash``) and
``Objects/dictobject.c`` (``lookdict_string``, ``insertdict``, ``dictresize``).
"""

from typing import Iterable, List, Optional, Tuple

_WORD = (1 << 64) - 1
_LEAST_SLOTS = 8
_PERTURB_SHIFT = 5
_LARGE = 50_000


def python2_hash(key: bytes) -> int:
    """``hash(key)`` of a byte string in 64-bit Python 2.7, as an unsigned number."""
    if not key:
        return 0
    value = key[0] << 7
    for byte in key:
        value = (1_000_003 * value ^ byte) & _WORD
    value ^= len(key)
    return _WORD - 1 if value == _WORD else value


def python2_order(keys: Iterable[bytes]) -> List[bytes]:
    """``keys`` (each once) in the order of a Python 2.7 dictionary that they were put into one by one."""
    slots: List[Optional[Tuple[bytes, int]]] = [None] * _LEAST_SLOTS
    for used, key in enumerate(keys, 1):
        _insert(slots, (key, python2_hash(key)))
        if used * 3 >= len(slots) * 2:
            slots = _resized(slots, used * (2 if used > _LARGE else 4))
    return [entry[0] for entry in slots if entry is not None]


def _insert(slots: List[Optional[Tuple[bytes, int]]], entry: Tuple[bytes, int]) -> None:
    mask = len(slots) - 1
    place = perturb = entry[1]
    while slots[place & mask] is not None:
        place = (place * 5 + perturb + 1) & _WORD
        perturb >>= _PERTURB_SHIFT
    slots[place & mask] = entry


def _resized(slots: List[Optional[Tuple[bytes, int]]], wanted: int) -> List[Optional[Tuple[bytes, int]]]:
    """A table of more than ``wanted`` slots, filled in the order of the old one."""
    size = _LEAST_SLOTS
    while size <= wanted:
        size *= 2
    larger: List[Optional[Tuple[bytes, int]]] = [None] * size
    for entry in slots:
        if entry is not None:
            _insert(larger, entry)
    return larger
