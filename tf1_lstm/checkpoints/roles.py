"""Roles: the canonical names of a model's weights, and the shape that each must have.

A role is ``{kind}/{fw|bw}/{layer}/{part}`` for a recurrent weight (``lstm/fw/0/kernel``), else
``softmax/weights``, ``softmax/bias``, ``embedding``, ``dense/kernel`` or ``dense/bias``.
"""

from typing import Dict, Mapping, NamedTuple, Optional, Tuple

from tf1_lstm.recipes.settings import GraphSettings

Shape = Tuple[int, ...]

SOFTMAX_WEIGHTS, SOFTMAX_BIAS = "softmax/weights", "softmax/bias"
DENSE_KERNEL, DENSE_BIAS = "dense/kernel", "dense/bias"
EMBEDDING = "embedding"
DIRECTIONS = ("fw", "bw")
PEEPHOLES = ("w_i_diag", "w_f_diag", "w_o_diag")
RECURRENT_KERNEL = "recurrent_kernel"


class Cell(NamedTuple):
    """What is fixed about a kind of cell.

    Attributes:
      kind: first word of its roles.
      gate_order: the blocks of the kernel's columns, in order; empty where there is one only.
      forget_bias: TensorFlow's default, added at run time and never saved; None without a forget gate.
      kernels: part of a kernel -> (part of its bias, how many times ``units`` wide it is).
      peepholes: parts of shape ``[units]`` that the cell may have.
      has_recurrent_kernel: the state is multiplied by a kernel of its own, ``RECURRENT_KERNEL``, not by
        the last rows of the other; the bias then has a row for each of the two.
    """

    kind: str
    gate_order: Tuple[str, ...]
    forget_bias: Optional[float]
    kernels: Mapping[str, Tuple[str, int]]
    peepholes: Tuple[str, ...] = ()
    has_recurrent_kernel: bool = False


PLAIN = {"kernel": ("bias", 1)}
GRU = {"gates/kernel": ("gates/bias", 2), "candidate/kernel": ("candidate/bias", 1)}
CELL_KINDS: Dict[str, Cell] = {
    "basic_rnn": Cell("rnn", (), None, PLAIN),
    "basic_lstm": Cell("lstm", ("i", "j", "f", "o"), 1.0, {"kernel": ("bias", 4)}),
    "lstm_peephole": Cell("lstm", ("i", "j", "f", "o"), 1.0, {"kernel": ("bias", 4)}, PEEPHOLES),
    "lstm_coupled": Cell("lstm", ("j", "f", "o"), 1.0, {"kernel": ("bias", 3)}, PEEPHOLES[1:]),
    "gru": Cell("gru", ("r", "u"), None, GRU),
    "gru_reset_after": Cell(
        "gru", ("u", "r", "candidate"), None, {"kernel": ("bias", 3)}, has_recurrent_kernel=True
    ),
}


def role(cell: str, direction: int, layer: int, part: str) -> str:
    """The role of one recurrent weight; ``direction`` is 0 (forward) or 1 (backward)."""
    return f"{CELL_KINDS[cell].kind}/{DIRECTIONS[direction]}/{layer}/{part}"


def cell_shapes(cell: str, inputs: int, units: int, peepholes: bool) -> Dict[str, Shape]:
    """Part -> shape for one cell.

    Args:
      cell: a key of ``CELL_KINDS``.
      inputs: width of what the cell reads besides its own state.
      units: width of its state.
      peepholes: whether it has its peephole weights.
    """
    shapes: Dict[str, Shape] = {}
    for kernel, (bias, blocks) in CELL_KINDS[cell].kernels.items():
        width = blocks * units
        if CELL_KINDS[cell].has_recurrent_kernel:
            shapes.update({kernel: (inputs, width), RECURRENT_KERNEL: (units, width), bias: (2, width)})
        else:
            shapes.update({kernel: (inputs + units, width), bias: (width,)})
    if peepholes:
        shapes.update(dict.fromkeys(CELL_KINDS[cell].peepholes, (units,)))
    return shapes


def recurrent_shapes(
    cell: str, inputs: int, units: int, layers: int, directions: int, peepholes: bool, joined: bool = False
) -> Dict[str, Shape]:
    """Role -> shape of all recurrent weights.

    Args:
      cell: a key of ``CELL_KINDS``.
      inputs: what the first layer reads at each step.
      units: width of each layer.
      layers: layers in each direction.
      directions: 1 or 2.
      peepholes: whether the cells have their peephole weights.
      joined: each layer reads both directions of the one below; otherwise each direction is a stack
        of its own.
    """
    below = directions * units if joined else units
    return {
        role(cell, direction, layer, part): shape
        for direction in range(directions)
        for layer in range(layers)
        for part, shape in cell_shapes(cell, below if layer else inputs, units, peepholes).items()
    }


def expected_shapes(settings: GraphSettings, input_size: int, vocabulary: int = 0) -> Dict[str, Shape]:
    """Role -> shape of every weight that a graph of these settings reads.

    Args:
      settings: a recipe's graph.
      input_size: numbers per step: the settings' own where it is not 0, else the width of the data
        set's word vectors.
      vocabulary: rows of the data set's word vectors; what is trained has so many rows where the
        settings name no number.
    """
    shapes = recurrent_shapes(
        settings.cell,
        input_size,
        settings.units,
        settings.layers,
        2 if settings.bidirectional else 1,
        settings.cell == "lstm_peephole",
        settings.joined_layers,
    )
    if settings.inputs == "ids" and settings.embedding != "word-vectors":
        shapes[EMBEDDING] = (settings.vocabulary or vocabulary, input_size)
    width = settings.units * (2 if settings.readout == "both-states" else 1)
    if settings.dense_units:
        shapes[DENSE_KERNEL] = (width, settings.dense_units)
        shapes[DENSE_BIAS] = (settings.dense_units,)
        width = settings.dense_units
    shapes[SOFTMAX_WEIGHTS] = (width, settings.outputs)
    shapes[SOFTMAX_BIAS] = (settings.outputs,)
    return shapes
