"""Train a port under its own Python: ``python -m tf1_lstm.parity.training_child FOLDER``.

``FOLDER/request.json`` says what and on which batches. Each seed leaves ``seed-N.json``, with figures or with
why there are none; ``progress.json`` says how far the running one is.
"""

import hashlib
import json
import math
import os
import sys
import time
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from tf1_lstm.core.parts import from_document
from tf1_lstm.data.base import Batch, Dataset, Split
from tf1_lstm.data.registry import open_data
from tf1_lstm.data.split_batches import batches_of
from tf1_lstm.parity.bundle import Bundle, WordVectors, read_bundle
from tf1_lstm.parity.child import (
    Request,
    feed_of,
    gives_one_number,
    run_level,
    versions,
    watch_of,
    write_json,
)
from tf1_lstm.parity.npz import read_npz
from tf1_lstm.parity.one_sigmoid import allows_one_sigmoid, as_one_sigmoid
from tf1_lstm.parity.port_trainer import PortTrainer
from tf1_lstm.parity.problem import largest_error
from tf1_lstm.parity.spec import Spec
from tf1_lstm.parity.target import FUNCTION, KERAS, Port, TargetError, load_target
from tf1_lstm.parity.watch import NotVisibleError, Watch
from tf1_lstm.recipes.data_parts import Data

AT_ONCE = 250
SHOWN = 0.5  # seconds between two words on the progress
TF1, PORT = "tf1", "port"  # whose initial values


class SeedTraining(NamedTuple):
    """The training of one seed.

    Attributes:
      seed: of batches, dropout and, where the port draws them, initial values.
      iterations: how many.
      initial: ``.npz`` of the original's initial values by role.
      batches: digest of the first batches.
    """

    seed: int
    iterations: int
    initial: str
    batches: str


class TrainingRequest(NamedTuple):
    """What the parent asks for (``request.json``).

    Attributes:
      bundle, target, raw_pictures: as in ``child.Request``.
      data_part: the experiment's data, as a document.
      data, sample: as ``open_data`` takes them.
      settings: the flat settings of the experiment.
      sampler: which of the data set's batches.
      batch_size: examples in one.
      split: measured at the end.
      initial: ``TF1`` or ``PORT``.
      trainings: ``SeedTraining`` each.
    """

    bundle: str
    target: str
    data_part: Dict[str, Any]
    data: Optional[str]
    sample: bool
    settings: Dict[str, Any]
    sampler: str
    batch_size: int
    split: str
    initial: str
    trainings: List[Any]
    raw_pictures: bool = False


class TrainingStoppedError(Exception):
    """The port's training cannot go on; the message says why."""


def main(folder: Path) -> None:
    """Train every seed that is asked for."""
    request = TrainingRequest(**json.loads((folder / "request.json").read_text(encoding="utf-8")))
    bundle = read_bundle(request.bundle)
    dataset = open_data(
        from_document(request.data_part, Data),
        None if request.data is None else Path(request.data),
        request.sample,
    ).with_settings(request.settings)
    if bundle.vectors is not None:
        table = np.asarray(dataset.constants()["word_vectors"], np.float32)
        whole = WordVectors(np.arange(len(table)), table, len(table), bundle.vectors.unknown)
        bundle = replace(bundle, vectors=whole)

    def load() -> Dict[str, Any]:
        port = load_target(request.target, bundle)
        if port.kind == FUNCTION:
            raise TargetError(
                "a function, inputs in and logits out, cannot be trained; expected a keras.Model or nn.Module"
            )
        error = _logits_error(port, bundle, request)
        document = dict(kind=port.kind, source=port.source, logits_error=error, **versions())
        write_json(folder / "port.json", document)
        return {}

    if not run_level(folder, "load", load):
        return
    for words in request.trainings:
        training = SeedTraining(**words)
        name = f"seed-{training.seed}"
        try:
            found = _Training(folder, request, bundle, dataset, training).run()
        except (TargetError, TrainingStoppedError) as error:
            found = {"failed": str(error)}
        except BaseException as error:  # a port may raise anything, SystemExit too
            (folder / f"{name}-traceback.txt").write_text(traceback.format_exc(), encoding="utf-8")
            line = (str(error).strip().splitlines() or [""])[0]
            found = {"failed": f"the port raised {type(error).__name__}: {line:.300}"}
        whole_file = folder / f"{name}.json.part"
        write_json(whole_file, found)
        os.replace(str(whole_file), str(folder / f"{name}.json"))


