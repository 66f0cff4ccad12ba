"""Train any PyTorch port."""

from typing import Any

import numpy as np
import torch

from tf1_lstm.parity.port_trainer import PortTrainer
from tf1_lstm.parity.target import TargetError
from tf1_lstm.parity.watch_torch import TorchWatch


class TorchPortTrainer(PortTrainer):
    """An ``nn.Module`` in training.

    Args:
      model: the port.
      watch: of the same module.
    """

    def __init__(self, model: Any, watch: TorchWatch) -> None:
        self._model, self._watch = model, watch
        self._step: Any = None

    def redraw(self) -> None:
        """Call ``reset_parameters`` of every module in it; what is not trained stays as it is."""
        own = [m for m in self._model.modules() if callable(getattr(m, "reset_parameters", None))]
        if not own:
            raise TargetError("none of its modules has reset_parameters(), so it has no new initial values")
        frozen = {p: p.detach().clone() for p in self._model.parameters() if not p.requires_grad}
        for module in own:
            module.reset_parameters()
        with torch.no_grad():
            for parameter, value in frozen.items():
                parameter.copy_(value)

    def train(self, inputs: np.ndarray, labels: np.ndarray) -> float:
        """Move the weights by one batch."""
        if self._step is None:
            self._step = self._watch.optimizer_step([p for p in self._model.parameters() if p.requires_grad])
        self._model.train()
        loss = self._watch.backward(inputs, labels)
        self._step()
        return float(loss.detach())
