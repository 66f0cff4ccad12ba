"""Train the original and a port on the same batches, seed by seed, and compare what comes out."""

import contextlib
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from tf1_lstm.core.children import python_command
from tf1_lstm.core.parts import to_document
from tf1_lstm.core.supervisor import Limits, run_supervised
from tf1_lstm.core.text import printable
from tf1_lstm.errors import InputError
from tf1_lstm.files import read_json, replacing, sha256_of_file, write_json
from tf1_lstm.parity.bundle import read_bundle, write_bundle
from tf1_lstm.parity.compare import slug
from tf1_lstm.parity.ports import target_of
from tf1_lstm.parity.runner import OUTPUT, find_python
from tf1_lstm.parity.spec import spec_of
from tf1_lstm.parity.training_child import TF1, SeedTraining, TrainingRequest, digest_of_batches
from tf1_lstm.parity.waiting import EVERY, Say
from tf1_lstm.recipes import all_recipes, find_recipe
from tf1_lstm.recipes.flat import experiment_of_flat
from tf1_lstm.report.pairs import PairsVerdict, judge_pairs
from tf1_lstm.report.verdicts import DIFFERS, POINT
from tf1_lstm.runs.recorded import RecordedRun, run_of
from tf1_lstm.runs.resolve import Resolved, resolve

FORMAT = 1


class TrainingOptions(NamedTuple):
    """How both sides are trained.

    Attributes:
      seeds: of batches, dropout and initial values; in their order.
      python: the port's interpreter; None for that of ``.venv-ports``.
      data, sample: as ``resolve`` takes them.
      out: folder of everything that is written; the same one again goes on where it was.
      settings: changes of the experiment, for both sides.
      split: what is measured; None for the data set's first.
      initial: ``"tf1"`` gives a port the original's initial values, ``"port"`` lets it draw its own.
      margin: of accuracy, what counts as no difference.
      engine: of the original, ``exact`` or ``fast``.
      threads: of both; 0 lets them decide.
      time_limit: seconds for each of the port's trainings.
      raw_pictures: feed pictures as 0 to 255 to the port.
      runs: a folder of finished runs, whose seeds need not be trained again.
    """

    seeds: Sequence[int]
    python: Optional[str] = None
    data: Optional[Path] = None
    sample: bool = False
    out: Optional[Path] = None
    settings: Mapping[str, Any] = {}
    split: Optional[str] = None
    initial: str = TF1
    margin: float = POINT
    engine: str = "exact"
    threads: int = 0
    time_limit: float = 86400.0
    raw_pictures: bool = False
    runs: Optional[Path] = None


class TrainedPairs(NamedTuple):
    """How comparing trainings ended.

    Attributes:
      document: JSON-ready; None where a signal came before the end.
      exit_code: 0, 1 or 2 of the comparison; 130 or 143 after a signal.
    """

    document: Optional[Dict[str, Any]]
    exit_code: int


def compare_training(original: Path, port: str, options: TrainingOptions, say: Say = str) -> TrainedPairs:
    """Train the original and a port with every seed, and judge whether their figures differ.

    Args:
      original: a bundle of a recipe, or a run folder.
      port: as ``compare_port`` takes it, but for functions.
      options: how.
      say: takes a line now and then on how far it has come.

    Raises:
      InputError: anything of this cannot be used.
    """
    return _Comparison(original, port, options, say).run()


