"""What the HTML pages share: one self-contained document, its style for light and dark, its tables.

A page loads nothing: pictures and style are in it, and the browser is told to refuse anything else. The
same content gives the same bytes.
"""

import base64
import hashlib
import json
from html import escape
from typing import Any, Iterable, List, Sequence

from tf1_lstm.core.text_table import NO_BREAK

STYLE = """
:root { color-scheme: light dark; --text: #1a1a1a; --back: #fff; --line: #ddd; --soft: #f4f4f4;
  --link: #005a8c; --warn: #b34700; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e6e6; --back: #16181c; --line: #3a3d44;
  --soft: #23262c; --link: #7cc4f0; --warn: #c95200; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back);
  margin: 2rem auto; max-width: 75rem; padding: 0 1rem; overflow-wrap: break-word; }
a { color: var(--link); }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; }
th, td { border-bottom: 1px solid var(--line); padding: .25rem .75rem; text-align: left;
  vertical-align: top; }
td.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
td.changed { font-weight: bold; }
img { max-width: 100%; height: auto; background: #fff; } figure { margin: 1.5rem 0; }
figcaption { font-size: .9em; }
code, pre { font: .9em ui-monospace, monospace; overflow-wrap: anywhere; }
pre { background: var(--soft); padding: .75rem; white-space: pre-wrap; }
.sample { background: var(--warn); color: #fff; padding: .5rem 1rem; font-weight: bold; }
.verdict { font-size: 1.1rem; border-left: .3rem solid var(--link); padding-left: .75rem; }
"""


def document(title: str, body: Iterable[str], style: str = "", script: str = "") -> str:
    """A whole page.

    Args:
      title: plain text.
      body: parts in HTML; empty ones are left out.
      style: more CSS.
      script: JavaScript that may run; without any, none may.
    """
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    if script:
        digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
        policy += f"; script-src 'sha256-{digest}'"
    head = (
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}{style}</style>"
    )
    parts = [part for part in body if part] + ([f"<script>{script}</script>"] if script else [])
    content = "\n".join(parts)
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>\n<body>\n{content}\n</body></html>\n'


def section(title: str, content: str) -> List[str]:
    """A heading with its content; nothing where there is none."""
    return [f"<h2>{escape(title)}</h2>", content] if content else []


def table(
    headers: Sequence[str], rows: Sequence[Sequence[Any]], numbers: Sequence[int] = (), changed: Any = ()
) -> str:
    """A table that scrolls by itself where the window is narrow; empty without rows.

    Args:
      headers: the columns' names.
      rows: cells of any type.
      numbers: columns of numbers, aligned to the right.
      changed: numbers of the rows that stand out.
    """
    if not rows:
        return ""
    names = "".join(f'<th scope="col">{escape(name)}</th>' for name in headers)
    lines = [f'<div class="wide"><table><thead><tr>{names}</tr></thead><tbody>']
    for place, row in enumerate(rows):
        cells = []
        for k, cell in enumerate(row):
            style = "number" if k in numbers else "changed" if place in changed else ""
            cells.append(f'<td class="{style}">' if style else "<td>")
            cells.append(f"{escape(shown(cell))}</td>")
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return "\n".join([*lines, "</tbody></table></div>"])


def shown(value: Any) -> str:
    """A value as a page shows it: thousands separated, everything but text as JSON."""
    if isinstance(value, str):
        return value.replace(NO_BREAK, "\u00a0")
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return json.dumps(value, ensure_ascii=False)
