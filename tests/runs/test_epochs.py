"""Epochs: their means, the validation after them, early stopping, and interruptions within them."""

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Dict, List

import numpy as np
import pytest

from tests.runs.conftest import called, environment
from tf1_lstm.data.split_batches import example_lengths
from tf1_lstm.errors import InputError
from tf1_lstm.recipes import find_recipe
from tf1_lstm.runs.evaluate import Evaluation, evaluate, logits_of
from tf1_lstm.runs.folder import ACCURACIES, LOSSES, RunFolder
from tf1_lstm.runs.loop import Outcome, TrainOptions
from tf1_lstm.runs.model import Model
from tf1_lstm.runs.recorded import experiment_of
from tf1_lstm.runs.resolve import Resolved, resolve
from tf1_lstm.runs.train import resume, train

SMALL = {"units": 4, "input_size": 5, "steps": 12, "batch_size": 64, "epochs": 3}
STEPS = 8  # 600 reviews less a fifth, in batches of 64: seven full ones and one of 32


def small(name: str = "imdb-lstm32", **settings: Any) -> Resolved:
    return resolve(find_recipe(name), sample=True, settings={**SMALL, **settings})


def events(run: Path, kind: str = "log") -> List[Dict[str, Any]]:
    return [event for event in RunFolder.open(run).events() if event["event"] == kind]


