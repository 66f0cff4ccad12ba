"""Which recipes a checkpoint fits, and what differs where it nearly does."""

from typing import List, Mapping, NamedTuple, Tuple

from tf1_lstm.checkpoints.formats.tensors import Spec
from tf1_lstm.checkpoints.identify import identify
from tf1_lstm.checkpoints.restore import differences
from tf1_lstm.checkpoints.roles import DENSE_KERNEL, EMBEDDING, SOFTMAX_WEIGHTS, Shape, expected_shapes
from tf1_lstm.checkpoints.weights import Model
from tf1_lstm.recipes.base import Recipe
from tf1_lstm.recipes.settings import GraphSettings

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
        expected = expected_shapes(graph, graph.input_size or model.inputs, model.vocabulary)
        identified = identify(specs, expected)
        shapes = {role: source.shape for role, source in identified.sources.items()}
        differing = _settings(identified.model or model, shapes, graph, expected)
        problems = differences(specs, identified, expected)
        note = "" if graph.input_size else f"with word vectors of {model.inputs} numbers"
        if not problems:
            found.append(Fit(name, True, (), note))
        elif len(differing) <= (NEAR if graph.input_size else NEAR - 1):
            found.append(Fit(name, False, tuple(differing or [problem.text for problem in problems]), note))
    return found


def _settings(
    model: Model, shapes: Mapping[str, Shape], graph: GraphSettings, expected: Mapping[str, Shape]
) -> List[str]:
    """Settings in which a model and a recipe's graph differ, in words."""
    directions = 2 if graph.bidirectional else 1
    words = expected[EMBEDDING][0] if EMBEDDING in expected else 0
    pairs: List[Tuple[str, object, object]] = [
        ("cell", model.cell, graph.cell),
        ("inputs", model.inputs, graph.input_size or model.inputs),
        ("units", model.units, graph.units),
        ("layers", model.layers, graph.layers),
        ("directions", model.directions, directions),
        ("dense units", model.dense_units, graph.dense_units),
        ("outputs" if graph.output == "sigmoid" else "classes", model.classes, graph.outputs),
    ]
    if model.layers == graph.layers > 1 and model.directions == directions == 2:
        below = {True: "both directions", False: "one direction"}
        pairs.append(("upper layers that read", below[model.joined], below[graph.joined_layers]))
    if model.vocabulary and words:
        pairs.append(("words", model.vocabulary, words))
    else:
        held = {True: "trained", False: "none in the checkpoint"}
        pairs.append(("embedding", held[bool(model.vocabulary)], held[EMBEDDING in expected]))
    differing = [f"{name} {found}, expected {wanted}" for name, found, wanted in pairs if found != wanted]
    state = (model.units, model.directions, model.dense_units)
    same_state = state == (graph.units, directions, graph.dense_units)
    return differing + (_readout(shapes, graph, expected) if same_state else [])


def _readout(shapes: Mapping[str, Shape], graph: GraphSettings, expected: Mapping[str, Shape]) -> List[str]:
    """What is read of the recurrent layers, where it differs."""
    reader, name = (DENSE_KERNEL, "dense layer") if graph.dense_units else (SOFTMAX_WEIGHTS, "softmax")
    width, wanted = shapes.get(reader, expected[reader])[0], expected[reader][0]
    if width == wanted:
        return []
    return [f"the {name} reads {width} numbers, expected {wanted} ({graph.readout})"]
