"""Train, reproduce and list runs from Python."""

import dataclasses
import tempfile
from contextlib import contextmanager, suppress
from html import escape
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple, Union

from tf1_lstm.api.checkpoint import Checkpoint, load
from tf1_lstm.api.shown import Listed, picture
from tf1_lstm.core.parts import Part, setting_fields
from tf1_lstm.errors import InputError
from tf1_lstm.recipes import Experiment, all_recipes
from tf1_lstm.recipes.own_data import OwnData
from tf1_lstm.recipes.python_source import python_source
from tf1_lstm.report.tables import reproduction_table
from tf1_lstm.runs.listing import ListedRun, list_runs

PathLike = Union[str, Path]


class Recipes(Listed[Experiment]):
    """Every published experiment, by name."""

    headers = ("recipe", "what it is")

    def rows(self) -> Sequence[Sequence[Any]]:
        """The table's cells."""
        return [[one.name, one.title] for one in self]


def recipes() -> Recipes:
    """Every published experiment: ``recipes()["imdb-lstm"]`` is one, with its settings and figures."""
    found = all_recipes()
    return Recipes(list(found.values()), list(found))


class Run:
    """A run folder.

    Attributes:
      path: the folder.
    """

    def __init__(self, path: PathLike, listed: Optional[ListedRun] = None) -> None:
        self.path = Path(path)
        self._listed = listed

    @property
    def listed(self) -> ListedRun:
        """Recipe, seed, state, accuracies, logged figures, as they are on disk now."""
        if self._listed is None or self._listed.state != "finished":
            self._listed = list_runs(self.path)[0]
        return self._listed

    @property
    def accuracies(self) -> Dict[str, float]:
        """Split -> accuracy of the last checkpoint, dropout off."""
        return dict(self.listed.accuracies)

    @property
    def weights_sha256(self) -> str:
        """Digest of the canonical weights of the last checkpoint."""
        return self.listed.weights_sha256

    def load(self, **more: Any) -> Checkpoint:
        """Open its newest checkpoint; arguments as for ``tf1_lstm.load``."""
        return load(self.path / "checkpoints", **more)

    def __repr__(self) -> str:
        found = self.listed
        return f"<Run {self.path}: {found.recipe}, seed {found.seed}, {found.state} at {found.step:,}>"

    def _repr_html_(self) -> str:
        curves = picture(self.path / "curves.png", f"Loss and accuracy of {self.path.name} by iteration.")
        return f"<p><code>{escape(repr(self))}</code></p>{curves}"


class Runs(Listed[Run]):
    """The runs below a folder."""

    headers = ("run", "recipe", "seed", "state", "iterations", "accuracy, dropout off")

    def rows(self) -> Sequence[Sequence[Any]]:
        """The table's cells."""
        return [
            [
                name,
                run.listed.recipe,
                "" if run.listed.seed is None else run.listed.seed,
                run.listed.state,
                run.listed.step,
                ", ".join(run.listed.figures()),
            ]
            for name, run in self._by_name.items()
        ]


def runs(folder: PathLike = "runs") -> Runs:
    """The runs below a folder.

    Raises:
      InputError: no such folder.
    """
    found = list_runs(Path(folder))
    names = [str(one.path.relative_to(folder)) for one in found]
    return Runs([Run(one.path, one) for one in found], names)


def suggest(data: OwnData) -> Experiment:
    """A whole experiment on data of one's own, with sizes chosen by them, as ``tf1-lstm new`` writes it.

    Args:
      data: from ``tf1.data.from_csv``, or a part such as ``CsvTexts(...)``.

    Raises:
      InputError: the data cannot be used.
    """
    from tf1_lstm.data.own.from_files import suggested

    return suggested(data)


@contextmanager
def named(recipe: Union[str, Path, Experiment, OwnData]) -> Iterator[Tuple[str, Dict[str, Any]]]:
    """An experiment as ``runs.start`` takes it: a name, and settings that are changed.

    One that is neither a recipe nor a changed one gets a file, which is there meanwhile.

    A run keeps a copy of the file, so it can be resumed, loaded and verified as one from a file.

    Raises:
      InputError: a part of it is a class that does not come with the package.
    """
    if isinstance(recipe, OwnData):
        recipe = suggest(recipe)
    if not isinstance(recipe, Experiment):
        yield str(recipe), {}
        return
    own = foreign_parts(recipe)
    if own:
        raise InputError(
            f"{own[0]}: found a class of your own, expected it in a file beside the experiment, so that the run "
            "can keep a copy: train('FILE.py')"
        )
    changes = changes_to(recipe)
    if changes is not None:
        yield recipe.name, changes
        return
    located = dataclasses.replace(recipe, data=recipe.data.located(Path.cwd()))
    with tempfile.TemporaryDirectory(prefix="tf1-lstm-") as folder:
        file = Path(folder) / f"{recipe.name or 'experiment'}.py"
        file.write_text(python_source(located), encoding="utf-8")
        yield str(file), {}


def changes_to(experiment: Experiment) -> Optional[Dict[str, Any]]:
    """The settings that make the recipe of its name this experiment; None where there is no such recipe."""
    published = all_recipes().get(experiment.name)
    if published is None:
        return None
    values = experiment.settings()
    changes = {path: values.get(path) for path in published.differences(experiment)}
    with suppress(InputError):  # a setting that went with its kind
        if published.with_settings(changes) == experiment:
            return changes
    return None


