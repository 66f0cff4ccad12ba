"""From whatever path somebody has to the files of one checkpoint, with the reason for the choice."""

import os
import re
from difflib import get_close_matches
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Tuple, Union

from tf1_lstm.checkpoints.checkpoint_file import LARGEST, NAME, last_part, named_paths, same_name
from tf1_lstm.checkpoints.file_signatures import what_is_it
from tf1_lstm.checkpoints.formats.sstable import FOOTER, MAGIC
from tf1_lstm.errors import InputError
from tf1_lstm.files import PathLike

BUNDLE, SINGLE = "V2 bundle", "V1 single file"
DATA = re.compile(r"^(?P<prefix>.*)\.data-(?P<shard>\d{5})-of-(?P<shards>\d{5})$")
SHARD = re.compile(r"^(?P<prefix>.+)-(?P<shard>\d{5})-of-(?P<shards>\d{5})$")
USUAL_FOLDERS = ("checkpoints", "checkpoint", "models", "model", "ckpt", "saved")
ALL_SHARDS = re.compile(r"-\?{5}-of-\d{5}$")  # what TensorFlow calls a V1 checkpoint of several files
STEP = re.compile(r"-(\d{1,18})$")


class Located(NamedTuple):
    """The files of one checkpoint.

    Attributes:
      prefix: path without suffixes, as TensorFlow's ``Saver.restore`` wants it.
      format: ``BUNDLE`` or ``SINGLE``.
      files: the index of a bundle, or the V1 file or files.
      how: how the checkpoint was chosen, one sentence.
    """

    prefix: str
    format: str
    files: Tuple[str, ...]
    how: str


def step_of(prefix: str) -> Optional[int]:
    """The step at the end of a checkpoint's name (``model.ckpt-90000``), or None."""
    match = STEP.search(os.path.basename(prefix))
    return int(match.group(1)) if match else None


