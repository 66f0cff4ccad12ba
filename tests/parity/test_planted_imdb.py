"""Mistakes planted in Keras and PyTorch ports of the recipes with an embedding that is trained.

The ports share no code with the reference or with the project's own ports; see ``test_ports.py`` for
what they need.
"""

import pytest

from tests.parity.ports_python import run

# Only seen in the training: the logits are right.
OF_TRAINING = {
    "adam-epsilon",
    "bias-trained-once",
    "embedding-frozen",
    "labels-swapped",
    "loss-summed",
    "padding-row-frozen",
    "rmsprop-decay",
    "rmsprop-epsilon",
}
# A GRU that resets before the product has one bias in Keras, where the recipe's has two to train.
ANOTHER_SHAPE = {"reset-before"}
RECIPES = {"keras": {"imdb-gru2"}, "torch": {"imdb-bilstm2", "imdb-gru32"}}


@pytest.mark.thorough
@pytest.mark.parametrize("framework", ["keras", "torch"])
def test_each_mistake_planted_in_a_port_of_word_ids_is_named(framework):
    lines = run(framework, "run.py", framework, "imdb")
    assert len(lines) > 20
    assert {line["base"] for line in lines if not line["planted"]} == RECIPES[framework]
    for line in lines:
        planted = line["planted"]
        for view in ("visible", "blind"):  # states that are carried on are those at the last word
            line[view] = [n for n in line[view] if planted != ["padding-masked"] or n == planted]
        assert line["visible"] == ([planted] if planted else []), line
        assert False not in line["training"] or set(planted) <= ANOTHER_SHAPE, line
        seen = sorted(set(planted) - OF_TRAINING)
        assert line["blind"] == ([seen] if seen else []), line
