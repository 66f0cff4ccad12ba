"""Every setting of every recipe does something: another value changes what is trained, or is refused.

What is compared: the batches and splits of the data set, the events of a training loop around a model
that computes nothing, and the graph.
"""

import copy
import hashlib
import types
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Set, Tuple

import numpy as np
import pytest

from tests.tiers import representative
from tf1_lstm.core.parts import Leaf, kinds, leaves, part_type
from tf1_lstm.errors import InputError
from tf1_lstm.graphs.build import build
from tf1_lstm.recipes import Experiment, all_recipes
from tf1_lstm.runs import early_stopping, epochs, loop
from tf1_lstm.runs.evaluate import Evaluation
from tf1_lstm.runs.folder import RunFolder
from tf1_lstm.runs.interruption import Interruption
from tf1_lstm.runs.resolve import Resolved, resolve
from tf1_lstm.runs.train import _record

SMALL = {"recurrent.cell.units": 3, "schedule.batch_size": 17}
STEPS = {"schedule.iterations": 24, "schedule.log_every": 6, "schedule.save_every": 9}
EPOCHS = {"schedule.epochs": 4}
# Of the others one other value of each setting has to do.
THOROUGH = ("imdb-lstm", "imdb-lstmcell2", "mnist-bilstm")
FREE_TEXTS = ("", "test", "train", "validation", "tutorial-test")


def small(recipe: Experiment) -> Dict[str, Any]:
    """Settings that make a recipe quick."""
    return {**SMALL, **(EPOCHS if hasattr(recipe.schedule, "epochs") else STEPS)}


