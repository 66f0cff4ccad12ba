"""The same bits again, whatever does not belong to the experiment."""

import shutil
from pathlib import Path
from typing import Any, Callable, List, Optional

import numpy as np
import pytest

from tests.experiments import experiment
from tests.runs.conftest import small
from tests.tiers import representative
from tf1_lstm.errors import InputError, NotFiniteError
from tf1_lstm.graphs.quiet import tf
from tf1_lstm.recipes import find_recipe
from tf1_lstm.runs.folder import RunFolder
from tf1_lstm.runs.loop import TrainOptions
from tf1_lstm.runs.model import Model
from tf1_lstm.runs.resolve import resolve
from tf1_lstm.runs.train import train


def losses(outcome: Any) -> bytes:
    return RunFolder.open(outcome.run).losses().tobytes()


def logged(outcome: Any) -> list:
    events = RunFolder.open(outcome.run).events()
    return [(e["iteration"], e["loss"], e["accuracy"]) for e in events if e["event"] == "log"]


def test_threads_summaries_save_interval_and_earlier_work_change_no_bit(
    first: Any, trained: Callable[..., Any]
):
    variants = [
        trained(TrainOptions(threads=1)),
        trained(TrainOptions(threads=2, summaries=False)),
        trained(save_every=3),
        trained(TrainOptions(keep=1), log_every=4),
    ]
    for other in variants:
        assert other.weights_sha256 == first.weights_sha256
        assert losses(other) == losses(first)
        assert logged(other) == logged(first)


def test_another_seed_gives_other_weights(first: Any, trained: Callable[..., Any]):
    assert first.weights_sha256 != trained(TrainOptions(seed=2)).weights_sha256


def test_every_iteration_has_its_loss_and_the_log_is_the_documents(first: Any):
    assert len(RunFolder.open(first.run).losses()) == 12
    # As published: where the counter, from 0, is a multiple of the interval, but not at 0.
    assert [iteration for iteration, _, _ in logged(first)] == [5, 9]


def test_checkpoints_are_plain_savers_with_relative_paths(first: Any, tmp_path: Path):
    moved = tmp_path / "elsewhere"
    shutil.copytree(str(first.run / "checkpoints"), str(moved))
    newest = tf.train.latest_checkpoint(str(moved))
    assert newest == str(moved / "imdb-lstm-12")
    names = dict(tf.train.list_variables(newest))
    assert (
        names["rnn/basic_lstm_cell/kernel"] == [64 + 16, 256] or names["rnn/basic_lstm_cell/kernel"][1] == 256
    )
    assert "rnn/basic_lstm_cell/kernel/Adam_1" in names
    assert sorted(p.name for p in moved.glob("*.index")) == [
        "imdb-lstm-10.index",
        "imdb-lstm-12.index",
        "imdb-lstm-5.index",
    ]
    assert (moved / "imdb-lstm-12.meta").stat().st_size < 1 << 20


def test_keep_leaves_the_newest_checkpoints(trained: Callable[..., Any]):
    outcome = trained(TrainOptions(keep=2))
    found = sorted(path.stem for path in (outcome.run / "checkpoints").glob("*.index"))
    assert found == ["imdb-lstm-10", "imdb-lstm-12"]
    assert [c["step"] for c in RunFolder.open(outcome.run).checkpoints()] == [10, 12]


def test_tensorboard_reads_the_scalars_that_the_log_has(first: Any):
    (events,) = (first.run / "events").iterdir()
    found = {}
    for event in tf.compat.v1.train.summary_iterator(str(events)):
        for value in event.summary.value:
            found[event.step, value.tag] = value.simple_value
    for iteration, loss, accuracy in logged(first):
        assert found[iteration, "loss"] == np.float32(loss)
        assert found[iteration, "accuracy"] == np.float32(accuracy)


def test_training_may_begin_with_any_checkpoint(first: Any, trained: Callable[..., Any]):
    second = trained(TrainOptions(start_from=str(first.checkpoint)), iterations=3)
    record = RunFolder.open(second.run).record
    assert record["start_weights_sha256"] == first.weights_sha256
    assert second.weights_sha256 != first.weights_sha256


