"""Old TensorFlow 1 LSTM results, run again exactly."""

__version__ = "0.1.0"
