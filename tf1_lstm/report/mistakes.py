"""The most confident mistakes: images as a picture, texts as a Markdown list."""

from typing import Any, Optional, Sequence

import numpy as np

from tf1_lstm.core.text_table import one_line
from tf1_lstm.files import PathLike, replacing
from tf1_lstm.report.canvas import empty, picture
from tf1_lstm.report.confusion import class_labels
from tf1_lstm.report.tables import SAMPLE, escape_markdown

MOST = 25
ACROSS = 5
TEXT_LIMIT = 400  # characters of a text that are shown


def most_confident_mistakes(
    true: np.ndarray, predicted: np.ndarray, probability: np.ndarray, most: int = MOST
) -> np.ndarray:
    """The places of the most confident mistakes, the most confident first.

    Args:
      true: ``[examples]`` class numbers.
      predicted: ``[examples]`` class numbers.
      probability: ``[examples]``, of the predicted class; what is not a number comes last.
      most: at most so many.

    Returns:
      ``[mistakes]`` int64; equally confident ones in the order of the examples.

    Raises:
      ValueError: unequal lengths.
    """
    true, predicted, probability = np.asarray(true), np.asarray(predicted), np.asarray(probability)
    if not true.shape == predicted.shape == probability.shape or true.ndim != 1:
        raise ValueError(f"shapes {true.shape}, {predicted.shape} and {probability.shape}")
    wrong = np.flatnonzero(true != predicted)
    order = np.argsort(-np.nan_to_num(probability[wrong], nan=-1.0), kind="stable")
    return wrong[order[:most]].astype(np.int64)


def mistakes_picture(
    images: np.ndarray,
    true: np.ndarray,
    predicted: np.ndarray,
    probability: np.ndarray,
    path: PathLike,
    *,
    title: str,
    class_names: Sequence[str] = (),
    is_sample: bool = False,
) -> None:
    """Draw the 25 most confident mistakes with what they are and what they were taken for.

    Args:
      images: ``[examples, height, width]``, any numeric type; each is scaled to its own range.
      true: ``[examples]`` class numbers of all examples, right ones too.
      predicted: ``[examples]`` class numbers.
      probability: ``[examples]`` between 0 and 1, of the predicted class.
      path: the PNG file.
      title: see ``canvas.picture_title``.
      class_names: a name for each class; numbers stand in for missing ones.
      is_sample: the run used the embedded sample.
    """
    true, predicted = np.asarray(true), np.asarray(predicted)
    shown = most_confident_mistakes(true, predicted, probability)
    wrong = int(np.count_nonzero(true != predicted))
    names = class_labels(class_names, 1 + int(max([0, *true[shown], *predicted[shown]])))
    down = max(1, -(-len(shown) // ACROSS))
    summary = _summary(len(shown), wrong, len(true))
    with picture(path, title, (7.6, 1.0 + 1.55 * down), is_sample, summary) as figure:
        if not len(shown):
            empty(figure.subplots(), "nothing to show")
            return
        # Fixed places: the layout of 25 panels by constraints would take seconds.
        figure.set_constrained_layout(False)
        height = figure.get_figheight()
        figure.subplots_adjust(left=0.02, right=0.98, bottom=0.1 / height, top=1 - 0.95 / height, hspace=0.4)
        grid = figure.subplots(down, ACROSS, squeeze=False).ravel()
        for axes in grid[len(shown) :]:
            axes.set_axis_off()
        for axes, place in zip(grid, shown):
            taken = f"read as {names[predicted[place]]}"
            _draw_image(axes, images[place], names[true[place]], taken, _sure(probability[place]))


def _summary(shown: int, wrong: int, examples: int) -> str:
    if not wrong:
        return f"no mistakes among {examples:,}"
    which = "all" if shown == wrong else f"the {shown} most confident of"
    return f"{which} {wrong:,} mistakes among {examples:,}"


def _sure(probability: float) -> str:
    return f"{100 * probability:.1f} % sure" if np.isfinite(probability) else "not a number"


def _draw_image(axes: Any, image: np.ndarray, name: str, taken: str, sure: str) -> None:
    axes.imshow(np.asarray(image, dtype=np.float64), cmap="gray", interpolation="nearest")
    axes.grid(False)
    axes.set_xticks([])
    axes.set_yticks([])
    is_short = len(name) + len(taken) < 20
    caption = f"{name}, {taken}\n{sure}" if is_short else f"{name}\n{taken}\n{sure}"
    axes.set_title(caption, fontsize=9 if is_short else 7, loc="center")


def mistakes_text(
    texts: Sequence[str],
    true: np.ndarray,
    predicted: np.ndarray,
    probability: np.ndarray,
    path: Optional[PathLike],
    *,
    title: str,
    class_names: Sequence[str] = (),
    is_sample: bool = False,
) -> str:
    """List the 25 most confident mistakes among texts, as Markdown that is also readable as it is.

    Arguments as for ``mistakes_picture``; a text that is long is cut.

    Returns:
      The list; also written to ``path`` unless that is None.
    """
    true, predicted = np.asarray(true), np.asarray(predicted)
    shown = most_confident_mistakes(true, predicted, probability)
    wrong = int(np.count_nonzero(true != predicted))
    lines = [f"# {escape_markdown(one_line(title))}" + (f" | {SAMPLE}" if is_sample else ""), ""]
    lines.append(_summary(len(shown), wrong, len(true)) + ".")
    for number, place in enumerate(shown, start=1):
        is_, taken = (_text_label(class_names, labels[place]) for labels in (true, predicted))
        text = escape_markdown(_cut(one_line(texts[place])))
        lines += ["", f"{number}. **{is_}, read as {taken}**, {_sure(probability[place])}: {text}"]
    text = "\n".join(lines) + "\n"
    if path is not None:
        with replacing(path, "w") as stream:
            stream.write(text)
    return text


def _text_label(class_names: Sequence[str], label: int) -> str:
    return escape_markdown(one_line(class_names[label] if label < len(class_names) else label))


def _cut(text: str) -> str:
    if len(text) <= TEXT_LIMIT:
        return text or "(an empty text)"
    kept = text[:TEXT_LIMIT].rsplit(" ", 1)[0]
    return f"{kept} [... {len(text) - len(kept):,} more characters]"
