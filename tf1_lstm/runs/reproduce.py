"""The command ``reproduce``: train, restore in a fresh process, measure everything, compare."""

import argparse
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

from tf1_lstm.core.children import python_command
from tf1_lstm.errors import InputError
from tf1_lstm.options import add_data_options, add_setting_options, at_least
from tf1_lstm.runs.train_commands import (
    add_run_options,
    check_unchanged,
    free_run_folder,
    typed_experiment,
    typed_settings,
)


def add_parsers(subparsers: Any) -> None:
    """Add ``reproduce``."""
    parser = subparsers.add_parser(
        "reproduce",
        help="train, restore in a fresh process, evaluate, and compare with what was published",
        description="Train a recipe, restore its checkpoint in a fresh process, evaluate every split with "
        "dropout off and on, draw the published test batches again, and print the published figures beside "
        "the measured ones. With a --run that exists it goes on where that run is. Exit code 1: the "
        "published test batches are outside what the sample sizes allow, with every setting as published.",
    )
    parser.add_argument(
        "recipe", metavar="RECIPE", nargs="?", help="left out, with --sample: each document's main recipe"
    )
    add_data_options(parser)
    add_setting_options(parser)
    add_run_options(parser)
    parser.add_argument(
        "--draws", type=at_least(1), default=3, metavar="N", help="repetitions with dropout on (default: 3)"
    )
    parser.add_argument("--results", type=Path, metavar="FILE", help="write results.json there as well")
    parser.add_argument("--json", action="store_true", help="print results.json in place of the table")
    parser.set_defaults(func=run)


def run(options: argparse.Namespace) -> int:
    """Reproduce one recipe, or every document's main one on the sample."""
    if options.recipe is not None:
        return reproduce(options)
    if not options.sample:
        raise InputError("RECIPE: missing; expected a recipe, or --sample to run every document's main one")
    for name in ("run", "results", "json"):
        if getattr(options, name):
            raise InputError(f"--{name}: expected together with one RECIPE")
    from tf1_lstm.recipes import all_recipes

    started = time.monotonic()
    code = 0
    for name, recipe in all_recipes().items():
        if recipe.headline:
            code = max(code, reproduce(argparse.Namespace(**{**vars(options), "recipe": name})))
            print()
    print(f"all done in {time.monotonic() - started:.0f} s", file=sys.stderr)
    return code


def reproduce(options: argparse.Namespace) -> int:
    """Reproduce one recipe; see ``add_parsers``."""
    experiment = typed_experiment(options)
    is_sample = experiment.dataset.is_sample
    path = options.run or free_run_folder(options.recipe, options.seed, is_sample)
    if is_sample:
        print("EMBEDDED SAMPLE: these figures say nothing about the published experiment", file=sys.stderr)
    code = _train(options, experiment, path)
    if code:
        return code
    trained = time.monotonic()
    measured = _measure_all(options, experiment, path)
    results = _results(options, experiment, path, measured)
    results["seconds"]["evaluate"] = round(time.monotonic() - trained, 1)
    results["seconds"]["total"] = round(results["seconds"]["train"] + results["seconds"]["evaluate"], 1)
    _write(results, path, options.results, measured[-1]["class_names"])
    _print(results, path, options.json)
    return 1 if _contradicts(results, experiment) else 0


def _contradicts(results: Dict[str, Any], experiment: Any) -> bool:
    """Whether a published figure is outside what the sample sizes allow, with every setting as published.

    A figure of one whole split is left out: the intervals speak of examples drawn from a pool, and
    two trainings with other random numbers differ by more than that on the same examples.
    """
    sampled = {figure.name for figure in experiment.published.figures if figure.sampler == "test-batches"}
    outside = [p for p in results["published"] if p["verdict"] == "outside" and p["name"] in sampled]
    return bool(outside) and not experiment.deviations and not results["sample"]


def _train(options: argparse.Namespace, experiment: Any, path: Path) -> int:
    """Train in a child process, or go on with the run that is there; returns its exit code."""
    from tf1_lstm.runs.folder import RunFolder

    if (path / "run.json").is_file():
        record = RunFolder.open(path).record
        check_unchanged(path, record, experiment)
        wanted = {
            "settings": experiment.recipe.settings(),
            "seed": options.seed,
            "exact": not options.not_exact,
        }
        found = {
            # A setting that came later has its published value in an older run.
            "settings": experiment.published.with_settings(record["settings"]).settings(),
            "seed": record["options"]["seed"],
            "exact": record["options"]["exact"],
        }
        if wanted != found:
            raise InputError(
                f"{path}: a run with other settings or another seed; expected a new folder or the same"
            )
        if record.get("ended"):
            print(f"{path}: already trained; measuring again", file=sys.stderr)
            return 0
        command = ["resume", str(path)]
        if options.data is not None:
            command += ["--data", str(options.data)]
    else:
        command = _train_command(options, path)
    return _child(python_command("tf1_lstm", *command), stdout=sys.stderr)[0]


