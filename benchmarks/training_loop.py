"""Time one training iteration of a recipe against the published document's own loop.

Both loops run in this process, in turns of a few iterations, so that whatever else the machine is
doing falls on both: the ratio counts, not the milliseconds. The project's side is the loop that
``train`` runs, with its sampler, its exact dropout, its finite check, its logging and its
TensorBoard scalars; the document's side is written here after its description: a fixed batch
dimension, word vectors as a constant, ``feed_dict``, Python's ``random``, TensorFlow's own dropout.

    .venv/bin/python benchmarks/training_loop.py imdb-lstm --data DIR
"""

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Callable, Dict, List

import numpy as np

from tf1_lstm.data.base import Dataset
from tf1_lstm.graphs.cells import make_cell
from tf1_lstm.graphs.dropout import LoopClock
from tf1_lstm.graphs.quiet import tf
from tf1_lstm.recipes import find_recipe
from tf1_lstm.recipes.experiment import Experiment, Recurrent, Rows
from tf1_lstm.recipes.flat import flat_settings
from tf1_lstm.runs.folder import RunFolder
from tf1_lstm.runs.loop import TrainingLoop, TrainOptions
from tf1_lstm.runs.model import Model
from tf1_lstm.runs.resolve import Resolved, resolve


def main() -> int:
    """Print both sides and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipe")
    group = parser.add_mutually_exclusive_group(required=True)
    group.add_argument("--data", type=Path)
    group.add_argument("--sample", action="store_true")
    parser.add_argument("--rounds", type=int, default=12, help="turns of each side (default: 12)")
    parser.add_argument("--iterations", type=int, default=25, help="iterations a turn (default: 25)")
    parser.add_argument("--not-exact", action="store_true", help="the project's side with the tutorial's ops")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    # The published log interval would be met once in a thousand iterations; meeting it more often
    # on both sides keeps its cost in the comparison.
    experiment = resolve(
        find_recipe(options.recipe),
        data=options.data,
        sample=options.sample,
        settings={"log_every": "100"},
    )
    times = measure(experiment, options.rounds, options.iterations, exact=not options.not_exact)
    document = summary(options.recipe, times)
    if options.json:
        print(json.dumps(document, indent=1))
    else:
        print(f"{options.recipe}: {document['project_ms']:.2f} ms an iteration by tf1-lstm train,")
        print(f"{'':{len(options.recipe)}}  {document['document_ms']:.2f} ms by the document's own loop;")
        print(
            f"{'':{len(options.recipe)}}  ratio {document['ratio']:.3f} (median over {options.rounds} turns)"
        )
    return 0


def summary(recipe: str, times: Dict[str, List[float]]) -> Dict[str, Any]:
    """Medians and the median of the turns' ratios."""
    ratios = [ours / theirs for ours, theirs in zip(times["project"], times["document"])]
    return {
        "recipe": recipe,
        "project_ms": 1000 * statistics.median(times["project"]),
        "document_ms": 1000 * statistics.median(times["document"]),
        "ratio": statistics.median(ratios),
        "ratios": [round(ratio, 4) for ratio in ratios],
    }


def measure(experiment: Resolved, rounds: int, iterations: int, exact: bool) -> Dict[str, List[float]]:
    """Seconds an iteration of each side, by turn."""
    document = document_loop(experiment)
    times: Dict[str, List[float]] = {"project": [], "document": []}
    with tempfile.TemporaryDirectory() as folder:
        run = RunFolder.create(Path(folder) / "run", {"recipe": experiment.recipe.name})
        options = TrainOptions(exact=exact)
        constants = experiment.dataset.constants()
        with Model(experiment.recipe, constants, training=True, exact=exact) as model:
            model.initialise()
            loop = TrainingLoop(run, model, experiment, options, progress=False)
            sides: Dict[str, Callable[[int], None]] = {"project": loop.iterate, "document": document}
            position = dict.fromkeys(sides, 0)
            # A first turn that is not counted: TensorFlow optimises a graph when it first runs.
            for turn in range(rounds + 1):
                order = list(sides) if turn % 2 else list(sides)[::-1]
                for name in order:
                    seconds = _turn(sides[name], position[name], iterations)
                    position[name] += iterations
                    if turn:
                        times[name].append(seconds / iterations)
                print(f"turn {turn} of {rounds}", file=sys.stderr)
        run.close()
    return times


def _turn(iterate: Callable[[int], None], start: int, iterations: int) -> float:
    begun = time.perf_counter()
    for iteration in range(start, start + iterations):
        iterate(iteration)
    return time.perf_counter() - begun


def document_loop(experiment: Resolved) -> Callable[[int], None]:
    """The document's loop as a function of the iteration's number."""
    make = _rows_loop if isinstance(experiment.recipe.inputs, Rows) else _ids_loop
    return make(experiment.recipe, experiment.dataset)


