"""``make fuzz SECONDS=60``: spoil files of every kind, and see that each is read rightly or refused.

The cases run in a process of its own with limits on memory and time; one that ends the process is found
too. A case is made again from its seed, kind and number (``--only``). What goes wrong is kept under
``build/fuzz/`` and ends the command with code 1; copied to ``tests/fuzz/corpus/KIND/LABEL.FILE`` it is
tried first in every later run.
"""

import argparse
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from tests.checkpoints import fuzzing as checkpoints
from tests.fuzz.kind import PROJECT, Files, Kind
from tests.fuzz.kinds import KINDS, names
from tests.fuzz.mutations import mutate
from tf1_lstm.errors import InputError

MEMORY = 2 << 30  # bytes of address space beyond what is used before the first case
SECONDS = 20.0  # after which a case counts as hanging
KEPT = PROJECT / "build" / "fuzz"
CORPUS = Path(__file__).parent / "corpus"


class HangError(Exception):
    """A case took too long."""


def main(arguments: Optional[List[str]] = None) -> int:
    """Run cases of all kinds in turn until the time is over."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--cases", type=int, help="in place of seconds")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="default: the time of day")
    parser.add_argument("--kind", action="append", choices=names(), help="only this one; may be repeated")
    parser.add_argument("--only", type=int, metavar="NUMBER", help="one case again (with --seed and --kind)")
    options = parser.parse_args(arguments)
    # The cases run in a child; this process is left to say what became of it.
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        with open(writing, "w") as report:
            _run(options, report)
        os._exit(0)
    os.close(writing)
    last, totals, wrong = _follow(reading)
    status = os.waitpid(child, 0)[1]
    if status:
        wrong.append({**last, "how": f"the process ended with status {status}"})
    cases = sum(sum(ended.values()) for ended in totals.values())
    for kind, ended in totals.items():
        print(f"{kind:<22}" + "  ".join(f"{how} {count:,}" for how, count in sorted(ended.items())))
    print(f"{cases:,} cases with seed {options.seed}, {len(wrong)} wrong")
    for one in wrong:
        print(json.dumps(one, indent=1))
    return 1 if wrong or not cases else 0


def _follow(reading: int) -> Tuple[Dict[str, Any], Dict[str, Dict[str, int]], List[Dict[str, Any]]]:
    last: Dict[str, Any] = {}
    totals: Dict[str, Dict[str, int]] = {}
    wrong: List[Dict[str, Any]] = []
    with open(reading, encoding="utf-8") as report:
        for line in report:
            found = json.loads(line)
            if "how" not in found:
                last = found
                continue
            ended = totals.setdefault(found["kind"], {})
            ended[found["how"]] = ended.get(found["how"], 0) + 1
            if found["how"] == "wrong":
                wrong.append(found)
    return last, totals, wrong


# ---- in the child --------------------------------------------------------------------------------


def _run(options: argparse.Namespace, report: Any) -> None:
    signal.signal(signal.SIGALRM, _alarm)
    wanted = options.kind or names()
    kinds: List[Any] = []
    with tempfile.TemporaryDirectory() as scratch:
        for kind in KINDS:
            if kind.name in wanted:
                files = kind.make()
                kinds.append((kind, files, _sound(kind, files, Path(scratch))))
    sources = []
    if "checkpoints" in wanted:
        cases = checkpoints.listed_cases()
        listed = random.Random(options.seed).sample(cases, min(12, len(cases)))
        sources = [
            checkpoints.source(checkpoints.CASES / c["path"], checkpoints.expected_of(c)) for c in listed
        ]
    limit = _used() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    for kind, files, _ in kinds:
        for path in sorted((CORPUS / kind.name).glob("*")):
            # LABEL.FILE stands in the place of FILE.
            spoiled = {**files, path.name.partition(".")[2]: path.read_bytes()}
            _case(kind, spoiled, None, f"corpus {path.name}", report)
    end = time.monotonic() + options.seconds
    number = options.only or 0
    while number < (options.cases or 1 << 60) and (options.cases or time.monotonic() < end):
        for kind, files, sound in kinds:
            _random_case(kind, files, sound, options.seed, number, report)
        if sources:
            _checkpoint(sources, options.seed, number, report)
        number += 1
        if options.only is not None:
            break


def _used() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def _alarm(*unused: Any) -> None:
    raise HangError(f"more than {SECONDS:g} seconds")


def _sound(kind: Kind, files: Files, scratch: Path) -> Any:
    """What the sound files say; they must be readable, or nothing is tried at all."""
    folder = scratch / kind.name.replace(" ", "-")
    _write(folder, files)
    return kind.read(folder)


def _write(folder: Path, files: Files) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def _random_case(kind: Kind, files: Files, sound: Any, seed: int, number: int, report: Any) -> None:
    chance = random.Random(f"{seed}-{kind.name}-{number}")
    victim = chance.choice(sorted(files))
    done, content = mutate(chance, files[victim])
    _case(kind, {**files, victim: content}, sound, f"{number}: {done} {victim}", report)


def _case(kind: Kind, files: Files, sound: Any, done: str, report: Any) -> None:
    case = {"kind": kind.name, "case": done}
    print(json.dumps(case), file=report, flush=True)
    trace = None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "x"
        _write(folder, files)
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        try:
            found = kind.read(folder)
            how = "read"
            if kind.exact and sound is not None and not _same(found, sound):
                how, trace = "wrong", "read as something else than was written"
        except InputError as error:
            how = "refused"
            if len(str(error)) > 2000 or "\n" in str(error):
                how, trace = "wrong", f"a refusal of more than a line: {str(error)[:500]}"
        except BaseException:
            how, trace = "wrong", traceback.format_exc()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        if how == "wrong":
            KEPT.mkdir(parents=True, exist_ok=True)
            kept = KEPT / f"{kind.name} {done}".replace(" ", "-").replace("/", "-").replace(":", "")[:100]
            shutil.rmtree(str(kept), ignore_errors=True)
            shutil.copytree(str(folder), str(kept))
            case["kept"] = str(kept)
    print(json.dumps({**case, "how": how, **({"trace": trace} if trace else {})}), file=report, flush=True)


def _same(found: Any, sound: Any) -> bool:
    try:
        return bool(found == sound)
    except ValueError:
        return bool(np.array_equal(found, sound))


def _checkpoint(sources: Any, seed: int, number: int, report: Any) -> None:
    case = {"kind": "checkpoints", "case": f"{number}"}
    print(json.dumps(case), file=report, flush=True)
    done, how, trace = checkpoints.run_case(sources, seed, number)
    case["case"] += f": {done}"
    print(json.dumps({**case, "how": how, **({"trace": trace} if trace else {})}), file=report, flush=True)


if __name__ == "__main__":
    sys.exit(main())
