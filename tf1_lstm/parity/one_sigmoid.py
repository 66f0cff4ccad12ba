"""A bundle of two classes as a port with one sigmoid has it: its one number z stands for z0 - z1."""

import dataclasses

import numpy as np

from tf1_lstm.parity.bundle import Arrays, Bundle
from tf1_lstm.parity.optimizers import update_steps
from tf1_lstm.parity.problem import problem_of

NOTE = "it answers with one number, which is taken as z0 - z1 of the two classes"


def allows_one_sigmoid(bundle: Bundle) -> bool:
    """Whether the model ends with a softmax of two classes."""
    return bundle.spec.output == "softmax" and bundle.spec.classes == 2 and not bundle.spec.per_step


def as_one_sigmoid(bundle: Bundle) -> Bundle:
    """Return the same model with one number at its end, for class 0 against class 1.

    Loss and gradients stay what they are. The updates are the NumPy reference's: one weight w = w0 - w1
    moves by one step of Adam, two by two.
    """
    spec = dataclasses.replace(bundle.spec, output="sigmoid")
    start = {role: _difference(role, array) for role, array in bundle.weights.items()}
    logits = _one_number(bundle.logits)
    changed = dataclasses.replace(
        bundle,
        own_spec=spec,
        weights=start,
        labels=np.ascontiguousarray(bundle.labels[:, ::-1]),
        logits=logits,
        gradients={r: a[..., :1] if r.startswith("softmax/") else a for r, a in bundle.gradients.items()},
        split_logits=None if bundle.split_logits is None else _one_number(bundle.split_logits),
    )
    problem = problem_of(changed)

    def gradient_of(now: Arrays) -> Arrays:
        found = problem.training(now)
        assert found is not None
        return found.gradients

    updates = update_steps(spec.optimizer, problem.weights, gradient_of, factor=spec.factor)
    single = tuple({role: array.astype(np.float32) for role, array in step.items()} for step in updates)
    return dataclasses.replace(changed, updates=single)


def _difference(role: str, array: np.ndarray) -> np.ndarray:
    return array[..., :1] - array[..., 1:] if role.startswith("softmax/") else array


def _one_number(logits: np.ndarray) -> np.ndarray:
    """Return (0, z0 - z1)."""
    return np.stack([np.zeros_like(logits[:, 0]), logits[:, 0] - logits[:, 1]], axis=1)
