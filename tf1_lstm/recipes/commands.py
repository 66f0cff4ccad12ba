"""The command ``recipes``: what was published, with what settings, and what is wrong with it."""

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, List, Optional

from tf1_lstm.options import add_data_options, add_setting_options, parse_settings
from tf1_lstm.recipes import all_recipes, find_recipe
from tf1_lstm.recipes.base import Recipe

if TYPE_CHECKING:
    from tf1_lstm.data.base import Finding


def add_parsers(subparsers: Any) -> None:
    """Add ``recipes``."""
    parser = subparsers.add_parser(
        "recipes",
        help="list the published experiments, or show one with its settings and split audit",
        description="List the published experiments; with NAME show one: source, settings, published "
        "figures, what is odd in it, and an audit of its split, computed from the data.",
    )
    parser.add_argument("name", nargs="?", metavar="NAME")
    add_data_options(parser)
    add_setting_options(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(func=run)


def run(options: argparse.Namespace) -> int:
    """Print the list, or one recipe."""
    if options.name is None:
        _print_list(options.json)
        return 0
    published = find_recipe(options.name)
    recipe, findings, source = _audited(published, options)
    document = describe(published, recipe, findings, source)
    if options.json:
        print(json.dumps(document, indent=1, ensure_ascii=False))
    else:
        _print_recipe(document)
    return 0


def _print_list(as_json: bool) -> None:
    recipes = all_recipes().values()
    if as_json:
        documents = [{"name": r.name, "title": r.title, "source": r.source} for r in recipes]
        print(json.dumps({"recipes": documents}, indent=1, ensure_ascii=False))
        return
    width = max(len(recipe.name) for recipe in recipes)
    for recipe in recipes:
        print(f"{recipe.name:<{width}}  {recipe.title}")


def _audited(published: Recipe, options: argparse.Namespace) -> Any:
    """Return the recipe with settings, the findings of its audit or None, and what was audited."""
    from tf1_lstm.runs.resolve import resolve

    settings = parse_settings(options.settings)
    sample = options.sample
    if options.data is None and not sample and not Path("data").joinpath(_folder(published)).is_dir():
        print(
            "tf1-lstm: no data folder given: the audit is of the embedded sample (--data DIR)",
            file=sys.stderr,
        )
        sample = True
    experiment = resolve(
        published.name, data=options.data, sample=sample, corrected=options.corrected, settings=settings
    )
    schedule = experiment.recipe.schedule
    findings = experiment.dataset.audit(schedule.sampler, schedule.batch_size)
    source = "the embedded sample" if experiment.dataset.is_sample else str(experiment.dataset.folder)
    return experiment.recipe, findings + _graph_findings(experiment), source


def _folder(recipe: Recipe) -> str:
    from tf1_lstm.data.registry import DATASETS

    return DATASETS[recipe.dataset][2]


def _graph_findings(experiment: Any) -> List["Finding"]:
    """Trainable variables that get no gradient, found in the built graph."""
    from tf1_lstm.data.base import Finding
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


def describe(
    published: Recipe, recipe: Recipe, findings: Optional[List["Finding"]], audited: str
) -> Dict[str, Any]:
    """One JSON-ready document of a recipe.

    Args:
      published: as published.
      recipe: with the settings in use.
      findings: of the split audit and the graph.
      audited: which data the audit is of.
    """
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
        "audit": {"of": audited, "findings": [finding._asdict() for finding in findings or []]},
    }


def _print_recipe(document: Dict[str, Any]) -> None:
    print(f"{document['name']}: {document['title']}")
    print(f"Source: {document['source']}")
    print("\nSettings (published, unless a change is shown)")
    for name, value in document["settings"].items():
        change = document["deviations"].get(name)
        note = f"   (published: {change[0]})" if change else ""
        corrected = document["corrected"].get(name)
        note += f"   (corrected: {corrected})" if corrected not in (None, value) else ""
        print(f"  {name:<22}{value}{note}")
    print("\nPublished figures")
    for figure in document["published"]:
        dropout = "dropout on" if figure["dropout"] else "dropout off"
        where = f"{figure['examples']:,} examples, {figure['split']}, {dropout}"
        print(f"  {figure['value']:.2%}  {figure['name']} ({where})")
        print(f"          {figure['source']}")
    if document["published_log"]:
        print(f"  and a training log of {len(document['published_log'])} lines (--json prints it)")
    print("\nWhat is odd in the published version")
    for oddity in document["oddities"]:
        print(f"  - {oddity}")
    print(f"\nAudit of split and graph, computed from {document['audit']['of']}")
    for finding in document["audit"]["findings"]:
        rows = ", ".join(str(row) for row in finding["rows"])
        more = ", …" if finding["total"] > len(finding["rows"]) and rows else ""
        where = f" (row {rows}{more})" if rows else ""
        meaning = f": {finding['meaning']}" if finding["total"] else ""
        print(f"  {finding['total']:>6,}  {finding['what']}{where}{meaning}")
