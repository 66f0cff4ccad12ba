"""A study as rows: each figure of each cell over its seeds, beside what was published, with a verdict."""

import math
import re
from dataclasses import dataclass, field, replace
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from tf1_lstm.errors import InputError
from tf1_lstm.recipes import find_recipe
from tf1_lstm.recipes.published import Figure
from tf1_lstm.report.documents import Document, setting_of
from tf1_lstm.report.logs import LogEntry, is_of_epochs, series
from tf1_lstm.report.results import evaluations_at, final_step
from tf1_lstm.report.statistics import mean_and_std
from tf1_lstm.report.verdicts import (
    FOUR_DECIMALS,
    PublishedFigure,
    SeedsVerdict,
    judge,
    mean_interval,
    paired_difference,
    predict_one_more,
)

ACCURACY, LATE, EARLY = "accuracy", "accuracy, mean over the later half of epochs", "training loss of epoch 1"
ERROR = "mean absolute error"
LOSS_MARGIN = 0.05
# Settings that say what is written and when: with others it is still the published training.
_WRITTEN = ("log_every", "save_every", "log_batch", "log_first")
HARMLESS = frozenset((*_WRITTEN, *(f"schedule.{name}" for name in _WRITTEN)))
PORT = "port"


class Reference(NamedTuple):
    """What was published of a recipe.

    Attributes:
      source: the document.
      figures: its figures.
      log: its training log, or none.
    """

    source: str = ""
    figures: Sequence[Figure] = ()
    log: Sequence[LogEntry] = ()


def reference_of(recipe: str) -> Reference:
    """What was published of a recipe; nothing of one that is not built in."""
    try:
        found = find_recipe(recipe)
    except InputError:
        return Reference()
    return Reference(found.source, found.published.figures, found.published.log)


class CellResults(NamedTuple):
    """The results of one cell.

    Attributes:
      recipe: as the study names it.
      settings: what the study changes.
      engine: as the results say; ``"port"`` for a port.
      documents: results documents, by seed.
      reference: what was published.
    """

    recipe: str
    settings: Mapping[str, Any]
    engine: str
    documents: Sequence[Document]
    reference: Reference


@dataclass
class Row:
    """One figure of one cell.

    Attributes:
      cell: place among the cells.
      what: ``ACCURACY``, ``LATE`` or ``EARLY``; of a regression ``ERROR`` in place of the first.
      split, dropout: what it was measured on.
      examples: how many.
      checkpoint: the iteration, where it is not the last.
      values: seed -> figure.
      figure: what was published beside it, or None.
      published: the same as it is judged; None too where the settings are not the published ones.
      verdict: filled by ``study_rows``.
      paired: TensorFlow 1 against the port, by seed; filled likewise.
    """

    cell: int
    what: str
    split: str
    dropout: str
    examples: int
    checkpoint: Optional[int]
    values: Dict[int, float]
    figure: Optional[Figure] = None
    published: Optional[PublishedFigure] = None
    verdict: Optional[SeedsVerdict] = None
    paired: Dict[str, Any] = field(default_factory=dict)

    @property
    def is_share(self) -> bool:
        """Whether it is between 0 and 1; else a loss in nats, or an error in the units of the targets."""
        return self.what in (ACCURACY, LATE)

    @property
    def is_own_run(self) -> bool:
        """Whether the figure beside it is no published one, but of an own run of the published code."""
        return self.figure is not None and self.figure.own_run

    @property
    def name(self) -> str:
        """What it is, in words."""
        if self.what == EARLY:
            return self.what
        parts = [self.split, {LATE: "later half of epochs", ERROR: ERROR}.get(self.what, "")]
        parts += ["dropout on" if self.dropout == "on" else ""]
        parts += [f"iteration {self.checkpoint:,}" if self.checkpoint else ""]
        return ", ".join(part for part in parts if part)


