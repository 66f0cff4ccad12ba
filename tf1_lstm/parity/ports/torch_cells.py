"""Recurrent layers as TensorFlow 1 computes them, where PyTorch's own do not.

``nn.GRU`` resets after the recurrent product and TensorFlow 1's ``GRUCell`` before; there is no
peephole and no coupled LSTM, no other activation than tanh, and no step can be left out in the middle of a
sequence. The weights have TensorFlow 1's names and layout, so nothing is transposed or reordered on the
way; the forget bias is added when the cell runs.
"""

from typing import Dict, List, Optional, Tuple

import torch
from torch import Tensor, nn


class _Layer(nn.Module):
    """A layer over ``[batch, steps, inputs]`` that starts from zeros.

    Args:
      inputs: numbers in a step.
      units: width of its state.
      forget_bias: added to the forget gate, where there is one.
      activation: of the new state: tanh, relu, sigmoid or linear.
    """

    has_c = True

    def __init__(self, inputs: int, units: int, forget_bias: float = 1.0, activation: str = "tanh") -> None:
        super().__init__()
        self.inputs = inputs
        self.units = units
        self.forget_bias = forget_bias
        self.activation = activation

    def activate(self, x: Tensor) -> Tensor:
        """Apply the activation."""
        if self.activation == "relu":
            return torch.relu(x)
        if self.activation == "sigmoid":
            return torch.sigmoid(x)
        return torch.tanh(x) if self.activation == "tanh" else x

    def step(self, x: Tensor, h: Tensor, c: Tensor) -> Tuple[Tensor, Tensor]:
        """Run one step: ``[batch, inputs]`` and the states ``[batch, units]``."""
        raise NotImplementedError

    def states(self, x: Tensor, mask: Optional[Tensor] = None) -> Tuple[Tensor, Tensor]:
        """Return outputs and cell states of every step, ``[batch, steps, units]`` each."""
        h = c = x.new_zeros(x.shape[0], self.units)
        outputs: List[Tensor] = []
        cell_states: List[Tensor] = []
        for place, row in enumerate(x.unbind(1)):
            new_h, new_c = self.step(row, h, c)
            if mask is not None:
                counts = mask[:, place, None]
                new_h, new_c = torch.where(counts, new_h, h), torch.where(counts, new_c, c)
            h, c = new_h, new_c
            outputs.append(h)
            cell_states.append(c)
        return torch.stack(outputs, 1), torch.stack(cell_states, 1)

    def forward(self, x: Tensor, mask: Optional[Tensor] = None) -> Tensor:
        """Return the outputs ``[batch, steps, units]``; where the mask is False the state is kept."""
        return self.states(x, mask)[0]

    def tf1_states(self, x: Tensor, mask: Optional[Tensor] = None) -> Dict[str, Optional[Tensor]]:
        """Tell ``tf1-lstm compare`` the states of every step."""
        h, c = self.states(x, mask)
        return {"h": h, "c": c if self.has_c else None}

    def tf1_parts(self) -> Dict[str, Tensor]:
        """Tell ``tf1-lstm compare`` which weight is which."""
        return dict(self.named_parameters())


class TorchBasicRNN(_Layer):
    """``tf.nn.rnn_cell.BasicRNNCell(units)``."""

    has_c = False

    def __init__(self, inputs: int, units: int, forget_bias: float = 1.0, activation: str = "tanh") -> None:
        super().__init__(inputs, units, forget_bias, activation)
        self.kernel = nn.Parameter(torch.empty(inputs + units, units))
        self.bias = nn.Parameter(torch.zeros(units))
        nn.init.xavier_uniform_(self.kernel)

    def step(self, x: Tensor, h: Tensor, c: Tensor) -> Tuple[Tensor, Tensor]:
        """Run one step; there is no cell state."""
        return self.activate(torch.cat([x, h], 1) @ self.kernel + self.bias), c


class TorchBasicLSTM(_Layer):
    """``tf.nn.rnn_cell.BasicLSTMCell(units)``."""

    def __init__(self, inputs: int, units: int, forget_bias: float = 1.0, activation: str = "tanh") -> None:
        super().__init__(inputs, units, forget_bias, activation)
        self.kernel = nn.Parameter(torch.empty(inputs + units, 4 * units))
        self.bias = nn.Parameter(torch.zeros(4 * units))
        nn.init.xavier_uniform_(self.kernel)

    def step(self, x: Tensor, h: Tensor, c: Tensor) -> Tuple[Tensor, Tensor]:
        """Run one step."""
        i, j, f, o = (torch.cat([x, h], 1) @ self.kernel + self.bias).chunk(4, 1)
        c = torch.sigmoid(f + self.forget_bias) * c + torch.sigmoid(i) * self.activate(j)
        return torch.sigmoid(o) * self.activate(c), c


