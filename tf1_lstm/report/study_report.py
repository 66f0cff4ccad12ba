"""A study's table as text, Markdown, CSV and JSON, and what it stands on."""

import csv
import io
import json
import textwrap
from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from tf1_lstm.core.text_table import text_table
from tf1_lstm.files import replacing, write_json
from tf1_lstm.report.documents import Document
from tf1_lstm.report.study_engines import engine_documents, engine_lines, engine_pairs
from tf1_lstm.report.study_rows import EARLY, PORT, CellResults, Row, row_document
from tf1_lstm.report.tables import code, markdown_table, percent, percent_interval
from tf1_lstm.report.verdicts import NOT_JUDGED

HEADERS = ("figure", "published", "n", "mean ± s", "one training", "verdict")
RIGHT = (1, 2, 3, 4)
LEGEND = (
    "Accuracies with dropout off, unless said. n: seeds; s: standard deviation over them. One training: "
    "where one more lies with 95 % probability, measured as the published one was.{own} Holm's correction is "
    "over the figures of a document."
)
OWN_LEGEND = " (own): no published figure, but one own run of the published code."


ENGINES = "Engines, fast minus exact"


def _legend(rows: Iterable[Row]) -> str:
    return LEGEND.format(own=OWN_LEGEND if any(row.is_own_run for row in rows) else "")


class Provenance(NamedTuple):
    """What one results document of a study stands on.

    Attributes:
      cell: place among the cells.
      seed: of the training.
      facts: commit, engine, processor, instruction set, data and hashes, JSON-ready.
    """

    cell: int
    seed: int
    facts: Dict[str, Any]


def provenance(place: int, document: Document, results_sha256: str, resumed_on: Sequence[str]) -> Provenance:
    """What a results document says of its making.

    Args:
      place: of the cell.
      document: the results.
      results_sha256: of the file.
      resumed_on: processors that went on with the training, where they are others.
    """
    environment = document.get("environment", {})
    framework = document.get("framework", {})
    return Provenance(
        place,
        document["seed"],
        {
            "commit": environment.get("commit") or document.get("commit"),
            "engine": engine_of(document),
            "tensorflow": environment.get("tensorflow") or json.dumps(framework, sort_keys=True),
            "processor": environment.get("cpu") or document.get("cpu"),
            "instruction_set": instruction_set_of(document),
            "resumed_on": list(resumed_on),
            "data": document.get("data", {}),
            "weights_sha256": document.get("weights_sha256"),
            "results_sha256": results_sha256,
            "iterations": document.get("iterations"),
        },
    )


def engine_of(document: Document) -> str:
    """The engine that a results document was made with."""
    if "framework" in document:
        return PORT
    engine = document.get("engine") or "exact"
    return str(engine.get("name", "exact") if isinstance(engine, dict) else engine)


def instruction_set_of(document: Document) -> Optional[str]:
    """The instruction set that a results document was made with: the engine's own, or the processor's."""
    engine = document.get("engine")
    own = engine.get("instruction_set") if isinstance(engine, dict) else None
    found = own or document.get("environment", {}).get("instruction_set")
    return None if found is None else str(found)


def mixtures(cells: Sequence[CellResults], made: Sequence[Provenance]) -> List[str]:
    """A sentence for everything in which the trainings of one cell differ, and for unclean commits."""
    found = []
    for place, cell in enumerate(cells):
        of_cell = [one for one in made if one.cell == place]
        for name in ("commit", "data", "engine", "tensorflow", "processor", "instruction_set"):
            groups: Dict[str, List[int]] = {}
            for one in of_cell:
                value = one.facts[name]
                text = _data_digest(value) if name == "data" else str(value)
                groups.setdefault(text, []).append(one.seed)
            if len(groups) > 1:
                parts = "; ".join(f"{text} (seeds {_seeds(seeds)})" for text, seeds in groups.items())
                found.append(f"{cell.recipe}: more than one {name.replace('_', ' ')}: {parts}")
        unclean = [one.seed for one in of_cell if str(one.facts["commit"]).endswith("+")]
        if unclean:
            found.append(f"{cell.recipe}: seeds {_seeds(unclean)} are from a commit with changes")
        for one in of_cell:
            if one.facts["resumed_on"]:
                others = ", ".join(one.facts["resumed_on"])
                found.append(f"{cell.recipe}: seed {one.seed} went on upon another processor: {others}")
    return found


