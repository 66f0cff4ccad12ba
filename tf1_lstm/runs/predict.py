"""Answers for anything that the data set can encode: a class, numbers, what comes next, or tags."""

from typing import Any, Dict, List, Optional, Sequence

import numpy as np

from tf1_lstm.data.base import Dataset, Example
from tf1_lstm.runs.evaluate import logits_of, probabilities_of
from tf1_lstm.runs.model import Model

MOST_SHOWN = 10


def predict(model: Model, dataset: Dataset, examples: Sequence[Example]) -> List[Dict[str, Any]]:
    """Run the graph over encoded examples, dropout off.

    Args:
      model: filled with weights.
      dataset: gives the names of the classes, numbers or ids.
      examples: as ``Dataset.encode`` returns them; refused ones get no answer.

    Returns:
      One JSON-ready document for each example, in order, with ``name`` and ``notes``, and: ``label``,
      ``probability`` (of that label) and ``probabilities`` (class name -> probability; of the token
      that comes next, the ten most probable); or ``numbers`` (output name -> value, or a list of one
      for each step); or ``labels`` (one for each step); or ``refused``.
    """
    taken = [example for example in examples if example.inputs is not None]
    answers = iter(_logits(model, taken) if taken else ())
    documents: List[Dict[str, Any]] = []
    for example in examples:
        document: Dict[str, Any] = {"name": example.name}
        if example.inputs is None:
            document["refused"] = example.refused
        else:
            document.update(_answer(model, dataset, example, next(answers)))
        documents.append({**document, "notes": example.notes})
    return documents


def _logits(model: Model, examples: Sequence[Example]) -> np.ndarray:
    inputs = np.stack([example.inputs for example in examples])
    lengths: Optional[np.ndarray] = None
    if all(example.length is not None for example in examples):
        lengths = np.array([example.length for example in examples], np.int32)
    if not model.recipe.recurrent.carried_state:
        return logits_of(model, inputs, lengths=lengths)
    # Each text begins with a state of zeros: none goes on where another ended.
    return np.concatenate([logits_of(model, row[None]) for row in inputs])


def _answer(model: Model, dataset: Dataset, example: Example, logits: np.ndarray) -> Dict[str, Any]:
    names = dataset.class_names
    if dataset.task == "numbers":
        values = logits if logits.ndim == 1 else logits[: example.length or len(logits)].T
        return {"numbers": {name: value.tolist() for name, value in zip(names, values)}}
    if dataset.task == "next":
        count = example.length or len(logits)
        if not model.recipe.data.streams:
            return {"labels": [names[best] for best in logits[:count].argmax(axis=1)]}
        probabilities = probabilities_of(logits[count - 1])
        shown = np.argsort(-probabilities, kind="stable")[:MOST_SHOWN]
    else:
        probabilities = probabilities_of(logits)
        shown = np.arange(len(names))
    best = int(probabilities.argmax())
    return {
        "label": names[best],
        "probability": float(probabilities[best]),
        "probabilities": {names[place]: float(probabilities[place]) for place in shown.tolist()},
    }
