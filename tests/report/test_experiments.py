"""Published, TensorFlow 1 and port side by side: as cells, and as one picture."""

import json
import statistics as standard_library

import pytest

from tests.report.examples import EPOCHS, epoch_log, epoch_results, make_results, port_results
from tests.report.gallery import assert_readable, texts_of
from tf1_lstm.errors import InputError
from tf1_lstm.recipes import all_recipes
from tf1_lstm.recipes.experiment import Epochs
from tf1_lstm.report.experiments import experiments, rows_of
from tf1_lstm.report.experiments_picture import experiments_picture
from tf1_lstm.report.statistics import wilson_interval
from tools.results_picture import main

RECIPES = all_recipes()
OTHER_ROWS = ((0.6, 0.7, 0.4, 0.80), (0.4, 0.8, 0.5, 0.82), (0.2, 0.9, 0.6, 0.81))


def interval(right, of):
    low, high = wilson_interval(right, of)
    return f"[{100 * low:.2f}, {100 * high:.2f}]"


def test_one_run_and_one_port_stand_beside_what_was_published():
    (found,) = experiments(RECIPES, [epoch_results(rows=EPOCHS)], [port_results(rows=OTHER_ROWS)])
    last, best, test = rows_of(found)
    # Seed 004 prints 0.8614 after the last of ten epochs, and its lowest loss after the third.
    assert last == (
        "validation, 5,000 reviews: last epoch",
        f"86.14 % {interval(4307, 5000)}, epoch 10",
        f"84.00 % {interval(4200, 5000)}, epoch 3",
        f"81.00 % {interval(4050, 5000)}, epoch 3",
    )
    assert best == (
        "validation, 5,000 reviews: lowest loss",
        f"88.76 % {interval(4438, 5000)}, epoch 3",
        f"86.00 % {interval(4300, 5000)}, epoch 2",
        f"80.00 % {interval(4000, 5000)}, epoch 1",
    )
    assert test == (
        "test, 25,000 reviews: last epoch",
        "-",
        f"82.00 % {interval(20500, 25000)}",
        f"83.00 % {interval(20750, 25000)}",
    )


def test_seeds_become_mean_and_standard_deviation_and_name_their_epochs():
    runs = [epoch_results(seed=2, rows=OTHER_ROWS), epoch_results(seed=1)]
    (found,) = experiments(RECIPES, runs, [])
    assert [run["seed"] for run in found.runs] == [1, 2]
    last, best, _ = rows_of(found)
    assert last.tensorflow1 == f"82.50 ± {standard_library.stdev([84, 81]):.2f} %, epoch 3"
    assert best.tensorflow1 == f"83.00 ± {standard_library.stdev([86, 80]):.2f} %, epochs 2, 1"
    assert last.port == best.port == "-"


def test_other_settings_are_another_experiment_and_other_documents_none():
    fewer = {"deviations": {"epochs": [10, 3], "iterations": [1570, 471]}}
    runs = [epoch_results(**fewer), epoch_results(sample=True), make_results()]
    ports = [port_results(), port_results(deviations=dict(reversed(list(fewer["deviations"].items()))))]
    found = experiments(RECIPES, runs, ports)
    assert [(one.deviations, len(one.runs), len(one.ports)) for one in found] == [
        (fewer["deviations"], 1, 1),
        ({}, 0, 1),
    ]


def test_a_recipe_without_published_figures_has_none():
    rows = ((0.5, 0.7, 0.5, 0.80),)
    settings = {"validation": "test", "epochs": 1}
    run = epoch_results(recipe="imdb-bilstm2", rows=rows, settings=settings)
    (found,) = experiments(RECIPES, [run], [])
    assert [(row.what, row.published) for row in rows_of(found)] == [
        ("test, 25,000 reviews: last epoch", "-"),
        ("test, 25,000 reviews: lowest loss", "-"),
    ]


def every_experiment():
    recipes = [recipe for recipe in RECIPES.values() if isinstance(recipe.schedule, Epochs)]
    runs, ports = [], []
    for recipe in recipes:
        log = [line._asdict() if hasattr(line, "_asdict") else vars(line) for line in recipe.published.log]
        changes = {"log": log or epoch_log(), "settings": recipe.settings()}
        if recipe.published.word_vector_size:
            changes["deviations"] = {"word_vector_size": [100, 50]}
        runs += [epoch_results(recipe=recipe.name, seed=seed, **changes) for seed in (1, 2)]
        ports.append(port_results(recipe=recipe.name, **changes))
    return experiments(RECIPES, runs, ports)


def test_the_picture_has_a_readable_panel_for_every_recipe_of_epochs(tmp_path, drawn):
    names = experiments_picture(every_experiment(), tmp_path / "a.png")
    assert sorted(names) == sorted(
        name for name, recipe in RECIPES.items() if isinstance(recipe.schedule, Epochs)
    )
    assert len(names) == 8
    assert_readable(drawn[0])
    assert (tmp_path / "a.png").stat().st_size < 300_000
    for name, axes in zip(names, drawn[0].axes):
        assert axes.get_title(loc="left").startswith(name + ", ")
        styles = [line.get_linestyle() for line in axes.lines]
        published = ["--"] if RECIPES[name].published.log else []
        assert styles == [*published, "-", "-", ":"]
        if published:
            printed = [line.val_accuracy for line in RECIPES[name].published.log]
            assert axes.lines[0].get_ydata().tolist() == printed
    text = "\n".join(text.get_text() for text in texts_of(drawn[0]))
    assert "word_vector_size 50 (published 100)" in text and "no published figures" in text
    assert [part.get_text() for part in drawn[0].axes[-1].get_legend().get_texts()] == [
        "published",
        "TensorFlow 1",
        "port",
    ]


def test_the_picture_leaves_out_what_was_not_measured_and_other_experiments(tmp_path, drawn):
    other = epoch_results(recipe="imdb-gru32", deviations={"units": [32, 64]})
    found = experiments(RECIPES, [epoch_results(), other], [])
    assert experiments_picture(found, tmp_path / "a.png") == ["imdb-lstm32"]
    assert len([axes for axes in drawn[0].axes if axes.lines]) == 1
    assert_readable(drawn[0])
    with pytest.raises(InputError, match="no results of epochs"):
        experiments_picture([], tmp_path / "b.png")


def test_the_tool_draws_checks_and_names_what_is_wrong(tmp_path, capsys):
    results, picture = tmp_path / "results", tmp_path / "a.png"
    results.mkdir()
    arguments = ["--results", str(results), "--out", str(picture)]
    assert main(arguments) == 2 and "no results of epochs" in capsys.readouterr().err
    (results / "a.json").write_text(json.dumps(epoch_results()))
    assert main([*arguments, "--check"]) == 1 and not picture.exists()
    assert main(arguments) == 0 and "a.png: imdb-lstm32" in capsys.readouterr().out
    before = picture.read_bytes()
    assert main([*arguments, "--check"]) == 0
    (results / "port-a.json").write_text(json.dumps(port_results()))
    assert main([*arguments, "--check"]) == 1
    assert picture.read_bytes() == before
