"""Train, restore in a fresh process, measure everything, and compare with what was published."""

import json
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

from tf1_lstm.core.children import python_command
from tf1_lstm.core.quiet import is_quiet
from tf1_lstm.errors import InputError
from tf1_lstm.recipes.experiment import Epochs, Experiment
from tf1_lstm.recipes.load import is_file
from tf1_lstm.runs.locks import held
from tf1_lstm.runs.recorded import RecordedRun, check_unchanged, named_experiment, run_of
from tf1_lstm.runs.resolve import Resolved, resolve
from tf1_lstm.runs.start import free_run_folder


class ReproduceOptions(NamedTuple):
    """What to reproduce, and how.

    Attributes:
      recipe: its name.
      data: the data folder; ``data`` by default.
      sample: use the embedded sample, and the settings that suit it.
      corrected: apply the recipe's corrected settings.
      settings: changes; they win over everything else.
      run: the run folder; where it exists the work goes on there. By default a new one below ``runs/``.
      seed: of sampler, dropout and initial values.
      keep: checkpoints to keep; 0 for all.
      exact: the same bits on every run; else the published random ops.
      summaries: write TensorBoard scalars.
      save_minutes: also save a checkpoint after so many minutes without one.
      device: ``auto``, ``cpu`` or ``gpu``.
      threads: TensorFlow's; 0 for one a core.
      draws: repetitions with dropout on.
      copy: write the results to this file as well.
      engine: ``exact`` or ``fast``; of the training and of what is measured.
      wait: seconds to wait for another process that has the run.
    """

    recipe: str
    data: Optional[Path] = None
    sample: bool = False
    corrected: bool = False
    settings: Mapping[str, Any] = {}
    run: Optional[Path] = None
    seed: int = 1
    keep: int = 0
    exact: bool = True
    summaries: bool = True
    save_minutes: int = 0
    device: str = "auto"
    threads: int = 0
    draws: int = 3
    copy: Optional[Path] = None
    engine: str = "exact"
    wait: float = 0.0


class Reproduced(NamedTuple):
    """How it went.

    Attributes:
      run: the run folder.
      exit_code: 0, or that of a training that did not get to its end.
      results: what ``results.json`` holds; None where the training did not get to its end.
    """

    run: Path
    exit_code: int
    results: Optional[Dict[str, Any]]


def reproduce(options: ReproduceOptions) -> Reproduced:
    """Reproduce one recipe.

    Raises:
      InputError: anything of this cannot be used.
    """
    known = run_of(options.run) if options.run is not None else None
    published = named_experiment(options.recipe, known)
    experiment = resolve(
        published,
        data=options.data,
        sample=options.sample,
        corrected=options.corrected,
        settings=options.settings,
    )
    is_sample = experiment.dataset.is_sample
    path = options.run or free_run_folder(published.name, options.seed, is_sample)
    # One lock from training to measuring: a second process neither trains nor measures the same run.
    with held(path, options.wait) as lent:
        return _reproduce(options, experiment, path, lent)


def _reproduce(
    options: ReproduceOptions, experiment: Resolved, path: Path, lent: Dict[str, Any]
) -> Reproduced:
    """Train and measure in a locked folder; ``lent`` hands the lock to children."""
    code = _train(options, experiment, path, lent)
    if code:
        return Reproduced(path, code, None)
    trained = time.monotonic()
    measured = _measure_all(options, experiment, path)
    results = _results(options, experiment, path, measured)
    results["seconds"]["evaluate"] = round(time.monotonic() - trained, 1)
    results["seconds"]["total"] = round(results["seconds"]["train"] + results["seconds"]["evaluate"], 1)
    _write(experiment.published, results, path, options.copy, measured[-1]["class_names"])
    return Reproduced(path, 0, results)


