"""Reading a checkpoint of either format: names, shapes and types at once, values when asked for."""

from contextlib import contextmanager
from dataclasses import dataclass
from typing import Dict, Iterator, Mapping, Optional, Tuple, Union

import numpy as np

from tf1_lstm.checkpoints.formats.bundle import TensorBundle
from tf1_lstm.checkpoints.formats.single import SingleFile
from tf1_lstm.checkpoints.formats.tensors import VariableSpec
from tf1_lstm.checkpoints.locate import BUNDLE, Located, locate, step_of
from tf1_lstm.errors import InputError
from tf1_lstm.files import PathLike

STEP_NAME = "global_step"


class Variables(Mapping[str, np.ndarray]):
    """Name -> values, read from the file and checked each time they are asked for.

    Only one variable is in memory at a time unless the caller keeps more, so a checkpoint larger
    than memory can be looked through.
    """

    def __init__(self, source: Union[TensorBundle, SingleFile], prefix: str) -> None:
        """Wrap an open file; ``prefix`` is what errors name."""
        self._source = source
        self._prefix = prefix

    def __getitem__(self, name: str) -> np.ndarray:
        """The values; raises InputError where they are damaged, KeyError for an unknown name."""
        if name not in self._source.specs:
            raise KeyError(name)
        with _naming(self._prefix):
            return self._source.read(name)

    def __iter__(self) -> Iterator[str]:
        """The names in order."""
        return iter(sorted(self._source.specs))

    def __len__(self) -> int:
        """How many variables there are."""
        return len(self._source.specs)


@dataclass(frozen=True)
class OpenCheckpoint:
    """One checkpoint, open for reading.

    Attributes:
      variables: name -> values (lazy; see ``Variables``).
      specs: name -> shape, type and number of slices, known without reading values.
      format: ``"V2 bundle"`` or ``"V1 single file"``.
      prefix: its path without suffixes.
      step: from its name, else from the variable ``global_step``, else None.
      how: how it was found from the path that was given.
      files: the files that hold it.
      missing: why values cannot be read, where they cannot; empty otherwise.
    """

    variables: Mapping[str, np.ndarray]
    specs: Mapping[str, VariableSpec]
    format: str
    prefix: str
    step: Optional[int]
    how: str
    files: Tuple[str, ...]
    missing: str = ""


def read_checkpoint(path: PathLike, needs_data: bool = True) -> OpenCheckpoint:
    """Open the checkpoint that a path means; no values are read yet.

    Args:
      path: anything that ``locate`` takes.
      needs_data: whether its data files must be there; an index alone tells everything but values.

    Raises:
      InputError: nothing there, or damaged; the message names the file.
    """
    found = locate(path)
    source, missing = _open(found, needs_data)
    specs: Dict[str, VariableSpec] = {name: source.specs[name] for name in sorted(source.specs)}
    variables = Variables(source, found.prefix)
    step = step_of(found.prefix)
    if (
        not missing
        and step is None
        and STEP_NAME in specs
        and specs[STEP_NAME] in (VariableSpec((), "int64"), VariableSpec((), "int32"))
    ):
        step = int(variables[STEP_NAME])
    return OpenCheckpoint(
        variables, specs, found.format, found.prefix, step, found.how, tuple(source.files), missing
    )


def _open(found: Located, needs_data: bool) -> Tuple[Union[TensorBundle, SingleFile], str]:
    """The file, and why its values cannot be read."""
    with _naming(found.files[0]):
        if found.format != BUNDLE:
            return SingleFile(found.files), ""
        if not needs_data:
            alone = TensorBundle(found.prefix, needs_data=False)
            missing = alone.missing_data()
            if missing:
                return alone, missing
        return TensorBundle(found.prefix), ""


@contextmanager
def _naming(path: str) -> Iterator[None]:
    """Turn what goes wrong below into an InputError that names the file."""
    try:
        yield
    except (ValueError, OSError, OverflowError, MemoryError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise InputError(f"{path}: not a readable checkpoint: {reason}") from error