def others(leaf: Leaf) -> Iterator[Any]:
    """Other values of a setting, each of which must do something or be refused."""
    family, optional = part_type(leaf.hint)
    if family is not None:
        yield from (name for name in [*kinds(family), *([None] if optional else [])] if name != leaf.value)
    elif leaf.field.metadata["choices"]:
        choices = leaf.field.metadata["choices"]
        if isinstance(leaf.value, list):
            yield from ([choice] for choice in choices if [choice] != leaf.value)
        else:
            yield from (choice for choice in choices if choice != leaf.value)
    elif isinstance(leaf.value, list):
        yield [7, 5]
    elif isinstance(leaf.value, bool):
        yield not leaf.value
    elif isinstance(leaf.value, int):
        yield from (leaf.value + 1, max(1, leaf.value // 2) if leaf.value > 1 else 300)
    elif isinstance(leaf.value, float):
        yield leaf.value / 2 if leaf.value else 0.25
    else:
        assert isinstance(leaf.value, str), leaf
        yield from (text for text in FREE_TEXTS if text != leaf.value)


class StillModel:
    """A model that computes nothing, so that a loop around it shows its schedule alone."""

    def __init__(self, recipe: Experiment, *unused: Any, **more: Any) -> None:
        self.recipe = recipe
        self.graph = types.SimpleNamespace(
            inputs=0, labels=0, iteration=0, lengths=None, loss=0, train_op=0, accuracy=0, carry=None
        )
        self.wants_lengths = False
        self.engine = None
        self.session = types.SimpleNamespace(make_callable=self._callable)
        self.saver = types.SimpleNamespace(save=lambda session, target, write_state: self._write(target))

    def _callable(self, fetches: List[Any], feed_list: List[Any]) -> Any:
        def call(inputs: np.ndarray, labels: np.ndarray, iteration: int) -> List[Any]:
            return [float(inputs.sum() % 7), None if len(fetches) != 2 else 0.5, 0.5][: len(fetches)]

        return call

    @staticmethod
    def _write(target: str) -> None:
        Path(target + ".index").write_bytes(b"nothing")

    def weights(self, step: Optional[int] = None) -> Any:
        return types.SimpleNamespace(arrays={}, digest=lambda: "0" * 64)

    def load(self, weights: Any) -> None:
        pass

    def __enter__(self) -> "StillModel":
        return self

    def __exit__(self, *unused: Any) -> None:
        pass


def still_evaluate(model: Any, split: Any, *unused: Any, **more: Any) -> Evaluation:
    size = len(split.labels)
    loss = float(len(split.name))
    return Evaluation(split.name, size, "off", 1, 0.5, None, [0.0, 1.0], loss, [[0]], np.zeros((size, 2)))


def events(resolved: Resolved, folder: Path, monkeypatch: pytest.MonkeyPatch) -> List[Any]:
    """What a training loop logs, with times and hashes left out."""
    for module in (loop, early_stopping):
        monkeypatch.setattr(module, "Model", StillModel)
    for module in (loop, epochs, early_stopping):
        monkeypatch.setattr(module, "evaluate", still_evaluate)
    options = loop.TrainOptions(summaries=False)
    run = RunFolder.create(folder, _record(resolved, options, None, None))
    with Interruption() as interruption:
        model: Any = StillModel(resolved.recipe)
        loop.TrainingLoop(run, model, resolved, options, progress=False).run_from(0, interruption)
    run.close()
    kept = ("event", "iteration", "step", "epoch", "loss", "val_loss", "split", "examples")
    return [{key: event[key] for key in kept if key in event} for event in run.events()]


def batches(resolved: Resolved) -> str:
    """A hash of the first batches and of each split."""
    total = hashlib.sha256()
    samplers = [
        make(resolved.sampler, resolved.batch_size, 1)
        for make in (resolved.dataset.train_sampler, resolved.dataset.test_sampler)
    ]
    for sampler in samplers:
        total.update(f"{sampler.steps_per_epoch}".encode())
        for step in (0, 1, 2, 20, 40, 200):
            batch = sampler.batch(step)
            total.update(f"{batch.inputs.shape}".encode() + batch.inputs.tobytes() + batch.labels.tobytes())
    for name in resolved.dataset.split_names():
        split = resolved.dataset.split(name)
        total.update(f"{name} {split.inputs.shape}".encode() + split.inputs.tobytes())
    return total.hexdigest()


def graph_of(resolved: Resolved, training: bool) -> bytes:
    constants = {name: array.shape for name, array in resolved.dataset.constants().items()}
    schedule: Any = resolved.recipe.schedule
    size = schedule.batch_size if getattr(schedule, "fixed_batch", False) else None
    graph = build(resolved.recipe, constants, training=training, batch_size=size)
    definition = graph.graph.as_graph_def()
    return hashlib.sha256(definition.SerializeToString(deterministic=True)).digest()


def open_small(recipe: Experiment, changes: Dict[str, Any]) -> Resolved:
    return resolve(recipe, sample=True, settings={**small(recipe), **changes})


def fresh_settings() -> Dict[str, Set[str]]:
    """Recipe -> paths of settings that no recipe before it has in the same part."""
    seen: Set[Any] = set()
    found: Dict[str, Set[str]] = {}
    for name, recipe in all_recipes().items():
        mine = {leaf.path: (leaf.path, id(leaf.field)) for leaf in leaves(recipe)}
        found[name] = {path for path, key in mine.items() if key not in seen}
        seen |= set(mine.values())
    return {name: paths for name, paths in found.items() if paths}


# Of the recipes that have such settings one of each kind of data: the others are thorough.
@pytest.mark.parametrize(
    "name", representative(fresh_settings(), "imdb-lstm", "imdb-lstmcell2", "mnist-bilstm")
)
def test_another_value_of_each_setting_of_a_part_does_something_or_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """In the first recipe that has it, one other value of each."""
    check_settings(name, fresh_settings()[name], False, tmp_path, monkeypatch)


@pytest.mark.thorough
@pytest.mark.parametrize("name", list(all_recipes()))
def test_another_value_changes_batches_schedule_or_graph_or_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """In every recipe, and in three of them every other value that there is."""
    check_settings(name, None, name in THOROUGH, tmp_path, monkeypatch)


def check_settings(
    name: str, paths: Optional[Set[str]], every: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = all_recipes()[name]
    base = open_small(recipe, {})
    known: Dict[Tuple[str, bool], Any] = {}
    unread: List[str] = []
    count = 0

    def fingerprint(what: str, resolved: Resolved) -> Any:
        nonlocal count
        count += 1
        if what == "events":
            return events(resolved, tmp_path / str(count), monkeypatch)
        if what == "batches":
            return batches(resolved)
        return graph_of(resolved, what == "optimizer")

    def differs(what: str, resolved: Resolved) -> bool:
        if (what, False) not in known:
            known[what, False] = fingerprint(what, copy.copy(base))
        return bool(fingerprint(what, resolved) != known[what, False])

    for leaf in leaves(base.recipe):
        if paths is not None and leaf.path not in paths:
            continue
        accepted: Dict[str, bool] = {}
        for value in others(leaf):
            try:
                changed = open_small(recipe, {leaf.path: value})
                first = {"data": "batches", "schedule": "events", "optimizer": "optimizer"}
                order = [first.get(leaf.path.split(".")[0], "graph"), "batches", "events", "optimizer"]
                read = any(differs(what, changed) for what in dict.fromkeys(order))
            except InputError as error:
                assert "\n" not in str(error)
                continue
            accepted[f"{leaf.path}={value}"] = read
            if not every:
                break
        # Of a choice every word has to do something; of a number one other number.
        is_choice = part_type(leaf.hint)[0] is not None or leaf.field.metadata["choices"]
        if accepted and (not all(accepted.values()) if is_choice else not any(accepted.values())):
            unread += [setting for setting, read in accepted.items() if not read]
    assert unread == []
