"""Checkpoints of every age: read without TensorFlow, restored all or not at all, converted.

``read_checkpoint`` opens any checkpoint, ``load_weights`` fills a model from it.
"""

from tf1_lstm.checkpoints.door import load_weights
from tf1_lstm.checkpoints.reading import Checkpoint, read_checkpoint
from tf1_lstm.checkpoints.roles import expected_shapes
from tf1_lstm.checkpoints.weights import Model, Weights

__all__ = ["Checkpoint", "Model", "Weights", "expected_shapes", "load_weights", "read_checkpoint"]
