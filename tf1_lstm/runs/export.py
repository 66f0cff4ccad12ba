"""Write a checkpoint as a bundle, or as a model for Keras, PyTorch or ONNX."""

import dataclasses
import platform
from pathlib import Path
from typing import Any, Dict, List, Optional

import numpy as np

from tf1_lstm import __version__
from tf1_lstm.core.parts import to_document
from tf1_lstm.data.base import Dataset, Split
from tf1_lstm.errors import InputError
from tf1_lstm.files import sha256_of_array
from tf1_lstm.graphs.quiet import tf
from tf1_lstm.parity.bundle import Bundle, Words, WordVectors, write_bundle
from tf1_lstm.parity.input_mistakes import id_shifts
from tf1_lstm.parity.model_files import write_model
from tf1_lstm.parity.optimizers import EMBEDDING
from tf1_lstm.parity.spec import Spec, counted_steps, spec_of
from tf1_lstm.parity.weight_files import Trained
from tf1_lstm.recipes.experiment import OneHot
from tf1_lstm.recipes.own_data import OwnData
from tf1_lstm.runs.record import looked_up, record, split_logits
from tf1_lstm.runs.restore import Restored

PADDING = 0  # by the bundle's format


def export(
    restored: Restored,
    to: str,
    out: Path,
    split: Optional[str] = None,
    examples: int = 16,
    code: Optional[Path] = None,
) -> List[str]:
    """Write a restored checkpoint in another form, and close its model.

    Args:
      restored: a checkpoint and its data set.
      to: ``bundle``, ``keras``, ``torch`` or ``onnx``.
      out: the file to write.
      split: for a bundle, the split of batch and labels; the first by default.
      examples: for a bundle, the size of the batch.
      code: for a model, the file to write the code to that builds and loads it; None for none.

    Returns:
      Lines that say how the file is used.

    Raises:
      InputError: a name or a recipe that this form does not take.
    """
    with restored.model as model:
        weights = model.weights(restored.facts["step"]).arrays
    if to != "bundle":
        return write_model(_trained(restored, weights), to, out, code)
    write_bundle(out, make_bundle(restored, weights, examples, split))
    return [f"tf1-lstm compare {out} --port keras    # or torch, or your own module:callable"]


def _trained(restored: Restored, weights: Dict[str, np.ndarray]) -> Trained:
    spec = spec_of(_settings(restored))
    experiment = restored.experiment
    return Trained(experiment.recipe.name, spec, weights, _frozen_vectors(spec, experiment.dataset))


def make_bundle(
    restored: Restored, weights: Dict[str, np.ndarray], examples: int, split_name: Optional[str]
) -> Bundle:
    """Run TensorFlow 1.15 and put all that it says into a bundle.

    Args:
      restored: a checkpoint and its data set.
      weights: role -> float32.
      examples: how many examples of the split are the fixed batch.
      split_name: the split of the batch and of the whole-split logits; None for the first.
    """
    experiment = restored.experiment
    recipe, dataset = experiment.recipe, experiment.dataset
    constants, settings = dataset.constants(), _settings(restored)
    spec = spec_of(settings)
    split = dataset.split(split_name or dataset.split_names()[0])
    vectors = _frozen_vectors(spec, dataset)
    table = weights.get(EMBEDDING, vectors)
    words = None if table is None else Words(len(table), dataset.unknown_id % len(table))
    rows = choose_rows(split, examples, words, settings["padding"])
    inputs = np.ascontiguousarray(split.inputs[rows])
    if recipe.data.any_steps and words is not None:
        inputs = np.ascontiguousarray(inputs[:, : max(1, _longest(inputs))])
    truth = np.asarray(split.labels[rows])
    labels = truth if recipe.head.task == "numbers" else _one_hot(truth, recipe.head.columns)
    plain = recipe.head.task == "classes" and not recipe.per_step
    lengths = None
    if spec.takes_lengths:
        lengths = _lengths(spec, split, rows, inputs)
    numbers = record(recipe, weights, inputs, labels if plain else truth, constants, lengths)
    if isinstance(recipe.inputs, OneHot):
        inputs = looked_up(recipe, weights, inputs, constants)
    return Bundle(
        document=_document(restored, split, rows, spec, words),
        weights=weights,
        inputs=inputs,
        labels=labels,
        vectors=None if vectors is None or words is None else _needed_vectors(vectors, inputs, words),
        steps=numbers.steps,
        logits=numbers.logits,
        loss=numbers.loss,
        gradients=numbers.gradients,
        updates=tuple(numbers.updates),
        split_logits=split_logits(recipe, weights, split.inputs, constants, split.lengths) if plain else None,
        lengths=lengths,
    )