def study_rows(cells: Sequence[CellResults]) -> List[Row]:
    """The rows of every cell, judged: figures of one document together.

    Raises:
      InputError: two seeds of a cell ended with the same weights.
    """
    rows = [row for place, cell in enumerate(cells) for row in _rows(place, cell)]
    documents: Dict[str, List[Row]] = {}
    for row in rows:
        source = cells[row.cell].reference.source
        documents.setdefault(document_of(source), []).append(row)
    for of_document in documents.values():
        judged = [row for row in of_document if row.published is not None]
        found = judge([(list(row.values.values()), _figure(row)) for row in judged])
        for row, verdict in zip(judged, found):
            row.verdict = verdict
    _pair(cells, rows)
    return rows


def _figure(row: Row) -> PublishedFigure:
    assert row.published is not None
    return row.published


def document_of(source: str) -> str:
    """The document that a source names, without its section."""
    return re.sub(r",? section .*$", "", source)


def check_weights(cell: CellResults) -> None:
    """Refuse two seeds that ended with equal weights: one of them was not trained with its seed.

    Raises:
      InputError: naming both.
    """
    seen: Dict[str, int] = {}
    for document in cell.documents:
        digest = document.get("weights_sha256")
        if digest is None:
            continue
        if digest in seen:
            raise InputError(
                f"{cell.recipe}: seeds {seen[digest]} and {document['seed']} ended with the same weights "
                f"({digest[:16]}…); expected others for each seed"
            )
        seen[digest] = document["seed"]


def _rows(place: int, cell: CellResults) -> Iterator[Row]:
    check_weights(cell)
    comparable = not any(
        document["sample"] or set(document["deviations"]) - HARMLESS for document in cell.documents
    )
    figures = cell.reference.figures if comparable else ()
    log = cell.reference.log if comparable else ()
    steps = {figure.iteration for figure in cell.reference.figures if figure.iteration is not None}
    for what, split, dropout, examples, checkpoint, values in _evaluated(cell, steps):
        figure = _published(figures, split, dropout, checkpoint) if what == ACCURACY else None
        row = Row(place, what, split, dropout, examples, checkpoint, values, figure)
        if figure is not None:
            sampled = figure.examples if figure.sampler == "test-batches" else 0
            row.published = PublishedFigure(figure.value, 0.0 if figure.parts else FOUR_DECIMALS, sampled)
        yield row
    yield from _epoch_rows(place, cell, log)


def _evaluated(cell: CellResults, steps: Any) -> Iterator[Tuple[str, str, str, int, Optional[int], Any]]:
    """Each figure, split, dropout, number of examples and checkpoint (None for the last) with values by seed."""
    found: Dict[Tuple[str, str, str, Optional[int]], Dict[int, float]] = {}
    sizes: Dict[str, int] = {}
    for document in cell.documents:
        evaluations = document["evaluations"]
        last = final_step(evaluations)
        # The last checkpoint goes by None, unless a figure names it.
        for step in [*([] if last in steps else [None]), *sorted(steps)]:
            for one in evaluations_at(evaluations, last if step is None else step):
                what, name = (ACCURACY, "accuracy") if "accuracy" in one else (ERROR, "mean_absolute_error")
                key = what, one["split"], one.get("dropout", "off"), step
                found.setdefault(key, {})[document["seed"]] = one[name]
                sizes[one["split"]] = one["examples"]
    for (what, split, dropout, step), values in found.items():
        yield what, split, dropout, sizes[split], step, values


def _published(
    figures: Sequence[Figure], split: str, dropout: str, checkpoint: Optional[int]
) -> Optional[Figure]:
    for figure in figures:
        dropout_of = "on" if figure.dropout else "off"
        if (figure.split, dropout_of, figure.iteration) == (split, dropout, checkpoint):
            return figure
    return None


