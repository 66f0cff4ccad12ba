"""Damage checkpoints in thousands of ways and see that each is read rightly or refused.

Run as a program, in a process of its own with a limit on memory:

    python -m tests.checkpoints.fuzzing --cases 100000 --seed 1 [CHECKPOINT-FOLDER ...]

prints one JSON document: how many cases ended how, and every case that went wrong. A case is made
again from its seed and number alone (``--only NUMBER``).
"""

import argparse
import hashlib
import json
import random
import resource
import shutil
import signal
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from tests.checkpoints.support import CASES, expected_of, listed_cases
from tf1_lstm.checkpoints.conversion import plan
from tf1_lstm.checkpoints.formats.crc32c import crc32c, masked
from tf1_lstm.checkpoints.formats.sstable import Table
from tf1_lstm.checkpoints.identify import identify
from tf1_lstm.checkpoints.inspection import inspect, lines
from tf1_lstm.checkpoints.reading import read_checkpoint
from tf1_lstm.checkpoints.restore import load_weights
from tf1_lstm.errors import InputError

MEMORY = 3 << 30  # bytes of address space
SECONDS = 20  # after which a case counts as hanging
Shapes = Dict[str, Tuple[int, ...]]


class Source(NamedTuple):
    """A sound checkpoint: its files, what it expects, and what reading it gives."""

    prefix: Path
    files: Tuple[Path, ...]
    expected: Shapes
    variables: str
    weights: str


class HangError(Exception):
    """A case took too long."""


def variables_digest(prefix: Path) -> str:
    """One hash over every variable that can be read."""
    checkpoint = read_checkpoint(prefix)
    total = hashlib.sha256()
    for name, spec in checkpoint.specs.items():
        total.update(f"{name} {spec.shape} {spec.dtype}\n".encode())
        total.update(checkpoint.variables[name].tobytes() if spec.is_numeric else b"")
    return total.hexdigest()


def weights_digest(prefix: Path, expected: Shapes) -> str:
    """The canonical digest, or "refused"."""
    try:
        return load_weights(prefix, expected).digest()
    except InputError:
        return "refused"


def source(path: Path, expected: Optional[Shapes] = None) -> Source:
    """Read a sound checkpoint."""
    checkpoint = read_checkpoint(path)
    if expected is None:
        found = identify(checkpoint.specs).sources
        expected = {role: tuple(origin.shape) for role, origin in found.items()}
    files = tuple(Path(name) for name in checkpoint.files)
    prefix = Path(checkpoint.prefix)
    return Source(prefix, files, expected, variables_digest(prefix), weights_digest(prefix, expected))


def flip(chance: random.Random, content: bytearray) -> bytearray:
    """Flip one to eight bits."""
    for _ in range(chance.choice((1, 1, 1, 2, 8))):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    return content


def _range(chance: random.Random, content: bytearray) -> Tuple[int, int]:
    first = chance.randrange(len(content))
    return first, min(len(content), first + chance.choice((1, 2, 4, 8, 64, 1024)))


def cut(chance: random.Random, content: bytearray) -> bytearray:
    """Cut the end off."""
    return content[: chance.randrange(len(content))]


def delete(chance: random.Random, content: bytearray) -> bytearray:
    """Take some bytes out."""
    first, last = _range(chance, content)
    return content[:first] + content[last:]


def insert(chance: random.Random, content: bytearray) -> bytearray:
    """Put some bytes in."""
    first, last = _range(chance, content)
    extra = bytes(chance.getrandbits(8) for _ in range(last - first))
    return content[:first] + extra + content[first:]


def repeat(chance: random.Random, content: bytearray) -> bytearray:
    """Say some bytes twice."""
    first, last = _range(chance, content)
    return content[:last] + content[first:]


def paint(chance: random.Random, content: bytearray) -> bytearray:
    """Write one value over some bytes: zeros, ones, or the largest numbers."""
    first, last = _range(chance, content)
    content[first:last] = bytes([chance.choice((0, 1, 0x7F, 0x80, 0xFF))]) * (last - first)
    return content


def scramble(chance: random.Random, content: bytearray) -> bytearray:
    """Write noise over some bytes."""
    first, last = _range(chance, content)
    content[first:last] = bytes(chance.getrandbits(8) for _ in range(last - first))
    return content


def move(chance: random.Random, content: bytearray) -> bytearray:
    """Copy some bytes to another place."""
    first, last = _range(chance, content)
    place = chance.randrange(len(content))
    content[place : place + last - first] = content[first:last]
    return content


def empty(chance: random.Random, content: bytearray) -> bytearray:
    """Leave nothing, or something else."""
    return bytearray(chance.choice((b"", b"\0", b"text\n", b"\x89HDF\r\n\x1a\n", bytes(48))))


CHANGES: Tuple[Callable[[random.Random, bytearray], bytearray], ...] = (
    flip,
    flip,
    flip,
    cut,
    cut,
    delete,
    insert,
    repeat,
    paint,
    paint,
    scramble,
    move,
    empty,
)
IN_PLACE = (flip, paint, scramble, move)


