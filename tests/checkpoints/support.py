"""What several checkpoint tests need: the zoo's list, its values, and a NumPy LSTM of their own."""

import json
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

import numpy as np

HERE = Path(__file__).resolve().parent
ZOO = HERE / "zoo"
MAKER = HERE.parents[1] / "tools" / "make_zoo.py"


def zoo() -> List[Dict[str, Any]]:
    """The zoo's list, as its script wrote it."""
    return json.loads((ZOO / "zoo.json").read_text(encoding="utf-8"))


def expected_of(animal: Dict[str, Any]) -> Dict[str, Tuple[int, ...]]:
    """Role -> shape, as the zoo's list says."""
    return {role: tuple(shape) for role, (_, shape) in animal["weights"].items()}


def sigmoid(values: np.ndarray) -> np.ndarray:
    """The logistic function."""
    return 1 / (1 + np.exp(-values))


def lstm_logits(
    rows: np.ndarray,
    kernel: np.ndarray,
    bias: np.ndarray,
    softmax: Sequence[np.ndarray],
    forget_bias: float = 1.0,
) -> np.ndarray:
    """Logits of a BasicLSTMCell over ``[steps, inputs]``, written out from its definition."""
    units = len(bias) // 4
    h = c = np.zeros(units)
    for row in np.asarray(rows, np.float64):
        i, j, f, o = np.split(np.concatenate([row, h]) @ kernel + bias, 4)
        c = sigmoid(f + forget_bias) * c + sigmoid(i) * np.tanh(j)
        h = sigmoid(o) * np.tanh(c)
    return h @ softmax[0] + softmax[1]
