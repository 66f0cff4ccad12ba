"""What a port answers, in the form that a bundle has."""

import numpy as np
import pytest

from tests.parity.support import ROWS, small
from tf1_lstm.parity.child import WrongOutputError, check_logits
from tf1_lstm.parity.spec import spec_of
from tf1_lstm.parity.watch import logits_of

SIGMOID = spec_of(small("imdb-lstm32"))
SOFTMAX = spec_of(dict(ROWS, classes=2))


@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_one_number_for_a_sigmoid_becomes_the_second_of_two_logits(shape):
    z = np.array([-2.0, 0.5, 30.0], np.float32)
    found = check_logits(logits_of(z.reshape(shape), SIGMOID), 3, 2)
    probability = np.exp(found[:, 1]) / np.exp(found).sum(axis=1)
    np.testing.assert_allclose(probability, 1 / (1 + np.exp(-z)), rtol=1e-6)


def test_two_logits_stay_as_they_are():
    answer = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
    for spec in (SIGMOID, SOFTMAX):
        np.testing.assert_array_equal(logits_of(answer, spec), answer)


def test_one_number_for_a_softmax_of_two_is_refused():
    answer = np.zeros((3, 1), np.float32)
    with pytest.raises(WrongOutputError, match=r"shape \(3, 1\), expected \(3, 2\)"):
        check_logits(logits_of(answer, SOFTMAX), 3, 2)
