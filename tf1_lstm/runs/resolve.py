"""From what was typed to what will run: experiment, data set and settings, each deviation known."""

import dataclasses
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional

from tf1_lstm.data.base import Dataset
from tf1_lstm.data.registry import open_data
from tf1_lstm.errors import InputError
from tf1_lstm.recipes.experiment import Embedding, Epochs, Experiment, OneHot, Regression, Softmax
from tf1_lstm.recipes.flat import flat_settings


class Resolved(NamedTuple):
    """An experiment with the settings to use, and its data set.

    Attributes:
      recipe: with every change applied.
      published: as published, or as its file has it.
      dataset: opened and checked.
    """

    recipe: Experiment
    published: Experiment
    dataset: Dataset

    @property
    def deviations(self) -> Dict[str, List[Any]]:
        """Path -> [published value, used value] for every setting that differs; None where one has none."""
        return self.published.differences(self.recipe)

    @property
    def data_deviations(self) -> Dict[str, List[Any]]:
        """The same of what the data decide: the dimensions of the word vectors, where they differ."""
        published = self.published.published.word_vector_size
        vectors = self.dataset.constants().get("word_vectors")
        if not published or vectors is None or vectors.shape[1] == published:
            return {}
        return {"word_vector_size": [published, int(vectors.shape[1])]}

    @property
    def sampler(self) -> str:
        """Which of the data set's batches: ``"published"`` or ``"corrected"``."""
        return getattr(self.recipe.data, "sampler", "published")

    @property
    def steps_per_epoch(self) -> int:
        """Training batches that give every example once; 0 where batches are drawn without end."""
        return self.dataset.train_sampler(self.sampler, self.batch_size, 0).steps_per_epoch

    @property
    def batch_size(self) -> int:
        """Examples in an iteration."""
        return self.recipe.schedule.batch_size

    @property
    def iterations(self) -> int:
        """Training steps in all."""
        schedule = self.recipe.schedule
        if isinstance(schedule, Epochs) and not schedule.iterations:
            return schedule.epochs * self.steps_per_epoch
        return schedule.iterations

    def flat(self) -> Dict[str, Any]:
        """Every setting by its flat name, as bundles and ports read it."""
        return flat_settings(self.recipe, self.iterations)


def resolve(
    published: Experiment,
    *,
    data: Optional[Path] = None,
    sample: bool = False,
    corrected: bool = False,
    settings: Optional[Mapping[str, Any]] = None,
    used: Optional[Experiment] = None,
) -> Resolved:
    """Open an experiment's data set and apply settings.

    Args:
      published: the recipe, or the experiment of a file.
      data: the data folder; ``data`` by default.
      sample: use the embedded sample, and the settings that suit it.
      corrected: apply the settings that fix what is odd in the published version.
      settings: changes typed by the user; they win over everything else.
      used: with all settings of the run that a checkpoint came from.

    Raises:
      InputError: unknown setting; data that is missing, bad, or of another width.
    """
    dataset = open_data(published.data, data, sample)
    changes: Dict[str, Any] = {}
    if used is None and dataset.is_sample:
        changes.update(published.published.sample)
    if corrected:
        changes.update(published.corrected())
    changes.update(settings or {})
    recipe = (used or published).with_settings(changes)
    if recipe.data != published.data:
        dataset = open_data(recipe.data, data, sample)
    return _checked(recipe, published, dataset)


def _checked(recipe: Experiment, published: Experiment, dataset: Dataset) -> Resolved:
    dataset = dataset.with_settings(flat_settings(recipe))
    recipe = _sized(recipe, dataset)
    found = Resolved(recipe, published, dataset)
    if isinstance(recipe.schedule, Epochs):
        if not found.steps_per_epoch:
            raise InputError(
                f"setting schedule: found Epochs, expected Steps: batches of {dataset.name} have no epochs"
            )
        _check_split("schedule.validation", recipe.schedule.validation, dataset)
    else:
        stopping = getattr(recipe.schedule, "early_stopping", None)
        _check_split("schedule.early_stopping.split", stopping.split if stopping else "", dataset)
    return found


def _check_split(path: str, name: str, dataset: Dataset) -> None:
    if name and name not in dataset.split_names():
        raise InputError(
            f"setting {path}: found {name!r}, expected one of {', '.join(dataset.split_names())}"
        )


def _sized(recipe: Experiment, dataset: Dataset) -> Experiment:
    """The recipe with the numbers of words and classes that its data have, where it leaves them open."""
    head, inputs = recipe.head, recipe.inputs
    words = getattr(dataset, "words", 0)
    if isinstance(inputs, (Embedding, OneHot)) and not recipe.words:
        inputs = dataclasses.replace(inputs, words=words)
    outputs = getattr(dataset, "outputs", 0) or len(dataset.class_names)
    if isinstance(head, Softmax) and not head.classes:
        head = dataclasses.replace(head, classes=outputs)
    if isinstance(head, Regression) and not head.outputs:
        head = dataclasses.replace(head, outputs=outputs)
    if isinstance(head, (Softmax, Regression)) and outputs and head.columns != outputs:
        raise InputError(
            f"setting head: found {head.columns} {'classes' if isinstance(head, Softmax) else 'outputs'}, "
            f"expected {outputs}, as the data have"
        )
    return dataclasses.replace(recipe, head=head, inputs=inputs)
