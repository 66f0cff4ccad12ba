"""The command ``report``: one page on all runs below a folder."""

import argparse
import os
from pathlib import Path
from typing import Any

from tf1_lstm.commands.printing import print_fact

EXAMPLES = """\
examples:
  tf1-lstm report                    writes runs/index.html
  tf1-lstm report studies --out all.html
  tf1-lstm report --mlflow mlruns    a file store of MLflow with the same runs"""


def add_parser(subparsers: Any) -> None:
    """Add ``report``."""
    parser = subparsers.add_parser(
        "report",
        help="one self-contained page on all runs below a folder, with their curves",
        description="Write one self-contained HTML page on all runs below a folder: a table that can be "
        "sorted, and the curves of each experiment's runs in one picture. It needs no server.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=EXAMPLES,
    )
    parser.add_argument(
        "folder", nargs="?", type=Path, default=Path("runs"), metavar="DIR", help="default: runs"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: DIR/index.html")
    parser.add_argument(
        "--mlflow",
        type=Path,
        metavar="STORE",
        help="write the runs into a file store of MLflow, too, where it is installed; shown by "
        "`mlflow ui --backend-store-uri STORE`",
    )
    parser.set_defaults(func=run)


def run(options: argparse.Namespace) -> int:
    """Write the page and print its path."""
    from tf1_lstm.errors import InputError
    from tf1_lstm.report.index_page import write_index
    from tf1_lstm.runs.listing import list_runs, shown
    from tf1_lstm.runs.mlflow_store import store_runs

    runs = list_runs(options.folder)
    if not runs:
        raise InputError(f"{options.folder}: no runs in it; expected run folders (tf1-lstm train makes some)")
    if options.mlflow is not None:
        stored = store_runs(runs, options.folder, options.mlflow)
        known = f", {stored.known:,} there already" if stored.known else ""
        unreadable = f", {stored.unreadable:,} that cannot be read left out" if stored.unreadable else ""
        print_fact("mlflow", f"{options.mlflow}  ({stored.written:,} written{known}{unreadable})")
    target = options.out or options.folder / "index.html"
    here = Path(os.path.abspath(str(target))).parent
    write_index(target, [shown(one, options.folder, here) for one in runs], f"Runs in {options.folder}")
    print_fact("page", f"{target}  ({len(runs):,} run{'s' * (len(runs) != 1)})")
    return 0