def test_a_folder_that_holds_something_is_refused(tmp_path: Path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.tex").write_text("precious")
    with pytest.raises(InputError, match=r"new or empty folder, found thesis\.tex"):
        train(small(), tmp_path / "run", TrainOptions(), progress=False)
    assert (tmp_path / "run" / "thesis.tex").read_text() == "precious"


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_last_checkpoint(tmp_path: Path):
    # A learning rate of 1e38 overflows float32 in the first updates.
    experiment = small(learning_rate=1e38, save_every=1)
    with pytest.raises(NotFiniteError, match=r"iteration \d+: .*first variable that is not finite: \S+"):
        train(experiment, tmp_path / "run", TrainOptions(), progress=False)
    run = RunFolder.open(tmp_path / "run")
    assert run.events()[-1]["event"] == "not finite"
    for checkpoint in run.checkpoints():
        assert run.damage(checkpoint) is None


def test_graph_is_finalized_so_that_nothing_can_grow():
    from tf1_lstm.runs.model import Model

    experiment = small()
    with Model(experiment.recipe, experiment.dataset.constants()) as model:
        assert model.graph.graph.finalized


@pytest.mark.parametrize(
    "settings",
    [
        {"cell": "basic_lstm", "batch_size": 128, "units": 128, "steps": 28},
        pytest.param(
            {"cell": "basic_lstm", "batch_size": 4096, "units": 8, "steps": 4}, marks=pytest.mark.thorough
        ),
        pytest.param(
            {"cell": "gru", "batch_size": 20_000, "units": 4, "steps": 2}, marks=pytest.mark.thorough
        ),
    ],
)
def test_no_shape_was_found_whose_bits_depend_on_the_number_of_threads(settings: Any):
    """Few and many examples: the sums over the batch are what threads might split."""
    from tf1_lstm.runs.model import Model

    size = settings["batch_size"]
    recipe = experiment(input_size=28, classes=10, **settings)
    inputs = np.random.RandomState(0).rand(size, settings["steps"], 28).astype(np.float32)
    labels = np.eye(10)[np.random.RandomState(1).randint(0, 10, size)]
    digests = set()
    for threads in (1, 2, 4):
        with Model(recipe, {}, training=True, threads=threads) as model:
            model.initialise()
            feeds = {model.graph.inputs: inputs, model.graph.labels: labels}
            for _ in range(2):
                model.session.run(model.graph.train_op, feeds)
            digests.add(model.weights().digest())
    assert len(digests) == 1


@pytest.mark.parametrize(
    "name",
    representative(
        ["mnist-bilstm", "mnist-peephole", "mnist-coupled", "mnist-gru"], "mnist-bilstm", "mnist-gru"
    ),
)
def test_every_cell_goes_on_from_its_checkpoint_with_the_same_bits(name: str, tmp_path: Path):
    """Also where one direction has no optimizer slots: the published bidirectional model."""
    from tf1_lstm.recipes import find_recipe
    from tf1_lstm.runs.resolve import resolve
    from tf1_lstm.runs.train import resume

    settings = {"iterations": 6, "save_every": 3, "log_every": 2, "units": 16}
    experiment = resolve(find_recipe(name), sample=True, settings=settings)
    whole = train(experiment, tmp_path / "run", TrainOptions(), progress=False)
    before = losses(whole), logged(whole)
    (tmp_path / "run" / "checkpoints" / f"{name}-6.index").write_bytes(b"torn")
    run = RunFolder.open(tmp_path / "run")
    run.lock()
    again = resume(experiment, run, TrainOptions(), progress=False)
    assert again.weights_sha256 == whole.weights_sha256
    assert (losses(again), logged(again)) == before
    (event,) = [e for e in RunFolder.open(again.run).events() if e["event"] == "resume"]
    assert event["step"] == 3


@pytest.mark.parametrize(
    "recipe", representative(["mnist-bilstm", "mnist-coupled", "mnist-gru"], "mnist-bilstm")
)
def test_batches_of_one_size_train_to_the_bits_of_any_size(recipe, monkeypatch):
    opened = resolve(find_recipe(recipe), sample=True, settings={})
    sampler = opened.dataset.train_sampler(opened.sampler, opened.batch_size, 1)

    def trained() -> str:
        with Model(opened.recipe, opened.dataset.constants(), training=True) as model:
            model.initialise()
            graph = model.graph
            sizes.append(graph.inputs.shape[0].value)
            for number in range(3):
                batch = sampler.batch(number)
                feeds = {graph.inputs: batch.inputs, graph.labels: batch.labels, graph.iteration: number}
                model.session.run(graph.train_op, feeds)
            return model.weights().digest()

    sizes: List[Optional[int]] = []
    fixed = trained()
    monkeypatch.setattr(Model, "_fixed_batch", lambda self: None)
    assert trained() == fixed
    assert sizes == [opened.batch_size, None]
