"""Everything that ``reproduce`` measures of one checkpoint, in a process of its own.

A fresh process proves that the checkpoint alone carries the result: nothing of the training's
session can be left over. ``python -m tf1_lstm.runs.measure JOB`` reads a JSON job and prints a
JSON document.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Dict, List

from tf1_lstm.data.base import Dataset
from tf1_lstm.errors import InputError
from tf1_lstm.report.canvas import picture_title
from tf1_lstm.report.confusion import confusion_picture
from tf1_lstm.report.mistakes import mistakes_picture, mistakes_text
from tf1_lstm.report.statistics import test_batches_record
from tf1_lstm.runs.evaluate import Evaluation, evaluate, sampled_accuracies
from tf1_lstm.runs.use_commands import Restored, restore


def main(job: Dict[str, Any]) -> Dict[str, Any]:
    """Measure one checkpoint.

    Args:
      job: ``recipe``, ``checkpoint``, ``data`` (or None), ``sample``, ``seed``, ``batches``,
        ``draws``, ``pictures`` (a folder, or None), ``device``, ``threads``.

    Returns:
      ``facts``, ``evaluations``, ``test_batches``, ``pictures``, ``class_names``.
    """
    options = argparse.Namespace(
        **{name: job[name] for name in ("recipe", "checkpoint", "sample", "device", "threads")},
        data=None if job["data"] is None else Path(job["data"]),
        settings=[],
        corrected=False,
    )
    restored = restore(options)
    dropouts = (False, True) if restored.experiment.recipe.graph.training_keep_prob < 1 else (False,)
    dataset = restored.experiment.dataset
    with restored.model as model:
        found = [
            evaluate(model, dataset.split(name), dropout, job["draws"])
            for name in dataset.split_names()
            for dropout in dropouts
        ]
        batches = sampled_accuracies(model, dataset, job["batches"], job["seed"], dropouts[-1])
    step = restored.facts["step"]
    size = restored.experiment.recipe.schedule.batch_size
    pictures: Dict[str, str] = {}
    if job["pictures"] is not None:
        pictures = draw(restored, found[0], Path(job["pictures"]))
    return {
        "facts": restored.facts,
        "evaluations": [{**evaluation.document(), "checkpoint_step": step} for evaluation in found],
        "test_batches": {
            **test_batches_record(batches, size, "on" if dropouts[-1] else "off"),
            "checkpoint_step": step,
        },
        "pictures": pictures,
        "class_names": list(dataset.class_names),
    }


def draw(restored: Restored, evaluation: Evaluation, folder: Path) -> Dict[str, str]:
    """Draw the confusion matrix and the most confident mistakes; returns name -> file name."""
    dataset: Dataset = restored.experiment.dataset
    split = dataset.split(evaluation.split)
    title = picture_title(restored.facts["recipe"], evaluation.split, evaluation.dropout)
    confusion_picture(
        evaluation.confusion, dataset.class_names, folder / "confusion.png", title, dataset.is_sample
    )
    predicted = evaluation.probabilities.argmax(1)
    probability = evaluation.probabilities.max(1)
    names = dataset.class_names
    if dataset.example_kind == "image":
        mistakes_picture(
            split.inputs,
            split.labels,
            predicted,
            probability,
            folder / "mistakes.png",
            title=title,
            class_names=names,
            is_sample=dataset.is_sample,
        )
        return {"confusion": "confusion.png", "mistakes": "mistakes.png"}
    texts: List[str] = _Rendered(dataset, split.inputs)  # type: ignore[assignment]
    mistakes_text(
        texts,
        split.labels,
        predicted,
        probability,
        folder / "mistakes.md",
        title=title,
        class_names=names,
        is_sample=dataset.is_sample,
    )
    return {"confusion": "confusion.png", "mistakes": "mistakes.md"}


class _Rendered:
    """Texts made from ids one at a time, as they are asked for."""

    def __init__(self, dataset: Dataset, inputs: Any) -> None:
        self._dataset = dataset
        self._inputs = inputs

    def __len__(self) -> int:
        return len(self._inputs)

    def __getitem__(self, place: int) -> str:
        return str(self._dataset.render(self._inputs[place]))


if __name__ == "__main__":
    try:
        print(json.dumps(main(json.loads(sys.argv[1])), allow_nan=False))
    except InputError as error:
        print(f"tf1-lstm: {error}", file=sys.stderr)
        sys.exit(2)
