"""Seals: tell what a run wrote from what was edited afterwards, and say which.

``run.json`` holds a short hash of each of its own values; every line of ``log.jsonl`` ends with a hash
over itself and the line before, the first over the run's ``id``. So a value that was changed, a line that
was changed, taken out or put in, and a log of another run are noticed. A seal is no signature: whoever
wants to forge a run can make its seals again. It keeps mistakes from being believed, not lies.
"""

import hashlib
import json
import re
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

SEAL = "seal"
_ENDING = re.compile(r', "seal": "([0-9a-f]{64})"\}$')
_SHORT = 16  # hexadecimal digits: enough to name what was edited


def identity(record: Mapping[str, Any]) -> str:
    """The ``id`` of a new run: the hash of its first record."""
    return hashlib.sha256(_text(record).encode()).hexdigest()


def seals_of(record: Mapping[str, Any]) -> Dict[str, str]:
    """A short hash for each value of a record; those of a mapping are named ``options.seed``."""
    return {
        name: hashlib.sha256(_text(value).encode()).hexdigest()[:_SHORT]
        for name, value in sorted(
            _values(json.loads(_text(record))), key=lambda pair: (pair[0], _text(pair[1]))
        )
    }


def edited_values(record: Mapping[str, Any]) -> List[str]:
    """Names of the values that a record's own seal does not fit: changed, taken out or put in."""
    sealed = record.get(SEAL)
    if not isinstance(sealed, dict):
        return [SEAL]
    found = seals_of(record)
    return [name for name in sorted({*sealed, *found}) if sealed.get(name) != found.get(name)]


def _values(record: Mapping[str, Any]) -> Iterator[Tuple[str, Any]]:
    for name, value in record.items():
        if name == SEAL:
            continue
        if isinstance(value, dict) and value:
            yield from ((f"{name}.{key}", part) for key, part in value.items())
        else:
            yield name, value


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, allow_nan=False)


def sealed_line(previous: str, document: Mapping[str, Any]) -> Tuple[str, str]:
    """One line of the log without its newline, and its seal, the next line's ``previous``."""
    text = json.dumps({name: value for name, value in document.items() if name != SEAL}, allow_nan=False)
    seal = _chained(previous, text)
    return f'{text[:-1]}, "{SEAL}": "{seal}"}}', seal


def _chained(previous: str, text: str) -> str:
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()


def seal_of_line(line: str) -> Optional[str]:
    """The seal that a line of the log ends with, or None."""
    found = _ENDING.search(line)
    return found.group(1) if found else None


def broken_line(first: str, lines: Sequence[str]) -> Optional[int]:
    """The place (from 0) of the first line that does not follow from those before it, or None.

    Args:
      first: the run's ``id``.
      lines: whole lines of the log.
    """
    previous = first
    for place, line in enumerate(lines):
        found = _ENDING.search(line)
        if found is None or _chained(previous, line[: found.start()] + "}") != found.group(1):
            return place
        previous = found.group(1)
    return None
