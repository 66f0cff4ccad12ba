"""What the Keras and the PyTorch code of a trained model share.

What the frameworks lack (a peephole and a coupled LSTM, TensorFlow 1's GRU, Keras's published RMSprop)
is copied in from ``parity/ports``, so that the text needs this project no more.
"""

import ast
from pathlib import Path
from typing import List, Sequence

from tf1_lstm.core.cells import cell_kinds
from tf1_lstm.errors import InputError
from tf1_lstm.parity.spec import Spec
from tf1_lstm.parity.weight_files import Trained

PORTS = Path(__file__).with_name("ports")
INDENT = "    "


def classes_of(module: str, names: Sequence[str]) -> List[str]:
    """Return the source of some classes of a module of ``parity/ports``, without importing it."""
    lines = (PORTS / f"{module}.py").read_text(encoding="utf-8").splitlines()
    nodes = ast.parse("\n".join(lines)).body
    # In Python 3.7 a decorated class begins at its decorator, later at its name.
    starts = [min([n.lineno, *(d.lineno for d in getattr(n, "decorator_list", []))]) - 1 for n in nodes]
    found: List[str] = []
    for node, start, end in zip(nodes, starts, [*starts[1:], len(lines)]):
        if isinstance(node, ast.ClassDef) and node.name in names:
            found += ["", "", *"\n".join(lines[start:end]).rstrip().splitlines()]
    return found


def check_cell(spec: Spec, known: Sequence[str]) -> None:
    """Refuse a cell of one's own: its code is not known here.

    Raises:
      InputError: the cell is none of ``known``.
    """
    if spec.cell.name not in known:
        own = cell_kinds()[spec.cell.name].__name__
        raise InputError(
            f"recurrent.cell: found {own}, expected one of {', '.join(known)}: code is made of these alone "
            "(export --to bundle and compare your own model)"
        )


def summary(trained: Trained) -> str:
    """Return one line on what the model takes and gives."""
    spec = trained.spec
    steps = "steps" if spec.any_steps else spec.steps
    shape = f"[batch, {steps}"
    read = f"word ids {shape}]" if trained.table is not None else f"rows {shape}, {trained.read_width}]"
    lengths = " and lengths [batch]" if spec.takes_lengths else ""
    gives = "outputs" if spec.output == "regression" else "logits"
    each = f", {steps}" if spec.per_step else ""
    return f"{trained.name or 'model'}: {read}{lengths} to {gives} [batch{each}, {spec.outputs}]."


def reads_ids_twice(spec: Spec) -> bool:
    """Whether the mask is calculated from the ids that are looked up."""
    return spec.mask != "none" and not spec.takes_lengths
