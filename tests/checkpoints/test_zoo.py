"""Every checkpoint of the zoo, written by TensorFlow, read by this program."""

import filecmp
import subprocess
import sys
from typing import Any, Dict

import numpy as np
import pytest

from tests.checkpoints.support import MAKER, ZOO, expected_of, zoo
from tf1_lstm.checkpoints.door import load_weights
from tf1_lstm.checkpoints.formats.bundle_write import write_bundle
from tf1_lstm.checkpoints.formats.single_write import write_single
from tf1_lstm.checkpoints.identify import identify
from tf1_lstm.checkpoints.reading import read_checkpoint
from tf1_lstm.errors import InputError
from tools import zoo_animals

ANIMALS = zoo()
GOOD = [animal for animal in ANIMALS if "refused" not in animal["about"]]
BAD = [animal for animal in ANIMALS if "refused" in animal["about"]]
WHOLE = [
    animal for animal in ANIMALS if not any(word in animal["path"] for word in ("shard", "part", "string"))
]


def name_of(animal: Dict[str, Any]) -> str:
    return animal["path"]


@pytest.mark.parametrize("animal", GOOD, ids=name_of)
def test_recognises_the_model_and_reads_every_weight(animal):
    weights = load_weights(ZOO / animal["path"], expected_of(animal))
    found = {field: getattr(weights.model, field) for field in animal["about"]}
    assert found == animal["about"]
    assert weights.step == (1234 if animal["path"] == "no-step" else animal["step"])
    assert set(weights.arrays) == set(animal["weights"])
    for role, (_, shape) in animal["weights"].items():
        np.testing.assert_array_equal(weights.arrays[role], zoo_animals.values_of(role, tuple(shape)))


@pytest.mark.parametrize("animal", [one for one in GOOD if one["slots"]], ids=name_of)
def test_the_optimizers_slots_and_scalars_come_along(animal):
    slots, scalars = zoo_animals.OPTIMIZERS[animal["optimizer"]]
    weights = load_weights(
        ZOO / animal["path"],
        expected_of(animal),
        want_slots=True,
        slot_names=slots,
        scalar_names=tuple(scalars),
    )
    assert set(weights.slots) == set(slots)
    for slot in slots:
        trained = {role for role in animal["weights"] if not role.startswith(animal["untrained"])}
        assert set(weights.slots[slot]) == trained
        for role in trained:
            _, shape = animal["weights"][role]
            np.testing.assert_array_equal(
                weights.slots[slot][role], zoo_animals.values_of(f"{slot} of {role}", tuple(shape))
            )
    assert {name: weights.scalars[name] for name in scalars} == {
        name: np.float32(value) for name, value in scalars.items()
    }


@pytest.mark.parametrize("animal", BAD, ids=name_of)
def test_refuses_what_it_cannot_be_sure_of_and_says_why(animal):
    expected = expected_of(animal) or {"lstm/fw/0/kernel": (7, 16)}
    with pytest.raises(InputError) as caught:
        load_weights(ZOO / animal["path"], {**expected, "softmax/weights": (4, 2), "softmax/bias": (2,)})
    assert animal["about"]["refused"] in str(caught.value)


@pytest.mark.parametrize("animal", ANIMALS, ids=name_of)
def test_knows_the_format_and_every_variable_that_tensorflow_knows(animal):
    import tensorflow as tf

    checkpoint = read_checkpoint(ZOO / animal["path"])
    shards = "-?????-of-00002" if animal["path"].startswith("two-shards-v1") else ""
    reader = tf.train.load_checkpoint(str(ZOO / animal["path"]) + shards)
    assert checkpoint.format == animal["format"]
    assert {name: list(spec.shape) for name, spec in checkpoint.specs.items()} == (
        reader.get_variable_to_shape_map()
    )
    for name, spec in checkpoint.specs.items():
        # TensorFlow's reader outside a graph refuses slices in a V1 file; the zoo's values cover those.
        if spec.is_numeric and (spec.sliced == 1 or checkpoint.format == "V2 bundle"):
            values = reader.get_tensor(name)
            np.testing.assert_array_equal(checkpoint.variables[name], values)
            assert checkpoint.variables[name].dtype == values.dtype


@pytest.mark.parametrize("animal", WHOLE, ids=name_of)
def test_writes_the_very_bytes_that_tensorflow_wrote(animal, tmp_path):
    checkpoint = read_checkpoint(ZOO / animal["path"])
    writer = write_bundle if checkpoint.format == "V2 bundle" else write_single
    writer(str(tmp_path / animal["path"]), checkpoint.variables)
    files = [path.name for path in tmp_path.iterdir()]
    assert len(files) == len(checkpoint.files)
    assert filecmp.cmpfiles(str(ZOO), str(tmp_path), files, shallow=False)[0] == files


def test_variables_that_nobody_reads_are_named():
    for animal in GOOD:
        identified = identify(read_checkpoint(ZOO / animal["path"]).specs)
        scalars = set(identified.scalars.values())
        assert sorted(identified.unread) == sorted(set(animal["extra"]) - scalars), animal["path"]


def test_the_script_makes_the_same_zoo_again_byte_for_byte(tmp_path):
    command = [sys.executable, str(MAKER), str(tmp_path)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    names = sorted(path.name for path in ZOO.iterdir())
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert filecmp.cmpfiles(str(ZOO), str(tmp_path), names, shallow=False)[0] == names


def test_the_zoo_is_small():
    assert sum(path.stat().st_size for path in ZOO.iterdir()) < 500_000
