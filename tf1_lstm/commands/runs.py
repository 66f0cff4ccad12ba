"""The command ``runs``: every run below a folder."""

import argparse
import csv
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, List, Sequence

from tf1_lstm.commands.printing import say

if TYPE_CHECKING:
    from tf1_lstm.runs.listing import ListedRun

EXAMPLES = """\
examples:
  tf1-lstm runs                      those below runs/
  tf1-lstm runs --csv > runs.csv     for a spreadsheet"""


def add_parser(subparsers: Any) -> None:
    """Add ``runs``."""
    parser = subparsers.add_parser(
        "runs",
        help="list the runs below a folder: recipe, settings changed, seed, state, figures",
        description="List the runs below a folder: what was trained, with which settings changed, how far "
        "it is, and the accuracy of its last checkpoint (of a regression the mean absolute error), dropout off.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=EXAMPLES,
    )
    parser.add_argument(
        "folder", nargs="?", type=Path, default=Path("runs"), metavar="DIR", help="default: runs"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON document")
    form.add_argument("--csv", action="store_true", help="print comma-separated values")
    parser.set_defaults(func=run)


def run(options: argparse.Namespace) -> int:
    """Print the runs as a table, as JSON or as CSV."""
    from tf1_lstm.runs.listing import list_runs

    runs = list_runs(options.folder)
    if options.json:
        print(json.dumps({"runs": [one.document() for one in runs]}, indent=1, ensure_ascii=False))
    elif options.csv:
        _print_csv(runs)
    elif runs:
        _print_table(runs, options.folder)
    else:
        print(f"no runs below {options.folder}")
    return 0


def _print_table(runs: "Sequence[ListedRun]", folder: Path) -> None:
    from tf1_lstm.core.text_table import NO_BREAK, text_table
    from tf1_lstm.report.results import deviations_text
    from tf1_lstm.report.tables import NOTHING

    rows = [
        [
            one.path.relative_to(folder) if one.path != folder else one.path,
            one.recipe + (" (sample)" if one.sample else ""),
            deviations_text(one.changed, short=True) or NOTHING,
            NOTHING if one.seed is None else one.seed,
            one.engine or NOTHING,
            _progress(one),
            ", ".join(figure.replace(" ", NO_BREAK) for figure in one.figures()),
        ]
        for one in runs
    ]
    headers = ("run", "recipe", "changed", "seed", "engine", "state", "accuracy, dropout off")
    say(text_table(headers, rows, right=(3,)))


def _progress(one: "ListedRun") -> str:
    if not one.recipe:
        return one.state
    of = "" if one.step == one.iterations else f" of {one.iterations:,}"
    return f"{one.state} at {one.step:,}{of}"


def _print_csv(runs: "Sequence[ListedRun]") -> None:
    splits = list(dict.fromkeys(split for one in runs for split in one.accuracies))
    wrong = list(dict.fromkeys(split for one in runs for split in one.errors))
    names = ["path", "recipe", "sample", "seed", "engine", "exact", "state", "step", "iterations", "started"]
    writer = csv.writer(sys.stdout, lineterminator="\n")
    figures = [f"accuracy {split}" for split in splits] + [f"mean absolute error {split}" for split in wrong]
    writer.writerow([*names, "weights_sha256", "changed", *figures])
    for one in runs:
        values: List[Any] = [getattr(one, name) for name in names]
        changed = json.dumps({name: pair[1] for name, pair in one.changed.items()})
        measured = [one.accuracies.get(split, "") for split in splits]
        measured += [one.errors.get(split, "") for split in wrong]
        writer.writerow([*values, one.weights_sha256, changed, *measured])
