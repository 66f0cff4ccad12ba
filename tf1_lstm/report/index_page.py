"""One self-contained page on many runs: a table that can be sorted, and their curves in one picture each.

It needs no server: a small script of its own sorts the table and hides runs; without it all is shown.
"""

import os
from html import escape
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from tf1_lstm.files import PathLike, replacing
from tf1_lstm.report.html import document
from tf1_lstm.report.results import deviations_text
from tf1_lstm.report.tables import NOTHING, SAMPLE, error_text, percent

# Okabe and Ito's colours, told apart also by the colour-blind; their yellow is too pale for a line.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#888888")
DASHES = ("", "7 3", "2 3")
CHARTED = ("loss", "accuracy", "mean_absolute_error")
MOST_POINTS = 400
WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 560, 260, 60, 26, 12
STYLE = """
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: 1rem; }
svg { width: 100%; height: auto; } svg text { fill: currentColor; font: 12px system-ui, sans-serif; }
svg .grid { stroke: var(--line); } svg polyline { fill: none; stroke-width: 1.6; }
.key { display: inline-block; width: 1.4rem; height: .3rem; vertical-align: middle; }
th button { font: inherit; font-weight: bold; color: inherit; background: none; border: 0; padding: 0;
  cursor: pointer; text-align: left; }
th[aria-sort=ascending] button::after { content: " \\2191"; }
th[aria-sort=descending] button::after { content: " \\2193"; }
.hidden { display: none; }
"""
SCRIPT = """
"use strict";
const body = document.querySelector("tbody");
document.querySelectorAll("th button").forEach(button => button.addEventListener("click", () => {
  const head = button.parentElement, place = head.cellIndex;
  const down = head.getAttribute("aria-sort") === "ascending";
  document.querySelectorAll("th").forEach(other => other.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const value = row => row.cells[place].dataset.value;
  const order = (a, b) => a === "" || b === "" ? (a === "") - (b === "")
    : isNaN(a) || isNaN(b) ? a.localeCompare(b) : a - b;
  const sign = down ? -1 : 1;
  [...body.rows].sort((a, b) => sign * order(value(a), value(b))).forEach(row => body.append(row));
}));
document.querySelectorAll("input[data-run]").forEach(box => box.addEventListener("change", () =>
  document.querySelectorAll(`polyline[data-run="${box.dataset.run}"]`)
    .forEach(line => line.classList.toggle("hidden", !box.checked))));
"""


class Shown(NamedTuple):
    """One run on the page; see ``runs.listing.ListedRun`` for the fields of the same names.

    Attributes:
      name: how the page calls it.
      page: address of its own page, or None.
    """

    name: str
    state: str
    recipe: str
    sample: bool
    seed: Optional[int]
    engine: str
    changed: Mapping[str, Any]
    step: int
    iterations: int
    accuracies: Mapping[str, float]
    log: Sequence[Mapping[str, Any]]
    page: Optional[str] = None
    errors: Mapping[str, float] = {}


def write_index(target: PathLike, runs: Sequence[Shown], title: str) -> Path:
    """Write the page of many runs.

    Raises:
      InputError: it cannot be written.
    """
    with replacing(target, "w") as stream:
        stream.write(render_index(runs, title))
    return Path(os.fspath(target))


def render_index(runs: Sequence[Shown], title: str) -> str:
    """The page's text."""
    groups: Dict[Tuple[str, bool], List[int]] = {}
    for number, run in enumerate(runs):
        if run.log:
            groups.setdefault((run.recipe, run.sample), []).append(number)
    body = [f"<h1>{escape(title)}</h1>", f"<p>{escape(_summary(runs))}</p>", _table(runs)]
    for (recipe, sample), numbers in groups.items():
        body.append(f"<h2>{escape(recipe)}{f' | {SAMPLE}' if sample else ''}</h2>")
        body.append(_legend([(number, runs[number]) for number in numbers]))
        logs = {number: runs[number].log for number in numbers}
        charts = [_chart(logs, before + key, recipe) for before in ("", "val_") for key in CHARTED]
        body.append(f'<div class="charts">{"".join(charts)}</div>')
    return document(title, body, STYLE, SCRIPT)


def _summary(runs: Sequence[Shown]) -> str:
    recipes = len({run.recipe for run in runs if run.recipe})
    samples = sum(run.sample for run in runs)
    text = f"{len(runs):,} run{'s' * (len(runs) != 1)} of {recipes} experiment{'s' * (recipes != 1)}"
    if samples:
        text += f"; {samples:,} on the embedded sample, whose figures say nothing about what was published"
    return text + ". Click a heading to sort."


