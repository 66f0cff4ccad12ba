"""Hold the jobs of a study against a data folder: what is missing in it, and what was trained on other files."""

from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

from tf1_lstm.errors import InputError
from tf1_lstm.runs.recorded import named_experiment
from tf1_lstm.runs.resolve import resolve
from tf1_lstm.runs.study import Job, StudyCell, recorded_data


def check_cells(cells: Sequence[StudyCell], path: Path) -> None:
    """Find every recipe and setting that a study names.

    Raises:
      InputError: there is no such recipe or setting; the message names the study's file and the cell.
    """
    for number, cell in enumerate(cells, 1):
        try:
            named_experiment(cell.recipe).with_settings(cell.typed_settings)
        except InputError as error:
            raise InputError(f"{path}: cell {number}: {error}") from error


def jobs_on_other_data(jobs: Sequence[Job], data: Optional[Path], sample: bool) -> List[Tuple[Job, str]]:
    """The jobs that were begun on other files than those of a data folder.

    Args:
      jobs: of a study.
      data: the data folder; None for the default.
      sample: the embedded sample in its place.

    Returns:
      each such job with the name of the first file that differs.

    Raises:
      InputError: the folder has not what a job needs.
    """
    hashes: Dict[str, Dict[str, str]] = {}
    found = []
    for job in jobs:
        key = repr(job.cell)
        if key not in hashes:
            experiment = named_experiment(job.cell.recipe)
            settings = job.cell.typed_settings
            hashes[key] = resolve(experiment, data=data, sample=sample, settings=settings).dataset.hashes()
        then = recorded_data(job)
        differs = [name for name, now in hashes[key].items() if then and then.get(name) != now]
        if differs:
            found.append((job, differs[0]))
    return found