def foreign_parts(part: Part) -> List[str]:
    """The names of the classes inside a part that the package does not bring."""
    found = [] if type(part).__module__.startswith("tf1_lstm.") else [type(part).__name__]
    for field in setting_fields(type(part)):
        value = getattr(part, field.name)
        found += foreign_parts(value) if isinstance(value, Part) else []
    return found


def train(
    recipe: Union[str, Path, Experiment, OwnData],
    *,
    data: Optional[PathLike] = None,
    sample: bool = False,
    corrected: bool = False,
    settings: Optional[Mapping[str, Any]] = None,
    run: Optional[PathLike] = None,
    seed: int = 1,
    **more: Any,
) -> Run:
    """Train into a run folder; a run that was stopped by Ctrl-C goes on by ``tf1-lstm resume``.

    Args:
      recipe: a name, ``FILE.py`` or ``FILE.py:NAME``; an ``Experiment``; or data of your own from
        ``tf1.data.from_csv``, whose experiment is that of ``tf1.suggest``.
      data: the data folder; ``data`` by default.
      sample: use the embedded sample, and the settings that suit it.
      corrected: apply the recipe's corrected settings.
      settings: changes, by path, e.g. ``{"recurrent.cell.units": 128}``.
      run: the run folder, new or empty; by default a new one below ``runs/``.
      seed: of sampler, dropout and initial values.
      more: ``keep``, ``exact``, ``summaries``, ``histograms``, ``threads``, ``device``, ``start_from``, ``progress`` of
        ``runs.start.start_run``.

    Raises:
      InputError: anything of this cannot be used.
      NotFiniteError: a loss or weight became NaN or infinite.
    """
    from tf1_lstm.runs.pictures import draw_curves
    from tf1_lstm.runs.start import start_run

    with named(recipe) as (name, changes):
        outcome = start_run(
            name,
            data=None if data is None else Path(data),
            sample=sample,
            corrected=corrected,
            settings={**changes, **(settings or {})},
            run=None if run is None else Path(run),
            seed=seed,
            **more,
        )
    draw_curves(outcome.run)
    return Run(outcome.run)


class Reproduction:
    """What was published beside what was measured.

    Attributes:
      run: its run.
      results: what ``results.json`` holds.
    """

    def __init__(self, run: Run, results: Dict[str, Any]) -> None:
        self.run = run
        self.results = results

    def __repr__(self) -> str:
        return f"<Reproduction of {self.results['recipe']}, seed {self.results['seed']}, in {self.run.path}>"

    def __str__(self) -> str:
        return reproduction_table(self.results)

    def _repr_html_(self) -> str:
        shown = picture(
            self.run.path / "report.png", f"Curves, test batches and splits of {self.run.path.name}."
        )
        return f"<pre>{escape(str(self))}</pre>{shown}"


def reproduce(
    recipe: Union[str, Path], *, data: Optional[PathLike] = None, run: Optional[PathLike] = None, **more: Any
) -> Reproduction:
    """Train, restore in a fresh process, measure every split, and compare with what was published.

    Args:
      recipe: a name.
      data: the data folder; ``data`` by default.
      run: the run folder; where it exists the work goes on there.
      more: the other fields of ``runs.reproduce.ReproduceOptions``: ``sample``, ``settings``, ``seed``, …

    Raises:
      InputError: anything of this cannot be used.
      InterruptedError: the training was stopped before its end.
    """
    from tf1_lstm.runs.reproduce import ReproduceOptions
    from tf1_lstm.runs.reproduce import reproduce as reproduce_run

    done = reproduce_run(
        ReproduceOptions(
            str(recipe),
            data=None if data is None else Path(data),
            run=None if run is None else Path(run),
            **more,
        )
    )
    if done.results is None:
        raise InterruptedError(
            f"{done.run}: stopped with exit code {done.exit_code}; reproduce it again to go on"
        )
    return Reproduction(Run(done.run), done.results)


class PortComparison:
    """What a port gives beside TensorFlow 1.

    Attributes:
      holds: whether all that could be compared passes.
      document: the whole report, as ``tf1-lstm compare --json`` prints it.
    """

    def __init__(self, holds: bool, document: Dict[str, Any]) -> None:
        self.holds = holds
        self.document = document

    def __repr__(self) -> str:
        return f"<PortComparison {'holds' if self.holds else 'DIFFERS'}: {self.document['verdict']:.100}>"

    def __str__(self) -> str:
        from tf1_lstm.parity.report import lines

        return "\n".join(lines(self.document))

    def _repr_html_(self) -> str:
        shown = picture(Path(self.document.get("picture", "")), self.document["verdict"])
        return f"<pre>{escape(str(self))}</pre>{shown}"


def compare(bundle: PathLike, port: str, **more: Any) -> PortComparison:
    """Compare a port with a bundle, and say what is wrong with it.

    Args:
      bundle: written by ``Checkpoint.export("bundle", ...)``.
      port: ``keras``, ``torch``, ``module:name``, ``FILE.py:name`` or a saved model.
      more: as for ``parity.compare.compare_port``: ``python``, ``data``, ``sample``, ``out``, …

    Raises:
      InputError: anything of this cannot be used.
    """
    from tf1_lstm.parity.compare import compare_port

    paths = {name: Path(more[name]) for name in ("data", "out") if more.get(name) is not None}
    return PortComparison(*compare_port(Path(bundle), str(port), **{**more, **paths}))
