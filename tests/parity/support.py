"""Small bundles made with the NumPy reference, so that tests of parity need no TensorFlow.

The reference itself is tested against TensorFlow 1.15 in ``test_against_tensorflow.py``.
"""

import dataclasses
from typing import Any, Dict

import numpy as np

from tf1_lstm.parity import reference
from tf1_lstm.parity.adam import adam_steps
from tf1_lstm.parity.bundle import Bundle, WordVectors
from tf1_lstm.parity.bundle_checks import spec_of

WORDS, DIMENSIONS = 60, 4
ROWS: Dict[str, Any] = {
    "inputs": "rows",
    "steps": 6,
    "input_size": 6,
    "classes": 3,
    "cell": "basic_lstm",
    "units": 5,
    "layers": 1,
    "bidirectional": False,
    "forget_bias": 1.0,
    "output_keep_prob": 1.0,
    "readout": "last-state",
    "learning_rate": 0.001,
}
IDS: Dict[str, Any] = dict(ROWS, inputs="ids", steps=9, input_size=0, output_keep_prob=0.75, classes=2)


def make_bundle(base: Dict[str, Any], batch: int = 6, seed: int = 0, **changes: Any) -> Bundle:
    """A bundle of random weights and inputs; numbers in it are the reference's, in float64 rounded."""
    settings = dict(base, **changes)
    random = np.random.RandomState(seed)
    spec = spec_of(settings)
    vectors = None
    if settings["inputs"] == "ids":
        values = random.normal(size=(WORDS, DIMENSIONS)).astype(np.float32)
        values[0] = 0
        vectors = WordVectors(np.arange(WORDS), values, WORDS, unknown=WORDS - 1)
        inputs = random.randint(1, WORDS - 1, (batch, settings["steps"])).astype(np.int32)
        inputs[:, 1] = WORDS - 1  # an unknown word in each review
        inputs[0, 5] = 0  # and once the padding's id among the words
        for row in range(batch):
            inputs[row, settings["steps"] - row % 4 :] = 0
        sequence = values[inputs]
    else:
        # Whole 255ths, as pictures have.
        inputs = (random.randint(0, 256, (batch, settings["steps"], settings["input_size"])) / 255).astype(
            np.float32
        )
        sequence = inputs
    weights = {
        role: random.normal(scale=0.6, size=shape).astype(np.float32)
        for role, shape in spec.shapes(sequence.shape[-1], settings["classes"]).items()
    }
    labels = np.eye(settings["classes"])[random.randint(0, settings["classes"], batch)]
    exact = {role: array.astype(np.float64) for role, array in weights.items()}

    def gradient_of(now: Dict[str, np.ndarray]) -> Dict[str, np.ndarray]:
        return reference.gradients(spec, now, sequence.astype(np.float64), labels).gradients

    found = reference.gradients(spec, exact, sequence.astype(np.float64), labels)
    adam = adam_steps(spec.adam, exact, gradient_of)
    document: Dict[str, Any] = {
        "recipe": "made-up",
        "settings": settings,
        "batch": {},
        "versions": {},
        "sha256": {},
        "format": "tf1-lstm-bundle",
        "version": 1,
    }
    if vectors is not None:
        document["words"] = {"count": WORDS, "unknown": WORDS - 1}
    return Bundle(
        document,
        weights,
        inputs,
        labels.astype(np.float32),
        vectors,
        _float32(found.forward.steps()),
        found.forward.logits.astype(np.float32),
        float(np.float32(found.loss)),
        _float32(found.gradients),
        tuple(_float32(step) for step in adam),
        None,
    )


def _float32(arrays: Dict[str, np.ndarray]) -> Dict[str, np.ndarray]:
    return {name: array.astype(np.float32) for name, array in arrays.items()}


def with_document(bundle: Bundle, **changes: Any) -> Bundle:
    """The bundle with entries of its document replaced."""
    return dataclasses.replace(bundle, document=dict(bundle.document, **changes))


# name -> (recipe, bundle): every recipe with a port, in the shapes that its settings allow.
RECIPE_BUNDLES = {
    "imdb-lstm": ("imdb-lstm", make_bundle(IDS)),
    "imdb-lstm, two layers": ("imdb-lstm", make_bundle(IDS, layers=2)),
    "mnist-rnn": ("mnist-rnn", make_bundle(ROWS, cell="basic_rnn")),
    "mnist-lstm": ("mnist-lstm", make_bundle(ROWS)),
    "mnist-bilstm": ("mnist-bilstm", make_bundle(ROWS, bidirectional=True, readout="backward-state")),
    "mnist-bilstm, corrected": ("mnist-bilstm", make_bundle(ROWS, bidirectional=True, readout="both-states")),
    "mnist-peephole": ("mnist-peephole", make_bundle(ROWS, cell="lstm_peephole")),
    "mnist-coupled": ("mnist-coupled", make_bundle(ROWS, cell="lstm_coupled")),
    "mnist-gru": ("mnist-gru", make_bundle(ROWS, cell="gru")),
}