def figures(run: Path) -> List[Dict[str, Any]]:
    return [{k: v for k, v in event.items() if k != "time"} for event in events(run)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """A training that nothing disturbed."""
    return train(small(), tmp_path_factory.mktemp("whole") / "run", TrainOptions(), progress=False)


def test_epochs_decide_the_iterations_and_each_is_logged(whole: Outcome):
    outcome = whole
    assert outcome.iterations == 3 * STEPS
    run = RunFolder.open(outcome.run)
    losses, accuracies = run.series(LOSSES), run.series(ACCURACIES)
    assert len(losses) == len(accuracies) == 3 * STEPS
    for number, event in enumerate(figures(outcome.run), 1):
        part = slice((number - 1) * STEPS, number * STEPS)
        sizes = [64] * 7 + [32]
        assert (event["epoch"], event["iteration"]) == (number, number * STEPS)
        assert event["loss"] == pytest.approx(np.average(losses[part], weights=sizes), rel=1e-12)
        assert event["accuracy"] == pytest.approx(np.average(accuracies[part], weights=sizes), rel=1e-12)
    assert [event["step"] for event in events(outcome.run, "checkpoint")] == [8, 16, 24]


def test_validation_is_that_of_the_checkpoint_with_dropout_off(tmp_path: Path):
    experiment = small("imdb-gru2", dense_units=4, vocabulary=278, epochs=1)
    outcome = train(experiment, tmp_path / "run", TrainOptions(), progress=False)
    (logged,) = figures(outcome.run)
    from tf1_lstm.checkpoints.restore import load_weights

    assert outcome.checkpoint is not None
    with Model(experiment.recipe, experiment.dataset.constants()) as model:
        model.load(load_weights(outcome.checkpoint, model.expected()))
        found = evaluate(model, experiment.dataset.split("test"), progress=False)
    assert isinstance(found, Evaluation)
    assert (logged["val_loss"], logged["val_accuracy"]) == (found.loss, found.accuracy)


def test_a_number_of_iterations_wins_over_epochs(tmp_path: Path):
    typed = {**SMALL, "iterations": 11}
    del typed["epochs"]
    experiment = resolve(find_recipe("imdb-lstm32"), sample=True, settings=typed)
    assert experiment.recipe.schedule.iterations == 11
    outcome = train(experiment, tmp_path / "run", TrainOptions(), progress=False)
    assert [event["iteration"] for event in figures(outcome.run)] == [STEPS]


def test_data_without_epochs_refuses_them():
    with pytest.raises(InputError, match="setting 'epochs': unknown here"):
        resolve(find_recipe("imdb-lstm"), sample=True, settings={"epochs": 2})
    with pytest.raises(InputError, match="setting schedule: found Epochs with data=TutorialImdb"):
        resolve(
            find_recipe("imdb-lstm"), sample=True, settings={"schedule": "Epochs(epochs=2, batch_size=9)"}
        )


def test_early_stopping_waits_for_its_patience(tmp_path: Path):
    """With steps far too long the validation loss soon grows: training ends, and says where."""
    changes: Dict[str, Any] = {"epochs": 30, "early_stopping": 2, "learning_rate": 0.5}
    outcome = train(small(**changes), tmp_path / "run", TrainOptions(), progress=False)
    losses = [event["val_loss"] for event in figures(outcome.run)]
    best = int(np.argmin(losses))
    assert len(losses) == best + 3 < 30
    assert outcome.iterations == len(losses) * STEPS and outcome.exit_code == 0
    assert RunFolder.open(outcome.run).record["ended"]
    unstopped = small(**{**changes, "early_stopping": 0, "epochs": len(losses) + 1})
    longer = train(unstopped, tmp_path / "longer", TrainOptions(), progress=False)
    assert figures(longer.run)[: len(losses)] == figures(outcome.run), "off by default, the same until then"


@pytest.mark.parametrize("seen", [pytest.param(3, marks=pytest.mark.thorough), STEPS, STEPS + 5])
def test_an_interruption_within_an_epoch_changes_no_figure(
    whole: Outcome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seen: int
):
    """A signal within an epoch, right at its end, and within the second one; then resumed."""
    from tf1_lstm.runs import loop as training

    iterate = training.TrainingLoop.iterate

    def interrupted(loop: Any, iteration: int) -> None:
        iterate(loop, iteration)
        if iteration + 1 == seen:
            signal.raise_signal(signal.SIGTERM) if hasattr(signal, "raise_signal") else _kill_self()

    monkeypatch.setattr(training.TrainingLoop, "iterate", interrupted)
    stopped = train(small(), tmp_path / "run", TrainOptions(), progress=False)
    assert (stopped.exit_code, stopped.iterations) == (143, seen)
    monkeypatch.setattr(training.TrainingLoop, "iterate", iterate)
    run = RunFolder.open(tmp_path / "run")
    run.lock()
    ended = resume(experiment_of(run.path, run.record, None), run, TrainOptions(), progress=False)
    assert ended.exit_code == 0
    assert ended.weights_sha256 == whole.weights_sha256
    assert figures(ended.run) == figures(whole.run)
    for name in (LOSSES, ACCURACIES):
        again = RunFolder.open(ended.run).series(name)
        assert again.tobytes() == RunFolder.open(whole.run).series(name).tobytes()


def _kill_self() -> None:
    import os

    os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.thorough
def test_a_killed_process_resumes_with_the_same_figures(tmp_path: Path):
    """The process is killed outright, without warning, somewhere in its epochs."""
    typed = [f"--set={name}={value}" for name, value in {**SMALL, "epochs": 6}.items()]
    command = [sys.executable, "-m", "tf1_lstm", "train", "imdb-gru32", "--sample", *typed]
    whole = train(small("imdb-gru32", epochs=6), tmp_path / "whole", TrainOptions(), progress=False)
    with subprocess.Popen(
        [*command, "--run", "killed"],
        cwd=str(tmp_path),
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        log = tmp_path / "killed" / "log.jsonl"
        while process.poll() is None and not (log.is_file() and '"epoch": 2' in log.read_text()):
            time.sleep(0.01)
        process.kill()
    assert called(["resume", "killed"], tmp_path).returncode == 0
    assert figures(tmp_path / "killed") == figures(whole.run)
    assert called(["verify", "killed", "--rerun", "20"], tmp_path).returncode == 0


def test_reviews_of_any_length_are_measured_without_padding():
    """Each alone gives what it gives among others; reading its padding gives something else."""
    settings = {"units": 3, "steps": 40, "batch_size": 64, "epochs": 3}
    experiment = resolve(find_recipe("imdb-bilstm2"), sample=True, settings=settings)
    inputs = experiment.dataset.split("test").inputs[:30]
    lengths = example_lengths(inputs)
    assert lengths.min() < lengths.max() <= 40
    for row, length in zip(inputs, lengths):
        assert (row[:length] != 0).all() and (row[length:] == 0).all()
    with Model(experiment.recipe, experiment.dataset.constants()) as model:
        model.initialise()
        together = logits_of(model, inputs)
        shortest = int(lengths.argmin())
        alone = model.session.run(
            model.graph.logits,
            {
                model.graph.inputs: inputs[shortest : shortest + 1, : lengths[shortest]],
                model.graph.keep_prob: 1,
            },
        )
        padded = model.session.run(
            model.graph.logits,
            {model.graph.inputs: inputs[shortest : shortest + 1], model.graph.keep_prob: 1},
        )
    np.testing.assert_allclose(together[shortest], alone[0], rtol=1e-5, atol=1e-7)
    assert np.abs(padded[0] - alone[0]).max() > 1e-4
