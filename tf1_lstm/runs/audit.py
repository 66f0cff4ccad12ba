"""A recipe with its settings, and what an audit of its data and graph finds."""

import dataclasses
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional

from tf1_lstm.data.base import Finding
from tf1_lstm.data.registry import DATASETS
from tf1_lstm.recipes import find_recipe
from tf1_lstm.recipes.base import Recipe
from tf1_lstm.runs.resolve import Experiment, resolve


class Audit(NamedTuple):
    """What was found in one recipe's data and graph.

    Attributes:
      published: the recipe as published.
      recipe: with the settings in use.
      findings: of the split and the graph.
      of: which data were audited.
      for_want_of_data: whether it is the embedded sample because there is no data folder.
    """

    published: Recipe
    recipe: Recipe
    findings: List[Finding]
    of: str
    for_want_of_data: bool


def audit(
    name: str,
    data: Optional[Path] = None,
    sample: bool = False,
    corrected: bool = False,
    settings: Optional[Mapping[str, Any]] = None,
) -> Audit:
    """Audit a recipe; arguments as for ``resolve``, and the embedded sample where there are no data."""
    published = find_recipe(name)
    folder = Path("data", DATASETS[published.dataset][2])
    wanting = data is None and not sample and not folder.is_dir()
    experiment = resolve(name, data=data, sample=sample or wanting, corrected=corrected, settings=settings)
    schedule = experiment.recipe.schedule
    findings = experiment.dataset.audit(schedule.sampler, schedule.batch_size)
    of = "the embedded sample" if experiment.dataset.is_sample else str(experiment.dataset.folder)
    return Audit(published, experiment.recipe, findings + _graph_findings(experiment), of, wanting)


def _graph_findings(experiment: Experiment) -> List[Finding]:
    """Trainable variables that get no gradient, found in the built graph."""
    from tf1_lstm.graphs.build import build

    constants = {name: array.shape for name, array in experiment.dataset.constants().items()}
    graph = build(experiment.recipe.graph, constants)
    without = [role for role in graph.variables if role not in graph.slots["Adam"]]
    names = ", ".join(without)
    return [
        Finding(
            "variables without a gradient",
            len(without),
            (),
            f"{names}: no training step changes them" if without else "every variable is trained",
        )
    ]


def describe(found: Audit) -> Dict[str, Any]:
    """One JSON-ready document of a recipe and its audit."""
    published, recipe = found.published, found.recipe
    used = recipe.settings()
    return {
        "name": recipe.name,
        "title": recipe.title,
        "source": recipe.source,
        "dataset": recipe.dataset,
        "settings": used,
        "deviations": {k: [v, used[k]] for k, v in published.settings().items() if v != used[k]},
        "corrected": dict(recipe.corrected),
        "published": [dataclasses.asdict(figure) for figure in recipe.figures],
        "published_log": [dataclasses.asdict(line) for line in recipe.log],
        "oddities": list(recipe.oddities),
        "audit": {"of": found.of, "findings": [finding._asdict() for finding in found.findings]},
    }
