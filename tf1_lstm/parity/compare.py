"""Run a port, compare every level, and name what explains a difference."""

import dataclasses
import re
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

from tf1_lstm.core.parts import from_document
from tf1_lstm.data.base import Split
from tf1_lstm.errors import InputError
from tf1_lstm.files import replacing, sha256_of_array, write_json
from tf1_lstm.parity.answers import checked
from tf1_lstm.parity.bundle import Bundle, read_bundle
from tf1_lstm.parity.clues import clues_of
from tf1_lstm.parity.comparison import PortVerdicts
from tf1_lstm.parity.diagnosis import diagnose
from tf1_lstm.parity.gates import first_divergence
from tf1_lstm.parity.graph_bundle import is_graph_bundle
from tf1_lstm.parity.graph_compare import compare_graph_port
from tf1_lstm.parity.inputs import SEQUENCE, explain_inputs
from tf1_lstm.parity.levels import FAIL, NAMES, compare_levels
from tf1_lstm.parity.one_sigmoid import NOTE as ONE_SIGMOID
from tf1_lstm.parity.one_sigmoid import as_one_sigmoid
from tf1_lstm.parity.optimizers import EMBEDDING
from tf1_lstm.parity.ports import target_of
from tf1_lstm.parity.problem import Numbers, Problem, problem_of
from tf1_lstm.parity.reference_check import check_reference
from tf1_lstm.parity.report import shows_numbers, to_document
from tf1_lstm.parity.runner import LEVELS, Observed, find_python, run_port
from tf1_lstm.parity.spec import counted_steps
from tf1_lstm.parity.tokens import Tokens, compare_tokens, read_texts, tokens_of
from tf1_lstm.parity.waiting import Say, Waiting
from tf1_lstm.recipes.own_data import OwnData

REPEATS = 48
# Levels by the names that they had when every recipe was trained by Adam.
OLD_NAMES = {"adam": "updates"}


def compare_port(
    bundle_path: Path,
    port: str,
    *,
    python: Optional[str] = None,
    data: Optional[Path] = None,
    sample: bool = False,
    out: Optional[Path] = None,
    tolerances: Sequence[str] = (),
    time_limit: float = 600.0,
    raw_pictures: bool = False,
    texts: Optional[Path] = None,
    say: Say = str,
) -> Tuple[bool, Dict[str, Any]]:
    """Compare a port with a bundle, and draw the difference.

    Args:
      bundle_path: as ``export`` wrote it.
      port: ``keras``, ``torch``, ``module:name``, ``FILE.py:name`` or a saved model.
      python: the port's interpreter; by default that of ``.venv-ports``, where there is one.
      data: the data folder, to compare the labels of a whole split.
      sample: the same with the embedded sample.
      out: folder of the picture and the tracebacks; by default one below ``runs/``.
      tolerances: ``"1e-5"`` or ``"LEVEL=1e-5"``.
      time_limit: seconds for the port.
      raw_pictures: feed pictures as 0 to 255.
      texts: a file with a text a line, or a folder of ``.txt`` files, of which the port's ``tokenize`` and
        the data set are to make the same ids.
      say: takes a line now and then on how far the comparison has come.

    Returns:
      Whether all that could be compared passes, and the JSON-ready report.

    Raises:
      InputError: anything of this cannot be used.
    """
    from tf1_lstm.parity.page import write_comparison
    from tf1_lstm.parity.picture import draw, draw_heat_map

    folder = out or Path("runs") / f"compare-{slug(bundle_path.stem)}-{slug(port)}"
    if is_graph_bundle(bundle_path):
        limits = parse_tolerances(tolerances)
        _make_folder(folder)
        return compare_graph_port(
            bundle_path, port, folder=folder, python=python, tolerances=limits, time_limit=time_limit
        )
    bundle = read_bundle(bundle_path)
    check_reference(bundle, str(bundle_path))
    target = target_of(bundle.recipe, port)
    interpreter, limits = find_python(python), parse_tolerances(tolerances)
    _make_folder(folder)
    request = {"bundle": str(bundle_path.resolve()), "target": target, "raw_pictures": raw_pictures}
    tokens = None
    if texts is not None:
        tokens = _tokens(bundle, texts, data, sample)
        request["texts"] = str(folder / "texts.json")
        write_json(folder / "texts.json", tokens.texts)
    comparison = compare(
        bundle,
        request,
        interpreter,
        folder,
        float(time_limit),
        limits,
        _split_inputs(bundle, data, sample, folder),
        say,
        tokens,
    )
    bundle = comparison.bundle
    document = to_document(comparison)
    observed, levels = comparison.observed, comparison.levels
    document.update(picture=None, page=None)
    if not shows_numbers(document):
        return comparison.holds, document
    draw(folder / "difference.png", bundle, observed, levels, comparison.divergence, document["verdict"])
    pictures = {"The difference by step and by level": folder / "difference.png"}
    if draw_heat_map(folder / "steps.png", bundle, observed):
        pictures["The difference by example and step"] = folder / "steps.png"
    document.update(picture=str(folder / "difference.png"), page=str(folder / "comparison.html"))
    write_comparison(folder / "comparison.html", document, pictures)
    return comparison.holds, document


