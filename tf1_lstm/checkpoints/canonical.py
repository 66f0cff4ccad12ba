"""The canonical names of a model's weights, and the shape that each must have.

A canonical name is ``{kind}/{fw|bw}/{layer}/{part}`` for a recurrent weight (``lstm/fw/0/kernel``), else
``softmax/weights``, ``softmax/bias``, ``embedding``, ``dense/kernel``, ``dense/bias``, ``front/kernel`` or
``front/bias``.
"""

from typing import Dict, Iterable, Mapping, Tuple

from tf1_lstm.core.cells import DIRECTIONS, PEEPHOLES, canonical_name, cell_kinds, cell_name
from tf1_lstm.recipes.experiment import Embedding, Experiment, FrozenVectors, Rows, TrainedVectors

Shape = Tuple[int, ...]

SOFTMAX_WEIGHTS, SOFTMAX_BIAS = "softmax/weights", "softmax/bias"
DENSE_KERNEL, DENSE_BIAS = "dense/kernel", "dense/bias"
FRONT_KERNEL, FRONT_BIAS = "front/kernel", "front/bias"
EMBEDDING = "embedding"


class Expected(Dict[str, Shape]):
    """Canonical name -> shape of what a graph needs, and the variables that are known to hold some of it.

    Attributes:
      variables: canonical name -> variable of the checkpoint; empty for zeros.
    """

    def __init__(self, shapes: Mapping[str, Shape], variables: Iterable[Tuple[str, str]] = ()) -> None:
        """Keep both."""
        super().__init__(shapes)
        self.variables = dict(variables)


__all__ = ["DIRECTIONS", "PEEPHOLES", "canonical_name", "cell_kinds"]


def recurrent_shapes(
    cell: str,
    inputs: int,
    units: int,
    layers: int,
    directions: int,
    optional: bool = False,
    joined: bool = False,
    widths: Tuple[int, ...] = (),
) -> Dict[str, Shape]:
    """Canonical name -> shape of all recurrent weights.

    Args:
      cell: a name that ``core.cells.cell_kinds`` knows.
      inputs: what the first layer reads at each step.
      units: width of each layer, where ``widths`` does not say it.
      layers: layers in each direction.
      directions: 1 or 2.
      optional: with the parts that TensorFlow's cell may have and the class here has not.
      joined: each layer reads both directions of the one below; otherwise each direction is a stack
        of its own.
      widths: units of each layer, where they differ.
    """
    widths = widths or (units,) * layers
    reads = (inputs, *(width * (directions if joined else 1) for width in widths))
    kind = cell_kinds()[cell]
    return {
        canonical_name(cell, direction, layer, part): shape
        for direction in range(directions)
        for layer in range(layers)
        for part, shape in kind.part_shapes(reads[layer], widths[layer], optional).items()
    }


def expected_shapes(experiment: Experiment, input_size: int = 0, words: int = 0) -> Dict[str, Shape]:
    """Canonical name -> shape of every weight that an experiment's graph reads.

    Args:
      experiment: its model.
      input_size: width of the data set's word vectors, where ids are looked up in them.
      words: rows of the data set's word vectors; what is trained has so many rows where the
        experiment names no number.
    """
    recurrent, inputs, head = experiment.recurrent, experiment.inputs, experiment.head
    rows = (isinstance(inputs, Embedding) and experiment.words) or words or experiment.words
    width = getattr(inputs, "width", 0) or input_size
    if not isinstance(inputs, (Rows, Embedding, FrozenVectors, TrainedVectors)):
        width = experiment.words
    shapes: Dict[str, Shape] = {}
    if isinstance(inputs, (Embedding, TrainedVectors)):
        shapes[EMBEDDING] = (rows, width)
    if experiment.front is not None:
        shapes[FRONT_KERNEL] = (width, experiment.front.units)
        shapes[FRONT_BIAS] = (experiment.front.units,)
        width = experiment.front.units
    layers = 1 if recurrent.shared_cell else recurrent.layers
    shapes.update(
        recurrent_shapes(
            cell_name(recurrent.cell),
            width,
            recurrent.cell.units,
            layers,
            recurrent.directions,
            joined=recurrent.joined_layers,
            widths=recurrent.widths,
        )
    )
    read = recurrent.width
    if head.dense:
        shapes[DENSE_KERNEL], shapes[DENSE_BIAS] = (read, head.dense), (head.dense,)
        read = head.dense
    shapes[SOFTMAX_WEIGHTS], shapes[SOFTMAX_BIAS] = (read, head.width), (head.width,)
    return shapes
