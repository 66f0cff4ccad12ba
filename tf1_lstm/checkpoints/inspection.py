"""What a checkpoint is, as data (for ``--json``) and as lines for people."""

import os
import re
import textwrap
from typing import Any, Dict, List, Mapping, Optional

import numpy as np

from tf1_lstm.checkpoints.fitting import fits
from tf1_lstm.checkpoints.identify import Identified, collect, identify
from tf1_lstm.checkpoints.locate import list_prefixes
from tf1_lstm.checkpoints.reading import OpenCheckpoint, read_checkpoint
from tf1_lstm.checkpoints.restore import table
from tf1_lstm.files import PathLike
from tf1_lstm.recipes.experiment import Experiment

Document = Dict[str, Any]
STACKED = re.compile(r"multi_?rnn_?cell/cell_?0/")


def inspect(path: PathLike, recipes: Mapping[str, Experiment]) -> Document:
    """Everything that can be said of a checkpoint.

    Args:
      path: anything that ``locate`` takes.
      recipes: those to compare it with.

    Returns:
      What ``--json`` prints: only texts, numbers, lists and dictionaries.

    Raises:
      InputError: no checkpoint, or damaged.
    """
    checkpoint = read_checkpoint(path, needs_data=False)
    identified = identify(checkpoint.specs)
    roles = _roles(identified)
    variables = [_variable(checkpoint, name, roles.get(name)) for name in checkpoint.specs]
    compared = fits(checkpoint.specs, recipes)
    return {
        "path": str(path),
        "prefix": checkpoint.prefix,
        "how": checkpoint.how,
        "format": checkpoint.format,
        "files": list(checkpoint.files),
        "missing": checkpoint.missing or None,
        "others": _others(checkpoint.prefix),
        "step": checkpoint.step,
        "naming": list(identified.namings),
        "model": _model(identified),
        "problem": identified.problem or None,
        "notes": list(identified.notes),
        "softmax_candidates": [list(layer) for layer in identified.candidates],
        "unassigned": list(identified.unassigned),
        "optimizer": _optimizer(checkpoint, identified),
        "unread": list(identified.unread),
        "weights_sha256": _digest(checkpoint, identified),
        "recipes": [
            {"name": fit.recipe, "fits": fit.fits, "note": fit.note, "differences": list(fit.differences)}
            for fit in compared
        ],
        "variables": variables,
    }


def _roles(identified: Identified) -> Dict[str, str]:
    """Variable -> what it is, for those that are anything."""
    roles = {name: role for role, source in identified.sources.items() for name in source.names}
    for slot, sources in identified.slots.items():
        for role, source in sources.items():
            roles.update(dict.fromkeys(source.names, f"{slot} of {role}"))
    roles.update({variable: scalar for scalar, variable in identified.scalars.items()})
    return roles


def _variable(checkpoint: OpenCheckpoint, name: str, role: Optional[str]) -> Document:
    spec = checkpoint.specs[name]
    entry: Document = {
        "name": name,
        "shape": list(spec.shape),
        "dtype": spec.dtype,
        "slices": spec.sliced,
        "role": role,
        "minimum": None,
        "maximum": None,
        "nan": None,
        "infinite": None,
    }
    if not checkpoint.missing and spec.is_numeric and not spec.dtype.startswith("complex"):
        entry.update(_range(checkpoint.variables[name]))
    return entry


def _range(values: np.ndarray) -> Document:
    """Smallest and largest finite value, and how many are not finite."""
    finite = np.isfinite(values)
    kept = values if finite.all() else values[finite]
    number = float if values.dtype.kind == "f" else int
    return {
        "minimum": number(kept.min()) if kept.size else None,
        "maximum": number(kept.max()) if kept.size else None,
        "nan": int(np.isnan(values).sum()),
        "infinite": int(values.size - finite.sum() - np.isnan(values).sum()),
    }


def _model(identified: Identified) -> Optional[Document]:
    model = identified.model
    if model is None:
        return None
    summary = model.describe()
    share = model.layers == 1 and may_share(identified)
    if share:
        summary = summary.replace("one layer,", "one layer, or several that share it,", 1)
    return {
        **model.__dict__,
        "gate_order": list(model.gate_order),
        "layers_may_share": share,
        "summary": summary,
    }


def may_share(identified: Identified) -> bool:
    """Whether one layer may stand for several: ``MultiRNNCell([cell] * n)`` saves the cell once."""
    names = [name.lower() for source in identified.sources.values() for name in source.names]
    return any(STACKED.search(name) for name in names)


