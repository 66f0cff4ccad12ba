"""Recurrent programs as people wrote them: adopted, checked against their own sessions, predicted.

One program in six runs by default; all do with ``TF1_LSTM_PROGRAMS=all``.
"""

import importlib
import os

import numpy as np
import pytest

from tests.original import programs
from tests.original.programs.running import adopted_program
from tests.tiers import representative
from tf1_lstm.cli import main

for module in ("digits", "series", "texts", "characters"):
    importlib.import_module(f"tests.original.programs.{module}")
ADOPTED = [build for build in programs.ALL if build.__name__ not in programs.OUTSIDE]
REFUSED = [build for build in programs.ALL if build.__name__ in programs.OUTSIDE]
STEP = 1 if os.environ.get("TF1_LSTM_PROGRAMS") == "all" else 6
DROPS = ("frozen_vectors_dropped",)  # at random, whatever is fed


@pytest.mark.parametrize(
    "build",
    representative(ADOPTED[::STEP], *(build.__name__ for build in ADOPTED[:: 2 * STEP])),
    ids=lambda build: build.__name__,
)
def test_what_is_adopted_gives_the_numbers_of_the_programs_own_session(build, tmp_path):
    found = adopted_program(build, tmp_path)
    assert found.refused == ""
    assert found.adopted.open == {}
    own = found.own_output.reshape(-1)
    logits = found.outputs.reshape(-1)
    if build.__name__ in DROPS:
        assert not found.check.agree
        assert "at random" in found.check.note
        return
    assert np.allclose(own, logits, atol=1e-6) or np.allclose(own, 1 / (1 + np.exp(-logits)), atol=1e-6)
    assert found.check.agree, found.check
    words = [
        "--checkpoint",
        found.prefix,
        "--file",
        str(tmp_path / "x.npy"),
        "--out",
        str(tmp_path / "y.npz"),
    ]
    np.save(str(tmp_path / "x.npy"), found.inputs)
    if found.lengths is not None:
        np.save(str(tmp_path / "lengths.npy"), found.lengths)
        words += ["--lengths", str(tmp_path / "lengths.npy")]
    assert main(["predict", str(tmp_path / "mine.py"), *words]) == 0
    with np.load(str(tmp_path / "y.npz")) as arrays:
        predicted = arrays["outputs"]
    np.testing.assert_allclose(predicted.reshape(-1), logits, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("build", REFUSED[::STEP], ids=lambda build: build.__name__)
def test_what_no_experiment_has_is_refused_by_its_name(build, tmp_path):
    found = adopted_program(build, tmp_path)
    assert programs.OUTSIDE[build.__name__] in found.refused
    assert found.refused.count("\n") == 0


def test_at_least_eight_in_ten_without_attention_convolution_or_crf_are_adopted():
    counted = [build for build in programs.ALL if build.__name__ not in programs.EXCUSED]
    assert len(counted) >= 60
    assert len(ADOPTED) >= 0.8 * len(counted)
