"""The fast engine: recurrent layers of our own, in C, as TensorFlow ops. See docs/fast-engine.md."""