def digest_of_batch(batch: Batch) -> str:
    """Return the SHA-256 of what an iteration is fed."""
    digest = hashlib.sha256()
    for array in (batch.inputs, batch.labels):
        digest.update(f"{array.dtype.str} {array.shape} ".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def digest_of_batches(sampler: Any, iterations: int) -> str:
    """Return one digest of the first, the second, the middle and the last batch of a training."""
    places = sorted({0, min(1, iterations - 1), iterations // 2, iterations - 1})
    return hashlib.sha256("".join(digest_of_batch(sampler.batch(n)) for n in places).encode()).hexdigest()


class _Training:
    """One training of a port, from its beginning to its figures."""

    def __init__(
        self,
        folder: Path,
        request: TrainingRequest,
        bundle: Bundle,
        dataset: Dataset,
        training: SeedTraining,
    ) -> None:
        self._folder, self._request, self._dataset, self._training = folder, request, dataset, training
        self._shown = 0.0
        initial = read_npz(training.initial, "the original's initial values")
        self._bundle = replace(bundle, weights=initial)
        port = _seeded(load_target(request.target, self._bundle).kind, training.seed, request, self._bundle)
        feed = feed_of(Request(request.bundle, request.target, request.raw_pictures), bundle)
        self._feed, self._turned = feed, False
        given = feed(bundle.inputs, bundle.lengths)
        if allows_one_sigmoid(bundle) and gives_one_number(port, given):
            self._bundle, self._turned = as_one_sigmoid(self._bundle), True
        watch = watch_of(port, self._bundle)
        assert watch is not None
        self._watch: Watch = watch
        self._watch.logits(given)  # builds what is built when it is called first
        self._trainer = _trainer(port, watch)
        if request.initial == PORT or _is_file(request.target):
            self._trainer.redraw()
        self._begins = _begins(self._watch, self._bundle)

    def run(self) -> Dict[str, Any]:
        """Train on the same batches as the original did, and measure the split."""
        training, request = self._training, self._request
        sampler = self._dataset.train_sampler(request.sampler, request.batch_size, training.seed)
        if digest_of_batches(sampler, training.iterations) != training.batches:
            raise TrainingStoppedError(
                "this Python draws other batches than the original's; expected the same"
            )
        began, losses = time.monotonic(), []
        for iteration in range(training.iterations):
            batch = sampler.batch(iteration)
            loss = self._trainer.train(self._fed(batch.inputs, batch.lengths), self._labels(batch.labels))
            if not math.isfinite(loss):
                raise TrainingStoppedError(f"iteration {iteration + 1}: the port's loss is {loss}")
            losses.append(loss)
            self._show(iteration + 1, loss)
        split = self._dataset.split(request.split)
        last = losses[-max(1, len(losses) // 10) :]
        return {
            "figures": self._figures(split),
            "initial": self._begins,
            "training_loss": float(np.mean(last)),
            "iterations": training.iterations,
            "seconds": round(time.monotonic() - began, 1),
        }

    def _fed(self, inputs: np.ndarray, lengths: Any) -> Any:
        return self._feed(inputs, lengths if self._bundle.spec.takes_lengths else None)

    def _labels(self, labels: np.ndarray) -> np.ndarray:
        """Return a batch's labels as bundles have them."""
        spec = self._bundle.spec
        if spec.output == "regression":
            return np.asarray(labels, np.float32)
        if spec.per_step and labels.ndim == 2:
            one_hot = np.eye(spec.classes, dtype=np.float32)[np.maximum(labels, 0)]
            one_hot[labels < 0] = 0
            return one_hot
        return np.ascontiguousarray(labels[:, ::-1] if self._turned else labels, np.float32)

    def _figures(self, split: Split) -> Dict[str, float]:
        """Measure a split, dropout off."""
        spec, parts = self._bundle.spec, []
        batches = list(batches_of(split.inputs, spec.any_steps, AT_ONCE))
        for rows, steps in batches:
            lengths = None if split.lengths is None else split.lengths[rows]
            fed = self._fed(split.inputs[rows, :steps], lengths)
            logits = np.asarray(self._watch.logits(fed), np.float64)
            parts.append(
                sums_of(spec, logits[:, ::-1] if self._turned else logits, np.asarray(split.labels)[rows])
            )
        return figures_of(spec, np.sum(parts, axis=0))

    def _show(self, done: int, loss: float) -> None:
        now = time.monotonic()
        if now - self._shown >= SHOWN:
            self._shown = now
            document = {
                "seed": self._training.seed,
                "done": done,
                "of": self._training.iterations,
                "loss": loss,
            }
            write_json(self._folder / "progress.json", document)


def sums_of(spec: Spec, logits: np.ndarray, labels: np.ndarray) -> Tuple[float, float, float]:
    """Return (sum of losses, sum of what is right or of absolute errors, how many) of one batch.

    Args:
      spec: of the model.
      logits: ``[batch, classes]``, ``[batch, steps, classes]``, or numbers.
      labels: as ``data.base.Split`` has them.
    """
    if spec.output == "regression":
        errors = logits - labels.reshape(logits.shape)
        losses = np.abs(errors) if spec.loss == "absolute" else errors**2
        return float(losses.sum()), float(np.abs(errors).sum()), float(errors.size)
    labels = labels[:, : logits.shape[1]] if spec.per_step else labels
    counted = labels >= 0
    log_sum = np.logaddexp.reduce(logits, axis=-1)
    at = np.take_along_axis(logits, np.maximum(labels, 0)[..., None], axis=-1)[..., 0]
    right = (logits.argmax(axis=-1) == labels) & counted
    return float(((log_sum - at) * counted).sum()), float(right.sum()), float(counted.sum())


def figures_of(spec: Spec, sums: np.ndarray) -> Dict[str, float]:
    """Return the figures of a split by name, as ``runs.evaluate`` names them."""
    loss, second, count = (float(value) for value in sums)
    name = "mean_absolute_error" if spec.output == "regression" else "accuracy"
    return {name: second / max(count, 1.0), "loss": loss / max(count, 1.0)}


def _seeded(kind: str, seed: int, request: TrainingRequest, bundle: Bundle) -> Port:
    """Build a port with its framework's seed set before."""
    if kind == KERAS:
        import keras

        keras.utils.set_random_seed(seed)
    else:
        import torch

        torch.manual_seed(seed)
    return load_target(request.target, bundle)


def _begins(watch: Watch, bundle: Bundle) -> str:
    """Say whose initial values a port has."""
    try:
        weights = watch.weights()
    except NotVisibleError:
        return "not seen"
    alike = all(
        role in weights
        and weights[role].shape == array.shape
        and np.allclose(weights[role], array, atol=1e-6)
        for role, array in bundle.weights.items()
    )
    return "the original's" if alike else "its own"


def _logits_error(port: Port, bundle: Bundle, request: TrainingRequest) -> Optional[float]:
    """Return how far a port, given the trained weights, is from the original's logits; None where not finite."""
    feed = feed_of(Request(request.bundle, request.target, request.raw_pictures), bundle)
    if allows_one_sigmoid(bundle) and gives_one_number(port, feed(bundle.inputs, bundle.lengths)):
        bundle = as_one_sigmoid(bundle)
    watch = watch_of(port, bundle)
    assert watch is not None
    answer = watch.logits(feed(bundle.inputs, bundle.lengths))
    error = largest_error(np.asarray(bundle.logits, np.float64), np.asarray(answer, np.float64))
    return error if np.isfinite(error) else None


def _trainer(port: Port, watch: Any) -> PortTrainer:
    if port.kind == KERAS:
        from tf1_lstm.parity.train_keras import KerasPortTrainer

        return KerasPortTrainer(port.model, watch)
    from tf1_lstm.parity.train_torch import TorchPortTrainer

    return TorchPortTrainer(port.model, watch)


def _is_file(target: str) -> bool:
    """Whether a port is a saved model, which holds trained weights."""
    return ":" not in target or Path(target).exists()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
