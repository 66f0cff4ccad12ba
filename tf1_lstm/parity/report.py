"""What ``compare`` says: one JSON document, and the same in words."""

from typing import Any, Dict, List, Optional

from tf1_lstm.core.text_table import text_table
from tf1_lstm.parity.comparison import PortVerdicts
from tf1_lstm.parity.diagnosis import Diagnosis, Explanation
from tf1_lstm.parity.levels import FAIL, PASS, UNKNOWN

LOGITS = "logits"  # without them a port cannot be judged
DIRECTIONS = {"fw": "forward", "bw": "backward"}
DROPOUT_FIXES = {
    "any": "turn dropout off outside training",
    "keras": "model(inputs, training=False)",
    "torch": "model.eval()  # and F.dropout(x, p, training=self.training)",
}


def to_document(comparison: PortVerdicts) -> Dict[str, Any]:
    """Return the comparison as JSON holds it."""
    bundle, observed = comparison.bundle, comparison.observed
    framework = observed.port.get("kind", "any")
    divergence = comparison.divergence
    document: Dict[str, Any] = {
        "recipe": bundle.recipe,
        "checkpoint": bundle.document.get("checkpoint", {}),
        "dataset": bundle.document.get("dataset", {}).get("name"),
        "is_sample": bool(bundle.document.get("dataset", {}).get("is_sample")),
        "port": dict(observed.port, target=comparison.target),
        "holds": comparison.holds,
        "judged": LOGITS in observed.arrays,
        "levels": [level.document() for level in comparison.levels],
        "first_difference": None if divergence is None else dict(divergence._asdict()),
        "failures": [
            {"level": level, "reason": reason, "traceback": observed.tracebacks.get(level)}
            for level, reason in observed.failed.items()
        ],
        "inputs": None if comparison.finding is None else dict(comparison.finding._asdict()),
        "diagnosis": _diagnosis(comparison.diagnosis, framework),
        "clues": list(comparison.clues),
        "folder": str(comparison.folder),
    }
    texts = _wrong_texts(document) if _only_texts(document) else ""
    document["verdict"] = f"the texts' ids differ ({texts})" if texts else _verdict(document)
    return document


def _diagnosis(diagnosis: Optional[Diagnosis], framework: str) -> Optional[Dict[str, Any]]:
    if diagnosis is None:
        return None
    return {
        "agrees": diagnosis.agrees,
        "random": diagnosis.random,
        "difference": None if diagnosis.difference == float("inf") else diagnosis.difference,
        "tried": {"mistakes": diagnosis.singles, "pairs": diagnosis.pairs},
        "explanations": [_explanation(e, framework) for e in diagnosis.explanations],
    }


def _explanation(explanation: Explanation, framework: str) -> Dict[str, Any]:
    mistakes = [
        {"name": m.name, "variant": m.variant, "says": m.says, "fix": m.fix(framework)}
        for m in explanation.mistakes
    ]
    if explanation.dropout is not None:
        keep = explanation.dropout.keep_prob
        where = "of " + ", ".join(explanation.dropout.places)
        if not explanation.dropout.places:
            where = "before the softmax"
        mistakes.append(
            {
                "name": explanation.dropout.name,
                "variant": f"keeps about {keep:.0%}",
                "says": f"dropout {where} is on: the port answers differently each time",
                "fix": DROPOUT_FIXES.get(framework, DROPOUT_FIXES["any"]),
            }
        )
    return {"mistakes": mistakes, "residual": explanation.residual, "training": explanation.training}


def _verdict(document: Dict[str, Any]) -> str:
    """Return the outcome in one line."""
    if document["failures"]:
        first = document["failures"][0]
        return f"{first['level']}: {first['reason']}"
    diagnosis = document["diagnosis"]
    if document["holds"]:
        return "all that could be compared agrees"
    if diagnosis is None:
        return "nothing could be compared"
    found = [" + ".join(m["name"] for m in e["mistakes"]) for e in diagnosis["explanations"]]
    inputs = document["inputs"]
    if inputs is not None:
        return " + ".join(filter(None, [inputs["name"], " or ".join(found)]))
    if found:
        return " or ".join(found)
    random = "; the port answers differently each time" if diagnosis["random"] else ""
    return f"differs, and no known mistake explains it{random}"


def shows_numbers(document: Dict[str, Any]) -> bool:
    """Return whether any level could be compared: else there is nothing for a table, a picture or a page."""
    return any(level["status"] != UNKNOWN for level in document["levels"])


