"""Tables as plain text and as Markdown, and the table that ends a reproduction."""

from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from tf1_lstm.core.text_table import (
    NO_BREAK,
    SENTENCE,
    checked,
    one_line,
    terminal_width,
    text_table,
    wrapped,
)
from tf1_lstm.report.documents import Document
from tf1_lstm.report.results import Comparison, chosen, comparisons, deviations_text, evaluations_at, origin
from tf1_lstm.report.verdicts import NOT_JUDGED

SAMPLE = "EMBEDDED SAMPLE"
SAMPLE_BANNER = f"{SAMPLE}: a stand-in for the real data, so there is nothing to compare with."
NOTHING = "-"
ERRORS_HEADERS = (
    "split",
    "dropout",
    "mean absolute error",
    "95 % interval",
    "root mean squared error",
    "examples",
)
COMPARISON_HEADERS = ("split", "counted over", "dropout", "published", "measured", "diff.")
EPOCHS_HEADERS = (
    "after each epoch",
    "epochs",
    "lowest loss",
    "in epoch",
    "accuracy then",
    "last epoch",
    "later half",
)
EPOCHS_LEGEND = "Dropout off. The epoch of the lowest loss is chosen by these figures themselves."


class Raw(str):
    """Text that is already Markdown and is not escaped again."""


def markdown_table(headers: Sequence[str], rows: Sequence[Sequence[Any]], right: Sequence[int] = ()) -> str:
    """A GitHub-flavoured Markdown table; arguments as in ``text_table``. ``Raw`` cells stay as they are."""
    cells = [
        [cell if isinstance(cell, Raw) else escape_markdown(one_line(cell)) for cell in row]
        for row in checked(headers, rows)
    ]
    lines = ["| " + " | ".join(row) + " |" for row in cells]
    rule = ["---:" if k in right else "---" for k in range(len(headers))]
    lines.insert(1, "| " + " | ".join(rule) + " |")
    return "\n".join(lines)


def escape_markdown(text: str) -> str:
    """``text`` such that Markdown shows it as it is, also inside a table."""
    for character in "\\`*_[]|~#":
        text = text.replace(character, "\\" + character)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def code(text: str) -> Raw:
    """``text`` as a Markdown code span that is safe inside a table."""
    line = one_line(text).replace("|", "\\|")
    fence = "`"
    while fence in line:
        fence += "`"
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return Raw(f"{fence}{pad}{line}{pad}{fence}")


def percent(accuracy: Optional[float], examples: int = 0, std: Optional[float] = None) -> str:
    """An accuracy as ``82.60 %`` or ``82.60 ± 0.11 %``: two decimals from 5,000 examples on, else one."""
    if accuracy is None:
        return NOTHING
    spread = "" if std is None else f" ± {100 * std:.{_decimals(examples)}f}"
    return f"{100 * accuracy:.{_decimals(examples)}f}{spread} %"


def error_text(error: Optional[float]) -> str:
    """An error in the units of the targets, to six digits."""
    return NOTHING if error is None else f"{error:.6g}"


def percent_interval(interval: Optional[Sequence[float]], examples: int = 0) -> str:
    """An interval as ``[82.1, 83.1]`` in per cent."""
    if interval is None:
        return NOTHING
    low, high = (f"{100 * end:.{_decimals(examples)}f}" for end in interval)
    return f"[{low}, {high}]"


def _decimals(examples: int) -> int:
    return 2 if examples >= 5000 else 1


def count(number: int) -> str:
    """A count with thousands separated, or a dash for none."""
    return f"{number:,}" if number else NOTHING


