"""Dropout masks are a function of seed, iteration and time step, and are dropout."""

from typing import Any

import numpy as np
import pytest

from tests.experiments import experiment
from tf1_lstm.graphs import layers
from tf1_lstm.graphs.build import Graph, build
from tf1_lstm.graphs.quiet import tf

SETTINGS = experiment(
    steps=9,
    input_size=4,
    classes=3,
    units=32,
    readout="last-output",
    softmax_initializer="truncated_normal",
    output_keep_prob=0.75,
)
INPUTS = np.random.RandomState(0).rand(40, 9, 4).astype(np.float32)


def outputs(graph: Graph, iteration: int, keep_prob: float = 0.75, threads: int = 0) -> np.ndarray:
    config = tf.compat.v1.ConfigProto(
        intra_op_parallelism_threads=threads, inter_op_parallelism_threads=threads
    )
    with tf.compat.v1.Session(graph=graph.graph, config=config) as session:
        session.run(graph.initializer)
        feeds = {graph.inputs: INPUTS, graph.iteration: iteration, graph.keep_prob: keep_prob}
        return session.run(graph.outputs, feeds)


def test_same_seed_and_iteration_give_the_same_bits_whatever_the_threads(monkeypatch: Any):
    first = outputs(build(SETTINGS, seed=5), 17, threads=1)
    assert outputs(build(SETTINGS, seed=5), 17, threads=2).tobytes() == first.tobytes()
    monkeypatch.setattr(layers, "PARALLEL_ITERATIONS", 1)
    assert outputs(build(SETTINGS, seed=5), 17).tobytes() == first.tobytes()


def test_masks_do_not_depend_on_what_the_session_did_before():
    graph = build(SETTINGS, seed=5)
    with tf.compat.v1.Session(graph=graph.graph) as session:
        session.run(graph.initializer)
        found = [session.run(graph.outputs, {graph.inputs: INPUTS, graph.iteration: k}) for k in (3, 9, 3)]
    assert found[0].tobytes() == found[2].tobytes()
    assert found[0].tobytes() != found[1].tobytes()


def test_masks_differ_between_iterations_steps_examples_seeds_and_layers():
    def mask(seed: int, iteration: int) -> np.ndarray:
        return outputs(build(SETTINGS, seed=seed), iteration) != 0

    first = mask(1, 0)
    assert (first != mask(1, 1)).mean() == pytest.approx(2 * 0.75 * 0.25, abs=0.02)
    assert (first != mask(2, 0)).mean() == pytest.approx(2 * 0.75 * 0.25, abs=0.02)
    assert (first[:, 0] != first[:, 1]).mean() == pytest.approx(2 * 0.75 * 0.25, abs=0.05)
    assert (first[0] != first[1]).any()


def test_kept_outputs_are_scaled_and_the_kept_share_is_the_keep_probability():
    graph = build(SETTINGS, seed=1)
    dropped, whole = outputs(graph, 4), outputs(graph, 4, keep_prob=1.0)
    kept = dropped != 0
    # 11,520 draws: five standard deviations are 0.02.
    assert kept.mean() == pytest.approx(0.75, abs=0.02)
    np.testing.assert_allclose(dropped[kept], (whole / np.float32(0.75))[kept], rtol=1e-6)


def test_keep_probability_one_is_the_graph_without_dropout():
    without = SETTINGS.with_settings({"dropout": "none"})
    expected = outputs(build(without, seed=1), 0)
    assert outputs(build(SETTINGS, seed=1), 0, keep_prob=1.0).tobytes() == expected.tobytes()


def test_published_keep_probability_is_the_default():
    graph = build(SETTINGS, seed=1)
    with tf.compat.v1.Session(graph=graph.graph) as session:
        session.run(graph.initializer)
        default = session.run(graph.outputs, {graph.inputs: INPUTS})
    assert default.tobytes() == outputs(graph, 0).tobytes()


def test_layers_of_a_stack_draw_masks_of_their_own():
    settings = SETTINGS.with_settings({"layers": 2})
    graph = build(settings, seed=1)
    tables = [
        op for op in graph.graph.get_operations() if op.type == "Fill" and op.outputs[0].dtype == tf.int64
    ]
    with tf.compat.v1.Session(graph=graph.graph) as session:
        keys = [session.run(op.outputs[0]) for op in tables]
    assert [len(set(key.tolist())) for key in keys] == [1, 1]
    assert keys[0][0] != keys[1][0]


def test_exact_graph_holds_no_stateful_random_op_after_its_first_values():
    """Whatever is drawn in training is a function of what is fed."""
    graph = build(SETTINGS, seed=1)
    stateful = [op for op in graph.graph.get_operations() if op.type in ("RandomUniform", "TruncatedNormal")]
    assert stateful
    assert all("Initializer" in op.name for op in stateful)


def test_a_fixed_batch_dimension_changes_no_bit():
    """The training graph has the published batch size; evaluation takes any."""
    labels = np.eye(3)[np.arange(40) % 3]

    def trained(batch_size: Any) -> Any:
        graph = build(SETTINGS, seed=1, batch_size=batch_size)
        with tf.compat.v1.Session(graph=graph.graph) as session:
            session.run(graph.initializer)
            feeds = {graph.inputs: INPUTS, graph.labels: labels}
            for iteration in range(5):
                session.run(graph.train_op, {**feeds, graph.iteration: iteration})
            return [array.tobytes() for array in session.run(graph.variables).values()]

    assert trained(40) == trained(None)
