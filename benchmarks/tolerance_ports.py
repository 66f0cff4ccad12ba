"""Right ports, and ports with one small mistake, on one bundle: the ports' side of ``tolerances.py``.

``.venv-ports/bin/python benchmarks/tolerance_ports.py BUNDLE.npz ALLOWANCE...``: one JSON line for each port.
"""

import json
import sys
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, Optional, Tuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch

from tf1_lstm.parity.bundle import Bundle, read_bundle
from tf1_lstm.parity.levels import compare_levels
from tf1_lstm.parity.ports import PUBLISHED
from tf1_lstm.parity.ports.generated import keras_model, torch_module
from tf1_lstm.parity.runner import Observed
from tf1_lstm.parity.target import KERAS, load_target
from tf1_lstm.parity.watch import NotVisibleError, Watch
from tf1_lstm.parity.watch_keras import KerasWatch
from tf1_lstm.parity.watch_torch import TorchWatch

NOTHING = 1e30  # off by more than any tolerance


def main(path: str, allowances: Tuple[str, ...]) -> None:
    """Print a line for each port."""
    bundle = read_bundle(path)
    for port, mistake, make in ports(bundle):
        watch = make()
        if watch is None:
            continue
        observed = see(watch, bundle)
        excess = {a: excess_of(bundle, observed, float(a)) for a in allowances}
        print(json.dumps({"port": port, "mistake": mistake, "excess": excess}), flush=True)


def see(watch: Watch, bundle: Bundle) -> Observed:
    """Read every level of a port."""
    arrays: Dict[str, Dict[str, np.ndarray]] = {"logits": {"logits": watch.logits(bundle.inputs)}}
    for level, read in (("weights", watch.weights), ("steps", lambda: watch.steps(bundle.inputs))):
        with suppress(NotVisibleError):
            arrays[level] = read()
    with suppress(NotVisibleError):
        trained = watch.train(bundle.inputs, bundle.labels)
        found = {"loss": np.float32(trained.loss)}
        found.update({f"gradients/{role}": array for role, array in trained.gradients.items()})
        for number, step in enumerate(trained.updates):
            found.update({f"updates/{number + 1}/{role}": array for role, array in step.items()})
        arrays["training"] = found
    return Observed(arrays, {}, {}, {}, {})


def excess_of(bundle: Bundle, observed: Observed, allowance: float) -> float:
    """Return how far a port is off at its worst level, beyond what rounding explains."""
    levels = compare_levels(bundle, observed, {"": 1e30}, None, allowance)
    broken = any(level.status == "FAIL" for level in levels)  # another shape, or NaN
    return NOTHING if broken else max(level.excess or 0.0 for level in levels)


Make = Callable[[], Optional[Watch]]


