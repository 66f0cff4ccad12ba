"""Ways to spoil bytes: those of ``tests.checkpoints.fuzzing``, and some for texts with a grammar."""

import random
import re
from typing import Callable, Tuple

from tests.checkpoints.fuzzing import CHANGES

NUMBERS = (b"-1", b"0", b"1e999", b"NaN", b"1e-400", b"18446744073709551616", b"true", b"null", b"9" * 5000)
WORDS = (
    b'"../x"',
    b'"/etc/passwd"',
    b'"\\u0000"',
    b'"\xff"',
    b"[" * 3000,
    b"{}",
    b"[]",
    b'""',
    b"(1+1j,)",
    b"(True,)",
    b"\x1b[2J",
    b"\r\n",
    b"%s%n",
)


def number(chance: random.Random, content: bytearray) -> bytearray:
    """Put another number where one stands as text."""
    places = list(re.finditer(rb"-?\d+(?:\.\d+)?", bytes(content[: 1 << 16])))
    if not places:
        return content
    place = chance.choice(places)
    return content[: place.start()] + chance.choice(NUMBERS) + content[place.end() :]


def word(chance: random.Random, content: bytearray) -> bytearray:
    """Put another value where a quoted text stands, or anywhere."""
    places = list(re.finditer(rb'"[^"]*"|\'[^\']*\'', bytes(content[: 1 << 16])))
    if places:
        place = chance.choice(places)
        first, last = place.start(), place.end()
    else:
        first = last = chance.randrange(len(content) + 1)
    return content[:first] + chance.choice(WORDS) + content[last:]


def line(chance: random.Random, content: bytearray) -> bytearray:
    """Take out, repeat or exchange lines."""
    lines = bytes(content).split(b"\n")
    first, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    if chance.random() < 0.4:
        del lines[first]
    else:
        lines[first], lines[other] = lines[other], chance.choice((lines[first], lines[other]))
    return bytearray(b"\n".join(lines))


Change = Callable[[random.Random, bytearray], bytearray]
EVERY: Tuple[Change, ...] = (*CHANGES, number, number, word, word, line)


def mutate(chance: random.Random, content: bytes) -> Tuple[str, bytes]:
    """Spoil bytes in one to three ways; returns what was done, and the result."""
    found, names = bytearray(content), []
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        change = chance.choice(EVERY) if found else word
        names.append(change.__name__)
        found = bytearray(change(chance, found))
    return "+".join(names), bytes(found)
