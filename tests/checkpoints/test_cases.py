"""Every checkpoint case, written by TensorFlow, read by this program."""

import filecmp
import subprocess
import sys
from typing import Any, Dict

import numpy as np
import pytest

from tests.checkpoints.support import CASES, MAKER, expected_of, listed_cases
from tf1_lstm.checkpoints.formats.bundle_write import write_bundle
from tf1_lstm.checkpoints.formats.single_write import write_single
from tf1_lstm.checkpoints.identify import identify
from tf1_lstm.checkpoints.reading import read_checkpoint
from tf1_lstm.checkpoints.restore import load_weights
from tf1_lstm.errors import InputError
from tools import checkpoint_cases

ALL_CASES = listed_cases()
GOOD = [case for case in ALL_CASES if "refused" not in case["about"]]
BAD = [case for case in ALL_CASES if "refused" in case["about"]]
WHOLE = [case for case in ALL_CASES if not any(word in case["path"] for word in ("shard", "part", "string"))]


def name_of(case: Dict[str, Any]) -> str:
    return case["path"]


@pytest.mark.parametrize("case", GOOD, ids=name_of)
def test_recognises_the_model_and_reads_every_weight(case):
    weights = load_weights(CASES / case["path"], expected_of(case))
    found = {field: getattr(weights.model, field) for field in case["about"]}
    assert found == case["about"]
    assert weights.step == (1234 if case["path"] == "no-step" else case["step"])
    assert set(weights.arrays) == set(case["weights"])
    for role, (_, shape) in case["weights"].items():
        np.testing.assert_array_equal(weights.arrays[role], checkpoint_cases.values_of(role, tuple(shape)))


@pytest.mark.parametrize("case", [one for one in GOOD if one["slots"]], ids=name_of)
def test_the_optimizers_slots_and_scalars_come_along(case):
    slots, scalars = checkpoint_cases.OPTIMIZERS[case["optimizer"]]
    weights = load_weights(
        CASES / case["path"],
        expected_of(case),
        want_slots=True,
        slot_names=slots,
        scalar_names=tuple(scalars),
    )
    assert set(weights.slots) == set(slots)
    for slot in slots:
        trained = {role for role in case["weights"] if not role.startswith(case["untrained"])}
        assert set(weights.slots[slot]) == trained
        for role in trained:
            _, shape = case["weights"][role]
            np.testing.assert_array_equal(
                weights.slots[slot][role], checkpoint_cases.values_of(f"{slot} of {role}", tuple(shape))
            )
    assert {name: weights.scalars[name] for name in scalars} == {
        name: np.float32(value) for name, value in scalars.items()
    }


@pytest.mark.parametrize("case", BAD, ids=name_of)
def test_refuses_what_it_cannot_be_sure_of_and_says_why(case):
    expected = expected_of(case) or {"lstm/fw/0/kernel": (7, 16)}
    with pytest.raises(InputError) as caught:
        load_weights(CASES / case["path"], {**expected, "softmax/weights": (4, 2), "softmax/bias": (2,)})
    assert case["about"]["refused"] in str(caught.value)


@pytest.mark.parametrize("case", ALL_CASES, ids=name_of)
def test_knows_the_format_and_every_variable_that_tensorflow_knows(case):
    import tensorflow as tf

    checkpoint = read_checkpoint(CASES / case["path"])
    shards = "-?????-of-00002" if case["path"].startswith("two-shards-v1") else ""
    reader = tf.train.load_checkpoint(str(CASES / case["path"]) + shards)
    assert checkpoint.format == case["format"]
    assert {name: list(spec.shape) for name, spec in checkpoint.specs.items()} == (
        reader.get_variable_to_shape_map()
    )
    for name, spec in checkpoint.specs.items():
        # TensorFlow's reader outside a graph refuses slices in a V1 file; the cases' values cover those.
        if spec.is_numeric and (spec.sliced == 1 or checkpoint.format == "V2 bundle"):
            values = reader.get_tensor(name)
            np.testing.assert_array_equal(checkpoint.variables[name], values)
            assert checkpoint.variables[name].dtype == values.dtype


@pytest.mark.parametrize("case", WHOLE, ids=name_of)
def test_writes_the_very_bytes_that_tensorflow_wrote(case, tmp_path):
    checkpoint = read_checkpoint(CASES / case["path"])
    writer = write_bundle if checkpoint.format == "V2 bundle" else write_single
    writer(str(tmp_path / case["path"]), checkpoint.variables)
    files = [path.name for path in tmp_path.iterdir()]
    assert len(files) == len(checkpoint.files)
    assert filecmp.cmpfiles(str(CASES), str(tmp_path), files, shallow=False)[0] == files


def test_variables_that_nobody_reads_are_named():
    for case in GOOD:
        identified = identify(read_checkpoint(CASES / case["path"]).specs)
        scalars = set(identified.scalars.values())
        assert sorted(identified.unread) == sorted(set(case["extra"]) - scalars), case["path"]


@pytest.mark.thorough
def test_the_script_makes_the_same_cases_again_byte_for_byte(tmp_path):
    command = [sys.executable, str(MAKER), str(tmp_path)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    names = sorted(path.name for path in CASES.iterdir())
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert filecmp.cmpfiles(str(CASES), str(tmp_path), names, shallow=False)[0] == names


def test_the_cases_are_small():
    assert sum(path.stat().st_size for path in CASES.iterdir()) < 500_000
