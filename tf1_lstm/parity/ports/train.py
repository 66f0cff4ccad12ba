"""Train a port by its recipe's own schedule: initial values, dropout and optimizer as published.

``.venv-ports/bin/python -m tf1_lstm.parity.ports.train RECIPE --data DIR --seed N --out FILE``

The batches are those of the recipe's sampler, so they are the same as in a TensorFlow 1 run with that
seed. The JSON file is written anew after each epoch; Ctrl-C or SIGTERM ends the training after the
running iteration and leaves the file of the last whole epoch. Standard error shows how far it is.
"""

import argparse
import math
import shlex
import sys
import time
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import numpy as np

from tf1_lstm.commands.options import add_data_options, add_setting_options, at_least, parse_settings
from tf1_lstm.data.split_batches import batches_of
from tf1_lstm.errors import InputError, NotFiniteError
from tf1_lstm.files import write_json
from tf1_lstm.parity.ports.base import Step
from tf1_lstm.parity.ports.progress import Progress
from tf1_lstm.parity.ports.trainer import make_trainer
from tf1_lstm.recipes import find_recipe
from tf1_lstm.recipes.experiment import Epochs, Experiment, Sigmoid
from tf1_lstm.runs.environment import processor
from tf1_lstm.runs.interruption import Interruption
from tf1_lstm.runs.resolve import Resolved, resolve

