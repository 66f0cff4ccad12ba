"""The experiment that a run recorded, opened again, and whether what it rests on is unchanged."""

from pathlib import Path
from typing import Any, Dict, Optional

from tf1_lstm.errors import InputError
from tf1_lstm.runs.resolve import Experiment, resolve


def experiment_of(record: Dict[str, Any], data: Optional[Path]) -> Experiment:
    """Open the experiment that a run recorded; ``data`` is where its data is now, if it was moved."""
    sample = record["sample"] and data is None
    folder = None if sample else data or Path(record["data_folder"])
    return resolve(record["recipe"], data=folder, sample=sample, run_settings=record["settings"])


def check_unchanged(path: Path, record: Dict[str, Any], experiment: Experiment) -> None:
    """Compare a run's record with the recipe and the data of today.

    Raises:
      InputError: one of them differs, so the run cannot be what it would have been.
    """
    published = experiment.published.settings()
    for name, (then, _) in record["deviations"].items():
        now = published.get(name)
        if now != then:
            raise InputError(
                f"{path}: the recipe has changed since: {name} was published as {then!r}, now {now!r}"
            )
    for name, value in record["settings"].items():
        expected = record["deviations"].get(name, [published.get(name), published.get(name)])[1]
        if value != expected:
            raise InputError(f"{path}: the recipe has changed since: {name} was {value!r}, now {expected!r}")
    for name, now in experiment.dataset.hashes().items():
        then = record["data"].get(name)
        if then != now:
            raise InputError(
                f"{experiment.dataset.folder / name}: changed since the run began: "
                f"SHA-256 {now[:16]}… found, {str(then)[:16]}… expected by {path}"
            )
