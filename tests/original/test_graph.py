"""A checkpoint's own graph: listed, and run to the very bits of the session that saved it."""

import json
import shutil

import numpy as np
import pytest

from tests.original import models
from tests.tiers import representative
from tf1_lstm.cli import main
from tf1_lstm.graphs.quiet import tf
from tf1_lstm.original.feeds import find_tensor, parse_feeds
from tf1_lstm.original.listing import listing
from tf1_lstm.original.run import run_graph
from tf1_lstm.original.source import open_graph

v1 = tf.compat.v1


def listed(capsys, *arguments):
    assert main(["graph", *map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def feed_options(folder, feeds):
    words = []
    for name, value in feeds.items():
        np.save(folder / f"{name}.npy", value)
        words += ["--feed", f"{name}={folder / name}.npy"]
    return words


@pytest.mark.parametrize(
    "build",
    representative(models.ALL, "dynamic_lstm", "attention"),
    ids=lambda build: build.__name__,
)
def test_runs_a_graph_to_the_same_bits_and_takes_the_same_gradients(build, saved):
    model = saved(build)
    original = open_graph(model.prefix)
    feeds = {find_tensor(original.graph, name, "", ""): value for name, value in model.feeds.items()}
    fetches = [find_tensor(original.graph, name, "", "") for name in model.outputs]
    ran = run_graph(original, feeds, fetches, loss=find_tensor(original.graph, model.loss, "", ""))
    for name, array in model.outputs.items():
        assert ran.outputs[name].dtype == array.dtype
        np.testing.assert_array_equal(ran.outputs[name], array)
    assert set(ran.gradients) == set(model.gradients)
    assert ran.without_gradient == []
    for name, array in model.gradients.items():
        np.testing.assert_array_equal(ran.gradients[name], array)


@pytest.mark.parametrize(
    "build",
    representative(models.ALL, "static_lstm", "stacked_gru", "attention"),
    ids=lambda build: build.__name__,
)
def test_lists_placeholders_output_loss_and_variables(build, saved, capsys):
    model = saved(build)
    document = listed(capsys, model.prefix)
    found = {entry["name"]: entry for entry in document["placeholders"]}
    assert set(found) == {f"{name}:0" for name in model.feeds}
    for name, value in model.feeds.items():
        assert found[f"{name}:0"]["dtype"] == str(value.dtype)
        shape = found[f"{name}:0"]["shape"]
        assert len(shape) == value.ndim
        assert all(wanted in (None, extent) for wanted, extent in zip(shape, value.shape))
    assert document["outputs"][0]["name"] == "logits:0"
    assert [entry["name"] for entry in document["losses"]] == ["loss:0"]
    assert document["refused"] == {}
    reader = tf.train.load_checkpoint(model.prefix)
    held = {entry["name"]: entry["shape"] for entry in document["variables"]}
    assert held == reader.get_variable_to_shape_map()
    assert all(entry["checkpoint"] == entry["name"] for entry in document["variables"])
    assert main(["graph", model.prefix]) == 0
    assert "logits:0" in capsys.readouterr().out


WANTED = {  # builder -> kind, layers, cell, units, forget bias, activation, steps, shared
    models.static_lstm: ("unrolled", 1, "basic_lstm", 4, 0.8, "tanh", 5, False),
    models.dynamic_lstm: ("loop", 1, "basic_lstm", 5, 1.0, "relu", None, False),
    models.shared_layers: ("loop", 2, "basic_lstm", 4, 1.0, "tanh", None, True),
    models.stacked_gru: ("unrolled", 2, "gru", 5, None, "tanh", 4, False),
    models.regression: ("loop", 1, "basic_lstm", 8, 1.0, "tanh", None, False),
    models.per_step: ("loop", 1, "basic_rnn", 5, None, "tanh", None, False),
    models.bidirectional: ("loop", 1, "lstm_peephole", 4, 1.0, "tanh", None, False),
}


@pytest.mark.parametrize(
    "build",
    representative(WANTED, "static_lstm", "bidirectional", "stacked_gru"),
    ids=lambda build: build.__name__,
)
def test_reads_what_no_checkpoint_holds(build, saved):
    parts = listing(open_graph(saved(build).prefix))["recurrent"]
    kind, layers, cell, units, forget_bias, activation, steps, shared = WANTED[build]
    assert len(parts) == (2 if build is models.bidirectional else 1)
    for part in parts:
        assert (part["kind"], part["layers"], part["steps"], part["shared"]) == (kind, layers, steps, shared)
        for found in part["cells"]:
            assert (found["cell"], found["units"], found["activation"]) == (cell, units, activation)
            assert found["forget_bias"] == (None if forget_bias is None else pytest.approx(forget_bias))


def test_reads_the_optimizer(saved):
    adam = listing(open_graph(saved(models.dynamic_lstm).prefix))["optimizer"]
    assert adam["name"] == "Adam"
    assert adam["learning_rate"] == pytest.approx(0.002)
    assert not adam["clipped"]
    assert listing(open_graph(saved(models.per_step).prefix))["optimizer"]["clipped"]
    plain = listing(open_graph(saved(models.regression).prefix))["optimizer"]
    assert (plain["name"], plain["learning_rate"]) == ("GradientDescent", pytest.approx(0.1))


def test_the_command_writes_arrays_under_the_fetched_names(saved, tmp_path, capsys):
    model = saved(models.shared_layers)
    feeds = {name: value for name, value in model.feeds.items() if name == "x"}
    words = [*feed_options(tmp_path, feeds), "--feed", "keep_prob:0=1.0", "--fetch", "logits:0"]
    out = tmp_path / "y.npz"
    assert main(["graph", model.prefix, *words, "--out", str(out)]) == 0
    with np.load(out) as arrays:
        assert arrays.files == ["logits:0"]
        np.testing.assert_array_equal(arrays["logits:0"], model.outputs["logits:0"])
    document = (
        listed(capsys, model.prefix, *words[:-1], "logits", "--out", out) if capsys.readouterr() else {}
    )
    assert document["outputs"] == [{"name": "logits", "dtype": "float32", "shape": [3, 2]}]


@pytest.mark.parametrize(
    ("words", "phrase"),
    [
        pytest.param(
            ["--feed", "idz=1", "--fetch", "logits"], "the nearest are ids", marks=pytest.mark.thorough
        ),
        (["--fetch", "logits"], "nothing is fed to: ids int32 [?, 6]"),
        (["--feed", "ids=[[1,2,3,0,1,2]]", "--fetch", "logitz"], "the nearest are logits"),
        pytest.param(
            ["--feed", "ids=3", "--fetch", "logits"],
            "found shape [], expected [?, 6]",
            marks=pytest.mark.thorough,
        ),
        (["--feed", "ids=[[1.5,2,3,0,1,2]]", "--fetch", "logits"], "expected int32"),
        (["--feed", "ids=missing.npy", "--fetch", "logits"], "missing.npy: no such file"),
        pytest.param(
            ["--feed", "ids", "--fetch", "logits"], "expected NAME=FILE.npy", marks=pytest.mark.thorough
        ),
        pytest.param(
            ["--feed", "ids=[[1,2,3,0,1,2]]", "--feed", "ids:0=1", "--fetch", "logits"],
            "twice",
            marks=pytest.mark.thorough,
        ),
        pytest.param(
            ["--feed", "ids=[[1,2,3,0,1,2]]", "--fetch", "logits:7"],
            "only has 1 outputs",
            marks=pytest.mark.thorough,
        ),
        (["--feed", "ids=[[1,2,3,0,1,2]]"], "--fetch: found none"),
        pytest.param(
            ["--feed", "ids=[[1,2,3,0,1,2]]", "--fetch", "save/SaveV2"],
            "no placeholder",
            marks=pytest.mark.thorough,
        ),
    ],
)
def test_says_in_one_line_what_is_wrong_with_feeds_and_fetches(words, phrase, saved, tmp_path, capsys):
    if phrase == "no placeholder":
        phrase = "the Saver's own"
    out = tmp_path / "y.npz"
    assert main(["graph", saved(models.per_step).prefix, *words, "--out", str(out)]) == 2
    error = capsys.readouterr().err
    assert phrase in error
    assert error.count("\n") == 1
    assert not out.exists()


def test_refuses_an_array_of_another_type(saved, tmp_path, capsys):
    np.save(tmp_path / "ids.npy", np.zeros((2, 6), np.int64))
    words = ["--feed", f"ids={tmp_path}/ids.npy", "--fetch", "logits", "--out", str(tmp_path / "y.npz")]
    assert main(["graph", saved(models.per_step).prefix, *words]) == 2
    assert "found int64, expected int32" in capsys.readouterr().err


def test_any_tensor_can_be_fed_and_what_is_behind_it_does_not_run(saved, tmp_path):
    """A queue in front of the model: fed past, it is not needed."""
    with tf.Graph().as_default():
        queue = v1.FIFOQueue(4, [tf.float32], shapes=[[3]])
        rows = queue.dequeue_many(2, name="rows")
        weights = v1.get_variable("w", [3, 2])
        logits = tf.matmul(rows, weights, name="logits")
        value = np.arange(6, dtype=np.float32).reshape(2, 3)
        with v1.Session() as session:
            session.run(v1.global_variables_initializer())
            prefix = v1.train.Saver().save(session, str(tmp_path / "queue"))
            expected = session.run(logits, {rows: value})
    original = open_graph(prefix)
    assert set(listing(original)["refused"]) == {"FIFOQueueV2", "QueueDequeueManyV2"}
    fetch = find_tensor(original.graph, "logits", "", "")
    ran = run_graph(original, {find_tensor(original.graph, "rows", "", ""): value}, [fetch])
    np.testing.assert_array_equal(ran.outputs["logits"], expected)


def test_a_partitioned_variable_and_a_saver_with_names_of_its_own(tmp_path):
    with tf.Graph().as_default():
        x = v1.placeholder(tf.float32, [None, 6], name="x")
        partitioner = v1.fixed_size_partitioner(2)
        with v1.variable_scope("p", partitioner=partitioner):
            weights = v1.get_variable("w", [6, 4])
        bias = tf.Variable(tf.ones([4]) * 0.5, name="b")
        tf.add(tf.matmul(x, tf.convert_to_tensor(weights)), bias, name="logits")
        value = np.random.RandomState(1).randn(2, 6).astype(np.float32)
        with v1.Session() as session:
            session.run(v1.global_variables_initializer())
            saver = v1.train.Saver({"p/w": list(weights), "other/name": bias})
            prefix = saver.save(session, str(tmp_path / "m"))
            expected = session.run("logits:0", {x: value})
    original = open_graph(prefix)
    feeds = {find_tensor(original.graph, "x", "", ""): value}
    ran = run_graph(original, feeds, [find_tensor(original.graph, "logits", "", "")])
    np.testing.assert_array_equal(ran.outputs["logits"], expected)


def test_a_saved_model_and_a_frozen_graph_run_too(saved, tmp_path, capsys):
    model = saved(models.dynamic_lstm)
    exported = tmp_path / "exported"
    with tf.Graph().as_default() as graph, v1.Session() as session:
        v1.train.import_meta_graph(model.prefix + ".meta").restore(session, model.prefix)
        tensors = [graph.get_tensor_by_name(name) for name in ("ids:0", "logits:0")]
        v1.saved_model.simple_save(session, str(exported), {"ids": tensors[0]}, {"scores": tensors[1]})
        frozen = v1.graph_util.convert_variables_to_constants(session, graph.as_graph_def(), ["logits"])
        (tmp_path / "frozen.pb").write_bytes(frozen.SerializeToString())
    feeds = feed_options(tmp_path, {"ids": model.feeds["ids"]})
    for path in (exported, exported / "saved_model.pb", tmp_path / "frozen.pb"):
        document = listed(capsys, path)
        assert document["placeholders"][0]["name"] == "ids:0"
        assert [part["cells"][0]["activation"] for part in document["recurrent"]] == ["relu"]
        out = tmp_path / "y.npz"
        assert main(["graph", str(path), *feeds, "--fetch", "logits:0", "--out", str(out)]) == 0
        capsys.readouterr()
        with np.load(out) as arrays:
            np.testing.assert_array_equal(arrays["logits:0"], model.outputs["logits:0"])
    assert listed(capsys, exported)["outputs"][0]["why"].startswith("output scores")


def test_a_graph_without_its_checkpoint_is_listed_and_not_run(saved, tmp_path, capsys):
    model = saved(models.static_lstm)
    alone = tmp_path / "model.ckpt-3.meta"
    shutil.copy(model.prefix + ".meta", alone)
    assert listed(capsys, alone)["checkpoint"] is None
    words = [
        *feed_options(tmp_path, {"x": model.feeds["x"]}),
        "--fetch",
        "logits",
        "--out",
        str(tmp_path / "y"),
    ]
    assert main(["graph", str(alone), *words]) == 2
    assert "found no checkpoint beside it" in capsys.readouterr().err


def test_a_checkpoint_without_its_graph_takes_that_of_another_step_or_says_so(saved, tmp_path, capsys):
    model = saved(models.static_lstm)
    for ending in (".index", ".data-00000-of-00001"):
        shutil.copy(model.prefix + ending, tmp_path / f"model.ckpt-9{ending}")
    assert main(["graph", str(tmp_path / "model.ckpt-9")]) == 2
    assert "found no graph beside the checkpoint" in capsys.readouterr().err
    shutil.copy(model.prefix + ".meta", tmp_path / "model.ckpt-3.meta")
    document = listed(capsys, tmp_path / "model.ckpt-9")
    assert "of another step" in document["how"]
    assert document["checkpoint"].endswith("model.ckpt-9")


def test_feeds_are_checked_against_the_graph(saved):
    original = open_graph(saved(models.shared_layers).prefix)
    found = parse_feeds(["keep_prob=1"], original.graph, original.file)
    assert [(tensor.name, value.dtype, float(value)) for tensor, value in found.items()] == [
        ("keep_prob:0", np.dtype(np.float32), 1.0)
    ]
