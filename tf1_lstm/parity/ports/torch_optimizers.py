"""The recipes' optimizers in PyTorch."""

import math
from typing import Any, Sequence

import torch

from tf1_lstm.parity.optimizers import AdadeltaRule, AdamRule, GradientDescent, RMSprop, UpdateRule


def optimizer_of(wanted: UpdateRule, parameters: Sequence[torch.Tensor]) -> Any:
    """Return an optimizer of some parameters, with a method ``step``.

    PyTorch's RMSprop and Adam add epsilon where the recipes have it; TensorFlow 1's Adam does not.
    """
    if isinstance(wanted, RMSprop):
        return torch.optim.RMSprop(parameters, wanted.learning_rate, wanted.rho, wanted.epsilon)
    if isinstance(wanted, GradientDescent):
        return torch.optim.SGD(parameters, wanted.learning_rate)
    if isinstance(wanted, AdadeltaRule):
        return torch.optim.Adadelta(parameters, wanted.learning_rate, wanted.rho, wanted.epsilon)
    assert isinstance(wanted, AdamRule)
    if wanted.epsilon_hat:
        return TF1Adam(parameters, wanted)
    return torch.optim.Adam(parameters, wanted.learning_rate, (wanted.beta1, wanted.beta2), wanted.epsilon)


class TF1Adam:
    """TensorFlow 1's Adam over a list of tensors (see ``optimizers.Adam``)."""

    def __init__(self, parameters: Sequence[torch.Tensor], adam: AdamRule) -> None:
        self._parameters, self._adam, self._count = parameters, adam, 0
        self._mean = [torch.zeros_like(p) for p in parameters]
        self._square = [torch.zeros_like(p) for p in parameters]

    def step(self) -> None:
        """Move every parameter by its gradient; one without gradient moves by its past ones."""
        self._count += 1
        adam = self._adam
        rate = adam.learning_rate * math.sqrt(1 - adam.beta2**self._count) / (1 - adam.beta1**self._count)
        with torch.no_grad():
            for parameter, mean, square in zip(self._parameters, self._mean, self._square):
                gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
                mean.add_(gradient - mean, alpha=1 - adam.beta1)
                square.add_(gradient**2 - square, alpha=1 - adam.beta2)
                parameter.sub_(rate * mean / (square.sqrt() + adam.epsilon))