class TorchPeepholeLSTM(_Layer):
    """``tf.nn.rnn_cell.LSTMCell(units, use_peepholes=True)``."""

    def __init__(self, inputs: int, units: int, forget_bias: float = 1.0, activation: str = "tanh") -> None:
        super().__init__(inputs, units, forget_bias, activation)
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
        c = forget * c + torch.sigmoid(i + self.w_i_diag * c) * self.activate(j)
        return torch.sigmoid(o + self.w_o_diag * c) * self.activate(c), c


class TorchCoupledLSTM(_Layer):
    """``tf.contrib.rnn.CoupledInputForgetGateLSTMCell(units)``: the input gate is 1 - forget gate."""

    def __init__(self, inputs: int, units: int, forget_bias: float = 1.0, activation: str = "tanh") -> None:
        super().__init__(inputs, units, forget_bias, activation)
        self.kernel = nn.Parameter(torch.empty(inputs + units, 3 * units))
        self.bias = nn.Parameter(torch.zeros(3 * units))
        nn.init.xavier_uniform_(self.kernel)

    def step(self, x: Tensor, h: Tensor, c: Tensor) -> Tuple[Tensor, Tensor]:
        """Run one step."""
        j, f, o = (torch.cat([x, h], 1) @ self.kernel + self.bias).chunk(3, 1)
        forget = torch.sigmoid(f + self.forget_bias)
        c = forget * c + (1 - forget) * self.activate(j)
        return torch.sigmoid(o) * self.activate(c), c


class ResetBeforeGRU(_Layer):
    """``tf.nn.rnn_cell.GRUCell(units)``: the reset gate is applied before the recurrent product."""

    has_c = False

    def __init__(self, inputs: int, units: int, forget_bias: float = 1.0, activation: str = "tanh") -> None:
        super().__init__(inputs, units, forget_bias, activation)
        self.gates_kernel = nn.Parameter(torch.empty(inputs + units, 2 * units))
        self.gates_bias = nn.Parameter(torch.ones(2 * units))
        self.candidate_kernel = nn.Parameter(torch.empty(inputs + units, units))
        self.candidate_bias = nn.Parameter(torch.zeros(units))
        nn.init.xavier_uniform_(self.gates_kernel)
        nn.init.xavier_uniform_(self.candidate_kernel)

    def step(self, x: Tensor, h: Tensor, c: Tensor) -> Tuple[Tensor, Tensor]:
        """Run one step; there is no cell state."""
        r, u = torch.sigmoid(torch.cat([x, h], 1) @ self.gates_kernel + self.gates_bias).chunk(2, 1)
        new = self.activate(torch.cat([x, r * h], 1) @ self.candidate_kernel + self.candidate_bias)
        return u * h + (1 - u) * new, c

    def tf1_parts(self) -> Dict[str, Tensor]:
        """Tell ``tf1-lstm compare`` which weight is which."""
        return {name.replace("_", "/"): value for name, value in self.named_parameters()}


class TorchResetAfterGRU(_Layer):
    """Keras's and cuDNN's GRU: the reset gate is applied after the recurrent product."""

    has_c = False

    def __init__(self, inputs: int, units: int, forget_bias: float = 1.0, activation: str = "tanh") -> None:
        super().__init__(inputs, units, forget_bias, activation)
        self.kernel = nn.Parameter(torch.empty(inputs, 3 * units))
        self.recurrent_kernel = nn.Parameter(torch.empty(units, 3 * units))
        self.bias = nn.Parameter(torch.zeros(2, 3 * units))
        nn.init.xavier_uniform_(self.kernel)
        nn.init.orthogonal_(self.recurrent_kernel)

    def step(self, x: Tensor, h: Tensor, c: Tensor) -> Tuple[Tensor, Tensor]:
        """Run one step; there is no cell state."""
        u, r, new = (x @ self.kernel + self.bias[0]).chunk(3, 1)
        u_back, r_back, back = (h @ self.recurrent_kernel + self.bias[1]).chunk(3, 1)
        u = torch.sigmoid(u + u_back)
        return u * h + (1 - u) * self.activate(new + torch.sigmoid(r + r_back) * back), c
