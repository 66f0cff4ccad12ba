"""How long a study's jobs take: by those of it that are done, else by the project's own results."""

import statistics
from pathlib import Path
from typing import Dict, List, Optional, Sequence

from tf1_lstm.errors import InputError
from tf1_lstm.files import read_json
from tf1_lstm.runs.study import DONE, Job, State, StudyCell, results_of

COMMITTED = Path(__file__).resolve().parents[2] / "results"


def expected_seconds(jobs: Sequence[Job], states: Sequence[State]) -> List[Optional[float]]:
    """The seconds that each job still takes with one thread, roughly; None where nothing tells.

    Of a cell with jobs that are done it is their median; else, where its settings are the published
    ones, what the project's committed results took for the recipe.
    """
    found: List[Optional[float]] = []
    known: Dict[Path, Optional[float]] = {}
    for job in jobs:
        if job.cell.folder not in known:
            of_cell = [one for one, state in zip(jobs, states) if state.word == DONE and one.cell == job.cell]
            known[job.cell.folder] = _median(of_cell) or _committed(job.cell)
    for job, state in zip(jobs, states):
        whole = known[job.cell.folder]
        left = 0.0 if state.word == DONE else 1 - state.share
        found.append(None if whole is None else whole * left)
    return found


def _median(jobs: Sequence[Job]) -> Optional[float]:
    seconds = [_seconds(results_of(job)) for job in jobs]
    given = [one for one in seconds if one]
    return statistics.median(given) if given else None


def _committed(cell: StudyCell) -> Optional[float]:
    if cell.settings or cell.engine is not None or not COMMITTED.is_dir():
        return None
    seconds = []
    for path in sorted(COMMITTED.glob(f"{cell.recipe}-seed*.json")):
        try:
            seconds.append(_seconds(read_json(path)))
        except InputError:
            continue
    given = [one for one in seconds if one]
    return statistics.median(given) if given else None


def _seconds(results: Optional[Dict[str, object]]) -> Optional[float]:
    """What a results document took from its beginning to its end."""
    seconds = (results or {}).get("seconds")
    if isinstance(seconds, dict):
        seconds = seconds.get("total")
    return float(seconds) if isinstance(seconds, (int, float)) and seconds > 0 else None
