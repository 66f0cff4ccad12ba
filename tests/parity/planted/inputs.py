"""Ports whose inputs are wrong, and odd ports that are right: ``python inputs.py {keras,torch}``.

The right port is the project's own; what is planted changes its embedding, or stands in front of it. One JSON
line for each: what the comparison of the inputs found, and whether the rest follows from these inputs.
"""

import json
import sys
from pathlib import Path
from typing import Any, Callable, Dict

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import numpy as np

from tests.parity.support import IDS, ROWS, make_bundle
from tf1_lstm.parity import compare
from tf1_lstm.parity.bundle import Bundle
from tf1_lstm.parity.clues import clues_of
from tf1_lstm.parity.diagnosis import diagnose
from tf1_lstm.parity.inputs import explain_inputs, read_inputs
from tf1_lstm.parity.levels import compare_levels
from tf1_lstm.parity.one_sigmoid import as_one_sigmoid
from tf1_lstm.parity.ports import generated
from tf1_lstm.parity.runner import Observed
from tf1_lstm.parity.watch import Watch

IDS_BUNDLE, ROWS_BUNDLE = make_bundle(IDS), make_bundle(ROWS, steps=7)
BACKWARD = make_bundle(ROWS, bidirectional=True, readout="backward-state")
Table = Callable[[np.ndarray], np.ndarray]


def swapped(table: np.ndarray) -> np.ndarray:
    found = table.copy()
    found[[3, 9]] = found[[9, 3]]
    return found


def one_wrong(table: np.ndarray) -> np.ndarray:
    found = table.copy()
    found[IDS_BUNDLE.words.unknown] = 1.0  # type: ignore[union-attr]
    return found


TABLES: Dict[str, Table] = {
    "right": lambda table: table,
    "reversed": lambda table: table[::-1].copy(),
    "shifted": lambda table: np.roll(table, 1, axis=0),
    "swapped": swapped,
    "one row": one_wrong,
    "another order": lambda table: table[np.random.RandomState(1).permutation(len(table))],
    "rounded": lambda table: table.astype(np.float16).astype(np.float32),
}


def keras_ports() -> Any:
    import keras

    for name, change in TABLES.items():
        model = generated.keras_model(IDS_BUNDLE)
        embedding = next(x for x in model.layers if isinstance(x, keras.layers.Embedding))
        embedding.set_weights([change(IDS_BUNDLE.vectors.table())])  # type: ignore[union-attr]
        yield name, IDS_BUNDLE, model
    inner = generated.keras_model(IDS_BUNDLE)
    given = keras.Input((IDS_BUNDLE.spec.steps,), dtype="int32")
    wrong = keras.ops.where(keras.ops.equal(given, int(IDS_BUNDLE.inputs[0, 0])), 7, given)
    yield "one id", IDS_BUNDLE, keras.Model(given, inner(wrong))
    one = as_one_sigmoid(IDS_BUNDLE)
    yield "one sigmoid", one, generated.keras_model(one)
    given = keras.Input((7, 6))
    layer, dense = keras.layers.LSTM(5), keras.layers.Dense(3)
    model = keras.Model(given, dense(layer(given[:, 1:])))
    right = generated.keras_model(ROWS_BUNDLE)
    layer.set_weights(right.layers[1].get_weights())
    dense.set_weights(right.layers[2].get_weights())
    yield "six steps", ROWS_BUNDLE, model
    given = keras.Input((6, 6))
    both, wide = keras.layers.Bidirectional(keras.layers.LSTM(5)), keras.layers.Dense(3)
    model = keras.Model(given, wide(both(given)))
    both.set_weights(generated.keras_model(BACKWARD).layers[1].get_weights())
    kernel = BACKWARD.weights["softmax/weights"]
    wide.set_weights([np.concatenate([kernel * 0, kernel]), BACKWARD.weights["softmax/bias"]])
    yield "unused half", BACKWARD, model


def torch_ports() -> Any:
    import torch
    from torch import nn

    for name, change in TABLES.items():
        module = generated.torch_module(IDS_BUNDLE)
        table = torch.tensor(change(IDS_BUNDLE.vectors.table()))  # type: ignore[union-attr]
        module.embedding.weight.data.copy_(table)
        yield name, IDS_BUNDLE, module

    class Before(nn.Module):
        def __init__(self, inner: Any, change: Any) -> None:
            super().__init__()
            self.inner, self.change = inner, change

        def forward(self, x: Any) -> Any:
            return self.inner(self.change(x))

    first = int(IDS_BUNDLE.inputs[0, 0])
    yield (
        "one id",
        IDS_BUNDLE,
        Before(generated.torch_module(IDS_BUNDLE), lambda x: torch.where(x == first, 7, x)),
    )
    one = as_one_sigmoid(IDS_BUNDLE)
    yield "one sigmoid", one, generated.torch_module(one)
    yield "six steps", ROWS_BUNDLE, Before(generated.torch_module(ROWS_BUNDLE), lambda x: x[:, 1:])
    module = generated.torch_module(BACKWARD)
    wide = nn.Linear(10, 3)
    kernel = BACKWARD.weights["softmax/weights"]
    wide.weight.data = torch.tensor(np.concatenate([kernel * 0, kernel]).T)
    wide.bias.data = torch.tensor(BACKWARD.weights["softmax/bias"])
    module.linear = wide

    def joined(self: Any, x: Any) -> Any:
        _, (h, _) = self.recurrent(x)
        return self.linear(torch.cat([h[0], h[1]], 1))

    type(module).forward = joined
    yield "unused half", BACKWARD, module


def watch_of(framework: str, model: Any, bundle: Bundle) -> Watch:
    if framework == "keras":
        from tf1_lstm.parity.watch_keras import KerasWatch

        return KerasWatch(model, bundle.spec)
    from tf1_lstm.parity.watch_torch import TorchWatch

    return TorchWatch(model, bundle.spec)


def main(framework: str) -> None:
    for name, bundle, model in keras_ports() if framework == "keras" else torch_ports():
        watch = watch_of(framework, model, bundle)
        observed = Observed({"logits": {"logits": watch.logits(bundle.inputs)}}, {}, {}, {}, {})
        observed.arrays["weights"] = watch.weights()
        observed.arrays["steps"] = watch.steps(bundle.inputs)
        observed.arrays["inputs"] = read_inputs(bundle, watch.first_read, watch.table())
        trained = watch.train(bundle.inputs, bundle.labels)
        observed.arrays["training"] = {"loss": np.float32(trained.loss)}
        groups = [("gradients", trained.gradients)]
        groups += [(f"updates/{n + 1}", roles) for n, roles in enumerate(trained.updates)]
        for prefix, roles in groups:
            observed.arrays["training"].update({f"{prefix}/{role}": a for role, a in roles.items()})
        if trained.note:
            observed.reasons["updates"] = trained.note
        levels = compare_levels(bundle, observed, {}, None)
        finding = explain_inputs(bundle, observed.arrays["inputs"])
        follows = None
        from_inputs = compare._from_inputs(bundle, observed)
        if from_inputs is not None:
            follows = diagnose(*from_inputs).agrees
        line = {
            "planted": name,
            "finding": None if finding is None else finding.name,
            "says": "" if finding is None else finding.says,
            "follows": follows,
            "levels": {level.name: level.status for level in levels},
            "reasons": {level.name: level.reason for level in levels},
            "notes": watch.notes,
            "clues": clues_of(bundle, observed, levels),
        }
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
