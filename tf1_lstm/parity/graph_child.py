"""Run a port of a graph under its own Python: ``python -m tf1_lstm.parity.graph_child FOLDER``.

As ``child`` does for the bundle of a recipe; here a port says by its parameters which inputs it takes.
"""

import inspect
import json
import sys
from pathlib import Path
from typing import Any, Dict, List

import numpy as np

from tf1_lstm.parity.child import WrongOutputError, run_level, versions, write_json
from tf1_lstm.parity.graph_bundle import GraphBundle, plain, read_graph_bundle
from tf1_lstm.parity.target import FUNCTION, KERAS, TORCH, Port, load_target
from tf1_lstm.parity.watch import NotVisibleError

Arrays = Dict[str, np.ndarray]


def main(folder: Path) -> None:
    """Run every level that the port allows."""
    request = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    bundle = read_graph_bundle(request["bundle"])
    seen: List[Port] = []

    def load() -> Arrays:
        port = load_target(request["target"], bundle)
        seen.append(port)
        write_json(folder / "port.json", {"kind": port.kind, "source": port.source, **versions()})
        return {}

    if not run_level(folder, "load", load):
        return
    port = seen[0]
    if port.kind == TORCH:
        port.model.eval()
    if run_level(folder, "logits", lambda: outputs(port, bundle)):
        run_level(folder, "repeats", lambda: outputs(port, bundle))
        run_level(folder, "training", lambda: training(port, bundle))


def arguments_of(function: Any, bundle: GraphBundle, port: Port) -> Dict[str, Any]:
    """What a function is given: the inputs that its parameters name, else those that the outputs need.

    A key is a parameter's name, or a place (``"0"``) for one that is given by its place.
    """
    given = {plain(name): tensor_of(port, array) for name, array in bundle.inputs.items()}
    try:
        parameters = [
            name
            for name, one in inspect.signature(function).parameters.items()
            if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)
        ]
    except (TypeError, ValueError):
        parameters = []
    named = {name: given[name] for name in parameters if name in given}
    if named:
        return named
    used = [name for name in bundle.used if bundle.inputs[name].ndim]
    return {str(place): given[plain(name)] for place, name in enumerate(used)}


def call(function: Any, bundle: GraphBundle, port: Port, by_parameters_of: Any = None) -> Any:
    """Call a port's function with what it takes."""
    given = arguments_of(by_parameters_of or function, bundle, port)
    placed = [value for name, value in given.items() if name.isdigit()]
    return function(*placed) if placed else function(**given)


def tensor_of(port: Port, array: np.ndarray) -> Any:
    """An input as the port's framework has it."""
    if port.kind != TORCH:
        return array
    import torch

    return torch.from_numpy(np.array(array))


def array_of(value: Any) -> np.ndarray:
    """NumPy's view of a tensor of any framework."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    return np.asarray(value.numpy() if hasattr(value, "numpy") else value)


def outputs(port: Port, bundle: GraphBundle) -> Arrays:
    """What the port gives, under the names of the bundle's outputs."""
    names = list(bundle.outputs)
    forward = {TORCH: "forward", KERAS: "call"}.get(port.kind)
    signature = getattr(port.model, forward) if forward else port.model
    answer = call(port.model, bundle, port, signature)
    if isinstance(answer, dict):
        by_plain = {plain(name): name for name in names}
        found = {by_plain.get(key, key): array_of(value) for key, value in answer.items()}
    else:
        values = list(answer) if isinstance(answer, (tuple, list)) and len(names) > 1 else [answer]
        found = dict(zip(names, map(array_of, values)))
    for name in names:
        if name not in found:
            raise WrongOutputError(f"the port returned {len(found)} outputs, expected {', '.join(names)}")
        if found[name].shape != bundle.outputs[name].shape:
            raise WrongOutputError(
                f"the port returned shape {found[name].shape} for {name}, "
                f"expected {bundle.outputs[name].shape}"
            )
        if found[name].dtype.kind not in "fiub":
            raise WrongOutputError(f"the port returned {found[name].dtype} for {name}, expected numbers")
    return {name: found[name] for name in names}


def training(port: Port, bundle: GraphBundle) -> Arrays:
    """Loss and gradients, where the port says how to get them."""
    model = port.model
    if bundle.loss is None:
        raise NotVisibleError("the bundle holds no loss (tf1-lstm graph --loss NAME --to bundle)")
    if not hasattr(model, "loss_of"):
        raise NotVisibleError("the port has no method loss_of")
    if hasattr(model, "gradients_of"):
        found = {name: array_of(value) for name, value in call(model.gradients_of, bundle, port).items()}
        loss = call(model.loss_of, bundle, port)
    elif hasattr(model, "tf1_weights") and port.kind != FUNCTION:
        loss, found = _differentiated(port, bundle)
    else:
        loss, found = call(model.loss_of, bundle, port), {}
    arrays: Arrays = {"loss": np.float32(array_of(loss))}
    arrays.update({f"gradients/{name}": array for name, array in found.items()})
    return arrays


def _differentiated(port: Port, bundle: GraphBundle) -> Any:
    """The loss, and its derivative by each parameter that the port names."""
    weights = port.model.tf1_weights()
    if port.kind == TORCH:
        port.model.zero_grad()
        loss = call(port.model.loss_of, bundle, port)
        loss.backward()
        return loss, {name: array_of(w.grad) for name, w in weights.items() if w.grad is not None}
    import tensorflow as tf

    with tf.GradientTape() as tape:
        loss = call(port.model.loss_of, bundle, port)
    derived = tape.gradient(loss, list(weights.values()))
    pairs = zip(weights, derived)
    return loss, {name: array_of(tf.convert_to_tensor(value)) for name, value in pairs if value is not None}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
