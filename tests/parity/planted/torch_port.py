"""A PyTorch port with mistakes planted in it, written without the project's own conversion.

``build(bundle, flaws)`` gives the right model for no flaws.
"""

from typing import Any, Collection, Dict

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from tf1_lstm.parity.bundle import Bundle

ORDER = "ijfo"


def build(bundle: Bundle, flaws: Collection[str]) -> nn.Module:
    if bundle.settings["cell"] == "gru":
        return GruPort(bundle, flaws)
    return LstmPort(bundle, flaws)


class HandLSTM(nn.Module):
    """An LSTM by hand, for activations that ``nn.LSTM`` does not have; weights in its layout."""

    def __init__(self, arrays: Dict[str, Tensor], gate: Any, squash: Any) -> None:
        super().__init__()
        for name, array in arrays.items():
            self.register_parameter(name.replace("_l0", ""), nn.Parameter(array))
        self.gate, self.squash = gate, squash

    def forward(self, x: Tensor) -> Any:
        h = c = x.new_zeros(x.shape[0], self.weight_hh.shape[1])
        outputs = []
        for row in x.unbind(1):
            z = row @ self.weight_ih.T + h @ self.weight_hh.T + self.bias_ih
            i, f, g, o = z.chunk(4, 1)
            c = self.gate(f) * c + self.gate(i) * self.squash(g)
            h = self.gate(o) * self.squash(c)
            outputs.append(h)
        return torch.stack(outputs, 1), (h[None], c[None])


class LstmPort(nn.Module):
    def __init__(self, bundle: Bundle, flaws: Collection[str]) -> None:
        super().__init__()
        torch.manual_seed(1)  # functional.dropout draws from no other generator
        self.flaws, self.settings = set(flaws), bundle.settings
        self.has_ids = bundle.vectors is not None
        units = bundle.settings["units"]
        if bundle.vectors is not None:
            self.last, self.unknown = bundle.vectors.words - 1, bundle.vectors.unknown
            table = torch.from_numpy(bundle.vectors.table())
            self.embedding = nn.Embedding.from_pretrained(table, freeze=True)
        width = bundle.sequence().shape[2]
        both = bundle.settings["bidirectional"]
        arrays = _arrays(bundle, self.flaws, "bw" if "directions-swapped" in self.flaws else "fw", "_l0")
        if both:
            other = "fw" if "directions-swapped" in self.flaws else "bw"
            arrays.update(_arrays(bundle, self.flaws, other, "_l0_reverse"))
        if self.flaws & {"hard-sigmoid", "relu-for-tanh"}:
            gate = functional.hardsigmoid if "hard-sigmoid" in self.flaws else torch.sigmoid
            squash = torch.relu if "relu-for-tanh" in self.flaws else torch.tanh
            self.lstm: nn.Module = HandLSTM(arrays, gate, squash)
        else:
            batch_first = "steps-on-batch-axis" not in self.flaws
            self.lstm = nn.LSTM(width, units, batch_first=batch_first, bidirectional=both)
            self.lstm.load_state_dict(arrays)
            for name, parameter in self.lstm.named_parameters():
                if name.startswith("bias_hh") and "bias-trained-twice" not in self.flaws:
                    parameter.requires_grad_(False)
        read = bundle.weights["softmax/weights"]
        self.linear = nn.Linear(*read.shape)
        with torch.no_grad():
            self.linear.weight.copy_(torch.from_numpy(read.T))
            self.linear.bias.copy_(torch.from_numpy(bundle.weights["softmax/bias"]))

    def forward(self, x: Tensor) -> Tensor:
        lengths = None
        if self.has_ids:
            x, lengths = self._embedded(x)
        elif "not-divided-by-255" in self.flaws:
            x = x * 255
        if "columns-for-rows" in self.flaws:
            x = x.transpose(1, 2)
        if "sequence-reversed" in self.flaws:
            x = x.flip(1)
        logits = self.linear(self._features(x, lengths))
        return logits.softmax(1) if "probabilities-for-logits" in self.flaws else logits

    def _embedded(self, ids: Tensor) -> Any:
        steps = ids.shape[1]
        if "unknown-as-padding" in self.flaws:
            ids = torch.where(ids == self.unknown, 0, ids)
        lengths = ((ids != 0) * torch.arange(1, steps + 1)).amax(1)
        if "padding-in-front" in self.flaws:
            ids = torch.stack([row.roll(int(steps - n)) for row, n in zip(ids, lengths)])
            lengths = torch.full_like(lengths, steps)
        if "ids-shifted" in self.flaws:
            ids = torch.where(ids == 0, 0, (ids + 1).clamp(max=self.last))
        return self.embedding(ids), lengths

    def _features(self, x: Tensor, lengths: Any) -> Tensor:
        if "padding-masked" in self.flaws:
            x = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        outputs, (h, c) = self.lstm(x)
        if self.settings["bidirectional"]:
            forward_h, backward_h = h[0], h[1]
            if "backward-output-at-last-step" in self.flaws:
                backward_h = outputs[:, -1, self.settings["units"] :]
            both = [forward_h, backward_h]
            if "directions-joined-in-other-order" in self.flaws:
                both.reverse()
            return torch.cat(both, 1)
        features = c[0] if "cell-state-for-output" in self.flaws else h[0]
        if "steps-on-batch-axis" in self.flaws:
            features = outputs[:, -1]
        if "first-step-for-last" in self.flaws:
            features = outputs[:, 0]
        if "dropout-scaled-twice" in self.flaws:
            features = features * self.settings["output_keep_prob"]
        return (
            functional.dropout(features, 0.25, training=True) if "dropout-left-on" in self.flaws else features
        )


