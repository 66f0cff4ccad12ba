"""Every run below a folder, each in one line: what was trained, how far it is, what it gave."""

import dataclasses
import os
from pathlib import Path
from typing import Any, Dict, List, Optional
from urllib.parse import quote

from tf1_lstm.errors import InputError
from tf1_lstm.files import read_json
from tf1_lstm.report.index_page import Shown
from tf1_lstm.report.tables import error_text, percent
from tf1_lstm.runs.folder import RunFolder
from tf1_lstm.runs.locks import is_held
from tf1_lstm.runs.pictures import logged_figures

FINISHED, RUNNING, STOPPED = "finished", "running", "stopped"


@dataclasses.dataclass(frozen=True)
class ListedRun:
    """One run, as far as its files tell.

    Attributes:
      path: its folder.
      state: ``finished``, ``running`` (a process holds it), ``stopped``, or why it cannot be read.
      recipe: its name.
      sample: whether it is of the embedded sample.
      seed: of sampler, dropout and initial values.
      engine: ``exact`` or ``fast``.
      exact: whether it can be repeated bit for bit.
      changed: setting -> [published, used].
      step: iterations of the last checkpoint.
      iterations: how many were planned, or done where it ended early.
      started: in UTC.
      accuracies: split -> accuracy of the last checkpoint, dropout off.
      errors: of a regression, split -> mean absolute error in its place.
      weights_sha256: of the last checkpoint.
      log: the logged figures, oldest first; see ``logged_figures``.
    """

    path: Path
    state: str
    recipe: str = ""
    sample: bool = False
    seed: Optional[int] = None
    engine: str = ""
    exact: Optional[bool] = None
    changed: Dict[str, Any] = dataclasses.field(default_factory=dict)
    step: int = 0
    iterations: int = 0
    started: str = ""
    accuracies: Dict[str, float] = dataclasses.field(default_factory=dict)
    errors: Dict[str, float] = dataclasses.field(default_factory=dict)
    weights_sha256: str = ""
    log: List[Dict[str, Any]] = dataclasses.field(default_factory=list)

    def document(self) -> Dict[str, Any]:
        """Everything but the log, JSON-ready."""
        names = [field.name for field in dataclasses.fields(self) if field.name != "log"]
        return {**{name: getattr(self, name) for name in names}, "path": str(self.path)}

    def figures(self) -> List[str]:
        """Each split with its accuracy or its mean absolute error, in words."""
        found = [f"{split} {percent(value, 5000)}" for split, value in self.accuracies.items()]
        return found + [f"{split} error {error_text(value)}" for split, value in self.errors.items()]


def list_runs(folder: Path) -> List[ListedRun]:
    """Find every run below a folder, in the order of their paths.

    A run that cannot be read is listed with the reason as its state.

    Raises:
      InputError: no such folder.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; expected one with runs (tf1-lstm train makes some)")
    return [_listed(path.parent) for path in sorted(folder.rglob("run.json"))]


def shown(run: ListedRun, folder: Path, page_folder: Path) -> Shown:
    """A run as the page of many runs shows it.

    Args:
      run: as listed.
      folder: where the runs are; names are relative to it.
      page_folder: where the page will be; links are relative to it.
    """
    own = run.path / "report.html"
    return Shown(
        name=str(run.path.relative_to(folder)) if run.path != folder else run.path.name,
        page=quote(os.path.relpath(str(own.resolve()), str(page_folder))) if own.is_file() else None,
        **{name: getattr(run, name) for name in Shown._fields if name not in ("name", "page")},
    )


def _listed(path: Path) -> ListedRun:
    try:
        run = RunFolder.open(path)
        events = run.events()
        checkpoints = run.checkpoints()
        log = logged_figures(run)
        measured = _measured(path, events)
    except InputError as error:
        return ListedRun(path, f"cannot be read: {error}")
    record = run.record
    last = checkpoints[-1] if checkpoints else {}
    planned = [event["iterations"] for event in events if event["event"] == "start" and "iterations" in event]
    step = last.get("step", 0)
    ended = bool(record.get("ended"))
    return ListedRun(
        path=path,
        state=FINISHED if ended else RUNNING if is_held(path) else STOPPED,
        recipe=record["recipe"],
        sample=record["sample"],
        seed=record["options"]["seed"],
        engine=_engine(record),
        exact=record["options"]["exact"],
        changed=record.get("deviations") or {},
        step=step,
        iterations=step if ended else planned[-1] if planned else 0,
        started=record.get("started") or "",
        accuracies=_of_splits(measured, "accuracy"),
        errors=_of_splits(measured, "mean_absolute_error"),
        weights_sha256=last.get("weights_sha256", ""),
        log=log,
    )


def _measured(path: Path, events: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    """Evaluations of the last checkpoint: the training's own, and behind them those of ``reproduce``."""
    found = [event for event in events if event["event"] == "evaluation"]
    if (path / "results.json").is_file():
        results = read_json(path / "results.json")
        evaluations = results.get("evaluations") if isinstance(results, dict) else None
        found += evaluations if isinstance(evaluations, list) else []
    return [one for one in found if isinstance(one, dict) and one.get("dropout") == "off"]


def _of_splits(measured: List[Dict[str, Any]], figure: str) -> Dict[str, float]:
    return {str(one.get("split")): one[figure] for one in measured if isinstance(one.get(figure), float)}


def _engine(record: Dict[str, Any]) -> str:
    """The engine that a record names; runs of before it was written down are exact."""
    engine = record.get("engine")
    return str(engine.get("name", "exact")) if isinstance(engine, dict) else "exact"