def _table(runs: Sequence[Shown]) -> str:
    splits = list(dict.fromkeys(split for run in runs for split in run.accuracies))
    wrong = list(dict.fromkeys(split for run in runs for split in run.errors))
    headers = ["run", "recipe", "changed settings", "seed", "engine", "state", "iterations", *splits]
    headers += [f"{split}, mean absolute error" for split in wrong]
    names = "".join(f'<th scope="col"><button type="button">{escape(name)}</button></th>' for name in headers)
    lines = [f'<div class="wide"><table><thead><tr>{names}</tr></thead><tbody>']
    for run in runs:
        changed = deviations_text(dict(run.changed), short=True) or "none"
        name = f'<a href="{escape(run.page)}">{escape(run.name)}</a>' if run.page else escape(run.name)
        seed = "" if run.seed is None else run.seed
        recipe = run.recipe + (" (sample)" if run.sample else "")
        texts = (recipe, changed, seed, run.engine, run.state, run.step)
        cells = [_cell(run.name, name), *(_cell(text, escape(_shown(text))) for text in texts)]
        for split in splits:
            value = run.accuracies.get(split)
            cells.append(_cell("" if value is None else value, percent(value, 5000), "number"))
        for split in wrong:
            value = run.errors.get(split)
            cells.append(_cell("" if value is None else value, error_text(value), "number"))
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return "\n".join([*lines, "</tbody></table></div>"])


def _shown(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value) or NOTHING


def _cell(value: Any, content: str, style: str = "") -> str:
    kind = "number" if style or isinstance(value, int) else ""
    mark = f' class="{kind}"' if kind else ""
    return f'<td{mark} data-value="{escape(str(value))}">{content}</td>'


def _look(place: int) -> Tuple[str, str]:
    return COLOURS[place % len(COLOURS)], DASHES[place // len(COLOURS) % len(DASHES)]


def _legend(runs: Sequence[Tuple[int, Shown]]) -> str:
    items = []
    for place, (number, run) in enumerate(runs):
        colour, _ = _look(place)
        items.append(
            f'<label><input type="checkbox" checked data-run="{number}"> '
            f'<span class="key" style="background:{colour}"></span> {escape(run.name)}</label>'
        )
    return f"<p>{' &nbsp; '.join(items)}</p>"


def _chart(logs: Mapping[int, Sequence[Mapping[str, Any]]], key: str, recipe: str) -> str:
    """One figure by iteration as an SVG, a line for each run; "" where none has it."""
    lines = {number: list(_points(log, key)) for number, log in logs.items()}
    points = [point for line in lines.values() for point in line]
    if not points:
        return ""
    right = max(x for x, _ in points) or 1
    low, high = min(y for _, y in points), max(y for _, y in points)
    low, high = (min(low, 0.0), high) if not key.endswith("accuracy") else (low, max(high, low + 0.01))
    span = (high - low) or 1.0
    across, up = (WIDTH - LEFT - 8) / right, (HEIGHT - BOTTOM - TOP) / span
    parts = [_grid(low, high, up, right, key.endswith("accuracy"))]
    for place, (number, line) in enumerate(lines.items()):
        colour, dash = _look(place)
        drawn = " ".join(f"{LEFT + x * across:.1f},{HEIGHT - BOTTOM - (y - low) * up:.1f}" for x, y in line)
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        parts.append(f'<polyline data-run="{number}" stroke="{colour}"{dashes} points="{drawn}"/>')
    name = key.replace("val_", "validation ").replace("_", " ")
    label = f"{escape(recipe)}: {name} by iteration, {len(lines)} run{'s' * (len(lines) != 1)}"
    head = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">'
    return f"<figure>{head}{''.join(parts)}</svg><figcaption>{name} by iteration</figcaption></figure>"


def _points(log: Sequence[Mapping[str, Any]], key: str) -> Iterator[Tuple[int, float]]:
    """Iteration and figure, thinned out evenly; what is no number is left out."""
    found = [(entry["iteration"], entry[key]) for entry in log if isinstance(entry.get(key), (int, float))]
    step = max(1, -(-len(found) // MOST_POINTS))
    yield from found[::step]
    if found and (len(found) - 1) % step:
        yield found[-1]


def _grid(low: float, high: float, up: float, right: int, is_share: bool) -> str:
    """Five lines across with their numbers, and the ends of the iterations."""
    parts = []
    for k in range(5):
        value = low + (high - low) * k / 4
        y = HEIGHT - BOTTOM - (value - low) * up
        text = f"{100 * value:.4g} %" if is_share else f"{value:.3g}"
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{text}</text>')
    parts.append(f'<text x="{LEFT}" y="{HEIGHT - 6}">0</text>')
    parts.append(f'<text x="{WIDTH - 8}" y="{HEIGHT - 6}" text-anchor="end">{right:,}</text>')
    return "".join(parts)
