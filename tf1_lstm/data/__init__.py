"""Raw files to arrays, arrays to splits and batches; knows no framework."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tf1_lstm.data.own.from_files import from_arrays, from_csv, from_folder

__all__ = ["from_arrays", "from_csv", "from_folder"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(importlib.import_module("tf1_lstm.data.own.from_files"), name)
    raise AttributeError(f"module 'tf1_lstm.data' has no attribute {name!r}")
