"""Experiments that were published in other frameworks: published, TensorFlow 1 and port side by side."""

import json
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from tf1_lstm.recipes.experiment import Experiment
from tf1_lstm.report.documents import Document, setting_of
from tf1_lstm.report.logs import epochs_summary
from tf1_lstm.report.statistics import accuracy_interval, mean_and_std
from tf1_lstm.report.tables import NOTHING, count, percent, percent_interval


class TrainedExperiment(NamedTuple):
    """One recipe with one set of settings: everything that was measured of it, on real data.

    Attributes:
      recipe: as published.
      deviations: settings that are not, as in a results document.
      runs: results documents of TensorFlow 1, by seed; may be empty.
      ports: results documents of the port, by seed; may be empty.
    """

    recipe: Experiment
    deviations: Mapping[str, Sequence[Any]]
    runs: List[Document]
    ports: List[Document]


class ExperimentRow(NamedTuple):
    """One accuracy of an experiment, a cell for each of the three that were trained."""

    what: str
    published: str
    tensorflow1: str
    port: str


def experiments(
    recipes: Mapping[str, Experiment], runs: Sequence[Document], ports: Sequence[Document]
) -> List[TrainedExperiment]:
    """Group documents of epochs by recipe and settings; the sample is left out.

    Args:
      recipes: by name, in the order wanted; documents of others are left out.
      runs: results documents.
      ports: results documents of ports.
    """
    groups: Dict[Tuple[str, str], Tuple[List[Document], List[Document]]] = {}
    for place, documents in enumerate((runs, ports)):
        for document in sorted(documents, key=lambda document: document["seed"]):
            if not document["sample"] and (place or "epochs" in document):
                key = document["recipe"], json.dumps(document["deviations"], sort_keys=True)
                groups.setdefault(key, ([], []))[place].append(document)
    return [
        TrainedExperiment(recipe, json.loads(deviations), *groups[found, deviations])
        for name, recipe in recipes.items()
        for found, deviations in sorted(groups)
        if found == name
    ]


def rows_of(experiment: TrainedExperiment) -> List[ExperimentRow]:
    """The accuracies of one experiment, dropout off: last epoch, best epoch, and test where it is another."""
    documents = [*experiment.runs, *experiment.ports]
    split = setting_of(documents[0], "validation") or "test"
    examples = _examples(documents, split)
    published = epochs_summary(experiment.recipe.published.log)
    place = f"{split}, {count(examples)} reviews"
    summaries = [
        [published] if published else [],
        *(_summaries(found) for found in (experiment.runs, experiment.ports)),
    ]
    rows = [
        _row(f"{place}: last epoch", summaries, "last_accuracy", "epochs", examples),
        _row(f"{place}: lowest loss", summaries, "best_accuracy", "best_epoch", examples),
    ]
    if split != "test":
        size = _examples(documents, "test")
        found = [[_final(one, "test") for one in these] for these in (experiment.runs, experiment.ports)]
        cells = [_cell([accuracy for accuracy in these if accuracy is not None], (), size) for these in found]
        rows.append(ExperimentRow(f"test, {count(size)} reviews: last epoch", NOTHING, *cells))
    return [row for row in rows if any(cell != NOTHING for cell in row[1:])]


def _summaries(documents: Sequence[Document]) -> List[Document]:
    found = [epochs_summary(document["log"]) for document in documents]
    return [summary for summary in found if summary is not None]


def _examples(documents: Sequence[Document], split: str) -> int:
    """How many examples the documents measured of a split; 0 where none did."""
    sizes = [e["examples"] for document in documents for e in document["evaluations"] if e["split"] == split]
    return max(sizes, default=0)


def _final(document: Document, split: str) -> Optional[float]:
    """The accuracy of a split with dropout off, of the last checkpoint; None where it was not measured."""
    # A port's has neither a checkpoint nor dropout: it is of the last epoch, dropout off.
    found = [e for e in document["evaluations"] if e["split"] == split and e.get("dropout", "off") == "off"]
    if not found:
        return None
    return float(max(found, key=lambda e: e.get("checkpoint_step") or 0)["accuracy"])


def _row(
    what: str, summaries: Sequence[Sequence[Document]], value: str, epoch: str, examples: int
) -> ExperimentRow:
    cells = [_cell([s[value] for s in these], [s[epoch] for s in these], examples) for these in summaries]
    return ExperimentRow(what, *cells)


def _cell(accuracies: Sequence[float], epochs: Sequence[int], examples: int) -> str:
    """One accuracy with its interval, or mean and standard deviation over seeds; and their epochs."""
    if not accuracies:
        return NOTHING
    mean, std = mean_and_std(accuracies)
    text = percent(mean, examples, std)
    if std is None and examples:
        text += f" {percent_interval(accuracy_interval(mean, examples), examples)}"
    if not epochs:
        return text
    numbers = list(dict.fromkeys(epochs)) if len(set(epochs)) == 1 else list(epochs)
    return f"{text}, epoch{'s' if len(numbers) > 1 else ''} {', '.join(str(number) for number in numbers)}"
