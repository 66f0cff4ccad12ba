"""Noise of the states left on, and neighbours that have no name: ``python state_noise.py {keras,torch}``.

One JSON line for each port: what is planted, what it should be called, and what the diagnosis named.
"""

import json
import sys
from pathlib import Path
from typing import Any, Dict

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import numpy as np

from tests.parity.support import ROWS, make_bundle
from tf1_lstm.parity.bundle import Bundle
from tf1_lstm.parity.diagnosis import diagnose
from tf1_lstm.parity.layouts import to_keras, to_torch
from tf1_lstm.parity.problem import Numbers, problem_of

RUNS = 48
BUNDLE = make_bundle(ROWS, batch=8)
CASES: Dict[str, str] = {
    "recurrent dropout 0.2": "recurrent-dropout-left-on",
    "recurrent dropout 0.5": "recurrent-dropout-left-on",
    "zoneout 0.1": "zoneout-left-on",
    "zoneout 0.3": "zoneout-left-on",
    "noise 0.1": "",
    "noise 0.4": "",
}
ONLY_TORCH = ("zoneout", "noise")  # Keras has a setting for recurrent dropout alone


def keras_runs(bundle: Bundle, what: str, amount: float) -> np.ndarray:
    import keras

    layer = keras.layers.LSTM(bundle.spec.cell.units, recurrent_dropout=amount)
    dense = keras.layers.Dense(bundle.spec.classes)
    dense(layer(bundle.inputs))
    layer.set_weights(to_keras(bundle.spec.cell, bundle.spec.parts(bundle.weights, "fw", 0)))
    dense.set_weights([bundle.weights["softmax/weights"], bundle.weights["softmax/bias"]])
    return np.stack([np.asarray(dense(layer(bundle.inputs, training=True))) for _ in range(RUNS)])


def torch_runs(bundle: Bundle, what: str, amount: float) -> np.ndarray:
    import torch

    arrays = to_torch(bundle.spec.cell, bundle.spec.parts(bundle.weights, "fw", 0))
    w = {name: torch.tensor(array) for name, array in arrays.items()}
    last = torch.tensor(bundle.weights["softmax/weights"]), torch.tensor(bundle.weights["softmax/bias"])
    x, draw = torch.tensor(bundle.inputs), torch.Generator().manual_seed(1)

    def answer() -> Any:
        h = c = torch.zeros(len(x), bundle.spec.cell.units)
        mask = (torch.rand(h.shape, generator=draw) >= amount) / (1 - amount)
        for row in x.unbind(1):
            read = h * mask if what == "recurrent dropout" else h
            z = row @ w["weight_ih"].T + read @ w["weight_hh"].T + w["bias_ih"]
            i, f, g, o = z.chunk(4, 1)
            new_c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            new_h = torch.sigmoid(o) * torch.tanh(new_c)
            if what == "zoneout":
                new_c = torch.where(torch.rand(h.shape, generator=draw) < amount, c, new_c)
                new_h = torch.where(torch.rand(h.shape, generator=draw) < amount, h, new_h)
            if what == "noise":
                new_h = new_h + amount * torch.randn(h.shape, generator=draw)
            h, c = new_h, new_c
        return h @ last[0] + last[1]

    return np.stack([answer().numpy() for _ in range(RUNS)])


def main(framework: str) -> None:
    runs_of = keras_runs if framework == "keras" else torch_runs
    for planted, name in CASES.items():
        what, _, amount = planted.rpartition(" ")
        if framework == "keras" and what in ONLY_TORCH:
            continue
        runs = runs_of(BUNDLE, what, float(amount)).astype(np.float32)
        found = diagnose(problem_of(BUNDLE), Numbers(runs[0], repeats=runs))
        kept = [e.dropout.keep_prob for e in found.explanations if e.dropout is not None]
        line = {"planted": planted, "name": name, "named": [" ".join(e.names) for e in found.explanations]}
        print(json.dumps({**line, "kept": kept}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
