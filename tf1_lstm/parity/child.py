"""Run a port under its own Python and write down what it shows: ``python -m tf1_lstm.parity.child FOLDER``.

``FOLDER/request.json`` says what to run. Each level leaves ``LEVEL.npz``, or ``LEVEL.json`` with the
reason why not and, where the port raised, ``LEVEL-traceback.txt``; so whatever was seen before a
crash or the time limit is kept.
"""

import json
import platform
import sys
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, Mapping, NamedTuple, Optional, Tuple

import numpy as np

from tf1_lstm.data.split_batches import batches_of
from tf1_lstm.parity.bundle import Bundle, WordVectors, read_bundle
from tf1_lstm.parity.inputs import read_inputs
from tf1_lstm.parity.one_sigmoid import allows_one_sigmoid, as_one_sigmoid
from tf1_lstm.parity.target import FUNCTION, KERAS, TORCH, Port, TargetError, load_target
from tf1_lstm.parity.watch import Fed, NotVisibleError, Watch, logits_of

Arrays = Dict[str, np.ndarray]
# (inputs, lengths where the model takes them) -> what the port is given
Feed = Callable[..., Fed]
LOGITS = "logits"


class Request(NamedTuple):
    """What the parent asks for (``request.json``).

    Attributes:
      bundle: path of the bundle.
      target: the port, as typed.
      raw_pictures: feed pictures as 0 to 255 ``uint8`` in place of the bundle's own inputs.
      repeats: how often the same batch is run again, to find out whether the port is random.
      split_inputs: ``.npy`` of the split's inputs, or None.
      split_lengths: ``.npy`` of how many steps of each count, where the model takes lengths.
      word_vectors: ``.npy`` of the whole table of word vectors, or None.
      batch_size: examples at once for the split.
      texts: JSON list of texts for the port's ``tokenize``, or None.
    """

    bundle: str
    target: str
    raw_pictures: bool = False
    repeats: int = 2
    split_inputs: Optional[str] = None
    split_lengths: Optional[str] = None
    word_vectors: Optional[str] = None
    batch_size: int = 250
    texts: Optional[str] = None


class WrongOutputError(Exception):
    """The port answered with something that is not logits."""


def main(folder: Path) -> None:
    """Run every level that the port allows."""
    request = Request(**json.loads((folder / "request.json").read_text(encoding="utf-8")))
    bundle = read_bundle(request.bundle)
    known = bundle.vectors  # those of the batch's words; what the port's rows are compared with
    if request.word_vectors is not None and bundle.vectors is not None:
        table = np.load(request.word_vectors, mmap_mode="r", allow_pickle=False)
        whole = WordVectors(np.arange(len(table)), table, len(table), bundle.vectors.unknown)
        bundle = replace(bundle, vectors=whole)
    seen: Dict[str, Any] = {}
    described: Dict[str, Any] = {}

    def load() -> Arrays:
        port = load_target(request.target, bundle)
        seen["port"] = port
        described.update(kind=port.kind, source=port.source, **versions())
        write_json(folder / "port.json", described)
        return {}

    if not run_level(folder, "load", load):
        return
    port: Port = seen["port"]
    feed = feed_of(request, bundle)
    given = feed(bundle.inputs, bundle.lengths)
    if allows_one_sigmoid(bundle) and gives_one_number(port, given):
        bundle = as_one_sigmoid(bundle)
        described["one_sigmoid"] = True
        write_json(folder / "port.json", described)
    watch, classes, each = watch_of(port, bundle), bundle.spec.classes, bundle.logits.shape[1:-1]

    def run(inputs: np.ndarray, lengths: Optional[np.ndarray]) -> np.ndarray:
        fed = feed(inputs, lengths)
        if watch is not None:
            return check_logits(watch.logits(fed), len(inputs), classes, each)
        answer = port.model(*(fed if isinstance(fed, tuple) else (fed,)))
        if hasattr(answer, "trainable_variables") or hasattr(answer, "named_parameters"):
            raise WrongOutputError("the port returned a model: call its parameter 'bundle', or take none")
        answer = np.asarray(_plain(answer))
        return check_logits(logits_of(answer, bundle.spec), len(inputs), classes, each)

    if not run_level(folder, LOGITS, lambda: {"logits": run(bundle.inputs, bundle.lengths)}):
        return
    if watch is not None:
        _visible_levels(folder, watch, given, replace(bundle, vectors=known))
        write_json(folder / "port.json", dict(described, notes=watch.notes))
    else:
        for level in ("inputs", "weights", "steps", "training"):
            _refuse(folder, level, "the port is a function: inputs in, logits out")

    def once() -> np.ndarray:
        return run(bundle.inputs, bundle.lengths)

    run_level(folder, "repeats", lambda: {"logits": np.stack(_repeat(once, request.repeats))})
    if request.split_inputs is not None:
        inputs = np.load(request.split_inputs, allow_pickle=False)
        lengths = None
        if request.split_lengths is not None:
            lengths = np.load(request.split_lengths, allow_pickle=False)
        batches = batches_of(inputs, bundle.spec.any_steps, request.batch_size)
        run_level(folder, "split", lambda: {"logits": _in_parts(run, inputs, lengths, batches)})
    if request.texts is not None:
        texts = json.loads(Path(request.texts).read_text(encoding="utf-8"))
        run_level(folder, "tokens", lambda: {"ids": _tokenized(port, texts)})


