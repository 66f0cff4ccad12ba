"""Write the README's table and docs/results.md from the results files committed under ``results/``.

The table stands between two marker comments, so no measured number is typed by hand. With
``--check`` nothing is written: exit code 1 says that the README is not up to date.
"""

import argparse
import sys
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

from tf1_lstm.core.text_table import one_line
from tf1_lstm.errors import InputError
from tf1_lstm.files import replacing
from tf1_lstm.recipes import all_recipes
from tf1_lstm.report.committed import committed_rows
from tf1_lstm.report.documents import Document, read_results_folder
from tf1_lstm.report.experiments import TrainedExperiment, experiments, rows_of
from tf1_lstm.report.results import Comparison, comparisons, deviations_text, grouped
from tf1_lstm.report.statistics import mean_and_std
from tf1_lstm.report.study_rows import (
    ACCURACY,
    HARMLESS,
    PORT,
    CellResults,
    reference_of,
    row_document,
    study_rows,
)
from tf1_lstm.report.tables import (
    NOTHING,
    SAMPLE,
    code,
    count,
    markdown_table,
    percent,
    percent_interval,
)
from tf1_lstm.report.verdicts import NOT_JUDGED

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- results:begin -->", "<!-- results:end -->"
ACCURACY_HEADERS = (
    "recipe",
    "settings",
    "split",
    "counted over",
    "dropout",
    "published",
    "measured",
    "runs",
    "difference",
)
SUMMARY_HEADERS = ("recipe", "measured on", "published", "n", "mean ± s", "95 % of one training", "verdict")
SUMMARY_EXPLANATION = (
    "n: seeds; s: standard deviation over them; then where one more training lies with 95 % probability. "
    "(own): no published figure, but one own run of the published code. The verdicts are explained in "
    "[docs/statistics.md](docs/statistics.md); below five seeds nothing is judged."
)
EXPERIMENT_HEADERS = ("recipe", "settings", "accuracy on", "published", "TensorFlow 1", "port")
RUN_HEADERS = ("recipe", "settings", "seeds", "iterations", "hardware", "command")
EXPLANATION = (
    "One run: accuracy with its 95 % interval (Wilson) over the examples. Several: mean ± standard "
    "deviation over seeds. Difference: measured - published, in points."
)
EXPERIMENTS_EXPLANATION = (
    "What was published in Keras and PyTorch, trained here in TensorFlow 1 and in its own framework (port), "
    "dropout off. *Lowest loss* is the epoch of the lowest validation loss, chosen by these figures "
    "themselves."
)


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run the command; returns its exit code: 0, 1 (``--check``: not up to date) or 2 (bad input)."""
    parser = argparse.ArgumentParser(description="Write the README's results table from results/*.json.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 unless up to date")
    parser.add_argument("--readme", type=Path, default=ROOT / "README.md", metavar="FILE")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "results.md", metavar="FILE")
    parser.add_argument("--results", type=Path, default=ROOT / "results", metavar="DIR")
    options = parser.parse_args(arguments)
    try:
        documents, ports = read_results_folder(options.results)
        files = len(documents) + len(ports)
        studied = committed_rows(options.results / "studies")
        blocks = {
            options.readme: short(documents, studied),
            options.page: render(documents, ports, studied),
        }
        texts = {path: (read_readme(path), block) for path, block in blocks.items()}
        changed = {
            path: with_block(old, block, path)
            for path, (old, block) in texts.items()
            if with_block(old, block, path) != old
        }
        for path in blocks:
            if path not in changed:
                print(f"{path}: up to date with {files} results files")
            elif options.check:
                print(f"{path}: not up to date with {options.results}; run tools/results_table.py")
            else:
                with replacing(path, "w") as stream:
                    stream.write(changed[path])
                print(f"{path}: results table written from {files} results files")
        return int(options.check and bool(changed))
    except InputError as error:
        print(f"results_table: {error}", file=sys.stderr)
        return 2


def read_readme(path: Path) -> str:
    """The README's text.

    Raises:
      InputError: missing or unreadable.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error})") from error


