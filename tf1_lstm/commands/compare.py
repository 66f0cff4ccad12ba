"""The command ``compare``: run a port, compare every level, and name what explains a difference."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from tf1_lstm.commands.options import add_data_options, add_json_option, at_least

PORT_HELP = """\
port:
  keras, torch         as published there, else the code that export prints
  module:callable      ids or rows in, logits out (NumPy arrays); nothing else of it is visible. A model with
                       mask=sequence_length on rows is given lengths as well: (rows, lengths)
  module:Class         or a keras.Model or nn.Module: weights, states, gradients and the optimizer's steps
                       are compared too. A class or function with a parameter named bundle is given it.
  FILE.py:name         the same, from a file
  FILE.keras, a SavedModel folder, FILE.pt (TorchScript), FILE.onnx

Levels: weights, steps (outputs and states), logits, labels (a whole split, with --data), loss,
gradients, updates (the weights after each of three steps of the optimizer). Where one fails, the NumPy
reference is run under every known mistake and under pairs of them, and the one that explains the numbers
is named, with the line that fixes it.
Exit code 0 where all that could be compared passes, 1 where something differs, 2 where the port gave no
logits and cannot be judged. A port is code that runs with your rights: compare only what you would run."""


EXAMPLES = """\
examples:
  tf1-lstm compare b.npz --port torch
  tf1-lstm compare b.npz --port my_port.py:MyModel --tolerance 1e-4
  tf1-lstm compare b.npz --port my_port.py:MyModel --python ~/venv/bin/python --sample"""


def add_parser(subparsers: Any) -> None:
    """Add ``compare``."""
    parser = subparsers.add_parser(
        "compare",
        help="compare a port with a bundle, and say what is wrong with it",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=PORT_HELP,
    )
    parser.add_argument(
        "bundle", type=Path, metavar="BUNDLE", help="written by export --to bundle, or by graph --to bundle"
    )
    parser.add_argument("--port", required=True, metavar="TARGET", help="see below")
    parser.add_argument(
        "--python", metavar="PATH", help="the port's Python (default: .venv-ports/bin/python, else this one)"
    )
    add_data_options(parser)
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="folder of the picture and the tracebacks (default: runs/compare-…)",
    )
    parser.add_argument(
        "--tolerance",
        action="append",
        default=[],
        metavar="[LEVEL=]NUMBER",
        help="largest difference, relative where a number is larger than 1 (default: 1e-5); may be repeated; "
        "adam= is understood as updates=",
    )
    parser.add_argument(
        "--time-limit", type=at_least(1), default=600, metavar="SECONDS", help="for the port (default: 600)"
    )
    parser.add_argument(
        "--raw-pictures",
        action="store_true",
        help="feed pictures as 0 to 255 for a port that scales them itself",
    )
    parser.add_argument(
        "--texts",
        type=Path,
        metavar="PATH",
        help="a file with a text a line, or a folder of .txt files: compare the ids that the port's "
        "tokenize(texts) makes of them (with --data or --sample)",
    )
    add_json_option(parser)
    parser.set_defaults(func=run)


def run(options: argparse.Namespace) -> int:
    """Compare, draw, print; 0 where all that could be compared passes, 2 where nothing could be judged."""
    from tf1_lstm.parity.compare import compare_port
    from tf1_lstm.parity.graph_compare import graph_lines
    from tf1_lstm.parity.report import lines

    holds, document = compare_port(
        options.bundle,
        options.port,
        python=options.python,
        data=options.data,
        sample=options.sample,
        out=options.out,
        tolerances=options.tolerance,
        time_limit=options.time_limit,
        raw_pictures=options.raw_pictures,
        texts=options.texts,
        say=_say if sys.stderr.isatty() else _be_silent,
    )
    if sys.stderr.isatty():
        _say("")
    if options.json:
        print(json.dumps(document, indent=1, allow_nan=False))
    else:
        say = graph_lines if document.get("kind") == "graph" else lines
        print("\n".join(say(document)))
    if not document.get("judged", True):
        return 2
    return 0 if holds else 1


def _be_silent(line: str) -> None:
    """Show nothing."""


def _say(line: str) -> None:
    """Show one line on standard error in the place of the last one."""
    print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)
