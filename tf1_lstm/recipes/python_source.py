"""An experiment as Python source that can be saved, edited, and given back to every command."""

import dataclasses
from typing import Any, List, Mapping, Set

from tf1_lstm.core.parts import Part, setting_fields
from tf1_lstm.recipes.experiment import Experiment

WIDTH = 100


def python_source(experiment: Experiment, notes: Mapping[str, str] = {}, opening: str = "") -> str:
    """The experiment as a Python file with the variable ``EXPERIMENT``.

    Args:
      experiment: any whose parts come with the package.
      notes: path -> a comment that stands above that setting.
      opening: the file's docstring; its title by default.
    """
    names: Set[str] = {"Experiment"}
    body = _call(experiment, "", 0, notes, names)
    imported = "".join(f"    {name},\n" for name in sorted(names))
    text = opening or f"{experiment.title or experiment.name}. Change what you like."
    return f'"""{text}"""\n\nfrom tf1_lstm.recipes import (\n{imported})\n\nEXPERIMENT = {body}\n'


def _call(part: Part, path: str, depth: int, notes: Mapping[str, str], names: Set[str]) -> str:
    names.add(type(part).__name__)
    arguments: List[str] = []
    notes_here: List[str] = []
    if isinstance(part, Experiment) and part.title:
        arguments.append(f"title={part.title!r}")
        notes_here.append("")
    for field in setting_fields(type(part)):
        value, inner = getattr(part, field.name), path + field.name
        note = notes.get(inner, "")
        required = field.default is dataclasses.MISSING
        below = any(key.startswith(inner + ".") for key in notes)
        if not required and value == field.default and not note and not below:
            continue
        shown = _value(value, inner + ".", depth + 1, notes, names)
        arguments.append(f"{field.name}={shown}")
        notes_here.append(note)
    one_line = f"{type(part).__name__}({', '.join(arguments)})"
    fits = "\n" not in one_line and len(one_line) + 4 * depth < WIDTH - 20 and not any(notes_here)
    if fits and not isinstance(part, Experiment):
        return one_line
    pad = "    " * (depth + 1)
    lines = []
    for argument, note in zip(arguments, notes_here):
        lines += [f"{pad}# {line}" for line in note.splitlines()]
        lines.append(f"{pad}{argument},")
    return f"{type(part).__name__}(\n" + "\n".join(lines) + f"\n{'    ' * depth})"


def _value(value: Any, path: str, depth: int, notes: Mapping[str, str], names: Set[str]) -> str:
    if isinstance(value, Part):
        return _call(value, path, depth, notes, names)
    return repr(value)
