"""Experiments from a user's own file: ``FILE.py`` or ``FILE.py:NAME``."""

import dataclasses
import hashlib
import re
import sys
import types
from pathlib import Path
from typing import Dict, NamedTuple, Optional, Tuple

from tf1_lstm.errors import InputError
from tf1_lstm.recipes.experiment import Experiment

DEFAULT_NAME = "EXPERIMENT"
LARGEST_FILE = 1 << 20
PLAIN_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")

_loaded: Dict[Tuple[str, str], types.ModuleType] = {}


class OwnFile(NamedTuple):
    """The file that an experiment came from.

    Attributes:
      path: of the file.
      variable: what the experiment is called in it.
      content: its bytes.
      folder: what paths in its data are relative to, where that is not its own folder.
      original: the name of the file that this is a copy of.
    """

    path: Path
    variable: str
    content: bytes
    folder: Optional[Path] = None
    original: str = ""

    @property
    def sha256(self) -> str:
        """Of the content."""
        return hashlib.sha256(self.content).hexdigest()


def is_file(name: str) -> bool:
    """Whether a command's RECIPE names a file."""
    return name.endswith(".py") or ".py:" in name


def own_file(name: str) -> OwnFile:
    """The file that ``FILE.py`` or ``FILE.py:NAME`` names.

    Raises:
      InputError: it is not there, cannot be read, or is too large to be one.
    """
    text, _, variable = name.rpartition(":") if not name.endswith(".py") else (name, "", "")
    path = Path(text)
    try:
        if path.is_file() and path.stat().st_size > LARGEST_FILE:
            raise InputError(
                f"{path}: found {path.stat().st_size:,} bytes, expected an experiment in Python of at most "
                f"{LARGEST_FILE:,}"
            )
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: {reason}; expected a Python file with an experiment in it") from error
    return OwnFile(path, variable or DEFAULT_NAME, content)


def load_experiment(name: str) -> Experiment:
    """The experiment in a file; the file is run.

    Raises:
      InputError: no such file, one that cannot be run, no such name in it, or something else by that name.
    """
    return experiment_in(own_file(name))


def experiment_in(file: OwnFile, folder: Optional[Path] = None) -> Experiment:
    """The experiment in a file's content; one content is run once.

    Its name is that of the file, or FILE-NAME; paths in its data are relative to ``folder``, by default
    the file's own.

    Raises:
      InputError: as ``load_experiment``.
    """
    module = _run(file)
    found = getattr(module, file.variable, None)
    if found is None:
        names = [key for key, value in vars(module).items() if isinstance(value, Experiment)]
        there = f"found {', '.join(names)}" if names else "found no experiment"
        raise InputError(f"{file.path}: {there}, expected one named {file.variable} ({file.path}:NAME)")
    if not isinstance(found, Experiment):
        raise InputError(
            f"{file.path}: {file.variable} is of type {type(found).__name__}, expected an Experiment"
        )
    own = file.path.stem if file.variable == DEFAULT_NAME else f"{file.path.stem}-{file.variable}"
    name = found.name or own
    if not PLAIN_NAME.match(name):
        raise InputError(f"{file.path}: the experiment's name is {name!r}, expected letters, digits, - and _")
    data = found.data.located(folder or file.path.resolve().parent)
    return dataclasses.replace(found, name=name, title=found.title or f"{name} ({file.path.name})", data=data)


def _run(file: OwnFile) -> types.ModuleType:
    key = (str(file.path), file.sha256)
    if key in _loaded:
        return _loaded[key]
    module = types.ModuleType(f"tf1_lstm_own_{file.sha256[:16]}")
    module.__file__ = str(file.path)
    sys.modules[module.__name__] = module  # dataclasses look their module up
    try:
        exec(compile(file.content, str(file.path), "exec"), module.__dict__)
    except KeyboardInterrupt:
        raise
    except InputError as error:
        raise InputError(f"{file.path}{_line(error, file)}: {error}") from error
    except SyntaxError as error:
        raise InputError(
            f"{file.path}: line {error.lineno}: {error.msg}; expected a Python file with an experiment in it"
        ) from error
    except BaseException as error:  # a user's own code may raise anything, SystemExit too
        text = " ".join(str(error).split())[:200]
        raise InputError(
            f"{file.path}{_line(error, file)}: {type(error).__name__}: {text}; expected a Python file that "
            "can be imported"
        ) from error
    _loaded[key] = module
    return module


def _line(error: BaseException, file: OwnFile) -> str:
    """``: line 12``, the last line of the file that an error went through."""
    found, trace = "", error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(file.path):
            found = f": line {trace.tb_lineno}"
        trace = trace.tb_next
    return found
