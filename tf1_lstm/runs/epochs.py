"""What is logged of an epoch: the means over its batches, the validation after it, and when to stop.

The means are those that Keras prints: of each batch as it was trained on, before its update and with
dropout on, weighted by its size. Everything is recomputed from the run's folder, so a run that was
interrupted within an epoch logs the same figures as one that was not.
"""

import sys
from typing import Any, Dict, List, Optional

import numpy as np
from tqdm.auto import tqdm

from tf1_lstm.data.base import Sampler
from tf1_lstm.recipes.experiment import Epochs
from tf1_lstm.runs.evaluate import InterruptedMeasuringError, evaluate
from tf1_lstm.runs.folder import ACCURACIES, LOSSES, RunFolder
from tf1_lstm.runs.interruption import Interruption
from tf1_lstm.runs.model import Model
from tf1_lstm.runs.resolve import Resolved


class EpochLog:
    """The epochs of one training process.

    Args:
      run: the run's folder.
      model: the training graph in its session.
      experiment: recipe and data.
      sampler: of the training batches.
      progress: print a line for each epoch, and a bar while validating.

    Attributes:
      sizes: examples in each batch of the running epoch so far.
    """

    def __init__(
        self, run: RunFolder, model: Model, experiment: Resolved, sampler: Sampler, progress: bool
    ) -> None:
        self._run, self._model, self._sampler, self._progress = run, model, sampler, progress
        schedule = experiment.recipe.schedule
        assert isinstance(schedule, Epochs)
        self._schedule = schedule
        numbers = experiment.recipe.head.task == "numbers"
        self._metric = "mean_absolute_error" if numbers else "accuracy"
        self._dataset = experiment.dataset
        self._steps = sampler.steps_per_epoch
        self.sizes: List[int] = []
        self._inference: Optional[Model] = None

    def begin(self, start: int, interruption: Interruption) -> bool:
        """Take up the epoch that ``start`` iterations lie in; returns whether there is nothing to do.

        A process that ended between an epoch's checkpoint and its figures left the epoch without them.
        """
        first = start - 1 - (start - 1) % self._steps if start else 0
        self.sizes = [len(self._sampler.batch(step).labels) for step in range(first, start)]
        if start and self.is_due(start) and not self.is_logged(start):
            self.end(start, interruption)
        elif start % self._steps == 0:
            self.sizes = []
        return self.is_time_to_stop() or interruption.signal_number is not None

    def is_due(self, done: int) -> bool:
        """Whether an epoch is complete, and its figures are wanted."""
        return done % (self._steps * self._schedule.log_every) == 0

    def is_logged(self, done: int) -> bool:
        """Whether the figures of the epoch that ended at ``done`` are in the log (or not wanted)."""
        return not self.is_due(done) or any(event["iteration"] == done for event in self._events())

    def end(self, done: int, interruption: Interruption) -> Optional[Dict[str, float]]:
        """Log the epoch that ends after ``done`` iterations; None where a signal came before its end.

        Returns:
          ``loss`` and ``accuracy``, and with a validation split ``val_loss`` and ``val_accuracy``.
        """
        sizes = np.asarray(self.sizes[-self._steps :], np.float64)
        self.sizes = []
        figures = {
            name: float(np.average(self._run.series(series)[done - len(sizes) : done], weights=sizes))
            for name, series in (("loss", LOSSES), (self._metric, ACCURACIES))
        }
        if self._schedule.validation:
            split = self._dataset.split(self._schedule.validation)
            try:
                found = evaluate(self._measured(), split, progress=self._progress, interruption=interruption)
            except InterruptedMeasuringError:
                return None
            figures.update({f"val_{name}": value for name, value in found.figures.items()})
        epoch = done // self._steps
        self._run.log("log", iteration=done, epoch=epoch, **figures)
        if self._progress:
            shown = "  ".join(f"{name} {value:.4f}" for name, value in figures.items())
            tqdm.write(
                f"epoch {epoch}/{'-' if self._schedule.iterations else self._schedule.epochs}  {shown}",
                file=sys.stdout,
            )
        return figures

    def _measured(self) -> Model:
        """The model to validate with: where state is carried, that of the training has a row for each stream."""
        if self._model.graph.carry is None:
            return self._model
        if self._inference is None:
            constants, device = self._dataset.constants(), self._model.device
            self._inference = Model(self._model.recipe, constants, device=device, engine=self._model.engine)
        self._inference.load(self._model.weights())
        return self._inference

    def is_time_to_stop(self) -> bool:
        """Whether the validation loss has not been lower for ``early_stopping`` epochs in a row."""
        patience = self._schedule.early_stopping
        losses = [event["val_loss"] for event in self._events() if "val_loss" in event]
        return bool(patience and losses) and len(losses) - 1 - int(np.argmin(losses)) >= patience

    def _events(self) -> List[Dict[str, Any]]:
        return [event for event in self._run.events() if event["event"] == "log"]