def _train_command(options: argparse.Namespace, path: Path) -> List[str]:
    command = ["train", options.recipe, "--run", str(path), "--seed", str(options.seed)]
    command += ["--keep", str(options.keep), "--device", options.device, "--threads", str(options.threads)]
    if options.data is not None:
        command += ["--data", str(options.data)]
    for name in ("sample", "corrected", "not_exact", "no_summaries"):
        if getattr(options, name):
            command.append("--" + name.replace("_", "-"))
    for name, value in typed_settings(options).items():
        command += ["--set", f"{name}={value}"]
    return command


def _child(command: List[str], stdout: Any) -> Tuple[int, str]:
    """Run a child and pass SIGTERM and Ctrl-C on to it; returns its exit code and output."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout, universal_newlines=True)

    def forward(number: int, frame: Any) -> None:
        process.send_signal(number)

    before = {number: signal.signal(number, forward) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        output, _ = process.communicate()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return process.returncode, output or ""


def _measure_all(options: argparse.Namespace, experiment: Any, path: Path) -> List[Dict[str, Any]]:
    """Measure the checkpoint that was published, where there is one, and the last; in that order."""
    from tf1_lstm.runs.folder import RunFolder

    checkpoints = {checkpoint["step"]: checkpoint for checkpoint in RunFolder.open(path).checkpoints()}
    published = {figure.iteration for figure in experiment.published.figures}
    wanted = sorted({step for step in checkpoints if step in published} | {max(checkpoints)})
    return [
        _measure(options, experiment, path, checkpoints[step], last=step == wanted[-1]) for step in wanted
    ]


def _measure(
    options: argparse.Namespace, experiment: Any, path: Path, checkpoint: Dict[str, Any], last: bool
) -> Dict[str, Any]:
    print(f"restoring {checkpoint['prefix']} in a fresh process", file=sys.stderr)
    job = {
        "recipe": options.recipe,
        "checkpoint": str(path / checkpoint["prefix"]),
        "data": None if options.data is None else str(options.data),
        "sample": options.sample,
        "seed": options.seed,
        "batches": 10,
        "draws": options.draws,
        "pictures": str(path) if last else None,
        "device": options.device,
        "threads": options.threads,
    }
    code, output = _child(python_command("tf1_lstm.runs.measure", json.dumps(job)), stdout=subprocess.PIPE)
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
    options: argparse.Namespace, experiment: Any, path: Path, measured: List[Dict[str, Any]]
) -> Dict[str, Any]:
    from tf1_lstm.report.logs import epochs_part
    from tf1_lstm.report.results import build_published
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
    others = bool(set(deviations) - {"log_every", "save_every", "log_batch", "log_first"})
    log = logged_figures(run)
    split = run.record["settings"].get("validation", "")
    epochs = epochs_part(log, () if is_sample else experiment.recipe.log, split)
    return {
        "format": 1,
        "recipe": options.recipe,
        "settings": run.record["settings"],
        "deviations": deviations,
        "seed": options.seed,
        "exact": not options.not_exact,
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
        "published": build_published(experiment.recipe, evaluations, batches, is_sample or others),
        "class_names": measured[-1]["class_names"],
        "pictures": {"report": "report.png", "curves": "curves.png", **measured[-1]["pictures"]},
    }


def _as_typed(options: argparse.Namespace) -> str:
    """Write the command that gives these results, without this machine's paths."""
    words = ["tf1-lstm", "reproduce", options.recipe]
    words += ["--sample"] if options.sample else []
    words += ["--corrected"] if options.corrected else []
    words += ["--not-exact"] if options.not_exact else []
    for name, value in typed_settings(options).items():
        words += ["--set", f"{name}={value}"]
    return " ".join([*words, "--seed", str(options.seed)])


def _write(results: Dict[str, Any], path: Path, copy: Optional[Path], class_names: List[str]) -> None:
    from tf1_lstm.files import write_json
    from tf1_lstm.recipes import find_recipe
    from tf1_lstm.report.overview import report_picture
    from tf1_lstm.report.page import write_page
    from tf1_lstm.runs.folder import RunFolder
    from tf1_lstm.runs.pictures import draw_curves

    draw_curves(path)
    recipe = find_recipe(results["recipe"])
    steps = [checkpoint["step"] for checkpoint in RunFolder.open(path).checkpoints()]
    report_picture(
        results, results["log"], recipe.log, path / "report.png", class_names=class_names, checkpoints=steps
    )
    write_page(path, results, oddities=recipe.oddities)
    for target in [path / "results.json", *([copy] if copy else [])]:
        write_json(target, results)


def _print(results: Dict[str, Any], path: Path, as_json: bool) -> None:
    from tf1_lstm.report.tables import reproduction_table

    if as_json:
        print(json.dumps(results, indent=1, ensure_ascii=False))
        return
    print(reproduction_table(results))
    print(f"\nweights_sha256  {results['weights_sha256']}")
    print(f"checkpoint      {path / results['checkpoint']}")
    print(f"results         {path / 'results.json'}")
    print(f"page            {path / 'report.html'}")
    for name, file in results["pictures"].items():
        print(f"{name:<16}{path / file}")
