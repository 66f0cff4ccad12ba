"""A planned conversion put on disk: written beside its place, read back, compared, then renamed."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import List, Optional

import numpy as np

from tf1_lstm.checkpoints.checkpoint_file import NAME, content_for
from tf1_lstm.checkpoints.conversion import Plan
from tf1_lstm.checkpoints.formats.bundle import data_file
from tf1_lstm.checkpoints.formats.bundle_write import write_bundle
from tf1_lstm.checkpoints.formats.single_write import write_single
from tf1_lstm.checkpoints.locate import BUNDLE, DATA
from tf1_lstm.checkpoints.naming import NAMINGS
from tf1_lstm.checkpoints.reading import read_checkpoint
from tf1_lstm.errors import InputError
from tf1_lstm.files import replacing


def files_of(prefix: str, to: str) -> List[str]:
    """The files that a checkpoint of that naming has, the deciding one last."""
    bundle = NAMINGS[to].format == BUNDLE
    return [data_file(prefix, 0, 1), prefix + ".index"] if bundle else [prefix]


def check_target(planned: Plan, force: bool) -> None:
    """Refuse a target that would destroy or hide something.

    Raises:
      InputError: the source itself, a checkpoint that is there (without ``force``), or one of the
        other format under the same prefix (always: readers would not know which is meant).
    """
    target = Path(planned.target)
    wanted = {os.path.realpath(path) for path in files_of(planned.target, planned.to)}
    if wanted & {os.path.realpath(path) for path in planned.source.files}:
        raise InputError(f"{target}: found the source itself, expected another place for the result")
    if target.is_dir():
        raise InputError(f"{target}: found a folder, expected a place for a file of that name")
    there = _existing(planned.target)
    foreign = [path for path in there if os.path.realpath(path) not in wanted]
    if foreign:
        raise InputError(
            f"{foreign[0]}: found a file of another checkpoint under the prefix {target.name}, "
            "expected none; choose another name"
        )
    if there and not force:
        raise InputError(f"{there[0]}: exists already, expected a free name (--force overwrites it)")


def _existing(prefix: str) -> List[str]:
    """Files under a prefix, of either format."""
    folder, base = os.path.split(prefix)
    found = [path for path in (prefix + ".index", prefix) if os.path.exists(path)]
    for name in sorted(os.listdir(folder or ".")) if os.path.isdir(folder or ".") else []:
        match = DATA.match(name)
        if match and match.group("prefix") == base:
            found.append(os.path.join(folder, name))
    return found


def write(planned: Plan, force: bool) -> None:
    """Write a plan: into a temporary folder beside the target, read back, compare, rename.

    Where the folder has no ``checkpoint`` file, one is made, so that ``tf.train.latest_checkpoint``
    finds the result; one that is there is not touched.

    Raises:
      InputError: see ``check_target``; or the files cannot be written, or do not read back bit for
        bit. Nothing is changed then.
    """
    check_target(planned, force)
    folder = os.path.dirname(planned.target) or "."
    temporary: Optional[str] = None
    try:
        os.makedirs(folder, exist_ok=True)
        temporary = tempfile.mkdtemp(prefix=".convert-", suffix=".tmp", dir=folder)
        prefix = os.path.join(temporary, os.path.basename(planned.target))
        writer = write_bundle if NAMINGS[planned.to].format == BUNDLE else write_single
        writer(prefix, planned.values)
        _compare(prefix, planned)
        for old, new in zip(files_of(prefix, planned.to), files_of(planned.target, planned.to)):
            os.replace(old, new)
        state = Path(folder) / NAME
        if not state.exists():
            with replacing(state) as stream:
                stream.write(content_for(os.path.basename(planned.target)))
    except OSError as error:
        raise InputError(f"{planned.target}: cannot be written: {error.strerror or error}") from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def _compare(prefix: str, planned: Plan) -> None:
    """Read a written checkpoint back and compare every variable's bytes, and the canonical digest."""
    written = read_checkpoint(prefix)
    same = set(written.variables) == set(planned.values)
    for name, values in planned.values.items():
        back = written.variables[name] if same else None
        expected = np.asarray(values)
        if back is None or back.tobytes() != expected.tobytes() or back.dtype != expected.dtype:
            raise InputError(
                f"{planned.target}: {name} does not read back as it was written; nothing changed"
            )
