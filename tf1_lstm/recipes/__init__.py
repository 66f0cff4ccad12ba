"""What was published: one module for each document, one recipe for each experiment."""

import importlib
import pkgutil
from typing import Dict

from tf1_lstm.errors import InputError
from tf1_lstm.recipes.base import Recipe

__all__ = ["Recipe", "all_recipes", "find_recipe"]


def all_recipes() -> Dict[str, Recipe]:
    """Every recipe by name, in the order of the documents: the ``RECIPES`` of each module here."""
    found: Dict[str, Recipe] = {}
    for module in sorted(info.name for info in pkgutil.iter_modules(__path__)):
        for recipe in getattr(importlib.import_module(f"{__name__}.{module}"), "RECIPES", ()):
            found[recipe.name] = recipe
    return found


def find_recipe(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
      InputError: no recipe has that name.
    """
    recipes = all_recipes()
    if name not in recipes:
        raise InputError(f"recipe {name!r}: unknown; expected one of {', '.join(recipes)}")
    return recipes[name]
