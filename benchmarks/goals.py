"""The goals that were set for the engines' speed, and whether a row of the benchmark meets them."""

from typing import Any, Dict, List, NamedTuple, Optional


class Goal(NamedTuple):
    """What a recipe's times are held against; None: no goal.

    Attributes:
      faster: the document's loop (where there is none, the exact engine) over the fast engine, at least.
      of_port: the fast engine over Keras or PyTorch, at most.
      exact: the exact engine over the document's loop, at most.
    """

    faster: Optional[float] = None
    of_port: Optional[float] = None
    exact: Optional[float] = None


GOALS: Dict[str, Goal] = {
    "imdb-lstm": Goal(3.5, 0.7, 0.85),
    **{name: Goal(2.8, 0.7) for name in ("imdb-simplernn32", "imdb-lstm32", "imdb-gru32")},
    "imdb-bilstm2": Goal(3.0, 0.9),
    **{name: Goal(1.6, 1.0, 1.0) for name in ("mnist-lstm", "mnist-bilstm")},
    **{name: Goal(exact=1.0) for name in ("mnist-rnn", "mnist-peephole", "mnist-coupled", "mnist-gru")},
    **{
        name: Goal(1.4, 0.95) for name in ("imdb-lstmcell2", "imdb-grucell2", "imdb-gru2", "imdb-lstm2-glove")
    },
}
# The whole test split.
EVALUATION = Goal(3.5, 0.5)


def verdict(recipe: str, sides: Dict[str, Any]) -> str:
    """``met``, or what is missed; a dash where there is no goal."""
    goal = GOALS.get(recipe, Goal())
    times = {kind: side["ms"] for kind, side in sides.items()}
    slow = times.get("document", times.get("exact"))
    return _words(goal, slow, times.get("fast"), times.get("port"), times.get("exact"), times.get("document"))


def evaluation_verdict(seconds: Dict[str, float]) -> str:
    """The same of an evaluation: side -> seconds."""
    slow = seconds.get("document", seconds.get("exact"))
    return _words(EVALUATION, slow, seconds.get("fast"), seconds.get("port"), None, None)


def _words(
    goal: Goal,
    slow: Optional[float],
    fast: Optional[float],
    port: Optional[float],
    exact: Optional[float],
    document: Optional[float],
) -> str:
    missed: List[str] = []
    held = 0
    if goal.faster and slow and fast:
        held += 1
        missed += [] if slow / fast >= goal.faster else [f"{slow / fast:.2f} < {goal.faster:g}"]
    if goal.of_port and fast and port:
        held += 1
        missed += [] if fast / port <= goal.of_port else [f"port {fast / port:.2f} > {goal.of_port:g}"]
    if goal.exact and exact and document:
        held += 1
        ratio = exact / document
        missed += [] if ratio <= goal.exact else [f"exact {ratio:.2f} > {goal.exact:g}"]
    return ("missed: " + ", ".join(missed)) if missed else "met" if held else "-"
