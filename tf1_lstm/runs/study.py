"""A study: cells of recipes and settings, a job for each seed of a cell, and how far each job is.

A study is a JSON file::

    {"name": "mnist", "cells": [
        {"recipe": "mnist-rnn", "seeds": [1, 2, 3], "set": {"iterations": 500}, "engine": "exact"}]}

``set`` and ``engine`` may be left out; the engine ``"port"`` trains the recipe's port. A recipe
``FILE.py:NAME`` is found from the study's own folder. A job's run folder follows from its cell and
seed alone, so that every machine that sees the same root finds the same runs; what is there says how
far a job is, and nothing else is kept anywhere.
"""

import hashlib
import json
import re
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from tf1_lstm.errors import InputError
from tf1_lstm.files import read_json
from tf1_lstm.runs.engine import ENGINES
from tf1_lstm.runs.locks import is_held

PORT = "port"
RESULTS = "results.json"
NEW, BEGUN, TRAINED, DONE, IN_USE = "new", "begun", "trained", "done", "in use"
_CELL_KEYS = {"recipe", "seeds", "set", "engine"}


class StudyCell(NamedTuple):
    """Trainings that differ in nothing but their seed.

    Attributes:
      recipe: as typed after ``reproduce``: a name, or ``FILE.py:NAME`` with an absolute path.
      seeds: of its jobs, in their order.
      settings: name -> value of each setting that is changed.
      engine: as typed after ``--engine``; None for the default, ``PORT`` for the recipe's port.
    """

    recipe: str
    seeds: Tuple[int, ...]
    settings: Dict[str, Any]
    engine: Optional[str] = None

    @property
    def typed_settings(self) -> Dict[str, str]:
        """The settings as they would be typed after ``--set``."""
        return {
            name: str(value).lower() if isinstance(value, bool) else str(value)
            for name, value in self.settings.items()
        }

    @property
    def folder(self) -> Path:
        """Where its runs are, relative to the root: the recipe, and what is not as published."""
        changes: Dict[str, Any] = dict(self.settings)
        if self.engine is not None:
            changes["engine"] = self.engine
        text = json.dumps(sorted((name, str(value)) for name, value in changes.items()))
        tag = hashlib.sha256(text.encode()).hexdigest()[:8] if changes else "published"
        return Path(re.sub(r"[^\w.-]+", "-", Path(self.recipe).name)) / tag


class Job(NamedTuple):
    """One training with everything that is measured of it.

    Attributes:
      number: from 1, in the study's order.
      cell: what is trained.
      seed: with which random numbers.
      folder: its run folder.
    """

    number: int
    cell: StudyCell
    seed: int
    folder: Path


class Study(NamedTuple):
    """A study file that was read and checked.

    Attributes:
      name: of the study.
      cells: in the file's order.
    """

    name: str
    cells: Tuple[StudyCell, ...]

    def jobs(self, root: Path) -> List[Job]:
        """Every job below ``root``, numbered from 1."""
        found: List[Job] = []
        for cell in self.cells:
            for seed in cell.seeds:
                folder = root / cell.folder / f"seed{seed}"
                found.append(Job(len(found) + 1, cell, seed, folder))
        return found


def read_study(path: Path) -> Study:
    """Read a study file.

    Raises:
      InputError: not JSON, or not a study: what was found and what was expected.
    """
    document = read_json(path)
    if not isinstance(document, dict) or not isinstance(document.get("cells"), list):
        raise InputError(f'{path}: expected {{"name": …, "cells": [{{"recipe": …, "seeds": […]}}]}}')
    unknown = sorted(set(document) - {"name", "cells"})
    if unknown:
        raise InputError(f"{path}: {unknown[0]!r}: unknown; expected name and cells")
    name = document.get("name", path.stem)
    if not isinstance(name, str) or not re.fullmatch(r"[\w][\w.-]*", name):
        raise InputError(f"{path}: name: found {name!r}, expected letters, digits and . _ -")
    if not document["cells"]:
        raise InputError(f"{path}: cells: found none, expected at least one")
    cells = tuple(
        _cell(f"{path}: cell {number}", cell, path.parent) for number, cell in enumerate(document["cells"], 1)
    )
    seen: Dict[Path, int] = {}
    for number, cell in enumerate(cells, 1):
        if cell.folder in seen:
            first = seen[cell.folder]
            if cells[first - 1].recipe != cell.recipe:
                raise InputError(
                    f"{path}: cell {number}: its runs would lie among those of cell {first}, whose file has the same "
                    "name in another folder; expected files of different names"
                )
            raise InputError(
                f"{path}: cell {number}: the same recipe and settings as cell {first}; expected one cell with the "
                "seeds of both"
            )
        seen[cell.folder] = number
    return Study(name, cells)