def _data_digest(data: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {digest[:8]}" for name, digest in sorted(data.items()))


def _seeds(seeds: Iterable[int]) -> str:
    return ", ".join(map(str, seeds))


def cell_name(cell: CellResults) -> str:
    """A cell in words: recipe, engine, settings."""
    settings = ", ".join(f"{name}={value}" for name, value in sorted(cell.settings.items()))
    engine = "" if cell.engine == "exact" else f" [{cell.engine}]"
    return cell.recipe.rpartition("/")[2] + engine + (f" ({settings})" if settings else "")


def cells_of(row: Row, cell: CellResults, sample: bool) -> List[str]:
    """A row's cells under ``HEADERS``."""
    document = row_document(row, cell)
    beside = None if row.published is None else row.published.value
    return [
        row.name,
        _figure(beside, None, row) + (" (own)" if row.is_own_run else ""),
        str(document["n"]),
        _figure(document["mean"], document["std"], row),
        _interval(document["interval"], row),
        NOT_JUDGED if sample else _verdict(row),
    ]


def _verdict(row: Row) -> str:
    return "-" if row.verdict is None else row.verdict.text


def _figure(value: Optional[float], std: Optional[float], row: Row) -> str:
    if row.is_share or value is None:
        return percent(value, row.examples, std)
    return f"{value:.4f}" + ("" if std is None else f" ± {std:.4f}")


def _interval(interval: Optional[Sequence[float]], row: Row) -> str:
    if interval is None or row.is_share:
        ends = None if interval is None else (max(0.0, interval[0]), min(1.0, interval[1]))
        return percent_interval(ends, row.examples)
    return "[{:.4f}, {:.4f}]".format(*interval)


def text_report(cells: Sequence[CellResults], rows: Sequence[Row], warnings: Sequence[str]) -> str:
    """A table for each cell, for a terminal, with what must be known to read them."""
    sample = is_sample(cells)
    lines = []
    for place, cell in enumerate(cells):
        table = [cells_of(row, cell, sample) for row in rows if row.cell == place]
        lines += [cell_name(cell), text_table(HEADERS, table, right=RIGHT), ""]
    engines = engine_lines(engine_pairs(cells, rows))
    lines += [f"{ENGINES}:", *("\n".join(textwrap.wrap(line, 80)) for line in engines), ""] if engines else []
    lines += textwrap.wrap(_legend(rows), 80)
    lines += [f"Mixed: {warning}" for warning in warnings]
    return "\n".join(lines)


def is_sample(cells: Sequence[CellResults]) -> bool:
    """Whether any of the results is of the embedded sample."""
    return any(document["sample"] for cell in cells for document in cell.documents)


def write_reports(
    folder: Path,
    name: str,
    cells: Sequence[CellResults],
    rows: Sequence[Row],
    made: Sequence[Provenance],
    missing: int,
    pictures: Sequence[Path],
) -> Tuple[Path, Path, Path]:
    """Write ``NAME.md``, ``NAME.csv`` and ``NAME.json``; returns their paths.

    Args:
      folder: where to.
      name: of the study.
      cells: what was gathered.
      rows: see ``study_rows``.
      made: what each document stands on.
      missing: jobs of the study that are not done.
      pictures: in the same folder.
    """
    warnings = mixtures(cells, made)
    documents = [row_document(row, cells[row.cell]) for row in rows]
    paths = (folder / f"{name}.md", folder / f"{name}.csv", folder / f"{name}.json")
    with replacing(paths[0], "w") as stream:
        stream.write(markdown(name, cells, rows, made, missing, pictures, warnings))
    with replacing(paths[1], "w") as stream:
        stream.write(csv_text(documents))
    jobs = [{"recipe": cells[one.cell].recipe, "seed": one.seed, **one.facts} for one in made]
    write_json(
        paths[2],
        {
            "format": 1,
            "study": name,
            "sample": is_sample(cells),
            "missing_jobs": missing,
            "rows": documents,
            "engines": engine_documents(engine_pairs(cells, rows)),
            "mixed": warnings,
            "jobs": jobs,
        },
    )
    return paths


def markdown(
    name: str,
    cells: Sequence[CellResults],
    rows: Sequence[Row],
    made: Sequence[Provenance],
    missing: int,
    pictures: Sequence[Path],
    warnings: Sequence[str],
) -> str:
    """The whole report as Markdown."""
    sample = is_sample(cells)
    lines = [f"# {name}", ""]
    if sample:
        lines += ["EMBEDDED SAMPLE: these figures say nothing about the published experiments.", ""]
    if missing:
        lines += [f"{missing} job{'s are' if missing > 1 else ' is'} not done yet.", ""]
    table = [[cell_name(cells[row.cell]), *cells_of(row, cells[row.cell], sample)] for row in rows]
    right = [column + 1 for column in RIGHT]
    lines += [markdown_table(("recipe", *HEADERS), table, right=right), "", _legend(rows), ""]
    lines += [f"- Mixed: {warning}" for warning in warnings] + ([""] if warnings else [])
    paired = [row for row in rows if row.paired]
    if paired:
        lines += ["TensorFlow 1 minus port, paired by seed:", ""]
        lines += [f"- {_paired_text(row, cells[row.cell])}" for row in paired] + [""]
    engines = engine_lines(engine_pairs(cells, rows))
    lines += [f"{ENGINES}:", "", *(f"- {line}" for line in engines), ""] if engines else []
    lines += [f"![{picture.stem}]({picture.name})" for picture in pictures] + ([""] if pictures else [])
    headers = ("recipe", "seed", "commit", "engine", "processor", "instruction set", "weights", "results")
    provenances = [
        [
            cells[one.cell].recipe.rpartition("/")[2],
            str(one.seed),
            *(str(one.facts[key] or "-") for key in ("commit", "engine", "processor", "instruction_set")),
            *(code(str(one.facts[key] or "-")[:16]) for key in ("weights_sha256", "results_sha256")),
        ]
        for one in made
    ]
    lines += ["What it stands on (the first 16 digits of each SHA-256):", ""]
    lines += [markdown_table(headers, provenances, right=(1,)), ""]
    return "\n".join(lines)


def _paired_text(row: Row, cell: CellResults) -> str:
    scale, unit = (100, " points") if row.is_share else (1, " nats" if row.what == EARLY else "")
    paired = row.paired
    text = f"{cell.recipe}, {row.name}: {scale * paired['mean']:+.3f}{unit}"
    if paired["interval"] is not None:
        low, high = (scale * end for end in paired["interval"])
        text += f" [{low:+.3f}, {high:+.3f}], p = {paired['p']:.3f}"
    return f"{text}, {len(paired['seeds'])} seed{'s' if len(paired['seeds']) > 1 else ''}"


def csv_text(documents: Sequence[Mapping[str, Any]]) -> str:
    """The rows as CSV, intervals in two columns and every digit kept."""
    stream = io.StringIO()
    names = [name for name in documents[0] if name not in ("values", "paired")] if documents else []
    columns: List[str] = []
    for name in names:
        columns += [f"{name}_low", f"{name}_high"] if "interval" in name else [name]
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*columns, "seeds", "values"])
    for document in documents:
        line: List[Any] = []
        for name in names:
            value = document[name]
            if "interval" in name:
                line += list(value) if value is not None else ["", ""]
            elif isinstance(value, dict):
                line.append(json.dumps(value, sort_keys=True))
            else:
                line.append("" if value is None else repr(value) if isinstance(value, float) else value)
        values = document["values"]
        writer.writerow([*line, " ".join(values), " ".join(repr(value) for value in values.values())])
    return stream.getvalue()