class WithTorchAdam(LstmPort):
    """Trained by ``torch.optim.Adam``, whose epsilon is not TensorFlow 1's."""

    def configure_optimizers(self) -> torch.optim.Optimizer:
        trained = [p for p in self.parameters() if p.requires_grad]
        return torch.optim.Adam(trained, lr=self.settings["learning_rate"])


def _arrays(bundle: Bundle, flaws: Collection[str], direction: str, suffix: str) -> Dict[str, Tensor]:
    units = bundle.settings["units"]
    taken = next((f[len("gate-order-") :] for f in flaws if f.startswith("gate-order-")), ORDER)

    def ordered(array: np.ndarray) -> np.ndarray:
        blocks = dict(zip(taken, np.split(array, 4, axis=-1)))
        return np.concatenate([blocks[gate] for gate in "ifjo"], axis=-1)

    kernel = ordered(bundle.weights[f"lstm/{direction}/0/kernel"])
    bias = ordered(bundle.weights[f"lstm/{direction}/0/bias"]).copy()
    times = 0 if "forget-bias-missing" in flaws else 2 if "forget-bias-twice" in flaws else 1
    bias[units : 2 * units] += times * bundle.settings["forget_bias"]
    if "no-bias" in flaws:
        bias[:] = 0
    halves = (
        [kernel[units:], kernel[:units]] if "kernels-swapped" in flaws else [kernel[:-units], kernel[-units:]]
    )
    if "kernel-transposed" in flaws:
        turned = [half.reshape(4 * units, -1) for half in halves]
    else:
        turned = [half.T for half in halves]
    found = dict(zip(("weight_ih", "weight_hh", "bias_ih"), [*turned, bias]), bias_hh=np.zeros_like(bias))
    return {name + suffix: torch.from_numpy(np.ascontiguousarray(a)) for name, a in found.items()}


class GruPort(nn.Module):
    """TensorFlow 1's GRU by hand, or ``nn.GRU``, which resets after the product."""

    def __init__(self, bundle: Bundle, flaws: Collection[str]) -> None:
        super().__init__()
        self.units = bundle.settings["units"]
        width = bundle.sequence().shape[2]
        weights = {
            role.split("/", 3)[3]: array for role, array in bundle.weights.items() if role[:3] == "gru"
        }
        r, u = np.split(weights["gates/kernel"], 2, axis=1)
        bias_r, bias_u = np.split(weights["gates/bias"], 2)
        if "gate-order-ur" in flaws:
            r, u, bias_r, bias_u = u, r, bias_u, bias_r
        kernel = np.concatenate([r, u, weights["candidate/kernel"]], axis=1).T
        bias = np.concatenate([bias_r, bias_u, weights["candidate/bias"]])
        self.weight_ih = nn.Parameter(torch.from_numpy(kernel[:, :width].copy()))
        self.weight_hh = nn.Parameter(torch.from_numpy(kernel[:, width:].copy()))
        self.bias = nn.Parameter(torch.from_numpy(bias))
        self.reset_after = "reset-after" in flaws
        self.linear = nn.Linear(self.units, bundle.settings["classes"])
        with torch.no_grad():
            self.linear.weight.copy_(torch.from_numpy(bundle.weights["softmax/weights"].T))
            self.linear.bias.copy_(torch.from_numpy(bundle.weights["softmax/bias"]))

    def forward(self, x: Tensor) -> Tensor:
        h = x.new_zeros(x.shape[0], self.units)
        w_hr, w_hu, w_hn = self.weight_hh.chunk(3, 0)
        for row in x.unbind(1):
            r, u, n = (row @ self.weight_ih.T + self.bias).chunk(3, 1)
            r, u = torch.sigmoid(r + h @ w_hr.T), torch.sigmoid(u + h @ w_hu.T)
            n = torch.tanh(n + (r * (h @ w_hn.T) if self.reset_after else (r * h) @ w_hn.T))
            h = u * h + (1 - u) * n
        return self.linear(h)