def _cell(place: str, cell: Any, folder: Path) -> StudyCell:
    if not isinstance(cell, dict) or not isinstance(cell.get("recipe"), str) or not cell["recipe"]:
        raise InputError(f"{place}: expected an object with recipe and seeds, found {_short(cell)}")
    unknown = sorted(set(cell) - _CELL_KEYS)
    if unknown:
        raise InputError(f"{place}: {unknown[0]!r}: unknown; expected {', '.join(sorted(_CELL_KEYS))}")
    seeds = cell.get("seeds")
    if not isinstance(seeds, list) or not seeds or not all(_is_seed(seed) for seed in seeds):
        raise InputError(f"{place}: seeds: found {_short(seeds)}, expected whole numbers from 0 on")
    if len(set(seeds)) < len(seeds):
        twice = next(seed for seed in seeds if seeds.count(seed) > 1)
        raise InputError(f"{place}: seed {twice}: named twice, expected once")
    settings = cell.get("set", {})
    plain = (str, int, float, bool)
    if not isinstance(settings, dict) or not all(isinstance(value, plain) for value in settings.values()):
        raise InputError(f"{place}: set: found {_short(settings)}, expected setting: value")
    engine = cell.get("engine")
    if engine not in (None, *ENGINES, PORT):
        raise InputError(f"{place}: engine: found {_short(engine)}, expected {', '.join((*ENGINES, PORT))}")
    recipe = cell["recipe"]
    if ":" in recipe:
        file, _, name = recipe.rpartition(":")
        recipe = f"{(folder / file).resolve()}:{name}"
    elif recipe.endswith(".py"):
        recipe = str((folder / recipe).resolve())
    return StudyCell(recipe, tuple(seeds), settings, engine)


def _is_seed(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:60] + "…"


class State(NamedTuple):
    """How far a job is.

    Attributes:
      word: ``NEW``, ``BEGUN``, ``TRAINED``, ``DONE`` or ``IN_USE``.
      share: of the training that is done, between 0 and 1.
    """

    word: str
    share: float


def state_of(job: Job) -> State:
    """How far a job is, by what is in its folder alone; never raises for a folder half made."""
    results = results_of(job)
    if results is not None:
        return State(DONE, 1.0)
    if job.cell.engine == PORT:
        begun = (job.folder / RESULTS).is_file()
        return State(IN_USE if is_held(job.folder) else BEGUN if begun else NEW, 0.0)
    record = _record(job)
    if record is None:
        return State(IN_USE if is_held(job.folder) else NEW, 0.0)
    share = _share(job, record)
    if is_held(job.folder):
        return State(IN_USE, share)
    return State(TRAINED, 1.0) if record.get("ended") else State(BEGUN, share)


def results_of(job: Job) -> Optional[Dict[str, Any]]:
    """The results document of a job that is done; None before.

    It counts only where it is that of this recipe and seed and of the weights that the run ended with.
    """
    results = _document(job.folder / RESULTS)
    if results is None or results.get("seed") != job.seed:
        return None
    if job.cell.engine == PORT:
        settings = results.get("settings")
        settings = settings if isinstance(settings, dict) else {}
        epochs = settings.get("epochs", settings.get("schedule.epochs"))
        whole = results.get("epochs") == epochs and _measured_test(results)
        return results if whole else None
    record = _record(job) or {}
    checkpoints = record.get("checkpoints")
    last = checkpoints[-1] if isinstance(checkpoints, list) and checkpoints else None
    if not record.get("ended") or not isinstance(last, dict):
        return None
    return results if results.get("weights_sha256") == last.get("weights_sha256") else None


def recorded_data(job: Job) -> Dict[str, str]:
    """File name -> SHA-256 of what a job's run, or its port's training, was made from; empty before."""
    document = _record(job) or _document(job.folder / RESULTS) or {}
    data = document.get("data")
    return data if isinstance(data, dict) else {}


def first_done(same: Sequence[Job]) -> Job:
    """Of one job below several roots the first that is done; the first of all where none is."""
    return next((job for job in same if results_of(job) is not None), same[0])


def _measured_test(results: Dict[str, Any]) -> bool:
    found = results.get("evaluations")
    return isinstance(found, list) and any(isinstance(e, dict) and e.get("split") == "test" for e in found)


def _record(job: Job) -> Optional[Dict[str, Any]]:
    return _document(job.folder / "run.json")


def _document(path: Path) -> Optional[Dict[str, Any]]:
    if not path.is_file():
        return None
    try:
        document = read_json(path)
    except InputError:
        return None
    return document if isinstance(document, dict) else None


def _share(job: Job, record: Dict[str, Any]) -> float:
    """The share of the iterations whose loss is written."""
    try:
        total = int(record["iterations"] if "iterations" in record else record["settings"]["iterations"])
        done = (job.folder / "losses.f32").stat().st_size // 4
    except (KeyError, TypeError, ValueError, OSError):
        return 0.0
    return min(1.0, done / total) if total else 0.0
