"""A built graph with a session of its own: filled from a checkpoint, or with initial values."""

from contextlib import nullcontext
from typing import Any, Dict, Mapping, Optional, Tuple

import numpy as np

from tf1_lstm.checkpoints.canonical import Expected
from tf1_lstm.checkpoints.weights import ModelDescription, Weights
from tf1_lstm.core.cells import cell_name
from tf1_lstm.core.memory import keep_freed_memory
from tf1_lstm.core.tensorflow import load_variables, tf
from tf1_lstm.devices import bias_added_in_order
from tf1_lstm.graphs.build import Graph, build
from tf1_lstm.graphs.engine.library import EngineChoice
from tf1_lstm.recipes.experiment import Experiment


class Model:
    """A recipe's graph in a session; use as a context manager.

    Nothing is initialised until ``initialise`` or ``load`` is called, so a variable that was
    forgotten makes TensorFlow fail instead of standing at an initial value silently.

    Args:
      recipe: with the settings to use.
      constants: the data set's frozen arrays, e.g. ``{"word_vectors": [words, dimensions]}``.
      seed: of every random op.
      training: build the optimizer.
      exact: dropout masks as a function of (seed, iteration).
      threads: TensorFlow's intra- and inter-op threads; 0 lets it decide.
      device: ``"cpu"`` hides every GPU from TensorFlow.
      engine: calculates the recurrent layers; None for TensorFlow itself.
      given_state: the recurrent layers begin with states that are fed (see ``runs.given_state``).
    """

    def __init__(
        self,
        recipe: Experiment,
        constants: Mapping[str, np.ndarray],
        seed: int = 1,
        training: bool = False,
        exact: bool = True,
        threads: int = 0,
        device: str = "auto",
        engine: Optional[EngineChoice] = None,
        given_state: bool = False,
    ) -> None:
        keep_freed_memory()
        self.recipe = recipe
        self.engine = engine
        self.seed = seed
        self.device = device
        self._constants = dict(constants)
        from tensorflow.python.ops import math_ops, nn_ops

        # On a GPU the stock gradient of a bias adds up in no fixed order.
        in_order = bias_added_in_order(nn_ops, math_ops) if exact and device == "gpu" else nullcontext()
        with in_order:
            self.graph: Graph = build(
                recipe,
                {name: array.shape for name, array in constants.items()},
                seed=seed,
                training=training,
                exact=exact,
                batch_size=self._fixed_batch() if training else None,
                engine=engine,
                given_state=given_state,
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

    def _fixed_batch(self) -> Optional[int]:
        """The size of every batch of the training, which spares work on shapes and changes no bit."""
        schedule: Any = self.recipe.schedule
        recipe = self.recipe
        # Of a peephole's diagonals TensorFlow adds up the gradients otherwise; other forms were not tried.
        plain = cell_name(recipe.recurrent.cell) in ("basic_rnn", "basic_lstm", "lstm_coupled", "gru")
        plain = plain and recipe.recurrent.layers == 1 and recipe.recurrent.read == "state"
        full = plain and recipe.front is None and getattr(recipe.data, "full_batches", False)
        return schedule.batch_size if full or getattr(schedule, "fixed_batch", False) else None

    def _inputs(self, vectors: Optional[np.ndarray]) -> int:
        """Numbers that the first recurrent layer reads at each step."""
        if self.recipe.front is not None:
            return self.recipe.front.units
        if vectors is not None:
            return int(vectors.shape[1])
        return getattr(self.recipe.inputs, "width", 0) or self.recipe.words

    def __enter__(self) -> "Model":
        return self

    def __exit__(self, *unused: Any) -> None:
        self.session.close()

    @property
    def wants_lengths(self) -> bool:
        """Whether the graph is fed how many steps of each example count."""
        return self.graph.lengths is not None

    def lengths(self, inputs: np.ndarray, lengths: Optional[np.ndarray]) -> np.ndarray:
        """What it is fed, int32 [batch]: all steps where the data have no lengths."""
        if lengths is None:
            return np.full(len(inputs), inputs.shape[1], np.int32)
        return np.asarray(lengths, np.int32)

    def length_feed(self, inputs: np.ndarray, lengths: Optional[np.ndarray]) -> Dict[Any, np.ndarray]:
        """The placeholder of lengths -> its value; empty where there is none."""
        return {self.graph.lengths: self.lengths(inputs, lengths)} if self.wants_lengths else {}

    def initialise(self) -> None:
        """Give every variable its initial value."""
        feeds = self.graph.constant_feeds
        self.session.run(self.graph.initializer, {feeds[name]: self._constants[name] for name in feeds})

    def expected(self) -> Dict[str, Tuple[int, ...]]:
        """Role -> shape of everything that a checkpoint must hold."""
        shapes = {role: tuple(v.shape.as_list()) for role, v in self.graph.variables.items()}
        return Expected(shapes, self.recipe.variables)

    def load(self, weights: Weights, with_slots: bool = False) -> None:
        """Fill the graph from canonical weights.

        Args:
          weights: every role of ``expected`` (restoring has checked that).
          with_slots: also fill the optimizer's slots, and Adam's powers.
        """
        self.initialise()
        values = [(variable, weights.arrays[role]) for role, variable in self.graph.variables.items()]
        if with_slots:
            for name, of_role in self.graph.slots.items():
                values += [(variable, weights.slots[name][role]) for role, variable in of_role.items()]
            values += [(variable, weights.scalars[name]) for name, variable in self.graph.scalars.items()]
        load_variables(values, self.session)

    def weights(self, step: Optional[int] = None) -> Weights:
        """Read the canonical weights, slots included, out of the session."""
        graph = self.graph
        arrays, slots, scalars = self.session.run((graph.variables, graph.slots, graph.scalars))
        recurrent, head = self.recipe.recurrent, self.recipe.head
        vectors = self._constants.get("word_vectors")
        description = ModelDescription(
            cell=cell_name(recurrent.cell),
            gate_order=recurrent.cell.gate_order,
            forget_bias=recurrent.cell.added_forget_bias,
            inputs=self._inputs(vectors),
            units=recurrent.cell.units,
            layers=1 if recurrent.shared_cell else recurrent.layers,
            directions=recurrent.directions,
            classes=head.width,
            joined=recurrent.joined_layers and recurrent.layers > 1,
            dense_units=getattr(head, "dense", 0),
            vocabulary=len(arrays["embedding"]) if "embedding" in arrays else 0,
            widths=recurrent.widths if len(set(recurrent.widths)) > 1 else (),
        )
        return Weights(model=description, arrays=arrays, slots=slots, scalars=scalars, step=step)
