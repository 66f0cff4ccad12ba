"""Run the shipped ports, or exported weights, under the ports' Python; one JSON line for each.

``python shipped.py ports {keras,torch}``: largest errors of each recipe's port, by level.
``python shipped.py weights FOLDER``: errors of the models that ``FOLDER/*.json`` say how to load.
``python shipped.py files {keras,torch} FOLDER``: save the right mnist-lstm port in that framework's files.
"""

import json
import sys
from pathlib import Path
from typing import Any, Dict

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import numpy as np

from tests.parity.support import RECIPE_BUNDLES
from tf1_lstm.parity.bundle import read_bundle
from tf1_lstm.parity.levels import compare_levels
from tf1_lstm.parity.ports import TARGETS
from tf1_lstm.parity.runner import Observed
from tf1_lstm.parity.target import load_target


def ports(framework: str) -> None:
    for name, (recipe, bundle) in RECIPE_BUNDLES.items():
        port = load_target(TARGETS[recipe][framework], bundle)
        classes = bundle.settings["classes"]
        if framework == "keras":
            from tf1_lstm.parity.watch_keras import KerasWatch

            watch: Any = KerasWatch(port.model, bundle.spec, classes)
        else:
            from tf1_lstm.parity.watch_torch import TorchWatch

            watch = TorchWatch(port.model, bundle.spec, classes)
        trained = watch.train(bundle.inputs, bundle.labels)
        training: Dict[str, Any] = {"loss": np.float32(trained.loss)}
        training.update({f"gradients/{role}": array for role, array in trained.gradients.items()})
        for count, arrays in enumerate(trained.adam):
            training.update({f"adam/{count + 1}/{role}": array for role, array in arrays.items()})
        seen = {
            "logits": {"logits": watch.logits(bundle.inputs)},
            "weights": watch.weights(),
            "steps": watch.steps(bundle.inputs),
            "training": training,
        }
        levels = compare_levels(bundle, Observed(seen, {}, {}, {}, {}), {}, None)
        line = {"name": name, "levels": {level.name: [level.status, level.reason] for level in levels}}
        print(json.dumps(line), flush=True)


def weights(folder: Path) -> None:
    for path in sorted(folder.glob("*.json")):
        request = json.loads(path.read_text())
        bundle = read_bundle(request["bundle"])
        found: Dict[str, Any] = {}
        if request["to"] == "torch":
            found["model"] = load_target(TARGETS[request["recipe"]]["torch"], bundle).model.eval()
            for parameter in found["model"].parameters():
                parameter.data.zero_()
        exec("\n".join(request["lines"]), found)
        inputs: Any = bundle.inputs
        if request["to"] == "torch":
            import torch

            inputs = torch.from_numpy(inputs.astype(np.int64) if inputs.ndim == 2 else inputs)
        logits = found["model"](inputs)
        logits = logits.detach().numpy() if hasattr(logits, "detach") else np.asarray(logits)
        error = float(np.abs(logits - bundle.logits).max())
        print(json.dumps({"name": path.stem, "error": error}), flush=True)


def files(framework: str, folder: Path) -> None:
    bundle = RECIPE_BUNDLES["mnist-lstm"][1]
    model = load_target(TARGETS["mnist-lstm"][framework], bundle).model
    if framework == "keras":
        model.save(folder / "port.keras")
        model.export(folder / "port-savedmodel", verbose=False)
        return
    import torch

    torch.jit.script(model.eval()).save(str(folder / "port.pt"))


if __name__ == "__main__":
    if sys.argv[1] == "ports":
        ports(sys.argv[2])
    elif sys.argv[1] == "files":
        files(sys.argv[2], Path(sys.argv[3]))
    else:
        weights(Path(sys.argv[2]))
