"""From what was typed to what will run: recipe, data set and settings, each deviation known."""

import dataclasses
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional

from tf1_lstm.data.base import Dataset
from tf1_lstm.data.registry import open_dataset
from tf1_lstm.errors import InputError
from tf1_lstm.files import read_json
from tf1_lstm.recipes import find_recipe
from tf1_lstm.recipes.base import Recipe


class Experiment(NamedTuple):
    """A recipe with the settings to use, and its data set.

    Attributes:
      recipe: with every change applied.
      published: the recipe as published.
      dataset: opened and checked.
    """

    recipe: Recipe
    published: Recipe
    dataset: Dataset

    @property
    def deviations(self) -> Dict[str, List[Any]]:
        """Setting -> [published value, used value] for every setting that differs."""
        used = self.recipe.settings()
        return {
            name: [value, used[name]]
            for name, value in self.published.settings().items()
            if value != used[name]
        }

    @property
    def data_deviations(self) -> Dict[str, List[Any]]:
        """The same of what the data decide: the dimensions of the word vectors, where they differ."""
        published, vectors = self.published.word_vector_size, self.dataset.constants().get("word_vectors")
        if not published or vectors is None or vectors.shape[1] == published:
            return {}
        return {"word_vector_size": [published, int(vectors.shape[1])]}


def resolve(
    name: str,
    *,
    data: Optional[Path] = None,
    sample: bool = False,
    corrected: bool = False,
    settings: Optional[Mapping[str, Any]] = None,
    run_settings: Optional[Mapping[str, Any]] = None,
) -> Experiment:
    """Find a recipe, open its data set and apply settings.

    Args:
      name: of the recipe.
      data: the data folder; ``data`` by default.
      sample: use the embedded sample, and the settings that suit it.
      corrected: apply the recipe's corrected settings.
      settings: changes typed by the user; they win over everything else.
      run_settings: all settings of the run that a checkpoint came from.

    Raises:
      InputError: unknown recipe or setting; data that is missing, bad, or of another width.
    """
    published = find_recipe(name)
    dataset = open_dataset(published.dataset, data, sample)
    changes: Dict[str, Any] = {}
    if run_settings is not None:
        changes.update(run_settings)
    elif dataset.is_sample:
        changes.update(published.sample_settings)
    if corrected:
        changes.update(published.corrected)
    if settings and "iterations" in settings:
        changes.pop("epochs", None)  # a number of iterations was asked for
    changes.update(settings or {})
    recipe = published.with_settings(changes)
    dataset = dataset.with_settings(recipe.settings())
    return Experiment(_with_epochs(recipe, dataset), published, dataset)


def _with_epochs(recipe: Recipe, dataset: Dataset) -> Recipe:
    """The recipe with as many iterations as its epochs take on this data set."""
    schedule = recipe.schedule
    if not schedule.epochs:
        return recipe
    steps = dataset.train_sampler(schedule.sampler, schedule.batch_size, 0).steps_per_epoch
    if not steps:
        raise InputError(
            f"setting epochs: found {schedule.epochs}, expected 0: batches of {dataset.name} have no epochs"
        )
    iterations = schedule.epochs * steps
    return dataclasses.replace(recipe, schedule=dataclasses.replace(schedule, iterations=iterations))


def settings_of_run(checkpoint: Path, recipe: str) -> Optional[Dict[str, Any]]:
    """Read ``run.json`` of the run that a checkpoint lies in, where there is one for this recipe.

    Args:
      checkpoint: prefix, file or folder of a checkpoint.
      recipe: the recipe's name.

    Returns:
      The run's record (``settings``, ``sample``, …), or None.
    """
    for folder in [checkpoint, *checkpoint.parents][:3]:
        if (folder / "run.json").is_file():
            record = read_json(folder / "run.json")
            fits = isinstance(record, dict) and record.get("recipe") == recipe
            return record if fits and isinstance(record.get("settings"), dict) else None
    return None