def duration(seconds: float) -> str:
    """Seconds as people say them: ``3.2 s``, ``4 min 10 s``, ``1 h 05 min``."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    if seconds < 3599.5:
        return f"{round(seconds) // 60} min {round(seconds) % 60:02d} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min"


def _errors(results: Document) -> List[List[str]]:
    """Rows under ``ERRORS_HEADERS``, of a regression."""
    return [
        [
            one["split"],
            one["dropout"],
            f"{one['mean_absolute_error']:.6g}",
            NOTHING if one["interval"] is None else "[{:.6g}, {:.6g}]".format(*one["interval"]),
            f"{one['root_mean_squared_error']:.6g}",
            f"{one['examples']:,}",
        ]
        for one in results["evaluations"]
    ]


def reproduction_table(results: Document, banner: bool = True) -> str:
    """The table that ends ``reproduce``: published beside measured, with 95 % intervals.

    Args:
      results: a whole ``results.json`` document.
      banner: of a run on the sample, say so.
    """
    lines = [wrapped(heading(results))]
    if results["sample"] and banner:
        lines.append(wrapped(SAMPLE_BANNER))
    if chosen(results["deviations"]):
        where = origin(results)
        changed = one_line(deviations_text(results["deviations"], origin=where))
        lines.append(wrapped(f"Not as {where}: {changed}"))
    room = terminal_width(in_a_file=SENTENCE)
    if any("mean_absolute_error" in one for one in results["evaluations"]):
        return "\n".join([*lines, "", text_table(ERRORS_HEADERS, _errors(results), width=room)])
    rows = comparisons(results)
    figures = numbered_figures(rows)
    headers, cells = comparison_table(rows, figures)
    lines += ["", text_table(headers, cells, width=room), ""]
    for number, row in figures.items():
        lines.append(wrapped(f"[{number}] {one_line(row.name)}; {one_line(row.source)}"))
    lines += [wrapped(f"Note: {one_line(note)}.") for note in notes(results)]
    lines += map(wrapped, legend(rows))
    epochs = epochs_rows(results)
    if epochs:
        table = text_table(EPOCHS_HEADERS, epochs, right=(1, 2, 3, 4, 5), width=room)
        lines += ["", table, "", EPOCHS_LEGEND]
    return "\n".join(lines)


def summary_table(documents: Sequence[Document]) -> str:
    """One row for each of several runs: what was measured on every split, dropout off, and how long it took."""
    rows = []
    for results in documents:
        off = [one for one in evaluations_at(results["evaluations"]) if one["dropout"] == "off"]
        shown = [f"{one['split']} {percent(one['accuracy'], one['examples'])}" for one in off]
        rows.append(
            [
                results["recipe"],
                results["seed"],
                f"{results['iterations']:,}",
                ", ".join(each.replace(" ", NO_BREAK) for each in shown),
                duration(results["seconds"]["total"]),
            ]
        )
    headers = ("recipe", "seed", "iterations", "accuracy, dropout off", "time")
    return text_table(headers, rows, right=(1, 2, 4), width=terminal_width(in_a_file=SENTENCE))


def epochs_rows(results: Document) -> List[List[str]]:
    """Rows under ``EPOCHS_HEADERS``: the validation of a run, and the published one; none without."""
    part = results.get("epochs")
    if not part:
        return []
    examples = next((e["examples"] for e in results["evaluations"] if e["split"] == part["split"]), 0)
    return [
        _epochs_row(f"{part['split']}, {of}", part[of], examples)
        for of in ("measured", "published")
        if part.get(of)
    ]


def _epochs_row(name: str, summary: Document, examples: int) -> List[str]:
    lowest, highest = (percent(summary[key], examples) for key in ("late_lowest", "late_highest"))
    return [
        name,
        str(summary["epochs"]),
        f"{summary['best_loss']:.4f}",
        str(summary["best_epoch"]),
        percent(summary["best_accuracy"], examples),
        percent(summary["last_accuracy"], examples),
        f"{lowest} to {highest} (epochs {summary['late_first']} to {summary['epochs']})",
    ]


def heading(results: Document) -> str:
    """One line on a run: recipe, seed, iterations and time."""
    parts = [one_line(results["recipe"]), f"seed {results['seed']}", f"{results['iterations']:,} iterations"]
    if "train" in results["seconds"]:
        parts.append(f"trained in {duration(results['seconds']['train'])}")
    parts.append(f"{results['ms_per_iteration']:.1f} ms an iteration")
    return ", ".join(parts)


def numbered_figures(rows: Sequence[Comparison]) -> Dict[int, Comparison]:
    """The published figures among ``rows`` under the numbers by which a table names them."""
    figures: Dict[int, Comparison] = {}
    for row in rows:
        if row.published is not None and not any(_same_figure(row, known) for known in figures.values()):
            figures[len(figures) + 1] = row
    return figures


def _same_figure(one: Comparison, other: Comparison) -> bool:
    return (one.name, one.source, one.published) == (other.name, other.source, other.published)


def comparison_table(
    rows: Sequence[Comparison], figures: Mapping[int, Comparison]
) -> Tuple[Sequence[str], List[List[str]]]:
    """Headers and cells; where nothing was published, without the columns of what was and of the difference."""
    headers: Sequence[str] = COMPARISON_HEADERS
    cells = [comparison_cells(row, figures) for row in rows]
    if figures:
        return headers, cells
    kept = [k for k, name in enumerate(headers) if name not in ("published", "diff.")]
    return [headers[k] for k in kept], [[row[k] for k in kept] for row in cells]


def comparison_cells(row: Comparison, figures: Mapping[int, Comparison]) -> List[str]:
    """A row's cells under ``COMPARISON_HEADERS``."""
    numbers = [number for number, figure in figures.items() if _same_figure(row, figure)]
    mark = f" [{numbers[0]}]" if row.published is not None and numbers else ""
    return [
        row.split,
        row.where,
        row.dropout,
        _figure(row.published, None, row.published_interval, row.published_examples, mark),
        _figure(row.measured, row.std, row.measured_interval, row.measured_examples),
        _difference(row),
    ]


