"""What ``results.json`` says: measured beside published, the last checkpoint, and runs in groups."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from tf1_lstm.recipes.experiment import FROM_DATA, Experiment
from tf1_lstm.recipes.published import Figure
from tf1_lstm.report.documents import Document
from tf1_lstm.report.statistics import Interval, accuracy_interval, compare_one_run
from tf1_lstm.report.verdicts import NOT_JUDGED, Place, place_among

WHOLE = "whole split"
NOT_MEASURED = "not measured"
NOT_COMPARABLE = "not comparable"
PUBLISHED, IN_THE_FILE = "published", "in the file"


def final_step(evaluations: Sequence[Document]) -> int:
    """The last ``checkpoint_step`` among evaluations; 0 where none is known."""
    return max((entry.get("checkpoint_step") or 0 for entry in evaluations), default=0)


def evaluations_at(evaluations: Sequence[Document], step: Optional[int] = None) -> List[Document]:
    """The evaluations of one checkpoint, or of the last one, in their order."""
    wanted = final_step(evaluations) if step is None else step
    return [entry for entry in evaluations if (entry.get("checkpoint_step") or 0) == wanted]


def batches_name(test_batches: Mapping[str, Any]) -> str:
    """How sampled test batches are called in a table, e.g. ``"10 batches of 24"``."""
    return f"{len(test_batches['accuracies'])} batches of {test_batches['batch_size']}"


def build_published(
    recipe: Experiment,
    evaluations: Sequence[Document],
    test_batches: Optional[Document],
    sample: bool = False,
    studied: Sequence[Document] = (),
) -> List[Document]:
    """Make the ``published`` part of a results document: each published figure beside its measurements.

    A figure that came from sampled test batches is compared with this run's test batches (same
    size, so a weak test) and with the whole split (every example once); one from a whole split
    with the whole split only. Only measurements with the figure's own dropout count, and of the
    evaluations those of the figure's own checkpoint, or of the last one where it was not measured.

    Args:
      recipe: its ``figures`` are used.
      evaluations: as in the results document.
      test_batches: as there; may be None or empty.
      sample: the run used the embedded sample, or other settings, so there is nothing to compare.
      studied: rows of the project's own studies, as ``study table --json`` gives them.

    Returns:
      Entries with ``name, value, examples, interval, split, dropout, source, iteration, parts``
      (published) and ``measured, measured_interval, measured_examples, measured_on,
      checkpoint_step, difference, difference_interval, place, verdict, note`` (this run). ``verdict`` is
      "not judged" (one run never is), "not measured" or (sample) "not comparable". ``place`` is where
      the run stands among the seeds of a study: ``below, equal, above``, or None.
    """
    entries = []
    for figure in recipe.published.figures:
        measurements = _measurements(figure, evaluations, test_batches)
        for how, step, accuracy, examples in measurements:
            one = compare_one_run(figure, accuracy, examples, sampled=how != WHOLE)
            seeds = [] if sample or how != WHOLE else _seeds(figure, recipe.name, studied)
            entries.append(
                {
                    **_published(figure),
                    "measured": accuracy,
                    "measured_interval": list(one.measured_interval),
                    "measured_examples": examples,
                    "measured_on": how,
                    "checkpoint_step": step,
                    "difference": one.difference,
                    "difference_interval": list(one.difference_interval),
                    "place": place_among(accuracy, seeds)._asdict() if seeds else None,
                    "verdict": NOT_COMPARABLE if sample else NOT_JUDGED,
                    "note": "" if sample else one.note,
                }
            )
        if not measurements:
            nothing = {"measured": None, "measured_interval": None, "measured_examples": 0}
            rest = {"measured_on": WHOLE, "checkpoint_step": None, "verdict": NOT_MEASURED, "note": ""}
            entries.append({**_published(figure), **nothing, **rest})
    return entries


def _seeds(figure: Figure, recipe: str, studied: Sequence[Document]) -> List[float]:
    """What the seeds of the project's own study gave where the figure was measured."""
    wanted: Tuple[Any, ...] = (
        recipe,
        {},
        figure.split,
        "on" if figure.dropout else "off",
        figure.iteration,
        "accuracy",
    )
    names = ("recipe", "settings", "split", "dropout", "checkpoint", "what")
    for row in studied:
        if tuple(row.get(name) for name in names) == wanted:
            return list(row["values"].values())
    return []


def _published(figure: Figure) -> Document:
    return {
        "name": figure.name,
        "value": figure.value,
        "examples": figure.examples,
        "interval": list(accuracy_interval(figure.value, figure.examples)),
        "split": figure.split,
        "dropout": "on" if figure.dropout else "off",
        "source": figure.source,
        "iteration": figure.iteration,
        "parts": list(figure.parts),
        "own_run_of_published_code": figure.own_run,
    }


def _measurements(
    figure: Figure, evaluations: Sequence[Document], test_batches: Optional[Document]
) -> List[Tuple[str, Optional[int], float, int]]:
    """How, at which step, the accuracy and over how many examples."""
    dropout = "on" if figure.dropout else "off"
    found: List[Tuple[str, Optional[int], float, int]] = []
    if test_batches and figure.sampler == "test-batches" and test_batches["dropout"] == dropout:
        draws = test_batches["batch_size"] * len(test_batches["accuracies"])
        step = test_batches.get("checkpoint_step")
        found.append((batches_name(test_batches), step, test_batches["mean"], draws))
    fitting = [one for one in evaluations if (one["split"], one["dropout"]) == (figure.split, dropout)]
    own = evaluations_at(fitting, figure.iteration) or evaluations_at(fitting, final_step(evaluations))
    return found + [(WHOLE, one.get("checkpoint_step"), one["accuracy"], one["examples"]) for one in own]


