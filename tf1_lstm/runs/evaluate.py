"""What a checkpoint gives on a split, every example once; and the published test batches again."""

import sys
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from html import escape
from typing import Any, Callable, Deque, Dict, Iterator, List, NamedTuple, Optional, Tuple, Union

import numpy as np
from tqdm.auto import tqdm

from tf1_lstm.data.base import Dataset, Split
from tf1_lstm.data.split_batches import batches_of
from tf1_lstm.errors import InputError
from tf1_lstm.report.html import table
from tf1_lstm.report.statistics import accuracy_interval, confusion_matrix
from tf1_lstm.report.verdicts import mean_interval, ratio_interval
from tf1_lstm.runs.interruption import Interruption
from tf1_lstm.runs.model import Model

BATCH = 250
# Dropout masks of an evaluation: numbered apart from those of the training.
EVALUATION_ITERATIONS = 1 << 41


class InterruptedMeasuringError(Exception):
    """A signal came before everything was measured."""


class Evaluation(NamedTuple):
    """What one split gave, of a class for each example.

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

    def __repr__(self) -> str:
        how = f"{self.examples:,} examples, dropout {self.dropout}"
        return f"<Evaluation of {self.split}: accuracy {self.accuracy:.2%}, loss {self.loss:.4f}, {how}>"

    def _repr_html_(self) -> str:
        low, high = self.interval
        classes = [str(number) for number in range(len(self.confusion))]
        rows = [[name, *counts] for name, counts in zip(classes, self.confusion)]
        figures = f"{escape(repr(self)[1:-1])}; 95 % interval {low:.2%} to {high:.2%}"
        return f"<p>{figures}</p>" + table(["true \\ predicted", *classes], rows)

    def document(self) -> Dict[str, Any]:
        """Everything but the probabilities, JSON-ready."""
        return {name: value for name, value in self._asdict().items() if name != "probabilities"}

    @property
    def figures(self) -> Dict[str, float]:
        """What is logged of it."""
        return {"accuracy": self.accuracy, "loss": self.loss}


class NumbersEvaluation(NamedTuple):
    """What one split gave, of numbers to predict.

    Attributes:
      split, examples, dropout: as in ``Evaluation``.
      loss: as it was trained, mean squared or mean absolute error.
      mean_absolute_error: over examples and outputs, in the units of the targets.
      root_mean_squared_error: likewise.
      interval: 95 % t-interval of the mean absolute error, from the spread over the examples; None of one.
    """

    split: str
    examples: int
    dropout: str
    loss: float
    mean_absolute_error: float
    root_mean_squared_error: float
    interval: Optional[List[float]]

    def document(self) -> Dict[str, Any]:
        """JSON-ready."""
        return dict(self._asdict())

    @property
    def figures(self) -> Dict[str, float]:
        """What is logged of it."""
        return {"mean_absolute_error": self.mean_absolute_error, "loss": self.loss}


class StepsEvaluation(NamedTuple):
    """What one split gave, of an output at every step.

    Attributes:
      split, examples, dropout: as in ``Evaluation``.
      steps: how many steps count.
      accuracy: share of them whose largest logit is at the target.
      loss: mean cross-entropy of a step, in nats.
      perplexity: exp of the loss.
      interval: 95 % t-interval of the loss, from the spread over the examples; None of one.
    """

    split: str
    examples: int
    dropout: str
    steps: int
    accuracy: float
    loss: float
    perplexity: float
    interval: Optional[List[float]]

    def document(self) -> Dict[str, Any]:
        """JSON-ready."""
        return dict(self._asdict())

    @property
    def figures(self) -> Dict[str, float]:
        """What is logged of it."""
        return {"accuracy": self.accuracy, "loss": self.loss}


AnyEvaluation = Union[Evaluation, NumbersEvaluation, StepsEvaluation]


def logits_of(
    model: Model,
    inputs: np.ndarray,
    dropout: bool = False,
    draw: int = 0,
    progress: Optional[Any] = None,
    interruption: Optional[Interruption] = None,
    lengths: Optional[np.ndarray] = None,
) -> np.ndarray:
    """Run the graph over many examples.

    Args:
      model: filled with weights.
      inputs: [examples, steps] or [examples, steps, inputs].
      dropout: leave it on, as published; off feeds a keep probability of 1.
      draw: which dropout masks.
      progress: a tqdm bar to move on.
      interruption: a signal that it has seen ends the measuring.
      lengths: [examples], steps that count; None for all.

    Returns:
      [examples, columns] float32, or [examples, steps, columns] of an output at every step.

    Raises:
      InterruptedMeasuringError: a signal came.
    """
    recipe = model.recipe
    shape = (len(inputs), *inputs.shape[1:2], recipe.head.columns) if recipe.per_step else None
    found = np.empty(shape or (len(inputs), recipe.head.columns), np.float32)
    for rows, logits in _batches(model, inputs, dropout, draw, progress, interruption, lengths):
        if recipe.per_step:
            found[rows, : logits.shape[1]] = logits
        else:
            found[rows] = logits
    return found


def _batches(
    model: Model,
    inputs: np.ndarray,
    dropout: bool,
    draw: int,
    progress: Optional[Any],
    interruption: Optional[Interruption],
    lengths: Optional[np.ndarray],
) -> Iterator[Tuple[Any, np.ndarray]]:
    """The rows of each batch and its logits; a state that is carried begins at zeros and goes on."""
    graph, recipe = model.graph, model.recipe
    carries = graph.carry is not None
    if carries:
        model.session.run(graph.forget)
    feeds = [
        graph.inputs,
        graph.keep_prob,
        graph.iteration,
        *([graph.lengths] if model.wants_lengths else []),
    ]
    run = model.session.make_callable([graph.logits, *([graph.carry] if carries else [])], feed_list=feeds)
    keep_prob = recipe.keep_prob if dropout else 1.0
    size = 1 if carries else BATCH
    batches = list(batches_of(inputs, recipe.data.any_steps, size))

    def logits(number: int) -> np.ndarray:
        rows, steps = batches[number]
        batch = inputs[rows, :steps]
        counted = (
            [model.lengths(batch, None if lengths is None else lengths[rows])] if model.wants_lengths else []
        )
        found: np.ndarray = run(batch, keep_prob, EVALUATION_ITERATIONS + (draw << 20) + number, *counted)[0]
        return found

    # What of a batch only one thread can do, another batch hides; the fast engine gives the same bits however.
    at_once = 2 if model.engine is not None and model.engine.threads > 1 and not carries else 1
    for (rows, _), of_batch in zip(batches, _in_order(logits, len(batches), at_once)):
        if interruption is not None and interruption.signal_number is not None:
            raise InterruptedMeasuringError
        yield rows, of_batch
        if progress is not None:
            progress.update(len(of_batch))


def _in_order(work: Callable[[int], np.ndarray], count: int, at_once: int) -> Iterator[np.ndarray]:
    """``work(0)``, ``work(1)``, ..., up to ``at_once`` of them at the same time."""
    if at_once == 1:
        yield from map(work, range(count))
        return
    with ThreadPoolExecutor(at_once) as pool:
        begun: Deque[Any] = deque()
        for number in range(count):
            begun.append(pool.submit(work, number))
            if len(begun) > at_once:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()


def evaluate(
    model: Model,
    split: Split,
    dropout: bool = False,
    draws: int = 1,
    progress: bool = True,
    interruption: Optional[Interruption] = None,
) -> AnyEvaluation:
    """Measure one split.

    Args:
      model: filled with weights.
      split: examples and true labels.
      dropout: as published (on), or off.
      draws: repetitions with dropout on, of classes; without dropout there is nothing to repeat.
      progress: show a bar on standard error.
      interruption: a signal that it has seen ends the measuring.

    Raises:
      InterruptedMeasuringError: a signal came.
    """
    dropout = dropout and model.recipe.keep_prob < 1
    of_classes = model.recipe.head.task == "classes" and not model.recipe.per_step
    draws = draws if dropout and of_classes else 1
    bar = tqdm(
        total=draws * len(split.labels),
        desc=f"{split.name}, dropout {'on' if dropout else 'off'}",
        unit=" examples",
        disable=not progress,
        mininterval=0.5 if sys.stderr.isatty() else 30,
    )
    with bar:
        if model.recipe.per_step and model.recipe.head.task == "classes":
            return _evaluate_steps(model, split, dropout, bar, interruption)
        if not of_classes:
            return _evaluate_numbers(model, split, dropout, bar, interruption)
        return _evaluate_classes(model, split, dropout, draws, bar, interruption)


def _evaluate_classes(
    model: Model, split: Split, dropout: bool, draws: int, bar: Any, interruption: Optional[Interruption]
) -> Evaluation:
    accuracies, losses = [], []
    first: Optional[np.ndarray] = None
    for draw in range(draws):
        logits = logits_of(model, split.inputs, dropout, draw, bar, interruption, split.lengths).astype(
            np.float64
        )
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
        confusion=confusion_matrix(split.labels, first.argmax(1), model.recipe.head.columns).tolist(),
        probabilities=probabilities_of(first),
    )


def _evaluate_numbers(
    model: Model, split: Split, dropout: bool, bar: Any, interruption: Optional[Interruption]
) -> NumbersEvaluation:
    found = logits_of(model, split.inputs, dropout, 0, bar, interruption, split.lengths).astype(np.float64)
    errors = (found - np.asarray(split.labels)).reshape(len(found), -1)
    absolute, squared = np.abs(errors).mean(axis=1), np.square(errors).mean(axis=1)
    return NumbersEvaluation(
        split=split.name,
        examples=len(found),
        dropout="on" if dropout else "off",
        loss=float((squared if getattr(model.recipe.head, "loss", "") == "squared" else absolute).mean()),
        mean_absolute_error=float(absolute.mean()),
        root_mean_squared_error=float(np.sqrt(squared.mean())),
        interval=_mean_interval(absolute),
    )


def _evaluate_steps(
    model: Model, split: Split, dropout: bool, bar: Any, interruption: Optional[Interruption]
) -> StepsEvaluation:
    total = len(split.labels)
    losses, correct, counts = np.zeros(total), np.zeros(total), np.zeros(total)
    for rows, logits in _batches(model, split.inputs, dropout, 0, bar, interruption, split.lengths):
        wide = logits.astype(np.float64)  # [batch, steps, classes]
        labels = np.asarray(split.labels[rows])[:, : wide.shape[1]]
        counted = labels >= 0
        at = np.take_along_axis(wide, np.maximum(labels, 0)[:, :, None], axis=2)[:, :, 0]
        losses[rows] = ((np.logaddexp.reduce(wide, axis=2) - at) * counted).sum(axis=1)
        correct[rows] = ((wide.argmax(axis=2) == labels) & counted).sum(axis=1)
        counts[rows] = counted.sum(axis=1)
    steps = max(1.0, counts.sum())
    loss = float(losses.sum() / steps)
    interval = ratio_interval(losses, counts)
    return StepsEvaluation(
        split=split.name,
        examples=total,
        dropout="on" if dropout else "off",
        steps=int(counts.sum()),
        accuracy=float(correct.sum() / steps),
        loss=loss,
        perplexity=float(np.exp(min(loss, 700.0))),
        interval=None if interval is None else list(interval),
    )


def _mean_interval(values: np.ndarray) -> Optional[List[float]]:
    """95 % interval of the mean of one number for each example."""
    return list(mean_interval(values)) if len(values) > 1 else None


def probabilities_of(logits: np.ndarray) -> np.ndarray:
    """Softmax over the last axis, float32."""
    wide = logits.astype(np.float64)
    shifted = np.exp(wide - wide.max(axis=-1, keepdims=True))
    return (shifted / shifted.sum(axis=-1, keepdims=True)).astype(np.float32)


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

    Raises:
      InputError: the model foretells numbers, which are not right or wrong.
    """
    if model.recipe.head.task == "numbers":
        raise InputError(f"{model.recipe.name}: found a regression, expected a model of classes")
    graph, schedule = model.graph, model.recipe.schedule
    kind = getattr(model.recipe.data, "sampler", "published")
    sampler = dataset.test_sampler(kind, schedule.batch_size, seed)
    keep_prob = model.recipe.keep_prob if dropout else 1.0
    found = []
    for number in range(batches):
        batch = sampler.batch(number)
        feeds = {
            **model.length_feed(batch.inputs, batch.lengths),
            graph.inputs: batch.inputs,
            graph.labels: batch.labels,
            graph.keep_prob: keep_prob,
            graph.iteration: EVALUATION_ITERATIONS + number,
        }
        found.append(float(model.session.run(graph.accuracy, feeds)))
    return found