def _visible_levels(folder: Path, watch: Watch, inputs: Fed, bundle: Bundle) -> None:
    counted = bundle.counted_as_read()

    def steps() -> Arrays:
        found = watch.steps(inputs)
        if counted is None:
            return found
        # What a framework leaves at steps that do not count is its own affair.
        return {n: a * counted[:, :, None] if a.shape[:2] == counted.shape else a for n, a in found.items()}

    def read() -> Arrays:
        sequence = watch.first_read
        if counted is not None and sequence is not None and sequence.shape[:2] == counted.shape:
            right = bundle.sequence()
            if sequence.shape == right.shape:
                sequence = np.where(counted[:, :, None], sequence, right)
        return read_inputs(bundle, sequence, watch.table())

    run_level(folder, "weights", watch.weights)
    run_level(folder, "steps", steps)
    seen = run_level(folder, "inputs", read)
    if seen and not (folder / "inputs.npz").is_file():
        _refuse(folder, "inputs", "what its first layer reads cannot be seen")

    def train() -> Arrays:
        trained = watch.train(inputs, bundle.labels)
        found: Arrays = {"loss": np.float32(trained.loss)}
        found.update({f"gradients/{role}": array for role, array in trained.gradients.items()})
        for number, arrays in enumerate(trained.updates):
            found.update({f"updates/{number + 1}/{role}": array for role, array in arrays.items()})
        if trained.note:
            _refuse(folder, "updates", trained.note)
        return found

    run_level(folder, "training", train)


def run_level(folder: Path, level: str, work: Callable[[], Mapping[str, Any]]) -> bool:
    """Run one level and keep its arrays, or why there are none."""
    try:
        arrays = work()
    except (NotVisibleError, TargetError) as error:
        _refuse(folder, level, str(error))
        return False
    except BaseException as error:  # a port may raise anything, SystemExit too
        (folder / f"{level}-traceback.txt").write_text(traceback.format_exc(), encoding="utf-8")
        what = str(error).strip().splitlines() or [""]
        wrong = isinstance(error, WrongOutputError)
        reason = what[0] if wrong else f"the port raised {type(error).__name__}: {what[0]:.300}"
        write_json(folder / f"{level}.json", {"reason": reason, "failed": True})
        return False
    if arrays:
        np.savez(str(folder / f"{level}.npz"), **{name: np.asarray(array) for name, array in arrays.items()})
    return True


def _refuse(folder: Path, level: str, reason: str) -> None:
    write_json(folder / f"{level}.json", {"reason": reason, "failed": level == "load"})


def check_logits(answer: Any, examples: int, classes: int, each: Tuple[int, ...] = ()) -> np.ndarray:
    """Return the answer as float32 ``[examples, *each, classes]``; raise WrongOutputError.

    ``each`` is ``(steps,)`` of a model with an output at every step.
    """
    found = np.asarray(answer)
    if found.dtype.kind not in "fiu":
        raise WrongOutputError(f"the port returned {found.dtype} {found.shape}, expected float logits")
    expected = (examples, *each, classes)
    if found.shape != expected:
        raise WrongOutputError(f"the port returned shape {found.shape}, expected {expected}")
    if not np.isfinite(found).all():
        count = int((~np.isfinite(found)).sum())
        raise WrongOutputError(f"the port returned {count} logits of {found.size} that are NaN or infinite")
    return found.astype(np.float32)


