"""Labels and probabilities for anything that the data set can encode."""

from typing import Any, Dict, List, Sequence

import numpy as np

from tf1_lstm.data.base import Dataset, Example
from tf1_lstm.runs.evaluate import logits_of, probabilities_of
from tf1_lstm.runs.model import Model


def predict(model: Model, dataset: Dataset, examples: Sequence[Example]) -> List[Dict[str, Any]]:
    """Run the graph over encoded examples, dropout off.

    Args:
      model: filled with weights.
      dataset: gives the names of the classes.
      examples: as ``Dataset.encode`` returns them; refused ones get no label.

    Returns:
      One JSON-ready document for each example, in order: ``name``, ``label``, ``probability`` (of
      that label), ``probabilities`` (class name -> probability), ``notes``; or ``refused``.
    """
    taken = [example.inputs for example in examples if example.inputs is not None]
    rows = iter(probabilities_of(logits_of(model, np.stack(taken))) if taken else ())
    documents: List[Dict[str, Any]] = []
    for example in examples:
        if example.inputs is None:
            documents.append({"name": example.name, "refused": example.refused, "notes": example.notes})
            continue
        probabilities = next(rows)
        best = int(probabilities.argmax())
        documents.append(
            {
                "name": example.name,
                "label": dataset.class_names[best],
                "probability": float(probabilities[best]),
                "probabilities": {name: float(p) for name, p in zip(dataset.class_names, probabilities)},
                "notes": example.notes,
            }
        )
    return documents
