"""Small bundles made with the NumPy reference, so that tests of parity need no TensorFlow.

The reference itself is tested against TensorFlow 1.15 in ``test_against_tensorflow.py``.
"""

import dataclasses
from typing import Any, Dict, Tuple

import numpy as np

from tf1_lstm.parity import reference
from tf1_lstm.parity.bundle import Bundle, Words, WordVectors
from tf1_lstm.parity.optimizers import update_steps
from tf1_lstm.parity.spec import Spec, spec_of
from tf1_lstm.recipes import find_recipe
from tf1_lstm.recipes.experiment import Embedding
from tf1_lstm.recipes.flat import flat_settings

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


KERAS_UNKNOWN = 2
# The recipes of seeds 000, 003 and 004 at a size at which a gradient is quickly checked.
SMALL = {"steps": 9, "units": 5, "input_size": DIMENSIONS, "vocabulary": WORDS}


def small(name: str, **changes: Any) -> Dict[str, Any]:
    """The settings of a recipe at a small size."""
    recipe = find_recipe(name)
    sizes: Dict[str, Any] = dict(SMALL, dense_units=6 if recipe.head.dense else 0)
    if not isinstance(recipe.inputs, Embedding):
        del sizes["input_size"]
    return flat_settings(recipe.with_settings({**sizes, **changes}))


def make_bundle(
    base: Dict[str, Any], batch: int = 6, seed: int = 0, scale: float = 0.6, **changes: Any
) -> Bundle:
    """A bundle of random weights and inputs; numbers in it are the reference's, in float64 rounded."""
    settings = dict(base, **changes)
    random = np.random.RandomState(seed)
    spec = spec_of(settings)
    words, vectors = None, None
    if settings["inputs"] == "ids":
        words = Words(WORDS, KERAS_UNKNOWN if "padding" in settings else WORDS - 1)
        values = random.normal(size=(WORDS, DIMENSIONS)).astype(np.float32)
        values[0] = 0
        vectors = (
            None
            if spec.trains_embedding
            else WordVectors(np.arange(WORDS), values, words.count, words.unknown)
        )
        inputs = _ids(random, settings, batch, words)
        width = DIMENSIONS
    else:
        # Whole 255ths, as pictures have.
        inputs = (random.randint(0, 256, (batch, settings["steps"], settings["input_size"])) / 255).astype(
            np.float32
        )
        width = settings["input_size"]
    weights = {
        role: random.normal(scale=scale, size=shape).astype(np.float32)
        for role, shape in spec.shapes(width, WORDS).items()
    }
    labels = np.eye(settings["classes"])[random.randint(0, settings["classes"], batch)]
    found, updates = _numbers(spec, weights, inputs if vectors is None else values[inputs], labels)
    document: Dict[str, Any] = {
        "recipe": "made-up",
        "settings": settings,
        "batch": {},
        "versions": {},
        "sha256": {},
        "format": "tf1-lstm-bundle",
        "version": 2,
    }
    if words is not None:
        document["words"] = dataclasses.asdict(words)
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
        tuple(_float32(step) for step in updates),
        None,
    )


def _ids(random: Any, settings: Dict[str, Any], batch: int, words: Words) -> np.ndarray:
    """Reviews of several lengths; each has an unknown word, the first also a 0 among its words."""
    steps = settings["steps"] - (2 if settings.get("any_steps") else 0)
    ids = random.randint(1, WORDS - 1, (batch, steps)).astype(np.int32)
    in_front = settings.get("padding") == "front"
    ids[:, -1 if in_front else 1] = words.unknown
    ids[0, 5] = 0
    for row in range(batch):
        length = steps - row % 4
        ids[row, slice(0, steps - length) if in_front else slice(length, steps)] = 0
    return ids


def _numbers(
    spec: Spec, weights: Dict[str, np.ndarray], inputs: np.ndarray, labels: np.ndarray
) -> Tuple[reference.LossGradient, Any]:
    """Loss and gradients, and the weights after three steps, in float64."""
    exact = {role: array.astype(np.float64) for role, array in weights.items()}
    given = inputs.astype(np.float64) if inputs.ndim == 3 else inputs

    def train(now: Dict[str, np.ndarray]) -> reference.LossGradient:
        return reference.gradients(spec, now, given, labels)

    updates = update_steps(spec.optimizer, exact, lambda now: train(now).gradients, factor=spec.factor)
    return train(exact), updates


def _float32(arrays: Dict[str, np.ndarray]) -> Dict[str, np.ndarray]:
    return {name: array.astype(np.float32) for name, array in arrays.items()}


def with_document(bundle: Bundle, **changes: Any) -> Bundle:
    """The bundle with entries of its document replaced."""
    return dataclasses.replace(bundle, document=dict(bundle.document, **changes))


IMDB_RECIPES = (
    "imdb-lstmcell2",
    "imdb-grucell2",
    "imdb-gru2",
    "imdb-lstm2-glove",
    "imdb-bilstm2",
    "imdb-simplernn32",
    "imdb-lstm32",
    "imdb-gru32",
)
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
    "two separate stacks": (
        "mnist-bilstm",
        make_bundle(ROWS, bidirectional=True, readout="both-states", layers=2),
    ),
    "peepholes in joined layers": (
        "mnist-peephole",
        make_bundle(
            ROWS,
            bidirectional=True,
            readout="both-states",
            layers=2,
            cell="lstm_peephole",
            joined_layers=True,
        ),
    ),
    **{name: (name, make_bundle(small(name))) for name in IMDB_RECIPES},
}
