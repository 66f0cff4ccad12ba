"""Train the PyTorch port of ``torch_imdb``."""

from typing import Any, Mapping

import numpy as np
import torch

from tf1_lstm.parity.ports.base import Step, Trainer
from tf1_lstm.parity.ports.torch_imdb import BiLstm2


class TorchTrainer(Trainer):
    """A PyTorch port in training; see ``make_trainer`` for the arguments."""

    def __init__(self, settings: Mapping[str, Any], table: np.ndarray, seed: int, threads: int) -> None:
        if threads:
            torch.set_num_threads(threads)
        torch.manual_seed(seed)
        self.framework = {"torch": torch.__version__}
        self.model = BiLstm2(settings, table)
        self._optimizer = self.model.configure_optimizers()

    def train(self, inputs: np.ndarray, classes: np.ndarray) -> Step:
        """Train on one batch."""
        self.model.train()
        labels = torch.from_numpy(classes)
        self._optimizer.zero_grad()
        logits = self.model(torch.from_numpy(inputs))
        loss = self.model.loss(logits, labels)
        loss.backward()
        self._optimizer.step()
        correct = (logits.squeeze(1) > 0) == (labels > 0)
        return Step(loss.item(), int(correct.sum()), len(labels))

    def logits(self, inputs: np.ndarray) -> np.ndarray:
        """Return the logits ``[batch]``."""
        self.model.eval()
        with torch.no_grad():
            return self.model(torch.from_numpy(inputs)).squeeze(1).numpy()
