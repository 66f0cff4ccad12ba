"""TensorFlow 1.15 without its chatter; see ``core.tensorflow``."""

from tf1_lstm.core.tensorflow import tf

__all__ = ["tf"]
