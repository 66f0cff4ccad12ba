"""From a path to a graph and the checkpoint that it belongs to."""

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Callable, Iterator, List, Optional, Tuple

from tf1_lstm.checkpoints.file_signatures import what_is_it
from tf1_lstm.checkpoints.formats import MalformedError
from tf1_lstm.checkpoints.formats.wire import Buffer, Message
from tf1_lstm.checkpoints.locate import locate, step_of
from tf1_lstm.checkpoints.reading import OpenCheckpoint, read_checkpoint
from tf1_lstm.errors import InputError
from tf1_lstm.files import PathLike
from tf1_lstm.original.graph import StoredGraph, looks_like_meta_graph, read_graph, read_meta_graph

MOST_BYTES = (1 << 31) - 1  # no protocol buffer is larger
META, SAVED_MODEL, FROZEN = "meta graph", "SavedModel", "frozen graph"
SAVED_MODEL_FILE = "saved_model.pb"
SERVE = "serve"


@dataclass(frozen=True)
class Original:
    """A graph with the checkpoint that fills its variables.

    Attributes:
      graph: its nodes.
      file: where it was read.
      kind: ``META``, ``SAVED_MODEL`` or ``FROZEN``.
      checkpoint: None for a frozen graph, or where there is none beside the graph.
      how: how the graph was chosen, one sentence.
    """

    graph: StoredGraph
    file: str
    kind: str
    checkpoint: Optional[OpenCheckpoint]
    how: str


def open_graph(path: PathLike, meta: Optional[PathLike] = None) -> Original:
    """Find and read the graph that a path means.

    Args:
      path: anything that ``checkpoints.locate`` takes, a SavedModel's folder or file, or a frozen ``.pb``.
      meta: the graph's file, where it is not the one beside the checkpoint.

    Raises:
      InputError: nothing there, no graph beside the checkpoint, or a damaged file.
    """
    text = os.fspath(path)
    if os.path.isdir(text) and os.path.isfile(os.path.join(text, SAVED_MODEL_FILE)):
        return _saved_model(text)
    if os.path.isfile(text) and os.path.basename(text) == SAVED_MODEL_FILE:
        return _saved_model(os.path.dirname(text) or ".")
    if os.path.isfile(text) and text.endswith((".pb", ".pbtxt")):
        return _frozen(text)
    if os.path.isfile(text) and text.endswith(".meta"):
        return _meta(text, text if meta is None else os.fspath(meta), "the path is its file")
    located = locate(text)
    if meta is not None:
        return _meta(located.prefix, os.fspath(meta), "it was named")
    return _meta(located.prefix, *_beside(located.prefix))


def has_graph(prefix: str) -> bool:
    """Whether a checkpoint's own graph lies beside it."""
    try:
        _beside(prefix)
    except InputError:
        return False
    return True


def _beside(prefix: str) -> Tuple[str, str]:
    """The graph of a checkpoint: of the same name, or the only one of its folder."""
    own = prefix + ".meta"
    if os.path.isfile(own):
        return own, "it has the checkpoint's name"
    folder, base = os.path.split(prefix)
    names = sorted(name for name in os.listdir(folder or ".") if name.endswith(".meta"))
    related = [name for name in names if _stem(name[: -len(".meta")]) == _stem(base)]
    for found, how in (
        (related, "of another step of the same checkpoint"),
        (names, "the folder's only graph"),
    ):
        if len(found) == 1 or (found and found is related):
            return os.path.join(folder, found[-1]), f"there is no {base}.meta; this one is {how}"
    listed = f"; the folder holds {', '.join(names[:4])}" if names else ""
    raise InputError(f"{own}: found no graph beside the checkpoint, expected {base}.meta{listed}")


def _stem(base: str) -> str:
    step = step_of(base)
    return base if step is None else base.rsplit("-", 1)[0]


def _meta(prefix: str, file: str, how: str) -> Original:
    graph = _read(file, read_meta_graph)
    stem = prefix[: -len(".meta")] if prefix.endswith(".meta") else prefix
    checkpoint = None
    try:
        checkpoint = read_checkpoint(prefix)
    except InputError:
        if any(os.path.exists(stem + ending) for ending in ("", ".index")):
            raise
    return Original(graph, file, META, checkpoint, how)


def _frozen(file: str) -> Original:
    if file.endswith(".pbtxt"):
        raise InputError(f"{file}: found a graph as text, expected its binary form (.pb or .meta)")

    def read(raw: Buffer) -> StoredGraph:
        return read_meta_graph(raw) if looks_like_meta_graph(raw) else read_graph(raw)

    return Original(_read(file, read), file, FROZEN, None, "the path is its file")


def _saved_model(folder: str) -> Original:
    file = os.path.join(folder, SAVED_MODEL_FILE)
    found: List[StoredGraph] = []

    def read(raw: Buffer) -> StoredGraph:
        found.extend(read_meta_graph(blob) for blob in Message(raw).blobs(2))
        if not found:
            raise MalformedError("no meta graph in it")
        serving = [graph for graph in found if graph.tags == (SERVE,)]
        if not serving and len(found) > 1:
            listed = "; ".join(", ".join(graph.tags) for graph in found)
            raise MalformedError(f"{len(found)} graphs tagged {listed}, expected one tagged {SERVE}")
        return (serving or found)[0]

    graph = _read(file, read)
    prefix = os.path.join(folder, "variables", "variables")
    checkpoint = read_checkpoint(prefix) if os.path.isfile(prefix + ".index") else None
    tags = ", ".join(graph.tags) or "no tag"
    return Original(graph, file, SAVED_MODEL, checkpoint, f"its graph tagged {tags}, of {len(found)}")


@contextmanager
def reading(file: str) -> Iterator[None]:
    """Turn what a damaged graph makes go wrong into an InputError that names its file.

    Attributes are read when they are asked for, so damage may show at any time; a damaged node may
    also lack inputs that its operation always has.
    """
    try:
        yield
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror or error}") from error
    except (ValueError, OverflowError, IndexError, KeyError, MemoryError) as error:
        what = what_is_it(file)
        hint = f" (found {what})" if "cut off" not in what else ""
        reason = str(error) if isinstance(error, ValueError) else f"a damaged node ({type(error).__name__})"
        raise InputError(f"{file}: not a readable graph: {reason}{hint}") from error


def _read(file: str, parse: Callable[[Buffer], StoredGraph]) -> StoredGraph:
    with reading(file):
        size = os.path.getsize(file)
        if size > MOST_BYTES:
            raise InputError(f"{file}: found {size:,} bytes, expected a graph of at most {MOST_BYTES:,}")
        with open(file, "rb") as stream:
            graph = parse(stream.read(size))
    if not graph.nodes:
        raise InputError(f"{file}: found no node in it, expected a graph (found {what_is_it(file)})")
    return graph
