"""The command ``recipes``: what was published, with what settings, and what is wrong with it."""

import argparse
import json
import sys
from typing import Any, Dict

from tf1_lstm.commands.options import add_data_options, add_json_option, add_setting_options, parse_settings


def add_parser(subparsers: Any) -> None:
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
    add_json_option(parser)
    parser.set_defaults(func=run)


def run(options: argparse.Namespace) -> int:
    """Print the list, or one recipe."""
    if options.name is None:
        _print_list(options.json)
        return 0
    from tf1_lstm.runs.audit import audit, describe

    found = audit(
        options.name, options.data, options.sample, options.corrected, parse_settings(options.settings)
    )
    if found.for_want_of_data:
        print(
            "tf1-lstm: no data folder given: the audit is of the embedded sample (--data DIR)",
            file=sys.stderr,
        )
    document = describe(found)
    if options.json:
        print(json.dumps(document, indent=1, ensure_ascii=False))
    else:
        _print_recipe(document)
    return 0


def _print_list(as_json: bool) -> None:
    from tf1_lstm.recipes import all_recipes

    recipes = all_recipes().values()
    if as_json:
        documents = [{"name": r.name, "title": r.title, "source": r.source} for r in recipes]
        print(json.dumps({"recipes": documents}, indent=1, ensure_ascii=False))
        return
    width = max(len(recipe.name) for recipe in recipes)
    for recipe in recipes:
        print(f"{recipe.name:<{width}}  {recipe.title}")


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
