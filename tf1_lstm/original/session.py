"""The process that runs a graph: ``python -m tf1_lstm.original.session FOLDER`` (see ``run.run_graph``).

``FOLDER`` holds the request, the graph and the arrays; the answer is written there too. The graph was
checked and cut by the parent; its operations are checked once more as TensorFlow itself reads them.
"""

import json
import os
import resource
import sys
from pathlib import Path
from typing import Any, Dict, List, Tuple

import numpy as np

from tf1_lstm.original.operations import ALLOWED
from tf1_lstm.original.run import ANSWER, GRAPH, REQUEST

FUSED_BY_CONTRIB = ("LSTMBlockCell", "GRUBlockCell")
KEPT_ATTRIBUTES = ("_gradient_op_type",)


def main(folder: Path) -> int:
    """Run the request, write the answer."""
    request = json.loads((folder / REQUEST).read_text(encoding="utf-8"))
    from tf1_lstm.graphs.quiet import tf

    _limit(request)
    try:
        document = _run(tf, folder, request)
    except MemoryError:
        document = {
            "error": f"it asked for more memory than the limit of {request['bytes'] / (1 << 30):g} GiB"
        }
    except Exception as error:  # whatever TensorFlow raises is the graph's fault, and one line
        document = {"error": _one_line(error)}
    (folder / ANSWER).write_text(json.dumps({"error": None, **document}), encoding="utf-8")
    return 0


def _limit(request: Dict[str, Any]) -> None:
    """Limit memory, processor time and file sizes of this process from here on."""
    page = resource.getpagesize()
    taken = (
        int(Path("/proc/self/statm").read_text().split()[0]) * page
        if os.path.exists("/proc/self/statm")
        else 0
    )
    most = taken + request["bytes"] + (1 << 30)  # the threads' stacks
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    seconds = int(request["seconds"] * (os.cpu_count() or 1)) + 5
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (request["bytes"], request["bytes"]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _one_line(error: Exception) -> str:
    text = str(getattr(error, "message", "") or error).strip()
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else 'no reason given'}"[:400]


def _run(tf: Any, folder: Path, request: Dict[str, Any]) -> Dict[str, Any]:
    graph = tf.Graph()
    with graph.as_default():
        definition = load_definition(tf, (folder / GRAPH).read_bytes())
        fed = {name: _array(folder, file) for name, file in request["feeds"]}
        # What is fed in place of a tensor that is no placeholder: the node itself is not imported.
        replaced = {name: tf.compat.v1.placeholder(fed[name].dtype) for name in request["replaced"]}
        tf.import_graph_def(definition, name="", input_map=replaced or None)
        assigned = [_assign(tf, graph, *variable) for variable in request["variables"]]
        gradients: List[Tuple[str, Any]] = []
        without: List[str] = []
        if request["loss"]:
            _restore_contexts(tf, graph, folder, request["contexts"])
            gradients, without = _gradients(tf, graph, request)
        fetches = [graph.get_tensor_by_name(name) for name in request["fetches"]]
        names = {node.name for node in definition.node}
        feeds = {tensor: fed[name] for name, tensor in replaced.items()}
        own = [name for name in fed if name not in replaced and name.rpartition(":")[0] in names]
        feeds.update({graph.get_tensor_by_name(name): fed[name] for name in own})
        config = tf.compat.v1.ConfigProto(allow_soft_placement=True)
        with tf.compat.v1.Session(config=config) as session:
            values = [_array(folder, file) for _, _, file in request["variables"]]
            # In one step: for each first one a session looks at the whole graph.
            session.run(
                [operation for operation, _ in assigned],
                {value: array for (_, value), array in zip(assigned, values)},
            )
            del values
            outputs, derived = session.run([fetches, [tensor for _, tensor in gradients]], feeds)
    for place, array in enumerate(outputs):
        _save(folder, f"output-{place}", request["fetches"][place], array)
    for place, array in enumerate(derived):
        _save(folder, f"gradient-{place}", f"the gradient of {gradients[place][0]}", array)
    return {"gradients": [name for name, _ in gradients], "without_gradient": without}


def load_definition(tf: Any, raw: bytes) -> Any:
    """A GraphDef as TensorFlow reads it, its operations checked, without devices and private attributes.

    Raises:
      ValueError: an operation that may not run.
    """
    definition = tf.compat.v1.GraphDef.FromString(raw)
    functions = {function.signature.name for function in definition.library.function}
    groups = [definition.node, *(function.node_def for function in definition.library.function)]
    for node in (node for group in groups for node in group):
        if node.op not in ALLOWED and node.op not in functions:
            raise ValueError(f"the operation {node.op} ({node.name}) may not run")
        node.device = ""
        for name in [name for name in node.attr if name.startswith("_") and name not in KEPT_ATTRIBUTES]:
            del node.attr[name]
    return definition