FORMAT = 1
EXAMPLES_AT_ONCE = 500
# The settings of the graph that a port follows.
ADAPTABLE = (
    "data.steps",
    "data.words",
    "data.padding",
    "data.cutting",
    "data.held_out",
    "data.batch_order",
    "inputs.width",
    "recurrent.cell.units",
    "dropout.keep_prob",
)


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run the command line; returns the exit code."""
    options = build_parser().parse_args(arguments)
    try:
        settings: Dict[str, Any] = dict(parse_settings(options.settings))
        if options.epochs:
            settings["epochs"] = options.epochs
        published = find_recipe(options.recipe)
        _check(published)
        experiment = resolve(
            published,
            data=options.data,
            sample=options.sample,
            corrected=options.corrected,
            settings=settings,
        )
        _check(experiment.recipe)
        _check_deviations(experiment)
        with Interruption() as interruption:
            whole = PortTraining(experiment, options).run(interruption)
    except InputError as error:
        print(f"ports.train: {error}", file=sys.stderr)
        return 2
    except NotFiniteError as error:
        print(f"ports.train: {error}", file=sys.stderr)
        return 1
    return 0 if whole else interruption.exit_code


def build_parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = argparse.ArgumentParser(prog="python -m tf1_lstm.parity.ports.train", description=__doc__)
    parser.add_argument("recipe", help="a recipe that was published in Keras or PyTorch")
    add_data_options(parser)
    add_setting_options(parser)
    parser.add_argument("--seed", type=at_least(0), default=1, metavar="N", help="default: 1")
    parser.add_argument("--epochs", type=at_least(1), metavar="N", help="in place of the recipe's")
    parser.add_argument(
        "--threads", type=at_least(0), default=0, metavar="N", help="default: the framework's choice"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the JSON file to write")
    return parser


def _check(recipe: Experiment) -> None:
    if not isinstance(recipe.head, Sigmoid) or not isinstance(recipe.schedule, Epochs):
        raise InputError(
            f"recipe {recipe.name}: found one that is not trained in epochs, expected one that was published "
            "in Keras or PyTorch"
        )


def _check_deviations(experiment: Resolved) -> None:
    """Refuse what the ports would ignore: they are as published but for their sizes."""
    free = ("schedule.batch_size", "schedule.epochs", "schedule.validation", "schedule.drop_remainder")
    for name, (published, used) in experiment.deviations.items():
        if name not in (*ADAPTABLE, *free, "optimizer.learning_rate"):
            raise InputError(f"setting {name}: found {used!r}, expected {published!r}, as the port has it")


class PortTraining:
    """One training of a port, and what is written of it.

    Args:
      experiment: recipe, settings and data.
      options: of the command line: ``seed`` (of the batches, the initial values and the dropout),
        ``threads`` and ``out`` are used.
    """

    def __init__(self, experiment: Resolved, options: argparse.Namespace) -> None:
        recipe, dataset = experiment.recipe, experiment.dataset
        schedule: Any = recipe.schedule
        seed, threads = options.seed, options.threads
        self._dataset, self._schedule, self._out = dataset, schedule, options.out
        self._any_steps = recipe.data.any_steps
        table = None
        if experiment.flat()["embedding"] != "trained":
            table = np.asarray(dataset.constants()["word_vectors"], np.float32)
        self._sampler = dataset.train_sampler(experiment.sampler, experiment.batch_size, seed)
        self._trainer = make_trainer(recipe.name, experiment.flat(), table, seed, threads)
        self._seconds: List[float] = []  # of each iteration but the first
        self._document: Dict[str, Any] = {
            "format": FORMAT,
            "recipe": recipe.name,
            "framework": dict(self._trainer.framework),
            "settings": recipe.settings(),
            "deviations": {**experiment.deviations, **experiment.data_deviations},
            "seed": seed,
            "sample": dataset.is_sample,
            "data": dataset.hashes(),
            "threads": threads,
            "cpu": processor().get("model name", "unknown"),
            "command": _command(options),
            "epochs": 0,
            "log": [],
            "evaluations": [],
        }

    def run(self, interruption: Interruption) -> bool:
        """Train to the end, or to a signal; returns whether it was the end."""
        began = time.monotonic()
        for epoch in range(self._schedule.epochs):
            entry = self._epoch(epoch, interruption)
            if entry is None:
                print(f"stopped in epoch {epoch + 1}; {self._out} has {epoch}", file=sys.stderr)
                return False
            if self._schedule.validation:
                found = self._evaluation(self._schedule.validation)
                entry.update(val_loss=found["loss"], val_accuracy=found["accuracy"])
                self._document["evaluations"] = [found]
            self._document["log"].append(entry)
            self._document.update(
                epochs=epoch + 1,
                ms_per_iteration=round(1000 * float(np.mean(self._seconds)), 2),
                seconds=round(time.monotonic() - began, 1),
            )
            write_json(self._out, self._document)
            print("  ".join(f"{name} {value:.6g}" for name, value in entry.items()), flush=True)
        if self._schedule.validation != "test":
            self._document["evaluations"].append(self._evaluation("test"))
            write_json(self._out, self._document)
        return True

    def _epoch(self, epoch: int, interruption: Interruption) -> Optional[Dict[str, Any]]:
        """Train on one epoch's batches; returns its figures, or None after a signal.

        Loss and accuracy are means over the epoch's reviews, as Keras prints them.
        """
        count = self._sampler.steps_per_epoch
        losses, correct, sizes = [], [], []
        with Progress(f"epoch {epoch + 1}/{self._schedule.epochs}", count) as bar:
            for iteration in range(epoch * count, (epoch + 1) * count):
                if interruption.signal_number is not None:
                    return None
                step = self._iterate(iteration)
                losses.append(step.loss)
                correct.append(step.correct)
                sizes.append(step.reviews)
                bar.update(f"loss {step.loss:.4f}")
        return {
            "iteration": (epoch + 1) * count,
            "epoch": epoch + 1,
            "loss": float(np.average(losses, weights=sizes)),
            "accuracy": sum(correct) / sum(sizes),
        }

    def _iterate(self, iteration: int) -> Step:
        batch = self._sampler.batch(iteration)
        began = time.monotonic()
        step = self._trainer.train(batch.inputs, batch.labels.argmax(axis=1))
        if iteration:  # In the first one Keras compiles.
            self._seconds.append(time.monotonic() - began)
        if not math.isfinite(step.loss):
            raise NotFiniteError(f"iteration {iteration + 1}: the loss is {step.loss}")
        return step

    def _evaluation(self, name: str) -> Dict[str, Any]:
        """Measure a whole split with dropout off."""
        split = self._dataset.split(name)
        logits = np.empty(len(split.labels), np.float32)
        batches = list(batches_of(split.inputs, self._any_steps, EXAMPLES_AT_ONCE))
        with Progress(name, len(batches)) as bar:
            for rows, steps in batches:
                logits[rows] = self._trainer.logits(split.inputs[rows, :steps])
                bar.update()
        positive = split.labels == 1
        errors = np.logaddexp(0, np.where(positive, -logits, logits).astype(np.float64))
        accuracy = float(((logits > 0) == positive).mean())
        return {"split": name, "examples": len(logits), "accuracy": accuracy, "loss": float(errors.mean())}


def _command(options: argparse.Namespace) -> str:
    """Return what was typed, without the paths."""
    words = [
        "python",
        "-m",
        "tf1_lstm.parity.ports.train",
        options.recipe,
        "--seed",
        str(options.seed),
    ]
    words += ["--sample"] if options.sample else []
    words += ["--corrected"] if options.corrected else []
    words += ["--epochs", str(options.epochs)] if options.epochs else []
    words += [word for pair in options.settings for word in ("--set", pair)]
    words += ["--threads", str(options.threads)] if options.threads else []
    return " ".join(shlex.quote(word) for word in words)


if __name__ == "__main__":
    sys.exit(main())