def with_block(text: str, block: str, path: Path) -> str:
    """``text`` with what stands between the markers replaced by ``block``.

    Raises:
      InputError: a marker is missing, stands there twice, or they are in the wrong order.
    """
    found = (text.count(BEGIN), text.count(END))
    if found != (1, 1) or text.index(BEGIN) > text.index(END):
        raise InputError(
            f"{path}: found {found[0]} of {BEGIN} and {found[1]} of {END}, expected one each, in this order"
        )
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n{block}\n{END}{rest.split(END)[1]}"


def summary(documents: Dict[Path, Document], studied: Sequence[Document]) -> str:
    """One row a recipe as published: by the committed study, or by the single results where there is none."""
    recipes = all_recipes()
    alone: Dict[str, List[Document]] = {}
    for document in documents.values():
        if not document["sample"] and not set(document["deviations"]) - HARMLESS:
            alone.setdefault(document["recipe"], []).append(document)
    cells = [
        CellResults(name, {}, "exact", sorted(alone[name], key=lambda one: one["seed"]), reference_of(name))
        for name in recipes
        if name in alone and not any(row["recipe"] == name and not row["settings"] for row in studied)
    ]
    rows = [row_document(row, cells[row.cell]) for row in study_rows(cells)] + list(studied)
    lines = []
    for name in recipes:
        found = [row for row in rows if row["recipe"] == name and not row["settings"] and row["n"]]
        found = [row for row in found if row["what"] == ACCURACY and row["engine"] != PORT]
        beside = [row for row in found if _beside(row) is not None]
        tested = [row for row in found if (row["split"], row["dropout"]) == ("test", "off")]
        if beside or tested:
            lines.append([name, *_summary_row((beside or tested)[0])])
    return markdown_table(SUMMARY_HEADERS, lines, right=(2, 3, 4, 5))


def _source(document: Document, row: Comparison) -> str:
    """Where a figure was published, in today's words where the recipe still has it."""
    recipe = all_recipes().get(document["recipe"])
    figures = recipe.published.figures if recipe is not None else ()
    return next((figure.source for figure in figures if figure.name == row.name), row.source)


def short(documents: Dict[Path, Document], studied: Sequence[Document]) -> str:
    """The README's table and what it means."""
    return f"{summary(documents, studied)}\n\n{SUMMARY_EXPLANATION}" if documents else "No results yet."


def _beside(row: Document) -> Optional[float]:
    own = row["own_run_of_published_code"]
    return row["published"] if own is None else own


def _summary_row(row: Document) -> List[str]:
    examples, beside = row["examples"], _beside(row)
    place = [row["split"], f"dropout {row['dropout']}"]
    place += [f"iteration {row['checkpoint']:,}"] if row["checkpoint"] else []
    place += ["fast engine"] if row["engine"] == "fast" else []
    return [
        ", ".join(place),
        percent(beside, examples) + (" (own)" if row["published"] is None and beside is not None else ""),
        str(row["n"]),
        percent(row["mean"], examples, row["std"]),
        percent_interval(row["interval"], examples),
        row["verdict"] if beside is not None else NOTHING,
    ]


def render(
    documents: Dict[Path, Document], ports: Sequence[Document] = (), studied: Sequence[Document] = ()
) -> str:
    """The tables as Markdown: one row a recipe, accuracies, experiments of epochs beside ports, how made.

    Args:
      documents: results documents by file.
      ports: those of ports.
      studied: rows of the committed studies.
    """
    if not documents and not ports:
        return "No results yet."
    accuracies: List[List[str]] = []
    runs: List[List[str]] = []
    sources: List[str] = []
    for group in grouped(documents):
        accuracies += _accuracy_rows(group)
        runs.append(_run_row(group))
        for row in comparisons(group[0]):
            if row.name:
                sources.append(f"{group[0]['recipe']}: {row.name}; {_source(group[0], row)}")
    parts = [markdown_table(ACCURACY_HEADERS, accuracies, right=(5, 6, 7, 8)), EXPLANATION]
    if sources:
        unique = dict.fromkeys(one_line(source) for source in sources)
        parts.append("Published figures:\n" + "\n".join(f"- {source}" for source in unique))
    found = experiments(all_recipes(), list(documents.values()), ports)
    if found:
        rows = [[*_named(one), *row] for one in found for row in rows_of(one)]
        parts += [EXPERIMENTS_EXPLANATION, markdown_table(EXPERIMENT_HEADERS, rows, right=(3, 4, 5))]
        runs += [_port_row(one) for one in found if one.ports]
    parts.append(markdown_table(RUN_HEADERS, runs, right=(3,)))
    return "\n\n".join(parts)


