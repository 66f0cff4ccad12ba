"""The recipes as PyTorch modules, with the weights of a bundle.

Each class is built as one would today; ``torch_arrays`` does what a port must not forget: split and
transpose the kernel, reorder the gates, add the forget bias once.
"""

from typing import Any, Dict, Tuple

import torch
from torch import Tensor, nn

from tf1_lstm.parity.bundle import Bundle
from tf1_lstm.parity.layouts import TORCH_LAYERS, to_torch
from tf1_lstm.parity.ports.torch_cells import CoupledLSTM, PeepholeLSTM, ResetBeforeGRU


def load_recurrent(module: nn.Module, bundle: Bundle, direction: str = "fw", layer: int = 0) -> None:
    """Load one cell of a bundle into a recurrent module (or its layer, or its reverse direction).

    PyTorch has two biases. The second starts at zero; it is trained only where the recipe was published
    with two, since their sum then moves twice as far as TensorFlow 1 moves its one.
    """
    spec = bundle.spec
    parts = spec.parts(bundle.weights, direction, layer)
    with torch.no_grad():
        if spec.cell.name not in TORCH_LAYERS:
            for part, parameter in module.tf1_parts().items():
                parameter.copy_(torch.from_numpy(parts[part]))
            return
        suffix = f"_l{layer}" + ("_reverse" if direction == "bw" else "")
        for name, array in to_torch(spec.cell, parts).items():
            getattr(module, name + suffix).copy_(torch.from_numpy(array))
        getattr(module, "bias_hh" + suffix).requires_grad_(bool(bundle.settings.get("double_bias")))


def load_softmax(linear: nn.Linear, bundle: Bundle) -> None:
    """Load the softmax layer."""
    with torch.no_grad():
        linear.weight.copy_(torch.from_numpy(bundle.weights["softmax/weights"].T))
        linear.bias.copy_(torch.from_numpy(bundle.weights["softmax/bias"]))


class ImdbLstm(nn.Module):
    """Word ids ``[batch, steps]`` to logits ``[batch, 2]``: frozen vectors, LSTM, the last output."""

    def __init__(self, bundle: Bundle) -> None:
        super().__init__()
        settings: Dict[str, Any] = bundle.settings
        assert bundle.vectors is not None
        table = torch.from_numpy(bundle.vectors.table())
        self.embedding = nn.Embedding.from_pretrained(table, freeze=True)
        self.recurrent = nn.LSTM(table.shape[1], settings["units"], settings["layers"], batch_first=True)
        self.linear = nn.Linear(settings["units"], settings["classes"])
        for layer in range(settings["layers"]):
            load_recurrent(self.recurrent, bundle, layer=layer)
        load_softmax(self.linear, bundle)

    def forward(self, ids: Tensor) -> Tensor:
        """Return the logits."""
        outputs, _ = self.recurrent(self.embedding(ids))
        return self.linear(outputs[:, -1])


class RowsModel(nn.Module):
    """Pictures ``[batch, 28, 28]``, row by row through one recurrent layer, its last output to logits."""

    def __init__(self, recurrent: nn.Module, bundle: Bundle) -> None:
        super().__init__()
        settings: Dict[str, Any] = bundle.settings
        assert settings["layers"] == 1, "these ports have one layer"
        self.recurrent = recurrent
        self.linear = nn.Linear(settings["units"], settings["classes"])
        load_recurrent(recurrent, bundle)
        load_softmax(self.linear, bundle)

    def forward(self, rows: Tensor) -> Tensor:
        """Return the logits."""
        outputs = self.recurrent(rows)
        if isinstance(outputs, tuple):  # PyTorch's own layers return the state beside the outputs.
            outputs = outputs[0]
        return self.linear(outputs[:, -1])


class MnistRnn(RowsModel):
    """``BasicRNNCell`` over rows of pixels."""

    def __init__(self, bundle: Bundle) -> None:
        super().__init__(nn.RNN(*_sizes(bundle), nonlinearity="tanh", batch_first=True), bundle)


class MnistLstm(RowsModel):
    """``BasicLSTMCell`` over rows of pixels."""

    def __init__(self, bundle: Bundle) -> None:
        super().__init__(nn.LSTM(*_sizes(bundle), batch_first=True), bundle)


class MnistPeephole(RowsModel):
    """``LSTMCell(use_peepholes=True)`` over rows of pixels."""

    def __init__(self, bundle: Bundle) -> None:
        super().__init__(PeepholeLSTM(*_sizes(bundle), forget_bias=bundle.settings["forget_bias"]), bundle)


class MnistCoupled(RowsModel):
    """``CoupledInputForgetGateLSTMCell`` over rows of pixels."""

    def __init__(self, bundle: Bundle) -> None:
        super().__init__(CoupledLSTM(*_sizes(bundle), forget_bias=bundle.settings["forget_bias"]), bundle)


class MnistGru(RowsModel):
    """``GRUCell`` over rows of pixels."""

    def __init__(self, bundle: Bundle) -> None:
        super().__init__(ResetBeforeGRU(*_sizes(bundle)), bundle)


class MnistBilstm(nn.Module):
    """Two directions; as published, the softmax reads the backward state alone.

    With ``readout=both-states`` (the corrected recipe) it reads both, forward first.
    """

    def __init__(self, bundle: Bundle) -> None:
        super().__init__()
        settings: Dict[str, Any] = bundle.settings
        assert settings["layers"] == 1, "this port has one layer in each direction"
        self.reads_both = settings["readout"] == "both-states"
        self.recurrent = nn.LSTM(*_sizes(bundle), batch_first=True, bidirectional=True)
        self.linear = nn.Linear(settings["units"] * (2 if self.reads_both else 1), settings["classes"])
        load_recurrent(self.recurrent, bundle, "fw")
        load_recurrent(self.recurrent, bundle, "bw")
        load_softmax(self.linear, bundle)

    def forward(self, rows: Tensor) -> Tensor:
        """Return the logits."""
        _, (h, _) = self.recurrent(rows)  # h: [directions, batch, units]
        return self.linear(torch.cat([h[0], h[1]], 1) if self.reads_both else h[1])


def _sizes(bundle: Bundle) -> Tuple[int, int]:
    return bundle.settings["input_size"], bundle.settings["units"]
