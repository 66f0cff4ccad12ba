"""Variable names of every version of TensorFlow 1, taken apart into (cell, direction, layer, part).

Three ways of naming differ: up to 0.12 (``RNN/BasicLSTMCell/Linear/Matrix``), 1.0 and 1.1
(``rnn/basic_lstm_cell/weights``), 1.2 and later (``rnn/basic_lstm_cell/kernel``). What stands
around them is the user's own: any scope may be in front, so names are read by their parts.
"""

import re
from typing import Dict, List, NamedTuple, Optional, Tuple

from tf1_lstm.core.cells import cell_kinds

NAMING_0_12, NAMING_1_0, NAMING_1_2 = "up to 0.12", "1.0-1.1", "1.2 and later"

KINDS_BETWEEN = "|"  # of one class several kinds of cell: its parts tell which


def cell_classes() -> Dict[str, str]:
    """The class's name without case and underscores -> the cells that it may be (``basic_lstm|lstm_peephole``)."""
    found: Dict[str, List[str]] = {}
    for name, kind in cell_kinds().items():
        for word in kind.tensorflow_classes:
            found.setdefault(word.lower(), []).append(name)
    return {word: KINDS_BETWEEN.join(names) for word, names in found.items()}


LEAVES = {  # a name's last part -> the canonical part and the naming that used it
    "matrix": ("kernel", NAMING_0_12),
    "w": ("kernel", NAMING_0_12),
    "bias": ("bias", NAMING_1_2),
    "b": ("bias", NAMING_0_12),
    "weights": ("kernel", NAMING_1_0),
    "biases": ("bias", NAMING_1_0),
    "kernel": ("kernel", NAMING_1_2),
    "w_i_diag": ("w_i_diag", NAMING_1_2),
    "w_f_diag": ("w_f_diag", NAMING_1_2),
    "w_o_diag": ("w_o_diag", NAMING_1_2),
}
DIRECTION_WORDS = {"fw": 0, "forward": 0, "bw": 1, "backward": 1}
# What stands before a layer's number -> whether such layers read both directions of the one below.
STACKS = {"multirnncell": False, "stackbidirectionalrnn": True, "stackrnn": True}
UNIQUE = re.compile(r"_\d+$")
LAYER = re.compile(r"^(?:cell|layer)_?(\d{1,4})$", re.I)
SHARD = re.compile(r"^(matrix|w)_(\d{1,6})$", re.I)
PART = re.compile(r"^part_(\d{1,6})$")
DIRECTION = re.compile(r"^(?:(.*)_)?(fw|bw)$", re.I)


class CellName(NamedTuple):
    """A variable of a recurrent cell, by its name.

    Attributes:
      scope: what stands around direction, layer and cell; one model shares one scope.
      cell: a value of ``cell_classes``, or ``"?Name"`` for a cell that is not known here.
      direction: 0 forward, 1 backward.
      layer: from 0.
      part: ``kernel``, ``gates/bias``, ``w_f_diag`` ...; ``"?name"`` for one that is not known.
      shard: number of the piece, for a weight stored in pieces of its own names.
      naming: which versions of TensorFlow used this name.
    """

    scope: str
    cell: str
    direction: int
    layer: int
    part: str
    shard: Optional[int]
    naming: str


def parse_name(name: str) -> Optional[CellName]:
    """Take a variable's name apart.

    Args:
      name: without an optimizer's suffix.

    Returns:
      None where no part of the name is a cell's class.
    """
    parts = name.split("/")
    places = [place for place, part in enumerate(parts[:-1]) if _cell_class(part)]
    if not places:
        return None
    place = places[-1]
    direction, layer, scope = _surroundings(parts[:place])
    part, shard, naming = _part(parts[place + 1 :])
    cell = _cell_class(parts[place]) or ""
    if part.startswith("?") and not cell.startswith("?"):
        own = {own for name in cell.split(KINDS_BETWEEN) for own in cell_kinds()[name].part_shapes(1, 1)}
        part = part[1:] if part[1:] in own else part
    if parts[place] != parts[place].lower():
        naming = NAMING_0_12  # BasicLSTMCell, not yet basic_lstm_cell
    elif naming == NAMING_0_12:
        naming = NAMING_1_2  # CoupledInputForgetGateLSTMCell still calls its weights W_0 and B
    return CellName(scope, cell, direction, layer, part, shard, naming)


def joins_directions(scope: str) -> Optional[bool]:
    """Whether a scope's words say that each layer reads both directions of the one below.

    Args:
      scope: as ``CellName`` has it.

    Returns:
      None where it has no word for a stack; of two, the inner one counts.
    """
    words = [_plain(part) for part in scope.split("/")]
    return next((STACKS[word] for word in reversed(words) if word in STACKS), None)


def _plain(part: str) -> str:
    return UNIQUE.sub("", part).replace("_", "").lower()


def _cell_class(part: str) -> Optional[str]:
    plain = _plain(part)
    classes = cell_classes()
    if plain in classes:
        return classes[plain]
    looks_like_one = plain.endswith(("cell", "cellwrapper")) and plain not in ("cell", *STACKS)
    return "?" + UNIQUE.sub("", part) if looks_like_one else None


def _surroundings(parts: List[str]) -> Tuple[int, int, str]:
    """Direction, layer and scope from what stands before the cell's class."""
    direction, layer, scope = 0, 0, []
    for place, part in enumerate(parts):
        numbered = LAYER.match(part)
        directed = DIRECTION.match(part)
        if part.lower() in DIRECTION_WORDS:
            direction = DIRECTION_WORDS[part.lower()]
        elif directed:  # BiRNN_FW
            direction = DIRECTION_WORDS[directed.group(2).lower()]
            scope.append(directed.group(1) or "")
        elif numbered and place and _plain(parts[place - 1]) in STACKS:
            layer = int(numbered.group(1))
        else:
            scope.append(part)
    return direction, layer, "/".join(scope)


def _part(parts: List[str]) -> Tuple[str, Optional[int], str]:
    """Canonical part, shard and naming from what stands behind the cell's class."""
    shard: Optional[int] = None
    numbered = PART.match(parts[-1]) if len(parts) > 1 else None
    if numbered:
        shard, parts = int(numbered.group(1)), parts[:-1]
    leaf = parts[-1].lower()
    piece = SHARD.match(leaf)
    if piece and shard is None:
        shard, leaf = int(piece.group(2)), piece.group(1)
    middle = [part.lower() for part in parts[:-1]]
    gates = {part for part in middle if part != "linear"}
    if leaf not in LEAVES or len(gates) > 1 or not gates <= {"gates", "candidate"}:
        return "?" + "/".join(parts), shard, NAMING_1_2
    part, naming = LEAVES[leaf]
    return "/".join([*gates, part]), shard, naming
