"""Hostile and damaged graphs: refused or ended in one line, nothing run, nothing written."""

import os
import random

import numpy as np
import pytest

from tests.original import models
from tf1_lstm.cli import main
from tf1_lstm.errors import InputError
from tf1_lstm.graphs.quiet import tf
from tf1_lstm.original.listing import listing
from tf1_lstm.original.source import open_graph

v1 = tf.compat.v1
FUZZ_CASES = int(os.environ.get("TF1_LSTM_FUZZ_CASES", "1000"))


def write(folder, build):
    """Write a frozen graph whose output is y."""
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [2], name="x")
        tf.identity(build(x, folder), name="y")
        raw = graph.as_graph_def().SerializeToString()
    path = folder / "graph.pb"
    path.write_bytes(raw)
    return path


def touch(folder, value):
    (folder / "ran").write_text("x")
    return value


def py_func(x, folder):
    return v1.py_func(lambda value: touch(folder, value), [x], tf.float32)


def read_file(x, folder):
    (folder / "secret").write_text("1.0")
    return x + v1.string_to_number(v1.read_file(str(folder / "secret")))


def write_file(x, folder):
    with tf.control_dependencies([v1.write_file(str(folder / "ran"), "x")]):
        return x + 1


def print_to_file(x, folder):
    with tf.control_dependencies([tf.print("x", output_stream=f"file://{folder}/ran")]):
        return x + 1


def in_a_function(x, folder):
    from tensorflow.python.framework import function

    @function.Defun(tf.float32)
    def inner(value):
        return value + v1.string_to_number(v1.read_file(str(folder / "secret")))

    return inner(x)


def in_a_loop(x, folder):
    def body(value):
        with tf.control_dependencies([v1.write_file(str(folder / "ran"), "x")]):
            return value + 1

    return v1.while_loop(lambda value: tf.reduce_sum(value) < 10, body, [x])


def save(x, folder):
    name = tf.constant(str(folder / "ran"))
    from tensorflow.python.ops import gen_io_ops

    with tf.control_dependencies([gen_io_ops.save_v2(name, ["x"], [""], [x])]):
        return x + 1


HOSTILE = [py_func, read_file, write_file, print_to_file, in_a_function, in_a_loop]


def run(path, folder, *more):
    np.save(folder / "x.npy", np.ones(2, np.float32))
    words = ["--feed", f"x={folder}/x.npy", "--fetch", "y", "--out", str(folder / "y.npz"), *more]
    return main(["graph", str(path), *words])


@pytest.mark.parametrize("build", HOSTILE, ids=lambda build: build.__name__)
def test_an_operation_that_touches_anything_is_refused_before_anything_runs(build, tmp_path, capsys):
    path = write(tmp_path, build)
    for words in ((), ("--prune",)):
        assert run(path, tmp_path, *words) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert "operation" in error
        assert not (tmp_path / "ran").exists()
        assert not (tmp_path / "y.npz").exists()
    assert main(["graph", str(path)]) == 2


def test_a_savers_operation_that_an_output_needs_is_refused(tmp_path, capsys):
    assert run(write(tmp_path, save), tmp_path) == 2
    assert "the Saver's own" in capsys.readouterr().err
    assert not (tmp_path / "ran").exists()


def test_with_prune_the_rest_of_a_hostile_graph_runs_without_it(tmp_path, capsys):
    def beside(x, folder):
        py_func(x, folder)
        return x * 2

    path = write(tmp_path, beside)
    assert run(path, tmp_path) == 2
    assert "--prune" in capsys.readouterr().err
    assert run(path, tmp_path, "--prune") == 0
    assert not (tmp_path / "ran").exists()
    with np.load(tmp_path / "y.npz") as arrays:
        np.testing.assert_array_equal(arrays["y"], [2.0, 2.0])


def test_a_function_that_names_an_operation_in_place_of_a_function_is_refused(tmp_path, capsys):
    path = write(tmp_path, lambda x, folder: x + 1)
    definition = v1.GraphDef.FromString(path.read_bytes())
    node = definition.node.add(name="call", op="PartitionedCall", input=["x"])
    node.attr["f"].func.name = "ReadFile"
    node.attr["Tin"].list.type.append(1)
    node.attr["Tout"].list.type.append(1)
    definition.node.add(name="z", op="Identity", input=["call"]).attr["T"].type = 1
    path.write_bytes(definition.SerializeToString())
    np.save(tmp_path / "x.npy", np.ones(2, np.float32))
    words = ["--feed", f"x={tmp_path}/x.npy", "--fetch", "z", "--out", str(tmp_path / "y.npz")]
    assert main(["graph", str(path), *words]) == 2
    assert "ReadFile, which is not in the graph's library" in capsys.readouterr().err


