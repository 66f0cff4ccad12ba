"""Mistakes around the cells, and neighbours that have no name: ``python heads.py {keras,torch}``.

Each port is an LSTM of the framework and a last layer, with the flaw written in the framework's own words.
One JSON line for each: what is planted, whether it has a name, and what the diagnosis named.
"""

import json
import sys
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import numpy as np

from tests.parity.support import IDS, ROWS, make_bundle
from tf1_lstm.parity.bundle import Bundle
from tf1_lstm.parity.diagnosis import diagnose
from tf1_lstm.parity.layouts import to_keras, to_torch
from tf1_lstm.parity.problem import Numbers, problem_of

BUNDLES = {"rows": make_bundle(ROWS, batch=8), "ids": make_bundle(IDS, batch=8)}
# name -> (bundle, mistake); the flaws themselves are in the frameworks' tables below.
NAMED: Dict[str, Tuple[str, str]] = {
    "right": ("rows", ""),
    "mean": ("rows", "mean-over-steps"),
    "max": ("rows", "max-over-steps"),
    "h + c": ("rows", "cell-state-added"),
    "last word": ("ids", "output-at-last-word"),
    "layer norm": ("rows", "layer-normalised"),
    "relu behind": ("rows", "states-activated"),
    "log-softmax": ("rows", "log-probabilities-for-logits"),
    "temperature": ("rows", "logits-scaled"),
    "tanh last": ("rows", "logits-activated"),
    "normalised": ("rows", "pictures-normalised"),
    "reshape": ("rows", "reshaped-for-transposed"),
    "float16": ("rows", "half-precision"),
    "mean, log-softmax": ("rows", "log-probabilities-for-logits mean-over-steps"),
    "normalised, h + c": ("rows", "cell-state-added pictures-normalised"),
}
NEIGHBOURS: Dict[str, str] = {
    "mean of the last half": "rows",
    "sum": "rows",
    "minimum": "rows",
    "h - c": "rows",
    "word before the last": "ids",
    "scaled layer norm": "rows",
    "gelu behind": "rows",
    "log-softmax, base 2": "rows",
    "other normalisation": "rows",
}


def keras_answer(bundle: Bundle, flaw: str, inputs: np.ndarray) -> np.ndarray:
    import keras
    from keras import ops

    layer = keras.layers.LSTM(bundle.spec.cell.units, return_sequences=True, return_state=True)
    dense = keras.layers.Dense(bundle.spec.classes)
    x = ops.convert_to_tensor(inputs)
    outputs, h, c = layer(x)
    features = keras_features(ops, keras, flaw, outputs, h, c, bundle)
    dense(features)
    weights = to_keras(bundle.spec.cell, bundle.spec.parts(bundle.weights, "fw", 0))
    last = [bundle.weights["softmax/weights"], bundle.weights["softmax/bias"]]
    if "float16" in flaw:
        weights, last = (
            [a.astype(np.float16).astype(np.float32) for a in group] for group in (weights, last)
        )
    layer.set_weights(weights)
    dense.set_weights(last)
    outputs, h, c = layer(x)
    logits = dense(keras_features(ops, keras, flaw, outputs, h, c, bundle))
    post: Dict[str, Callable[[Any], Any]] = {
        "log-softmax": ops.log_softmax,
        "mean, log-softmax": ops.log_softmax,
        "log-softmax, base 2": lambda z: ops.log_softmax(z) / float(np.log(2)),
        "temperature": lambda z: z / 2.5,
        "tanh last": ops.tanh,
    }
    return np.asarray(post.get(flaw, lambda z: z)(logits))


