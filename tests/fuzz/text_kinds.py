"""Graphs, tables and texts of one's own, and study plans, for the fuzzer."""

import json
from pathlib import Path
from typing import Any, List, Tuple

from tests.fuzz.kind import PROJECT, Files, Kind
from tf1_lstm.data.own.opening import open_own
from tf1_lstm.original.listing import lines, listing
from tf1_lstm.original.source import open_graph
from tf1_lstm.recipes.own_data import CsvTexts, CsvWindows, FolderTexts, OwnData, PlainText, VectorWords
from tf1_lstm.runs.study import read_study, state_of

_TEXTS = [
    (f'word{number % 7} "quoted", Größe and w{number}', ("bad", "good")[number % 2]) for number in range(24)
]
_GRAPH = "mnist-bilstm-3"


def _graph() -> Files:
    folder = PROJECT / "tests" / "fixtures" / "format1" / "mnist-bilstm" / "checkpoints"
    return {path.name: path.read_bytes() for path in sorted(folder.glob(_GRAPH + ".*"))}


def _read_graph(folder: Path) -> Any:
    found = lines(listing(open_graph(folder / _GRAPH)))
    if not all(line.isprintable() for line in found):
        raise AssertionError("text that is not fit for a terminal")


def _csv() -> Files:
    quoted = ('"' + text.replace('"', '""') + f'",{label}' for text, label in _TEXTS)
    return {"a.csv": "\r\n".join(["text,label", *quoted]).encode() + b"\r\n"}


def _tsv() -> Files:
    return {"a.tsv": "\n".join(["text\tlabel", *("\t".join(row) for row in _TEXTS)]).encode() + b"\n"}


def _json_lines() -> Files:
    rows = (json.dumps({"text": text, "label": label, "more": [1, None]}) for text, label in _TEXTS)
    return {"a.jsonl": "\n".join(rows).encode() + b"\n"}


def _folders() -> Files:
    texts = {f"texts/{label}/{number}.txt": text for number, (text, label) in enumerate(_TEXTS)}
    vectors = "\n".join(f"word{number} 0.5 -1 {number}" for number in range(7))
    return {**{name: text.encode() for name, text in texts.items()}, "vectors.txt": vectors.encode() + b"\n"}


def _series() -> Files:
    rows = (f"day {day},{day * 1.5},{-day}" for day in range(1, 61))
    return {"a.csv": "\n".join(["day,x,y", *rows]).encode() + b"\n"}


def _plain() -> Files:
    return {"a.txt": "\n".join(f"Line {number}: Größe, {number % 5}" for number in range(40)).encode()}


def _reading(part: OwnData) -> Any:
    """Reads everything of such data: hashes, every split, what the audit says, and a batch."""

    def read(folder: Path) -> Any:
        dataset = open_own(part.moved(folder))
        found: List[Any] = [dataset.hashes(), dataset.class_names]
        found.append([len(dataset.rows_of(name)) for name in dataset.split_names()])
        batch = dataset.train_sampler("shuffled", 2, 1).batch(0)
        return [*found, dataset.audit("shuffled", 2), batch.inputs.tolist(), batch.labels.tolist()]

    return read


def _study() -> Files:
    cells: Any = [
        {"recipe": "mnist-rnn", "seeds": [1, 2], "set": {"iterations": 50, "units": 3}},
        {"recipe": "imdb-lstm", "seeds": [1], "engine": "exact"},
    ]
    return {"study.json": json.dumps({"name": "small", "cells": cells}).encode()}


def _read_study(folder: Path) -> Any:
    study = read_study(folder / "study.json")
    jobs = study.jobs(folder / "root")
    if any(folder / "root" not in job.folder.parents or ".." in job.folder.parts for job in jobs):
        raise AssertionError("a job outside of the root")
    return [(job.number, job.cell.recipe, state_of(job).word) for job in jobs]


KINDS: Tuple[Kind, ...] = (
    Kind("graph", _graph, _read_graph, False),
    Kind("own CSV", _csv, _reading(CsvTexts("a.csv", "text", "label", steps=5)), False),
    Kind("own TSV", _tsv, _reading(CsvTexts("a.tsv", "text", "label", steps=5)), False),
    Kind("own JSON lines", _json_lines, _reading(CsvTexts("a.jsonl", "text", "label", steps=5)), False),
    Kind(
        "own folders",
        _folders,
        _reading(FolderTexts("texts", steps=5, vocabulary=VectorWords("vectors.txt"))),
        False,
    ),
    Kind("own series", _series, _reading(CsvWindows("a.csv", ("x", "y"), ("y",), steps=3)), False),
    Kind("own plain text", _plain, _reading(PlainText("a.txt", steps=4)), False),
    Kind("study plan", _study, _read_study, False),
)
