"""What a port's first layer reads is compared first, and what is wrong with it has a name."""

import dataclasses

import numpy as np
import pytest

from tests.parity.ports_python import run
from tests.parity.support import IDS, ROWS, make_bundle
from tests.tiers import representative
from tf1_lstm.parity.inputs import IDS as READ_IDS
from tf1_lstm.parity.inputs import explain_inputs, read_inputs

NAMES = {
    "right": None,
    "reversed": "embedding-rows-reversed",
    "shifted": "embedding-rows-shifted",
    "swapped": "embedding-rows-swapped",
    "one row": "embedding-rows-differ",
    "another order": "embedding-rows-in-another-order",
    "rounded": "embedding-rounded",
    "one id": "wrong-id",
    "one sigmoid": None,
    "six steps": "number-of-steps",
    "unused half": None,
}


@pytest.mark.parametrize("framework", representative(["keras", "torch"], "torch"))
def test_wrong_inputs_of_a_port_are_named_and_explain_the_rest(framework):
    """Two odd ports are right: one sigmoid for two classes, and a last layer with an unused half."""
    found = {line["planted"]: line for line in run(framework, "inputs.py", framework)}
    assert {name: line["finding"] for name, line in found.items()} == NAMES
    for name, line in found.items():
        assert line["follows"], line
        statuses = dict(line["levels"])
        assert statuses.pop("labels") == "not available"
        if NAMES[name] is not None:
            assert statuses["inputs"] == "FAIL", line
            continue
        if name == "unused half":
            assert "forward half" in line["notes"][0]
            assert "unused half" in line["reasons"]["updates"]
            assert statuses.pop("updates") == "not available"
        assert set(statuses.values()) == {"PASS"}, line
    assert "review 1, step 1: id 34 is expected, 7 is read" in found["one id"]["says"]
    assert "6 steps of 7: without 1 at the beginning, 0 at the end" in found["six steps"]["says"]
    assert "id 59 (unknown words)" in found["one row"]["says"]


def test_the_id_of_unknown_words_read_as_another_is_said_with_its_place():
    bundle = make_bundle(IDS)
    assert bundle.words is not None
    table = bundle.vectors.table()  # type: ignore[union-attr]
    read = np.where(bundle.inputs == bundle.words.unknown, 5, bundle.inputs)
    found = explain_inputs(bundle, read_inputs(bundle, table[read], table))
    assert found is not None
    assert found.name == "wrong-id"
    row, step = np.argwhere(bundle.inputs == bundle.words.unknown)[0]
    assert f"review {row + 1}, step {step + 1}: id 59 (unknown words) is expected, 5 is read" in found.says


def test_words_with_the_same_vector_are_not_confused():
    """The tutorial's list has 'the' twice, with one vector; padding is not the only row of zeros."""
    bundle = make_bundle(IDS)
    assert bundle.vectors is not None
    values = bundle.vectors.values.copy()
    values[20], values[30] = values[10], 0
    bundle = dataclasses.replace(bundle, vectors=dataclasses.replace(bundle.vectors, values=values))
    table = bundle.vectors.table()  # type: ignore[union-attr]
    seen = read_inputs(bundle, table[bundle.inputs], table)
    np.testing.assert_array_equal(seen[READ_IDS], bundle.inputs)
    assert explain_inputs(bundle, seen) is None


@pytest.mark.parametrize(
    ("change", "name", "said"),
    [
        (lambda x: (x - 0.5) / 0.5, "inputs-scaled", "2 times the right inputs - 1"),
        (
            lambda x: x.swapaxes(1, 2),
            "steps-and-inputs-exchanged",
            "reads [6, 5] for each example, expected [5, 6]",
        ),
        (lambda x: x[:, :-1], "number-of-steps", "4 steps of 5: without 0 at the beginning, 1 at the end"),
        (lambda x: np.pad(x, ((0, 0), (1, 1), (0, 0))), "number-of-steps", "with 1 at the beginning, 1 at"),
        (lambda x: x[:, :, :-1], "input-size", "reads 5 numbers at each step, expected 6"),
        (np.sqrt, "inputs-differ", "first in example 1 at step 1"),
        (lambda x: x + 1e-7, None, ""),
    ],
)
def test_what_was_done_to_pictures_is_told_by_their_numbers(change, name, said):
    bundle = make_bundle(ROWS, steps=5)
    found = explain_inputs(bundle, read_inputs(bundle, change(bundle.inputs), None))
    assert (None if found is None else found.name) == name
    assert found is None or said in found.says


def test_nothing_seen_is_nothing_said():
    bundle = make_bundle(IDS)
    assert read_inputs(bundle, None, None) == {}
    assert explain_inputs(bundle, {}) is None
