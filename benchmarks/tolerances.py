"""What the tolerances of ``compare`` are worth: false alarms and misses, on bundles that had no part in the choice.

``.venv/bin/python benchmarks/tolerances.py`` (some minutes; needs ``.venv-ports``). Of every recipe, and of two
experiments of one's own, a short training on the sample gives a bundle; right ports and ports with one small
mistake each are run on it, and how far each is off at every level is written down. Tolerance and allowance (the
factor on what rounding explains) are then chosen on every second recipe: the smallest that raise no false alarm
there. The rates of the others, and of what is in use, go to ``benchmarks/tolerances.json`` and into docs/compare.md.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402 (the project is on the path from here on)

TOLERANCES = (1e-7, 3e-7, 1e-6, 3e-6, 1e-5, 3e-5, 1e-4)
ALLOWANCES = (0.0, 0.3, 1.0, 3.0)
IN_USE = (1e-5, 1.0)
BEGIN, END = "<!-- begin: written by benchmarks/tolerances.py -->", "<!-- end -->"
THREADS = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1"}
TRAINED = {"iterations": 20, "save_every": 20}


class Case(NamedTuple):
    """One port on one bundle.

    Attributes:
      bundle, port, mistake: names; a right port has the mistake "".
      excess: allowance -> largest difference of any level beyond what rounding explains.
    """

    bundle: str
    port: str
    mistake: str
    excess: Dict[str, float]

    def passes(self, tolerance: float, allowance: float) -> bool:
        """Whether every level would pass."""
        return self.excess[f"{allowance:g}"] <= tolerance


def main() -> int:
    """Make bundles, run ports, choose, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--work", type=Path, default=Path("runs/tolerances"), help="bundles and what was seen"
    )
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks" / "tolerances.json")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs" / "compare.md")
    parser.add_argument("--units", type=int, metavar="N", help="of every recipe (default: its own)")
    parser.add_argument(
        "--only", nargs="*", default=[], metavar="BUNDLE", help="for a trial: some of the bundles"
    )
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    recipes = _recipes()
    names = [*recipes, *OWN]
    chosen_from, held_out, own = recipes[::2], recipes[1::2], list(OWN)
    cases: List[Case] = []
    for name in options.only or names:
        bundle = _bundle(name, options.work, options.units)
        cases += _cases(name, bundle, options.work)
    if options.only:  # of what is left out nothing is said
        chosen_from, held_out, own = (
            [n for n in part if n in options.only] for part in (chosen_from, held_out, own)
        )
    choice = choose([case for case in cases if case.bundle in chosen_from])
    rows = []
    for what, bundles in (("chosen on", chosen_from), ("held out", held_out), ("own experiments", own)):
        some = [case for case in cases if case.bundle in bundles]
        rows += [_row(what, bundles, some, setting) for setting in dict.fromkeys([IN_USE, choice])]
    document = {
        "format": 1,
        "command": " ".join(["python", "benchmarks/tolerances.py", *_typed(options)]),
        "chosen": {"tolerance": choice[0], "allowance": choice[1]},
        "in_use": {"tolerance": IN_USE[0], "allowance": IN_USE[1]},
        "rates": rows,
        "cases": [case._asdict() for case in cases],
    }
    options.results.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    table = table_of(document)
    text = options.docs.read_text(encoding="utf-8")
    if BEGIN in text:
        before, _, rest = text.partition(BEGIN)
        options.docs.write_text(f"{before}{BEGIN}\n{table}\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    print(table)
    return 0


def _typed(options: argparse.Namespace) -> List[str]:
    """Return the options that decide what is measured."""
    units = ["--units", str(options.units)] if options.units else []
    return units + (["--only", *options.only] if options.only else [])


def choose(cases: Sequence[Case]) -> Tuple[float, float]:
    """Return the smallest (tolerance, allowance) without a false alarm; of several, the one that misses least."""
    fitting = [
        (sum(case.passes(tolerance, allowance) for case in cases if case.mistake), tolerance, allowance)
        for tolerance in TOLERANCES
        for allowance in ALLOWANCES
        if all(case.passes(tolerance, allowance) for case in cases if not case.mistake)
    ]
    if not fitting:
        raise SystemExit("no tolerance lets every right port pass")
    return min(fitting)[1:]


def _row(
    what: str, bundles: Sequence[str], cases: Sequence[Case], setting: Tuple[float, float]
) -> Dict[str, Any]:
    right = [case for case in cases if not case.mistake]
    wrong = [case for case in cases if case.mistake]
    alarms = [case for case in right if not case.passes(*setting)]
    missed = [case for case in wrong if case.passes(*setting)]
    return {
        "bundles": what,
        "names": list(bundles),
        "tolerance": setting[0],
        "allowance": setting[1],
        "right": len(right),
        "false_alarms": [f"{case.bundle} {case.port}" for case in alarms],
        "wrong": len(wrong),
        "missed": [f"{case.bundle} {case.port} {case.mistake}" for case in missed],
    }


def table_of(document: Dict[str, Any]) -> str:
    """Return the rates as a Markdown table, and what was missed."""
    lines = ["| bundles | tolerance | allowance | false alarms | missed |", "| --- | --- | --- | --- | --- |"]
    for row in document["rates"]:
        count = f"{row['bundles']} ({len(row['names'])})"
        lines.append(
            f"| {count} | {row['tolerance']:g} | {row['allowance']:g} | {len(row['false_alarms'])} of {row['right']} "
            f"| {len(row['missed'])} of {row['wrong']} |"
        )
    missed: Dict[str, int] = {}
    for row in document["rates"]:
        if (row["tolerance"], row["allowance"]) == IN_USE:
            for words in row["missed"]:
                mistake = words.split(" ", 2)[2]
                missed[mistake] = missed.get(mistake, 0) + 1
    told = ", ".join(f"{mistake} ({count})" for mistake, count in sorted(missed.items()))
    return "\n".join([*lines, "", f"Missed with what is in use: {told or 'none'}."])


# ---- bundles -------------------------------------------------------------------------------------


def _recipes() -> List[str]:
    from tf1_lstm.recipes import all_recipes

    return list(all_recipes())


def _sequences(path: Path) -> None:
    random = np.random.RandomState(1)
    x = random.normal(size=(60, 6, 3))
    np.savez(str(path), x=x, y=np.stack([x[:, :, 0].sum(axis=1), x[:, -1, 1]], axis=1))


def _text(path: Path) -> None:
    path.write_text("the quick brown fox jumps over the lazy dog\n" * 60, encoding="utf-8")


# name -> (data file, what writes it): a regression, and a language model with an output at every step
OWN = {"own-regression": ("sequences.npz", _sequences), "own-text": ("plain.txt", _text)}


def _bundle(name: str, work: Path, units: Optional[int]) -> Path:
    """Train shortly and export, or find it done."""
    path = work / f"{name}.npz"
    if path.is_file():
        return path
    print(f"{name}: training", file=sys.stderr, flush=True)
    run = work / name
    words = [name, "--sample"]
    if name in OWN:
        file, write = OWN[name]
        folder = work / f"{name}-data"
        folder.mkdir(exist_ok=True)
        write(folder / file)
        experiment = folder / "mine.py"
        if not experiment.is_file():
            _command("new", str(experiment), "--data", str(folder / file))
        words = [str(experiment)]
    if not (run / "run.json").is_file():
        few = [part for pair in TRAINED.items() for part in ("--set", f"{pair[0]}={pair[1]}")]
        few = ["--set", "epochs=1", "--set", "units=16"] if name in OWN else few
        if units and name not in OWN:
            few += ["--set", f"recurrent.cell.units={units}"]
        _command("train", *words, "--run", str(run), "--threads", "1", *few)
    _command("export", *words, "--checkpoint", str(run), "--to", "bundle", "--out", str(path))
    return path


def _command(*words: str) -> None:
    from tf1_lstm.cli import main as command

    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        code = command(list(words))
    if code:
        raise SystemExit(f"tf1-lstm {' '.join(words)}: exit code {code}")


# ---- ports ---------------------------------------------------------------------------------------


def _cases(name: str, bundle: Path, work: Path) -> List[Case]:
    """Run every port on a bundle under the ports' Python, or find it done."""
    path = work / f"{name}.jsonl"
    if not path.is_file():
        print(f"{name}: ports", file=sys.stderr, flush=True)
        python = ROOT / ".venv-ports" / "bin" / "python"
        script = Path(__file__).with_name("tolerance_ports.py")
        words = [str(python), str(script), str(bundle), *(f"{value:g}" for value in ALLOWANCES)]
        done = subprocess.run(
            words,
            stdout=subprocess.PIPE,
            check=False,
            env=dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3", **THREADS),
        )
        if done.returncode:
            raise SystemExit(f"{name}: the ports' process ended with exit code {done.returncode}")
        path.write_bytes(done.stdout)
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [Case(name, line["port"], line["mistake"], line["excess"]) for line in lines]


if __name__ == "__main__":
    sys.exit(main())
