"""Save a model in its framework's own file, under the ports' Python: ``… ports.save FOLDER OUT``.

``FOLDER/model.py`` is code that leaves a Keras model as ``model``; ``FOLDER/graph.json`` with
``constants.npz`` is a graph of ``parity.onnx_graph``.
"""

import json
import sys
from pathlib import Path

import numpy as np


def save_keras(code: Path, out: str) -> None:
    """Run code and save its ``model`` as a ``.keras`` file."""
    found = {"__name__": "saved"}
    exec(compile(code.read_text(encoding="utf-8"), str(code), "exec"), found)
    found["model"].save(out)  # type: ignore[attr-defined]


def save_onnx(folder: Path, out: str) -> None:
    """Write a graph as an ONNX file, checked by ONNX's own checker."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    document = json.loads((folder / "graph.json").read_text(encoding="utf-8"))
    with np.load(folder / "constants.npz", allow_pickle=False) as arrays:
        constants = [numpy_helper.from_array(arrays[name], name) for name in arrays.files]
    nodes = [
        helper.make_node(operator, inputs, outputs, **attributes)
        for operator, inputs, outputs, attributes in document["nodes"]
    ]
    kind = TensorProto.INT32 if document["takes_ids"] else TensorProto.FLOAT
    shape = ["batch" if place == 0 else extent or "steps" for place, extent in enumerate(document["inputs"])]
    given = [helper.make_tensor_value_info("inputs", kind, shape)]
    if document["takes_lengths"]:
        given.append(helper.make_tensor_value_info("lengths", TensorProto.INT32, ["batch"]))
    answer = [
        "batch" if place == 0 else extent or "steps" for place, extent in enumerate(document["outputs"])
    ]
    graph = helper.make_graph(
        nodes,
        document["name"],
        given,
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, answer)],
        constants,
    )
    operators = [helper.make_opsetid("", document["operator_set"])]
    # An old version of the file format, so that runtimes of any age read it.
    model = helper.make_model(graph, producer_name="tf1-lstm", opset_imports=operators, ir_version=7)
    onnx.checker.check_model(model)
    onnx.save(model, out)


if __name__ == "__main__":
    given = Path(sys.argv[1])
    if (given / "model.py").is_file():
        save_keras(given / "model.py", sys.argv[2])
    else:
        save_onnx(given, sys.argv[2])
