"""Runs written into MLflow's file store, by MLflow itself where it is installed."""

import calendar
import sys
import time
from pathlib import Path
from typing import Any, Iterator, List, NamedTuple, Sequence, Tuple

from tf1_lstm.errors import InputError
from tf1_lstm.runs.folder import RunFolder
from tf1_lstm.runs.listing import FINISHED, RUNNING, ListedRun

# What one call may hold, and the longest value of a parameter, in MLflow 1.30.
MOST_METRICS, MOST_PARAMETERS, LONGEST = 1000, 100, 250
FILES = ("run.json", "curves.png", "report.png", "report.html", "results.json")
# Tags: the run's own identity, and what of it was written.
IDENTITY, WRITTEN = "tf1_lstm.id", "tf1_lstm.weights_sha256"


class StoreCounts(NamedTuple):
    """How many runs were written, how many were there as they are, and how many cannot be read."""

    written: int
    known: int
    unreadable: int


def store_runs(runs: Sequence[ListedRun], folder: Path, store: Path) -> StoreCounts:
    """Write runs into a store that ``mlflow ui --backend-store-uri STORE`` shows.

    A recipe is an experiment; settings are parameters; what was logged and measured are metrics by
    iteration; page, pictures and results are artifacts. A run that is in the store already is left as it
    is, or, where it went on since, replaced.

    Args:
      runs: as listed.
      folder: where they are; names are relative to it.
      store: the store's folder, made where there is none.

    Raises:
      InputError: MLflow is not installed, or the store is none.
    """
    mlflow = _mlflow()
    if store.exists() and not (store.is_dir() and (not any(store.iterdir()) or (store / "0").is_dir())):
        raise InputError(f"{store}: found no file store of MLflow, expected one, or a new or empty folder")
    written = known = unreadable = 0
    try:
        client = mlflow.tracking.MlflowClient(tracking_uri=store.resolve().as_uri())
        for run in runs:
            if not run.recipe:
                unreadable += 1
            elif _store(client, mlflow.entities, run, folder):
                written += 1
            else:
                known += 1
    except (mlflow.exceptions.MlflowException, OSError) as error:
        raise InputError(f"{store}: MLflow {mlflow.__version__} refused it: {error}") from error
    return StoreCounts(written, known, unreadable)


def _mlflow() -> Any:
    try:
        import mlflow
        import mlflow.tracking
    except ImportError as error:
        raise InputError(
            f"--mlflow: MLflow cannot be imported ({error}); expected it beside tf1-lstm: "
            f"{sys.executable} -m pip install 'mlflow-skinny<2'"
        ) from error
    return mlflow


def _store(client: Any, entities: Any, run: ListedRun, folder: Path) -> bool:
    """Write one run; False where it is there already."""
    record = RunFolder.open(run.path).record
    experiment = client.get_experiment_by_name(run.recipe)
    number = experiment.experiment_id if experiment else client.create_experiment(run.recipe)
    identity = str(record.get("id") or run.path.resolve())
    for other in client.search_runs([number], f"tags.`{IDENTITY}` = '{identity}'"):
        if other.data.tags.get(WRITTEN) == run.weights_sha256 and other.info.status == _status(run):
            return False
        client.delete_run(other.info.run_id)
    name = str(run.path.relative_to(folder)) if run.path != folder else run.path.name
    tags = {
        "mlflow.runName": name,
        "mlflow.source.name": "tf1-lstm",
        IDENTITY: identity,
        "tf1_lstm.sample": str(run.sample).lower(),
        "tf1_lstm.engine": run.engine,
        "tf1_lstm.exact": str(run.exact).lower(),
    }
    made = client.create_run(number, start_time=_milliseconds(run.started), tags=tags)
    settings = {"seed": run.seed, **record["settings"]}
    parameters = [entities.Param(key, str(value)[:LONGEST]) for key, value in settings.items()]
    metrics = [entities.Metric(*each) for each in _metrics(run)]
    for some in _pieces(parameters, MOST_PARAMETERS):
        client.log_batch(made.info.run_id, params=some)
    for some in _pieces(metrics, MOST_METRICS):
        client.log_batch(made.info.run_id, metrics=some)
    for file in FILES:
        if (run.path / file).is_file():
            client.log_artifact(made.info.run_id, str(run.path / file))
    client.set_tag(made.info.run_id, WRITTEN, run.weights_sha256)
    ended = _milliseconds(record.get("ended") or "") if record.get("ended") else None
    client.set_terminated(made.info.run_id, _status(run), ended)
    return True


def _status(run: ListedRun) -> str:
    return {FINISHED: "FINISHED", RUNNING: "RUNNING"}.get(run.state, "KILLED")


def _metrics(run: ListedRun) -> Iterator[Tuple[str, float, int, int]]:
    """Name, value, milliseconds since 1970 and iteration of everything that was logged or measured."""
    for event in RunFolder.open(run.path).events():
        kind, when = event["event"], _milliseconds(event.get("time") or run.started)
        if kind not in ("log", "evaluation"):
            continue
        step = int(event["iteration" if kind == "log" else "step"])
        before = "" if kind == "log" else f"{event['split']}/"
        for name, value in event.items():
            what = name[4:] if name.startswith("val_") else name
            if what in ("loss", "accuracy", "mean_absolute_error") and isinstance(value, (int, float)):
                yield before + name, float(value), when, step
    for what, final in (("accuracy", run.accuracies), ("mean_absolute_error", run.errors)):
        for split, value in final.items():
            yield f"final/{split}/{what}", value, _milliseconds(run.started), run.step


def _milliseconds(when: str) -> int:
    """Milliseconds since 1970 of a time in UTC as ``run.json`` has it; now where there is none."""
    try:
        return 1000 * calendar.timegm(time.strptime(when, "%Y-%m-%dT%H:%M:%SZ"))
    except ValueError:
        return int(1000 * time.time())


def _pieces(items: List[Any], size: int) -> Iterator[List[Any]]:
    for begin in range(0, len(items), size):
        yield items[begin : begin + size]
