"""The graphs of the recipes from Keras and PyTorch: trained, saved, read, converted, trained on."""

from pathlib import Path
from typing import Any, Dict, NamedTuple, Tuple

import numpy as np
import pytest

from tests.tiers import representative
from tf1_lstm.checkpoints.canonical import expected_shapes
from tf1_lstm.checkpoints.conversion import plan
from tf1_lstm.checkpoints.fitting import fits
from tf1_lstm.checkpoints.inspection import inspect
from tf1_lstm.checkpoints.reading import read_checkpoint
from tf1_lstm.checkpoints.restore import load_weights
from tf1_lstm.checkpoints.weights import Weights
from tf1_lstm.checkpoints.write import write
from tf1_lstm.errors import InputError
from tf1_lstm.recipes import find_recipe
from tf1_lstm.recipes.experiment import Embedding, Experiment, KerasRMSprop
from tf1_lstm.runs.model import Model

WORDS, INPUTS, STEPS, BATCH = 30, 6, 5, 3
VECTORS = np.random.RandomState(0).normal(size=(WORDS, INPUTS)).astype(np.float32)
# Small, and as square as what was published: the dense layer as wide as the recurrent ones, and of the
# one-layer recipes the inputs too.
TWO_LAYERS = {"steps": STEPS, "units": 4, "dense_units": 4, "input_size": INPUTS, "vocabulary": WORDS}
ONE_LAYER = {"steps": STEPS, "units": INPUTS, "input_size": INPUTS, "vocabulary": WORDS}
GLOVE = {name: size for name, size in TWO_LAYERS.items() if name != "input_size"}
SMALL: Dict[str, Dict[str, Any]] = {
    "imdb-lstmcell2": TWO_LAYERS,
    "imdb-grucell2": TWO_LAYERS,
    "imdb-gru2": TWO_LAYERS,
    "imdb-lstm2-glove": GLOVE,
    "imdb-bilstm2": {"steps": STEPS, "units": 4},
    "imdb-simplernn32": ONE_LAYER,
    "imdb-lstm32": ONE_LAYER,
    "imdb-gru32": ONE_LAYER,
}


class Trained(NamedTuple):
    """A small model after two steps.

    Attributes:
      recipe: with the small settings.
      prefix: its checkpoint.
      weights: as TensorFlow's session has them.
      slots, scalars: names of what its optimizer keeps.
      next: role -> weights after one more step.
    """

    recipe: Experiment
    prefix: Path
    weights: Weights
    slots: Tuple[str, ...]
    scalars: Tuple[str, ...]
    next: Dict[str, np.ndarray]

    @property
    def expected(self) -> Dict[str, Tuple[int, ...]]:
        return expected_shapes(self.recipe, INPUTS, WORDS)

    def load(self, path: Path, want_slots: bool = True) -> Weights:
        return load_weights(path, self.expected, want_slots, slot_names=self.slots, scalar_names=self.scalars)


def constants(recipe: Experiment) -> Dict[str, np.ndarray]:
    return {} if isinstance(recipe.inputs, Embedding) else {"word_vectors": VECTORS}


def step(model: Model, number: int) -> None:
    chance = np.random.RandomState(number)
    feeds = {
        model.graph.inputs: chance.randint(0, WORDS, (BATCH, STEPS)),
        model.graph.labels: np.eye(2, dtype=np.float32)[chance.randint(0, 2, BATCH)],
        model.graph.iteration: number,
    }
    model.session.run(model.graph.train_op, feeds)