def _figure(
    value: Optional[float],
    std: Optional[float],
    interval: Optional[Sequence[float]],
    examples: int,
    mark: str = "",
) -> str:
    """``85.4 % [1] [80.4, 89.3] of 240``, to be broken after the figure and after the interval only."""
    if value is None:
        return NOTHING
    parts = [percent(value, examples, std) + mark]
    parts += [percent_interval(interval, examples)] if interval is not None else []
    parts += [f"of {examples:,}"] if examples else []
    return " ".join(part.replace(" ", NO_BREAK) for part in parts)


def _difference(row: Comparison) -> str:
    """Measured minus published in points; a word where there is nothing to compare."""
    if row.published is None:
        return NOTHING
    if row.verdict != NOT_JUDGED or row.measured is None:
        return row.verdict or NOTHING
    return f"{100 * (row.measured - row.published):+.{_decimals(row.measured_examples)}f}"


def legend(rows: Sequence[Comparison]) -> List[str]:
    """What the signs in a table of ``comparison_cells`` mean."""
    lines = ["Intervals: 95 %, Wilson, of the examples alone."]
    if any(row.measured is not None and row.measured_interval is None for row in rows):
        lines = ["Counted are steps. Those of one example are not independent, so there is no interval."]
    if any(row.published is not None for row in rows):
        lines[0] += " diff.: measured - published, in points."
    if any(row.verdict == NOT_JUDGED for row in rows):
        lines.append(
            "One run is not judged: others with other seeds differ. `tf1-lstm study` judges five or more."
        )
    for row in rows:
        if row.place:
            lines.append(
                f"{row.split}, dropout {row.dropout}: this run is {row.place} of the project's study."
            )
    if any(row.std is not None for row in rows):
        lines.append("±: standard deviation over repetitions with other dropout masks.")
    return lines


def notes(results: Document) -> List[str]:
    """The notes of a results document's verdicts, each once; none where nothing is compared."""
    if results["sample"]:
        return []
    return list(dict.fromkeys(entry["note"] for entry in results["published"] if entry.get("note")))