class _Comparison:
    """One call of ``compare_training``."""

    def __init__(self, original: Path, port: str, options: TrainingOptions, say: Say) -> None:
        self._options, self._say = options, say
        self._python = find_python(options.python)
        self._source = _run_at(original)
        self._experiment = _experiment(original, self._source, options)
        recipe = self._experiment.recipe
        if recipe.recurrent.carried_state:
            raise InputError(
                "setting recurrent.carried_state: found true, expected false: a port begins each batch anew"
            )
        self._spec = spec_of({**self._experiment.flat(), "steps": self._experiment.flat()["steps"] or 1})
        self._target = target_of(recipe.name, port)
        split = options.split or self._experiment.dataset.split_names()[0]
        self._experiment.dataset.split(split)  # an unknown one ends it here
        self._split = split
        self._figure = "mean_absolute_error" if recipe.head.task == "numbers" else "accuracy"
        name = f"training-{recipe.name}{'-sample' if self._experiment.dataset.is_sample else ''}"
        self._out = options.out or Path("runs") / f"{name}-{slug(port)}"
        self._original, self._port = original, port

    def run(self) -> TrainedPairs:
        """Do what is left of it."""
        self._open_folder()
        bundle = self._bundle()
        originals: Dict[int, Dict[str, Any]] = {}
        for number, seed in enumerate(self._options.seeds):
            self._say(f"TensorFlow 1, seed {seed} ({number + 1} of {len(self._options.seeds)})")
            found = self._train_original(seed)
            if isinstance(found, int):
                _stopped(self._out)
                return TrainedPairs(None, found)
            originals[seed] = found
        try:
            self._train_port(bundle, originals)
        except KeyboardInterrupt:
            _stopped(self._out)
            raise
        return self._judged(originals)

    # ---- the folder ------------------------------------------------------------------------------

    def _open_folder(self) -> None:
        """Begin a folder, or go on with one of the same comparison."""
        options, experiment = self._options, self._experiment
        request = {
            "format": FORMAT,
            "experiment": experiment.recipe.document(),
            "data": experiment.dataset.hashes(),
            "split": self._split,
            "engine": options.engine,
        }
        path = self._out / "training.json"
        if path.is_file():
            known = read_json(path)
            kept = known.get("request") if isinstance(known, dict) else None
            if not isinstance(kept, dict) or kept != request:
                differs = [k for k in request if not isinstance(kept, dict) or kept.get(k) != request[k]]
                raise InputError(
                    f"{path}: of another comparison ({', '.join(differs)} differ); expected the same, or "
                    "another --out"
                )
            return
        try:
            self._out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{self._out}: cannot be made: {error.strerror or error}") from error
        write_json(path, {"request": request})

    def _bundle(self) -> Path:
        """The bundle that the port is built with: the given one, or that of the run's newest checkpoint."""
        if self._source is None:
            return self._original
        path = self._out / "bundle.npz"
        if not path.is_file():
            from tf1_lstm.runs.export import make_bundle
            from tf1_lstm.runs.restore import restore

            where = self._options.data
            restored = restore(
                str(self._source.folder), self._original, data=where, sample=self._options.sample
            )
            with restored.model as model:
                weights = model.weights(restored.facts["step"]).arrays
            write_bundle(path, make_bundle(restored, weights, 16, None))
        read_bundle(path)
        return path

    # ---- TensorFlow 1 ----------------------------------------------------------------------------

    def _train_original(self, seed: int) -> Any:
        """Train and measure one seed, or find it done: its document, or the exit code after a signal."""
        path = self._out / f"original-{seed}.json"
        if path.is_file():
            known = read_json(path)
            if isinstance(known, dict) and Path(str(known.get("initial"))).is_file():
                return known
        folder = self._finished_run(seed)
        if folder is None:
            folder = self._out / f"seed-{seed}"
            code = self._run_original(folder, seed)
            if code:
                return code
        found = {**self._measured(folder), "run": str(folder), "initial": str(self._initial(seed))}
        write_json(path, found)
        return found

    def _finished_run(self, seed: int) -> Optional[Path]:
        """A finished run of this experiment with this seed, so that it need not be trained again."""
        given = self._options.runs
        folders = [self._source.folder] if self._source is not None else []
        if given is not None:
            if not given.is_dir():
                raise InputError(f"--runs: {given}: no such folder; expected one of finished runs")
            folders += sorted(path.parent for path in given.glob("**/run.json"))
        for folder in folders:
            run = run_of(folder)
            if run is not None and self._is_same(run.record, seed):
                return folder
        return None

    def _is_same(self, record: Dict[str, Any], seed: int) -> bool:
        options = record.get("options", {})
        return (
            bool(record.get("ended"))
            and (record.get("engine") or {"name": "exact"})["name"] == self._options.engine
            and (options.get("seed"), options.get("exact"), options.get("start_from")) == (seed, True, None)
            and record.get("experiment") == self._experiment.recipe.document()
            and record.get("data") == self._experiment.dataset.hashes()
        )

    def _run_original(self, folder: Path, seed: int) -> int:
        from tf1_lstm.runs.device import use_device

        device = use_device("auto")
        from tf1_lstm.recipes.load import OwnFile
        from tf1_lstm.runs.engine import engine_of
        from tf1_lstm.runs.loop import TrainOptions
        from tf1_lstm.runs.start import resume_run
        from tf1_lstm.runs.train import train

        options = TrainOptions(seed=seed, threads=self._options.threads, device=device, summaries=False)
        own: Optional[OwnFile] = self._source.own_file if self._source is not None else None
        # Its log lines are in the run folder; the bar is on standard error.
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
            if (folder / "run.json").is_file():
                if run_of(folder).record.get("ended"):  # type: ignore[union-attr]
                    return 0
                outcome = resume_run(folder, self._options.data)
            else:
                engine = engine_of(self._options.engine, threads=options.threads, device=device)
                outcome = train(self._experiment, folder, options, own=own, engine=engine)
        return 0 if outcome is None else outcome.exit_code

    def _measured(self, folder: Path) -> Dict[str, Any]:
        from tf1_lstm.runs.evaluate import evaluate
        from tf1_lstm.runs.restore import restore

        options = self._options
        restored = restore(
            str(folder), folder, data=options.data, sample=options.sample, threads=options.threads
        )
        with restored.model as model:
            found = evaluate(model, restored.experiment.dataset.split(self._split), progress=False)
        facts = restored.facts
        return {
            "figures": found.figures,
            "iterations": facts["step"],
            "weights_sha256": facts["weights_sha256"],
        }

    def _initial(self, seed: int) -> Path:
        """Write the original's initial values of a seed."""
        from tf1_lstm.runs.loop import TrainOptions
        from tf1_lstm.runs.train import training_model

        path = self._out / f"initial-{seed}.npz"
        with training_model(self._experiment, TrainOptions(seed=seed), None) as model:
            model.initialise()
            arrays = model.weights(0).arrays
        with replacing(path) as stream:
            np.savez(stream, **arrays)
        return path

    # ---- the port --------------------------------------------------------------------------------

    def _port_folder(self) -> Path:
        return self._out / f"port-{self._options.initial}"

    def _port_identity(self) -> Dict[str, Any]:
        """What the port's figures of before rest on: its own file included."""
        name = self._target.rpartition(":")[0] or self._target
        path = next((Path(p) for p in (self._target, name) if Path(p).is_file()), None)
        return {
            "target": self._target,
            "sha256": None if path is None else sha256_of_file(path),
            "initial": self._options.initial,
            "raw_pictures": self._options.raw_pictures,
        }

    def _train_port(self, bundle: Path, originals: Dict[int, Dict[str, Any]]) -> None:
        options, experiment, folder = self._options, self._experiment, self._port_folder()
        folder.mkdir(exist_ok=True)
        identity = self._port_identity()
        if not (folder / "identity.json").is_file() or read_json(folder / "identity.json") != identity:
            for old in [*folder.glob("seed-*"), folder / "port.json"]:
                with contextlib.suppress(FileNotFoundError):
                    old.unlink()
            write_json(folder / "identity.json", identity)
        left = [seed for seed in options.seeds if not (folder / f"seed-{seed}.json").is_file()]
        if not left:
            return
        trainings = []
        for seed in left:
            iterations = int(originals[seed]["iterations"])
            sampler = experiment.dataset.train_sampler(experiment.sampler, experiment.batch_size, seed)
            initial, digest = originals[seed]["initial"], digest_of_batches(sampler, iterations)
            trainings.append(SeedTraining(seed, iterations, initial, digest)._asdict())
        data = None if experiment.dataset.is_sample else str(experiment.dataset.folder)
        request = TrainingRequest(
            bundle=str(bundle.resolve()),
            target=self._target,
            data_part=to_document(experiment.recipe.data),
            data=data,
            sample=experiment.dataset.is_sample,
            settings=experiment.flat(),
            sampler=experiment.sampler,
            batch_size=experiment.batch_size,
            split=self._split,
            initial=options.initial,
            trainings=trainings,
            raw_pictures=options.raw_pictures,
        )
        write_json(folder / "request.json", request._asdict())
        for name in ("load.json", "port.json", "progress.json"):
            with contextlib.suppress(FileNotFoundError):
                (folder / name).unlink()
        environment = dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3")
        if options.threads:
            names = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
            environment.update(dict.fromkeys(names, str(options.threads)))
        command = python_command("tf1_lstm.parity.training_child", str(folder), python=self._python)
        limits = Limits(options.time_limit * len(left))
        with _saying(folder, len(options.seeds), self._say):
            ended = run_supervised(command, str(folder / OUTPUT), limits, environment)
        if (folder / "load.json").is_file():
            reason = printable(str(read_json(folder / "load.json").get("reason")))
            raise InputError(f"--port {self._port}: {reason}")
        missing = [seed for seed in left if not (folder / f"seed-{seed}.json").is_file()]
        if missing:
            why = ended.stopped or f"ended with exit code {ended.code}"
            raise InputError(
                f"--port {self._port}: its process {why} before seed {missing[0]} was trained; see "
                f"{folder / OUTPUT}"
            )

    # ---- the verdict -----------------------------------------------------------------------------

    def _judged(self, originals: Dict[int, Dict[str, Any]]) -> TrainedPairs:
        folder, options = self._port_folder(), self._options
        ports = {seed: read_json(folder / f"seed-{seed}.json") for seed in options.seeds}
        rows = [_row(seed, originals[seed], ports[seed]) for seed in options.seeds]
        both = [row for row in rows if row["port"] is not None]
        verdict: Optional[PairsVerdict] = None
        if both:
            name, in_points = self._figure, self._figure == "accuracy"
            first, second = ([row[side][name] for row in both] for side in ("original", "port"))
            # Of a regression, a tenth of the original's own mean error is no difference.
            margin = options.margin if in_points else 0.1 * float(np.mean(first))
            verdict = judge_pairs(first, second, margin, in_points)
        failed = [row["seed"] for row in rows if row["port"] is None]
        document = {
            "request": read_json(self._out / "training.json")["request"],
            "recipe": self._experiment.recipe.name,
            "is_sample": self._experiment.dataset.is_sample,
            "port": {"target": self._target, **_plain(folder / "port.json")},
            "split": self._split,
            "examples": len(self._experiment.dataset.split(self._split).labels),
            "figure": self._figure,
            "initial": options.initial,
            "seeds": rows,
            "failed": failed,
            "verdict": None if verdict is None else verdict.document(),
            "folder": str(self._out),
        }
        write_json(self._out / "training.json", document)
        code = 2 if verdict is None else int(bool(failed) or verdict.word == DIFFERS)
        return TrainedPairs(document, code)


