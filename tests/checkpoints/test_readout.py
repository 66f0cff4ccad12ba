"""What stands around the recurrent layer: shapes decide, names only where shapes cannot, or nothing does."""

from typing import Dict, Optional, Tuple

import pytest

from tf1_lstm.checkpoints.formats.tensors import VariableSpec
from tf1_lstm.checkpoints.identify import Identified, identify

Shapes = Dict[str, Tuple[int, ...]]
INPUTS, UNITS = 100, 64
LSTM: Shapes = {"lstm/fw/0/kernel": (INPUTS + UNITS, 4 * UNITS), "lstm/fw/0/bias": (4 * UNITS,)}
CELL: Shapes = {role.replace("lstm/fw/0", "rnn/basic_lstm_cell"): shape for role, shape in LSTM.items()}
WANTED: Shapes = {
    **LSTM,
    "embedding": (10_000, INPUTS),
    "dense/kernel": (UNITS, UNITS),
    "dense/bias": (UNITS,),
    "softmax/weights": (UNITS, 1),
    "softmax/bias": (1,),
}
AROUND = ("embedding", "dense/kernel", "dense/bias", "softmax/weights", "softmax/bias")


def identified(
    shapes: Shapes, expected: Optional[Shapes] = None, cell: Optional[Shapes] = None
) -> Identified:
    named = {**(CELL if cell is None else cell), **shapes}
    return identify({name: VariableSpec(shape, "float32") for name, shape in named.items()}, expected)


def cell_of(inputs: int) -> Shapes:
    return {**CELL, "rnn/basic_lstm_cell/kernel": (inputs + UNITS, 4 * UNITS)}


def names_of(found: Identified) -> Dict[str, str]:
    return {role: found.sources[role].names[0] for role in AROUND if role in found.sources}


def renamed(*names: str) -> Shapes:
    return {name: WANTED[role] for role, name in zip(AROUND, names)}


@pytest.mark.parametrize("scope", ["", "model/", "a/b_1/"])
def test_this_programs_own_names_say_what_is_dense_layer_and_what_is_softmax(scope):
    shapes = {scope + role: WANTED[role] for role in AROUND}
    for expected in (None, WANTED):
        found = identified(shapes, expected)
        assert names_of(found) == {role: scope + role for role in AROUND}
        assert (found.unassigned, found.candidates) == ((), ())
        assert found.model is not None
        assert (found.model.dense_units, found.model.vocabulary, found.model.classes) == (UNITS, 10_000, 1)


def test_by_other_names_a_square_layer_is_a_dense_one_only_where_the_graph_has_one():
    names = ("lookup", "dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias")
    found = identified(renamed(*names), WANTED)
    assert names_of(found) == dict(zip(AROUND, names))
    assert "dense/kernel was taken as a layer between" in found.notes[1]
    undecided = identified(renamed(*names))
    assert names_of(undecided) == {"embedding": "lookup"}
    assert {layer.kernel for layer in undecided.candidates} == {"dense/kernel", "dense_1/kernel"}


def test_without_a_dense_layer_in_the_graph_it_is_left_over_and_suspected():
    without = {role: shape for role, shape in WANTED.items() if not role.startswith("dense")}
    found = identified(renamed("embedding", "a", "b", "c", "d"), without)
    assert names_of(found) == {"embedding": "embedding", "softmax/weights": "c", "softmax/bias": "d"}
    assert found.unassigned == ("a",)


def test_a_second_layer_of_the_dense_ones_shape_leaves_it_undecided():
    shapes = {**renamed("embedding", "a/w", "a/b", "out/w", "out/b"), "b/w": (UNITS, UNITS), "b/b": (UNITS,)}
    found = identified(shapes, WANTED)
    assert set(names_of(found)) == {"embedding"}
    assert set(found.unassigned) == {"a/w", "b/w", "out/w"}


def test_names_decide_between_two_layers_of_one_shape_or_nothing_does():
    wide: Shapes = {**WANTED, "softmax/weights": (UNITS, UNITS), "softmax/bias": (UNITS,)}
    own = {role: wide[role] for role in AROUND}
    assert names_of(identified(own, wide)) == {role: role for role in AROUND}
    other = {name: wide[role] for role, name in zip(AROUND, ("embedding", "a/w", "a/b", "b/w", "b/b"))}
    assert set(names_of(identified(other, wide))) == {"embedding"}
    del other["b/w"], other["b/b"]
    assert "dense/kernel" not in identified(other, wide).sources