def _named(experiment: TrainedExperiment) -> List[str]:
    return [experiment.recipe.name, deviations_text(experiment.deviations) or "as published"]


def _settings(group: Sequence[Document], short: bool) -> str:
    text = deviations_text(group[0]["deviations"], short) or "as published"
    return f"{SAMPLE}, {text}" if group[0]["sample"] else text


Key = Tuple[str, str, str, str]


def _accuracy_rows(group: Sequence[Document]) -> List[List[str]]:
    rows: Dict[Key, List[Comparison]] = {}
    for document in group:
        for row in comparisons(document):
            rows.setdefault((row.split, row.where, row.dropout, row.name), []).append(row)
    start = [group[0]["recipe"], _settings(group, short=True)]
    return [[*start, *key[:3], _published(same[0]), *_measured(same)] for key, same in rows.items()]


def _published(row: Comparison) -> str:
    if row.published is None:
        return NOTHING
    examples = row.published_examples
    interval = percent_interval(row.published_interval, examples)
    own = " (own)" if row.own_run else ""
    return f"{percent(row.published, examples)}{own} {interval} of {count(examples)}"


def _measured(same: Sequence[Comparison]) -> List[str]:
    """The cells measured, runs and difference over runs that differ in their seed only."""
    rows = [row for row in same if row.measured is not None]
    if not rows:
        return [NOTHING, "0", same[0].verdict or NOTHING]
    first, examples = rows[0], rows[0].measured_examples
    mean, std = mean_and_std([row.measured for row in rows if row.measured is not None])
    difference = first.verdict or NOTHING
    if first.published is not None and first.verdict == NOT_JUDGED:
        difference = f"{100 * (mean - first.published):+.2f}"
    if std is None:
        shown = f"{percent(mean, examples)} {percent_interval(first.measured_interval, examples)}"
        return [f"{shown} of {count(examples)}", "1", difference]
    return [f"{100 * mean:.2f} ± {100 * std:.2f} % of {count(examples)}", str(len(rows)), difference]


def _run_row(group: Sequence[Document]) -> List[str]:
    first = group[0]
    hardware = dict.fromkeys(_hardware(document["environment"]) for document in group)
    return [
        first["recipe"],
        _settings(group, short=False),
        ", ".join(str(document["seed"]) for document in group),
        f"{first['iterations']:,}",
        "; ".join(hardware),
        code(first["command"]),
    ]


def _port_row(experiment: TrainedExperiment) -> List[str]:
    ports = experiment.ports
    name, settings = _named(experiment)
    framework = ", ".join(f"{package} {version}" for package, version in ports[0]["framework"].items())
    iterations = max(entry["iteration"] for port in ports for entry in port["log"])
    wanted, done = ports[0]["settings"].get("epochs"), min(port["epochs"] for port in ports)
    return [
        f"{name}, port ({framework})",
        settings if done == wanted else f"{settings}; {done} of {wanted} epochs",
        ", ".join(str(port["seed"]) for port in ports),
        f"{iterations:,}",
        "; ".join(dict.fromkeys(_port_hardware(port) for port in ports)),
        code(ports[0]["command"]),
    ]


def _port_hardware(port: Document) -> str:
    threads = port.get("threads")
    return f"{port['cpu']}, {threads} thread{'s' if threads > 1 else ''}" if threads else port["cpu"]


def _hardware(environment: Document) -> str:
    return f"{environment.get('cpu', 'unknown CPU')}, {environment.get('cores', '?')} cores"


if __name__ == "__main__":
    sys.exit(main())
