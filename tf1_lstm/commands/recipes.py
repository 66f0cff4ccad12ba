"""The command ``recipes``: what was published, with what settings, and what is wrong with it."""

import argparse
import json
import shutil
import sys
import textwrap
from typing import Any, Dict, Optional

from tf1_lstm.commands.options import add_data_options, add_json_option, add_setting_options, parse_settings

EXAMPLES = """\
examples:
  tf1-lstm recipes                     every published experiment, a line each
  tf1-lstm recipes imdb-lstm           one: settings, figures, oddities, audit
  tf1-lstm recipes imdb-lstm --sample --corrected --json"""


def add_parser(subparsers: Any) -> None:
    """Add ``recipes``."""
    parser = subparsers.add_parser(
        "recipes",
        help="list the published experiments, or show one with its settings and split audit",
        description="List the published experiments; with NAME show one: source, settings with their "
        "meaning, published figures, what is odd in it and what fixes that, and an audit of its split, "
        "computed from the data. NAME may also be FILE.py, FILE.py:NAME or a run folder.",
        epilog="example: tf1-lstm recipes imdb-lstm --python > mine.py; tf1-lstm train mine.py --sample",
    )
    parser.add_argument("name", nargs="?", metavar="NAME")
    parser.add_argument(
        "--python", action="store_true", help="print the experiment as Python source, to save and edit"
    )
    add_data_options(parser)
    add_setting_options(parser)
    add_json_option(parser)
    parser.set_defaults(func=run)


def run(options: argparse.Namespace) -> int:
    """Print the list, or one recipe."""
    if options.name is None:
        _print_list(options.json)
        return 0
    if options.python:
        return _print_python(options)
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
    from tf1_lstm.core.text_table import terminal_width
    from tf1_lstm.recipes import all_recipes

    recipes = all_recipes().values()
    if as_json:
        documents = [{"name": r.name, "title": r.title, "source": r.source} for r in recipes]
        print(json.dumps({"recipes": documents}, indent=1, ensure_ascii=False))
        return
    width = max(len(recipe.name) for recipe in recipes)
    for recipe in recipes:
        line = f"{recipe.name:<{width}}  {recipe.title}"
        print(textwrap.fill(line, terminal_width(), subsequent_indent=" " * (width + 2)))


def _print_python(options: argparse.Namespace) -> int:
    from tf1_lstm.recipes.python_source import python_source
    from tf1_lstm.runs.recorded import named_experiment

    recipe = named_experiment(options.name)
    changes = {**(recipe.corrected() if options.corrected else {}), **parse_settings(options.settings)}
    print(python_source(recipe.with_settings(changes)), end="")
    return 0


def _print_recipe(document: Dict[str, Any]) -> None:
    from tf1_lstm.recipes.experiment import FROM_DATA

    _wrapped(f"{document['name']}: {document['title']}")
    is_own = not document["source"]
    if not is_own:
        _wrapped(f"Source: {document['source']}")
    where = "as in the file" if is_own else "published"
    print(f"\nSettings ({where} unless a change is shown; --set PATH=VALUE changes one)")
    for path, value in document["settings"].items():
        change = document["deviations"].get(path)
        note = f"   ({'in the file' if is_own else 'published'}: {_shown(change[0])})" if change else ""
        if change and change[0] == 0 and path in FROM_DATA:
            note = "   (as the data have)"
        corrected = document["corrected"].get(path)
        if corrected is not None and corrected != value:
            note += f"   (corrected: {_shown(corrected)})"
        _wrapped(f"{path} = {_shown(value)}{note}", "  ", "      ")
        meaning = document["meanings"][path]
        _wrapped(f"{meaning['meaning']}: {meaning['expected']}", "      ")
    _print_layers(document)
    if not is_own:
        _print_published(document)
    print(f"\nAudit of split and graph, computed from {document['audit']['of']}")
    for finding in document["audit"]["findings"]:
        rows = ", ".join(str(row) for row in finding["rows"])
        more = ", …" if finding["total"] > len(finding["rows"]) and rows else ""
        where = f" (row {rows}{more})" if rows else ""
        meaning = f": {finding['meaning']}" if finding["total"] else ""
        _wrapped(f"{finding['total']:>6,}  {finding['what']}{where}{meaning}", "  ", " " * 10)


def _print_layers(document: Dict[str, Any]) -> None:
    from tf1_lstm.core.text_table import text_table

    rows = []
    for layer in document["layers"]:
        output = ", ".join("?" if extent is None else str(extent) for extent in layer["output"])
        rows.append([layer["layer"], output, f"{layer['parameters']:,}"])
    total = sum(layer["parameters"] for layer in document["layers"])
    print("\nLayers")
    table = text_table(
        ["layer", "output of an example", "parameters"], [*rows, ["all", "", f"{total:,}"]], (2,)
    )
    print("\n".join(f"  {line}" for line in table.splitlines()))


def _print_published(document: Dict[str, Any]) -> None:
    print("\nPublished figures")
    for figure in document["published"]:
        dropout = "dropout on" if figure["dropout"] else "dropout off"
        where = f"{figure['examples']:,} examples, {figure['split']}, {dropout}"
        _wrapped(f"{figure['value']:.2%}  {figure['name']} ({where})", "  ", " " * 10)
        _wrapped(figure["source"], " " * 10)
    if document["published_log"]:
        print(f"  and a training log of {len(document['published_log'])} lines (--json prints it)")
    print("\nWhat is odd in the published version")
    for oddity in document["oddities"]:
        _wrapped(f"- {oddity['text']}", "  ", "    ")
        if oddity["fix"]:
            fixes = ", ".join(f"{path}={_shown(value)}" for path, value in oddity["fix"].items())
            _wrapped(f"--corrected sets {fixes}", "    ")


def _shown(value: Any) -> str:
    """A setting's value as it is typed; a whole part as a call."""
    if isinstance(value, dict):
        inner = ", ".join(f"{key}={item!r}" for key, item in value.items() if key != "kind")
        return f"{value['kind']}({inner})"
    if isinstance(value, list):
        return ",".join(map(str, value))
    return "none" if value is None else str(value)


def _wrapped(text: str, indent: str = "", later: Optional[str] = None) -> None:
    """Print a text in lines that fit the terminal."""
    later = indent if later is None else later
    width = max(40, min(110, shutil.get_terminal_size().columns))
    lines = textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=later, break_on_hyphens=False)
    print("\n".join(lines))
