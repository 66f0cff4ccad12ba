"""What a model computes, as the NumPy reference reads it.

The switches that a port may have set wrongly keep the published value unless a mistake (see
``mistakes``) changes them.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Dict, Mapping, Optional, Tuple

import numpy as np

from tf1_lstm.errors import InputError
from tf1_lstm.parity.cells import ReferenceCell, cell_kind
from tf1_lstm.parity.optimizers import EMBEDDING, AdamRule, UpdateRule, optimizer_of

Arrays = Dict[str, np.ndarray]
Shapes = Dict[str, Tuple[int, ...]]
# What is read of several steps, by the name that a setting has for it.
POSITIONS = {"": "final", "steps": "steps", "output": "last", "mean": "mean", "maximum": "max"}
FRONT = ("front/kernel", "front/bias")


@dataclass(frozen=True)
class Spec:
    """One model.

    Attributes:
      cell: the cell of every layer.
      readout: ``last-output``, ``last-state``, ``backward-state`` or ``both-states``.
      merge: what becomes of two directions that are both read: ``"join"``, ``"sum"``, ``"product"``,
        ``"average"``; or ``"forward"``, then that one alone is read.
      front: activation of a layer in front of the recurrent ones, of ``front_units``; "" without one.
      mask: ``"none"``; ``"sequence_length"``: steps behind the last that counts are left out;
        ``"mask_zero"``: every step of id 0 is.
      go_backwards: the sequence (of each example the steps that count) is turned round in front of the
        recurrent layers, and all states stand in that order.
      shared_cell: all layers have the weights of layer 0.
      layers: stacked layers in each direction.
      widths: units of each of them, from the first, where they differ.
      bidirectional: a second stack that reads the sequence from its end.
      optimizer: what trains it.
      embedding: of ids, an input's ``flat_kind``; "" where the inputs are rows.
      joined_layers: each layer but the first reads both directions of the one below.
      dense_units: width of a layer between states and softmax; 0 for none.
      output: ``"softmax"``; ``"sigmoid"`` of one number z, then the logits are (0, z); or
        ``"regression"``, then they are the numbers themselves.
      loss: of a regression, the mean of the ``"squared"`` or ``"absolute"`` errors.
      double_bias: recurrent biases are trained as two halves, so that they move twice as far.
      classes: width of the logits.
      steps: of a sequence; the most of one where ``any_steps``.
      any_steps: the model takes sequences of any length.
      padding: the end of a sequence that is padded, ``"front"`` or ``"back"``.
      keep_prob: the share that every dropout keeps; 1 without one.
      dropout_places: where they are, other than on the cells' outputs: some of
        ``recipes.experiment.PLACES``.
      read: ``"h"``; ``"c"`` where a port reads the cell state, ``"h+c"`` where it adds them.
      position: ``"final"``: each direction's last computed step; ``"first"`` or ``"last"``: that
        place in the sequence, for both directions; ``"word"``: the place of the last word; ``"mean"`` or
        ``"max"`` over all steps that count; ``"steps"``: every step.
      normalise: epsilon of a layer normalisation (without scale and shift) of the states; 0 for none.
      states_activation: applied to the states that are read.
      scores_activation: applied to the logits; of a regression published, of classes a mistake.
      temperature: factor on the logits.
      log_probabilities: returns the logarithms of the probabilities.
      label_smoothing: the share of each label that is spread over all classes.
      backward_first: joins the directions as (backward, forward).
      wrong_direction: reads the forward direction where the backward one was published.
      first_layer: reads the states of the first layer in place of the last one's.
      dense_activation: of that layer: ``"relu"``, ``"tanh"``, ``"sigmoid"``, ``"linear"`` or ``"selu"``.
      scale: factor on what the softmax reads.
      answer_order: ``""``; ``"columns"``: the two classes change places; ``"sign"``: the one number of
        a sigmoid is for class 0.
      probabilities: returns probabilities in place of logits (and takes its loss from them as if they
        were logits).
      loss_of_logits: takes its loss from the logits all the same.
      steps_on_batch_axis: takes the batch axis for the steps.
      labels_swapped: trains each of two classes as the other.
      loss_sum: sums the loss over the batch in place of its mean.
      untrained: ``""``; ``"embedding"``: it is frozen; ``"padding"``: its row 0 is.
    """

    cell: ReferenceCell
    readout: str
    merge: str = "join"
    front: str = ""
    front_units: int = 0
    mask: str = "none"
    go_backwards: bool = False
    shared_cell: bool = False
    layers: int = 1
    bidirectional: bool = False
    optimizer: UpdateRule = field(default_factory=AdamRule)
    embedding: str = ""
    joined_layers: bool = False
    dense_units: int = 0
    output: str = "softmax"
    loss: str = "squared"
    double_bias: bool = False
    classes: int = 2
    steps: int = 0
    any_steps: bool = False
    padding: str = "back"
    keep_prob: float = 1.0
    dropout_places: Tuple[str, ...] = ()
    read: str = "h"
    position: str = "final"
    normalise: float = 0.0
    states_activation: str = "linear"
    scores_activation: str = "linear"
    temperature: float = 1.0
    log_probabilities: bool = False
    label_smoothing: float = 0.0
    backward_first: bool = False
    wrong_direction: bool = False
    first_layer: bool = False
    dense_activation: str = "relu"
    scale: float = 1.0
    answer_order: str = ""
    probabilities: bool = False
    loss_of_logits: bool = False
    steps_on_batch_axis: bool = False
    labels_swapped: bool = False
    loss_sum: bool = False
    untrained: str = ""
    widths: Tuple[int, ...] = ()

    def cell_of(self, layer: int) -> ReferenceCell:
        """Return the cell of a layer, from 0."""
        return replace(self.cell, units=self.widths[layer]) if self.widths else self.cell

    @property
    def directions(self) -> Tuple[str, ...]:
        """``("fw",)`` or ``("fw", "bw")``."""
        return ("fw", "bw") if self.bidirectional else ("fw",)

    @property
    def per_step(self) -> bool:
        """Whether there is an output at every step: logits ``[batch, steps, classes]``."""
        return self.position == "steps"

    @property
    def reads_sequence(self) -> bool:
        """Whether other steps of the last layer are read than the last that was computed."""
        return self.position != "final"

    @property
    def directions_read(self) -> Tuple[str, ...]:
        """The directions that are read, in order."""
        if self.readout == "both-states":
            return ("bw", "fw") if self.backward_first else ("fw", "bw")
        backward = (self.readout == "backward-state") != self.wrong_direction
        return ("bw",) if backward and self.bidirectional else ("fw",)

    @property
    def width_read(self) -> int:
        """How many numbers are read of the recurrent layers."""
        units = self.cell_of(self.layer_read).units
        return units * (len(self.directions_read) if self.merge == "join" else 1)

    @property
    def takes_lengths(self) -> bool:
        """Whether the model takes lengths beside its inputs: of ids it finds them itself."""
        return self.mask == "sequence_length" and not self.embedding

    @property
    def cell_layers(self) -> int:
        """How many layers have weights of their own."""
        return 1 if self.shared_cell else self.layers

    @property
    def layer_read(self) -> int:
        """The layer whose states are read."""
        return 0 if self.first_layer else self.layers - 1

    @property
    def trains_embedding(self) -> bool:
        """Whether the weights have an ``embedding``, in which ids are looked up."""
        return self.embedding in ("trained", "word-vectors-trained")

    def role(self, direction: str, layer: int, part: str) -> str:
        """Name of one array of the canonical weights."""
        return f"{cell_kind(self.cell.name)}/{direction}/{0 if self.shared_cell else layer}/{part}"

    def is_recurrent_bias(self, role: str) -> bool:
        """Whether a role is the bias of a cell."""
        return role.startswith(cell_kind(self.cell.name) + "/") and role.endswith("bias")

    def factor(self, role: str) -> float:
        """How many times the optimizer's step is applied to a role."""
        return 2.0 if self.double_bias and self.is_recurrent_bias(role) else 1.0

    def width(self, inputs: int, layer: int) -> int:
        """How many numbers a layer reads at each step, where the first reads ``inputs``."""
        if layer == 0:
            return inputs
        return self.cell_of(layer - 1).units * (2 if self.joined_layers else 1)

    @property
    def outputs(self) -> int:
        """How many numbers the last layer gives."""
        return 1 if self.output == "sigmoid" else self.classes

    @property
    def drops_features(self) -> bool:
        """Whether a dropout is on what the softmax reads, or on what a ReLU makes it of."""
        places = set(self.dropout_places)
        return self.keep_prob < 1 and (not places or bool({"states", "dense", "dense-outputs"} & places))

    def shapes(self, inputs: int, words: int = 0) -> Shapes:
        """Role -> shape of every weight; ``words`` are the rows of a trained embedding."""
        found: Shapes = {}
        if self.trains_embedding:
            found[EMBEDDING] = (words, inputs)
        if self.front:
            found.update(zip(FRONT, ((inputs, self.front_units), (self.front_units,))))
            inputs = self.front_units
        for direction in self.directions:
            for layer in range(self.cell_layers):
                for part, shape in self.cell_of(layer).shapes(self.width(inputs, layer)).items():
                    found[self.role(direction, layer, part)] = shape
        read = self.width_read
        if self.dense_units:
            found["dense/kernel"], found["dense/bias"] = (read, self.dense_units), (self.dense_units,)
            read = self.dense_units
        outputs = self.outputs
        found["softmax/weights"], found["softmax/bias"] = (read, outputs), (outputs,)
        return found

    def parts(self, weights: Mapping[str, np.ndarray], direction: str, layer: int) -> Arrays:
        """Part name -> array of one cell."""
        prefix = self.role(direction, layer, "")
        return {role[len(prefix) :]: array for role, array in weights.items() if role.startswith(prefix)}