@pytest.fixture(scope="module", params=representative(SMALL, "imdb-lstm32"))
def trained(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    recipe = find_recipe(request.param).with_settings(SMALL[request.param])
    folder = tmp_path_factory.mktemp(request.param)
    with Model(recipe, constants(recipe), training=True) as model:
        model.initialise()
        for number in range(2):
            step(model, number)
        weights = model.weights(step=2)
        assert model.saver is not None
        prefix = Path(model.saver.save(model.session, str(folder / "m"), 2, write_meta_graph=False))
        step(model, 2)
        later = model.weights().arrays
        slots, scalars = tuple(model.graph.slots), tuple(model.graph.scalars)
    return Trained(recipe, prefix, weights, slots, scalars, later)


def assert_same(found: Weights, expected: Weights) -> None:
    assert found.digest() == expected.digest()
    assert set(found.slots) == set(expected.slots)
    for slot, arrays in expected.slots.items():
        assert set(found.slots[slot]) == set(arrays)
        for role, array in arrays.items():
            np.testing.assert_array_equal(found.slots[slot][role], array)
            assert np.any(array), f"{slot} of {role} never moved"
    assert {name: found.scalars[name] for name in expected.scalars} == expected.scalars


def test_the_door_gives_every_bit_that_tensorflow_saved(trained):
    found = trained.load(trained.prefix)
    assert_same(found, trained.weights)
    assert set(trained.expected) == set(trained.weights.arrays)
    own = trained.weights.model.__dict__
    assert {**found.model.__dict__, "forget_bias": own["forget_bias"]} == own
    assert inspect(trained.prefix, {})["unread"] == []


def test_the_optimizer_has_the_slots_of_the_published_one(trained):
    if isinstance(trained.recipe.optimizer, KerasRMSprop):
        assert (trained.slots, trained.scalars) == (("RMSProp",), ())
    else:
        assert (trained.slots, trained.scalars) == (("Adam", "Adam_1"), ("beta1_power", "beta2_power"))
    another = ("Adam", "Adam_1") if trained.slots == ("RMSProp",) else ("RMSProp",)
    with pytest.raises(InputError, match=f"found no {another[0]} slot '{another[0]}'"):
        load_weights(trained.prefix, trained.expected, True, slot_names=another, scalar_names=())


def test_it_is_converted_through_every_age_and_trains_on_as_if_it_had_never_stopped(trained, tmp_path):
    path = trained.prefix
    for number, to in enumerate(("tf0.12", "tf1.0", "tf1.15")):
        write(plan(path, tmp_path / str(number) / "m-2", to), False)
        path = tmp_path / str(number) / "m-2"
        assert read_checkpoint(path).format == ("V1 single file" if to == "tf0.12" else "V2 bundle")
        assert_same(trained.load(path), trained.weights)
    assert set(read_checkpoint(path).specs) == set(read_checkpoint(trained.prefix).specs)
    with Model(trained.recipe, constants(trained.recipe), training=True) as model:
        model.load(trained.load(path), with_slots=True)
        step(model, 2)
        resumed = model.weights().arrays
    for role, array in trained.next.items():
        np.testing.assert_array_equal(resumed[role], array)
        assert not np.array_equal(array, trained.weights.arrays[role]), f"{role} did not move"


def test_it_fits_its_own_recipe_and_those_of_the_same_shapes(trained):
    small = {name: find_recipe(name).with_settings(changes) for name, changes in SMALL.items()}
    found = {fit.recipe for fit in fits(read_checkpoint(trained.prefix).specs, small) if fit.fits}
    grus = {"imdb-grucell2", "imdb-gru2"}
    assert found == (grus if trained.recipe.name in grus else {trained.recipe.name})


LSTM2 = {
    "lstm/fw/0/kernel": (164, 256),
    "lstm/fw/0/bias": (256,),
    "lstm/fw/1/kernel": (128, 256),
    "lstm/fw/1/bias": (256,),
}
GRU2 = {
    "gru/fw/0/kernel": (100, 192),
    "gru/fw/0/recurrent_kernel": (64, 192),
    "gru/fw/0/bias": (2, 192),
    "gru/fw/1/kernel": (64, 192),
    "gru/fw/1/recurrent_kernel": (64, 192),
    "gru/fw/1/bias": (2, 192),
}
BEHIND = {
    "dense/kernel": (64, 64),
    "dense/bias": (64,),
    "softmax/weights": (64, 1),
    "softmax/bias": (1,),
}
ONE_OUTPUT = {"embedding": (10_000, 32), "softmax/weights": (32, 1), "softmax/bias": (1,)}
PUBLISHED: Dict[str, Dict[str, Tuple[int, ...]]] = {
    "imdb-lstmcell2": {"embedding": (10_000, 100), **LSTM2, **BEHIND},
    "imdb-grucell2": {"embedding": (10_000, 100), **GRU2, **BEHIND},
    "imdb-gru2": {"embedding": (10_000, 100), **GRU2, **BEHIND},
    "imdb-lstm2-glove": {**LSTM2, **BEHIND},
    "imdb-bilstm2": {
        "embedding": (10_002, 100),
        "lstm/fw/0/kernel": (356, 1024),
        "lstm/fw/0/bias": (1024,),
        "lstm/fw/1/kernel": (768, 1024),
        "lstm/fw/1/bias": (1024,),
        "lstm/bw/0/kernel": (356, 1024),
        "lstm/bw/0/bias": (1024,),
        "lstm/bw/1/kernel": (768, 1024),
        "lstm/bw/1/bias": (1024,),
        "softmax/weights": (512, 1),
        "softmax/bias": (1,),
    },
    "imdb-simplernn32": {"rnn/fw/0/kernel": (64, 32), "rnn/fw/0/bias": (32,), **ONE_OUTPUT},
    "imdb-lstm32": {"lstm/fw/0/kernel": (64, 128), "lstm/fw/0/bias": (128,), **ONE_OUTPUT},
    "imdb-gru32": {
        "gru/fw/0/kernel": (32, 96),
        "gru/fw/0/recurrent_kernel": (32, 96),
        "gru/fw/0/bias": (2, 96),
        **ONE_OUTPUT,
    },
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_expected_shapes_are_the_published_models(name):
    assert expected_shapes(find_recipe(name), 100, 10_002) == PUBLISHED[name]
