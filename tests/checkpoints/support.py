"""What several checkpoint tests need: the cases' list, its values, and a NumPy LSTM of their own."""

import json
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

import numpy as np

HERE = Path(__file__).resolve().parent
CASES = HERE / "cases"
MAKER = HERE.parents[1] / "tools" / "make_checkpoint_cases.py"


def listed_cases() -> List[Dict[str, Any]]:
    """The checkpoint cases's list, as its script wrote it."""
    return json.loads((CASES / "cases.json").read_text(encoding="utf-8"))


def expected_of(case: Dict[str, Any]) -> Dict[str, Tuple[int, ...]]:
    """Role -> shape, as the cases' list says."""
    return {role: tuple(shape) for role, (_, shape) in case["weights"].items()}


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