def _assign(tf: Any, graph: Any, name: str, is_resource: bool, file: str) -> Tuple[Any, Any]:
    """The operation that gives a variable its value, and the placeholder of the value."""
    from tensorflow.python.ops import gen_resource_variable_ops, gen_state_ops

    del file
    variable = graph.get_tensor_by_name(f"{name}:0")
    if is_resource:
        kind = tf.as_dtype(graph.get_operation_by_name(name).get_attr("dtype"))
        value = tf.compat.v1.placeholder(kind)
        return gen_resource_variable_ops.assign_variable_op(variable, value), value
    value = tf.compat.v1.placeholder(variable.dtype.base_dtype)
    return gen_state_ops.assign(variable, value, validate_shape=False).op, value


def _restore_contexts(tf: Any, graph: Any, folder: Path, contexts: Dict[str, str]) -> None:
    """Tell TensorFlow which nodes are in which loop or conditional: without it no gradient goes through."""
    from tensorflow.core.protobuf import control_flow_pb2, meta_graph_pb2
    from tensorflow.python.ops import control_flow_ops

    kinds = {
        "while_context": (control_flow_pb2.WhileContextDef, control_flow_ops.WhileContext),
        "cond_context": (control_flow_pb2.CondContextDef, control_flow_ops.CondContext),
    }
    there = {operation.name for operation in graph.get_operations()}
    for key, file in contexts.items():
        message, kind = kinds[key]
        collection = meta_graph_pb2.CollectionDef.FromString((folder / file).read_bytes())
        for raw in collection.bytes_list.value:
            proto = message.FromString(raw)
            if _keep_present(proto, there):
                graph.add_to_collection(key, kind.from_proto(proto))


def _keep_present(proto: Any, there: Any) -> bool:
    """Leave out of a context what was cut from the graph; False where the context itself is gone."""

    def is_there(name: str) -> bool:
        return name.rpartition(":")[0] in there if ":" in name else name in there

    pivots = [
        getattr(proto, name, "") for name in ("pivot_name", "pivot_for_pred_name", "pivot_for_body_name")
    ]
    if not all(is_there(name) for name in [*pivots, getattr(proto, "pred_name", "")] if name):
        return False
    values = proto.values_def
    kept = [name for name in values.values if is_there(name)]
    del values.values[:]
    values.values.extend(kept)
    for name in [
        name for name, outer in values.external_values.items() if not (is_there(name) and is_there(outer))
    ]:
        del values.external_values[name]
    for field in ("loop_exit_names", "loop_enter_names"):
        if hasattr(proto, field):
            names = [name for name in getattr(proto, field) if is_there(name)]
            del getattr(proto, field)[:]
            getattr(proto, field).extend(names)
    nested = [
        inner
        for inner in proto.nested_contexts
        if _keep_present(inner.while_ctxt if inner.HasField("while_ctxt") else inner.cond_ctxt, there)
    ]
    copies = [type(inner).FromString(inner.SerializeToString()) for inner in nested]
    del proto.nested_contexts[:]
    proto.nested_contexts.extend(copies)
    return True


def _gradients(tf: Any, graph: Any, request: Dict[str, Any]) -> Tuple[List[Tuple[str, Any]], List[str]]:
    """(variable, derivative of the loss) for each float variable, and those without one."""
    loss = graph.get_tensor_by_name(request["loss"])
    names = []
    for name, is_resource, _ in request["variables"]:
        tensor = graph.get_tensor_by_name(f"{name}:0")
        kind = (
            tf.as_dtype(graph.get_operation_by_name(name).get_attr("dtype")) if is_resource else tensor.dtype
        )
        if kind.base_dtype.is_floating:
            names.append(name)
    if any(operation.type in FUSED_BY_CONTRIB for operation in graph.get_operations()):
        from tensorflow.contrib.rnn.python.ops import gru_ops, lstm_ops

        del gru_ops, lstm_ops  # importing them registers their gradients
    found = tf.gradients(loss, [graph.get_tensor_by_name(f"{name}:0") for name in names])
    pairs = [(name, tf.convert_to_tensor(value)) for name, value in zip(names, found) if value is not None]
    return pairs, [name for name, value in zip(names, found) if value is None]


def _array(folder: Path, file: str) -> np.ndarray:
    return np.load(str(folder / f"{file}.npy"), allow_pickle=False)


def _save(folder: Path, file: str, what: str, value: Any) -> None:
    array = np.asarray(value)
    if array.dtype.kind not in "fiubc":
        raise ValueError(f"{what} is {array.dtype}, expected numbers")
    np.save(str(folder / file), array, allow_pickle=False)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