def counted_steps(spec: Spec, inputs: np.ndarray, lengths: Optional[np.ndarray]) -> Optional[np.ndarray]:
    """Return which steps a model runs, ``[batch, steps]``; None for all.

    Args:
      spec: the model.
      inputs: ``[batch, steps]`` ids, or ``[batch, steps, inputs]``.
      lengths: ``[batch]``, steps of each example that count; None for ids, which say it themselves: up to
        the last that is not 0, and one at least.
    """
    if spec.mask == "none":
        return None
    if spec.mask == "mask_zero":
        return inputs != 0
    steps = np.arange(inputs.shape[1])
    if lengths is None:
        lengths = np.maximum(((steps + 1) * (inputs != 0)).max(axis=1), 1)
    return steps < lengths[:, None]


def spec_of(settings: Mapping[str, Any]) -> Spec:
    """Return the model that a recipe's settings describe; what older bundles do not say has its default.

    Raises:
      InputError: one of them has a value that bundles do not know.
    """
    get = settings.get
    read = get("read", "")
    if read not in POSITIONS:
        raise InputError(f"read: found {read!r}, expected one of {', '.join(filter(None, POSITIONS))}")
    places = tuple(filter(None, map(str.strip, get("dropout_at", "").split(","))))
    merge = get("merge", "") or "join"
    return Spec(
        ReferenceCell(
            settings["cell"],
            settings["units"],
            settings["forget_bias"],
            state_activation=get("activation", "tanh"),
        ),
        "last-state" if merge == "forward" else settings["readout"],
        merge=merge,
        front=get("front_activation", ""),
        front_units=get("front", 0),
        mask=get("mask", "none"),
        go_backwards=get("go_backwards", False),
        shared_cell=get("shared_cell", False),
        layers=settings["layers"],
        bidirectional=settings["bidirectional"],
        optimizer=optimizer_of(
            get("optimizer", "adam"), settings["learning_rate"], get("rho", 0.95), get("epsilon", 1e-8)
        ),
        embedding=get("embedding", "word-vectors") if settings["inputs"] == "ids" else "",
        joined_layers=get("joined_layers", False),
        dense_units=get("dense_units", 0),
        dense_activation=get("dense_activation", "relu"),
        output=get("output", "softmax"),
        loss=get("loss", "squared"),
        scores_activation=get("output_activation", "linear"),
        position=POSITIONS[read],
        double_bias=get("double_bias", False),
        classes=settings["classes"],
        steps=settings["steps"],
        any_steps=get("any_steps", False),
        padding=get("padding", "back"),
        keep_prob=settings["keep_prob"] if places else settings["output_keep_prob"],
        dropout_places=places,
        widths=tuple(get("widths", ())),
    )
