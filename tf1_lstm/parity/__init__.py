"""A port in Keras or PyTorch beside what TensorFlow 1 computed: bundles, a NumPy reference, diagnosis."""
