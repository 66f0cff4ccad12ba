"""Which recipes a checkpoint fits, and what differs where it nearly does."""

from typing import List, Mapping, NamedTuple, Tuple

from tf1_lstm.checkpoints.canonical import DENSE_KERNEL, EMBEDDING, SOFTMAX_WEIGHTS, Shape, expected_shapes
from tf1_lstm.checkpoints.formats.tensors import VariableSpec
from tf1_lstm.checkpoints.identify import identify
from tf1_lstm.checkpoints.restore import differences
from tf1_lstm.checkpoints.weights import ModelDescription
from tf1_lstm.core.cells import cell_name
from tf1_lstm.recipes.experiment import Experiment, Sigmoid

# Settings that may differ before a recipe is another model altogether; one fewer where the recipe
# leaves the inputs open.
NEAR = 2
LEAST_DIMENSIONS = 2


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


def fits(specs: Mapping[str, VariableSpec], recipes: Mapping[str, Experiment]) -> List[Fit]:
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
        width = getattr(recipe.inputs, "width", 0)
        if not width and model.inputs < LEAST_DIMENSIONS:
            continue  # a single number at each step is no word vector
        expected = expected_shapes(recipe, width or model.inputs, model.vocabulary)
        identified = identify(specs, expected)
        shapes = {role: source.shape for role, source in identified.sources.items()}
        differing = _settings(identified.model or model, shapes, recipe, expected)
        problems = differences(specs, identified, expected)
        note = "" if width else f"with word vectors of {model.inputs} numbers"
        if not problems:
            found.append(Fit(name, True, (), note))
        elif len(differing) <= (NEAR if width else NEAR - 1):
            found.append(Fit(name, False, tuple(differing or [problem.text for problem in problems]), note))
    return found


def _settings(
    model: ModelDescription, shapes: Mapping[str, Shape], recipe: Experiment, expected: Mapping[str, Shape]
) -> List[str]:
    """Settings in which a model and a recipe differ, in words."""
    recurrent, head = recipe.recurrent, recipe.head
    directions = recurrent.directions
    words = expected[EMBEDDING][0] if EMBEDDING in expected else 0
    pairs: List[Tuple[str, object, object]] = [
        ("cell", model.cell, cell_name(recurrent.cell)),
        ("inputs", model.inputs, getattr(recipe.inputs, "width", 0) or model.inputs),
        (
            "units",
            _units(model.widths or (model.units,)),
            _units(recurrent.widths or (recurrent.cell.units,)),
        ),
        ("layers", model.layers, recurrent.layers),
        ("directions", model.directions, directions),
        ("dense units", model.dense_units, head.dense),
        ("outputs" if isinstance(head, Sigmoid) else "classes", model.classes, head.width),
    ]
    if model.layers == recurrent.layers > 1 and model.directions == directions == 2:
        below = {True: "both directions", False: "one direction"}
        pairs.append(("upper layers that read", below[model.joined], below[recurrent.joined_layers]))
    if model.vocabulary and words:
        pairs.append(("words", model.vocabulary, words))
    else:
        held = {True: "trained", False: "none in the checkpoint"}
        pairs.append(("embedding", held[bool(model.vocabulary)], held[EMBEDDING in expected]))
    differing = [f"{name} {found}, expected {wanted}" for name, found, wanted in pairs if found != wanted]
    state = (model.top_units, model.directions, model.dense_units)
    same_state = state == (recurrent.units[-1], directions, head.dense)
    return differing + (_readout(shapes, recipe, expected) if same_state else [])


def _units(widths: Tuple[int, ...]) -> str:
    return ", ".join(map(str, widths))


def _readout(shapes: Mapping[str, Shape], recipe: Experiment, expected: Mapping[str, Shape]) -> List[str]:
    """What is read of the recurrent layers, where it differs."""
    reader, name = (DENSE_KERNEL, "dense layer") if recipe.head.dense else (SOFTMAX_WEIGHTS, "softmax")
    width, wanted = shapes.get(reader, expected[reader])[0], expected[reader][0]
    if width == wanted:
        return []
    return [f"the {name} reads {width} numbers, expected {wanted} ({readout_words(recipe)})"]


def readout_words(recipe: Experiment) -> str:
    """What is read of the recurrent layers, for people."""
    both = recipe.recurrent.bidirectional
    return f"read={recipe.recurrent.read}" + (f", merge={both.merge}" if both else "")
