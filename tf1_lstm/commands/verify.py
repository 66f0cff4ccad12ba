"""The command ``verify``: check a finished or stopped run again, from its files alone."""

import argparse
import json
from pathlib import Path
from typing import Any, List

from tf1_lstm.commands.options import add_json_option, at_least

EXAMPLES = """\
examples:
  tf1-lstm verify runs/imdb-lstm-seed1
  tf1-lstm verify runs/imdb-lstm-seed1 --rerun 100        train the first 100 again"""


def add_parser(subparsers: Any) -> None:
    """Add ``verify``."""
    parser = subparsers.add_parser(
        "verify",
        help="check a run again from its files: hashes, accuracy and, with --rerun, its first losses",
        description="Check a run from its files: recipe, data and checkpoint hashes, canonical weights, the "
        "logged evaluation of the last checkpoint, and with --rerun N the losses of the first N iterations, "
        "bit for bit. PASS or FAIL for each; exit code 1 where one fails.",
    )
    parser.add_argument("run", type=Path, metavar="RUN")
    parser.add_argument("--data", type=Path, metavar="DIR", help="where the data is now, if it was moved")
    parser.add_argument("--rerun", type=at_least(1), metavar="N", help="train the first N iterations again")
    add_json_option(parser)
    parser.set_defaults(func=run)


def run(options: argparse.Namespace) -> int:
    """Check everything and print one line for each."""
    from tf1_lstm.core.text_table import fitted
    from tf1_lstm.runs.verify import Check, verify

    checks: List[Check] = []
    for check in verify(options.run, options.data, options.rerun):
        checks.append(check)
        if not options.json:
            line = f"{'PASS' if check.holds else 'FAIL'}  {check.name}: {check.seen}"
            print(fitted(line, " " * 6), flush=True)
    if options.json:
        document = {"run": str(options.run), "holds": all(c.holds for c in checks)}
        print(json.dumps({**document, "checks": [c._asdict() for c in checks]}, indent=1))
    return 0 if all(check.holds for check in checks) else 1
