"""Time a training step of each recipe: the document's own loop, exact, fast, and the framework's port, in turns.

Every side is a process of its own with the same data, settings and, but for the document's loop, the same
batches. They take turns, so that whatever else the machine does falls on all; the ratio counts, not the
milliseconds. Nothing is measured on a machine that is busy when it begins.

    make bench
    .venv/bin/python benchmarks/bench.py --recipes mnist-lstm imdb-lstm --threads 1 --seconds 5
    .venv/bin/python benchmarks/bench.py --table
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from benchmarks.goals import evaluation_verdict, verdict  # noqa: E402
from tf1_lstm.commands.options import at_least  # noqa: E402
from tf1_lstm.core.text_table import text_table  # noqa: E402
from tf1_lstm.files import replacing, write_json  # noqa: E402
from tf1_lstm.recipes import all_recipes, find_recipe  # noqa: E402
from tf1_lstm.recipes.experiment import Epochs  # noqa: E402
from tf1_lstm.runs.environment import describe_environment, processor  # noqa: E402
from tf1_lstm.runs.resolve import resolve  # noqa: E402

RESULTS = ROOT / "results" / "bench.json"
PORTS_PYTHON = ROOT / ".venv-ports" / "bin" / "python"
MOST_LOAD = 2.0
# Written after these documents' descriptions; the others were published in Keras or PyTorch.
DOCUMENTS = (
    "imdb-lstm",
    "mnist-rnn",
    "mnist-lstm",
    "mnist-bilstm",
    "mnist-peephole",
    "mnist-coupled",
    "mnist-gru",
)
SIDES = ("document", "exact", "fast", "port")
# Evaluated as a whole as well.
EVALUATED = "imdb-lstm"
EVALUATIONS = 3
WARM_UP = 3
LONG_STEP = 1.0  # seconds; one is enough to warm up
FEW_TURNS = 3  # where a side has such steps
HEADERS = [
    "recipe",
    "threads",
    "document",
    "exact",
    "fast",
    "port",
    "exact cpu",
    "fast cpu",
    "exact/document",
]
HEADERS += ["exact/fast", "fast/port", "goals"]
PAGE = ROOT / "docs" / "fast-engine.md"
MARKS = ("<!-- bench -->", "<!-- /bench -->")
# Batches that the framework's side has; it begins anew behind the last.
HANDED_OVER = 50


class Side:
    """A process that trains or evaluates when it is asked to; see ``side.serve``."""

    def __init__(self, kind: str, words: List[str], threads: int) -> None:
        # Waiting threads must not take the processor from whoever's turn it is.
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_WAIT_POLICY": "PASSIVE"}
        environment["OMP_NUM_THREADS"] = str(threads)
        self.kind = kind
        self._process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        )

    def is_ready(self) -> bool:
        """Wait until it is built; False where there is no such side."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip() == b"ready"

    def ask(self, what: str) -> Dict[str, float]:
        """One request and its answer."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(f"{what}\n".encode())
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"bench: the side {self.kind} ended in the middle of its turn")
        answer: Dict[str, float] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Measure, print, and write; returns the exit code."""
    options = build_parser().parse_args(arguments)
    if options.table:
        write_table(json.loads(options.out.read_text()))
        return 0
    load = os.getloadavg()[0]
    if load > MOST_LOAD and not options.busy:
        print(
            f"bench: found a load of {load:.1f}, expected at most {MOST_LOAD:g}: what is measured on a busy "
            "machine misleads (--busy measures and writes nothing)",
            file=sys.stderr,
        )
        return 2
    document: Dict[str, Any] = {"format": 1, "machine": machine(), "rows": []}
    if options.recipes and options.out.is_file():
        document["rows"] = earlier_rows(json.loads(options.out.read_text()), document["machine"])
    made = {"commit": document["machine"]["environment"]["commit"], "load": round(load, 2)}
    for recipe in options.recipes or list(all_recipes()):
        for threads in options.threads:
            row = {**measured(recipe, threads, options), **made}
            put_row(document["rows"], row)
            print("  ".join(line_of(row)), flush=True)
            if not options.busy:
                write_json(options.out, document)
    print(table_of(document))
    if not options.busy:
        print(f"results  {options.out}")
    return 0


def earlier_rows(document: Dict[str, Any], here: Dict[str, Any]) -> List[Dict[str, Any]]:
    """The rows of earlier results, if they were measured on such a machine; each says at which commit."""
    there = document["machine"]
    if any(there[key] != here[key] for key in ("processor", "processors")):
        return []
    made = {"commit": there["environment"]["commit"], "load": document.get("load")}
    return [{**made, **row} for row in document["rows"]]


def put_row(rows: List[Dict[str, Any]], row: Dict[str, Any]) -> None:
    """Put a row in the place of the one with its recipe and threads, or behind all."""
    for place, other in enumerate(rows):
        if (other["recipe"], other["threads"]) == (row["recipe"], row["threads"]):
            rows[place] = row
            return
    rows.append(row)


