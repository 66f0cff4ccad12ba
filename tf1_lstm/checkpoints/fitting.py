"""Which recipes a checkpoint fits, and what differs where it nearly does."""

from typing import List, Mapping, NamedTuple, Optional, Tuple

from tf1_lstm.checkpoints.door import differences
from tf1_lstm.checkpoints.formats.tensors import Spec
from tf1_lstm.checkpoints.identify import identify
from tf1_lstm.checkpoints.roles import SOFTMAX_WEIGHTS, expected_shapes
from tf1_lstm.checkpoints.weights import Model
from tf1_lstm.recipes.base import GraphSettings, Recipe

# Settings that may differ before a recipe is another model altogether; one fewer where the recipe
# leaves the inputs open.
NEAR = 2


class Fit(NamedTuple):
    """How a checkpoint and a recipe compare.

    Attributes:
      recipe: its name.
      fits: whether the checkpoint's weights fill the recipe's graph.
      differences: what differs, a phrase each.
      note: a condition, for example the width of the word vectors.
    """

    recipe: str
    fits: bool
    differences: Tuple[str, ...]
    note: str = ""


def fits(specs: Mapping[str, Spec], recipes: Mapping[str, Recipe]) -> List[Fit]:
    """Compare a checkpoint with recipes; those that are another model altogether are left out.

    Args:
      specs: the checkpoint's variables.
      recipes: as ``recipes.all_recipes()`` gives them.
    """
    model = identify(specs).model
    if model is None:
        return []
    found = []
    for name, recipe in recipes.items():
        graph = recipe.graph
        expected = expected_shapes(graph, graph.input_size or model.inputs)
        identified = identify(specs, expected)
        softmax = identified.sources.get(SOFTMAX_WEIGHTS)
        width = softmax.shape[0] if softmax else None
        differing = _settings(identified.model or model, width, graph)
        problems = differences(specs, identified, expected)
        note = "" if graph.input_size else f"with word vectors of {model.inputs} numbers"
        if not problems:
            found.append(Fit(name, True, (), note))
        elif len(differing) <= (NEAR if graph.input_size else NEAR - 1):
            found.append(Fit(name, False, tuple(differing or [problem.text for problem in problems]), note))
    return found


def _settings(model: Model, width: Optional[int], graph: GraphSettings) -> List[str]:
    """Settings in which a model and a recipe's graph differ, in words."""
    directions = 2 if graph.bidirectional else 1
    expected_width = graph.units * (2 if graph.readout == "both-states" else 1)
    pairs = (
        ("cell", model.cell, graph.cell),
        ("inputs", model.inputs, graph.input_size or model.inputs),
        ("units", model.units, graph.units),
        ("layers", model.layers, graph.layers),
        ("directions", model.directions, directions),
        ("classes", model.classes, graph.classes),
    )
    differing = [f"{name} {found}, expected {wanted}" for name, found, wanted in pairs if found != wanted]
    same_state = model.units == graph.units and model.directions == directions
    if same_state and width is not None and width != expected_width:
        differing.append(f"the softmax reads {width} numbers, expected {expected_width} ({graph.readout})")
    return differing
