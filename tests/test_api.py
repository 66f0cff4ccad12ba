"""``import tf1_lstm as tf1``: the same as the command line, with objects that fit a line."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tf1_lstm as tf1
from tests.runs.conftest import environment

SHORT = 200  # characters


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("api") / "run"
    settings = {"schedule.iterations": 30, "schedule.log_every": 10}
    more: Any = {"run": str(folder), "progress": False, "histograms": True}
    return tf1.train("imdb-lstm", sample=True, settings=settings, **more)


@pytest.fixture(scope="module")
def model(run: Any) -> Any:
    with run.load() as opened:
        yield opened


def test_importing_it_loads_nothing_heavy():
    code = (
        "import sys, tf1_lstm as tf1\n"
        "names = dir(tf1)\n"
        "assert {'load', 'train', 'recipes', 'runs', 'compare', 'reproduce', 'data'} <= set(names)\n"
        "sys.exit(bool({'numpy', 'tensorflow', 'matplotlib'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], env=environment(), check=False).returncode == 0


def test_every_name_is_there_and_says_what_it_is_for():
    for name in tf1.__all__:
        assert getattr(tf1, name) is not None
    for name in ("load", "train", "reproduce", "compare"):
        assert getattr(tf1, name).__doc__
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        _ = tf1.trian


def test_recipes_is_a_function_and_still_a_package():
    found = tf1.recipes()
    assert found["imdb-lstm"].recurrent.cell.units == 64
    assert found[0] is found[found.names()[0]] and len(found) >= 15
    assert "imdb-lstm32" in str(found) and "<table>" in found._repr_html_()
    from tf1_lstm.recipes import BasicLSTM

    assert BasicLSTM(units=3).units == 3


def test_every_object_fits_a_line(run: Any, model: Any):
    shown = [run, model, tf1.recipes(), tf1.recipes()["imdb-lstm"], tf1.runs(run.path.parent)]
    shown += [model.evaluate(progress=False), model.test_batches(2), model.predict("good")]
    shown += model.encode(["good", "a film " * 100])
    for one in shown:
        assert len(repr(one)) < SHORT and "\n" not in repr(one), type(one)


def test_a_run_says_what_it_gave_and_shows_its_curves(run: Any):
    assert run.listed.state == "finished" and run.listed.step == 30
    assert run.accuracies == tf1.runs(run.path.parent)["run"].accuracies
    assert 'src="data:image/png;base64,' in run._repr_html_()


def test_tensorboard_finds_scalars_graph_settings_and_histograms(run: Any):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(run.path / "events"))
    events.Reload()
    tags = events.Tags()
    assert tags["graph"] and {"loss", "accuracy"} <= set(tags["scalars"])
    kernel = events.Histograms("weights/lstm/fw/0/kernel")[-1]
    with run.load() as opened:
        array = opened.weights["lstm/fw/0/kernel"]
    found = kernel.histogram_value
    assert kernel.step == 30 and found.num == array.size and sum(found.bucket) == array.size
    assert (found.min, found.max) == (array.min(), array.max())
    plugins = {tag: events.SummaryMetadata(tag).plugin_data.plugin_name for tag in tags["tensors"]}
    assert plugins["settings"] == "text"
    assert b"| recurrent.cell.units | 64 |" in events.Tensors("settings")[0].tensor_proto.string_val[0]
    hparams = events.SummaryMetadata("_hparams_/session_start_info").plugin_data
    assert hparams.plugin_name == "hparams" and b"recurrent.cell.units" in hparams.content


def test_a_checkpoint_finds_its_recipe_and_evaluates_as_the_training_did(run: Any, model: Any):
    assert model.recipe.name == "imdb-lstm" and model.facts["sample"]
    assert model.evaluate("tutorial-test", progress=False).accuracy == run.accuracies["tutorial-test"]
    assert model.facts["weights_sha256"] == run.weights_sha256
    assert model.weights["softmax/weights"].dtype == np.float32


def test_predict_takes_one_text_or_many_and_says_what_it_refuses(model: Any):
    one = model.predict("a fine film")
    many = model.predict(["a fine film", ""])
    assert len(one) == 1 and one[0]["probability"] == many[0]["probability"]
    assert "empty" in many[1]["refused"] and "empty" in str(many)
    assert model.encode("a fine film")[0].inputs.dtype.kind == "i"


def test_test_batches_are_those_of_the_command(model: Any):
    found = model.test_batches(3, seed=4)
    assert found.accuracies == model.test_batches(3, seed=4).accuracies
    assert found.mean == pytest.approx(np.mean(found.accuracies))
    assert found.published[5] == 0.75


def test_a_checkpoint_outside_of_a_run_is_fitted_to_the_one_recipe_that_takes_it():
    from tf1_lstm.api.checkpoint import recipe_of

    project = Path(__file__).resolve().parents[1]
    assert recipe_of(project / "checkpoints" / "sample") == "imdb-lstm"
    with pytest.raises(tf1.InputError, match="found no recipe that it fits, expected one"):
        recipe_of(project / "tests" / "checkpoints" / "cases" / "unknown-cell-7")


@pytest.mark.thorough
def test_a_bundle_is_exported_and_compared_from_python(run: Any, tmp_path: Path):
    port = "import numpy as np\ndef zeros(ids):\n    return np.zeros((len(ids), 2), np.float32)\n"
    (tmp_path / "port.py").write_text(port)
    with run.load() as opened:
        assert opened.export("bundle", tmp_path / "b.npz", examples=4)
    more = {"python": sys.executable, "out": str(tmp_path / "out")}
    found = tf1.compare(str(tmp_path / "b.npz"), f"{tmp_path / 'port.py'}:zeros", **more)
    assert not found.holds
    assert repr(found).startswith("<PortComparison DIFFERS: ") and len(repr(found)) < SHORT
    assert "verdict" in str(found)


@pytest.fixture(scope="module")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of texts that one word decides."""
    path = tmp_path_factory.mktemp("own") / "reviews.csv"
    lines = [f"the film number {n} was {'fine,yes' if n % 2 else 'poor,no'}" for n in range(80)]
    path.write_text("\n".join(["review,verdict", *lines]) + "\n")
    return path


