"""The command ``new``: a file with an experiment of one's own."""

import argparse
import sys
from pathlib import Path
from typing import Any, Tuple

from tf1_lstm.core.exits import DONE
from tf1_lstm.errors import InputError

EXAMPLES = """\
examples:
  tf1-lstm new mine.py --data reviews.csv --text review --label verdict
  tf1-lstm new mine.py --data reviews/                    a folder with a folder for each class
  tf1-lstm new mine.py --data sequences.npz               x, y and perhaps lengths
  tf1-lstm new mine.py --data weather.csv --columns temperature,wind --targets temperature
  tf1-lstm new mine.py --data shakespeare.txt             the next character at every step
  tf1-lstm new mine.py --from imdb-lstm                   a recipe, to be changed

Then: tf1-lstm train mine.py --run R; wherever a command takes RECIPE it takes mine.py.
"""


def add_parser(subparsers: Any) -> None:
    """Add ``new``."""
    parser = subparsers.add_parser(
        "new",
        help="write a file with an experiment of your own, on your own data",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", metavar="FILE.py", type=Path, help="the file to write; there is none yet")
    parser.add_argument(
        "--from", dest="base", metavar="RECIPE", help="begin with a recipe, or another FILE.py"
    )
    parser.add_argument("--data", type=Path, metavar="PATH", help="a file or folder of your own")
    parser.add_argument("--text", default="", metavar="COLUMN", help="the column of a table's texts")
    parser.add_argument("--label", default="", metavar="COLUMN", help="the column of their labels")
    parser.add_argument("--columns", default="", metavar="A,B", help="the columns of a time series")
    parser.add_argument("--targets", default="", metavar="A", help="those of them, or others, to foretell")
    parser.set_defaults(func=run)


def run(options: argparse.Namespace) -> int:
    """Write the file, and say what to type next."""
    from tf1_lstm.data.own.suggestion import described_data, source_for, suggest
    from tf1_lstm.files import replacing
    from tf1_lstm.recipes import find_recipe
    from tf1_lstm.recipes.python_source import python_source

    path: Path = options.file
    if path.suffix != ".py":
        raise InputError(f"{path}: found a name that ends in {path.suffix!r}, expected .py")
    if path.exists():
        raise InputError(f"{path}: found a file already, expected a name that is not taken")
    if options.base is None and options.data is None:
        raise InputError("new: found neither --data nor --from, expected your data, a recipe, or both")
    base = None if options.base is None else find_recipe(options.base)
    if options.data is None:
        assert base is not None
        source = python_source(base)
    else:
        part = described_data(
            options.data, options.text, options.label, _names(options.columns), _names(options.targets)
        )
        source = source_for(path, suggest(part, base))
    with replacing(path, "w") as stream:
        stream.write(source)
    print(path)
    print(f"tf1-lstm train {path} --run runs/{path.stem}", file=sys.stderr)
    return DONE


def _names(text: str) -> Tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