def _row(seed: int, original: Dict[str, Any], port: Any) -> Dict[str, Any]:
    """One seed of the document; what the port's process left is checked."""
    figures = port.get("figures") if isinstance(port, dict) else None
    row = {
        "seed": seed,
        "iterations": original["iterations"],
        "original": original["figures"],
        "run": original["run"],
        "port": None,
    }
    if (
        isinstance(figures, dict)
        and set(figures) == set(original["figures"])
        and all(isinstance(value, float) and np.isfinite(value) for value in figures.values())
    ):
        return {**row, "port": figures, "begins": printable(str(port.get("initial")), 40)}
    failed = port.get("failed") if isinstance(port, dict) else None
    return {**row, "why": printable(str(failed or "the port's process left something else than figures"))}


def _plain(path: Path) -> Dict[str, Any]:
    """What the port's process says of itself."""
    found = read_json(path) if path.is_file() else {}
    if not isinstance(found, dict):
        return {}
    return {
        printable(str(name), 40): value if isinstance(value, (float, type(None))) else printable(str(value))
        for name, value in found.items()
    }


def _run_at(original: Path) -> Optional[RecordedRun]:
    """The run that a path names; None for a bundle."""
    if original.is_file() and original.suffix == ".npz":
        return None
    run = run_of(original)
    if run is None:
        raise InputError(f"{original}: found neither a run folder nor a bundle; expected BUNDLE.npz or RUN")
    return run


