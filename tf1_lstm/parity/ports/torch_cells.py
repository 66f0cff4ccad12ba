"""Three recurrent layers that PyTorch does not have, as TensorFlow 1 computes them.

``nn.GRU`` resets after the recurrent product and TensorFlow 1's ``GRUCell`` before; there is no
peephole and no coupled LSTM. The weights have TensorFlow 1's names and layout, so nothing is
transposed or reordered on the way; the forget bias is added when the cell runs.
"""

from typing import Dict, List, Optional, Tuple

import torch
from torch import Tensor, nn


class _Layer(nn.Module):
    """A layer over ``[batch, steps, inputs]`` that starts from zeros."""

    def __init__(self, inputs: int, units: int, forget_bias: float = 1.0) -> None:
        super().__init__()
        self.inputs = inputs
        self.units = units
        self.forget_bias = forget_bias

    def step(self, x: Tensor, h: Tensor, c: Tensor) -> Tuple[Tensor, Tensor]:
        """Run one step: ``[batch, inputs]`` and the states ``[batch, units]``."""
        raise NotImplementedError

    def states(self, x: Tensor) -> Tuple[Tensor, Tensor]:
        """Return outputs and cell states of every step, ``[batch, steps, units]`` each."""
        h = c = x.new_zeros(x.shape[0], self.units)
        outputs: List[Tensor] = []
        cell_states: List[Tensor] = []
        for row in x.unbind(1):
            h, c = self.step(row, h, c)
            outputs.append(h)
            cell_states.append(c)
        return torch.stack(outputs, 1), torch.stack(cell_states, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs ``[batch, steps, units]``."""
        return self.states(x)[0]

    def tf1_states(self, x: Tensor) -> Dict[str, Optional[Tensor]]:
        """Tell ``tf1-lstm compare`` the states of every step."""
        h, c = self.states(x)
        return {"h": h, "c": c}


class TorchPeepholeLSTM(_Layer):
    """``tf.nn.rnn_cell.LSTMCell(units, use_peepholes=True)``."""

    def __init__(self, inputs: int, units: int, forget_bias: float = 1.0) -> None:
        super().__init__(inputs, units, forget_bias)
        self.kernel = nn.Parameter(torch.empty(inputs + units, 4 * units))
        self.bias = nn.Parameter(torch.zeros(4 * units))
        self.w_i_diag = nn.Parameter(torch.zeros(units))
        self.w_f_diag = nn.Parameter(torch.zeros(units))
        self.w_o_diag = nn.Parameter(torch.zeros(units))
        nn.init.xavier_uniform_(self.kernel)

    def step(self, x: Tensor, h: Tensor, c: Tensor) -> Tuple[Tensor, Tensor]:
        """Run one step."""
        i, j, f, o = (torch.cat([x, h], 1) @ self.kernel + self.bias).chunk(4, 1)
        forget = torch.sigmoid(f + self.forget_bias + self.w_f_diag * c)
        c = forget * c + torch.sigmoid(i + self.w_i_diag * c) * torch.tanh(j)
        return torch.sigmoid(o + self.w_o_diag * c) * torch.tanh(c), c

    def tf1_parts(self) -> Dict[str, Tensor]:
        """Tell ``tf1-lstm compare`` which weight is which."""
        return dict(self.named_parameters())


class TorchCoupledLSTM(_Layer):
    """``tf.contrib.rnn.CoupledInputForgetGateLSTMCell(units)``: the input gate is 1 - forget gate."""

    def __init__(self, inputs: int, units: int, forget_bias: float = 1.0) -> None:
        super().__init__(inputs, units, forget_bias)
        self.kernel = nn.Parameter(torch.empty(inputs + units, 3 * units))
        self.bias = nn.Parameter(torch.zeros(3 * units))
        nn.init.xavier_uniform_(self.kernel)

    def step(self, x: Tensor, h: Tensor, c: Tensor) -> Tuple[Tensor, Tensor]:
        """Run one step."""
        j, f, o = (torch.cat([x, h], 1) @ self.kernel + self.bias).chunk(3, 1)
        forget = torch.sigmoid(f + self.forget_bias)
        c = forget * c + (1 - forget) * torch.tanh(j)
        return torch.sigmoid(o) * torch.tanh(c), c

    def tf1_parts(self) -> Dict[str, Tensor]:
        """Tell ``tf1-lstm compare`` which weight is which."""
        return dict(self.named_parameters())


class ResetBeforeGRU(_Layer):
    """``tf.nn.rnn_cell.GRUCell(units)``: the reset gate is applied before the recurrent product."""

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__(inputs, units)
        self.gates_kernel = nn.Parameter(torch.empty(inputs + units, 2 * units))
        self.gates_bias = nn.Parameter(torch.ones(2 * units))
        self.candidate_kernel = nn.Parameter(torch.empty(inputs + units, units))
        self.candidate_bias = nn.Parameter(torch.zeros(units))
        nn.init.xavier_uniform_(self.gates_kernel)
        nn.init.xavier_uniform_(self.candidate_kernel)

    def step(self, x: Tensor, h: Tensor, c: Tensor) -> Tuple[Tensor, Tensor]:
        """Run one step; there is no cell state."""
        r, u = torch.sigmoid(torch.cat([x, h], 1) @ self.gates_kernel + self.gates_bias).chunk(2, 1)
        new = torch.tanh(torch.cat([x, r * h], 1) @ self.candidate_kernel + self.candidate_bias)
        return u * h + (1 - u) * new, c

    def tf1_states(self, x: Tensor) -> Dict[str, Optional[Tensor]]:
        """Tell ``tf1-lstm compare`` the states of every step."""
        return {"h": self.states(x)[0], "c": None}

    def tf1_parts(self) -> Dict[str, Tensor]:
        """Tell ``tf1-lstm compare`` which weight is which."""
        return {name.replace("_", "/"): value for name, value in self.named_parameters()}