def _optimizer(checkpoint: OpenCheckpoint, identified: Identified) -> Document:
    held_by = {} if checkpoint.missing else identified.scalars
    scalars = {name: float(checkpoint.variables[held]) for name, held in held_by.items()}
    return {
        "slots": {slot: len(roles) for slot, roles in sorted(identified.slots.items())},
        "weights": len(identified.sources),
        "scalars": {name: value if np.isfinite(value) else None for name, value in scalars.items()},
    }


def _digest(checkpoint: OpenCheckpoint, identified: Identified) -> Optional[str]:
    if identified.model is None or checkpoint.missing:
        return None
    return collect(checkpoint, identified).digest()


def _others(prefix: str) -> List[str]:
    """The other checkpoints of the same folder."""
    folder, base = os.path.split(prefix)
    return [name for name in list_prefixes(folder or ".") if name != base]


def lines(document: Document) -> List[str]:
    """The document for people."""
    step = "unknown" if document["step"] is None else f"{document['step']:,}"
    model = document["model"]["summary"] if document["model"] else f"none: {document['problem']}"
    files = "one file" if len(document["files"]) == 1 else f"{len(document['files'])} files"
    head = [
        f"checkpoint  {document['prefix']}",
        f"chosen      {document['how']}",
        f"format      {document['format']}, {files}",
        f"step        {step}",
        f"naming      {', '.join(document['naming']) or 'of no version that is known'}",
        f"model       {model}",
    ]
    return [
        *head,
        *_missing_lines(document),
        *_model_lines(document),
        *_optimizer_lines(document),
        *_unread_lines(document),
        *_recipe_lines(document),
        "",
        *table([("variable", "shape", "dtype", "role", "minimum", "maximum", "NaN"), *_rows(document)]),
    ]


def _missing_lines(document: Document) -> List[str]:
    found = [f"values      missing: {document['missing']}"] if document["missing"] else []
    others = document["others"]
    more = f" and {len(others) - 8} more" if len(others) > 8 else ""
    if not others:
        return found
    listed = textwrap.wrap(", ".join(others[:8]) + more, 68, break_long_words=False, break_on_hyphens=False)
    return found + [f"{'' if place else 'also here':11} {line}" for place, line in enumerate(listed)]


def _model_lines(document: Document) -> List[str]:
    model = document["model"]
    found = []
    if model is not None:
        if model["gate_order"]:
            found.append(f"gates       {', '.join(model['gate_order'])}")
        if model["forget_bias"] is not None:
            found.append(
                f"forget bias {model['forget_bias']} if it was left at TensorFlow's default "
                "(no checkpoint holds it)"
            )
        if document["weights_sha256"]:
            found.append(f"sha256      {document['weights_sha256']}  (canonical weights)")
    found += [f"note        {note}" for note in document["notes"]]
    pairs = ", ".join(f"{kernel} with {bias}" for kernel, bias in document["softmax_candidates"][:6])
    return found + ([f"softmax     any of these, and nothing decides: {pairs}"] if pairs else [])


def _optimizer_lines(document: Document) -> List[str]:
    optimizer = document["optimizer"]
    slots = ", ".join(f"{slot} for {count}" for slot, count in optimizer["slots"].items())
    scalars = ", ".join(
        f"{name} {'-' if value is None else format(value, '.6g')}"
        for name, value in optimizer["scalars"].items()
    )
    held = f"{slots} of {optimizer['weights']} weights" if slots else "no slots"
    return [f"optimizer   {held}" + (f"; {scalars}" if scalars else "")]


def _unread_lines(document: Document) -> List[str]:
    shapes = {entry["name"]: entry["shape"] for entry in document["variables"]}
    named = [f"{name} {shapes[name]}" for name in document["unread"]]
    unassigned = ", ".join(document["unassigned"])
    found = [f"unread      {', '.join(named)}"] if named else []
    return found + (
        [f"beware      the model may well read {unassigned}: a part that is not known here"]
        if unassigned
        else []
    )


def _recipe_lines(document: Document) -> List[str]:
    found = []
    for fit in document["recipes"]:
        note = f" ({fit['note']})" if fit["note"] else ""
        what = f"fits{note}" if fit["fits"] else f"nearly: {'; '.join(fit['differences'])}"
        found.append(f"recipe      {fit['name']}: {what}")
    return found or ["recipe      none fits"]


def _rows(document: Document) -> List[List[str]]:
    rows = []
    for entry in document["variables"]:
        limits = ["-" if entry[key] is None else f"{entry[key]:.6g}" for key in ("minimum", "maximum")]
        bad = "-" if entry["nan"] is None else str(entry["nan"])
        bad += f" and {entry['infinite']} infinite" if entry["infinite"] else ""
        pieces = f" in {entry['slices']} slices" if entry["slices"] > 1 else ""
        shape = str(entry["shape"]) + pieces
        rows.append([entry["name"], shape, entry["dtype"], entry["role"] or "(unread)", *limits, bad])
    return rows
