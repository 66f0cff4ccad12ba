"""The command ``reproduce``: train, restore in a fresh process, measure everything, compare."""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tf1_lstm.commands.options import (
    add_data_options,
    add_run_options,
    add_setting_options,
    add_wait_option,
    at_least,
    settings_of,
)
from tf1_lstm.commands.printing import print_fact
from tf1_lstm.errors import InputError

if TYPE_CHECKING:
    from tf1_lstm.runs.reproduce import Reproduced


EXAMPLES = """\
examples:
  tf1-lstm reproduce --sample          each document's main experiment, minutes
  tf1-lstm reproduce imdb-lstm --data data --seed 1
  tf1-lstm reproduce mnist-lstm --set iterations=2000 --results lstm.json"""


def add_parser(subparsers: Any) -> None:
    """Add ``reproduce``."""
    parser = subparsers.add_parser(
        "reproduce",
        help="train, restore in a fresh process, evaluate, and compare with what was published",
        description="Train a recipe, restore its checkpoint in a fresh process, evaluate every split with "
        "dropout off and on, draw the published test batches again, and print the published figures beside "
        "the measured ones. With a --run that exists it goes on where that run is. One run is not judged: "
        "`tf1-lstm study` judges several.",
    )
    parser.add_argument(
        "recipe", metavar="RECIPE", nargs="?", help="left out, with --sample: each document's main recipe"
    )
    add_data_options(parser)
    add_setting_options(parser)
    add_run_options(parser)
    add_wait_option(parser)
    parser.add_argument(
        "--draws", type=at_least(1), default=3, metavar="N", help="repetitions with dropout on (default: 3)"
    )
    parser.add_argument("--results", type=Path, metavar="FILE", help="write results.json there as well")
    parser.add_argument("--json", action="store_true", help="print results.json in place of the table")
    parser.set_defaults(func=run)


def run(options: argparse.Namespace) -> int:
    """Reproduce one recipe, or every document's main one on the sample."""
    if options.recipe is not None:
        return _reproduce(options.recipe, options)
    if not options.sample:
        raise InputError("RECIPE: missing; expected a recipe, or --sample to run every document's main one")
    for name in ("run", "results", "json"):
        if getattr(options, name):
            raise InputError(f"--{name}: expected together with one RECIPE")
    from tf1_lstm.recipes import all_recipes
    from tf1_lstm.report.tables import SAMPLE_BANNER, summary_table

    started = time.monotonic()
    print(f"{SAMPLE_BANNER}\n", flush=True)
    finished = []
    for name, recipe in all_recipes().items():
        if not recipe.published.headline:
            continue
        done = _reproduced(name, options)
        if done.results is None:
            return done.exit_code
        _print(done, banner=False)
        print()
        finished.append(done)
    print(summary_table([done.results for done in finished if done.results is not None]))
    print()
    print_fact("page", _page_of_all(finished[0].run.parent))
    print(f"all done in {time.monotonic() - started:.0f} s", file=sys.stderr)
    return max(done.exit_code for done in finished)


def _page_of_all(folder: Path) -> Path:
    """Write the page of all runs below a folder; returns where it is."""
    from tf1_lstm.report.index_page import write_index
    from tf1_lstm.runs.listing import list_runs, shown

    runs = [shown(one, folder, folder.resolve()) for one in list_runs(folder)]
    return write_index(folder / "index.html", runs, f"Runs in {folder}")


def _reproduce(recipe: str, options: argparse.Namespace) -> int:
    done = _reproduced(recipe, options)
    if done.results is None:
        return done.exit_code
    if options.json:
        print(json.dumps(done.results, indent=1, ensure_ascii=False))
    else:
        _print(done)
    return done.exit_code


def _reproduced(recipe: str, options: argparse.Namespace) -> "Reproduced":
    from tf1_lstm.runs.reproduce import ReproduceOptions, reproduce

    return reproduce(
        ReproduceOptions(
            recipe=recipe,
            data=options.data,
            sample=options.sample,
            corrected=options.corrected,
            settings=settings_of(options),
            run=options.run,
            seed=options.seed,
            keep=options.keep,
            exact=not options.not_exact,
            summaries=not options.no_summaries,
            save_minutes=options.save_minutes,
            device=options.device,
            threads=options.threads,
            engine=options.engine,
            draws=options.draws,
            copy=options.results,
            wait=options.wait,
        )
    )


def _print(done: "Reproduced", banner: bool = True) -> None:
    from tf1_lstm.report.tables import reproduction_table
    from tf1_lstm.runs.engine import engine_words

    path, results = done.run, done.results
    assert results is not None
    print(reproduction_table(results, banner))
    print()
    print_fact("engine", engine_words(results.get("engine")))
    print_fact("weights_sha256", results["weights_sha256"])
    print_fact("checkpoint", path / results["checkpoint"])
    print_fact("results", path / "results.json")
    if "report" in results["pictures"]:
        print_fact("page", path / "report.html")
    for name, file in results["pictures"].items():
        print_fact(name, path / file)
