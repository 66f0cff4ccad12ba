"""Ports simulated in float32 by the reference itself, for tests of the diagnosis."""

import numpy as np

from tests.parity.support import IDS, IMDB_RECIPES, RECIPE_BUNDLES, ROWS, make_bundle, small
from tf1_lstm.parity.optimizers import update_steps
from tf1_lstm.parity.problem import Numbers, Problem

BUNDLES = {
    "ids": make_bundle(IDS),
    "rows": make_bundle(ROWS),
    "gru": make_bundle(ROWS, cell="gru"),
    "rnn": make_bundle(ROWS, cell="basic_rnn"),
    "peephole": make_bundle(ROWS, cell="lstm_peephole"),
    "coupled": make_bundle(ROWS, cell="lstm_coupled"),
    "both": make_bundle(ROWS, bidirectional=True, readout="both-states"),
    "backward": make_bundle(ROWS, bidirectional=True, readout="backward-state"),
    **{name: RECIPE_BUNDLES[name][1] for name in IMDB_RECIPES},
    # As the recipe: as many numbers in as units, so that two kernels may change places.
    "square gru": make_bundle(small("imdb-gru32", units=4)),
}


def logits_of(problem: Problem) -> np.ndarray:
    found = problem.in_type(np.float32).forward()
    assert found is not None
    return found.logits


def everything_of(problem: Problem, updates: bool = False) -> Numbers:
    """What a port that is wrong in this way shows when all of it is visible."""
    small = problem.in_type(np.float32)
    training = small.training()
    assert training is not None
    steps = None
    if updates:
        steps = tuple(
            update_steps(
                problem.spec.optimizer,
                small.weights,
                lambda now: small.training(now).gradients,  # type: ignore[union-attr]
                factor=problem.spec.factor,
            )
        )
    forward = training.forward
    return Numbers(forward.logits, forward.steps(), training.loss, training.gradients, steps)
