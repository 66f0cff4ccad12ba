"""A recipe with its settings, and what an audit of its data and graph finds."""

import dataclasses
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional

from tf1_lstm.core.parts import Part, leaves, to_document
from tf1_lstm.data.base import AuditFinding
from tf1_lstm.data.registry import DATASETS
from tf1_lstm.recipes.experiment import Experiment
from tf1_lstm.runs.layers import LayerSize, layer_sizes
from tf1_lstm.runs.recorded import named_experiment
from tf1_lstm.runs.resolve import Resolved, resolve


class Audit(NamedTuple):
    """What was found in one recipe's data and graph.

    Attributes:
      published: the recipe as published.
      recipe: with the settings in use.
      findings: of the split and the graph.
      of: which data were audited.
      for_want_of_data: whether it is the embedded sample because there is no data folder.
      layers: of the graph, sized by the data that were audited.
    """

    published: Experiment
    recipe: Experiment
    findings: List[AuditFinding]
    of: str
    for_want_of_data: bool
    layers: List[LayerSize]


def audit(
    name: str,
    data: Optional[Path] = None,
    sample: bool = False,
    corrected: bool = False,
    settings: Optional[Mapping[str, Any]] = None,
) -> Audit:
    """Audit a recipe; arguments as for ``resolve``, and the embedded sample where there are no data."""
    published = named_experiment(name)
    below = DATASETS.get(published.data.dataset, ("", "", ""))[2]
    wanting = data is None and not sample and bool(below) and not Path("data", below).is_dir()
    experiment = resolve(
        published, data=data, sample=sample or wanting, corrected=corrected, settings=settings
    )
    findings = experiment.dataset.audit(experiment.sampler, experiment.batch_size)
    of = "the embedded sample" if experiment.dataset.is_sample else str(experiment.dataset.folder)
    recipe = experiment.recipe
    if experiment.dataset.is_sample:
        # What suits the sample is no setting of the recipe: shown are the published ones, as changed.
        changes = {**(published.corrected() if corrected else {}), **(settings or {})}
        recipe = published.with_settings(changes)
    graph = _built(experiment)
    shapes = {name: tuple(variable.shape.as_list()) for name, variable in graph.variables.items()}
    layers = layer_sizes(experiment.recipe, shapes, graph.inputs.shape[1].value or _steps(experiment))
    return Audit(published, recipe, findings + _graph_findings(graph), of, wanting, layers)


def _steps(experiment: Resolved) -> Optional[int]:
    """The steps of a sequence, where the data alone decide them; None where each batch does."""
    if experiment.recipe.data.any_steps or experiment.dataset.name == "none":
        return None
    return int(experiment.dataset.split(experiment.dataset.split_names()[0]).inputs.shape[1])


def _built(experiment: Resolved) -> Any:
    from tf1_lstm.graphs.build import build

    constants = {name: array.shape for name, array in experiment.dataset.constants().items()}
    return build(experiment.recipe, constants)


def _graph_findings(graph: Any) -> List[AuditFinding]:
    """Trainable variables that get no gradient, found in the built graph."""
    of_slots = next(iter(graph.slots.values()), graph.variables)
    without = [role for role in graph.variables if role not in of_slots]
    names = ", ".join(without)
    return [
        AuditFinding(
            "variables without a gradient",
            len(without),
            (),
            f"{names}: no training step changes them" if without else "every variable is trained",
        )
    ]


def _plain(value: Any) -> Any:
    """A setting's value, JSON-ready."""
    return to_document(value) if isinstance(value, Part) else value


def describe(found: Audit) -> Dict[str, Any]:
    """One JSON-ready document of a recipe and its audit."""
    published, recipe = found.published, found.recipe
    return {
        "name": recipe.name,
        "title": recipe.title,
        "source": recipe.source,
        "dataset": recipe.data.dataset or type(recipe.data).__name__,
        "settings": recipe.settings(),
        "meanings": {
            leaf.path: {"meaning": leaf.field.metadata["meaning"], "expected": leaf.expected}
            for leaf in leaves(recipe)
        },
        "deviations": published.differences(recipe),
        "corrected": {path: _plain(value) for path, value in published.corrected().items()},
        "layers": [layer._asdict() for layer in found.layers],
        "published": [dataclasses.asdict(figure) for figure in recipe.published.figures],
        "published_log": [dataclasses.asdict(line) for line in recipe.published.log],
        "oddities": [
            {"text": oddity.text, "fix": oddity.fix and {k: _plain(v) for k, v in oddity.fix.items()}}
            for oddity in recipe.published.oddities
        ],
        "audit": {"of": found.of, "findings": [finding._asdict() for finding in found.findings]},
    }
