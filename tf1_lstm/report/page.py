"""One self-contained HTML page on a run: table, pictures, settings, deviations, environment.

The page holds its pictures and its style, loads nothing and runs no script: it can be mailed, or
opened from the run folder without a network. The same results give the same bytes.
"""

import base64
import json
from html import escape
from pathlib import Path
from typing import Any, List, Mapping, Optional, Sequence

from tf1_lstm.files import PathLike, replacing
from tf1_lstm.report.documents import Document
from tf1_lstm.report.logs import figure_names, is_of_epochs
from tf1_lstm.report.results import comparisons
from tf1_lstm.report.tables import (
    COMPARISON_HEADERS,
    EPOCHS_HEADERS,
    EPOCHS_LEGEND,
    SAMPLE,
    comparison_cells,
    duration,
    epochs_rows,
    heading,
    legend,
    notes,
    numbered_figures,
)

PNG = b"\x89PNG\r\n\x1a\n"
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; margin: 2rem auto;
  max-width: 75rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { border-bottom: 1px solid #ddd; padding: .25rem .75rem; text-align: left; vertical-align: top; }
td.number { text-align: right; white-space: nowrap; } td.changed { font-weight: bold; }
img { max-width: 100%; height: auto; } figure { margin: 1.5rem 0; }
code, pre { font: .9em ui-monospace, monospace; overflow-wrap: anywhere; }
pre { background: #f4f4f4; padding: .75rem; white-space: pre-wrap; }
.sample { background: #D55E00; color: #fff; padding: .5rem 1rem; font-weight: bold; }
"""
# The browser itself then refuses anything that did not come with the page.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
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
      oddities: what is odd in the published version, a sentence each (``Recipe.oddities``).
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
    parts.append(f"<pre>{escape(results['command'])}</pre>")
    parts += _comparison_section(results)
    parts += _epochs_section(results)
    parts += [_figure(folder, name, path) for name, path in (pictures or {}).items()]
    parts += _deviation_section(results, oddities)
    parts += _section("Settings", _settings_table(results))
    parts += _section("Environment", _pairs_table(results["environment"]))
    parts += _section("Time", _time_table(results))
    parts += _section("Checkpoint, weights and data (SHA-256)", _origin_table(results))
    parts.append(_log_table(results["log"]))
    head = (
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style>"
    )
    body = "\n".join(part for part in parts if part)
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>\n<body>\n{body}\n</body></html>\n'


def _section(title: str, content: str) -> List[str]:
    return [f"<h2>{escape(title)}</h2>", content] if content else []


def _table(
    headers: Sequence[str], rows: Sequence[Sequence[Any]], numbers: Sequence[int] = (), changed: Any = ()
) -> str:
    if not rows:
        return ""
    names = "".join(f"<th>{escape(name)}</th>" for name in headers)
    lines = [f"<table><thead><tr>{names}</tr></thead><tbody>"]
    for place, row in enumerate(rows):
        cells = []
        for k, cell in enumerate(row):
            style = "number" if k in numbers else "changed" if place in changed else ""
            cells.append(f'<td class="{style}">' if style else "<td>")
            cells.append(f"{escape(_shown(cell))}</td>")
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return "\n".join([*lines, "</tbody></table>"])


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _pairs_table(pairs: Mapping[str, Any]) -> str:
    return _table(("name", "value"), [(name, value) for name, value in pairs.items()])


def _comparison_section(results: Document) -> List[str]:
    rows = comparisons(results)
    figures = numbered_figures(rows)
    cells = [comparison_cells(row, figures) for row in rows]
    parts = _section("Published and measured", _table(COMPARISON_HEADERS, cells))
    lines = [f"[{number}] {row.name}; {row.source}" for number, row in figures.items()]
    lines += [f"Note: {note}." for note in notes(results)]
    lines += legend(rows)
    return [*parts, f"<p>{'<br>'.join(escape(line) for line in lines)}</p>"] if rows else []


def _epochs_section(results: Document) -> List[str]:
    rows = epochs_rows(results)
    parts = _section("Epochs", _table(EPOCHS_HEADERS, rows, numbers=(1, 2, 3, 4, 5)))
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
    caption = escape(name.replace("_", " "))
    if text:
        return f"<details><summary>{caption}</summary><pre>{escape(text)}</pre></details>"
    if not content.startswith(PNG):
        return (
            f"<p>Picture {caption} is missing: no PNG or text file at <code>{escape(str(path))}</code>.</p>"
        )
    data = base64.b64encode(content).decode("ascii")
    image = f'<img alt="{caption}" src="data:image/png;base64,{data}">'
    return f"<figure>{image}<figcaption>{caption}</figcaption></figure>"


def _deviation_section(results: Document, oddities: Sequence[str]) -> List[str]:
    rows = [(name, published, used) for name, (published, used) in sorted(results["deviations"].items())]
    table = _table(("setting", "published", "used here"), rows)
    parts = _section("Known deviations from the published version", table or "<p>None in the settings.</p>")
    if oddities:
        items = "".join(f"<li>{escape(sentence)}</li>" for sentence in oddities)
        parts += _section("What is odd in the published version", f"<ul>{items}</ul>")
    return parts


def _settings_table(results: Document) -> str:
    rows = [("seed", results["seed"]), ("exact", results.get("exact")), ("iterations", results["iterations"])]
    rows += [(name, value) for name, value in results["settings"].items() if name not in dict(rows)]
    changed = {place for place, (name, _) in enumerate(rows) if name in results["deviations"]}
    return _table(("setting", "value"), rows, changed=changed)


def _time_table(results: Document) -> str:
    rows = [(name, duration(seconds)) for name, seconds in results["seconds"].items()]
    return _table(("what", "time"), [*rows, ("an iteration", f"{results['ms_per_iteration']:.1f} ms")])


def _origin_table(results: Document) -> str:
    named = [("checkpoint", results.get("checkpoint")), ("canonical weights", results.get("weights_sha256"))]
    rows = [(name, value) for name, value in named if value]
    return _table(("what", "value"), rows + list(results.get("data", {}).items()))


def _log_table(log: Sequence[Mapping[str, Any]]) -> str:
    if not log:
        return ""
    counts = ("iteration", "epoch") if is_of_epochs(log) else ("iteration",)
    figures = figure_names(log)
    rows = [
        [*(f"{entry[name]:,}" for name in counts), *(_number(entry.get(name)) for name in figures)]
        for entry in log[:2000]
    ]
    table = _table([*counts, *figures], rows, numbers=range(len(counts) + len(figures)))
    more = f"<p>and {len(log) - 2000:,} more</p>" if len(log) > 2000 else ""
    return f"<details><summary>The log: {len(log):,} lines</summary>{table}{more}</details>"


def _number(value: Any) -> str:
    return "not a number" if value is None else f"{value:.6f}"
