"""Mistakes of the training, and neighbours that have no name: ``python training.py {keras,torch}``.

The model is right; its optimizer and its loss are the framework's own, with the flaw in its own words. One JSON
line for each: what is planted, what it should be called, and what the diagnosis named.
"""

import json
import math
import sys
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import numpy as np

from tests.parity.support import ROWS, make_bundle
from tf1_lstm.parity.bundle import Bundle
from tf1_lstm.parity.diagnosis import diagnose
from tf1_lstm.parity.problem import Numbers, problem_of
from tf1_lstm.parity.watch import Watch

RATE = 0.001
BUNDLE = make_bundle(ROWS, batch=8)
# What is planted -> its name; "" where it has none. A flaw is (what, how much).
Flaw = Tuple[str, float]
CASES: List[Tuple[List[Flaw], str]] = [
    ([], ""),
    ([("rate", 10 * RATE)], "learning-rate"),
    ([("rate", RATE / 10)], "learning-rate"),
    ([("rate", 0.003)], "learning-rate"),
    ([("decoupled decay", 0.04)], "weight-decay"),
    ([("decay", 0.01)], "weight-decay"),
    ([("global norm", 0.1)], "gradients-clipped"),
    ([("epsilon", 1e-6)], "adam-epsilon"),
    ([("epsilon", 1e-7)], "adam-epsilon"),
    ([("smoothing", 0.1)], "labels-smoothed"),
    ([("sum", 1)], "loss-summed"),
    # In pairs.
    ([("rate", 0.01), ("smoothing", 0.1)], "labels-smoothed learning-rate"),
    ([("rate", 0.01), ("sum", 1)], "learning-rate loss-summed"),
    ([("epsilon", 1e-6), ("smoothing", 0.2)], "adam-epsilon labels-smoothed"),
    ([("epsilon", 1e-6), ("sum", 1)], "adam-epsilon loss-summed"),
    ([("decoupled decay", 0.04), ("sum", 1)], "loss-summed weight-decay"),
    # Neighbours.
    ([("rate", 0.001037)], ""),
    ([("decay", 0.0333)], ""),
    # Adam divides a gradient by its own size, so that clipping every number hardly shows in three steps.
    ([("value", 3.3e-3)], ""),
    ([("epsilon", 3e-4)], ""),
    ([("smoothing", 0.1234)], ""),
    ([("factor", 1.5)], ""),
]
# Keras's weight_decay is decoupled; decay that is added to the gradient is PyTorch's.
ONLY_TORCH = ("decay",)


def keras_port(bundle: Bundle, flaws: Dict[str, float]) -> Watch:
    import keras

    from tests.parity.planted.keras_port import build
    from tf1_lstm.parity.watch_keras import KerasWatch

    model = build(bundle, [])
    names = {"decoupled decay": "weight_decay", "global norm": "global_clipnorm", "value": "clipvalue"}
    options: Dict[str, Any] = {names[what]: amount for what, amount in flaws.items() if what in names}
    optimizer = keras.optimizers.Adam(flaws.get("rate", RATE), epsilon=flaws.get("epsilon", 1e-8), **options)
    reduction = "sum" if "sum" in flaws else "sum_over_batch_size"
    own = keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=flaws.get("smoothing", 0.0), reduction=reduction
    )
    factor = flaws.get("factor")
    loss = own if factor is None else lambda labels, logits: factor * own(labels, logits)
    model.compile(optimizer=optimizer, loss=loss)
    return KerasWatch(model, bundle.spec)


def torch_port(bundle: Bundle, flaws: Dict[str, float]) -> Watch:
    import torch

    from tests.parity.planted.torch_port import build
    from tf1_lstm.parity.watch_torch import TorchWatch

    model = build(bundle, [])
    trained = [p for p in model.parameters() if p.requires_grad]
    kind: Any = torch.optim.AdamW if "decoupled decay" in flaws else torch.optim.Adam
    decay = flaws.get("decoupled decay", flaws.get("decay", 0.0))

    class EpsilonHat(kind):
        """PyTorch's, with epsilon where TensorFlow 1 adds it: before the correction of the step."""

        steps = 0

        def step(self, closure: Any = None) -> Any:
            self.steps += 1
            for group in self.param_groups:
                group["eps"] = flaws.get("epsilon", 1e-8) / math.sqrt(1 - 0.999**self.steps)
            if "global norm" in flaws:
                torch.nn.utils.clip_grad_norm_(trained, flaws["global norm"])
            if "value" in flaws:
                torch.nn.utils.clip_grad_value_(trained, flaws["value"])
            return super().step(closure)

    model.configure_optimizers = lambda: EpsilonHat(trained, lr=flaws.get("rate", RATE), weight_decay=decay)
    cross_entropy: Callable[..., Any] = torch.nn.functional.cross_entropy
    reduction = "sum" if "sum" in flaws else "mean"
    model.loss = lambda logits, classes: (
        flaws.get("factor", 1.0)
        * cross_entropy(logits, classes, label_smoothing=flaws.get("smoothing", 0.0), reduction=reduction)
    )
    return TorchWatch(model, bundle.spec)


def main(framework: str) -> None:
    build = keras_port if framework == "keras" else torch_port
    problem = problem_of(BUNDLE)
    for flaws, name in CASES:
        if framework == "keras" and any(what in ONLY_TORCH for what, _ in flaws):
            continue
        watch = build(BUNDLE, dict(flaws))
        trained = watch.train(BUNDLE.inputs, BUNDLE.labels)
        seen = Numbers(
            watch.logits(BUNDLE.inputs),
            watch.steps(BUNDLE.inputs),
            loss=float(np.float32(trained.loss)),
            gradients=trained.gradients,
            updates=tuple(trained.updates),
        )
        found = diagnose(problem, seen)
        line = {
            "planted": " and ".join(f"{what} {amount:g}" for what, amount in flaws),
            "name": name,
            "agrees": found.agrees,
            "named": sorted({" ".join(sorted(e.names)) for e in found.explanations}),
        }
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
