"""The experiment that a run recorded, opened again, and whether what it rests on is unchanged."""

import dataclasses
import sys
from pathlib import Path
from typing import Any, Dict, NamedTuple, Optional

from tf1_lstm.errors import InputError
from tf1_lstm.files import read_json
from tf1_lstm.recipes import all_recipes, find_recipe
from tf1_lstm.recipes.experiment import Epochs, Experiment
from tf1_lstm.recipes.flat import experiment_of_flat, flat_settings
from tf1_lstm.recipes.load import OwnFile, experiment_in, is_file, own_file
from tf1_lstm.runs import seal
from tf1_lstm.runs.folder import FORMAT
from tf1_lstm.runs.resolve import Resolved, resolve

OWN_COPY = "experiment.py"


class RecordedRun(NamedTuple):
    """A run's folder and what its ``run.json`` holds."""

    folder: Path
    record: Dict[str, Any]

    @property
    def own_file(self) -> Optional[OwnFile]:
        """The copy of the file that the experiment came from; None for a recipe.

        Raises:
          InputError: the copy is missing, or not what the run was trained from.
        """
        facts = self.record.get("own_file")
        if not isinstance(facts, dict):
            return None
        copy = own_file(f"{self.folder / OWN_COPY}:{facts.get('variable')}")
        if copy.sha256 != facts.get("sha256"):
            raise InputError(
                f"{copy.path}: SHA-256 {copy.sha256[:16]}… found, {str(facts.get('sha256'))[:16]}… expected: it "
                "has changed since the run began"
            )
        recorded = self.record["own_file"]
        return copy._replace(folder=Path(recorded["folder"]), original=str(recorded.get("name", "")))

    @property
    def published(self) -> Experiment:
        """The recipe, or the experiment as its file has it."""
        copy = self.own_file
        if copy is not None:
            # Relative paths of its data are those of where the file was.
            found = experiment_in(copy, Path(self.record["own_file"]["folder"]))
            return dataclasses.replace(found, name=self.record["recipe"])
        name = self.record["recipe"]
        if name not in all_recipes():
            raise InputError(f"{self.folder / 'run.json'}: found the recipe {name!r}, which is not known")
        return find_recipe(name)

    @property
    def used(self) -> Experiment:
        """The experiment with the settings of the run."""
        published = self.published
        if not is_composed(self.record):
            return experiment_of_flat(published, self.record["settings"])
        try:
            return published.from_document(self.record["experiment"])
        except (InputError, KeyError) as error:
            raise InputError(f"{self.folder / 'run.json'}: its experiment cannot be read: {error}") from error


def is_composed(record: Dict[str, Any]) -> bool:
    """Whether a record holds an experiment made of parts, or the flat settings of before."""
    return "experiment" in record


def run_of(path: Path) -> Optional[RecordedRun]:
    """The run that a checkpoint lies in; of a prefix, file or folder; None where there is none.

    Raises:
      InputError: its record was edited since the run wrote it.
    """
    for folder in [path, *path.parents][:3]:
        if (folder / "run.json").is_file():
            record = read_json(folder / "run.json")
            _check_seal(folder / "run.json", record)
            known = isinstance(record, dict) and isinstance(record.get("format"), int)
            usable = (
                known and isinstance(record.get("settings"), dict) and isinstance(record.get("recipe"), str)
            )
            return RecordedRun(folder, record) if usable else None
    return None


def _check_seal(path: Path, record: Any) -> None:
    """Refuse a record that was edited: its settings would make another model of the same weights."""
    if isinstance(record, dict) and record.get("format") == FORMAT:
        edited = seal.edited_values(record)
        if edited:
            raise InputError(f"{path}: {edited[0]:.60} was edited; expected a run as it was written")


def file_behind(name: str) -> Optional[OwnFile]:
    """The file of a user's own that a command's RECIPE stands for: itself, or a run folder's copy."""
    if is_file(name):
        return own_file(name)
    run = run_of(Path(name)) if (Path(name) / "run.json").is_file() else None
    return None if run is None else run.own_file