def compare(
    bundle: Bundle,
    request: Dict[str, Any],
    python: str,
    folder: Path,
    time_limit: float,
    tolerances: Dict[str, float],
    split: Optional[Dict[str, str]] = None,
    say: Say = str,
    tokens: Optional[Tokens] = None,
) -> PortVerdicts:
    """Run a port and compare it.

    Args:
      bundle: the original.
      request: ``bundle``, ``target`` and ``raw_pictures`` of ``child.Request``.
      python: the port's interpreter.
      folder: an existing folder for what the port leaves.
      time_limit: seconds for the port.
      tolerances: level -> tolerance; "" for all others.
      split: ``split_inputs`` and ``word_vectors`` of ``child.Request``, to compare labels.
      say: as in ``compare_port``.
      tokens: texts as the original reads them, or None.
    """
    more = dict(split or {}, repeats=REPEATS)
    with Waiting(folder, LEVELS[1 : None if tokens else -1], time_limit, say):
        observed = run_port(dict(request, **more), python, folder, time_limit)
    say("looking for what explains the numbers")
    if "load" in observed.failed:
        trace = observed.tracebacks.get("load")
        where = f" (its traceback: {trace})" if trace else ""
        raise InputError(f"--port {request['target']}: {observed.failed['load']}{where}")
    if observed.port.get("one_sigmoid"):
        bundle = as_one_sigmoid(bundle)
        observed.port["notes"] = [ONE_SIGMOID, *observed.port.get("notes", [])]
    observed = checked(observed, bundle)
    levels = compare_levels(bundle, observed, tolerances, bundle.split_logits if split else None)
    by_name = {level.name: level for level in levels}
    if tokens is not None:
        seen, reason = observed.arrays.get("tokens", {}), observed.reasons.get("tokens", "")
        levels = [compare_tokens(tokens, seen.get("ids"), reason), *levels]
    divergence = None
    if by_name["steps"].status == FAIL:
        limit = by_name["steps"].tolerance + (by_name["steps"].rounding or 0.0)
        divergence = first_divergence(bundle, observed.arrays["steps"], observed.arrays.get("weights"), limit)
    diagnosis = finding = None
    if "logits" in observed.arrays:
        tolerance, problem = by_name["logits"].tolerance, problem_of(bundle)
        diagnosis = diagnose(problem, _numbers(bundle, observed), tolerance)
        if not diagnosis.explanations and not diagnosis.random:
            finding = explain_inputs(bundle, observed.arrays.get("inputs", {}))
        if finding is not None and not diagnosis.agrees:
            from_inputs = _from_inputs(bundle, observed)
            if from_inputs is not None:
                diagnosis = diagnose(*from_inputs, tolerance)
    clues: List[str] = []
    holds = all(level.status != FAIL for level in levels)
    if not holds and finding is None and not (diagnosis and diagnosis.explanations):
        clues = clues_of(bundle, observed, levels)
    return PortVerdicts(
        bundle, request["target"], observed, levels, divergence, diagnosis, folder, finding, tuple(clues)
    )


def _from_inputs(bundle: Bundle, observed: Observed) -> Optional[Tuple[Problem, Numbers]]:
    """Return the problem of the inputs that the port's first layer reads, and what the port shows of it."""
    sequence = observed.arrays.get("inputs", {}).get(SEQUENCE)
    right = bundle.sequence()
    if sequence is None or (len(sequence), sequence.shape[2]) != (len(right), right.shape[2]):
        return None
    problem = problem_of(bundle)
    weights = {role: array for role, array in problem.weights.items() if role != EMBEDDING}
    problem = dataclasses.replace(
        problem,
        inputs=sequence,
        weights=weights,
        vectors=None,
        words=None,
        counted=bundle.counted_as_read(),
    )
    numbers = _numbers(bundle, observed)
    # What stands in front of the first recurrent layer is done.
    return problem.with_spec(embedding="", front="", go_backwards=False), numbers._replace(updates=None)


