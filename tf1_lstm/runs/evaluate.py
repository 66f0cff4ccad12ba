"""Accuracy with dropout off or on, every example once, and the published test batches again."""

import sys
from typing import Any, Dict, List, NamedTuple, Optional

import numpy as np
from tqdm import tqdm

from tf1_lstm.data.base import Dataset, Split
from tf1_lstm.data.split_batches import batches_of
from tf1_lstm.report.statistics import accuracy_interval
from tf1_lstm.runs.interruption import Interruption
from tf1_lstm.runs.model import Model

BATCH = 250
# Dropout masks of an evaluation: numbered apart from those of the training.
EVALUATION_ITERATIONS = 1 << 41


class InterruptedMeasuringError(Exception):
    """A signal came before everything was measured."""


class Evaluation(NamedTuple):
    """What one split gave.

    Attributes:
      split: its name.
      examples: how many, each once.
      dropout: ``"off"`` or ``"on"``.
      draws: repetitions with other dropout masks (1 with dropout off).
      accuracy: share of correct labels, mean over draws.
      std: standard deviation over draws; None for one draw.
      interval: 95 % interval of the accuracy for that many examples.
      loss: mean cross-entropy, in nats.
      confusion: [true][predicted] counts of the first draw.
      probabilities: [examples, classes] float32 of the first draw.
    """

    split: str
    examples: int
    dropout: str
    draws: int
    accuracy: float
    std: Optional[float]
    interval: List[float]
    loss: float
    confusion: List[List[int]]
    probabilities: np.ndarray

    def document(self) -> Dict[str, Any]:
        """Everything but the probabilities, JSON-ready."""
        return {name: value for name, value in self._asdict().items() if name != "probabilities"}


def logits_of(
    model: Model,
    inputs: np.ndarray,
    dropout: bool = False,
    draw: int = 0,
    progress: Optional[Any] = None,
    interruption: Optional[Interruption] = None,
) -> np.ndarray:
    """Run the graph over many examples.

    Args:
      model: filled with weights.
      inputs: [examples, steps] or [examples, steps, inputs].
      dropout: leave it on, as published; off feeds a keep probability of 1.
      draw: which dropout masks.
      progress: a tqdm bar to move on.
      interruption: a signal that it has seen ends the measuring.

    Returns:
      [examples, classes] float32.

    Raises:
      InterruptedMeasuringError: a signal came.
    """
    graph = model.graph
    feeds = [graph.inputs, graph.keep_prob, graph.iteration]
    run = model.session.make_callable(graph.logits, feed_list=feeds)
    settings = model.recipe.graph
    keep_prob = settings.training_keep_prob if dropout else 1.0
    found = np.empty((len(inputs), settings.classes), np.float32)
    for number, (rows, steps) in enumerate(batches_of(inputs, settings.any_steps, BATCH)):
        if interruption is not None and interruption.signal_number is not None:
            raise InterruptedMeasuringError
        batch = inputs[rows, :steps]
        found[rows] = run(batch, keep_prob, EVALUATION_ITERATIONS + (draw << 20) + number)
        if progress is not None:
            progress.update(len(batch))
    return found


def evaluate(
    model: Model,
    split: Split,
    dropout: bool = False,
    draws: int = 1,
    progress: bool = True,
    interruption: Optional[Interruption] = None,
) -> Evaluation:
    """Measure one split.

    Args:
      model: filled with weights.
      split: examples and true labels.
      dropout: as published (on), or off.
      draws: repetitions with dropout on; without dropout there is nothing to repeat.
      progress: show a bar on standard error.
      interruption: a signal that it has seen ends the measuring.

    Raises:
      InterruptedMeasuringError: a signal came.
    """
    dropout = dropout and model.recipe.graph.training_keep_prob < 1
    draws = draws if dropout else 1
    bar = tqdm(
        total=draws * len(split.labels),
        desc=f"{split.name}, dropout {'on' if dropout else 'off'}",
        unit=" examples",
        disable=not progress,
        mininterval=0.5 if sys.stderr.isatty() else 30,
    )
    accuracies, losses = [], []
    first: Optional[np.ndarray] = None
    with bar:
        for draw in range(draws):
            logits = logits_of(model, split.inputs, dropout, draw, bar, interruption).astype(np.float64)
            first = logits if first is None else first
            accuracies.append(float((logits.argmax(1) == split.labels).mean()))
            log_normaliser = np.logaddexp.reduce(logits, axis=1)
            losses.append(float((log_normaliser - logits[np.arange(len(logits)), split.labels]).mean()))
    assert first is not None
    accuracy = float(np.mean(accuracies))
    return Evaluation(
        split=split.name,
        examples=len(split.labels),
        dropout="on" if dropout else "off",
        draws=draws,
        accuracy=accuracy,
        std=float(np.std(accuracies, ddof=1)) if draws > 1 else None,
        interval=[float(end) for end in accuracy_interval(accuracy, len(split.labels))],
        loss=float(np.mean(losses)),
        confusion=_confusion(split.labels, first.argmax(1), model.recipe.graph.classes),
        probabilities=probabilities_of(first),
    )


def probabilities_of(logits: np.ndarray) -> np.ndarray:
    """Softmax over the last axis, float32."""
    wide = logits.astype(np.float64)
    shifted = np.exp(wide - wide.max(axis=-1, keepdims=True))
    return (shifted / shifted.sum(axis=-1, keepdims=True)).astype(np.float32)


def _confusion(labels: np.ndarray, predicted: np.ndarray, classes: int) -> List[List[int]]:
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (labels, predicted), 1)
    return counts.tolist()


def sampled_accuracies(
    model: Model, dataset: Dataset, batches: int, seed: int, dropout: bool = True
) -> List[float]:
    """Re-do the document's last step: accuracies of test batches as it draws them.

    Args:
      model: filled with weights.
      dataset: gives the test sampler.
      batches: how many.
      seed: of the sampler and of the dropout masks.
      dropout: on as published, or off.

    Returns:
      One accuracy for each batch, as the graph computes it (float32).
    """
    graph, schedule = model.graph, model.recipe.schedule
    sampler = dataset.test_sampler(schedule.sampler, schedule.batch_size, seed)
    keep_prob = model.recipe.graph.training_keep_prob if dropout else 1.0
    found = []
    for number in range(batches):
        batch = sampler.batch(number)
        feeds = {
            graph.inputs: batch.inputs,
            graph.labels: batch.labels,
            graph.keep_prob: keep_prob,
            graph.iteration: EVALUATION_ITERATIONS + number,
        }
        found.append(float(model.session.run(graph.accuracy, feeds)))
    return found
