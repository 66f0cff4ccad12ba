"""A built graph with a session of its own: filled from a checkpoint, or with first values."""

from contextlib import nullcontext
from typing import Any, Dict, Mapping, Optional, Tuple

import numpy as np

from tf1_lstm.checkpoints.weights import Model as ModelDescription
from tf1_lstm.checkpoints.weights import Weights
from tf1_lstm.devices import bias_added_in_order
from tf1_lstm.graphs.build import Graph, build
from tf1_lstm.graphs.quiet import tf
from tf1_lstm.parity.cells import GATE_ORDER
from tf1_lstm.recipes.base import Recipe


class Model:
    """A recipe's graph in a session; use as a context manager.

    Nothing is initialised until ``initialise`` or ``load`` is called, so a variable that was
    forgotten makes TensorFlow fail instead of standing at a first value silently.

    Args:
      recipe: with the settings to use.
      constants: the data set's frozen arrays, e.g. ``{"word_vectors": [words, dimensions]}``.
      seed: of every random op.
      training: build the optimizer.
      exact: dropout masks as a function of (seed, iteration).
      threads: TensorFlow's intra- and inter-op threads; 0 lets it decide.
      device: ``"cpu"`` hides every GPU from TensorFlow.
    """

    def __init__(
        self,
        recipe: Recipe,
        constants: Mapping[str, np.ndarray],
        seed: int = 1,
        training: bool = False,
        exact: bool = True,
        threads: int = 0,
        device: str = "auto",
    ) -> None:
        self.recipe = recipe
        self.seed = seed
        self._constants = dict(constants)
        from tensorflow.python.ops import math_ops, nn_ops

        # On a GPU the stock gradient of a bias adds up in no fixed order.
        in_order = bias_added_in_order(nn_ops, math_ops) if exact and device == "gpu" else nullcontext()
        with in_order:
            self.graph: Graph = build(
                recipe.graph,
                {name: array.shape for name, array in constants.items()},
                learning_rate=recipe.schedule.learning_rate,
                seed=seed,
                training=training,
                exact=exact,
                batch_size=recipe.schedule.batch_size if training and recipe.graph.fixed_batch else None,
                optimizer=recipe.schedule.optimizer,
            )
        with self.graph.graph.as_default():
            # All kept: what to forget is decided by the run, which knows which files are good.
            self.saver = tf.compat.v1.train.Saver(max_to_keep=None) if training else None
        self.graph.graph.finalize()
        config = tf.compat.v1.ConfigProto(
            intra_op_parallelism_threads=threads,
            inter_op_parallelism_threads=threads,
            allow_soft_placement=True,
        )
        if device == "cpu":
            config.device_count["GPU"] = 0
        config.gpu_options.allow_growth = True
        self.session = tf.compat.v1.Session(graph=self.graph.graph, config=config)

    def __enter__(self) -> "Model":
        return self

    def __exit__(self, *unused: Any) -> None:
        self.session.close()

    def initialise(self) -> None:
        """Give every variable its first value."""
        feeds = self.graph.constant_feeds
        self.session.run(self.graph.initializer, {feeds[name]: self._constants[name] for name in feeds})

    def expected(self) -> Dict[str, Tuple[int, ...]]:
        """Role -> shape of everything that a checkpoint must hold."""
        return {role: tuple(v.shape.as_list()) for role, v in self.graph.variables.items()}

    def load(self, weights: Weights, with_slots: bool = False) -> None:
        """Fill the graph from canonical weights.

        Args:
          weights: every role of ``expected`` (restoring has checked that).
          with_slots: also fill the optimizer's slots, and Adam's powers.
        """
        self.initialise()
        for role, variable in self.graph.variables.items():
            variable.load(weights.arrays[role], self.session)
        if not with_slots:
            return
        for name, of_role in self.graph.slots.items():
            for role, variable in of_role.items():
                variable.load(weights.slots[name][role], self.session)
        for name, variable in self.graph.scalars.items():
            variable.load(weights.scalars[name], self.session)

    def weights(self, step: Optional[int] = None) -> Weights:
        """Read the canonical weights, slots included, out of the session."""
        graph = self.graph
        arrays, slots, scalars = self.session.run((graph.variables, graph.slots, graph.scalars))
        settings = self.recipe.graph
        vectors = self._constants.get("word_vectors")
        description = ModelDescription(
            cell=settings.cell,
            gate_order=GATE_ORDER[settings.cell],
            forget_bias=settings.forget_bias if "lstm" in settings.cell else None,
            inputs=settings.input_size if vectors is None else int(vectors.shape[1]),
            units=settings.units,
            layers=settings.layers,
            directions=2 if settings.bidirectional else 1,
            classes=settings.outputs,
            joined=settings.joined_layers and settings.layers > 1,
            dense_units=settings.dense_units,
            vocabulary=len(arrays["embedding"]) if "embedding" in arrays else 0,
        )
        return Weights(model=description, arrays=arrays, slots=slots, scalars=scalars, step=step)
