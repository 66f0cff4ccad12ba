"""One side of the benchmark in a process of its own: the document's loop, or ours with either engine.

``side.py KIND RECIPE SETTINGS THREADS DATA`` with ``document``, ``exact`` or ``fast``; see ``serve`` for what
it is asked and answers.
"""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Callable, Dict

SAMPLE = "sample"


def serve(iterate: Callable[[int], None], evaluate: Callable[[], int]) -> None:
    """Answer every line of standard input with a JSON line.

    ``N``: train on the next N batches; ``evaluate``: measure a whole split, dropout off. The answer has
    ``seconds``, ``processor`` (seconds of all threads), ``examples`` evaluated, ``memory`` (most so far, MB).
    """
    done = 0
    answers = sys.stdout
    sys.stdout = sys.stderr
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        processor, begun = time.process_time(), time.perf_counter()
        examples = 0
        if line.strip() == "evaluate":
            examples = evaluate()
        else:
            for iteration in range(done, done + int(line)):
                iterate(iteration)
            done += int(line)
        answer = {
            "seconds": time.perf_counter() - begun,
            "processor": time.process_time() - processor,
            "examples": examples,
            "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
        print(json.dumps(answer), file=answers, flush=True)


def main(kind: str, recipe: str, settings: str, threads: int, data: str) -> None:
    """Build a side, and serve; ``data`` is a folder, ``sample``, or empty for the default folder."""
    from tf1_lstm.recipes import find_recipe
    from tf1_lstm.runs.resolve import resolve

    folder = None if data in ("", SAMPLE) else Path(data)
    changes: Dict[str, Any] = json.loads(settings)
    experiment = resolve(find_recipe(recipe), data=folder, sample=data == SAMPLE, settings=changes)
    if kind == "document":
        from benchmarks.documents import document_loop

        serve(*document_loop(experiment, threads))
        return
    from tf1_lstm.runs.engine import engine_of
    from tf1_lstm.runs.evaluate import evaluate
    from tf1_lstm.runs.folder import RunFolder
    from tf1_lstm.runs.loop import TrainingLoop, TrainOptions
    from tf1_lstm.runs.model import Model

    engine = engine_of(kind, threads=threads, device="cpu")
    constants, options = experiment.dataset.constants(), TrainOptions(threads=threads, device="cpu")
    split = experiment.dataset.split_names()[-1]
    more: Any = {"threads": threads, "device": "cpu", "engine": engine}
    with tempfile.TemporaryDirectory() as scratch:
        run = RunFolder.create(Path(scratch) / "run", {"recipe": recipe})
        with Model(experiment.recipe, constants, training=True, **more) as model:
            model.initialise()
            loop = TrainingLoop(run, model, experiment, options, progress=False)

            measuring = Model(experiment.recipe, constants, **more)

            def measure() -> int:
                measuring.load(model.weights())
                return evaluate(measuring, experiment.dataset.split(split), progress=False).examples

            with measuring:
                serve(loop.iterate, measure)
        run.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5])
