"""The training loop of one process: iterate, log, save, stop."""

import math
import os
import sys
import time
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional

import numpy as np
from tqdm.auto import tqdm

from tf1_lstm.core.quiet import NO_BANNER
from tf1_lstm.data.base import Sampler
from tf1_lstm.errors import NotFiniteError
from tf1_lstm.recipes.experiment import Epochs
from tf1_lstm.runs.early_stopping import loss_watch
from tf1_lstm.runs.epochs import EpochLog
from tf1_lstm.runs.evaluate import evaluate
from tf1_lstm.runs.folder import ACCURACIES, LOSSES, RunFolder, utc_now
from tf1_lstm.runs.interruption import Interruption
from tf1_lstm.runs.model import Model
from tf1_lstm.runs.resolve import Resolved
from tf1_lstm.runs.saving import CheckpointWriter, Scalars

# Dropout masks of the logged figures: numbered apart from those of the training iterations.
LOG_ITERATIONS = 1 << 40


class TrainOptions(NamedTuple):
    """How to train, beyond the recipe's settings.

    Attributes:
      seed: of every op and sampler.
      keep: how many checkpoints to keep; 0 keeps all.
      exact: the same bits again; otherwise the tutorial's own random ops.
      summaries: write TensorBoard's event file.
      threads: TensorFlow's threads; 0 lets it decide.
      device: ``auto``, ``cpu`` or ``gpu``.
      start_from: a checkpoint to begin with, in place of initial values.
      save_minutes: also save a checkpoint after so many minutes without one; 0 does not. It changes no bit.
      histograms: write those of the weights at every checkpoint.
    """

    seed: int = 1
    keep: int = 0
    exact: bool = True
    summaries: bool = True
    threads: int = 0
    device: str = "auto"
    start_from: Optional[str] = None
    save_minutes: int = 0
    histograms: bool = False


class Outcome(NamedTuple):
    """How a training ended.

    Attributes:
      run: the run folder.
      iterations: how many are done.
      checkpoint: prefix of the last checkpoint.
      weights_sha256: digest of its canonical weights.
      exit_code: 0, or 130 or 143 after a signal.
    """

    run: Path
    iterations: int
    checkpoint: Optional[Path]
    weights_sha256: Optional[str]
    exit_code: int


