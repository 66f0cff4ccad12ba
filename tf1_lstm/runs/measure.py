"""Everything that ``reproduce`` measures of one checkpoint."""

from pathlib import Path
from typing import Any, Dict, List, Optional

from tf1_lstm.data.base import Dataset
from tf1_lstm.report.canvas import picture_title
from tf1_lstm.report.confusion import confusion_picture
from tf1_lstm.report.mistakes import mistakes_picture, mistakes_text
from tf1_lstm.report.statistics import test_batches_record
from tf1_lstm.runs.evaluate import Evaluation, evaluate, sampled_accuracies
from tf1_lstm.runs.restore import Restored, restore


def measure(
    recipe: str,
    checkpoint: str,
    *,
    data: Optional[Path],
    sample: bool,
    seed: int,
    batches: int,
    draws: int,
    pictures: Optional[Path],
    device: str,
    threads: int,
    engine: str = "exact",
) -> Dict[str, Any]:
    """Measure one checkpoint.

    Args:
      recipe: its name.
      checkpoint: prefix, file or folder.
      data: the data folder, or None.
      sample: use the embedded sample.
      seed: of the test batches.
      batches: how many of them.
      draws: repetitions with dropout on.
      pictures: the folder to draw into, or None.
      device: ``auto``, ``cpu`` or ``gpu``.
      threads: TensorFlow's; 0 for one a core.
      engine: ``exact`` or ``fast``.

    Returns:
      JSON-ready: ``facts``, ``evaluations``, ``test_batches``, ``pictures``, ``class_names``.
    """
    restored = restore(
        recipe, checkpoint, data=data, sample=sample, device=device, threads=threads, engine=engine
    )
    dropouts = (False, True) if restored.experiment.recipe.keep_prob < 1 else (False,)
    dataset = restored.experiment.dataset
    with restored.model as model:
        found = [
            evaluate(model, dataset.split(name), dropout, draws)
            for name in dataset.split_names()
            for dropout in dropouts
        ]
        # Published test batches are of a class for each example.
        plain = isinstance(found[0], Evaluation)
        accuracies = sampled_accuracies(model, dataset, batches, seed, dropouts[-1]) if plain else []
    step = restored.facts["step"]
    size = restored.experiment.batch_size
    return {
        "facts": restored.facts,
        "evaluations": [{**evaluation.document(), "checkpoint_step": step} for evaluation in found],
        "test_batches": {
            **test_batches_record(accuracies, size, "on" if dropouts[-1] else "off"),
            "checkpoint_step": step,
        }
        if plain
        else {},
        "pictures": draw(restored, found[0], pictures)
        if pictures and isinstance(found[0], Evaluation)
        else {},
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
