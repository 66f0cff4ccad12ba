"""Settings are typed, checked, and refused where no part has them: nothing is read by nobody."""

from typing import Any, Dict, List

import pytest

from tf1_lstm.core.parts import Part, changed, from_document, kinds, leaves, setting_fields, to_document
from tf1_lstm.errors import InputError
from tf1_lstm.recipes import BasicLSTM, Cell, Dropout, Experiment, all_recipes, find_recipe
from tf1_lstm.recipes.flat import experiment_of_flat, flat_settings
from tf1_lstm.recipes.python_source import python_source

# What was accepted before and read by nobody (measured at commit 8c290fe).
UNREAD = [
    ("imdb-lstm", "padding", "front"),
    ("imdb-lstm", "held_out", "0.5"),
    ("imdb-lstm", "batch_order", "similar-length"),
    ("imdb-lstm", "drop_remainder", "true"),
    ("imdb-lstm", "vocabulary", "77"),
    ("imdb-lstm", "keep_prob", "0.1"),
    ("imdb-lstm", "validation", "nonsense"),
    ("imdb-lstm", "early_stopping", "1"),
    ("imdb-lstm", "input_size", "7"),
    ("mnist-gru", "forget_bias", "2"),
    ("mnist-gru", "padding", "front"),
    ("mnist-gru", "batch_order", "similar-length"),
    ("mnist-gru", "embedding", "trained"),
    ("imdb-lstm32", "softmax_initializer", "truncated_normal"),
    ("imdb-lstm32", "log_first", "true"),
    ("imdb-lstm32", "sampler", "corrected"),
]


@pytest.mark.parametrize(("recipe", "name", "value"), UNREAD)
def test_what_nobody_reads_is_refused_in_a_line(recipe: str, name: str, value: str):
    with pytest.raises(InputError) as caught:
        find_recipe(recipe).with_settings({name: value})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("unts", "3", "did you mean recurrent.cell.units"),
        ("recurrent.cell.units", "0", "found 0, expected 1 or more"),
        ("recurrent.cell.units", "many", "found 'many', expected a whole number"),
        ("recurrent.cell.units", True, "found True, expected a whole number"),
        ("recurrent.cell.forget_bias", "nan", "expected a finite number"),
        ("dropout.output_keep_prob", "0", "above 0, up to 1"),
        ("dropout.output_keep_prob", "1.5", "above 0, up to 1"),
        ("recurrent.cell", "LSTM", "unknown; did you mean"),
        ("recurrent.cell", "GRU(units=3", "expected a kind such as GRU, or GRU(units=64)"),
        ("recurrent.cell", "GRU(unit=3)", "setting 'unit' of GRU: unknown; did you mean units?"),
        ("recurrent.cell", "__import__('os')", "expected a kind such as"),
        ("recurrent.cell", "none", "found none, expected one of"),
        ("schedule.fixed_batch", "perhaps", "expected true or false"),
        ("data.sampler", "best", "expected one of published, corrected"),
        ("schedule", "Epochs(epochs=2, batch_size=24)", "expected Steps"),
        ("recurrent.shared_cell", "true", "expected false without stacked layers"),
        ("recurrent.carried_state", "true", "do not follow one another"),
        ("head", "Softmax(classes=1)", "expected 2 or more"),
        ("head", "Regression(outputs=1)", "expected 2 classes"),
        ("inputs", "Rows(width=3)", "expected Embedding, FrozenVectors"),
        ("dropout", "Dropout(keep_prob=0.5, at=())", "found no place"),
        ("dropout", "Dropout(keep_prob=0.5, at=('dense',))", "a dense layer (head.dense)"),
        ("dropout", "Dropout(keep_prob=0.5, at=('layers',))", "stacked layers (recurrent.layers)"),
        ("dropout", "Dropout(keep_prob=0.5, at=('inputs', 'inputs-each-step'))", "expected one of them"),
        ("recurrent.bidirectional", "Bidirectional(merge='mean')", "expected one of join, sum"),
        ("optimizer.learning_rate", "-1", "expected above 0"),
    ],
)
def test_a_wrong_value_is_refused_with_what_was_expected(name: str, value: object, message: str):
    with pytest.raises(InputError) as caught:
        find_recipe("imdb-lstm").with_settings({name: value})
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_end_that_several_settings_have_is_refused_with_their_paths():
    mine = find_recipe("imdb-lstm").with_settings({"front": "Layer(units=4)"})
    with pytest.raises(InputError, match=r"recurrent\.cell\.activation or front\.activation"):
        mine.with_settings({"activation": "relu"})


