"""Early stopping of a schedule of iterations: a split is measured as training goes on."""

import sys
from typing import Any, Dict, List, Optional

import numpy as np
from tqdm.auto import tqdm

from tf1_lstm.recipes.experiment import EarlyStopping
from tf1_lstm.runs.evaluate import InterruptedMeasuringError, evaluate
from tf1_lstm.runs.folder import RunFolder
from tf1_lstm.runs.interruption import Interruption
from tf1_lstm.runs.model import Model
from tf1_lstm.runs.resolve import Resolved

EVENT = "validation"


class LossWatch:
    """Measures the loss of a split every so many iterations, and says when it no longer falls.

    Everything is read from the run's log, so a run that was interrupted stops where it would have.

    Args:
      run: the run's folder.
      model: of the experiment, without its optimizer; the weights are taken from ``training`` each time.
      training: the training graph in its session.
      stopping: which split, how often, and how patient.
      experiment: gives the split.
      progress: print a line for each measurement.
    """

    def __init__(
        self,
        run: RunFolder,
        model: Model,
        training: Model,
        stopping: EarlyStopping,
        experiment: Resolved,
        progress: bool,
    ) -> None:
        self._run, self._model, self._training = run, model, training
        self._stopping, self._progress = stopping, progress
        self._split = experiment.dataset.split(stopping.split)

    def begin(self, start: int, interruption: Interruption) -> bool:
        """Make up for a measurement that a process did not get to; returns whether training is over."""
        if start and start % self._stopping.every == 0 and start not in self._measured():
            self._measure(start, interruption)
        return self.is_over()

    def after(self, done: int, interruption: Interruption) -> bool:
        """Measure where it is due after ``done`` iterations; returns whether training is over."""
        if done % self._stopping.every:
            return False
        self._measure(done, interruption)
        return self.is_over()

    def is_over(self) -> bool:
        """Whether the loss has not been lower for ``patience`` measurements in a row."""
        losses = list(self._measured().values())
        return bool(losses) and len(losses) - 1 - int(np.argmin(losses)) >= self._stopping.patience

    def _measure(self, done: int, interruption: Interruption) -> None:
        self._model.load(self._training.weights())
        try:
            found = evaluate(self._model, self._split, progress=False, interruption=interruption)
        except InterruptedMeasuringError:
            return
        self._run.log(EVENT, iteration=done, split=found.split, **found.figures)
        if self._progress:
            shown = "  ".join(f"{name} {value:.4f}" for name, value in found.figures.items())
            tqdm.write(f"iteration {done}, {found.split}  {shown}", file=sys.stdout)

    def _measured(self) -> Dict[int, float]:
        events: List[Dict[str, Any]] = [event for event in self._run.events() if event["event"] == EVENT]
        return {event["iteration"]: event["loss"] for event in events}


def loss_watch(
    run: RunFolder, training: Model, experiment: Resolved, device: str, progress: bool
) -> Optional[LossWatch]:
    """The watch that an experiment's schedule asks for, or None; its model is closed with the process."""
    stopping = getattr(experiment.recipe.schedule, "early_stopping", None)
    if not isinstance(stopping, EarlyStopping):
        return None
    constants = experiment.dataset.constants()
    model = Model(experiment.recipe, constants, device=device, engine=training.engine)
    return LossWatch(run, model, training, stopping, experiment, progress)
