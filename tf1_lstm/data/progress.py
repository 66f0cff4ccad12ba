"""Progress bars on standard error, and their silent stand-in."""

from typing import Any, Callable, Optional

from tqdm.auto import tqdm

Progress = Callable[[Optional[int], str, str], Any]


def visible(total: Optional[int], what: str, unit: str) -> Any:
    """A tqdm bar on standard error with count, rate and time left.

    Args:
      total: how many units are expected, None where nobody knows.
      what: the label before the bar.
      unit: a plural noun.
    """
    return tqdm(total=total, desc=what, unit=" " + unit, unit_scale=True, mininterval=0.5)


def silent(total: Optional[int], what: str, unit: str) -> Any:
    """The same object without any output."""
    return tqdm(total=total, desc=what, unit=unit, disable=True)


def complete(bar: Any) -> None:
    """Say that what has been done is all there was, where ``total`` was only the usual number."""
    bar.total = bar.n
    bar.refresh()