@dataclass(frozen=True)
class Comparison:
    """One row of a results table: what was published, if anything, beside what was measured.

    Attributes:
      split, dropout: what it was measured on; dropout is ``"on"`` or ``"off"``.
      how: ``"whole split"``, or e.g. ``"10 batches of 24"``.
      step: the checkpoint, where it is not the last one.
      name, source: the published figure's, or "".
      published, published_examples, published_interval: None or 0 where nothing was published.
      measured, measured_examples, measured_interval: None or 0 where nothing was measured; of an output at
        each step the steps, without an interval.
      std: standard deviation over dropout draws, where there were several.
      verdict: a word, or "" without a published figure.
      own_run: nothing was published; it is of an own run of the published code.
      place: where the run stands among the seeds of a study, in words, or "".
    """

    split: str
    dropout: str
    how: str
    step: Optional[int] = None
    name: str = ""
    source: str = ""
    published: Optional[float] = None
    published_examples: int = 0
    published_interval: Optional[Interval] = None
    measured: Optional[float] = None
    measured_examples: int = 0
    measured_interval: Optional[Interval] = None
    std: Optional[float] = None
    verdict: str = ""
    own_run: bool = False
    place: str = ""

    @property
    def where(self) -> str:
        """What it was counted over, in words: how, and the checkpoint if it is not the last."""
        return self.how if self.step is None else f"{self.how}, step {self.step:,}"


def comparisons(results: Document) -> List[Comparison]:
    """Every published figure of a results document, then every final evaluation without one."""
    evaluations = results["evaluations"]
    last = final_step(evaluations)
    rows = []
    for entry in results["published"]:
        row = _compared(entry, last, bool(results["sample"]))
        for one in evaluations_at(evaluations, row.step):
            if row.how == WHOLE and (one["split"], one["dropout"]) == (row.split, row.dropout):
                row = replace(row, std=one.get("std"))
        rows.append(row)
    whole = [row for row in rows if row.how == WHOLE and row.step is None and row.measured is not None]
    shown = {(row.split, row.dropout) for row in whole}
    final = evaluations_at(evaluations)
    return rows + [_unpublished(one) for one in final if (one["split"], one["dropout"]) not in shown]


def _compared(entry: Document, last: int, sample: bool) -> Comparison:
    measured, examples = entry.get("measured"), entry.get("measured_examples") or 0
    step = entry.get("checkpoint_step")
    return Comparison(
        split=entry["split"],
        dropout=entry["dropout"],
        how=entry.get("measured_on") or WHOLE,
        step=None if step == last else step,
        name=entry["name"],
        source=entry.get("source", ""),
        published=entry["value"],
        published_examples=entry["examples"],
        published_interval=accuracy_interval(entry["value"], entry["examples"]),
        measured=measured,
        measured_examples=examples,
        measured_interval=None if measured is None else accuracy_interval(measured, examples),
        verdict=_word(entry, sample),
        own_run=bool(entry.get("own_run_of_published_code", "own loop" in entry.get("source", ""))),
        place=Place(**entry["place"]).text if entry.get("place") else "",
    )


def _word(entry: Document, sample: bool) -> str:
    """A verdict's word; documents of before called a single run inside or outside."""
    if sample:
        return NOT_COMPARABLE
    word = str(entry.get("verdict", ""))
    return NOT_JUDGED if word in ("inside", "outside") else word


def _unpublished(entry: Document) -> Comparison:
    steps = entry.get("steps")  # of an output at each: those of one example are not independent
    interval = None if steps else accuracy_interval(entry["accuracy"], entry["examples"])
    return Comparison(
        split=entry["split"],
        dropout=entry["dropout"],
        how=WHOLE,
        measured=entry["accuracy"],
        measured_examples=steps or entry["examples"],
        measured_interval=interval,
        std=entry.get("std"),
    )


def chosen(deviations: Mapping[str, Sequence[Any]]) -> Dict[str, Sequence[Any]]:
    """The deviations without sizes that an experiment leaves to the data."""
    return {name: pair for name, pair in deviations.items() if name not in FROM_DATA or pair[0] != 0}


def origin(document: Mapping[str, Any]) -> str:
    """Where the settings come from that a run's ``deviations`` differ from: what is ``published``, or ``in the file``."""
    return IN_THE_FILE if document.get("own_file") else PUBLISHED


def deviations_text(
    deviations: Mapping[str, Sequence[Any]], short: bool = False, origin: str = PUBLISHED
) -> str:
    """Settings that are not the published ones, e.g. ``"iterations 4,297 (published 782)"``.

    Args:
      deviations: setting -> (published, used).
      short: leave out the published values.
      origin: what the others are: ``PUBLISHED``, or of an experiment of one's own ``IN_THE_FILE``.
    """
    parts = []
    for name, (published, used) in sorted(chosen(deviations).items()):
        parts.append(f"{name} {_value(used)}" + ("" if short else f" ({origin} {_value(published)})"))
    return ", ".join(parts)


def _value(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return value if isinstance(value, str) else json.dumps(value)


def grouped(documents: Mapping[Path, Document]) -> List[List[Document]]:
    """Runs that differ in nothing but their seed, together; groups in the order of a table.

    Real data comes before the sample, recipes by name, the published settings before variants;
    within a group by seed.
    """
    groups: Dict[Tuple[Any, ...], List[Document]] = {}
    for document in documents.values():
        deviations = json.dumps(document["deviations"], sort_keys=True)
        order = (document["sample"], document["recipe"], len(document["deviations"]), deviations)
        groups.setdefault((*order, document["iterations"]), []).append(document)
    return [sorted(groups[key], key=lambda document: document["seed"]) for key in sorted(groups)]
