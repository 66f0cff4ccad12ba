"""A NumPy port of ``models.regression``: functions alone, with a loss and without gradients."""

import numpy as np


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


class Stocks:
    """Linear, LSTM, linear at every step."""

    def __init__(self, bundle):
        self.w = bundle.weights

    def __call__(self, x):
        rows = x @ self.w["Variable"] + self.w["Variable_2"]
        h = c = np.zeros((len(x), 8))
        steps = []
        for step in range(x.shape[1]):
            joined = np.concatenate([rows[:, step], h], 1)
            i, j, f, o = np.split(
                joined @ self.w["rnn/basic_lstm_cell/kernel"] + self.w["rnn/basic_lstm_cell/bias"], 4, 1
            )
            c = sigmoid(f + 1) * c + sigmoid(i) * np.tanh(j)
            h = sigmoid(o) * np.tanh(c)
            steps.append(h)
        return np.stack(steps, 1).reshape(-1, 8) @ self.w["Variable_1"] + self.w["Variable_3"]

    def loss_of(self, x, y):
        return np.mean(np.square(self(x).reshape(-1) - y.reshape(-1)))


def wrong_shape(x):
    return x


def random(x):
    return np.random.default_rng().random((x.size, 1))


def raising(x):
    raise RuntimeError("not today")