def _plain(answer: Any) -> Any:
    """Return NumPy's view of what a function returned: a tensor of any framework, or a list."""
    if hasattr(answer, "detach"):
        answer = answer.detach().cpu()
    return answer.numpy() if hasattr(answer, "numpy") else answer


def watch_of(port: Port, bundle: Bundle) -> Optional[Watch]:
    if port.kind == FUNCTION:
        return None
    spec = bundle.spec
    if port.kind == KERAS:
        from tf1_lstm.parity.watch_keras import KerasWatch

        return KerasWatch(port.model, spec)
    from tf1_lstm.parity.watch_torch import TorchWatch

    return TorchWatch(port.model, spec)


def _tokenized(port: Port, texts: List[str]) -> np.ndarray:
    """Return the ids that a port makes of texts, by ``tokenize`` of its model or its module."""
    module = getattr(port.model, "__module__", type(port.model).__module__)
    own = getattr(sys.modules.get(type(port.model).__module__), "tokenize", None)
    of_function = getattr(sys.modules.get(module), "tokenize", None)
    tokenize = getattr(port.model, "tokenize", None) or own or of_function
    if tokenize is None:
        raise NotVisibleError("the port has no tokenize(texts) that returns ids [texts, steps]")
    return np.asarray(_plain(tokenize(texts)))


def gives_one_number(port: Port, inputs: Fed) -> bool:
    """Whether a port answers one number for each example; what goes wrong is seen at the logits."""
    try:
        if port.kind == TORCH:
            from tf1_lstm.parity.watch_torch import answer_of

            shape = answer_of(port.model, inputs).shape
        else:
            many = port.kind == FUNCTION and isinstance(inputs, tuple)
            shape = np.shape(_plain(port.model(*inputs) if many else port.model(inputs)))
    except BaseException:  # a port may raise anything
        return False
    batch = len(inputs[0] if isinstance(inputs, tuple) else inputs)
    return tuple(shape) in ((batch,), (batch, 1))


def feed_of(request: Request, bundle: Bundle) -> Feed:
    """Return what makes of inputs and lengths what the port is given."""
    pictures = request.raw_pictures and bundle.words is None

    def feed(inputs: np.ndarray, lengths: Optional[np.ndarray] = None) -> Fed:
        if inputs.ndim < bundle.inputs.ndim:  # one-hot ids are rows for a port
            inputs = np.eye(bundle.inputs.shape[2], dtype=np.float32)[inputs]
        if pictures:
            inputs = np.rint(inputs * 255).astype(np.uint8)
        return inputs if lengths is None else (inputs, lengths)

    return feed


def _repeat(run: Callable[[], np.ndarray], most: int) -> Any:
    """Run twice, and as often as asked for where the two differ."""
    answers = [run(), run()]
    if np.array_equal(answers[0], answers[1]):
        return answers
    return answers + [run() for _ in range(max(0, most - 2))]


def _in_parts(
    run: Callable[[np.ndarray, Optional[np.ndarray]], np.ndarray],
    inputs: np.ndarray,
    lengths: Optional[np.ndarray],
    batches: Iterable[Tuple[Any, int]],
) -> np.ndarray:
    """Run a whole split, batch by batch (see ``runs.batches``); returns the logits in its order."""
    parts = [
        (rows, run(inputs[rows, :steps], None if lengths is None else lengths[rows]))
        for rows, steps in batches
    ]
    found = np.empty((len(inputs), *parts[0][1].shape[1:]), np.float32)
    for rows, logits in parts:
        found[rows] = logits
    return found


def versions() -> Dict[str, str]:
    found = {"python": platform.python_version(), "numpy": np.__version__}
    for name in ("keras", "tensorflow", "torch"):
        if name in sys.modules:
            found[name] = str(getattr(sys.modules[name], "__version__", ""))
    return found


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
