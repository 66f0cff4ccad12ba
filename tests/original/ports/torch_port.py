"""PyTorch ports of two of the models in ``models.py``, written from their equations alone."""

from typing import ClassVar, Dict

import torch


class Port(torch.nn.Module):
    """What both have in common: an LSTM of TensorFlow 1's gates, a softmax, the loss."""

    names: ClassVar = {"kernel": "rnn/basic_lstm_cell/kernel", "bias": "rnn/basic_lstm_cell/bias"}
    head: ClassVar = {"weights": "Variable", "out_bias": "Variable_1"}
    more: ClassVar[Dict[str, str]] = {}

    def __init__(self, bundle):
        super().__init__()
        self.all = {**self.names, **self.head, **self.more}
        for own, theirs in self.all.items():
            values = torch.from_numpy(bundle.weights[theirs].copy())
            self.register_parameter(own, torch.nn.Parameter(values))

    def lstm(self, rows):
        """``[batch, steps, inputs]`` to ``[steps, batch, units]``."""
        h = c = torch.zeros(rows.shape[0], self.bias.shape[0] // 4)
        outputs = []
        for step in range(rows.shape[1]):
            i, j, f, o = (torch.cat([rows[:, step], h], 1) @ self.kernel + self.bias).chunk(4, 1)
            c = torch.sigmoid(f + 1.0) * c + torch.sigmoid(i) * torch.tanh(j)
            h = torch.sigmoid(o) * torch.tanh(c)
            outputs.append(h)
        return torch.stack(outputs)

    def loss_of(self, x, y):
        return -(torch.log_softmax(self(x), 1) * y).sum(1).mean()

    def tf1_weights(self):
        return {theirs: getattr(self, own) for own, theirs in self.all.items()}


class Attention(Port):
    more: ClassVar[Dict[str, str]] = {"context": "attention/context"}

    def forward(self, x):
        steps = self.lstm(x)
        shares = torch.softmax((steps * self.context).sum(2), 0)
        return (shares[:, :, None] * steps).sum(0) @ self.weights + self.out_bias


class AttentionOverUnits(Attention):
    """The same with a mistake: the softmax over the batch."""

    def forward(self, x):
        steps = self.lstm(x)
        shares = torch.softmax((steps * self.context).sum(2), 1)
        return (shares[:, :, None] * steps).sum(0) @ self.weights + self.out_bias


class Convolution(Port):
    more: ClassVar[Dict[str, str]] = {"filters": "conv/kernel", "scale": "norm/scale"}

    def forward(self, x):
        filters = self.filters.permute(2, 1, 0)  # [width, in, out] to [out, in, width]
        hidden = torch.relu(torch.nn.functional.conv1d(x.transpose(1, 2), filters, padding=1)).transpose(1, 2)
        mean, variance = hidden.mean((0, 1)), hidden.var((0, 1), unbiased=False)
        hidden = (hidden - mean) * (self.scale / torch.sqrt(variance + 1e-3))
        return self.lstm(hidden)[-1] @ self.weights + self.out_bias