def reseal(chance: random.Random, path: Path) -> bytearray:
    """Change bytes of one block of a table and make its checksum right again, as no accident would."""
    table = Table(str(path))
    content = bytearray(path.read_bytes())
    handles = [*table.handles, table.index]
    handle = chance.choice(handles)
    first, last = handle.offset, handle.offset + handle.size
    if last > first:
        content[first:last] = chance.choice(IN_PLACE)(chance, content[first:last])[: last - first]
    if chance.random() < 0.1:
        content[last] = chance.choice((0, 1, 1, 2, 255))  # the compression type
    content[last + 1 : last + 5] = masked(crc32c(bytes(content[first : last + 1]))).to_bytes(4, "little")
    return content


def damage(chance: random.Random, sound: Source, folder: Path) -> Tuple[str, bool]:
    """Copy a checkpoint with one file damaged; return what was done and whether it was resealed."""
    for path in sound.files:
        shutil.copyfile(str(path), str(folder / path.name))
    victim = chance.choice(sound.files)
    tables = [path for path in sound.files if ".data-" not in path.name]
    if chance.random() < 0.4:
        victim = chance.choice(tables)
        (folder / victim.name).write_bytes(bytes(reseal(chance, victim)))
        return f"reseal {victim.name}", True
    if len(sound.files) > 1 and chance.random() < 0.05:
        (folder / victim.name).unlink()
        return f"remove {victim.name}", False
    change = chance.choice(CHANGES)
    content = bytearray(victim.read_bytes())
    (folder / victim.name).write_bytes(bytes(change(chance, content)))
    if chance.random() < 0.1:
        note = bytearray(b'model_checkpoint_path: "/gone/model-1"\nall_model_checkpoint_paths: "x"\n')
        (folder / "checkpoint").write_bytes(bytes(chance.choice(CHANGES)(chance, note)))
    return f"{change.__name__} {victim.name}", False


def check(sound: Source, folder: Path, resealed: bool) -> str:
    """Read a damaged checkpoint in every way there is; return how it ended, or raise."""
    prefix = folder / sound.prefix.name
    target = str(folder / "out" / "x")
    ways: Sequence[Callable[[], Any]] = (
        lambda: lines(inspect(prefix, {})),
        lambda: inspect(folder, {}),
        lambda: plan(prefix, target, "tf1.0", keep_names=True),
    )
    for way in ways:
        try:
            way()
        except InputError as error:
            if not str(error).startswith(("/", "'")):
                raise AssertionError(f"an error that names no file: {error}") from error
    weights = weights_digest(prefix, sound.expected)
    if resealed:
        return "read" if weights != "refused" else "refused"
    if weights not in ("refused", sound.weights):
        raise AssertionError("wrong weights")
    try:
        variables = variables_digest(prefix)
    except InputError:
        return "refused"
    if variables != sound.variables:
        raise AssertionError("wrong variables")
    return "unharmed"


def _alarm(number: int, frame: object) -> None:
    raise HangError(f"more than {SECONDS} seconds")


def run_case(sources: Sequence[Source], seed: int, number: int) -> Tuple[str, str, Optional[str]]:
    """One case: what was done, how it ended, and the traceback where it went wrong."""
    chance = random.Random(f"{seed}-{number}")
    sound = chance.choice(sources)
    done = "copying"
    with tempfile.TemporaryDirectory() as name:
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        try:
            done, resealed = damage(chance, sound, Path(name))
            return done, check(sound, Path(name), resealed), None
        except Exception:
            return done, "wrong", traceback.format_exc()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the cases and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, metavar="CHECKPOINT-FOLDER")
    parser.add_argument("--cases", type=int, default=2500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, metavar="NUMBER")
    options = parser.parse_args(arguments)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGALRM, _alarm)
    sources = [source(CASES / case["path"], expected_of(case)) for case in listed_cases()]
    # A tenth of the cases for each real checkpoint: they are large, and so slow.
    sources += [source(folder) for folder in options.folders for _ in range(len(listed_cases()) // 10)]
    numbers = range(options.cases) if options.only is None else [options.only]
    ended: Dict[str, int] = {}
    wrong = []
    for number in numbers:
        done, how, trace = run_case(sources, options.seed, number)
        ended[how] = ended.get(how, 0) + 1
        if trace is not None:
            wrong.append({"case": number, "done": done, "trace": trace})
    peak = peak_kilobytes()
    print(
        json.dumps({"cases": len(numbers), "ended": ended, "peak_kilobytes": peak, "wrong": wrong}, indent=1)
    )
    return 1 if wrong else 0


def peak_kilobytes() -> int:
    """Peak memory of this very process: ru_maxrss would begin with that of the process it was forked from."""
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    return int(status.split("VmHWM:")[1].split()[0])


if __name__ == "__main__":
    sys.exit(main())