def _epoch_rows(place: int, cell: CellResults, log: Sequence[LogEntry]) -> Iterator[Row]:
    """The mean over the later half of epochs, and the training loss of the first."""
    documents = [document for document in cell.documents if is_of_epochs(document["log"])]
    if not documents:
        return
    split = setting_of(documents[0], "validation") or ""
    sizes = [e["examples"] for d in documents for e in d["evaluations"] if e["split"] == split]
    for what, value_of in ((LATE, late_accuracy), (EARLY, first_loss)):
        values = {document["seed"]: value_of(document["log"]) for document in documents}
        finite = {seed: value for seed, value in values.items() if value is not None and math.isfinite(value)}
        if not finite:
            continue
        on = (split, "off", max(sizes, default=0)) if what == LATE else ("train", "on", 0)
        row = Row(place, what, *on, checkpoint=None, values=finite)
        theirs = value_of(log) if is_of_epochs(log) and _epochs(log) == _epochs(documents[0]["log"]) else None
        if theirs is not None:
            row.published = PublishedFigure(theirs, FOUR_DECIMALS)
            if what == EARLY:
                row.published = replace(row.published, margin=LOSS_MARGIN, is_loss=True)
        yield row


def _epochs(log: Sequence[LogEntry]) -> int:
    return len(series(log, "loss", "epoch").places)


def late_accuracy(log: Sequence[LogEntry]) -> Optional[float]:
    """The mean validation accuracy over the later half of the epochs of a log."""
    found = series(log, "val_accuracy", "epoch")
    if not len(found.values):
        return None
    return float(found.values[found.places > found.places.max() // 2].mean())


def first_loss(log: Sequence[LogEntry]) -> Optional[float]:
    """The mean training loss of the first epoch of a log."""
    found = series(log, "loss", "epoch")
    return float(found.values[0]) if len(found.values) and found.places[0] == 1 else None


def _pair(cells: Sequence[CellResults], rows: Sequence[Row]) -> None:
    """Compare each port with TensorFlow 1 of the same recipe and settings, by seed."""
    for row in rows:
        port = cells[row.cell]
        if port.engine != PORT:
            continue
        for other in rows:
            own = cells[other.cell]
            same = (own.recipe, dict(own.settings)) == (port.recipe, dict(port.settings))
            if own.engine == PORT or not same or (other.what, other.split) != (row.what, row.split):
                continue
            seeds = sorted(set(row.values) & set(other.values))
            if (other.dropout, other.checkpoint) != (row.dropout, row.checkpoint) or not seeds:
                continue
            found = paired_difference(
                [other.values[seed] for seed in seeds], [row.values[seed] for seed in seeds]
            )
            row.paired = {
                "with": own.engine,
                "seeds": seeds,
                "mean": found.mean,
                "interval": None if found.interval is None else list(found.interval),
                "p": found.p_value,
            }


def row_document(row: Row, cell: CellResults) -> Dict[str, Any]:
    """A row as JSON: shares between 0 and 1, losses in nats, errors in the units of the targets."""
    values = list(row.values.values())
    mean, std = mean_and_std(values)
    rounding = row.published.rounding if row.published else 0.0
    sampled = row.published.sampled if row.published else 0
    prediction = predict_one_more(values, rounding, sampled) if len(values) > 1 else None
    verdict = row.verdict
    beside = None if row.published is None else row.published.value
    return {
        "recipe": cell.recipe,
        "settings": dict(cell.settings),
        "engine": cell.engine,
        "what": row.what,
        "split": row.split,
        "dropout": row.dropout,
        "examples": row.examples,
        "checkpoint": row.checkpoint,
        "n": len(values),
        "mean": mean,
        "std": std,
        "mean_interval": list(mean_interval(values)) if len(values) > 1 else None,
        "interval": list(prediction.interval) if prediction else None,
        "published": None if row.is_own_run else beside,
        "own_run_of_published_code": beside if row.is_own_run else None,
        "difference": None if verdict is None else verdict.difference,
        "p": None if verdict is None else verdict.p_value,
        "p_holm": None if verdict is None else verdict.adjusted,
        "verdict": "not judged" if verdict is None else verdict.text,
        "source": None if row.figure is None else row.figure.source,
        "paired": row.paired or None,
        "values": {str(seed): value for seed, value in row.values.items()},
    }
