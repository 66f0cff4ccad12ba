"""From the last layer's scores to what a model answers, to its loss, and back, in NumPy."""

from typing import Tuple

import numpy as np

from tf1_lstm.parity.cells import ACTIVATIONS, sigmoid
from tf1_lstm.parity.spec import Spec


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return probabilities ``[batch, classes]``."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Return the logarithms of the probabilities."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def answer(spec: Spec, scores: np.ndarray) -> np.ndarray:
    """Return the logits ``[batch, classes]``, or what the model returns in their place."""
    scores = ACTIVATIONS[spec.scores_activation][0](scores) * spec.temperature
    if spec.output == "sigmoid":
        z = -scores if spec.answer_order == "sign" else scores
        found = np.concatenate([np.zeros_like(z), sigmoid(z) if spec.probabilities else z], axis=1)
    elif spec.log_probabilities:
        found = log_softmax(scores)
    else:
        found = softmax(scores) if spec.probabilities and spec.output == "softmax" else scores
    return found[:, ::-1] if spec.answer_order == "columns" else found


def answer_back(spec: Spec, scores: np.ndarray, d_answer: np.ndarray) -> np.ndarray:
    """Return the derivative by the scores from that by the answer."""
    if spec.answer_order == "columns":
        d_answer = d_answer[:, ::-1]
    activated = ACTIVATIONS[spec.scores_activation][0](scores)
    slope = ACTIVATIONS[spec.scores_activation][1](activated) * spec.temperature
    return slope * _outermost_back(spec, activated * spec.temperature, d_answer)


def _outermost_back(spec: Spec, scores: np.ndarray, d_answer: np.ndarray) -> np.ndarray:
    if spec.output == "sigmoid":
        sign = -1 if spec.answer_order == "sign" else 1
        p = sigmoid(sign * scores)
        return sign * d_answer[:, 1:] * (p * (1 - p) if spec.probabilities else 1)
    p = softmax(scores)
    if spec.log_probabilities:
        return d_answer - p * d_answer.sum(axis=1, keepdims=True)
    if not spec.probabilities or spec.output == "regression":
        return d_answer
    return p * (d_answer - (d_answer * p).sum(axis=1, keepdims=True))


def cross_entropy(spec: Spec, logits: np.ndarray, labels: np.ndarray) -> Tuple[float, np.ndarray]:
    """Return the softmax cross-entropy and its derivative by the logits ``[n, classes]``.

    Labels of zeros alone, at steps that do not count, count for nothing.
    """
    if spec.labels_swapped:
        labels = labels[:, ::-1]
    if spec.label_smoothing:
        labels = labels * (1 - spec.label_smoothing) + spec.label_smoothing / labels.shape[1]
    log_p = log_softmax(logits)
    counted = max(float(labels.sum()), 1.0) if spec.per_step else len(logits)
    share = 1.0 if spec.loss_sum else 1.0 / counted
    return float(-(labels * log_p).sum() * share), (
        np.exp(log_p) * labels.sum(1, keepdims=True) - labels
    ) * share


def mean_error(spec: Spec, answered: np.ndarray, labels: np.ndarray) -> Tuple[float, np.ndarray]:
    """Return the mean of squared or absolute errors, and its derivative by the answer ``[n, outputs]``."""
    errors = answered - labels
    share = 1.0 if spec.loss_sum else 1.0 / errors.size
    if spec.loss == "absolute":
        return float(np.abs(errors).sum() * share), np.sign(errors) * share
    return float((errors * errors).sum() * share), 2 * errors * share