class TrainingLoop:
    """The training loop of one process."""

    def __init__(
        self, run: RunFolder, model: Model, experiment: Resolved, options: TrainOptions, progress: bool
    ) -> None:
        self.run = run
        self.model = model
        self.recipe = experiment.recipe
        self.dataset = experiment.dataset
        self.schedule: Any = experiment.recipe.schedule
        self.total = experiment.iterations
        # Of epochs the figures are those of the batches as they were trained on.
        self.log_batch = getattr(self.schedule, "log_batch", "epoch")
        self.progress = progress
        self.device = options.device
        self.sampler = self._sampler(experiment, options.seed, "train")
        self.log_sampler = (
            self.sampler if self.log_batch != "test" else self._sampler(experiment, options.seed, "test")
        )
        self.writer = CheckpointWriter(run, model, self.recipe.name, options.keep)
        self.scalars = Scalars(run.path / "events") if options.summaries else None
        self.histograms = options.histograms
        self.epochs: Optional[EpochLog] = None
        if isinstance(self.schedule, Epochs):
            self.epochs = EpochLog(run, model, experiment, self.sampler, progress)
        self.watch = loss_watch(run, model, experiment, options.device, progress)
        self.save_every = self.schedule.save_every or self.sampler.steps_per_epoch
        graph = model.graph
        feeds = [graph.inputs, graph.labels, graph.iteration]
        feeds += [graph.lengths] if model.wants_lengths else []
        self.metric = "mean_absolute_error" if self.recipe.head.task == "numbers" else "accuracy"
        self.carries = graph.carry is not None
        fetches = [graph.loss, graph.train_op] + ([graph.accuracy] if self.epochs or self.carries else [])
        self.step = model.session.make_callable(fetches, feed_list=feeds)
        self.measure = model.session.make_callable([graph.loss, graph.accuracy], feed_list=feeds)
        self.pending: Dict[str, List[float]] = {}
        self.save_seconds = 60 * options.save_minutes or math.inf
        self.saved = time.monotonic()

    def _sampler(self, experiment: Resolved, seed: int, which: str) -> Sampler:
        make = experiment.dataset.train_sampler if which == "train" else experiment.dataset.test_sampler
        return make(experiment.sampler, experiment.batch_size, seed)

    def run_from(self, start: int, interruption: Interruption) -> Outcome:
        """Run the iterations from ``start`` to the end, or to a signal (one at least)."""
        if self.dataset.is_sample and self.progress and not os.environ.get(NO_BANNER):
            print("EMBEDDED SAMPLE: these figures say nothing about the published experiment", flush=True)
        if self.scalars is not None:
            self.scalars.begin(start)
            if start == 0:
                settings = self.recipe.settings()
                self.scalars.describe(self.model.session.graph, self.run.path.name, settings)
        done = start
        total = self.total
        bar = tqdm(
            total=total,
            initial=start,
            desc=self.recipe.name,
            unit=" iterations",
            disable=not self.progress,
            mininterval=0.5 if sys.stderr.isatty() else 30,
        )
        stop = False
        if self.epochs is not None:
            stop = self.epochs.begin(start, interruption)
        elif self.watch is not None:
            stop = self.watch.begin(start, interruption)
        with bar:
            for iteration in range(start, total):
                if stop:
                    break
                self.iterate(iteration)
                done = iteration + 1
                bar.update()
                stop = interruption.signal_number is not None
                if self.watch is not None and not stop:
                    stop = self.watch.after(done, interruption) or interruption.signal_number is not None
                late = time.monotonic() - self.saved >= self.save_seconds
                if done % self.save_every == 0 or done == total or stop or late:
                    self._save(done)
                if self.epochs is not None and not stop:
                    stop = self._end_epoch(done, interruption)
        return self._end(
            done, interruption if interruption.signal_number and not self._is_over(done) else None
        )

    def _is_over(self, done: int) -> bool:
        """Whether nothing is left to do: all iterations, and the figures of the last epoch."""
        if self.watch is not None and self.watch.is_over():
            return True
        return done >= self.total and (self.epochs is None or self.epochs.is_logged(done))

    def _end_epoch(self, done: int, interruption: Interruption) -> bool:
        """Log an epoch that is complete; returns whether training stops with it."""
        assert self.epochs is not None
        if not self.epochs.is_due(done):
            return False
        self._flush()
        figures = self.epochs.end(done, interruption)
        if figures and self.scalars is not None:
            self.scalars.write(done, **figures)
        return interruption.signal_number is not None or self.epochs.is_time_to_stop()

    def iterate(self, iteration: int) -> None:
        """Train on the batch of one iteration, and log where it is due."""
        batch = self.sampler.batch(iteration)
        if self.carries and iteration % max(1, self.sampler.steps_per_epoch) == 0:
            self.model.session.run(self.model.graph.forget)  # a pass begins with nothing to go on from
        loss, _, *accuracy = self.step(*self._fed(batch, iteration))
        self.pending.setdefault(LOSSES, []).append(loss)
        if self.epochs is not None:
            self.pending.setdefault(ACCURACIES, []).extend(accuracy)
            self.epochs.sizes.append(len(batch.labels))
        if not math.isfinite(loss):
            self._stop_not_finite(iteration, f"the loss is {loss}")
        if self.epochs is not None:
            return
        if iteration % self.schedule.log_every == 0 and (iteration or self.schedule.log_first):
            self._log(iteration, batch, [loss, *accuracy])

    def _fed(self, batch: Any, iteration: int) -> List[Any]:
        """What ``step`` and ``measure`` are called with."""
        lengths = [self.model.lengths(batch.inputs, batch.lengths)] if self.model.wants_lengths else []
        return [batch.inputs, batch.labels, iteration, *lengths]

    def _log(self, iteration: int, batch: Any, trained: List[Any]) -> None:
        """Log loss and accuracy after this iteration's update, as the published loop does.

        Where state is carried, those of the update itself: to run the batch again would need the state
        that it began with.
        """
        if self.log_sampler is not self.sampler:
            batch = self.log_sampler.batch(iteration)
        loss, accuracy = (
            trained if self.carries else self.measure(*self._fed(batch, LOG_ITERATIONS + iteration))
        )
        if not math.isfinite(loss):
            self._stop_not_finite(iteration, f"the loss after the update is {loss}")
        number = iteration + 1
        self._flush()
        self.run.log("log", iteration=number, loss=float(loss), **{self.metric: float(accuracy)})
        if self.scalars is not None:
            self.scalars.write(number, loss=loss, **{self.metric: accuracy})
        if self.progress:
            line = f"iteration {number}/{self.total}... loss {loss}... {self.metric.replace('_', ' ')} {accuracy}..."
            tqdm.write(line, file=sys.stdout)

    def _save(self, done: int) -> None:
        self._check_weights(done)
        self._flush()
        self.writer.save(done)
        if self.scalars is not None and self.histograms:
            self.scalars.histograms(done, self.model.weights().arrays)
        self.saved = time.monotonic()

    def _flush(self) -> None:
        for series, values in self.pending.items():
            self.run.append(series, values)
        self.pending = {}

    def _check_weights(self, done: int) -> None:
        if not all(np.isfinite(array).all() for array in self.model.weights().arrays.values()):
            self._stop_not_finite(done - 1, "a weight is not finite")

    def _stop_not_finite(self, iteration: int, why: str) -> None:
        weights = self.model.weights()
        first = next((role for role, a in weights.arrays.items() if not np.isfinite(a).all()), None)
        found = f"; first variable that is not finite: {first}" if first else "; the weights are still finite"
        kept = [checkpoint["step"] for checkpoint in self.run.checkpoints()]
        last = (
            f"the last good checkpoint is that of iteration {kept[-1]:,}"
            if kept
            else "no checkpoint was written"
        )
        self.run.log("not finite", iteration=iteration + 1, why=why, variable=first)
        raise NotFiniteError(f"iteration {iteration + 1}: {why}{found}; {last} ({self.run.path})")

    def _evaluate(self, done: int) -> None:
        """Log what the finished model gives on the first split, for ``verify`` to find again."""
        split = self.dataset.split(self.dataset.split_names()[0])
        engine = self.model.engine
        with Model(self.recipe, self.dataset.constants(), device=self.device, engine=engine) as model:
            model.load(self.model.weights())
            found = evaluate(model, split, progress=self.progress)
        figures = {**found.figures, "examples": found.examples}
        self.run.log("evaluation", step=done, split=found.split, dropout=found.dropout, **figures)

    def _end(self, done: int, interruption: Optional[Interruption]) -> Outcome:
        if self.scalars is not None:
            self.scalars.close()
        last = self.writer.last
        if interruption is not None:
            self.run.log("stop", step=done, signal=interruption.signal_number)
        else:
            self._evaluate(done)
            self.run.log("end", step=done, weights_sha256=last["weights_sha256"] if last else None)
        self.run.save_record(
            ended=utc_now() if interruption is None else None, checkpoints=self.run.checkpoints()
        )
        return Outcome(
            run=self.run.path,
            iterations=done,
            checkpoint=self.run.path / last["prefix"] if last else None,
            weights_sha256=last["weights_sha256"] if last else None,
            exit_code=0 if interruption is None else interruption.exit_code,
        )
