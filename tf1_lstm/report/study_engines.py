"""A study's trainings by both engines: whether their figures are from one distribution."""

from typing import Any, Dict, List, NamedTuple, Sequence

from tf1_lstm.report.study_rows import CellResults, Row
from tf1_lstm.report.two_samples import TwoSamples, compare_samples
from tf1_lstm.report.verdicts import LEVEL, p_text

EXACT, FAST = "exact", "fast"


class EnginePair(NamedTuple):
    """One figure of one recipe by both engines, fast minus exact.

    Attributes:
      recipe: its name.
      figure: what was measured, in words.
      found: the tests.
    """

    recipe: str
    figure: str
    found: TwoSamples

    @property
    def verdict(self) -> str:
        """In words: a difference that was found, equality within a point that was shown, or neither."""
        if min(self.found.welch_p, self.found.smirnov_p) < LEVEL / 2:
            return "differ"
        equivalent = self.found.equivalent_p
        return "equal within 1 point" if equivalent is not None and equivalent < LEVEL else "cannot tell"


def engine_pairs(cells: Sequence[CellResults], rows: Sequence[Row]) -> List[EnginePair]:
    """Every accuracy that was measured of a recipe with both engines, two seeds of each at least."""
    pairs = []
    for exact in rows:
        for fast in rows:
            engines = cells[exact.cell].engine, cells[fast.cell].engine
            if engines == (EXACT, FAST) and _are_alike(cells, exact, fast):
                found = compare_samples(fast.values, exact.values)
                pairs.append(EnginePair(cells[exact.cell].recipe.rpartition("/")[2], exact.name, found))
    return pairs


def _are_alike(cells: Sequence[CellResults], exact: Row, fast: Row) -> bool:
    one, other = cells[exact.cell], cells[fast.cell]
    same = (one.recipe, dict(one.settings)) == (other.recipe, dict(other.settings))
    names = ("what", "split", "dropout", "checkpoint")
    same = same and all(getattr(exact, name) == getattr(fast, name) for name in names)
    return same and exact.is_share and min(len(exact.values), len(fast.values)) > 1


def engine_lines(pairs: Sequence[EnginePair]) -> List[str]:
    """What is said of the engines, a line for each figure."""
    return [_line(pair) for pair in pairs]


def _line(pair: EnginePair) -> str:
    found = pair.found
    low, high = (100 * end for end in found.interval)
    text = (
        f"{pair.recipe}, {pair.figure}: {100 * found.difference:+.2f} points [{low:+.2f}, {high:+.2f}] with "
        f"{found.counts[0]} and {found.counts[1]} seeds; Welch {p_text(found.welch_p)}, Kolmogorov-Smirnov "
        f"{p_text(found.smirnov_p)}; Welch's test finds 1 point with power {found.power_at_margin:.2f}, one s "
        f"({100 * found.std:.2f} points) with {found.power_at_std:.2f}"
    )
    if found.paired is not None and found.equivalent_p is not None:
        text += f"; paired by seed, equal within 1 point: {p_text(found.equivalent_p)}"
    return f"{text}: {pair.verdict}"


def engine_documents(pairs: Sequence[EnginePair]) -> List[Dict[str, Any]]:
    """The same as JSON: shares between 0 and 1."""
    return [
        {
            "recipe": pair.recipe,
            "figure": pair.figure,
            "seeds": list(pair.found.counts),
            "difference": pair.found.difference,
            "interval": list(pair.found.interval),
            "welch_p": pair.found.welch_p,
            "smirnov_p": pair.found.smirnov_p,
            "std": pair.found.std,
            "margin": pair.found.margin,
            "power_at_margin": pair.found.power_at_margin,
            "power_at_std": pair.found.power_at_std,
            "paired_difference": None if pair.found.paired is None else pair.found.paired.mean,
            "equivalent_p": pair.found.equivalent_p,
            "verdict": pair.verdict,
        }
        for pair in pairs
    ]
