"""One self-contained HTML page on a run: table, pictures, settings, deviations, environment.

The page holds its pictures and its style, loads nothing and runs no script: it can be mailed, or
opened from the run folder without a network. The same results give the same bytes.
"""

import base64
from html import escape
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence

from tf1_lstm.files import PathLike, replacing
from tf1_lstm.report.documents import Document
from tf1_lstm.report.html import document, section
from tf1_lstm.report.html import table as html_table
from tf1_lstm.report.logs import figure_names, is_of_epochs
from tf1_lstm.report.results import PUBLISHED, chosen, comparisons, origin
from tf1_lstm.report.tables import (
    EPOCHS_HEADERS,
    EPOCHS_LEGEND,
    SAMPLE,
    comparison_table,
    duration,
    epochs_rows,
    heading,
    legend,
    notes,
    numbered_figures,
    percent,
)

PNG = b"\x89PNG\r\n\x1a\n"
CAPTIONS = {
    "report": "Loss and accuracy by iteration; accuracy of each split with its 95 % interval; the confusion "
    "matrix; the test batches, drawn again.",
    "curves": "Loss and accuracy by iteration, beside the published log where there is one.",
    "confusion": "Confusion matrix of the first split: rows are true classes, columns predicted ones.",
    "mistakes": "The most confident mistakes, most confident first.",
    "test_batches": "Accuracy of each test batch, published and measured, with the means' 95 % intervals.",
}
TEXT_LIMIT = 200_000  # bytes of a text that are shown


def write_page(
    folder: PathLike,
    results: Document,
    *,
    oddities: Sequence[str] = (),
    pictures: Optional[Mapping[str, str]] = None,
) -> Path:
    """Write ``report.html`` into a run folder.

    Args:
      folder: the run folder.
      results: a whole ``results.json`` document.
      oddities: what is odd in the published version, a sentence each (``Published.oddities``).
      pictures: caption -> path, relative to ``folder``, of a PNG, ``.md`` or ``.txt`` file; else
        ``results["pictures"]``.

    Returns:
      The page's path.

    Raises:
      InputError: the page cannot be written.
    """
    target = Path(folder) / "report.html"
    shown = results.get("pictures", {}) if pictures is None else pictures
    page = render_page(Path(folder), results, oddities, shown)
    with replacing(target, "w") as stream:
        stream.write(page)
    return target


def render_page(
    folder: Path,
    results: Document,
    oddities: Sequence[str] = (),
    pictures: Optional[Mapping[str, str]] = None,
) -> str:
    """The page's text; arguments as for ``write_page``."""
    title = heading(results) + (f" | {SAMPLE}" if results["sample"] else "")
    parts = [f"<h1>{escape(title)}</h1>"]
    if results["sample"]:
        parts.append(
            f'<p class="sample">{SAMPLE}: a stand-in for the real data, '
            "so there is nothing to compare with.</p>"
        )
    parts.append(f'<p class="verdict">{escape(verdict_in_words(results))}</p>')
    parts.append(f"<pre>{escape(results['command'])}</pre>")
    parts += _comparison_section(results)
    parts += _epochs_section(results)
    parts += [_figure(folder, name, path) for name, path in _once(pictures or {}).items()]
    parts += _deviation_section(results, oddities)
    parts += section("Settings", _settings_table(results))
    parts += section("Environment", _pairs_table(results["environment"]))
    parts += section("Time", _time_table(results))
    parts += section("Checkpoint, weights and data (SHA-256)", _origin_table(results))
    parts.append(_log_table(results["log"]))
    return document(title, parts)


def verdict_in_words(results: Document) -> str:
    """What the run says of the published figure, in one or two sentences."""
    rows = comparisons(results)
    measured = [row for row in rows if row.measured is not None]
    if not measured:
        return "Nothing was measured."
    compared = [row for row in measured if row.published is not None]
    row = (compared or measured)[0]
    assert row.measured is not None
    counted = "steps" if row.measured_interval is None else "examples"
    own = f"{percent(row.measured, row.measured_examples)} of {row.measured_examples:,} {counted}"
    where = f"{row.split}, {row.how}, dropout {row.dropout}"
    if row.published is None or results["sample"]:
        return f"This run: {own} right ({where})."
    points = 100 * (row.measured - row.published)
    beside = "Own run of the published code" if row.own_run else "Published"
    return (
        f"{beside}: {percent(row.published, row.published_examples)} ({row.name}). This run: {own} right "
        f"({where}), {points:+.1f} points. One run is not judged: others with other seeds differ."
    )


