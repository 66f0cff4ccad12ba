"""Run a graph as it was, in a process of its own that is limited in time, memory and what it may write."""

import json
import os
import signal
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence

import numpy as np

from tf1_lstm.core.children import python_command
from tf1_lstm.errors import InputError
from tf1_lstm.files import read_npy
from tf1_lstm.original.check import CheckedPart, check_whole, part_to_run
from tf1_lstm.original.cut import write_graph
from tf1_lstm.original.feeds import Tensor, check_complete, fed_pairs
from tf1_lstm.original.graph import PLACEHOLDERS, VARIABLE_OPS, StoredGraph
from tf1_lstm.original.source import Original
from tf1_lstm.original.variables import values_of

TIME_LIMIT = 60.0  # seconds
MEMORY_LIMIT = 4.0  # GiB beyond what TensorFlow itself takes
REQUEST, ANSWER, GRAPH = "request.json", "answer.json", "graph.pb"


class RunLimits(NamedTuple):
    """What a run may take.

    Attributes:
      seconds: of time, starting the process included.
      gigabytes: of memory (GiB) beyond what TensorFlow itself takes.
    """

    seconds: float = TIME_LIMIT
    gigabytes: float = MEMORY_LIMIT


DEFAULT_LIMITS = RunLimits()


class Ran(NamedTuple):
    """What a graph gave.

    Attributes:
      outputs: as the fetches were typed -> values.
      variables: the variables that were needed, name -> values.
      loss: its value; None where no gradients were asked for.
      gradients: variable -> derivative of the loss; empty where none was asked for.
      without_gradient: variables that the loss does not depend on.
    """

    outputs: Dict[str, np.ndarray]
    variables: Dict[str, np.ndarray]
    loss: Optional[float]
    gradients: Dict[str, np.ndarray]
    without_gradient: List[str]


def run_graph(
    original: Original,
    feeds: Mapping[Tensor, np.ndarray],
    fetches: Sequence[Tensor],
    limits: RunLimits = DEFAULT_LIMITS,
    prune: bool = False,
    loss: Optional[Tensor] = None,
) -> Ran:
    """Run the part of a graph that the fetches need, on the checkpoint's values, on the processor.

    Args:
      original: the graph and its checkpoint.
      feeds: tensor -> value, of the right type and shape.
      fetches: what to return.
      limits: of time and memory.
      prune: run even where another part of the graph holds operations that may never run.
      loss: also return the derivative of this scalar by each variable of a float type that it needs.

    Raises:
      InputError: an operation that may not run, a placeholder without a feed, a variable without a
        value, an error of TensorFlow's, or a limit that was reached.
    """
    graph, file = original.graph, original.file
    check_whole(graph, file, prune)
    wanted = [*fetches, *([loss] if loss else [])]
    check_complete(graph, file, wanted, feeds)
    fed = fed_pairs(feeds)
    own = [tensor for tensor in feeds if graph.nodes[tensor.node].op in PLACEHOLDERS]
    given = {tensor.name: array for tensor, array in feeds.items()}
    wanted = [tensor for tensor in wanted if tensor.name not in given]
    roots = [tensor.node for tensor in [*wanted, *own]]
    part = part_to_run(graph, roots, fed, file, loss is not None)
    variables = values_of(
        graph,
        file,
        [n for n in graph.nodes if n in part.names and graph.nodes[n].op in VARIABLE_OPS],
        original.checkpoint,
    )
    with tempfile.TemporaryDirectory(prefix="tf1-lstm-graph-") as folder:
        work = Path(folder)
        (work / GRAPH).write_bytes(write_graph(graph, part.names, part.functions))
        request: Dict[str, Any] = {
            "feeds": [
                [tensor.name, _save(work, f"feed-{place}", array)]
                for place, (tensor, array) in enumerate(feeds.items())
            ],
            "replaced": [
                tensor.name for tensor in feeds if tensor not in own and _is_read(graph, part, tensor)
            ],
            "fetches": [
                tensor.name
                for tensor in dict.fromkeys([*fetches, *([loss] if loss else [])])
                if tensor.name not in given
            ],
            "variables": [
                [name, graph.nodes[name].op == "VarHandleOp", _save(work, f"variable-{place}", array)]
                for place, (name, array) in enumerate(variables.items())
            ],
            "loss": loss.name if loss else None,
            "contexts": _contexts(work, graph.contexts) if loss else {},
            "bytes": int(limits.gigabytes * (1 << 30)),
            "seconds": limits.seconds,
        }
        (work / REQUEST).write_text(json.dumps(request), encoding="utf-8")
        answer = _start(work, file, limits)
        computed = {name: _load(work, f"output-{place}") for place, name in enumerate(request["fetches"])}
        computed.update(given)
        outputs = {tensor.typed: computed[tensor.name] for tensor in fetches}
        gradients = {name: _load(work, f"gradient-{place}") for place, name in enumerate(answer["gradients"])}
    value = float(computed[loss.name]) if loss else None
    return Ran(outputs, variables, value, gradients, answer["without_gradient"])


def _is_read(graph: StoredGraph, part: CheckedPart, tensor: Tensor) -> bool:
    pair = (tensor.node, tensor.output)
    return any(pair in graph.nodes[name].inputs for name in part.names)


def _save(folder: Path, name: str, array: np.ndarray) -> str:
    np.save(str(folder / name), array, allow_pickle=False)
    return name


def _load(folder: Path, name: str) -> np.ndarray:
    return read_npy(folder / f"{name}.npy", "an output of the graph")


def _contexts(folder: Path, contexts: Mapping[str, bytes]) -> Dict[str, str]:
    found = {}
    for place, (name, raw) in enumerate(sorted(contexts.items())):
        (folder / f"context-{place}").write_bytes(raw)
        found[name] = f"context-{place}"
    return found


def _start(folder: Path, file: str, limits: RunLimits) -> Dict[str, Any]:
    """Run the child and return its answer."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name in ("PATH", "LANG", "HOME", "OMP_NUM_THREADS")
    }
    environment.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1", TMPDIR=str(folder))
    with open(str(folder / "log"), "wb") as log:
        child = subprocess.Popen(
            python_command("tf1_lstm.original.session", str(folder)),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=str(folder),
            start_new_session=True,
        )
        try:
            code = child.wait(timeout=limits.seconds)
        except subprocess.TimeoutExpired:
            raise InputError(
                f"{file}: stopped at the time limit of {limits.seconds:g} s (--time-limit); "
                "does a loop in it ever end?"
            ) from None
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    answer = folder / ANSWER
    if answer.is_file():
        document: Dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
        if document["error"]:
            raise InputError(f"{file}: TensorFlow refused it: {document['error']}")
        if code == 0:
            return document
    log_text = (folder / "log").read_text(encoding="utf-8", errors="replace")
    memory = "bad_alloc" in log_text or "MemoryError" in log_text or "out of memory" in log_text.lower()
    if memory or -code in (signal.SIGABRT, signal.SIGSEGV, signal.SIGKILL):
        what = f"more than {limits.gigabytes:g} GiB of memory (--memory-limit)" if memory else ""
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        raise InputError(
            f"{file}: its process was ended by {how}" + (f": it asked for {what}" if what else "")
        )
    last = (log_text.strip().splitlines() or [f"exit code {code}"])[-1]
    raise InputError(f"{file}: its process failed: {last:.300}")