def keras_features(ops: Any, keras: Any, flaw: str, outputs: Any, h: Any, c: Any, bundle: Bundle) -> Any:
    steps = outputs.shape[1]
    if flaw in ("last word", "word before the last"):
        rows = np.arange(len(bundle.inputs))
        last = np.array([np.flatnonzero(row).max() for row in bundle.inputs]) - (flaw != "last word")
        return ops.convert_to_tensor(np.asarray(outputs)[rows, last])
    table: Dict[str, Callable[[], Any]] = {
        "mean": lambda: ops.mean(outputs, axis=1),
        "mean, log-softmax": lambda: keras.layers.GlobalAveragePooling1D()(outputs),
        "max": lambda: keras.layers.GlobalMaxPooling1D()(outputs),
        "h + c": lambda: h + c,
        "normalised, h + c": lambda: h + c,
        "layer norm": lambda: keras.layers.LayerNormalization()(h),
        "relu behind": lambda: keras.layers.Activation("relu")(h),
        "mean of the last half": lambda: ops.mean(outputs[:, steps // 2 :], axis=1),
        "sum": lambda: ops.sum(outputs, axis=1),
        "minimum": lambda: ops.min(outputs, axis=1),
        "h - c": lambda: h - c,
        "scaled layer norm": lambda: 0.7 * keras.layers.LayerNormalization()(h),
        "gelu behind": lambda: ops.gelu(h),
    }
    return table.get(flaw, lambda: h)()


def torch_answer(bundle: Bundle, flaw: str, inputs: np.ndarray) -> np.ndarray:
    import torch
    from torch import nn

    units = bundle.spec.cell.units
    lstm = nn.LSTM(inputs.shape[2], units, batch_first=True)
    arrays = to_torch(bundle.spec.cell, bundle.spec.parts(bundle.weights, "fw", 0))
    lstm.load_state_dict({f"{name}_l0": torch.tensor(array) for name, array in arrays.items()})
    linear = nn.Linear(units, bundle.spec.classes)
    linear.weight.data = torch.tensor(bundle.weights["softmax/weights"].T)
    linear.bias.data = torch.tensor(bundle.weights["softmax/bias"])
    if flaw == "float16":
        for module in (lstm, linear):
            module.half().float()
    with torch.no_grad():
        outputs, (h, c) = lstm(torch.tensor(inputs))
        h, c, steps = h[0], c[0], outputs.shape[1]
        lengths = torch.tensor(
            [int(np.flatnonzero(r.any(-1) if r.ndim > 1 else r).max()) for r in bundle.inputs]
        )
        rows = torch.arange(len(inputs))
        table: Dict[str, Callable[[], Any]] = {
            "mean": lambda: outputs.mean(1),
            "mean, log-softmax": lambda: outputs.mean(1),
            "max": lambda: outputs.max(1).values,
            "h + c": lambda: h + c,
            "normalised, h + c": lambda: h + c,
            "last word": lambda: outputs[rows, lengths],
            "layer norm": lambda: nn.LayerNorm(units)(h),
            "relu behind": lambda: torch.relu(h),
            "mean of the last half": lambda: outputs[:, steps // 2 :].mean(1),
            "sum": lambda: outputs.sum(1),
            "minimum": lambda: outputs.min(1).values,
            "h - c": lambda: h - c,
            "word before the last": lambda: outputs[rows, lengths - 1],
            "scaled layer norm": lambda: 0.7 * nn.LayerNorm(units)(h),
            "gelu behind": lambda: nn.functional.gelu(h),
        }
        logits = linear(table.get(flaw, lambda: h)())
        post: Dict[str, Callable[[Any], Any]] = {
            "log-softmax": lambda z: z.log_softmax(1),
            "mean, log-softmax": nn.LogSoftmax(1),
            "log-softmax, base 2": lambda z: z.log_softmax(1) / float(np.log(2)),
            "temperature": lambda z: z / 2.5,
            "tanh last": torch.tanh,
        }
        return post.get(flaw, lambda z: z)(logits).numpy()


def prepared(bundle: Bundle, flaw: str) -> np.ndarray:
    """What the framework's LSTM is given."""
    if bundle.vectors is not None:
        return bundle.vectors.values[bundle.inputs]
    x = bundle.inputs
    if flaw.startswith("normalised"):
        return ((x - 0.1307) / 0.3081).astype(np.float32)
    if flaw == "other normalisation":
        return ((x - 0.2) / 0.4).astype(np.float32)
    return x.reshape(x.shape[1], x.shape[0], -1).swapaxes(0, 1).copy() if flaw == "reshape" else x


def main(framework: str) -> None:
    answer = keras_answer if framework == "keras" else torch_answer
    cases: List[Tuple[str, str, str]] = [(flaw, base, name) for flaw, (base, name) in NAMED.items()]
    cases += [(flaw, base, "") for flaw, base in NEIGHBOURS.items()]
    for flaw, base, name in cases:
        bundle = BUNDLES[base]
        found = diagnose(problem_of(bundle), Numbers(answer(bundle, flaw, prepared(bundle, flaw))))
        line = {
            "planted": flaw,
            "name": name,
            "agrees": found.agrees,
            "named": [" ".join(sorted(e.names)) for e in found.explanations],
        }
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
