"""Many inputs to one command: which ones, which shard of them, and a file of JSON lines that goes on.

An output file holds one JSON object a line, each with its input under ``"path"``. A command that is
stopped, or killed, goes on behind the last whole line; inputs that failed are tried again.
"""

import json
import os
from pathlib import Path
from typing import IO, Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence

from tf1_lstm.errors import InputError

MOST_LIST_BYTES = 1 << 28


class Shard(NamedTuple):
    """One of several equal parts of a list.

    Attributes:
      number: from 1.
      of: how many there are.
    """

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """Read ``3/16``.

        Raises:
          InputError: it is anything else.
        """
        number, _, of = text.partition("/")
        if number.isdecimal() and of.isdecimal() and len(text) < 20 and 1 <= int(number) <= int(of):
            return cls(int(number), int(of))
        raise InputError(f"--shard: found {text!r}, expected K/N with K from 1 to N, e.g. 3/16")

    def of_list(self, items: Sequence[str]) -> List[str]:
        """Every N-th item: the shards are disjoint, and together they are the list."""
        return list(items[self.number - 1 :: self.of])


def read_list(stream: IO[bytes], name: str) -> List[str]:
    """One path a line; empty lines are left out, and no path twice.

    Raises:
      InputError: too large, or not UTF-8.
    """
    data = stream.read(MOST_LIST_BYTES + 1)
    if len(data) > MOST_LIST_BYTES:
        raise InputError(f"{name}: more than {MOST_LIST_BYTES:,} bytes, expected a list of paths")
    try:
        lines = os.fsdecode(data).splitlines() if b"\0" not in data else None
    except UnicodeDecodeError:
        lines = None
    if lines is None:
        raise InputError(f"{name}: not a text file; expected a path a line")
    return list(dict.fromkeys(line.strip() for line in lines if line.strip()))


class JsonLines:
    """JSON lines to standard output, or behind those that a file already has.

    Use as a context manager.

    Args:
      path: the file; None for standard output.
      question: what was asked of each input; a file that answers another question is refused.

    Raises:
      InputError: the file cannot be read or written, or is none of JSON lines.
    """

    def __init__(self, path: Optional[Path], question: Dict[str, Any]) -> None:
        self._path, self._question = path, question
        self.done: Dict[str, Dict[str, Any]] = {}
        self._stream: Optional[IO[str]] = None
        if path is None:
            return
        whole = self._read(path)
        try:
            self._stream = open(path, "a", encoding="utf-8")  # noqa: SIM115 (open while writing)
            self._stream.truncate(whole)
        except OSError as error:
            raise InputError(f"{path}: cannot be written: {error.strerror or error}") from error

    def __enter__(self) -> "JsonLines":
        return self

    def __exit__(self, *unused: Any) -> None:
        if self._stream is not None:
            self._stream.close()

    def _read(self, path: Path) -> int:
        """Take up what is there; returns the bytes up to the end of the last whole line."""
        try:
            data = path.read_bytes() if path.exists() else b""
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
        whole = data.rfind(b"\n") + 1
        for number, line in enumerate(data[:whole].splitlines(), 1):
            try:
                found = json.loads(line.decode("utf-8"))
                asked, name = found["question"], found["path"]
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise InputError(f"{path}: line {number} is none of this command's JSON lines") from error
            if asked != self._question:
                raise InputError(
                    f"{path}: line {number} answers {json.dumps(asked)}, expected "
                    f"{json.dumps(self._question)}; expected another file"
                )
            self.done[str(name)] = found
        return whole

    def write(self, name: str, document: Dict[str, Any]) -> None:
        """Write one input's line, whole and at once.

        Raises:
          InputError: the disk is full.
        """
        asked = {} if self._stream is None else {"question": self._question}
        text = json.dumps({**document, "path": name, **asked}, ensure_ascii=True, allow_nan=False)
        self.done[name] = document
        if self._stream is None:
            print(text, flush=True)
            return
        try:
            self._stream.write(text + "\n")
            self._stream.flush()
        except OSError as error:
            raise InputError(f"{self._path}: cannot be written: {error.strerror or error}") from error

    def left(self, names: Iterable[str]) -> List[str]:
        """The inputs that are not answered yet; those with an error are asked again."""
        return [name for name in names if name not in self.done or "error" in self.done[name]]


def answer_all(
    names: Sequence[str], lines: JsonLines, answer: Callable[[str], Dict[str, Any]]
) -> Iterator[str]:
    """Write a line for each input, and go on behind one that cannot be used: its line has ``error``.

    Args:
      names: the inputs.
      lines: where to.
      answer: what is asked of one; an ``InputError`` of it becomes its line.

    Yields:
      Each input's name once its line is written.
    """
    for name in names:
        try:
            document = answer(name)
        except InputError as error:
            document = {"error": str(error).splitlines()[0]}
        lines.write(name, document)
        yield name
