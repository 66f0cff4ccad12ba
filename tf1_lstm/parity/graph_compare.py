"""Compare a port with the bundle of a graph, at the levels that need no recipe: outputs, loss, gradients."""

from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from tf1_lstm.core.text_table import text_table
from tf1_lstm.errors import InputError
from tf1_lstm.parity.graph_bundle import read_graph_bundle
from tf1_lstm.parity.levels import FAIL, TOLERANCE, UNKNOWN, Level, level_of
from tf1_lstm.parity.runner import Observed, find_python, run_port

REFUSED = "found the bundle of a graph, which no recipe describes, expected module:name or FILE.py:name"


def compare_graph_port(
    bundle_path: Path,
    port: str,
    *,
    folder: Path,
    python: Optional[str] = None,
    tolerances: Mapping[str, float] = {},
    time_limit: float = 600.0,
) -> Tuple[bool, Dict[str, Any]]:
    """Compare a port with what a graph gave.

    Args:
      bundle_path: as ``tf1-lstm graph --to bundle`` wrote it.
      port: ``module:name``, ``FILE.py:name`` or a saved model.
      folder: an existing folder for what the port leaves.
      python: the port's interpreter.
      tolerances: level (``logits``, ``loss``, ``gradients``) -> tolerance; "" for the others.
      time_limit: seconds for the port.

    Returns:
      Whether all that could be compared passes, and the JSON-ready report.

    Raises:
      InputError: no such bundle, or a port that stands for a recipe.
    """
    bundle = read_graph_bundle(bundle_path)
    if port in ("keras", "torch"):
        raise InputError(f"--port {port}: {REFUSED}")
    request = {"bundle": str(bundle_path.resolve()), "target": port}
    observed = run_port(request, find_python(python), folder, time_limit, "graph_child")
    seen = observed.arrays.get("logits", {})
    training = observed.arrays.get("training", {})
    gradients = {
        name[len("gradients/") :]: a for name, a in training.items() if name.startswith("gradients/")
    }
    loss = {"loss": training["loss"]} if "loss" in training else {}
    right_loss = {} if bundle.loss is None else {"loss": np.asarray(bundle.loss, np.float32)}
    levels = []
    for name, source, right, found in (
        ("logits", "logits", bundle.outputs, seen),
        ("loss", "training", right_loss, loss),
        ("gradients", "training", bundle.gradients, gradients),
    ):
        tolerance = tolerances.get(name, tolerances.get("", TOLERANCE))
        levels.append(level_of(name, tolerance, right, found, _reason(observed, source, name), {}))
    repeated = observed.arrays.get("repeats", {})
    random = any(not np.array_equal(repeated.get(name), array) for name, array in seen.items())
    statuses = [level.status for level in levels]
    holds = FAIL not in statuses and set(statuses) != {UNKNOWN} and not observed.failed and not random
    document = {
        "kind": "graph",
        "holds": holds,
        "judged": bool(seen),
        "verdict": _verdict(levels, observed, random),
        "random": random,
        "port": {"target": port, **observed.port},
        "graph": bundle.document.get("graph"),
        "checkpoint": bundle.document.get("checkpoint"),
        "levels": [level.document() for level in levels],
        "failures": [
            {"level": level, "reason": reason, "traceback": observed.tracebacks.get(level)}
            for level, reason in observed.failed.items()
        ],
    }
    return holds, document


def _reason(observed: Observed, source: str, name: str) -> str:
    if source in observed.reasons:
        return observed.reasons[source]
    if name == "gradients" and "training" in observed.arrays:
        return "the port has neither gradients_of nor tf1_weights"
    first = next((observed.reasons[level] for level in ("load", "logits") if level in observed.failed), "")
    return first or "the port did not get that far"


def _verdict(levels: Sequence[Level], observed: Observed, random: bool) -> str:
    if observed.failed:
        return "the port failed"
    if random:
        return "the port answers differently each time"
    failed = [level.name for level in levels if level.status == FAIL]
    if failed:
        return f"differs in {', '.join(failed)}"
    return "agrees in " + ", ".join(level.name for level in levels if level.status != UNKNOWN)


def graph_lines(document: Dict[str, Any]) -> List[str]:
    """The comparison in words."""

    def number(value: Optional[float]) -> str:
        return "-" if value is None else f"{value:.2e}"

    rows = [
        [
            level["name"],
            level["status"],
            number(level["absolute"]),
            f"{level['tolerance']:g}",
            "; ".join(filter(None, [level["place"], level["reason"]])),
        ]
        for level in document["levels"]
    ]
    found = [f"port     {document['port']['target']}", f"graph    {document['graph']}", ""]
    found += [text_table(("level", "", "absolute", "tolerance", "where"), rows, right=(2, 3)), ""]
    for failure in document["failures"]:
        found.append(f"FAILED at {failure['level']}: {failure['reason']}")
        if failure["traceback"]:
            found.append(f"         its traceback: {failure['traceback']}")
    return [*found, f"verdict  {document['verdict']}"]
