"""How the time of a training step grows with batch, steps and units, of an evaluation with reviews, and memory.

Every sweep of each engine is a process of its own, which begins with the smallest; one document,
``results/growth.json``, and one picture of it, ``docs/growth.png``. It refuses to begin on a busy machine, as
``bench.py`` does.

    .venv/bin/python benchmarks/growth.py --data data
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.bench import MOST_LOAD, machine  # noqa: E402
from tf1_lstm.files import write_json  # noqa: E402

RECIPE = "imdb-lstm"
SWEEPS = {
    "batch": ("schedule.batch_size", (12, 24, 48, 96, 192)),
    "steps": ("steps", (50, 100, 150, 200, 250)),
    "units": ("recurrent.cell.units", (32, 64, 96, 128, 192)),
    "reviews": ("", (1000, 2000, 4000, 8000)),
}
ENGINES = ("exact", "fast")
LEAST_STEPS, WARM_UP = 5, 3


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Measure every sweep, write and draw; returns the exit code."""
    parser = argparse.ArgumentParser(prog="growth", description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="", metavar="DIR", help="the data folder (default: data)")
    parser.add_argument("--seconds", type=float, default=1.0, metavar="S", help="of each point (default: 1)")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="default: 1")
    parser.add_argument(
        "--out", type=Path, default=None, metavar="DIR", help="default: results, and docs for the picture"
    )
    parser.add_argument("--busy", action="store_true", help="measure on a busy machine too")
    parser.add_argument("--sweep", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.sweep:
        name, engine = options.sweep.split(":")
        print(json.dumps(sweep(name, engine, options)))
        return 0
    load = os.getloadavg()[0]
    if load > MOST_LOAD and not options.busy:
        print(f"growth: found a load of {load:.1f}, expected at most {MOST_LOAD:g}", file=sys.stderr)
        return 2
    found: Dict[str, Any] = {"format": 1, "recipe": RECIPE, "threads": options.threads, "machine": machine()}
    found["sweeps"] = {
        name: {engine: measured(name, engine, options) for engine in ENGINES} for name in SWEEPS
    }
    document, picture = (options.out or ROOT / folder for folder in ("results", "docs"))
    for folder in (document, picture):
        folder.mkdir(parents=True, exist_ok=True)
    write_json(document / "growth.json", found)
    draw(found, picture / "growth.png")
    print(document / "growth.json")
    print(picture / "growth.png")
    return 0


def measured(name: str, engine: str, options: argparse.Namespace) -> List[Dict[str, float]]:
    """One sweep in a process of its own."""
    words = [sys.executable, __file__, "--sweep", f"{name}:{engine}", "--data", options.data]
    words += ["--seconds", str(options.seconds), "--threads", str(options.threads)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, check=True
    )
    points: List[Dict[str, float]] = json.loads(done.stdout.decode().splitlines()[-1])
    print(name, engine, *(f"{one['at']:g}: {one['ms']:.1f} ms" for one in points), flush=True)
    return points


def sweep(name: str, engine: str, options: argparse.Namespace) -> List[Dict[str, float]]:
    """Every point of one sweep: ``at``, ``ms`` (median of a step, or of all reviews), ``memory_mb`` so far."""
    setting, sizes = SWEEPS[name]
    points = []
    for size in sizes:
        ms = evaluation(size, engine, options) if name == "reviews" else step(setting, size, engine, options)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        points.append({"at": float(size), "ms": round(ms, 3), "memory_mb": round(memory, 1)})
    return points


def step(setting: str, size: int, engine: str, options: argparse.Namespace) -> float:
    """Milliseconds of a training step, the median."""
    # The tutorial's arrays have 250 words a review; fewer are cut out of the batches.
    cut = size if setting == "steps" else None
    opened, model = _opened({} if cut else {setting: size}, engine, options, training=True, cut=cut)
    sampler = opened.dataset.train_sampler(opened.sampler, opened.batch_size, 1)
    graph = model.graph
    with model:
        model.initialise()
        run = model.session.make_callable(
            [graph.loss, graph.train_op], feed_list=[graph.inputs, graph.labels, graph.iteration]
        )
        times: List[float] = []
        while len(times) < WARM_UP + LEAST_STEPS or sum(times) < options.seconds:
            batch = sampler.batch(len(times))
            inputs = batch.inputs[:, -cut:] if cut else batch.inputs
            begun = time.perf_counter()
            run(inputs, batch.labels, len(times))
            times.append(time.perf_counter() - begun)
    return 1000 * statistics.median(times[WARM_UP:])


def evaluation(size: int, engine: str, options: argparse.Namespace) -> float:
    """Milliseconds that so many reviews take, dropout off."""
    from tf1_lstm.runs.evaluate import evaluate

    opened, model = _opened({}, engine, options, training=False)
    split = opened.dataset.split(opened.dataset.split_names()[-1])
    some = split._replace(inputs=split.inputs[:size], labels=split.labels[:size])
    with model:
        model.initialise()
        evaluate(model, some._replace(inputs=some.inputs[:500], labels=some.labels[:500]), progress=False)
        begun = time.perf_counter()
        evaluate(model, some, progress=False)
        return 1000 * (time.perf_counter() - begun)


def _opened(
    settings: Dict[str, Any],
    engine: str,
    options: argparse.Namespace,
    training: bool,
    cut: Optional[int] = None,
) -> Any:
    from tf1_lstm.recipes import find_recipe
    from tf1_lstm.runs.engine import engine_of
    from tf1_lstm.runs.model import Model
    from tf1_lstm.runs.resolve import resolve

    folder = Path(options.data) if options.data else None
    opened = resolve(find_recipe(RECIPE), data=folder, settings=settings)
    threads: Any = {"threads": options.threads, "device": "cpu"}
    chosen = engine_of(engine, **threads)
    recipe = (
        opened.recipe if cut is None else replace(opened.recipe, data=replace(opened.recipe.data, steps=cut))
    )
    model = Model(recipe, opened.dataset.constants(), training=training, engine=chosen, **threads)
    return opened, model


def draw(found: Dict[str, Any], path: Path) -> None:
    """A panel for each sweep, and one for memory over the batch; every axis begins at 0."""
    from tf1_lstm.report.canvas import BLUE, VERMILLION, picture

    colours = dict(zip(ENGINES, (BLUE, VERMILLION)))
    with picture(path, f"{RECIPE}: time and memory over size", (10.0, 5.6), False) as figure:
        axes = figure.subplots(2, 3).flat
        for panel, name in zip(axes, SWEEPS):
            for engine in ENGINES:
                points = found["sweeps"][name][engine]
                scale = 1000 if name == "reviews" else 1
                times = [one["ms"] / scale for one in points]
                panel.plot([one["at"] for one in points], times, "o-", color=colours[engine], label=engine)
            panel.set_xlabel(name)
            panel.set_ylabel("s, evaluation" if name == "reviews" else "ms a training step")
        memory = axes[len(SWEEPS)]
        for engine in ENGINES:
            points = found["sweeps"]["batch"][engine]
            memory.plot(
                [one["at"] for one in points],
                [one["memory_mb"] for one in points],
                "o-",
                color=colours[engine],
            )
        memory.set_xlabel("batch")
        memory.set_ylabel("MB, most so far")
        for panel in axes[: len(SWEEPS) + 1]:
            panel.set_xlim(left=0)
            panel.set_ylim(bottom=0)
        axes[len(SWEEPS) + 1].axis("off")
        axes[0].legend(loc="best")


if __name__ == "__main__":
    sys.exit(main())
