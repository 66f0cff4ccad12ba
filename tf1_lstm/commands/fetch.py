"""The command ``fetch``: download the public files and check their content."""

import argparse
import json
from pathlib import Path
from typing import Any

from tf1_lstm.commands.options import add_folder_option, add_json_option

WHAT = ("glove", "imdb", "mnist", "all")


EXAMPLES = """\
examples:
  tf1-lstm fetch all                   GloVe, the reviews and MNIST, into data/
  tf1-lstm fetch mnist --from ~/downloads    take files that are there already"""


def add_parser(subparsers: Any) -> None:
    """Add ``fetch``."""
    parser = subparsers.add_parser(
        "fetch",
        help="download the public files, or take them from a folder, and check their content",
        description="Download the public files (GloVe, the Large Movie Review Dataset, MNIST), or take "
        "them from a folder; either way their unpacked content is checked by SHA-256.",
    )
    parser.add_argument("what", choices=WHAT)
    add_folder_option(parser)
    parser.add_argument(
        "--from", dest="source", type=Path, metavar="DIR", help="take the files from DIR, without a network"
    )
    add_json_option(parser)
    parser.set_defaults(func=run)


def run(options: argparse.Namespace) -> int:
    """Fetch and print one line for each file."""
    from tf1_lstm.data.fetch import fetch

    files = fetch(options.what, options.data, options.source)
    if options.json:
        print(json.dumps({"files": [dict(file._asdict(), path=str(file.path)) for file in files]}, indent=1))
        return 0
    for file in files:
        print(f"{file.path}  {file.status}  sha256 {file.sha256}  ({file.licence})")
    return 0
