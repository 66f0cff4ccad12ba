"""Which of many alike cases the tests of every day try; the others are thorough, and CI runs them too."""

from typing import Any, Iterable, List

import pytest


def representative(cases: Iterable[Any], *names: str) -> List[Any]:
    """Parameters of a test: cases of these names as they are, every other one marked ``thorough``.

    Args:
      cases: strings, or functions, which are known by their names.
      names: those that every run tries.
    """
    all_cases = list(cases)
    known = [getattr(case, "__name__", case) for case in all_cases]
    assert set(names) <= set(known), f"{set(names) - set(known)}: expected some of {known}"
    thorough = pytest.mark.thorough
    return [
        case if name in names else pytest.param(case, marks=thorough) for case, name in zip(all_cases, known)
    ]
