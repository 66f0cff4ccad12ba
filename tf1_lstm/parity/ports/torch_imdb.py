"""The IMDB recipe of the PyTorch document of 2023, as it was published."""

from typing import Any, Mapping

import numpy as np
import torch
from torch import Tensor, nn

from tf1_lstm.parity.bundle import Bundle
from tf1_lstm.parity.weight_files import torch_state, trained_of


class BiLstm2(nn.Module):
    """Two bidirectional LSTM layers over a trained embedding: ids ``[batch, steps]`` to ``[batch, 1]``.

    PyTorch trains both biases of a gate, ``bias_ih`` and ``bias_hh``, so their sum moves twice as
    far; that is as published.

    Args:
      settings: the recipe's.
      table: initial values of the embedding, ``[words, dimensions]`` float32.
    """

    def __init__(self, settings: Mapping[str, Any], table: np.ndarray) -> None:
        super().__init__()
        rate = 1 - settings["keep_prob"]
        self.embedding = nn.Embedding.from_pretrained(torch.from_numpy(table.copy()), freeze=False)
        self.recurrent = nn.LSTM(
            table.shape[1], settings["units"], settings["layers"], bidirectional=True, dropout=rate
        )
        self.linear = nn.Linear(2 * settings["units"], 1)
        self.dropout = nn.Dropout(rate)
        self.learning_rate = settings["learning_rate"]

    def forward(self, ids: Tensor) -> Tensor:
        """Return the logits."""
        x = self.dropout(self.embedding(ids.t()))  # [steps, batch, dimensions]
        _, (h, _) = self.recurrent(x)  # h: [layers * directions, batch, units]
        return self.linear(self.dropout(torch.cat([h[-2], h[-1]], 1)))

    def loss(self, logits: Tensor, classes: Tensor) -> Tensor:
        """Return the mean binary cross-entropy of logits ``[batch, 1]`` and class numbers ``[batch]``."""
        return nn.functional.binary_cross_entropy_with_logits(logits.squeeze(1), classes.to(logits.dtype))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return the published optimizer."""
        return torch.optim.Adam(self.parameters(), self.learning_rate)


def load_weights(module: BiLstm2, bundle: Bundle) -> None:
    """Give the module the weights of a bundle."""
    state = torch_state(trained_of(bundle))
    module.load_state_dict({name: torch.tensor(array) for name, array in state.items()})


class ImdbBilstm2(BiLstm2):
    """``BiLstm2`` with the weights of a bundle."""

    def __init__(self, bundle: Bundle) -> None:
        super().__init__(bundle.settings, bundle.weights["embedding"])
        load_weights(self, bundle)
