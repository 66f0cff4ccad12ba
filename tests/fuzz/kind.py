"""What a kind of file is to the fuzzer."""

import tempfile
from pathlib import Path
from typing import Any, Callable, Dict, NamedTuple

PROJECT = Path(__file__).resolve().parents[2]
Files = Dict[str, bytes]


class Kind(NamedTuple):
    """One kind of file, or of folder.

    Attributes:
      name: for the report.
      make: the sound files.
      read: the folder that holds them -> what they say.
      exact: whether damage must never change what is read.
    """

    name: str
    make: Callable[[], Files]
    read: Callable[[Path], Any]
    exact: bool


def written(write: Callable[[Path], Any]) -> Files:
    """The files that ``write`` makes in an empty folder."""
    with tempfile.TemporaryDirectory() as name:
        write(Path(name))
        return {
            str(path.relative_to(name)): path.read_bytes()
            for path in sorted(Path(name).rglob("*"))
            if path.is_file() and path.name != ".lock"
        }
