"""The command ``export``: a checkpoint as a bundle, or as weights for Keras or PyTorch."""

import argparse
import json
import platform
from pathlib import Path
from typing import Any, Dict, List, Optional

import numpy as np

from tf1_lstm import __version__
from tf1_lstm.data.base import Dataset, Split
from tf1_lstm.errors import InputError
from tf1_lstm.files import sha256_of_array
from tf1_lstm.graphs.quiet import tf
from tf1_lstm.parity.bundle import Bundle, WordVectors, write_bundle
from tf1_lstm.parity.bundle_checks import spec_of
from tf1_lstm.parity.weight_files import Trained, keras_lines, torch_lines, write_keras, write_torch
from tf1_lstm.runs.record import record, split_logits
from tf1_lstm.runs.use_commands import Restored, print_facts, restore

PADDING = 0


def run_export(options: argparse.Namespace) -> int:
    """Export and say what was written."""
    restored = restore(options)
    with restored.model as model:
        weights = model.weights(restored.facts["step"]).arrays
    if options.to == "bundle":
        bundle = make_bundle(restored, weights, options.examples, options.split)
        write_bundle(options.out, bundle)
        lines = [f"tf1-lstm compare {options.out} --port keras    # or torch, or your own module:callable"]
    else:
        lines = _write_weights(restored, weights, options.to, options.out)
    facts = dict(restored.facts, out=str(options.out), to=options.to, lines=lines)
    if options.json:
        print(json.dumps(facts, indent=1))
        return 0
    print_facts(restored.facts)
    print(f"written         {options.out} ({Path(options.out).stat().st_size:,} bytes)")
    print("\n".join(["", *lines]))
    return 0


def _write_weights(restored: Restored, weights: Dict[str, np.ndarray], to: str, out: Path) -> List[str]:
    recipe, dataset = restored.experiment.recipe, restored.experiment.dataset
    settings = recipe.settings()
    vectors = dataset.constants().get("word_vectors")
    trained = Trained(spec_of(settings), settings, weights, vectors)
    if to == "keras":
        if not str(out).endswith(".weights.h5"):
            raise InputError(f"--out: found {out}, expected a name that ends in .weights.h5 (Keras insists)")
        write_keras(out, trained)
        return keras_lines(trained, str(out))
    write_torch(out, trained)
    return torch_lines(trained, str(out))


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
    graph, constants = recipe.graph, dataset.constants()
    split = dataset.split(split_name or dataset.split_names()[0])
    vectors = constants.get("word_vectors")
    rows = choose_rows(split, examples, None if vectors is None else len(vectors) - 1)
    inputs = np.ascontiguousarray(split.inputs[rows])
    labels = np.eye(graph.classes, dtype=np.float32)[split.labels[rows]]
    numbers = record(graph, recipe.schedule.learning_rate, weights, inputs, labels, constants)
    whole = np.concatenate(list(split_logits(graph, weights, split.inputs, constants)))
    return Bundle(
        document=_document(restored, split, rows, None if vectors is None else len(vectors)),
        weights=weights,
        inputs=inputs,
        labels=labels,
        vectors=None if vectors is None else _needed_vectors(vectors, inputs),
        steps=numbers.steps,
        logits=numbers.logits,
        loss=numbers.loss,
        gradients=numbers.gradients,
        adam=tuple(numbers.adam),
        split_logits=whole,
    )


def choose_rows(split: Split, examples: int, unknown: Optional[int]) -> np.ndarray:
    """Return rows spread evenly over a split, such that mistakes can be told apart.

    For word ids, one review at least has an unknown word and padding behind it, where there is any.
    """
    count = min(examples, len(split.inputs))
    rows = np.linspace(0, len(split.inputs) - 1, count).astype(np.int64)
    if unknown is None:
        return rows
    padded = split.inputs[:, -1] == PADDING
    telling = np.flatnonzero(padded & (split.inputs == unknown).any(axis=1))
    if len(telling) and not np.isin(rows, telling).any():
        rows[-1] = telling[0]
    return rows


def _needed_vectors(vectors: np.ndarray, inputs: np.ndarray) -> WordVectors:
    """Return the vectors of the batch's words, their neighbours, the padding and the unknown word."""
    last = len(vectors) - 1
    ids = np.unique(np.concatenate([inputs.reshape(-1), [PADDING, last]]))
    ids = np.unique(np.clip(np.concatenate([ids, ids - 1, ids + 1]), 0, last)).astype(np.int64)
    return WordVectors(ids, np.asarray(vectors[ids], np.float32), len(vectors), last)


def _document(restored: Restored, split: Split, rows: np.ndarray, words: Optional[int]) -> Dict[str, Any]:
    experiment, facts = restored.experiment, restored.facts
    dataset: Dataset = experiment.dataset
    found: Dict[str, Any] = {
        "recipe": experiment.recipe.name,
        "settings": experiment.recipe.settings(),
        "batch": {"split": split.name, "rows": rows.tolist()},
        "split": _split_facts(split),
        "checkpoint": {
            "name": Path(facts["checkpoint"]).name,
            "step": facts["step"],
            "weights_sha256": facts["weights_sha256"],
        },
        "dataset": {"name": dataset.name, "is_sample": dataset.is_sample, "hashes": dataset.hashes()},
        "optimizer": {
            "name": "Adam",
            "learning_rate": experiment.recipe.schedule.learning_rate,
            "beta1": 0.9,
            "beta2": 0.999,
            "epsilon": 1e-8,
            "form": "epsilon-hat",
        },
        "versions": {
            "tensorflow": tf.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
            "tf1_lstm": __version__,
        },
    }
    if words is not None:
        found["words"] = {"count": words, "unknown": words - 1}
    return found


def _split_facts(split: Split) -> Dict[str, Any]:
    return {
        "name": split.name,
        "examples": len(split.inputs),
        "inputs_sha256": sha256_of_array(split.inputs),
        "labels": split.labels.tolist(),
    }