def named_experiment(name: str, run: Optional[RecordedRun] = None) -> Experiment:
    """The experiment that a command's RECIPE names: a recipe, ``FILE.py``, ``FILE.py:NAME`` or a run folder.

    Where the checkpoint's run keeps a copy of the file that is named, the copy is what counts.

    Raises:
      InputError: no such recipe, file or run.
    """
    if not is_file(name) and (Path(name) / "run.json").is_file():
        found = run_of(Path(name))
        if found is None:
            raise InputError(f"{name}: its run.json is not one of a run that can be read")
        return found.published
    copy = run.own_file if run is not None and is_file(name) else None
    if run is None or copy is None or copy.variable != _variable(name):
        return find_recipe(name)
    path = Path(name.rpartition(":")[0] or name) if not name.endswith(".py") else Path(name)
    if path.is_file() and own_file(name).sha256 == copy.sha256:
        return find_recipe(name)
    why = "has changed since" if path.is_file() else "is no longer there after"
    print(f"tf1-lstm: {name} {why} {run.folder} was trained; the copy in it is used", file=sys.stderr)
    return run.published


def is_own(name: str, run: Optional[RecordedRun]) -> bool:
    """Whether a command's RECIPE is a file of a user's own, or a run of one."""
    if run is None and (Path(name) / "run.json").is_file():
        run = run_of(Path(name))
    return is_file(name) or (run is not None and bool(run.record.get("own_file")))


def _variable(name: str) -> str:
    return "EXPERIMENT" if name.endswith(".py") else name.rpartition(":")[2]


def experiment_of(folder: Path, record: Dict[str, Any], data: Optional[Path]) -> Resolved:
    """Open the experiment that a run recorded; ``data`` is where its data is now, if it was moved."""
    run = RecordedRun(folder, record)
    sample = record["sample"] and data is None
    where = None if sample else data or Path(record["data_folder"])
    return resolve(run.published, data=where, sample=sample, used=run.used)


def check_unchanged(path: Path, record: Dict[str, Any], experiment: Resolved) -> None:
    """Compare a run's record with the recipe and the data of today.

    Raises:
      InputError: one of them differs, so the run cannot be what it would have been.
    """
    if not is_composed(record):
        _check_flat(path, record, experiment.published)
    else:
        published = experiment.published.settings()
        for name, (then, _) in record["deviations"].items():
            if published.get(name) != then:
                raise InputError(
                    f"{path}: the recipe has changed since: {name} was published as {then!r}, now "
                    f"{published.get(name)!r}"
                )
        for name, value in record["settings"].items():
            expected = record["deviations"].get(name, [published.get(name), published.get(name)])[1]
            if value != expected:
                raise InputError(
                    f"{path}: the recipe has changed since: {name} was {value!r}, now {expected!r}"
                )
    found = experiment.dataset.hashes()
    for name in [*found, *(name for name in record["data"] if name not in found)]:
        now, then = (
            f"SHA-256 {hashes[name][:16]}…" if name in hashes else "none"
            for hashes in (found, record["data"])
        )
        if found.get(name) != record["data"].get(name):
            raise InputError(
                f"{experiment.dataset.folder / name}: changed since the run began: {now} found, {then} expected by "
                f"{path}"
            )


def _check_flat(path: Path, record: Dict[str, Any], published: Experiment) -> None:
    now = flat_settings(published)
    derived = ("iterations",) if isinstance(published.schedule, Epochs) else ()
    for name, value in record["settings"].items():
        then, used = record["deviations"].get(name, [value, value])
        if name not in derived and (now.get(name) != then or used != value):
            raise InputError(
                f"{path}: the recipe has changed since: {name} was published as {then!r}, now {now.get(name)!r}"
            )


def iterations_of(record: Dict[str, Any]) -> int:
    """How many iterations a run was to have."""
    return int(record["iterations"] if is_composed(record) else record["settings"]["iterations"])
