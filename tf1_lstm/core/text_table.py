"""Tables and sentences as plain text that fits the terminal; standard library only."""

import re
import shutil
import textwrap
import unicodedata
from typing import Any, List, Optional, Sequence

# Columns of a table in a file, and of a sentence anywhere, at most.
IN_A_FILE, SENTENCE = 160, 100
GAP = "  "
# A space that no line is broken at; printed as an ordinary one.
NO_BREAK = "\u00a0"
# What a word that is too long may be broken after: first the gentle way.
BREAKS = ("/", "/_-")


def terminal_width(in_a_file: int = IN_A_FILE) -> int:
    """Columns of the terminal (``COLUMNS`` wins); many where output goes to a file, for ``grep``."""
    return max(20, shutil.get_terminal_size((in_a_file, 24)).columns)


def wrapped(sentence: str, indent: str = "      ", width: Optional[int] = None) -> str:
    """A sentence in lines that fit the terminal; all but the first begin with ``indent``."""
    found = textwrap.fill(
        sentence,
        width=width or min(SENTENCE, terminal_width()),
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return found.replace(NO_BREAK, " ")


def fitted(line: str, indent: str = "  ") -> str:
    """A line of output: in a terminal broken between words, whole where it goes to a file, for ``grep``."""
    width = terminal_width()
    return line if width == IN_A_FILE or display_width(line) <= width else wrapped(line, indent, width)


def display_width(text: str) -> int:
    """Columns that ``text`` takes in a terminal.

    East Asian wide and full-width characters take two, combining marks and format characters none.
    """
    width = 0
    for character in text:
        if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
            continue
        width += 2 if unicodedata.east_asian_width(character) in "WF" else 1
    return width


def one_line(text: Any) -> str:
    """``text`` without anything that could break a line or drive a terminal."""
    joined = " ".join(re.split(r"[^\S\u00a0]+", str(text))).strip()
    return "".join("\ufffd" if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in joined)


def text_table(
    headers: Sequence[str],
    rows: Sequence[Sequence[Any]],
    right: Sequence[int] = (),
    width: Optional[int] = None,
) -> str:
    """An aligned table of plain text, as wide as the terminal at most.

    Where it does not fit, cells are wrapped between words, then within long names; where that does not
    help either, each row becomes a block of lines.

    Args:
      headers: the columns' names.
      rows: cells of any type; each row as long as ``headers``.
      right: numbers of the columns that are aligned to the right; they are not wrapped.
      width: columns to fit into; ``terminal_width()`` by default.

    Raises:
      ValueError: a row of another length.
    """
    room = width or terminal_width()
    cells = [[one_line(cell) for cell in row] for row in checked(headers, rows)]
    natural = [max(display_width(row[k]) for row in cells) for k in range(len(headers))]
    for breaks in ("", *BREAKS):
        narrowest = [_narrowest(cells, k, "" if k in right else breaks) for k in range(len(headers))]
        widths = _fitted(natural, narrowest, room - len(GAP) * (len(headers) - 1))
        if widths is not None:
            return _aligned(cells, widths, right, breaks)
    return _stacked(headers, cells[1:], room)


def checked(headers: Sequence[str], rows: Sequence[Sequence[Any]]) -> List[Sequence[Any]]:
    """Headers and rows as one list; every row must be as long as the headers."""
    for row in rows:
        if len(row) != len(headers):
            raise ValueError(f"a row of {len(row)} cells under {len(headers)} headers")
    return [list(headers), *rows]


def _words(cell: str, breaks: str) -> List[str]:
    """What a cell may be broken into; pieces of one word have no space at their end."""
    if not breaks:
        return re.findall(r"[^ ]+ ?", cell)
    inside = re.escape(breaks)
    return re.findall(rf"[{inside}]*[^ {inside}]+[{inside}]* ?|[{inside}]+ ?", cell)


def _narrowest(cells: Sequence[Sequence[str]], column: int, breaks: str) -> int:
    words = [word for row in cells for word in _words(row[column], breaks)]
    return max((display_width(word.rstrip(" ")) for word in words), default=0)


def _fitted(natural: Sequence[int], narrowest: Sequence[int], room: int) -> Optional[List[int]]:
    """Widths that add up to ``room`` at most, the widest columns made narrower first; None if none do."""
    if sum(narrowest) > room:
        return None
    widths = list(natural)
    while sum(widths) > room:
        wide = max((k for k in range(len(widths)) if widths[k] > narrowest[k]), key=lambda k: widths[k])
        widths[wide] -= 1
    return widths


def _wrapped_cell(cell: str, width: int, breaks: str) -> List[str]:
    lines = [""]
    for word in _words(cell, breaks):
        if lines[-1] and display_width((lines[-1] + word).rstrip(" ")) > width:
            lines.append("")
        lines[-1] += word
    return [line.rstrip(" ").replace(NO_BREAK, " ") for line in lines]


def _aligned(cells: Sequence[Sequence[str]], widths: List[int], right: Sequence[int], breaks: str) -> str:
    lines = []
    for number, row in enumerate(cells):
        columns = [_wrapped_cell(cell, widths[k], "" if k in right else breaks) for k, cell in enumerate(row)]
        for place in range(max(map(len, columns))):
            padded = []
            for k, column in enumerate(columns):
                text = column[place] if place < len(column) else ""
                space = " " * (widths[k] - display_width(text))
                padded.append(space + text if k in right else text + space)
            lines.append(GAP.join(padded).rstrip())
        if number == 0:
            lines.append(GAP.join("-" * width for width in widths))
    return "\n".join(lines)


def _stacked(headers: Sequence[str], rows: Sequence[Sequence[str]], room: int) -> str:
    """Each row as a block: its first cell, then a line for each of the others."""
    indent = max(display_width(name) for name in headers[1:]) + 2 * len(GAP) if len(headers) > 1 else 0
    lines = []
    for row in rows:
        lines += _wrapped_cell(row[0], room, BREAKS[-1])
        for name, cell in zip(headers[1:], row[1:]):
            space = " " * (indent - len(GAP) - display_width(name))
            first, *rest = _wrapped_cell(cell, max(8, room - indent), BREAKS[-1])
            lines.append(f"{GAP}{name}{space}{first}".rstrip())
            lines += [" " * indent + line for line in rest]
    return "\n".join(lines)