def commit_lines(document: Dict[str, Any]) -> List[str]:
    """At which commit which recipes were measured."""
    recipes: Dict[str, List[str]] = {}
    for row in earlier_rows(document, document["machine"]):
        known = recipes.setdefault(str(row["commit"])[:7], [])
        known += [row["recipe"]] if row["recipe"] not in known else []
    if len(recipes) == 1:
        return [f"measured at commit {commit}" for commit in recipes]
    most = max(recipes, key=lambda commit: len(recipes[commit]), default=None)
    return [
        f"measured at commit {commit}: {'all others' if commit == most else ', '.join(names)}"
        for commit, names in recipes.items()
    ]


def build_parser() -> argparse.ArgumentParser:
    """The command line's parser."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--recipes",
        nargs="+",
        choices=list(all_recipes()),
        metavar="RECIPE",
        help="default: all; with some, the others' results stay",
    )
    parser.add_argument(
        "--threads", nargs="+", type=at_least(1), default=[1, 2], metavar="N", help="default: 1 2"
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=2.5,
        metavar="S",
        help="of each side, in all its turns (default: 2.5)",
    )
    parser.add_argument("--turns", type=at_least(1), default=5, metavar="N", help="default: 5")
    parser.add_argument(
        "--data", type=Path, default=None, metavar="DIR", help="the data folder (default: data)"
    )
    parser.add_argument("--sample", action="store_true", help="the embedded sample, at its small settings")
    parser.add_argument(
        "--ports-python", default=str(PORTS_PYTHON), metavar="PYTHON", help="default: .venv-ports"
    )
    parser.add_argument(
        "--out", type=Path, default=RESULTS, metavar="FILE", help="default: results/bench.json"
    )
    parser.add_argument(
        "--busy", action="store_true", help="measure on a busy machine too, and write nothing"
    )
    parser.add_argument(
        "--table", action="store_true", help="write the table of the last results into the documentation"
    )
    return parser


def measured(recipe: str, threads: int, options: argparse.Namespace) -> Dict[str, Any]:
    """One recipe with one number of threads: side -> medians over its turns."""
    # The published log interval would be met once in a thousand steps; more often keeps its cost in.
    settings = {"log_every": 100} if recipe == "imdb-lstm" else {}
    sides: List[Side] = []
    begun: List[Side] = []
    scratch = tempfile.TemporaryDirectory(prefix="tf1-lstm-bench-")
    try:
        if Path(options.ports_python).is_file():
            hand_over(Path(scratch.name), recipe, settings, threads, options)
        for kind, words in programs(recipe, settings, threads, options, scratch.name):
            begun.append(Side(kind, words, threads))
        for side in begun:  # built at the same time
            if side.is_ready():
                sides.append(side)
            elif side.kind in ("exact", "fast"):
                raise SystemExit(
                    f"bench: {recipe}: the side {side.kind} could not be built; is there data for it?"
                )
        found = in_turns(sides, options)
        if recipe == EVALUATED:
            for kind, evaluation in evaluations(sides).items():
                found[kind]["evaluation"] = evaluation
    finally:
        for side in begun:
            side.close()
        scratch.cleanup()
    return {"recipe": recipe, "threads": threads, "sides": found}


def programs(
    recipe: str, settings: Dict[str, Any], threads: int, options: argparse.Namespace, handed_over: str
) -> Iterator[Tuple[str, List[str]]]:
    """The kind of each side that there is, and its command."""
    data = "sample" if options.sample else str(options.data or "")
    folder = ROOT / "benchmarks"
    for kind in SIDES:
        words = [
            sys.executable,
            str(folder / "side.py"),
            kind,
            recipe,
            json.dumps(settings),
            str(threads),
            data,
        ]
        if kind == "port":
            words = [options.ports_python, "-B", str(folder / "port_side.py"), handed_over]
        absent = kind == "document" and recipe not in DOCUMENTS
        if not absent and (kind != "port" or Path(options.ports_python).is_file()):
            yield kind, words


def hand_over(
    folder: Path, recipe: str, settings: Dict[str, Any], threads: int, options: argparse.Namespace
) -> None:
    """Write what the framework's side trains on: the first batches, as ours has them, and a split."""
    opened = resolve(find_recipe(recipe), data=options.data, sample=options.sample, settings=settings)
    dataset = opened.dataset
    sampler = dataset.train_sampler(opened.sampler, opened.batch_size, 1)
    arrays = {name: np.asarray(array, np.float32) for name, array in dataset.constants().items()}
    for number in range(HANDED_OVER):
        batch = sampler.batch(number)
        arrays[f"inputs{number}"], arrays[f"labels{number}"] = batch.inputs, batch.labels.argmax(axis=1)
    arrays["split"] = (
        np.asarray(dataset.split(dataset.split_names()[-1]).inputs) if recipe == EVALUATED else np.zeros(0)
    )
    np.savez(str(folder / "batches.npz"), **arrays)
    given = {
        "recipe": recipe,
        "settings": opened.flat(),
        "threads": threads,
        "batches": HANDED_OVER,
        "published": isinstance(opened.recipe.schedule, Epochs),
    }
    write_json(folder / "settings.json", given)