def _numbers(bundle: Bundle, observed: Observed) -> Numbers:
    """Return what the diagnosis has to explain."""
    steps = observed.arrays.get("steps", {})
    if any(steps[name].shape != bundle.steps[name].shape for name in steps):
        steps = {}
    training = observed.arrays.get("training")
    repeats = observed.arrays.get("repeats", {}).get("logits")
    numbers = Numbers(observed.arrays["logits"]["logits"], steps, repeats=repeats)
    if training is None or not all(np.isfinite(array).all() for array in training.values()):
        return numbers

    def group(prefix: str) -> Dict[str, np.ndarray]:
        return {name[len(prefix) :]: array for name, array in training.items() if name.startswith(prefix)}

    updates = tuple(group(f"updates/{count + 1}/") for count in range(len(bundle.updates)))
    return numbers._replace(
        loss=float(training["loss"]),
        gradients=group("gradients/"),
        updates=updates if all(updates) else None,
    )


def parse_tolerances(texts: Sequence[str]) -> Dict[str, float]:
    """Return level -> tolerance; "" for the one that is given without a level.

    Raises:
      InputError: an unknown level, or not a positive number.
    """
    found: Dict[str, float] = {}
    for text in texts:
        name, equals, value = text.rpartition("=")
        name = OLD_NAMES.get(name, name)
        if equals and name not in NAMES:
            raise InputError(f"--tolerance: found level {name!r}, expected one of {', '.join(NAMES)}")
        try:
            number = float(value)
        except ValueError:
            number = -1.0
        if not 0 < number < float("inf"):
            raise InputError(f"--tolerance: found {text!r}, expected a positive number, or LEVEL=NUMBER")
        found[name] = number
    return found


def _tokens(bundle: Bundle, texts: Path, data: Optional[Path], sample: bool) -> Tokens:
    if bundle.words is None or (data is None and not sample):
        expected = "--data or --sample, for its list of words" if bundle.words else "a bundle of word ids"
        raise InputError(f"--texts: expected {expected}")
    from tf1_lstm.data.registry import open_dataset

    given = read_texts(texts)
    dataset = open_dataset(bundle.document["dataset"]["name"], data, sample).with_settings(bundle.settings)
    return tokens_of(dataset, given, bundle.words.unknown)


def _split_inputs(
    bundle: Bundle, data: Optional[Path], sample: bool, folder: Path
) -> Optional[Dict[str, str]]:
    """Write the split's inputs (and the word vectors) for the port; None where no data were given."""
    if bundle.split_logits is None or (data is None and not sample):
        return None
    from tf1_lstm.data.registry import open_data, open_dataset

    facts, kept = bundle.document["split"], bundle.document["dataset"]
    if isinstance(kept.get("part"), dict):
        dataset = open_data(from_document(kept["part"], OwnData), data, sample)
    else:
        dataset = open_dataset(kept["name"], data, sample)
    dataset = dataset.with_settings(bundle.settings)
    split = dataset.split(facts["name"])
    if sha256_of_array(split.inputs) != facts["inputs_sha256"]:
        raise InputError(
            f"{dataset.folder}: its split {facts['name']} is not the one of the bundle; "
            f"expected {facts['examples']:,} examples with SHA-256 {facts['inputs_sha256'][:16]}…"
        )
    found = {"split_inputs": str(folder / "split-inputs.npy")}
    arrays = {"split-inputs": np.ascontiguousarray(split.inputs)}
    if bundle.spec.takes_lengths:
        arrays["split-lengths"] = _split_lengths(bundle, split)
        found["split_lengths"] = str(folder / "split-lengths.npy")
    if bundle.vectors is not None:
        arrays["word-vectors"] = np.asarray(dataset.constants()["word_vectors"])
        found["word_vectors"] = str(folder / "word-vectors.npy")
    for name, array in arrays.items():
        with replacing(folder / f"{name}.npy") as stream:
            np.lib.format.write_array(stream, array, allow_pickle=False)
    return found


def _split_lengths(bundle: Bundle, split: Split) -> np.ndarray:
    inputs = np.asarray(split.inputs)
    if inputs.ndim == 2:  # one-hot ids, which are rows for a port
        counted = counted_steps(bundle.spec, inputs, None)
        assert counted is not None
        return counted.sum(axis=1).astype(np.int32)
    return np.asarray(split.lengths, np.int32)


def slug(text: str) -> str:
    """Return a text as part of a folder's name."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", text).strip("-.")[-60:] or "port"


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: cannot be made: {error.strerror or error}") from error
