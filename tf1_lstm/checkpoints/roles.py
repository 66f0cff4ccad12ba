"""Roles: the canonical names of a model's weights, and the shape that each must have.

A role is ``{kind}/{fw|bw}/{layer}/{part}`` for a recurrent weight (``lstm/fw/0/kernel``), else
``softmax/weights``, ``softmax/bias``, ``embedding``, ``dense/kernel`` or ``dense/bias``.
"""

from typing import Dict, Mapping, NamedTuple, Optional, Tuple

from tf1_lstm.recipes.base import GraphSettings

Shape = Tuple[int, ...]

SOFTMAX_WEIGHTS, SOFTMAX_BIAS = "softmax/weights", "softmax/bias"
DENSE_KERNEL, DENSE_BIAS = "dense/kernel", "dense/bias"
EMBEDDING = "embedding"
DIRECTIONS = ("fw", "bw")
PEEPHOLES = ("w_i_diag", "w_f_diag", "w_o_diag")


class Cell(NamedTuple):
    """What is fixed about a kind of cell.

    Attributes:
      kind: first word of its roles.
      gate_order: the blocks of the kernel's columns, in order; empty where there is one only.
      forget_bias: TensorFlow's default, added at run time and never saved; None without a forget gate.
      kernels: part of a kernel -> (part of its bias, how many times ``units`` wide it is).
      peepholes: parts of shape ``[units]`` that the cell may have.
    """

    kind: str
    gate_order: Tuple[str, ...]
    forget_bias: Optional[float]
    kernels: Mapping[str, Tuple[str, int]]
    peepholes: Tuple[str, ...] = ()


PLAIN = {"kernel": ("bias", 1)}
GRU = {"gates/kernel": ("gates/bias", 2), "candidate/kernel": ("candidate/bias", 1)}
CELL_KINDS: Dict[str, Cell] = {
    "basic_rnn": Cell("rnn", (), None, PLAIN),
    "basic_lstm": Cell("lstm", ("i", "j", "f", "o"), 1.0, {"kernel": ("bias", 4)}),
    "lstm_peephole": Cell("lstm", ("i", "j", "f", "o"), 1.0, {"kernel": ("bias", 4)}, PEEPHOLES),
    "lstm_coupled": Cell("lstm", ("j", "f", "o"), 1.0, {"kernel": ("bias", 3)}, PEEPHOLES[1:]),
    "gru": Cell("gru", ("r", "u"), None, GRU),
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
        shapes[kernel] = (inputs + units, blocks * units)
        shapes[bias] = (blocks * units,)
    if peepholes:
        shapes.update(dict.fromkeys(CELL_KINDS[cell].peepholes, (units,)))
    return shapes


def recurrent_shapes(
    cell: str, inputs: int, units: int, layers: int, directions: int, peepholes: bool
) -> Dict[str, Shape]:
    """Role -> shape of all recurrent weights: each direction is a stack of its own."""
    return {
        role(cell, direction, layer, part): shape
        for direction in range(directions)
        for layer in range(layers)
        for part, shape in cell_shapes(cell, units if layer else inputs, units, peepholes).items()
    }


def expected_shapes(settings: GraphSettings, input_size: int) -> Dict[str, Shape]:
    """Role -> shape of every weight that a graph of these settings reads.

    Args:
      settings: a recipe's graph.
      input_size: numbers per step: the settings' own where it is not 0, else the width of the data
        set's word vectors.
    """
    shapes = recurrent_shapes(
        settings.cell,
        input_size,
        settings.units,
        settings.layers,
        2 if settings.bidirectional else 1,
        settings.cell == "lstm_peephole",
    )
    width = settings.units * (2 if settings.readout == "both-states" else 1)
    shapes[SOFTMAX_WEIGHTS] = (width, settings.classes)
    shapes[SOFTMAX_BIAS] = (settings.classes,)
    return shapes