def in_turns(sides: List[Side], options: argparse.Namespace) -> Dict[str, Any]:
    """Let every side train in its turns; the first ones of all see both orders."""
    counts = {}
    turns = options.turns
    for side in sides:
        side.ask("1")  # the first step compiles and optimises
        step = side.ask("1")["seconds"]
        if step < LONG_STEP:
            side.ask(str(WARM_UP))
            step = side.ask(str(WARM_UP))["seconds"] / WARM_UP
        else:
            turns = min(turns, FEW_TURNS)
        counts[side.kind] = max(1, round(options.seconds / options.turns / max(step, 1e-6)))
    answers: Dict[str, List[Dict[str, float]]] = {side.kind: [] for side in sides}
    for turn in range(turns):
        for side in sides if turn % 2 else sides[::-1]:
            answers[side.kind].append(side.ask(str(counts[side.kind])))
    return {
        kind: {
            "ms": round(1000 * statistics.median(a["seconds"] for a in given) / counts[kind], 3),
            "processor_ms": round(1000 * statistics.median(a["processor"] for a in given) / counts[kind], 3),
            "turns_ms": [round(1000 * a["seconds"] / counts[kind], 3) for a in given],
            "steps_a_turn": counts[kind],
            "memory_mb": round(given[-1]["memory"]),
        }
        for kind, given in answers.items()
    }


def evaluations(sides: List[Side]) -> Dict[str, Dict[str, Any]]:
    """A whole split by every side, in turns: medians, but for the first."""
    answers: Dict[str, List[Dict[str, float]]] = {side.kind: [] for side in sides}
    for turn in range(1 + EVALUATIONS):
        for side in sides if turn % 2 else sides[::-1]:
            answer = side.ask("evaluate")
            answers[side.kind] += [answer] if turn else []
    return {
        kind: {
            "examples": int(given[0]["examples"]),
            "seconds": round(statistics.median(a["seconds"] for a in given), 3),
            "processor_seconds": round(statistics.median(a["processor"] for a in given), 3),
        }
        for kind, given in answers.items()
    }


def ratio(row: Dict[str, Any], one: str, other: str) -> str:
    """Milliseconds of one side over those of another, or a dash."""
    sides = row["sides"]
    return f"{sides[one]['ms'] / sides[other]['ms']:.2f}" if one in sides and other in sides else "-"


def line_of(row: Dict[str, Any]) -> List[str]:
    """One row of the table."""
    sides = row["sides"]
    times = [f"{sides[kind]['ms']:.1f}" if kind in sides else "-" for kind in SIDES]
    processor_time = [
        f"{sides[kind]['processor_ms']:.1f}" if kind in sides else "-" for kind in ("exact", "fast")
    ]
    pairs: Tuple[Tuple[str, str], ...] = (("exact", "document"), ("exact", "fast"), ("fast", "port"))
    ratios = [ratio(row, *pair) for pair in pairs]
    return [
        row["recipe"],
        str(row["threads"]),
        *times,
        *processor_time,
        *ratios,
        verdict(row["recipe"], sides),
    ]


def table_of(document: Dict[str, Any]) -> str:
    """The results as text, with what was evaluated below."""
    table = text_table(HEADERS, [line_of(row) for row in document["rows"]])
    return "\n".join([table, *evaluated_lines(document)])


def evaluated_lines(document: Dict[str, Any]) -> List[str]:
    """A line for each side that evaluated a whole split."""
    lines = []
    for row in document["rows"]:
        for kind, side in row["sides"].items():
            if "evaluation" in side:
                found = side["evaluation"]
                lines.append(
                    f"{row['recipe']}, threads {row['threads']}, {kind}: {found['examples']:,} examples evaluated in "
                    f"{found['seconds']:.2f} s ({found['processor_seconds']:.2f} s of processor)"
                )
        seconds = {
            kind: side["evaluation"]["seconds"] for kind, side in row["sides"].items() if "evaluation" in side
        }
        if seconds:
            lines.append(
                f"{row['recipe']}, threads {row['threads']}, evaluation: {evaluation_verdict(seconds)}"
            )
    return lines


def write_table(document: Dict[str, Any]) -> None:
    """Put the results between the marks in the documentation."""
    rows = [HEADERS, ["---"] * len(HEADERS), *[line_of(row) for row in document["rows"]]]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    on = document["machine"]
    head = f"{on['processor']}, {on['processors']} processors; milliseconds a step, medians of turns."
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(MARKS[0])
    behind = rest.split(MARKS[1])[1]
    page = "\n".join(
        [
            before + MARKS[0],
            head,
            "",
            *lines,
            "",
            *(f"- {line}" for line in [*evaluated_lines(document), *commit_lines(document)]),
            MARKS[1] + behind,
        ]
    )
    with replacing(PAGE) as stream:
        stream.write(page.encode())
    print(f"table  {PAGE}")


def machine() -> Dict[str, Any]:
    """What was measured on."""
    environment = {k: v for k, v in describe_environment().items() if k != "cpu_flags"}
    return {
        "processor": processor().get("model name", "unknown"),
        "processors": len(os.sched_getaffinity(0)),
        "system": platform.platform(),
        "environment": environment,
    }


if __name__ == "__main__":
    sys.exit(main())
