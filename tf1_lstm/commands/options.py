"""Command-line options that several commands share; standard library only."""

import argparse
import sys
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

from tf1_lstm.core.many import Shard, read_list
from tf1_lstm.errors import InputError

CHECKPOINT_PATH_HELP = (
    "a prefix, an .index, .data or .meta file, a V1 file, or a folder "
    "(its newest checkpoint is found even where its 'checkpoint' file is no help)"
)


def add_data_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--data`` and ``--sample``."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--data", type=Path, metavar="DIR", help="the data folder (default: data), or the files' own folder"
    )
    group.add_argument(
        "--sample", action="store_true", help="use the small sample that comes with the project"
    )


def add_folder_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--data`` for a command that makes the data folder."""
    parser.add_argument(
        "--data", type=Path, default=Path("data"), metavar="DIR", help="the data folder (default: data)"
    )


def add_setting_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--set`` and ``--corrected``."""
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        dest="settings",
        help="change one setting of the recipe (see `tf1-lstm recipes NAME`); may be repeated",
    )
    parser.add_argument(
        "--corrected", action="store_true", help="the recipe's corrected settings in place of the published"
    )


def add_device_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--device`` and ``--threads``."""
    parser.add_argument("--device", choices=("auto", "cpu", "gpu"), default="auto", help="default: auto")
    parser.add_argument(
        "--threads",
        type=at_least(0),
        default=0,
        metavar="N",
        help="TensorFlow's threads (default: one a core)",
    )


def add_engine_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--engine``."""
    parser.add_argument(
        "--engine",
        choices=("exact", "fast"),
        default="exact",
        help="what calculates the recurrent layers: TensorFlow 1.15 itself (exact, the default), or our own "
        "(fast; other bits, the same up to rounding)",
    )


def add_checkpoint_option(parser: argparse.ArgumentParser, many: bool = False) -> None:
    """Add ``--checkpoint``, which takes one, or any number."""
    more: Dict[str, Any] = {"nargs": "+", "default": []} if many else {"required": True}
    parser.add_argument(
        "--checkpoint",
        **more,
        metavar="PATH",
        help="a prefix, one of a checkpoint's files, or a folder (its newest checkpoint)",
    )


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Add what ``train`` and ``reproduce`` have in common."""
    parser.add_argument(
        "--run", type=Path, metavar="DIR", help="the run folder (default: a new one below runs/)"
    )
    parser.add_argument("--iterations", type=at_least(1), metavar="N", help="default: the recipe's")
    parser.add_argument("--seed", type=at_least(0), default=1, metavar="N", help="default: 1")
    parser.add_argument(
        "--save-every",
        type=at_least(1),
        metavar="N",
        help="iterations between checkpoints (default: the recipe's)",
    )
    parser.add_argument(
        "--save-every-minutes",
        type=at_least(0),
        default=0,
        metavar="M",
        dest="save_minutes",
        help="also save a checkpoint after M minutes without one (default: 0, no)",
    )
    parser.add_argument(
        "--keep",
        type=at_least(0),
        default=0,
        metavar="N",
        help="checkpoints to keep (default: 0, all of them)",
    )
    parser.add_argument(
        "--not-exact", action="store_true", help="the tutorial's own random ops: other numbers on every run"
    )
    parser.add_argument("--no-summaries", action="store_true", help="write no event file for TensorBoard")
    add_device_options(parser)
    add_engine_option(parser)


def add_wait_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--wait``."""
    parser.add_argument(
        "--wait",
        type=at_least(0),
        default=0,
        metavar="SECONDS",
        help="for another process that has the run (default: 0, exit code 75 at once)",
    )


def add_many_options(parser: argparse.ArgumentParser, what: str) -> None:
    """Add ``--list``, ``--shard`` and ``--out``."""
    parser.add_argument(
        "--list", metavar="FILE", help=f"{what}, a path a line; - is standard input. Prints JSON lines"
    )
    parser.add_argument("--shard", metavar="K/N", help="only the K-th of N parts of them, e.g. 3/16")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="append the JSON lines to this file; what it has already is not done again",
    )


def many_paths(options: argparse.Namespace, typed: Sequence[str]) -> Optional[List[str]]:
    """The inputs where many were asked for, of this shard; None where it is a single one.

    Raises:
      InputError: no input, a list that cannot be read, or a shard that is none.
    """
    if options.list is None and options.shard is None and options.out is None and len(typed) == 1:
        return None
    paths = list(typed)
    if options.list == "-":
        paths += read_list(sys.stdin.buffer, "standard input")
    elif options.list is not None:
        try:
            with open(options.list, "rb") as stream:
                paths += read_list(stream, options.list)
        except OSError as error:
            raise InputError(f"{options.list}: cannot be read: {error.strerror or error}") from error
    if not paths:
        raise InputError("no path; expected one at least, or --list FILE with one")
    unique = list(dict.fromkeys(paths))
    return unique if options.shard is None else Shard.parse(options.shard).of_list(unique)


def add_json_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def settings_of(options: argparse.Namespace) -> Dict[str, Any]:
    """``--set``, ``--iterations`` and ``--save-every`` as one mapping."""
    settings: Dict[str, Any] = dict(parse_settings(options.settings))
    if options.iterations is not None:
        settings["iterations"] = options.iterations
    if options.save_every is not None:
        settings["save_every"] = options.save_every
    return settings


def at_least(lowest: int) -> Any:
    """An argparse type: an integer not below ``lowest`` and below 2**63."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"found {text!r}, expected a whole number") from None
        if not lowest <= value < 1 << 63:
            raise argparse.ArgumentTypeError(f"found {text}, expected at least {lowest} and below 2**63")
        return value

    return parse


def parse_settings(pairs: Sequence[str]) -> Dict[str, str]:
    """``["layers=2"]`` to ``{"layers": "2"}``.

    Raises:
      InputError: an item without ``=``.
    """
    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise InputError(f"--set: found {pair!r}, expected NAME=VALUE")
        found[name.strip()] = value.strip()
    return found