def _experiment(original: Path, run: Optional[RecordedRun], options: TrainingOptions) -> Resolved:
    """The experiment behind a run or a bundle, with its data."""
    if run is not None:
        sample = options.sample or (bool(run.record.get("sample")) and options.data is None)
        data = options.data if options.data or sample else Path(run.record["data_folder"])
        return resolve(run.published, data=data, sample=sample, settings=options.settings, used=run.used)
    bundle = read_bundle(original)
    if bundle.recipe not in all_recipes():
        raise InputError(
            f"{original}: found a bundle of {bundle.recipe!r}, expected one of a recipe; of an experiment of "
            "your own give the run folder"
        )
    published = find_recipe(bundle.recipe)
    try:
        used = experiment_of_flat(published, bundle.settings)
    except InputError as error:
        raise InputError(f"{original}: {error}; expected the run folder in its place") from error
    facts = bundle.document.get("dataset", {})
    sample = options.sample or (bool(facts.get("is_sample")) and options.data is None)
    experiment = resolve(published, data=options.data, sample=sample, settings=options.settings, used=used)
    now, then = experiment.dataset.hashes(), facts.get("hashes", {})
    other = [name for name in now if now[name] != then.get(name)]
    if other:
        raise InputError(
            f"{experiment.dataset.folder / other[0]}: SHA-256 {now[other[0]][:16]}… found, "
            f"{str(then.get(other[0]))[:16]}… expected by {original}"
        )
    return experiment


