"""Run the shipped ports, or exported weights, under the ports' Python; one JSON line for each.

``python shipped.py ports {keras,torch}``: status and largest error of each recipe's port, by level.
``python shipped.py weights FOLDER``: the same of the models that ``FOLDER/*.json`` say how to load.
``python shipped.py trainers``: three steps of each trainer of ``ports.train``, with dropout off.
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

from tests.parity.support import IMDB_RECIPES, RECIPE_BUNDLES, make_bundle, small
from tf1_lstm.parity.bundle import Bundle, read_bundle
from tf1_lstm.parity.levels import UNKNOWN, compare_levels
from tf1_lstm.parity.ports import TARGETS
from tf1_lstm.parity.ports.trainer import make_trainer
from tf1_lstm.parity.runner import Observed
from tf1_lstm.parity.target import load_target
from tf1_lstm.parity.watch import NotVisibleError, Watch


def ports(framework: str) -> None:
    for name, (recipe, bundle) in RECIPE_BUNDLES.items():
        if framework in TARGETS[recipe]:
            model = load_target(TARGETS[recipe][framework], bundle).model
            print(json.dumps({"name": name, **seen(framework, model, bundle)}), flush=True)


def watch_of(framework: str, model: Any, bundle: Bundle) -> Watch:
    """What reads a model's numbers."""
    classes = bundle.settings["classes"]
    if framework == "keras":
        from tf1_lstm.parity.watch_keras import KerasWatch

        return KerasWatch(model, bundle.spec, classes)
    from tf1_lstm.parity.watch_torch import TorchWatch

    return TorchWatch(model, bundle.spec, classes)


def seen(framework: str, model: Any, bundle: Bundle) -> Dict[str, Any]:
    """What each level says of a model: its status and its largest difference."""
    watch = watch_of(framework, model, bundle)
    arrays = {
        "logits": {"logits": watch.logits(bundle.inputs)},
        "weights": watch.weights(),
        "steps": watch.steps(bundle.inputs),
    }
    reasons: Dict[str, str] = {}
    try:
        trained = watch.train(bundle.inputs, bundle.labels)
    except NotVisibleError as error:
        reasons["training"] = str(error)
    else:
        arrays["training"] = {"loss": np.float32(trained.loss)}
        groups = {"gradients": trained.gradients}
        groups.update({f"updates/{count + 1}": roles for count, roles in enumerate(trained.updates)})
        for prefix, roles in groups.items():
            arrays["training"].update({f"{prefix}/{role}": array for role, array in roles.items()})
    levels = compare_levels(bundle, Observed(arrays, reasons, {}, {}, {}), {}, None)
    return {
        "levels": {level.name: [level.status, level.reason] for level in levels},
        "errors": {level.name: level.absolute for level in levels if level.status != UNKNOWN},
    }


def weights(folder: Path) -> None:
    for path in sorted(folder.glob("*.json")):
        request = json.loads(path.read_text())
        bundle = read_bundle(request["bundle"])
        found: Dict[str, Any] = {}
        if request["to"] == "torch":
            target = TARGETS[request["recipe"]].get("torch")
            found["model"] = load_target(target, bundle).model if target else plain_module(bundle)
            for parameter in found["model"].parameters():
                parameter.data.zero_()
        exec("\n".join(request["lines"]), found)
        line = {"name": request["name"], **seen(request["to"], found["model"], bundle)}
        print(json.dumps(line), flush=True)


def trainers() -> None:
    for recipe in IMDB_RECIPES:
        bundle = make_bundle(small(recipe, keep_prob=1.0))
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
    model = load_target(TARGETS[recipe]["keras"], bundle).model
    model.compile(keras.optimizers.RMSprop(bundle.settings["learning_rate"]), model.loss)
    print(json.dumps(seen("keras", model, bundle)))


def plain_module(bundle: Bundle) -> Any:
    """A recipe that comes without a PyTorch port, as anyone would write it."""
    from torch import nn

    class Plain(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            settings = bundle.settings
            width = bundle.sequence().shape[-1]
            kind = {"basic_rnn": nn.RNN, "basic_lstm": nn.LSTM, "gru_reset_after": nn.GRU}[settings["cell"]]
            self.embedding = nn.Embedding(bundle.document["words"]["count"], width)
            self.recurrent = kind(width, settings["units"], settings["layers"], batch_first=True)
            self.dense = (
                nn.Linear(settings["units"], settings["dense_units"]) if settings["dense_units"] else None
            )
            self.linear = nn.Linear(settings["dense_units"] or settings["units"], 1)
            self.embedding.requires_grad_(bundle.spec.trains_embedding)
            if kind is not nn.GRU:  # TensorFlow 1 and Keras have one bias here
                for name, parameter in self.recurrent.named_parameters():
                    parameter.requires_grad_("bias_hh" not in name)

        def forward(self, ids: Any) -> Any:
            last = self.recurrent(self.embedding(ids))[0][:, -1]
            return self.linear(last if self.dense is None else self.dense(last).relu())

    return Plain()


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
    elif sys.argv[1] == "trainers":
        trainers()
    elif sys.argv[1] == "other-rmsprop":
        other_rmsprop()
    elif sys.argv[1] == "files":
        files(sys.argv[2], Path(sys.argv[3]))
    else:
        weights(Path(sys.argv[2]))
