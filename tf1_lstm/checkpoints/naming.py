"""Roles written out as the variable names of one version, so that its graphs find their weights."""

from typing import Callable, Dict, Iterable, Mapping, NamedTuple, Tuple

from tf1_lstm.checkpoints.canonical import SOFTMAX_BIAS, SOFTMAX_WEIGHTS, cell_kinds
from tf1_lstm.checkpoints.locate import BUNDLE, SINGLE
from tf1_lstm.checkpoints.weights import ModelDescription
from tf1_lstm.errors import InputError

TUTORIAL_SOFTMAX = {SOFTMAX_WEIGHTS: "Variable_1", SOFTMAX_BIAS: "Variable_2"}


class Naming(NamedTuple):
    """One way to name variables.

    Attributes:
      versions: the versions of TensorFlow that used it.
      format: the file format that those wrote.
      recurrent: (model, direction, layer, part) -> variable name.
      others: role -> name, for roles of no cell; a role that is not in it keeps its name.
    """

    versions: str
    format: str
    recurrent: Callable[[ModelDescription, str, int, str], str]
    others: Mapping[str, str] = {}


def _old(model: ModelDescription, direction: str, layer: int, part: str) -> str:
    scope = "RNN" if model.directions == 1 else f"BiRNN/{direction.upper()}"
    stack = f"/MultiRNNCell/Cell{layer}" if model.layers > 1 else ""
    if model.joined:
        scope, stack = f"StackRNN/Layer{layer}/{scope}", ""
    return f"{scope}{stack}/{cell_kinds()[model.cell].variable_name(part, '0.12')}"


def _later(model: ModelDescription, direction: str, layer: int, part: str, version: str) -> str:
    scope = "rnn" if model.directions == 1 else f"bidirectional_rnn/{direction}"
    stack = f"/multi_rnn_cell/cell_{layer}" if model.layers > 1 else ""
    if model.joined:
        scope, stack = f"stack_bidirectional_rnn/cell_{layer}/{scope}", ""
    return f"{scope}{stack}/{cell_kinds()[model.cell].variable_name(part, version)}"


def _new(model: ModelDescription, direction: str, layer: int, part: str) -> str:
    return _later(model, direction, layer, part, "1.2")


def _middle(model: ModelDescription, direction: str, layer: int, part: str) -> str:
    return _later(model, direction, layer, part, "1.0")


NAMINGS: Dict[str, Naming] = {
    "tf1.15": Naming("1.2 and later", BUNDLE, _new),
    "tf1.0": Naming("1.0 and 1.1", BUNDLE, _middle),
    "tf0.12": Naming("up to 0.12", SINGLE, _old),
    "tutorial": Naming("1.2 and later, as the IMDB tutorial's script", BUNDLE, _new, TUTORIAL_SOFTMAX),
}


def names_for(roles: Iterable[str], model: ModelDescription, to: str) -> Dict[str, str]:
    """Role -> variable name.

    Args:
      roles: of the model's weights.
      model: decides what the scopes look like.
      to: a key of ``NAMINGS``.

    Raises:
      InputError: the tutorial's graph has no place for such a model.
    """
    naming = NAMINGS[to]
    names: Dict[str, str] = {}
    for role in roles:
        place = _recurrent(role)
        names[role] = naming.recurrent(model, *place) if place[0] else naming.others.get(role, role)
    if to == "tutorial":
        _check_tutorial(model, names)
    return names


def _recurrent(role: str) -> Tuple[str, int, str]:
    """Direction, layer and part of a recurrent weight's role; an empty direction for any other role."""
    pieces = role.split("/", 3)
    return (pieces[1], int(pieces[2]), pieces[3]) if len(pieces) == 4 else ("", 0, "")


def _check_tutorial(model: ModelDescription, names: Mapping[str, str]) -> None:
    fits = model.cell == "basic_lstm" and model.layers == 1 and model.directions == 1
    if not fits or len(names) != 4 or set(TUTORIAL_SOFTMAX) - set(names):
        raise InputError(
            f"--to tutorial: found {model.describe()} ({len(names)} weights), expected the tutorial's graph: "
            "one basic_lstm layer, one direction, and a softmax with its bias"
        )
