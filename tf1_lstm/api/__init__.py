"""The Python API behind ``import tf1_lstm as tf1``: a few functions over the rooms below."""
