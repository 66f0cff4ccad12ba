"""PyTorch ports of recipes of word ids with mistakes planted in them, without the project's conversion.

``PlantedPort(bundle, flaws)`` is the right module for no flaws: ``nn.LSTM`` with two joined directions, or
``nn.GRU``, between a trained embedding and one sigmoid.
"""

from typing import Any, Collection

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from tf1_lstm.parity.bundle import Bundle

# The columns of a bundle's kernels, and the rows of PyTorch's.
ORDERS = {"basic_lstm": ("ijfo", "ifjo"), "gru_reset_after": ("urc", "ruc")}


class KerasAdam(torch.optim.Optimizer):
    """Adam with an epsilon of 1e-7 beside the root of the second moment as it is, before any correction."""

    def __init__(self, parameters: Any, rate: float) -> None:
        super().__init__(parameters, {"rate": rate})
        self.count = 0

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        self.count += 1
        for group in self.param_groups:
            for p in group["params"]:
                m, v = self.state.setdefault(p, [torch.zeros_like(p), torch.zeros_like(p)])
                m.add_(0.1 * (p.grad - m))
                v.add_(0.001 * (p.grad**2 - v))
                correction = (1 - 0.999**self.count) ** 0.5 / (1 - 0.9**self.count)
                p.sub_(group["rate"] * correction * m / (v.sqrt() + 1e-7))


class PlantedPort(nn.Module):
    def __init__(self, bundle: Bundle, flaws: Collection[str]) -> None:
        super().__init__()
        torch.manual_seed(1)  # nn.LSTM draws its dropout from no other generator
        settings = bundle.settings
        self.flaws, self.settings, self.unknown = set(flaws), settings, bundle.document["words"]["unknown"]
        self.is_lstm = settings["cell"] == "basic_lstm"
        self.rate = 1 - settings["keep_prob"] if "dropout-left-on" in flaws else 0.0
        self.embedding = nn.Embedding.from_pretrained(
            torch.from_numpy(bundle.weights["embedding"].copy()),
            freeze="embedding-frozen" in flaws,
            padding_idx=0 if "padding-row-frozen" in flaws else None,
        )
        kind: Any = nn.LSTM if self.is_lstm else nn.GRU
        self.recurrent = kind(
            bundle.weights["embedding"].shape[1],
            settings["units"],
            settings["layers"],
            batch_first=True,
            bidirectional=settings["bidirectional"],
            dropout=self.rate,
        )
        with torch.no_grad():
            self._load(bundle)
        self.linear = nn.Linear(*bundle.weights["softmax/weights"].shape)
        with torch.no_grad():
            self.linear.weight.copy_(torch.from_numpy(bundle.weights["softmax/weights"].T))
            self.linear.bias.copy_(torch.from_numpy(bundle.weights["softmax/bias"]))

    def _load(self, bundle: Bundle) -> None:
        kind = "lstm" if self.is_lstm else "gru"
        swapped = {"fw": "bw", "bw": "fw"} if "directions-swapped" in self.flaws else {}
        for layer in range(self.settings["layers"]):
            for direction in bundle.spec.directions:
                suffix = f"_l{layer}" + ("_reverse" if direction == "bw" else "")
                prefix = f"{kind}/{swapped.get(direction, direction)}/{layer}/"
                for name, array in self._arrays(bundle, prefix).items():
                    parameter = getattr(self.recurrent, name + suffix)
                    parameter.copy_(torch.from_numpy(np.ascontiguousarray(array)))
                    if name == "bias_hh" and "bias-trained-once" in self.flaws:
                        parameter.requires_grad_(False)

    def _arrays(self, bundle: Bundle, prefix: str) -> Any:
        found, wanted = ORDERS[self.settings["cell"]]
        found = next((f[len("gate-order-") :] for f in self.flaws if f.startswith("gate-order-")), found)
        units = self.settings["units"]

        def ordered(array: np.ndarray) -> np.ndarray:
            blocks = dict(zip(found, np.split(array, len(found), axis=-1)))
            return np.concatenate([blocks[gate] for gate in wanted], axis=-1)

        kernel, bias = (ordered(bundle.weights[prefix + part]) for part in ("kernel", "bias"))
        if not self.is_lstm:
            recurrent = ordered(bundle.weights[prefix + "recurrent_kernel"])
            return {"weight_ih": kernel.T, "weight_hh": recurrent.T, "bias_ih": bias[0], "bias_hh": bias[1]}
        bias = bias.copy()
        if "forget-bias-added" in self.flaws:
            bias[units : 2 * units] += 1
        halves = {"weight_ih": kernel[:-units].T, "weight_hh": kernel[-units:].T}
        return {**halves, "bias_ih": 0.25 * bias, "bias_hh": 0.75 * bias}

    def forward(self, ids: Tensor) -> Tensor:
        steps = ids.shape[1]
        used = ((ids != 0) * torch.arange(1, steps + 1)).amax(1)
        lengths = (ids != 0).sum(1) if self.settings["padding"] == "front" else used
        if "unknown-as-padding" in self.flaws:
            ids = torch.where(ids == self.unknown, 0, ids)
        if "padding-in-front" in self.flaws:
            ids = torch.stack([row.roll(int(steps - n)) for row, n in zip(ids, used)])
        x = self._drop(self.embedding(ids))
        if "padding-masked" in self.flaws:
            x = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        if self.rate:
            self.recurrent.train()
        outputs, state = self.recurrent(x)
        h = state[0] if self.is_lstm else state
        answer = self.linear(self._drop(self._features(outputs, h)))
        if "probabilities-for-logits" in self.flaws:
            answer = answer.sigmoid()
        return -answer if "classes-swapped" in self.flaws else answer

    def _features(self, outputs: Any, h: Tensor) -> Tensor:
        if not self.settings["bidirectional"]:
            return h[-1]
        forward_h, backward_h = h[-2], h[-1]
        if "first-layer-for-last" in self.flaws:
            forward_h, backward_h = h[0], h[1]
        if "backward-output-at-last-step" in self.flaws:
            backward_h = outputs[:, -1, self.settings["units"] :]
        both = [forward_h, backward_h]
        return torch.cat(both[::-1] if "directions-joined-in-other-order" in self.flaws else both, 1)

    def _drop(self, x: Tensor) -> Tensor:
        return functional.dropout(x, self.rate, training=True) if self.rate else x

    def loss(self, answer: Tensor, classes: Tensor) -> Tensor:
        if "labels-swapped" in self.flaws:
            classes = 1 - classes
        of = functional.binary_cross_entropy_with_logits
        return of(
            answer.squeeze(1),
            classes.to(answer.dtype),
            reduction="sum" if "loss-summed" in self.flaws else "mean",
        )

    def configure_optimizers(self) -> torch.optim.Optimizer:
        trained, rate = [p for p in self.parameters() if p.requires_grad], self.settings["learning_rate"]
        if self.settings["optimizer"] == "keras-rmsprop":
            if "rmsprop-decay" in self.flaws:
                return torch.optim.RMSprop(trained, rate)
            return torch.optim.RMSprop(trained, rate, 0.9, 1e-8 if "rmsprop-epsilon" in self.flaws else 1e-7)
        return KerasAdam(trained, rate) if "adam-epsilon" in self.flaws else torch.optim.Adam(trained, rate)