@contextlib.contextmanager
def _saying(folder: Path, seeds: int, say: Say) -> Iterator[None]:
    """While the block runs, say how far the port is."""
    done, began = threading.Event(), time.monotonic()

    def watch() -> None:
        while not done.wait(EVERY):
            found = _plain(folder / "port.json")
            if not found:
                say(f"the port: loading, {time.monotonic() - began:.0f} s")
                continue
            with contextlib.suppress(InputError, KeyError, TypeError, ValueError):
                now = read_json(folder / "progress.json")
                ready = len(list(folder.glob("seed-*.json")))
                share = (ready + int(now["done"]) / int(now["of"])) / seeds
                left = (time.monotonic() - began) * (1 - share) / max(share, 1e-9)
                say(
                    f"the port: seed {int(now['seed'])}, {int(now['done']):,} of {int(now['of']):,} iterations, "
                    f"loss {float(now['loss']):.4f}; {ready} of {seeds} seeds done, about {left:.0f} s left"
                )

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _stopped(folder: Path) -> None:
    print(
        f"tf1-lstm: stopped; what is done is in {folder}, and the same command with --out {folder} goes on",
        file=sys.stderr,
    )


def pairs_table(document: Dict[str, Any]) -> List[Tuple[str, ...]]:
    """The rows of a comparison's table: seed, original, port, difference, whose initial values."""
    name = document["figure"]
    rows: List[Tuple[str, ...]] = []
    scale, digits = (100.0, 2) if name == "accuracy" else (1.0, 4)
    for row in document["seeds"]:
        first = scale * row["original"][name]
        if row["port"] is None:
            rows.append((str(row["seed"]), f"{first:.{digits}f}", "-", "-", row["why"]))
            continue
        second = scale * row["port"][name]
        numbers = (f"{first:.{digits}f}", f"{second:.{digits}f}", f"{second - first:+.{digits}f}")
        rows.append((str(row["seed"]), *numbers, row["begins"]))
    return rows