def ports(bundle: Bundle) -> Iterator[Tuple[str, str, Make]]:
    """Yield (port, mistake, what makes it); a right one has the mistake ""."""
    spec = bundle.spec

    def of_torch(changed: Bundle = bundle, change: Callable[[Any], Any] = lambda module: module) -> Make:
        return lambda: TorchWatch(change(torch_module(changed)), spec)

    def optimized(make: Callable[[Any], Any]) -> Make:
        def change(module: Any) -> Any:
            trained = [p for p in module.parameters() if p.requires_grad]
            optimizer = make(trained)
            module.configure_optimizers = lambda: optimizer
            return module

        return of_torch(change=change)

    def lossy(loss: Callable[[Any, Any], Any]) -> Make:
        def change(module: Any) -> Any:
            module.loss = loss
            return module

        return of_torch(change=change)

    yield "torch", "", of_torch()
    yield "torch, one example after the other", "", of_torch(change=OneByOne)
    yield "keras", "", lambda: KerasWatch(keras_model(bundle), spec)
    for target in PUBLISHED.get(bundle.recipe, {}).values():
        port = load_target(target, bundle)
        kind: Any = KerasWatch if port.kind == KERAS else TorchWatch
        yield target.rpartition(":")[2], "", partial(kind, port.model, spec)

    kernel = next(role for role in bundle.weights if role.endswith("kernel") and "softmax" not in role)
    bias = next(role for role in bundle.weights if role.endswith("bias") and "softmax" not in role)

    def moved(role: str, how: Callable[[np.ndarray], np.ndarray]) -> Bundle:
        return replace(bundle, weights={**bundle.weights, role: how(bundle.weights[role]).astype(np.float32)})

    def one_off(amount: float) -> Callable[[np.ndarray], np.ndarray]:
        def how(array: np.ndarray) -> np.ndarray:
            found = array.copy()
            found.reshape(-1)[found.size // 2] += amount
            return found

        return how

    for amount in (1e-3, 1e-4):
        yield "torch", f"one weight off by {amount:g}", of_torch(moved(kernel, one_off(amount)))
    yield "keras", "one bias off by 0.001", lambda: KerasWatch(keras_model(moved(bias, one_off(1e-3))), spec)
    yield "torch", "kernel in bfloat16", of_torch(moved(kernel, _bfloat16))
    half = {r: a.astype(np.float16).astype(np.float32) for r, a in bundle.weights.items()}
    yield "torch", "weights in float16", of_torch(replace(bundle, weights=half))
    adam = spec.optimizer
    rate = adam.learning_rate
    yield "torch", "learning rate 1 % larger", optimized(lambda p: _rule(p, adam, learning_rate=1.01 * rate))
    yield (
        "torch",
        "learning rate 0.1 % larger",
        optimized(lambda p: _rule(p, adam, learning_rate=1.001 * rate)),
    )
    for epsilon in (1e-7, 1e-6) if hasattr(adam, "epsilon_hat") else (1e-8, 1e-6):
        yield "torch", f"epsilon {epsilon:g}", optimized(partial(_rule, rule=adam, epsilon=epsilon))
    yield "torch", "weight decay 0.01, decoupled", optimized(lambda p: _rule(p, adam, decoupled_decay=0.01))
    yield "torch", "weight decay 0.001", optimized(lambda p: _rule(p, adam, weight_decay=1e-3))
    if spec.output == "softmax" and not spec.per_step:
        cross_entropy = torch.nn.functional.cross_entropy
        yield (
            "torch",
            "labels smoothed by 0.01",
            lossy(lambda z, y: cross_entropy(z, y, label_smoothing=0.01)),
        )
        yield "torch", "loss summed", lossy(lambda z, y: cross_entropy(z, y, reduction="sum"))


class OneByOne(torch.nn.Module):  # type: ignore[misc]
    """A right module that adds up in another order: the examples one by one."""

    def __init__(self, module: Any) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Any) -> Any:
        """Return the logits."""
        if torch.is_grad_enabled():
            return torch.cat([self.module(row[None]) for row in x])
        return self.module(x)


def _bfloat16(array: np.ndarray) -> np.ndarray:
    return torch.from_numpy(array.copy()).bfloat16().float().numpy()


class _Rule:
    """Any of the reference's rules as an optimizer of tensors, its arithmetic in float64."""

    def __init__(self, parameters: Any, rule: Any) -> None:
        self._parameters, self._rule, self._count = parameters, rule, 0
        self._slots = [rule.slots(p.detach().numpy().astype(np.float64)) for p in parameters]

    def step(self) -> None:
        """Move every parameter once."""
        self._count += 1
        arrays = {str(n): p.detach().numpy().astype(np.float64) for n, p in enumerate(self._parameters)}
        gradients = {
            str(n): np.zeros_like(arrays[str(n)]) if p.grad is None else p.grad.numpy().astype(np.float64)
            for n, p in enumerate(self._parameters)
        }
        taken = self._rule.taken(gradients, arrays)
        for n, parameter in enumerate(self._parameters):
            move, self._slots[n] = self._rule.move(self._slots[n], taken[str(n)], self._count)
            with torch.no_grad():
                parameter.copy_(torch.from_numpy(self._rule.decayed(str(n), arrays[str(n)]) - move))


def _rule(parameters: Any, rule: Any, **changes: Any) -> Any:
    return _Rule(parameters, replace(rule, **changes))


if __name__ == "__main__":
    main(sys.argv[1], tuple(sys.argv[2:]))
