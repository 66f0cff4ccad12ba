"""Checkpoints of every TensorFlow 1 version: read without TensorFlow, restored all or not at all, converted.

``reading.read_checkpoint`` opens any checkpoint, ``restore.load_weights`` fills a model from it,
``inspection.inspect`` says what it is and ``conversion.convert`` renames it. Importing this package
imports nothing else: the command line builds its help from it.
"""