def _lengths(spec: Spec, split: Split, rows: np.ndarray, inputs: np.ndarray) -> np.ndarray:
    """Return how many steps of each example count, int32; of one-hot ids up to the last that is not 0."""
    if inputs.ndim == 2:
        counted = counted_steps(spec, inputs, None)
        assert counted is not None
        return counted.sum(axis=1).astype(np.int32)
    assert split.lengths is not None
    return np.asarray(split.lengths[rows], np.int32)


def _settings(restored: Restored) -> Dict[str, Any]:
    """The flat settings, with what the data decide; one-hot ids are rows for a port."""
    experiment = restored.experiment
    found = experiment.flat()
    if experiment.dataset.name == "none":
        found["steps"] = found["steps"] or 1
    found["steps"] = found["steps"] or int(
        experiment.dataset.split(experiment.dataset.split_names()[0]).inputs.shape[1]
    )
    if isinstance(experiment.recipe.inputs, OneHot):
        if found.get("mask") == "mask_zero":
            raise InputError(
                "setting recurrent.mask: found mask_zero with OneHot, expected sequence_length or Embedding: "
                "a port reads one-hot ids as rows, which have no zero"
            )
        found.update(inputs="rows", embedding="word-vectors", input_size=experiment.recipe.words)
    return found


def _one_hot(labels: np.ndarray, columns: int) -> np.ndarray:
    """float32 ``[..., columns]``; zeros alone for a label below 0, which does not count."""
    found = np.eye(columns, dtype=np.float32)[np.maximum(labels, 0)]
    found[labels < 0] = 0
    return found


def _frozen_vectors(spec: Spec, dataset: Dataset) -> Optional[np.ndarray]:
    """Return the table that ids are looked up in, where it is not among the weights."""
    return None if spec.trains_embedding else dataset.constants().get("word_vectors")


def _longest(ids: np.ndarray) -> int:
    """Return how many steps the longest of some reviews has, padding behind them."""
    return int((np.flatnonzero((ids != PADDING).any(axis=0)) + 1).max(initial=0))


def choose_rows(split: Split, examples: int, words: Optional[Words], padding: str) -> np.ndarray:
    """Return rows spread evenly over a split, such that mistakes can be told apart.

    For word ids, one review at least has an unknown word and padding, where there is any.
    """
    count = min(examples, len(split.inputs))
    rows = np.linspace(0, len(split.inputs) - 1, count).astype(np.int64)
    if words is None:
        return rows
    padded = split.inputs[:, 0 if padding == "front" else -1] == PADDING
    telling = np.flatnonzero(padded & (split.inputs == words.unknown).any(axis=1))
    if len(telling) and not np.isin(rows, telling).any():
        rows[-1] = telling[0]
    return rows


def _needed_vectors(vectors: np.ndarray, inputs: np.ndarray, words: Words) -> WordVectors:
    """Return the vectors of the batch's words, their neighbours, the padding and the unknown word."""
    ids = np.unique(np.concatenate([inputs.reshape(-1), [PADDING, words.unknown]]))
    moved = [ids, *(ids + shift for shift in id_shifts(words))]
    ids = np.unique(np.clip(np.concatenate(moved), 0, words.count - 1)).astype(np.int64)
    return WordVectors(ids, np.asarray(vectors[ids], np.float32), words.count, words.unknown)


def _document(
    restored: Restored, split: Split, rows: np.ndarray, spec: Spec, words: Optional[Words]
) -> Dict[str, Any]:
    experiment, facts = restored.experiment, restored.facts
    dataset: Dataset = experiment.dataset
    found: Dict[str, Any] = {
        "recipe": experiment.recipe.name,
        "settings": _settings(restored),
        "batch": {"split": split.name, "rows": rows.tolist()},
        "split": _split_facts(split),
        "checkpoint": {
            "name": Path(facts["checkpoint"]).name,
            "step": facts["step"],
            "weights_sha256": facts["weights_sha256"],
        },
        "dataset": {"name": dataset.name, "is_sample": dataset.is_sample, "hashes": dataset.hashes()},
        "optimizer": spec.optimizer.document(),
        "versions": {
            "tensorflow": tf.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
            "tf1_lstm": __version__,
        },
    }
    data = experiment.recipe.data
    if isinstance(data, OwnData):
        # Names alone: the folder is given where it is compared.
        found["dataset"]["part"] = to_document(data.mapped(lambda path: Path(path).name))
    if words is not None:
        found["words"] = dataclasses.asdict(words)
    return found


def _split_facts(split: Split) -> Dict[str, Any]:
    return {
        "name": split.name,
        "examples": len(split.inputs),
        "inputs_sha256": sha256_of_array(split.inputs),
        "labels": np.asarray(split.labels).tolist(),
    }
