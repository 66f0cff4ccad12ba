"""Every recipe by both engines, from the same weights and batches: loss, gradients, weights after steps."""

from typing import Any, Dict, Optional

import numpy as np
import pytest

from tests.graphs.engine.support import SETS, needs_engine
from tests.tiers import representative
from tf1_lstm.graphs.build import build
from tf1_lstm.graphs.engine.library import EngineChoice
from tf1_lstm.recipes import all_recipes
from tf1_lstm.runs.resolve import resolve

pytestmark = needs_engine

STEPS = 10


def trained(name: str, engine: Optional[EngineChoice], settings: Optional[Dict[str, Any]] = None) -> Any:
    """Loss and gradients of the first batch, the losses of ten steps, weights after one and after all."""
    from tf1_lstm.core.tensorflow import tf

    found = resolve(all_recipes()[name], sample=True, settings=settings or {})
    recipe, dataset = found.recipe, found.dataset
    sampler = dataset.train_sampler(found.sampler, found.batch_size, 1)
    constants = dataset.constants()
    shapes = {key: array.shape for key, array in constants.items()}
    graph = build(recipe, shapes, seed=1, engine=engine)
    with graph.graph.as_default():
        derivatives = {
            key: tf.convert_to_tensor(derivative)
            for key, derivative in zip(
                graph.variables, tf.gradients(graph.loss, list(graph.variables.values()))
            )
            if derivative is not None
        }
    config = tf.compat.v1.ConfigProto(inter_op_parallelism_threads=2, intra_op_parallelism_threads=2)
    with tf.compat.v1.Session(graph=graph.graph, config=config) as session:
        feeds = {graph.constant_feeds[key]: constants[key] for key in graph.constant_feeds}
        session.run(graph.initializer, feeds)
        losses, weights = [], []
        for step in range(STEPS):
            batch = sampler.batch(step)
            fed = {graph.inputs: batch.inputs, graph.labels: batch.labels, graph.iteration: step}
            if step == 0:
                first = session.run(derivatives, fed)
                outputs = session.run(graph.outputs, fed)
            losses.append(session.run([graph.loss, graph.train_op], fed)[0])
            if step in (0, STEPS - 1):
                weights.append(session.run(graph.variables))
    return first, outputs, np.array(losses), weights


def differences(one: Any, other: Any) -> Dict[str, float]:
    """The largest difference of each kind."""

    def worst(left: Dict[str, np.ndarray], right: Dict[str, np.ndarray]) -> float:
        assert set(left) == set(right)
        return max(float(np.abs(left[key] - right[key]).max()) for key in left)

    outputs = [
        np.concatenate(found[1], 2) if isinstance(found[1], tuple) else found[1] for found in (one, other)
    ]
    return {
        "gradients": worst(one[0], other[0]),
        "outputs": float(np.abs(outputs[0] - outputs[1]).max()),
        "losses": float(np.abs(one[2] - other[2]).max()),
        "weights after 1": worst(one[3][0], other[3][0]),
        f"weights after {STEPS}": worst(one[3][1], other[3][1]),
    }


@pytest.mark.parametrize(
    "name",
    representative(all_recipes(), "imdb-lstm", "mnist-gru", "mnist-bilstm"),
)
def test_is_the_exact_engine_up_to_rounding(name):
    exact, fast = trained(name, None), trained(name, EngineChoice(SETS[0], 2))
    found = differences(exact, fast)
    print(name, {key: f"{value:.1e}" for key, value in found.items()})
    assert found["gradients"] < 5e-6
    assert found["outputs"] < 5e-6
    assert found["losses"] < 1e-5
    assert found["weights after 1"] < 2e-5
    assert found[f"weights after {STEPS}"] < 2e-5
