"""Mistakes made on the way from a review or a picture to what the first layer reads."""

import dataclasses
import itertools
from typing import Callable, Iterator, Tuple

import numpy as np

from tf1_lstm.parity.bundle import Words
from tf1_lstm.parity.mistake import Mistake
from tf1_lstm.parity.problem import Problem
from tf1_lstm.parity.spec import Spec

Edit = Callable[[np.ndarray], np.ndarray]


def _edited(name: str, variant: str, says: str, fix: str, edit: Edit) -> Mistake:
    return Mistake(name, variant, says, {"any": fix}, lambda p: dataclasses.replace(p, inputs=edit(p.inputs)))


def entries(problem: Problem) -> Iterator[Mistake]:
    """Yield every mistake of preparing inputs of this kind."""
    yield _edited(
        "sequence-reversed",
        "",
        "the steps are read from the end to the beginning",
        "inputs = inputs[:, ::-1]  # and no go_backwards=True",
        lambda x: x[:, ::-1],
    )
    yield Mistake(
        "reshaped-for-transposed",
        "",
        "batch and steps are exchanged by a reshape, which mixes the examples",
        {
            "any": "inputs = inputs.swapaxes(0, 1)  # not reshape",
            "torch": "inputs.transpose(0, 1)  # not view",
        },
        lambda p: dataclasses.replace(p, inputs=_time_major(p.inputs)) if len(p.inputs) > 1 else None,
        common=False,
        mixes_examples=True,
    )
    if problem.words is None:
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
        for mean, deviation in ((0.5, 0.5), (0.1307, 0.3081)):
            yield _edited(
                "pictures-normalised",
                f"mean {mean:g}, deviation {deviation:g}",
                f"{mean:g} is subtracted from the pictures and they are divided by {deviation:g}; "
                "the model was trained on 0 to 1",
                "images = images.astype('float32') / 255  # no Normalize",
                lambda x, mean=mean, deviation=deviation: (x - mean) / deviation,  # type: ignore[misc]
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
    yield from _padding_mistakes(problem.spec)
    yield from _id_mistakes(problem.words)


def _time_major(inputs: np.ndarray) -> np.ndarray:
    """Take ``[batch, steps, …]`` for ``[steps, batch, …]``."""
    batch, steps = inputs.shape[:2]
    return inputs.reshape(steps, batch, *inputs.shape[2:]).swapaxes(0, 1)


def _padding_mistakes(spec: Spec) -> Iterator[Mistake]:
    padding = spec.padding
    line = "ids = keras.utils.pad_sequences(ids, maxlen=steps, padding={0!r}, truncating={0!r})"
    if padding == "back":
        yield _edited(
            "padding-in-front",
            "",
            "the padding stands in front of the words; the model was trained with it behind them",
            line.format("post"),
            _pad_in_front,
        )
    else:
        yield _edited(
            "padding-behind",
            "",
            "the padding stands behind the words; the model was trained with it in front of them",
            line.format("pre"),
            _pad_behind,
        )
    if spec.mask != "none":
        yield Mistake(
            "padding-not-masked",
            "",
            f"steps of padding are run; the original leaves them out (mask={spec.mask!r})",
            {
                "any": "leave the state as it is at steps of padding",
                "keras": "keras.layers.LSTM(units)(x, mask=mask)",
                "torch": "nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)",
            },
            lambda p: dataclasses.replace(p, skip="nothing"),
        )
        return
    skips = [("zeros", "every id 0 is skipped")]
    if padding == "back":
        skips.append(("trailing", "the padding's end is skipped"))
    else:
        skips.append(("counted", "as many steps are run as there are words, from the first"))
    for skip, variant in skips:
        yield Mistake(
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


def id_shifts(words: Words) -> Tuple[int, ...]:
    """Return by how much a port's ids may be off: one, or the ids that Keras keeps for other things."""
    return (1, -1) if words.unknown == words.count - 1 else (1, -1, 3, -3)


def _id_mistakes(words: Words) -> Iterator[Mistake]:
    last, unknown = words.count - 1, words.unknown
    for step, all_ids in itertools.product(id_shifts(words), (False, True)):
        size = {1: "one", 3: "three"}[abs(step)]
        yield _edited(
            "ids-shifted",
            f"{step:+d}, {'padding too' if all_ids else 'words only'}",
            f"word ids are {size} too {'high' if step > 0 else 'low'} for the table of vectors",
            f"ids = ids {'-' if step > 0 else '+'} {abs(step)}  # for words; 0 stays the padding",
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
    return _pad_behind(ids[:, ::-1])[:, ::-1]


def _pad_behind(ids: np.ndarray) -> np.ndarray:
    moved = ids.copy()
    for row, words in enumerate(ids):
        used = np.flatnonzero(words)
        moved[row] = np.roll(words, -used[0]) if len(used) else words
    return moved