def _ids_loop(recipe: Experiment, dataset: Any) -> Callable[[int], None]:
    """Source: seed 001, sections 2 to 6."""
    settings, size = flat_settings(recipe), recipe.schedule.batch_size
    steps, classes, units = settings["steps"], recipe.head.columns, settings["units"]
    graph, draw = tf.Graph(), random.Random(1)
    with graph.as_default():
        labels = tf.compat.v1.placeholder(tf.float32, [size, classes])
        inputs = tf.compat.v1.placeholder(tf.int32, [size, steps])
        data = tf.nn.embedding_lookup(np.asarray(dataset.vectors), inputs)
        cell = tf.nn.rnn_cell.BasicLSTMCell(units)
        cell = tf.nn.rnn_cell.DropoutWrapper(cell, output_keep_prob=recipe.keep_prob)
        value, _ = tf.compat.v1.nn.dynamic_rnn(cell, data, dtype=tf.float32)
        last = tf.gather(tf.transpose(value, [1, 0, 2]), steps - 1)
        weights = tf.Variable(tf.random.truncated_normal([units, classes]))
        logits = tf.matmul(last, weights) + tf.Variable(tf.constant(0.1, shape=[classes]))
        step, loss, accuracy = _training_ops(logits, labels, recipe)
    session = _session(graph)
    positive, negative = dataset.layout.train_numbers()
    ids = np.asarray(dataset.ids)

    def iterate(iteration: int) -> None:
        batch, one_hot = np.zeros([size, steps]), []
        for place in range(size):
            number = draw.randint(*(negative if place % 2 else positive))
            one_hot.append([0, 1] if place % 2 else [1, 0])
            batch[place] = ids[number - 1 : number]
        feed = {inputs: batch, labels: one_hot}
        session.run(step, feed)
        if iteration % recipe.schedule.log_every == 0 and iteration:
            session.run(loss, feed)
            session.run(accuracy, feed)

    return iterate


def _rows_loop(recipe: Experiment, dataset: Dataset) -> Callable[[int], None]:
    """Source: seed 002, section 3: training and test batch drawn every iteration, accuracy every 20."""
    settings, size = flat_settings(recipe), recipe.schedule.batch_size
    steps, classes, width = settings["steps"], recipe.head.columns, settings["input_size"]
    graph = tf.Graph()
    with graph.as_default():
        inputs = tf.compat.v1.placeholder(tf.float32, [None, steps, width])
        labels = tf.compat.v1.placeholder(tf.float32, [None, classes])
        last = _rows_last(recipe.recurrent, inputs, size)
        weights = tf.Variable(tf.random.normal([last.shape[1].value, classes]))
        logits = tf.matmul(last, weights) + tf.Variable(tf.constant(0.1, shape=[classes]))
        step, _, accuracy = _training_ops(logits, labels, recipe)
    session = _session(graph)
    train = dataset.train_sampler("published", size, 1)
    test = dataset.test_sampler("published", size, 1)

    def iterate(iteration: int) -> None:
        batch, test_batch = train.batch(iteration), test.batch(iteration)
        session.run([step], {inputs: batch.inputs, labels: batch.labels})
        if iteration % 20 == 0:
            session.run(accuracy, {inputs: test_batch.inputs, labels: test_batch.labels})

    return iterate


def _rows_last(recurrent: Recurrent, inputs: Any, size: int) -> Any:
    forward = make_cell(recurrent, "fw", None, LoopClock())
    if recurrent.bidirectional is None:
        zero = forward.zero_state(size, tf.float32)
        _, state = tf.compat.v1.nn.dynamic_rnn(forward, inputs, initial_state=zero)
        return getattr(state, "h", state)
    backward = make_cell(recurrent, "bw", None, LoopClock())
    _, states = tf.compat.v1.nn.bidirectional_dynamic_rnn(
        forward,
        backward,
        inputs,
        initial_state_fw=forward.zero_state(size, tf.float32),
        initial_state_bw=backward.zero_state(size, tf.float32),
    )
    return states[1].h


def _training_ops(logits: Any, labels: Any, recipe: Experiment) -> Any:
    cross_entropy = tf.compat.v1.nn.softmax_cross_entropy_with_logits(logits=logits, labels=labels)
    loss = tf.reduce_mean(cross_entropy)
    correct = tf.equal(tf.argmax(logits, 1), tf.argmax(labels, 1))
    optimizer = tf.compat.v1.train.AdamOptimizer(recipe.optimizer.learning_rate)
    return optimizer.minimize(loss), loss, tf.reduce_mean(tf.cast(correct, tf.float32))


def _session(graph: Any) -> Any:
    session = tf.compat.v1.Session(graph=graph)
    with graph.as_default():
        session.run(tf.compat.v1.global_variables_initializer())
    return session


if __name__ == "__main__":
    sys.exit(main())