def _once(pictures: Mapping[str, str]) -> Dict[str, str]:
    """Leave out the curves where the overview, which has them, is shown."""
    return {name: path for name, path in pictures.items() if name != "curves" or "report" not in pictures}


def _pairs_table(pairs: Mapping[str, Any]) -> str:
    return html_table(("name", "value"), [(name, value) for name, value in pairs.items()])


def _comparison_section(results: Document) -> List[str]:
    rows = comparisons(results)
    figures = numbered_figures(rows)
    name = "Published and measured" if figures else "Measured"
    parts = section(name, html_table(*comparison_table(rows, figures)))
    lines = [f"[{number}] {row.name}; {row.source}" for number, row in figures.items()]
    lines += [f"Note: {note}." for note in notes(results)]
    lines += legend(rows)
    return [*parts, f"<p>{'<br>'.join(escape(line) for line in lines)}</p>"] if rows else []


def _epochs_section(results: Document) -> List[str]:
    rows = epochs_rows(results)
    parts = section("Epochs", html_table(EPOCHS_HEADERS, rows, numbers=(1, 2, 3, 4, 5)))
    return [*parts, f"<p>{escape(EPOCHS_LEGEND)}</p>"] if rows else []


def _figure(folder: Path, name: str, path: str) -> str:
    """A picture or a text inside the page; what is neither, or not in the folder, is named and left out."""
    try:
        place = (folder / path).resolve()
        place.relative_to(folder.resolve())
        content = place.read_bytes()
        text = content[:TEXT_LIMIT].decode("utf-8", "replace") if place.suffix in (".md", ".txt") else ""
    except (OSError, ValueError):
        content, text = b"", ""
    caption = escape(CAPTIONS.get(name, name.replace("_", " ").capitalize() + "."))
    if text:
        return f"<details><summary>{caption}</summary><pre>{escape(text)}</pre></details>"
    if not content.startswith(PNG):
        missing = f"Picture {escape(name)} is missing: no PNG or text file at"
        return f"<p>{missing} <code>{escape(str(path))}</code>.</p>"
    data = base64.b64encode(content).decode("ascii")
    image = f'<img alt="{caption}" src="data:image/png;base64,{data}">'
    return f"<figure>{image}<figcaption>{caption}</figcaption></figure>"


def _deviation_section(results: Document, oddities: Sequence[str]) -> List[str]:
    rows = [
        (name, published, used) for name, (published, used) in sorted(chosen(results["deviations"]).items())
    ]
    where = origin(results)
    table = html_table(("setting", where, "used here"), rows)
    version = "the published version" if where == PUBLISHED else "the experiment's file"
    parts = section(f"Known deviations from {version}", table or "<p>None in the settings.</p>")
    if oddities:
        items = "".join(f"<li>{escape(sentence)}</li>" for sentence in oddities)
        parts += section("What is odd in the published version", f"<ul>{items}</ul>")
    return parts


def _settings_table(results: Document) -> str:
    rows = [("seed", results["seed"]), ("exact", results.get("exact")), ("iterations", results["iterations"])]
    engine = results.get("engine")
    if engine:
        rows.append(("engine", " ".join(str(value)[:16] for value in engine.values())))
    rows += [(name, value) for name, value in results["settings"].items() if name not in dict(rows)]
    changed = {place for place, (name, _) in enumerate(rows) if name in results["deviations"]}
    return html_table(("setting", "value"), rows, changed=changed)


def _time_table(results: Document) -> str:
    rows = [(name, duration(seconds)) for name, seconds in results["seconds"].items()]
    return html_table(("what", "time"), [*rows, ("an iteration", f"{results['ms_per_iteration']:.1f} ms")])


def _origin_table(results: Document) -> str:
    named = [("checkpoint", results.get("checkpoint")), ("canonical weights", results.get("weights_sha256"))]
    rows = [(name, value) for name, value in named if value]
    return html_table(("what", "value"), rows + list(results.get("data", {}).items()))


def _log_table(log: Sequence[Mapping[str, Any]]) -> str:
    if not log:
        return ""
    counts = ("iteration", "epoch") if is_of_epochs(log) else ("iteration",)
    figures = figure_names(log)
    rows = [
        [*(f"{entry[name]:,}" for name in counts), *(_number(entry.get(name)) for name in figures)]
        for entry in log[:2000]
    ]
    table = html_table([*counts, *figures], rows, numbers=range(len(counts) + len(figures)))
    more = f"<p>and {len(log) - 2000:,} more</p>" if len(log) > 2000 else ""
    return f"<details><summary>The log: {len(log):,} lines</summary>{table}{more}</details>"


def _number(value: Any) -> str:
    return "not a number" if value is None else f"{value:.6f}"