def test_a_dense_layer_that_does_not_read_the_recurrent_one_is_none_whatever_its_name():
    front: Shapes = {
        "dense/kernel": (30, 7),
        "dense/bias": (7,),
        "softmax/weights": (7, 2),
        "softmax/bias": (2,),
    }
    for expected in (None, WANTED):
        assert names_of(identified(front, expected)) == {}


def test_a_square_layer_that_may_stand_before_the_recurrent_one_needs_its_name():
    """Where inputs and units are one number, a layer of that shape fits before and behind."""
    wanted: Shapes = {**WANTED, "embedding": (10_000, UNITS)}
    for names, decided in ((AROUND[1:], True), (("a/w", "a/b", "out/w", "out/b"), False)):
        shapes = {name: wanted[role] for role, name in zip(AROUND[1:], names)}
        found = identified({"embedding": (10_000, UNITS), **shapes}, wanted, cell_of(UNITS))
        assert ("dense/kernel" in found.sources) is decided
        assert bool(found.candidates) is not decided


def test_names_find_the_bias_where_dense_layer_and_softmax_are_of_one_width():
    wanted = {**WANTED, "dense/kernel": (UNITS, 7), "dense/bias": (7,)}
    wanted.update({"softmax/weights": (7, 7), "softmax/bias": (7,)})
    shapes: Shapes = {"in/w": (UNITS, 7), "in/b": (7,), "out/w": (7, 7), "out/b": (7,)}
    for expected in (None, wanted):
        found = identified({"embedding": (10_000, INPUTS), **shapes}, expected)
        assert names_of(found) == dict(zip(AROUND, ("embedding", "in/w", "in/b", "out/w", "out/b")))


@pytest.mark.parametrize("rows", [9, 40, 900, 10_000])
def test_an_embedding_of_any_name_is_found_by_the_shape_that_the_graph_has(rows):
    shapes: Shapes = {"table": (rows, INPUTS), "w": (UNITS, 1), "b": (1,)}
    found = identified(shapes, {**LSTM, "embedding": (rows, INPUTS)})
    assert found.sources["embedding"].names == ("table",)
    assert found.unassigned == ()
    other = identified(shapes, {**LSTM, "embedding": (rows + 1, INPUTS)})
    assert ("embedding" in other.sources) is (rows > 1000)
    assert other.unassigned == (() if rows > 1000 else ("table",))


def test_a_table_of_the_embeddings_shape_goes_before_one_of_its_name():
    wanted: Shapes = {**LSTM, "embedding": (10_000, INPUTS)}
    found = identified({"char_embedding": (50, INPUTS), "words": (10_000, INPUTS)}, wanted)
    assert found.sources["embedding"].names == ("words",)
    assert found.unassigned == ("char_embedding",)


def test_of_two_tables_of_the_embeddings_shape_the_name_says_which_and_the_other_is_suspected():
    wanted: Shapes = {**LSTM, "embedding": (10_000, INPUTS)}
    found = identified({"nce/weights": (10_000, INPUTS), "embeddings": (10_000, INPUTS)}, wanted)
    assert found.sources["embedding"].names == ("embeddings",)
    assert found.unassigned == ("nce/weights",)
    unnamed = identified({"nce/weights": (10_000, INPUTS), "words": (10_000, INPUTS)}, wanted)
    assert "embedding" not in unnamed.sources
    assert unnamed.unassigned == ("nce/weights", "words")


def test_a_layer_behind_as_wide_as_the_inputs_is_no_embedding():
    """Inputs, units and dense layer of one width, and so many words: only the names tell them apart."""
    wanted: Shapes = {**WANTED, "embedding": (UNITS, UNITS)}
    shapes = {role: wanted[role] for role in AROUND}
    assert names_of(identified(shapes, wanted, cell_of(UNITS))) == {role: role for role in AROUND}
    del shapes["embedding"]
    found = identified(shapes, wanted, cell_of(UNITS))
    assert "embedding" not in found.sources
    assert names_of(found) == {role: role for role in AROUND[1:]}
