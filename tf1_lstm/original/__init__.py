"""A checkpoint's own graph: read without TensorFlow, checked, and run as it was in a process of its own.

``source.open_graph`` finds and reads the graph that belongs to a checkpoint, ``listing.listing`` says
what is in it, ``run.run_graph`` runs it. Importing this package imports nothing else.
"""
