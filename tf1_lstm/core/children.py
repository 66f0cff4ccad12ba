"""Python processes that this program starts: with this package, and nothing of the folder one is in.

A child inherits the caller's current folder, so that relative paths mean the same there, but imports
nothing from it: it runs with ``-I`` (no current folder, no ``PYTHON*`` variables, no user site), and
is given this very package by its place, so that neither a user's ``random.py`` nor another
``tf1_lstm/`` can take the place of what was meant.
"""

import sys
from pathlib import Path
from typing import List, Optional

PACKAGE = Path(__file__).resolve().parents[1]

# The package is loaded by its path and not by a search: its folder's neighbours are not importable.
# Kept in the syntax of every Python 3, for the ports' own.
BOOTSTRAP = """\
import importlib.util, runpy, sys
_, folder, module = sys.argv[:3]
sys.argv[1:3] = []
spec = importlib.util.spec_from_file_location(
    "tf1_lstm", folder + "/__init__.py", submodule_search_locations=[folder])
package = importlib.util.module_from_spec(spec)
sys.modules["tf1_lstm"] = package
spec.loader.exec_module(package)
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""


def python_command(module: str, *arguments: str, python: Optional[str] = None) -> List[str]:
    """Return the words of ``PYTHON -m MODULE ARGUMENTS``, isolated from the caller's surroundings.

    Example::

        subprocess.Popen(python_command("tf1_lstm", "train", "mnist-gru", "--sample"))

    Args:
      module: a module of this package that can be run (``tf1_lstm``, ``tf1_lstm.parity.child``).
      arguments: what it finds in ``sys.argv`` from place 1.
      python: the interpreter; this process's own by default. This package need not be installed in
        it, and its ``PYTHONPATH`` and user site are not read.
    """
    return [python or sys.executable, "-I", "-B", "-c", BOOTSTRAP, str(PACKAGE), module, *arguments]


def script_command(source: str, *arguments: str) -> List[str]:
    """Return the words of ``PYTHON -c SOURCE ARGUMENTS`` with this interpreter, isolated likewise."""
    return [sys.executable, "-I", "-c", source, *arguments]
