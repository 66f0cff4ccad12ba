"""The layers of a built graph with their output shapes and parameters, as Keras's ``summary`` lists them."""

from typing import List, Mapping, NamedTuple, Optional, Tuple

import numpy as np

from tf1_lstm.core.cells import DIRECTIONS
from tf1_lstm.recipes.experiment import Embedding, Experiment, TrainedVectors

Shapes = Mapping[str, Tuple[int, ...]]


class LayerSize(NamedTuple):
    """One layer.

    Attributes:
      layer: what it is, e.g. ``BasicLSTM 1``.
      output: its shape behind the batch; None where it is open.
      parameters: numbers that are trained in it.
    """

    layer: str
    output: Tuple[Optional[int], ...]
    parameters: int


def layer_sizes(experiment: Experiment, shapes: Shapes, steps: Optional[int]) -> List[LayerSize]:
    """The layers that have parameters, from the inputs up.

    Args:
      experiment: any.
      shapes: canonical name -> shape of each variable of its graph.
      steps: of a sequence; None where it is open.
    """
    recurrent, head = experiment.recurrent, experiment.head
    found: List[LayerSize] = []

    def add(layer: str, output: Tuple[Optional[int], ...], *beginnings: str) -> None:
        found.append(LayerSize(layer, output, _count(shapes, beginnings)))

    if isinstance(experiment.inputs, (Embedding, TrainedVectors)):
        add("embedding", (steps, shapes["embedding"][1]), "embedding")
    if experiment.front is not None:
        add(f"front ({experiment.front.activation})", (steps, experiment.front.units), "front/")
    kind = type(recurrent.cell).__name__
    for layer, units in enumerate(recurrent.units):
        both = recurrent.directions * units
        name = f"{kind} {layer + 1}" + (", both directions" if recurrent.directions == 2 else "")
        top = layer == recurrent.layers - 1
        read = recurrent.width if top else both
        output = (steps, read) if experiment.per_step or not top else (read,)
        place = 0 if recurrent.shared_cell else layer
        if recurrent.shared_cell and layer:
            found.append(LayerSize(f"{name}, the same cell", output, 0))
            continue
        own = [name for name in shapes if name.split("/")[1:3] in [[way, str(place)] for way in DIRECTIONS]]
        add(name, output, *own)
    each: Tuple[Optional[int], ...] = (steps,) if experiment.per_step else ()
    if head.dense:
        add(f"dense ({head.dense_activation})", (*each, head.dense), "dense/")
    activation = f" ({head.activation})" if head.activation != "linear" else ""
    add(type(head).__name__.lower() + activation, (*each, head.width), "softmax/")
    return found


def _count(shapes: Shapes, beginnings: Tuple[str, ...]) -> int:
    return sum(int(np.prod(shape)) for name, shape in shapes.items() if name.startswith(beginnings))