def _train(options: ReproduceOptions, experiment: Resolved, path: Path, lent: Dict[str, Any]) -> int:
    """Train in a child process, or go on with the run that is there; returns its exit code."""
    from tf1_lstm.runs.folder import RunFolder

    if (path / "run.json").is_file():
        record = RunFolder.open(path).record
        check_unchanged(path, record, experiment)
        wanted = {
            "settings": experiment.recipe.settings(),
            "seed": options.seed,
            "exact": options.exact,
            "engine": options.engine,
        }
        found = {
            # A setting that came later has its published value in an older run.
            "settings": RecordedRun(path, record).used.settings(),
            "seed": record["options"]["seed"],
            "exact": record["options"]["exact"],
            "engine": record.get("engine", {"name": "exact"})["name"],
        }
        if wanted != found:
            raise InputError(
                f"{path}: a run with other settings, another seed or engine; expected a new folder or the same"
            )
        if record.get("ended"):
            print(f"{path}: already trained; measuring again", file=sys.stderr)
            return 0
        job: Dict[str, Any] = {"do": "resume", "path": str(path), "data": _text(options.data)}
    else:
        job = _training_job(options, path)
    return _child(job, stdout=subprocess.DEVNULL if is_quiet() else sys.stderr, **lent)[0]


def _training_job(options: ReproduceOptions, path: Path) -> Dict[str, Any]:
    """The arguments of ``start_run`` as JSON."""
    names = [
        "recipe",
        "sample",
        "corrected",
        "seed",
        "keep",
        "exact",
        "summaries",
        "save_minutes",
        "threads",
        "device",
        "engine",
    ]
    job = {name: getattr(options, name) for name in names}
    return {
        **job,
        "do": "train",
        "data": _text(options.data),
        "run": str(path),
        "settings": dict(options.settings),
    }


def _text(path: Optional[Path]) -> Optional[str]:
    return None if path is None else str(path)


