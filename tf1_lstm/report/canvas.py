"""How every picture looks and is written: one style, no global state, the same bytes each time.

Pictures are drawn on an Agg canvas through matplotlib's objects; ``pyplot`` is never imported. The
colours are Okabe and Ito's, which stay apart for colour-blind readers, and nothing is told by
colour alone.
"""

import functools
import io
import math
from contextlib import contextmanager
from typing import Any, FrozenSet, Iterable, Iterator, Optional, Tuple

import matplotlib.font_manager
import matplotlib.style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tf1_lstm.files import PathLike, replacing
from tf1_lstm.report.tables import SAMPLE

BLUE, VERMILLION, GREEN, BLACK = "#0072B2", "#D55E00", "#009E73", "#000000"
GREY, PALE = "#6B6B6B", "#E3E3E3"
DPI = 100
TITLE_SIZE = 12

# "default" undoes a user's matplotlibrc, which would otherwise change the bytes.
STYLE = [
    "default",
    {
        "font.family": "DejaVu Sans",
        "font.size": 10,
        "axes.titlesize": 10,
        "axes.titlelocation": "left",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "axes.grid": True,
        "grid.color": PALE,
        "legend.frameon": False,
        "legend.fontsize": 9,
        "xtick.labelsize": 9,
        "ytick.labelsize": 9,
    },
]


@contextmanager
def picture(
    path: PathLike, title: str, size: Tuple[float, float], is_sample: bool, subtitle: str = ""
) -> Iterator[Figure]:
    """A figure to draw on, written to ``path`` as PNG when the block succeeds.

    Args:
      path: the PNG file, replaced in one step.
      title: recipe, split, dropout; shown over everything.
      size: inches; 100 pixels each.
      is_sample: says "EMBEDDED SAMPLE" in the title.
      subtitle: a second line.

    Raises:
      InputError: the file cannot be written.
    """
    with matplotlib.style.context(STYLE):
        figure = Figure(figsize=size, dpi=DPI, layout="constrained")
        canvas = FigureCanvasAgg(figure)
        _write_title(figure, title, subtitle, is_sample)
        yield figure
        stream = io.BytesIO()
        canvas.print_png(stream, metadata={"Software": None})
    with replacing(path) as target:
        target.write(stream.getvalue())


def _write_title(figure: Figure, title: str, subtitle: str, is_sample: bool) -> None:
    lines = [plain(title) + (f"  |  {SAMPLE}" if is_sample else "")]
    if subtitle:
        lines.append(plain(subtitle))
    # A bold character is 0.72 of its size wide on average; a long title must not leave the picture.
    points = 72 * figure.get_figwidth() * 0.96
    size = min(TITLE_SIZE, points / (0.72 * max(len(line) for line in lines)))
    colour = VERMILLION if is_sample else BLACK
    figure.suptitle("\n".join(lines), fontsize=size, fontweight="bold", color=colour)


def picture_title(recipe: str, split: Optional[str] = None, dropout: Optional[str] = None) -> str:
    """A picture's title, e.g. ``"imdb-lstm, official-test, dropout off"``."""
    parts = [recipe, split, None if dropout is None else f"dropout {dropout}"]
    return ", ".join(part for part in parts if part)


def plain(text: Any, limit: int = 120) -> str:
    """``text`` on one line as matplotlib can draw it: no mathematics, no missing glyphs, not endless."""
    line = " ".join(str(text).split())
    if len(line) > limit:
        line = line[: limit - 3] + "..."
    known = _glyphs()
    # A dollar sign would start mathematical text; a doubled backslash is not needed otherwise.
    return "".join(c if ord(c) in known else "?" for c in line).replace("$", r"\$")


@functools.lru_cache(maxsize=None)
def _glyphs() -> FrozenSet[int]:
    regular = matplotlib.font_manager.findfont("DejaVu Sans")
    return frozenset(matplotlib.font_manager.get_font(regular).get_charmap())


def finite(values: Iterable[Any]) -> bool:
    """Whether every value is a number that can be drawn (not None, NaN or infinite)."""
    return all(value is not None and math.isfinite(value) for value in values)


def empty(axes: Any, message: str) -> None:
    """An axes that only says why there is nothing on it."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, plain(message), ha="center", va="center", color=GREY, transform=axes.transAxes)
