"""Command-line options that several commands share; standard library only."""

import argparse
from pathlib import Path
from typing import Any, Dict

from tf1_lstm.errors import InputError


def add_data_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--data`` and ``--sample``."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--data", type=Path, metavar="DIR", help="the data folder (default: data), or the files' own folder"
    )
    group.add_argument(
        "--sample", action="store_true", help="use the small sample that comes with the project"
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


def add_checkpoint_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--checkpoint``."""
    parser.add_argument(
        "--checkpoint",
        required=True,
        metavar="PATH",
        help="a prefix, one of a checkpoint's files, or a folder (its newest checkpoint); of any age",
    )


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


def parse_settings(pairs: Any) -> Dict[str, str]:
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
