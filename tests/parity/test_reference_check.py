"""A reference that computes another model than TensorFlow's excuses no port."""

import dataclasses

import numpy as np
import pytest

from tests.parity.support import IDS, RECIPE_BUNDLES, ROWS, make_bundle
from tf1_lstm.cli import main
from tf1_lstm.errors import InputError
from tf1_lstm.parity.bundle import write_bundle
from tf1_lstm.parity.reference_check import check_reference


@pytest.mark.parametrize("name", list(RECIPE_BUNDLES))
def test_the_reference_is_near_what_was_recorded(name):
    check_reference(RECIPE_BUNDLES[name][1], name)


@pytest.mark.parametrize(
    ("level", "change"),
    [
        ("logits", lambda b: {"logits": b.logits + np.float32(3e-4)}),
        ("loss", lambda b: {"loss": b.loss + 1e-3}),
        ("fw/0/h", lambda b: {"steps": {n: a * np.float32(1.001) for n, a in b.steps.items()}}),
        ("gradients/", lambda b: {"gradients": {n: a * 2 for n, a in b.gradients.items()}}),
    ],
)
def test_numbers_of_another_model_are_refused(level, change):
    bundle = make_bundle(ROWS)
    with pytest.raises(InputError, match=f"b.npz: {level}.*no port can be judged"):
        check_reference(dataclasses.replace(bundle, **change(bundle)), "b.npz")


def test_compare_says_so_before_it_runs_the_port(tmp_path, capsys):
    """A port that is wrong in the reference's own way would otherwise pass."""
    bundle = make_bundle(IDS)
    steps = {name: array + np.float32(0.01) for name, array in bundle.steps.items()}
    write_bundle(tmp_path / "b.npz", dataclasses.replace(bundle, steps=steps))
    assert main(["compare", str(tmp_path / "b.npz"), "--port", "nothing:at_all", "--out", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert ": found TensorFlow's numbers 0.01 from the NumPy reference's" in error
    assert len(error.strip().splitlines()) == 1
