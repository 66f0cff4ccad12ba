"""A package that is also a function: ``tf1.runs()`` lists runs, and ``tf1_lstm.runs`` is where they are made."""

import importlib
import sys
from types import ModuleType
from typing import Any

CALLS = "__calls__"


class CallableModule(ModuleType):
    """A module that calls the function which its ``__calls__`` names, as ``module:function``."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Call the function."""
        module, _, name = getattr(self, CALLS).partition(":")
        return getattr(importlib.import_module(module), name)(*args, **options)


def make_callable(name: str, function: str) -> None:
    """Let the module ``name`` be called; ``function`` is ``module:function``, imported when it is."""
    module = sys.modules[name]
    setattr(module, CALLS, function)
    module.__class__ = CallableModule