def lines(document: Dict[str, Any]) -> List[str]:
    """Return the comparison in words."""
    found = []
    if document["is_sample"]:
        found.append("EMBEDDED SAMPLE: the model was trained on the project's sample data")
    versions = ", ".join(
        f"{name} {document['port'][name]}"
        for name in ("keras", "tensorflow", "torch", "numpy", "python")
        if document["port"].get(name)
    )
    found += [f"port            {document['port']['target']}", f"                {versions}", ""]
    found += [f"note            {note}" for note in document["port"].get("notes", [])]
    if shows_numbers(document):
        found += [_table(document["levels"]), ""]
    for failure in document["failures"]:
        found.append(f"FAILED at {failure['level']}: {failure['reason']}")
        if failure["traceback"]:
            found.append(f"                its traceback: {failure['traceback']}")
    found += _first_difference(document["first_difference"])
    found += _diagnosis_lines(document)
    if document["page"] is not None:
        found.append(f"page            {document['page']}")
    return found


def _table(levels: List[Dict[str, Any]]) -> str:
    rows = [
        [
            level["name"],
            level["status"],
            _number(level["absolute"]),
            _number(level["relative"]),
            f"{level['tolerance']:g}",
            _number(level["rounding"]),
            "; ".join(filter(None, [level["place"], level["reason"]])),
        ]
        for level in levels
    ]
    return text_table(
        ("level", "", "absolute", "relative", "tolerance", "rounding", "where"), rows, right=(2, 3, 4, 5)
    )


def _number(value: Optional[float]) -> str:
    return "-" if value is None else f"{value:.2e}"


def _wrong_texts(document: Dict[str, Any]) -> str:
    """Return what is wrong with the ids that a port makes of texts, or ""."""
    level = next((level for level in document["levels"] if level["name"] == "texts"), None)
    if level is None or level["status"] != FAIL:
        return ""
    return "; ".join(filter(None, [level["place"], level["reason"]]))


def _only_texts(document: Dict[str, Any]) -> bool:
    return all(level["status"] != FAIL for level in document["levels"] if level["name"] != "texts")


def _first_difference(found: Optional[Dict[str, Any]]) -> List[str]:
    if found is None:
        return []
    where = f"layer {found['layer']}, {DIRECTIONS[found['direction']]}, step {found['step'] + 1}"
    if found["place"] != found["step"]:
        where += f" (input {found['place'] + 1})"
    gates = f": {', '.join(found['gates'])} ({found['how']})" if found["gates"] else ""
    return [f"first differs   {where}{gates}"]


def _diagnosis_lines(document: Dict[str, Any]) -> List[str]:
    diagnosis, inputs = document["diagnosis"], document["inputs"]
    if document["holds"] or diagnosis is None:
        return ["verdict         " + document["verdict"]]
    found: List[str] = []
    texts = _wrong_texts(document)
    if texts:
        found += [f"verdict         it is in what is made of the texts: {texts}"]
        if _only_texts(document):
            return [*found, "  from the ids on, all that could be compared agrees"]
    if inputs is not None:
        found += [f"verdict         it is in the inputs: {inputs['name']}", f"  {inputs['says']}"]
        found += [f"    fix: {inputs['fix']}"]
        if diagnosis["agrees"]:
            return [*found, "  from these inputs on, everything agrees"]
    if not diagnosis["explanations"]:
        said = "verdict       " if inputs is None else "  from these inputs on,"
        return [*found, f"{said}  {_unexplained(document)}", *(f"  {clue}" for clue in document["clues"])]
    for number, explanation in enumerate(diagnosis["explanations"]):
        first = "verdict         it is" if inputs is None else "  and it is"
        found.append(first if number == 0 else "or, as these numbers cannot tell:")
        for mistake in explanation["mistakes"]:
            variant = f" ({mistake['variant']})" if mistake["variant"] else ""
            found += [f"  {mistake['name']}{variant}: {mistake['says']}", f"    fix: {mistake['fix']}"]
        if explanation["training"] is False:
            found.append("    (explains the outputs, but not all of loss, gradients and updates)")
    return [*found, *_where_to_look(document)]


def _unexplained(document: Dict[str, Any]) -> str:
    diagnosis = document["diagnosis"]
    statuses = {level["name"]: level["status"] for level in document["levels"]}
    if diagnosis["agrees"]:
        return "the logits agree; " + str(document["verdict"])
    tried = f"{diagnosis['tried']['mistakes']} mistakes and {diagnosis['tried']['pairs']} pairs were tried"
    logits = "agree" if statuses["logits"] == PASS else "differ"
    random = ". It answers differently each time" if diagnosis["random"] else ""
    return f"the logits {logits}; {tried}, and none explains the numbers{random}"


def _where_to_look(document: Dict[str, Any]) -> List[str]:
    statuses = {level["name"]: level["status"] for level in document["levels"]}
    if statuses["weights"] == UNKNOWN:
        return []
    if statuses["weights"] == FAIL:
        return ["  the loaded weights differ from the original's: look at the loading"]
    return ["  the weights are right: look at what is done with them"]
