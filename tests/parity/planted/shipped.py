"""Run the shipped ports, or exported weights, under the ports' Python; one JSON line for each.

``python shipped.py ports {keras,torch} NAME...``: status and largest error of these recipes' ports, by level.
``python shipped.py weights {keras,torch,onnx} FOLDER``: the same of the models of ``FOLDER/*.py``.
``python shipped.py trainers NAME...``: three steps of these recipes' trainers of ``ports.train``, with dropout off.
``python shipped.py other-rmsprop``: the same of a port with Keras 3's own RMSprop.
``python shipped.py files {keras,torch} FOLDER``: save the right mnist-lstm port in that framework's files.
"""

import importlib
import json
import sys
from pathlib import Path
from typing import Any, Dict

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import numpy as np

from tests.parity.support import RECIPE_BUNDLES, make_bundle, small
from tf1_lstm.parity.bundle import Bundle, read_bundle
from tf1_lstm.parity.inputs import read_inputs
from tf1_lstm.parity.levels import UNKNOWN, compare_levels
from tf1_lstm.parity.ports import GENERATED, target_of
from tf1_lstm.parity.ports.trainer import make_trainer
from tf1_lstm.parity.runner import Observed
from tf1_lstm.parity.target import load_target
from tf1_lstm.parity.watch import NotVisibleError, Watch, logits_of
from tf1_lstm.recipes import Dropout, find_recipe


def ports(framework: str, *names: str) -> None:
    for name in names:
        recipe, bundle = RECIPE_BUNDLES[name]
        for target in sorted({target_of(recipe, framework), GENERATED[framework]}):
            model = load_target(target, bundle).model
            print(json.dumps({"name": name, "target": target, **seen(framework, model, bundle)}), flush=True)


def watch_of(framework: str, model: Any, bundle: Bundle) -> Watch:
    """What reads a model's numbers."""
    if framework == "keras":
        from tf1_lstm.parity.watch_keras import KerasWatch

        return KerasWatch(model, bundle.spec)
    from tf1_lstm.parity.watch_torch import TorchWatch

    return TorchWatch(model, bundle.spec)


def seen(framework: str, model: Any, bundle: Bundle) -> Dict[str, Any]:
    """What each level says of a model: its status and its largest difference."""
    watch = watch_of(framework, model, bundle)
    arrays = {
        "logits": {"logits": watch.logits(bundle.inputs)},
        "weights": watch.weights(),
        "steps": watch.steps(bundle.inputs),
    }
    arrays["inputs"] = read_inputs(bundle, watch.first_read, watch.table())
    reasons: Dict[str, str] = {}
    try:
        trained = watch.train(bundle.inputs, bundle.labels)
    except NotVisibleError as error:
        reasons["training"] = str(error)
    else:
        arrays["training"] = {"loss": np.float32(trained.loss)}
        groups = {"gradients": trained.gradients}
        groups.update({f"updates/{count + 1}": roles for count, roles in enumerate(trained.updates)})
        if trained.note:
            reasons["updates"] = trained.note
        for prefix, roles in groups.items():
            arrays["training"].update({f"{prefix}/{role}": array for role, array in roles.items()})
    levels = compare_levels(bundle, Observed(arrays, reasons, {}, {}, {}), {}, None)
    return {
        "optimizer": bundle.settings.get("optimizer"),
        "levels": {level.name: [level.status, level.reason] for level in levels},
        "errors": {level.name: level.absolute for level in levels if level.status != UNKNOWN},
    }


def weights(to: str, folder: Path) -> None:
    if to == "keras":  # so that a .keras file with a cell of the project's can be read
        importlib.import_module("tf1_lstm.parity.ports.keras_cells")
    for path in sorted(folder.glob("*.npz")):
        bundle = read_bundle(path)
        found: Dict[str, Any] = {}
        exec(path.with_suffix(".py").read_text(), found)
        line: Dict[str, Any] = {"name": path.stem}
        if to == "onnx":
            (logits,) = found["model"].run(None, {"inputs": bundle.inputs})
            line["error"] = float(np.abs(logits_of(logits, bundle.spec) - bundle.logits).max())
        else:
            line.update(seen(to, found["model"], bundle))
        print(json.dumps(line), flush=True)


def trainers(*names: str) -> None:
    for recipe in names:
        drops = isinstance(find_recipe(recipe).dropout, Dropout)
        bundle = make_bundle(small(recipe, **({"keep_prob": 1.0} if drops else {})))
        table = None if bundle.vectors is None else bundle.vectors.table()
        if recipe == "imdb-bilstm2":  # its embedding starts from word vectors
            table = bundle.weights["embedding"]
        trainer = make_trainer(recipe, bundle.settings, table, seed=3, threads=1)
        framework = "torch" if recipe == "imdb-bilstm2" else "keras"
        load_weights = importlib.import_module(f"tf1_lstm.parity.ports.{framework}_imdb").load_weights
        load_weights(trainer.model, bundle)
        classes = bundle.labels.argmax(axis=1)
        steps, errors = [], []
        for expected in bundle.updates:
            steps.append(trainer.train(bundle.inputs, classes))
            found = watch_of(framework, trainer.model, bundle).weights()
            errors += [float(np.abs(found[role] - array).max()) for role, array in expected.items()]
        load_weights(trainer.model, bundle)
        line = {
            "name": recipe,
            "updates": max(errors),
            "loss": abs(steps[0].loss - bundle.loss),
            "logits": float(np.abs(trainer.logits(bundle.inputs) - bundle.logits[:, 1]).max()),
            "correct": [steps[0].correct, int((bundle.logits.argmax(axis=1) == classes).sum())],
        }
        print(json.dumps(line), flush=True)


def other_rmsprop() -> None:
    import keras

    recipe, bundle = RECIPE_BUNDLES["imdb-lstm32"]
    model = load_target(target_of(recipe, "keras"), bundle).model
    model.compile(keras.optimizers.RMSprop(bundle.settings["learning_rate"]), model.loss)
    print(json.dumps(seen("keras", model, bundle)))


def files(framework: str, folder: Path) -> None:
    bundle = RECIPE_BUNDLES["mnist-lstm"][1]
    model = load_target(GENERATED[framework], bundle).model
    if framework == "keras":
        model.save(folder / "port.keras")
        model.export(folder / "port-savedmodel", verbose=False)
        return
    import torch

    torch.jit.script(model.eval()).save(str(folder / "port.pt"))


if __name__ == "__main__":
    if sys.argv[1] == "ports":
        ports(*sys.argv[2:])
    elif sys.argv[1] == "trainers":
        trainers(*sys.argv[2:])
    elif sys.argv[1] == "other-rmsprop":
        other_rmsprop()
    elif sys.argv[1] == "files":
        files(sys.argv[2], Path(sys.argv[3]))
    else:
        weights(sys.argv[2], Path(sys.argv[3]))