def test_data_of_ones_own_become_an_experiment_that_is_trained_and_loaded(reviews: Path):
    data: Any = tf1.data.from_csv(reviews, text="review", label="verdict", lower=False)
    assert data.file == str(reviews) and not data.lower
    experiment: Any = tf1.suggest(data)
    assert experiment.name == "reviews" and experiment.data.steps == 6
    small = experiment.with_settings({"recurrent.cell.units": 4, "schedule.epochs": 1})
    run = tf1.train(small, run=reviews.parent / "run", progress=False)
    assert run.listed.recipe == "reviews" and run.listed.state == "finished"
    with run.load() as model:
        assert model.recipe.recurrent.cell.units == 4
        assert [one["label"] in ("yes", "no") for one in model.predict("the film was fine")] == [True]


def test_an_experiment_that_was_changed_in_python_trains_as_with_settings(run: Any, tmp_path: Path):
    changes = {"schedule.iterations": 30, "schedule.log_every": 10}
    changed = tf1.recipes()["imdb-lstm"].with_settings(changes)
    found = tf1.train(changed, sample=True, run=tmp_path / "run", progress=False)
    assert found.weights_sha256 == run.weights_sha256


def test_a_cell_that_is_in_no_file_is_refused(reviews: Path):
    from tf1_lstm.recipes import GRU

    class Mine(GRU):
        """A class that no run could keep."""

    experiment = tf1.suggest(tf1.data.from_csv(reviews, text="review", label="verdict"))
    with pytest.raises(tf1.InputError, match=r"^Mine: found a class of your own, expected it in a file"):
        tf1.train(experiment.with_settings({"recurrent.cell": Mine(units=3)}), sample=False)


def test_data_that_cannot_be_used_are_refused_at_once(reviews: Path):
    with pytest.raises(tf1.InputError, match="found no columns named, expected text= and label="):
        tf1.data.from_csv(reviews)
    with pytest.raises(tf1.InputError, match="found the column 'verdikt' not at all"):
        tf1.data.from_csv(reviews, text="review", label="verdikt")
    with pytest.raises(tf1.InputError, match="setting 'stepz': unknown"):
        tf1.data.from_csv(reviews, text="review", label="verdict", stepz=3)


def test_a_notebook_shows_tables(run: Any, model: Any):
    shown = [model, model.evaluate(progress=False), model.test_batches(2), tf1.runs(run.path.parent)]
    for one in shown:
        assert "<table>" in one._repr_html_(), type(one)


def test_errors_are_exceptions_with_the_sentences_of_the_command_line(tmp_path: Path):
    with pytest.raises(tf1.InputError, match="recipe 'imdb-lsmt': unknown"):
        tf1.train("imdb-lsmt", sample=True)
    with pytest.raises(tf1.InputError, match="no such folder"):
        tf1.runs(tmp_path / "nowhere")


def test_the_package_says_that_it_is_typed():
    assert (Path(tf1.__file__).parent / "py.typed").is_file()
