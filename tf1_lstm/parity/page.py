"""A comparison as one self-contained HTML page: verdict, levels, first difference, and two pictures."""

import base64
from html import escape
from pathlib import Path
from typing import Any, Dict, Iterator

from tf1_lstm.files import replacing
from tf1_lstm.parity.report import lines

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; margin: 2rem auto;
  max-width: 75rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { border-bottom: 1px solid #ddd; padding: .25rem .75rem; text-align: left; vertical-align: top; }
td.number { text-align: right; white-space: nowrap; }
img { max-width: 100%; height: auto; } figure { margin: 1.5rem 0; }
pre { font: .9em ui-monospace, monospace; background: #f4f4f4; padding: .75rem; overflow-x: auto; }
.PASS { color: #0072B2; font-weight: bold; } .FAIL { color: #D55E00; font-weight: bold; }
"""
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
NUMBERS = ("absolute", "relative", "tolerance", "rounding")


def write_comparison(path: Path, document: Dict[str, Any], pictures: Dict[str, Path]) -> None:
    """Write the page.

    Args:
      path: the file, replaced in one step.
      document: of ``report.to_document``.
      pictures: caption -> PNG, which the page then holds.

    Raises:
      InputError: it cannot be written.
    """
    title = f"{document['recipe']}: {document['port']['target']}"
    head = (
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style>"
    )
    body = "\n".join(_parts(title, document, pictures))
    with replacing(path, "w") as stream:
        stream.write(
            f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>\n<body>\n{body}\n</body></html>\n'
        )


def _parts(title: str, document: Dict[str, Any], pictures: Dict[str, Path]) -> Iterator[str]:
    yield f"<h1>{escape(title)}</h1>"
    outcome = "PASS" if document["holds"] else "FAIL"
    yield f'<p class="{outcome}">{outcome}: {escape(document["verdict"])}</p>'
    head = "".join(f"<th>{name}</th>" for name in ("level", "", *NUMBERS, "where"))
    rows = [_row(level) for level in document["levels"]]
    yield f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    for caption, path in pictures.items():
        data = base64.b64encode(path.read_bytes()).decode("ascii")
        yield f'<figure><img alt="{escape(caption)}" src="data:image/png;base64,{data}"></figure>'
    yield f"<h2>In words</h2><pre>{escape(chr(10).join(lines(document)))}</pre>"


def _row(level: Dict[str, Any]) -> str:
    numbers = ["-" if level[name] is None else f"{level[name]:.2e}" for name in NUMBERS]
    cells = "".join(f'<td class="number">{number}</td>' for number in numbers)
    where = "; ".join(filter(None, [level["place"], level["reason"]]))
    status = f'<td class="{level["status"].split()[0]}">{level["status"]}</td>'
    return f"<tr><td>{level['name']}</td>{status}{cells}<td>{escape(where)}</td></tr>"
