"""The command ``doctor``; standard library and Python 3.6 syntax only: it runs where nothing else does."""

import argparse
import json
import time
from pathlib import Path
from typing import Any, List, Optional

from tf1_lstm import __version__

EXAMPLES = """\
examples:
  tf1-lstm doctor
  python3 -m tf1_lstm.doctor           where nothing else starts"""


def add_parser(subparsers: Any) -> None:
    """Add ``doctor``."""
    parser = subparsers.add_parser("doctor", help="what is wrong with this machine, and what fixes it")
    _add_options(parser)


def main(arguments: Optional[List[str]] = None) -> int:
    """Run ``python3 -m tf1_lstm.doctor``: the doctor without the rest of the command line."""
    description = "What is wrong with this machine, and what fixes it; runs from Python 3.6 on."
    parser = argparse.ArgumentParser(prog="python3 -m tf1_lstm.doctor", description=description)
    _add_options(parser)
    return run(parser.parse_args(arguments))


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="every finding, for programs")
    parser.add_argument("--data", type=Path, metavar="DIR", default=Path("data"), help="default: data")
    parser.set_defaults(func=run)


def run(options: argparse.Namespace) -> int:
    """Examine, and print what was found.

    Returns:
      The exit code: 0, or 1 where there is a problem.
    """
    from tf1_lstm.doctor import as_text, examine, worst
    from tf1_lstm.doctor.findings import PROBLEM

    begun = time.monotonic()
    findings = examine(options.data)
    status = worst(findings)
    if options.json:
        document = {
            "version": __version__,
            "status": status,
            "seconds": round(time.monotonic() - begun, 3),
            "findings": [finding._asdict() for finding in findings],
        }
        print(json.dumps(document, indent=1))
    else:
        print(as_text(findings))
    return 1 if status == PROBLEM else 0
