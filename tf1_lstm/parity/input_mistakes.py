"""Mistakes made on the way from a review or a picture to what the first layer reads."""

import dataclasses
import itertools
from typing import Callable, Iterator, Mapping, NamedTuple, Optional

import numpy as np

from tf1_lstm.parity.problem import Problem

Change = Callable[[Problem], Optional[Problem]]
Edit = Callable[[np.ndarray], np.ndarray]


class Entry(NamedTuple):
    """As in ``mistakes.Mistake``."""

    name: str
    variant: str
    says: str
    mends: Mapping[str, str]
    change: Change
    common: bool = True


def _edited(name: str, variant: str, says: str, mend: str, edit: Edit) -> Entry:
    return Entry(name, variant, says, {"any": mend}, lambda p: dataclasses.replace(p, inputs=edit(p.inputs)))


def entries(problem: Problem) -> Iterator[Entry]:
    """Yield every mistake of preparing inputs of this kind."""
    yield _edited(
        "sequence-reversed",
        "",
        "the steps are read from the end to the beginning",
        "inputs = inputs[:, ::-1]  # and no go_backwards=True",
        lambda x: x[:, ::-1],
    )
    if problem.vectors is None:
        yield _edited(
            "not-divided-by-255",
            "",
            "the pictures go in as 0 to 255; the model was trained on 0 to 1",
            "images = images.astype('float32') / 255",
            lambda x: x * 255,
        )
        yield _edited(
            "divided-by-255-twice",
            "",
            "the pictures are divided by 255 twice",
            "images = images.astype('float32') / 255  # once",
            lambda x: x / 255,
        )
        if problem.inputs.shape[1] == problem.inputs.shape[2]:
            yield _edited(
                "columns-for-rows",
                "",
                "a step reads a column of the picture; the model was trained on rows",
                "images = images.transpose(0, 2, 1)",
                lambda x: x.swapaxes(1, 2),
            )
        return
    yield from _id_mistakes(problem.vectors.words - 1, problem.vectors.unknown)


def _id_mistakes(last: int, unknown: int) -> Iterator[Entry]:
    yield _edited(
        "padding-in-front",
        "",
        "the padding stands in front of the words; the model was trained with it behind them",
        "ids = keras.utils.pad_sequences(ids, maxlen=steps, padding='post', truncating='post')",
        _pad_in_front,
    )
    for skip, variant in (("zeros", "every id 0 is skipped"), ("trailing", "the padding's end is skipped")):
        yield Entry(
            "padding-masked",
            variant,
            "steps of padding are skipped; the original has no sequence_length and runs through them",
            {
                "any": "run all steps, padding too",
                "keras": "keras.layers.Embedding(words, dimensions, mask_zero=False)",
                "torch": "outputs, state = lstm(embedded)  # no pack_padded_sequence",
            },
            lambda p, skip=skip: dataclasses.replace(p, skip=skip),  # type: ignore[misc]
        )
    for step, all_ids in itertools.product((1, -1), (False, True)):
        yield _edited(
            "ids-shifted",
            f"{step:+d}, {'padding too' if all_ids else 'words only'}",
            f"word ids are {'one too high' if step > 0 else 'one too low'} for the table of vectors",
            f"ids = ids {'-' if step > 0 else '+'} 1  # for words; 0 stays the padding",
            lambda x, step=step, all_ids=all_ids: np.where(  # type: ignore[misc]
                (x != 0) | all_ids, np.clip(x + step, 0, last), x
            ),
        )
    yield _edited(
        "unknown-as-padding",
        "",
        f"unknown words become 0, the padding; the original gives them the id {unknown}",
        f"ids = [index.get(word, {unknown}) for word in words]",
        lambda x: np.where(x == unknown, 0, x),
    )


def _pad_in_front(ids: np.ndarray) -> np.ndarray:
    moved = ids.copy()
    for row, words in enumerate(ids):
        used = np.flatnonzero(words)
        moved[row] = np.roll(words, len(words) - 1 - used[-1]) if len(used) else words
    return moved
