"""Printing what a terminal may not be able to show."""

import sys


def say(text: str) -> None:
    """Print what may hold a file name that this terminal's encoding does not have."""
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding))