def test_paths_ends_and_flat_names_are_the_same_setting():
    recipe = find_recipe("imdb-lstm")
    changes: List[Dict[str, Any]] = [{"recurrent.cell.units": "12"}, {"cell.units": 12}, {"units": "12"}]
    found = [recipe.with_settings(change) for change in changes]
    assert found[0] == found[1] == found[2]
    assert isinstance(found[0].recurrent.cell, BasicLSTM) and found[0].recurrent.cell.units == 12


def test_another_kind_keeps_what_both_have():
    gru = find_recipe("imdb-lstm").with_settings({"recurrent.cell": "GRU"})
    assert gru.settings()["recurrent.cell"] == "GRU"
    assert gru.recurrent.cell.units == 64
    assert "recurrent.cell.forget_bias" not in gru.settings()


def test_a_part_that_a_kind_has_of_itself_can_be_set_with_the_kind():
    changes = {"data": "Arrays", "data.file": "x.npz", "data.division.test": "0", "data.division.seed": "7"}
    data: Any = find_recipe("mnist-rnn").with_settings(changes).data
    division = data.division
    assert (type(division).__name__, division.test, division.seed) == ("ByShare", 0.0, 7)


@pytest.mark.parametrize("name", list(all_recipes()))
def test_documents_flat_lists_and_source_give_the_recipe_back(name: str):
    recipe = all_recipes()[name]
    assert from_document(to_document(recipe), Experiment).settings() == recipe.settings()
    assert experiment_of_flat(recipe, flat_settings(recipe)) == recipe
    space: dict = {}
    exec(python_source(recipe), space)
    assert space["EXPERIMENT"].settings() == recipe.settings()


@pytest.mark.parametrize("name", list(all_recipes()))
def test_corrected_is_what_the_oddities_say(name: str):
    recipe = all_recipes()[name]
    fixes = [oddity.fix for oddity in recipe.published.oddities if oddity.fix]
    assert fixes and recipe.corrected() == {path: value for fix in fixes for path, value in fix.items()}
    corrected = recipe.with_settings(recipe.corrected())
    for fix in fixes:
        assert all(corrected.with_settings({path: value}) == corrected for path, value in fix.items())
        assert any(recipe.with_settings({path: value}) != recipe for path, value in fix.items())
    for oddity in recipe.published.oddities:
        said = ("No setting", "Nothing to fix", "data.steps")
        assert oddity.fix or any(words in oddity.text for words in said), oddity.text


def test_every_setting_of_every_part_says_what_it_means():
    for kind in kinds(Part).values():
        for field in setting_fields(kind):
            assert len(field.metadata["meaning"]) > 5, (kind, field.name)
    for recipe in all_recipes().values():
        assert all(leaf.expected for leaf in leaves(recipe))


def test_parts_check_themselves_where_they_are_written():
    with pytest.raises(InputError, match="found -1, expected 1 or more"):
        BasicLSTM(units=-1)
    with pytest.raises(InputError, match="expected a number"):
        BasicLSTM(units=3, forget_bias="one")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="expected some of inputs"):
        Dropout(0.5, ("somewhere",))
    assert changed(BasicLSTM(units=3), {"units": "5"}) == BasicLSTM(units=5)
    assert issubclass(BasicLSTM, Cell)