def _child(job: Dict[str, Any], stdout: Any, **more: Any) -> Tuple[int, str]:
    """Do a job of ``runs.child`` and pass SIGTERM and Ctrl-C on; returns its exit code and output."""
    command = python_command("tf1_lstm.runs.child", json.dumps(job))
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=stdout, universal_newlines=True, **more
    )

    def forward(number: int, frame: Any) -> None:
        process.send_signal(number)

    before = {number: signal.signal(number, forward) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        output, _ = process.communicate()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return process.returncode, output or ""


def _measure_all(options: ReproduceOptions, experiment: Resolved, path: Path) -> List[Dict[str, Any]]:
    """Measure the checkpoint that was published, where there is one, and the last; in that order."""
    from tf1_lstm.runs.folder import RunFolder

    run = RunFolder.open(path)
    last = run.logged_checkpoints()[-1:]
    checkpoints = {checkpoint["step"]: checkpoint for checkpoint in run.checkpoints()}
    if not last or last[0]["step"] not in checkpoints:
        found = f"the last checkpoint, {last[0]['prefix']}, is missing" if last else "found no checkpoint"
        raise InputError(f"{path}: {found}; expected a run with the checkpoint that it ended with")
    published = {figure.iteration for figure in experiment.published.published.figures}
    wanted = sorted({step for step in checkpoints if step in published} | {max(checkpoints)})
    return [
        _measure(options, experiment, path, checkpoints[step], last=step == wanted[-1]) for step in wanted
    ]


def _measure(
    options: ReproduceOptions, experiment: Resolved, path: Path, checkpoint: Dict[str, Any], last: bool
) -> Dict[str, Any]:
    print(f"restoring {checkpoint['prefix']} in a fresh process", file=sys.stderr)
    job = {
        "do": "measure",
        "recipe": options.recipe,
        "checkpoint": str(path / checkpoint["prefix"]),
        "data": _text(options.data),
        "sample": options.sample,
        "seed": options.seed,
        "batches": 10,
        "draws": options.draws,
        "pictures": str(path) if last else None,
        "device": options.device,
        "threads": options.threads,
        "engine": options.engine,
    }
    code, output = _child(job, stdout=subprocess.PIPE)
    if code:
        raise InputError(
            f"{checkpoint['prefix']}: measuring it in a fresh process failed with exit code {code}"
        )
    measured: Dict[str, Any] = json.loads(output)
    if measured["facts"]["weights_sha256"] != checkpoint["weights_sha256"]:
        raise InputError(
            f"{checkpoint['prefix']}: restored weights {measured['facts']['weights_sha256']}, "
            f"expected {checkpoint['weights_sha256']} as saved"
        )
    return measured


def _results(
    options: ReproduceOptions, experiment: Resolved, path: Path, measured: List[Dict[str, Any]]
) -> Dict[str, Any]:
    from tf1_lstm.report.committed import committed_rows
    from tf1_lstm.report.logs import epochs_part
    from tf1_lstm.report.results import build_published
    from tf1_lstm.report.study_rows import HARMLESS
    from tf1_lstm.runs.folder import RunFolder, training_seconds
    from tf1_lstm.runs.pictures import logged_figures

    run = RunFolder.open(path)
    seconds = training_seconds(run.events())
    iterations = run.checkpoints()[-1]["step"]
    evaluations = [evaluation for part in measured for evaluation in part["evaluations"]]
    # The published batches came from one checkpoint: where that is measured it is the first.
    batches = measured[0]["test_batches"]
    is_sample = experiment.dataset.is_sample
    deviations = {**experiment.deviations, **experiment.data_deviations}
    others = bool(set(deviations) - HARMLESS)
    log = logged_figures(run)
    schedule = experiment.recipe.schedule
    split = schedule.validation if isinstance(schedule, Epochs) else ""
    numbers = experiment.recipe.head.task == "numbers"
    epochs = (
        None if numbers else epochs_part(log, () if is_sample else experiment.recipe.published.log, split)
    )
    pictures = {"curves": "curves.png"}
    if not numbers:
        pictures = {"report": "report.png", **pictures, **measured[-1]["pictures"]}
    return {
        "format": 1,
        "recipe": experiment.recipe.name,
        "settings": experiment.recipe.settings(),
        "deviations": deviations,
        **({"own_file": True} if run.record.get("own_file") else {}),
        "seed": options.seed,
        "exact": options.exact,
        "engine": run.record.get("engine", {"name": "exact"}),
        "sample": is_sample,
        "iterations": iterations,
        "data": run.record["data"],
        "weights_sha256": measured[-1]["facts"]["weights_sha256"],
        "checkpoint": run.checkpoints()[-1]["prefix"],
        "environment": {k: v for k, v in run.record["environment"].items() if k != "cpu_flags"},
        "seconds": {"train": seconds},
        "ms_per_iteration": round(1000 * seconds / iterations, 2),
        "command": _as_typed(options),
        "log": log,
        **({"epochs": epochs} if epochs else {}),
        "evaluations": evaluations,
        "test_batches": batches,
        # Another schedule or graph is another experiment: there is nothing to confirm or contradict.
        "published": build_published(
            experiment.recipe, evaluations, batches, is_sample or others, committed_rows()
        ),
        "class_names": measured[-1]["class_names"],
        "pictures": pictures,
    }


def _as_typed(options: ReproduceOptions) -> str:
    """Write the command that gives these results, without this machine's paths."""
    own = is_file(options.recipe) or (Path(options.recipe) / "run.json").is_file()
    words = ["tf1-lstm", "reproduce", Path(options.recipe).name if own else options.recipe]
    words += ["--sample"] if options.sample else []
    words += ["--corrected"] if options.corrected else []
    words += [] if options.exact else ["--not-exact"]
    words += [] if options.engine == "exact" else ["--engine", options.engine]
    for name, value in options.settings.items():
        words += ["--set", f"{name}={value}"]
    words += (
        [] if options.draws == ReproduceOptions._field_defaults["draws"] else ["--draws", str(options.draws)]
    )
    return " ".join(map(shlex.quote, [*words, "--seed", str(options.seed)]))


def _write(
    recipe: Experiment, results: Dict[str, Any], path: Path, copy: Optional[Path], class_names: List[str]
) -> None:
    from tf1_lstm.files import write_json
    from tf1_lstm.report.overview import report_picture
    from tf1_lstm.report.page import write_page
    from tf1_lstm.runs.folder import RunFolder
    from tf1_lstm.runs.pictures import draw_curves

    draw_curves(path)
    if recipe.head.task != "numbers":  # report and page are of accuracies
        steps = [checkpoint["step"] for checkpoint in RunFolder.open(path).checkpoints()]
        report_picture(
            results,
            results["log"],
            recipe.published.log,
            path / "report.png",
            class_names=class_names,
            checkpoints=steps,
        )
        write_page(path, results, oddities=[oddity.text for oddity in recipe.published.oddities])
    for target in [path / "results.json", *([copy] if copy else [])]:
        write_json(target, results)
