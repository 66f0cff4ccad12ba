"""The MNIST recipes hold the document's settings."""

from typing import Tuple

import pytest

from tf1_lstm.data import mnist
from tf1_lstm.errors import InputError
from tf1_lstm.recipes import find_recipe
from tf1_lstm.recipes.data_parts import MnistRows
from tf1_lstm.recipes.experiment import Experiment, Steps
from tf1_lstm.recipes.flat import flat_settings
from tf1_lstm.recipes.mnist_rows import RECIPES

BY_NAME = {recipe.name: recipe for recipe in RECIPES}


def cell_and_readout(recipe: Experiment) -> Tuple[str, str]:
    settings = flat_settings(recipe)
    return settings["cell"], settings["readout"]


def test_there_are_six_with_their_cells_and_readouts():
    assert {name: cell_and_readout(recipe) for name, recipe in BY_NAME.items()} == {
        "mnist-rnn": ("basic_rnn", "last-state"),
        "mnist-lstm": ("basic_lstm", "last-state"),
        "mnist-bilstm": ("basic_lstm", "backward-state"),
        "mnist-peephole": ("lstm_peephole", "last-state"),
        "mnist-coupled": ("lstm_coupled", "last-state"),
        "mnist-gru": ("gru", "last-state"),
    }


@pytest.mark.parametrize("name", BY_NAME)
def test_each_has_the_settings_of_the_document(name):
    settings = flat_settings(find_recipe(name))
    document = {
        "inputs": "rows",
        "steps": 28,
        "input_size": 28,
        "classes": 10,
        "units": 128,
        "layers": 1,
        "bidirectional": name == "mnist-bilstm",
        "forget_bias": 1.0,
        "output_keep_prob": 1.0,
        "softmax_initializer": "random_normal",
        "softmax_bias": 0.1,
        "batch_size": 128,
        "learning_rate": 0.001,
        "log_every": 20,
        "log_batch": "test",
        "sampler": "published",
    }
    assert {key: settings[key] for key in document} == document


@pytest.mark.parametrize("name", BY_NAME)
def test_each_trains_as_many_steps_as_the_documents_loop(name):
    step = 0
    while step * 128 < 100000:  # the document's own condition
        step += 1
    assert BY_NAME[name].schedule.iterations == step == 782


@pytest.mark.parametrize("name", BY_NAME)
def test_corrected_and_sample_settings_are_valid_together(name):
    recipe = BY_NAME[name]
    corrected = recipe.with_settings({**recipe.published.sample, **recipe.corrected()})
    assert isinstance(corrected.data, MnistRows) and isinstance(corrected.schedule, Steps)
    assert corrected.data.sampler == "corrected"
    assert corrected.schedule.log_batch == "train"
    assert flat_settings(corrected)["readout"] == ("both-states" if name == "mnist-bilstm" else "last-state")
    assert corrected.schedule.iterations < recipe.schedule.iterations


def test_a_single_direction_has_no_backward_state():
    with pytest.raises(InputError, match="readout"):
        BY_NAME["mnist-lstm"].with_settings({"readout": "both-states"})


def test_figures_are_those_of_the_documents_own_loop():
    found = {name: [figure.value for figure in recipe.published.figures] for name, recipe in BY_NAME.items()}
    assert found == {
        "mnist-rnn": [0.938],
        "mnist-lstm": [0.964],
        "mnist-bilstm": [0.965],
        "mnist-peephole": [],
        "mnist-coupled": [],
        "mnist-gru": [],
    }
    for figure in (figure for recipe in RECIPES for figure in recipe.published.figures):
        assert (figure.examples, figure.split, figure.dropout, figure.sampler) == (
            10000,
            "test",
            False,
            "whole",
        )
        assert "seed 1" in figure.source


def test_the_audit_counts_the_documents_own_lines():
    schedule = BY_NAME["mnist-lstm"].schedule
    assert -(-mnist.TRAINED_IMAGES // schedule.batch_size) == schedule.iterations
    assert schedule.log_every == mnist.PRINTED_EVERY


def test_what_the_document_did_not_print_is_called_an_own_run():
    figures = [figure for recipe in RECIPES for figure in recipe.published.figures]
    assert [figure.value for figure in figures] == [0.938, 0.964, 0.965]
    assert all(figure.own_run and "own run of the published code" in figure.source for figure in figures)
