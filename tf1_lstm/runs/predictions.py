"""Predictions as a file: comma-separated values for a spreadsheet, or NumPy arrays."""

import csv
import json
from pathlib import Path
from typing import Any, Dict, List, Sequence

import numpy as np

from tf1_lstm.data.base import Example
from tf1_lstm.errors import InputError
from tf1_lstm.files import replacing

SUFFIXES = (".csv", ".npz")


def check_suffix(path: Path) -> None:
    """Refuse a name that says nothing of the format, before anything is computed.

    Raises:
      InputError: neither ``.csv`` nor ``.npz``.
    """
    if path.suffix not in SUFFIXES:
        raise InputError(f"--out: found {path}, expected a name that ends in {' or '.join(SUFFIXES)}")


def write_predictions(
    path: Path, items: Sequence[Any], examples: Sequence[Example], documents: Sequence[Dict[str, Any]]
) -> None:
    """Write one row for each thing that was given, in order, also for what got no answer.

    ``.csv``: ``name``, ``text`` (or the picture's path), every single value of the documents (``label``,
    ``probability``, …), ``probability CLASS`` for each class, ``refused``, and ``ids`` (word ids,
    separated by spaces). ``.npz``: ``names``, ``texts``, ``labels``, ``refused`` (text),
    ``probabilities`` ``[items, classes]`` float32 with ``classes``, and ``ids`` ``[items, steps]`` int32 or
    ``inputs`` float32; NaN or 0 where there was no answer.

    Args:
      path: the file; its name ends in ``.csv`` or ``.npz``.
      items: what was given: texts, bytes or paths.
      examples: of ``Dataset.encode``.
      documents: of ``predict``.

    Raises:
      InputError: the file cannot be written.
    """
    check_suffix(path)
    texts = [_text(item) for item in items]
    if path.suffix == ".csv":
        _write_csv(path, texts, examples, documents)
    else:
        _write_npz(path, texts, examples, documents)


def _text(item: Any) -> str:
    return item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item)


def _classes(documents: Sequence[Dict[str, Any]]) -> List[str]:
    return list(dict.fromkeys(name for one in documents for name in one.get("probabilities", {})))


def _write_csv(
    path: Path, texts: Sequence[str], examples: Sequence[Example], documents: Sequence[Dict[str, Any]]
) -> None:
    classes = _classes(documents)
    single = [
        name
        for name in dict.fromkeys(name for one in documents for name in one)
        if name not in ("name", "probabilities", "notes", "refused")
    ]
    with replacing(path, "w") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(
            ["name", "text", *single, *(f"probability {name}" for name in classes), "refused", "ids"]
        )
        for text, example, one in zip(texts, examples, documents):
            probabilities = one.get("probabilities", {})
            writer.writerow(
                [
                    one["name"],
                    text,
                    *(_cell(one.get(name, "")) for name in single),
                    *(probabilities.get(name, "") for name in classes),
                    one.get("refused", ""),
                    _ids(example),
                ]
            )


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else value


def _ids(example: Example) -> str:
    inputs = example.inputs
    if inputs is None or inputs.ndim != 1 or inputs.dtype.kind not in "iu":
        return ""
    return " ".join(map(str, inputs.tolist()))


def _write_npz(
    path: Path, texts: Sequence[str], examples: Sequence[Example], documents: Sequence[Dict[str, Any]]
) -> None:
    classes = _classes(documents)
    arrays = {
        "names": np.array([one["name"] for one in documents], dtype=str),
        "texts": np.array(texts, dtype=str),
        "labels": np.array([str(one.get("label", "")) for one in documents], dtype=str),
        "refused": np.array([one.get("refused", "") for one in documents], dtype=str),
        "classes": np.array(classes, dtype=str),
        "probabilities": np.array(
            [[one.get("probabilities", {}).get(name, np.nan) for name in classes] for one in documents],
            np.float32,
        ).reshape(len(documents), len(classes)),
    }
    given = [example.inputs for example in examples if example.inputs is not None]
    if given:
        whole = given[0].dtype.kind in "iu"
        longest = max(len(inputs) for inputs in given)
        rows = np.zeros((len(examples), longest, *given[0].shape[1:]), np.int32 if whole else np.float32)
        for number, example in enumerate(examples):
            if example.inputs is not None:
                rows[number, : len(example.inputs)] = example.inputs
        arrays["ids" if whole else "inputs"] = rows
    with replacing(path) as stream:
        np.savez(stream, **arrays)