def test_a_constant_of_a_billion_elements_is_refused_by_its_claim(tmp_path, capsys):
    definition = v1.GraphDef.FromString(write(tmp_path, lambda x, folder: x + 1).read_bytes())
    node = definition.node.add(name="huge", op="Const")
    node.attr["dtype"].type = 1
    node.attr["value"].tensor.dtype = 1
    node.attr["value"].tensor.tensor_shape.dim.add(size=1_000_000_000)
    node.attr["value"].tensor.float_val.append(1.0)
    (tmp_path / "huge.pb").write_bytes(definition.SerializeToString())
    assert main(["graph", str(tmp_path / "huge.pb")]) == 2
    assert "4,000,000,000" in capsys.readouterr().err


def test_a_loop_without_end_is_stopped(tmp_path, capsys):
    def endless(x, folder):
        return v1.while_loop(lambda value: tf.constant(True), lambda value: value + 1, [x])

    assert run(write(tmp_path, endless), tmp_path, "--time-limit", "8") == 2
    error = capsys.readouterr().err
    assert "stopped at the time limit of 8 s" in error
    assert not (tmp_path / "y.npz").exists()


def test_a_run_that_wants_more_memory_than_it_may_is_ended_in_a_line(tmp_path, capsys):
    def large(x, folder):
        return tf.reduce_sum(v1.random_uniform([40_000, 40_000])) + x

    assert run(write(tmp_path, large), tmp_path, "--memory-limit", "0.5") == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert not (tmp_path / "y.npz").exists()


def damaged(raw, chance):
    """The bytes with a few of them changed, left out, doubled or cut off."""
    data = bytearray(raw)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(data))
        kind = chance.randrange(5)
        if kind == 0:
            data[place] = chance.randrange(256)
        elif kind == 1:
            data[place] ^= 1 << chance.randrange(8)
        elif kind == 2:
            del data[place : place + chance.randint(1, 40)]
        elif kind == 3:
            data[place:place] = data[place : place + chance.randint(1, 40)]
        else:
            del data[chance.randrange(len(data) // 2, len(data)) :]
    return bytes(data)


@pytest.mark.parametrize("cases", [FUZZ_CASES // 5, pytest.param(FUZZ_CASES, marks=pytest.mark.thorough)])
def test_damaged_graphs_are_listed_or_refused_in_a_line(cases, saved, tmp_path):
    chance = random.Random(5)
    sources = [
        saved(build).prefix + ".meta" for build in (models.per_step, models.static_lstm, models.regression)
    ]
    contents = []
    for source in sources:
        with open(source, "rb") as stream:
            contents.append(stream.read())
    refused = 0
    for _ in range(cases):
        path = tmp_path / "model.meta"
        path.write_bytes(damaged(chance.choice(contents), chance))
        try:
            listing(open_graph(path))
        except InputError as error:
            refused += 1
            assert "\n" not in str(error)
            assert str(path) in str(error)
    assert refused > cases // 20


def test_damaged_graphs_that_can_be_read_run_or_end_in_a_line(saved, tmp_path, capsys):
    model = saved(models.static_lstm)
    chance = random.Random(6)
    with open(model.prefix + ".meta", "rb") as stream:
        raw = stream.read()
    np.save(tmp_path / "x.npy", model.feeds["x"])
    words = ["--feed", f"x={tmp_path}/x.npy", "--fetch", "logits", "--out", str(tmp_path / "y.npz")]
    for _ in range(5):
        data = bytearray(raw)
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        (tmp_path / "m.meta").write_bytes(bytes(data))
        code = main(["graph", model.prefix, "--meta", str(tmp_path / "m.meta"), *words])
        error = capsys.readouterr().err
        assert (code, error.count("\n")) in ((0, 0), (2, 1))


@pytest.mark.parametrize(
    "content", [b"", b"version https://git-lfs.github.com/spec/v1\n", b"\x00" * 100, b"<html>"]
)
def test_what_is_no_graph_is_named(content, tmp_path, capsys):
    (tmp_path / "graph.pb").write_bytes(content)
    assert main(["graph", str(tmp_path / "graph.pb")]) == 2
    error = capsys.readouterr().err
    assert "graph.pb" in error
    assert error.count("\n") == 1