def is_table(path: str) -> bool:
    """Whether a file ends as a sorted table does (a V1 checkpoint or an index)."""
    try:
        with open(path, "rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            if size < FOOTER:
                return False
            stream.seek(size - len(MAGIC))
            return stream.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def locate(path: PathLike) -> Located:
    """Find the checkpoint that a path means.

    Args:
      path: a prefix, an ``.index``, ``.data-N-of-M`` or ``.meta`` file, a V1 file or one of its
        shards, a ``checkpoint`` file, a folder, or a prefix without its step.

    Raises:
      InputError: nothing there, only a part of a checkpoint, something else, or several that no
        rule chooses from.
    """
    text = ALL_SHARDS.sub("", os.fspath(path))
    if "\0" in text or not text:
        raise InputError(f"{text!r}: found an impossible path, expected a checkpoint")
    if os.path.isdir(text):
        return _from_folder_or_prefix(text)
    direct = _at_prefix(text, "the path is its prefix")
    if direct is not None:
        return direct
    if os.path.exists(text):
        return _from_file(text)
    return _from_missing(text)


def _at_prefix(prefix: str, how: str) -> Optional[Located]:
    """The checkpoint with exactly that prefix, if there is one."""
    if os.path.isfile(prefix + ".index"):
        return Located(prefix, BUNDLE, (prefix + ".index",), how)
    whole = not prefix.endswith(".index") and not SHARD.match(os.path.basename(prefix))
    if whole and os.path.isfile(prefix) and is_table(prefix):
        return Located(prefix, SINGLE, (prefix,), "the path is a V1 file" if how.startswith("the p") else how)
    shards = _v1_shards(prefix)
    return Located(prefix, SINGLE, shards, how) if shards else None


def _v1_shards(prefix: str) -> Tuple[str, ...]:
    folder, base = os.path.split(prefix)
    found: Dict[int, str] = {}
    total = 0
    for name in _names(folder or "."):
        match = SHARD.match(name)
        if match and match.group("prefix") == base and is_table(os.path.join(folder, name)):
            found[int(match.group("shard"))] = os.path.join(folder, name)
            total = int(match.group("shards"))
    if not found:
        return ()
    lacking = [number for number in range(min(total, 1000)) if number not in found]
    if lacking or len(found) != total:
        raise InputError(
            f"{prefix}: found {len(found)} of the {total} files of a V1 checkpoint, expected all; "
            f"the first one missing is number {lacking[0] if lacking else total}"
        )
    return tuple(found[number] for number in range(total))


def _names(folder: str) -> List[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _from_file(path: str) -> Located:
    base = os.path.basename(path)
    if base == NAME:
        return _from_folder_or_prefix(os.path.dirname(path) or ".")
    for pattern, what in ((DATA, "data file of a bundle"), (SHARD, "V1 file of several")):
        match = pattern.match(base)
        if match:
            prefix = os.path.join(os.path.dirname(path), match.group("prefix"))
            found = _at_prefix(prefix, f"the path is a {what}")
            if found is not None:
                return found
            raise InputError(
                f"{path}: found a {what} alone, expected {base_of(prefix)}.index beside it "
                "(it says which bytes are which variable; without it nothing can be read)"
            )
    for suffix, what in ((".index", "the index of a bundle"), (".meta", "a graph")):
        if base.endswith(suffix):
            found = _at_prefix(
                path[: -len(suffix)], f"the path is {what}; its checkpoint has the same prefix"
            )
            if found is not None:
                return found
            raise InputError(
                f"{path}: found {what} alone, expected the checkpoint {base[: -len(suffix)]} beside it"
            )
    raise InputError(f"{path}: found {what_is_it(path)}, expected a checkpoint of TensorFlow 1")


def base_of(prefix: str) -> str:
    """A prefix without its folder."""
    return os.path.basename(prefix)


def _from_missing(path: str) -> Located:
    """A prefix without its step, or nothing at all."""
    folder, base = os.path.split(path.rstrip("."))
    prefixes = list_prefixes(folder or ".")
    if base in prefixes:
        return _must(os.path.join(folder, base), "the path is its prefix with a dot behind it")
    stepped = [prefix for prefix in prefixes if base and STEP.sub("", prefix) == base and prefix != base]
    if stepped:
        newest = max(stepped, key=lambda prefix: step_of(prefix) or 0)
        return _must(os.path.join(folder, newest), f"the newest by step of {len(stepped)} named {base}-STEP")
    data = [name for name in _names(folder or ".") if DATA.match(name) and name.startswith(base + ".data-")]
    if data:
        raise InputError(
            f"{path}: found {data[0]} without its index, expected {base}.index beside it "
            "(it says which bytes are which variable; without it nothing can be read)"
        )
    near = get_close_matches(base, prefixes, 3, 0.3)
    hint = f"; in that folder are {', '.join(near)}" if near else ""
    raise InputError(f"{path}: found no such checkpoint, expected a prefix, a file or a folder{hint}")


def _must(prefix: str, how: str) -> Located:
    found = _at_prefix(prefix, how)
    if found is None:
        raise InputError(f"{prefix}: the checkpoint went away while it was read")
    return found


def list_prefixes(folder: str) -> List[str]:
    """The names of all checkpoints in a folder, without the folder."""
    found = set()
    for name in _names(folder):
        full = os.path.join(folder, name)
        shard = SHARD.match(name)
        if name.endswith(".index") and os.path.isfile(full):
            found.add(name[: -len(".index")])
        elif DATA.match(name) or name.endswith((".meta", ".index")) or name == NAME:
            continue
        elif os.path.isfile(full) and is_table(full):
            found.add(shard.group("prefix") if shard else name)
    return sorted(found)


def _from_folder_or_prefix(path: str) -> Located:
    prefixes = list_prefixes(path)
    named = _named(path, prefixes)
    if isinstance(named, Located):
        return named
    if prefixes:
        return _newest(path, prefixes, named)
    beside = _at_prefix(path.rstrip(os.sep), "a folder has the same name, but holds no checkpoint")
    if beside is not None:
        return beside
    below = [name for name in USUAL_FOLDERS if list_prefixes(os.path.join(path, name))]
    if len(below) == 1:
        found = _from_folder_or_prefix(os.path.join(path, below[0]))
        return found._replace(how=f"in its folder {below[0]}: {found.how}")
    inside = _names(path)
    listing = _listing(path, inside)
    data = next((name for name in inside if DATA.match(name)), None)
    if data:
        raise InputError(
            f"{path}: found {data} without its index, expected a file ending in .index beside it"
        )
    hint = f"; {named}" if (Path(path) / NAME).is_file() else ""
    raise InputError(f"{path}: found a folder with {listing}, expected a checkpoint in it{hint}")


def _listing(folder: str, names: List[str]) -> str:
    """The names of a folder's files, with what each is where that is known."""
    if not names:
        return "nothing"
    found = []
    for name in names[:5]:
        full = os.path.join(folder, name)
        what = what_is_it(full) if os.path.isfile(full) else "a folder"
        found.append(name if what.startswith(("a file of", "a text")) else f"{name} ({what})")
    return ", ".join(found) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _named(folder: str, prefixes: List[str]) -> Union[Located, str]:
    """What the folder's ``checkpoint`` file leads to: a checkpoint, or why it does not help."""
    source = Path(folder) / NAME
    try:
        if not source.is_file():
            return "there is no checkpoint file"
        with source.open("rb") as stream:
            spellings = named_paths(stream.read(LARGEST))
    except OSError as error:
        return f"the checkpoint file cannot be read ({error.strerror})"
    if not spellings:
        return "the checkpoint file names nothing"
    for spelling in spellings:
        base = last_part(ALL_SHARDS.sub("", spelling))
        match = next((prefix for prefix in prefixes if same_name(prefix, base)), None)
        if match is not None:
            return _must(os.path.join(folder, match), _how_named(match, prefixes))
    for spelling in spellings:
        # Never by an absolute path: a folder that was copied would read the original's files.
        if os.path.isabs(spelling) or "\0" in spelling:
            continue
        how = f"the checkpoint file in {folder} names it by this path"
        found = _at_prefix(os.path.join(folder, spelling), how)
        if found is not None:
            return found
    return f"the checkpoint file names {last_part(spellings[0])!r}, which is not there"


def _how_named(chosen: str, prefixes: List[str]) -> str:
    how = "the folder's checkpoint file names it"
    step = step_of(chosen)
    newer = [name for name in prefixes if step is not None and (step_of(name) or 0) > step]
    return how + (f" (the folder also holds a later one, {newer[-1]})" if newer else "")


def _newest(folder: str, prefixes: List[str], why: str) -> Located:
    if len(prefixes) == 1:
        return _must(os.path.join(folder, prefixes[0]), f"{why}; it is the only checkpoint in the folder")
    steps = {prefix: step_of(prefix) for prefix in prefixes}
    best = max((step for step in steps.values() if step is not None), default=None)
    chosen = [prefix for prefix in prefixes if best is not None and steps[prefix] == best]
    if len(chosen) == 1:
        return _must(os.path.join(folder, chosen[0]), f"{why}; it is the newest by step of {len(prefixes)}")
    listed = ", ".join((chosen or prefixes)[:6])
    raise InputError(
        f"{folder}: found {len(prefixes)} checkpoints and no way to choose ({why}); "
        f"expected one of these to be named: {listed}"
    )
