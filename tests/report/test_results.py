"""Reading results files and putting published figures beside measured ones."""

import dataclasses
import json
from typing import Any

import pytest

from tests.report.examples import evaluation, make_results
from tf1_lstm.errors import InputError
from tf1_lstm.recipes.published import Figure
from tf1_lstm.report.documents import read_results
from tf1_lstm.report.results import (
    build_published,
    comparisons,
    deviations_text,
    evaluations_at,
    grouped,
)
from tf1_lstm.report.statistics import wilson_interval
from tf1_lstm.report.tables import reproduction_table


def with_figures(recipe, *figures):
    return dataclasses.replace(recipe, published=dataclasses.replace(recipe.published, figures=figures))


def test_a_document_survives_the_way_through_a_file(write_results):
    assert read_results(write_results("a.json")) == make_results()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda d: d.pop("evaluations"), "evaluations is missing"),
        (lambda d: d.update(format=2), "found results format 2, expected 1"),
        (lambda d: d.update(seed="1"), "seed: found str '1'"),
        (lambda d: d.update(seed=True), "seed: found bool"),
        (lambda d: d["evaluations"][1].pop("accuracy"), r"evaluations\[1\].accuracy is missing"),
        (lambda d: d["evaluations"][0].update(accuracy=82.6), r"accuracy: found 82.6, expected 0 to 1"),
        (lambda d: d["evaluations"][0].update(accuracy=float("nan")), "NaN is not JSON"),
        (lambda d: d["evaluations"][0].update(examples=0), "examples: found 0"),
        (lambda d: d["published"].insert(0, 7), r"published\[0\]: found int"),
        (lambda d: d["published"][0].pop("measured_examples"), "measured_examples is missing"),
        (lambda d: d.update(deviations={"iterations": 5}), "deviations.iterations: found 5"),
    ],
)
def test_a_bad_document_is_refused_with_file_and_place(tmp_path, results, damage, message):
    damage(results)
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(results))
    with pytest.raises(InputError, match=message) as caught:
        read_results(path)
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize("content", ["", "[]", "{", '"x"', "null"])
def test_what_is_no_document_is_refused(tmp_path, content):
    path = tmp_path / "bad.json"
    path.write_text(content)
    with pytest.raises(InputError, match=r"bad\.json: "):
        read_results(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_results(tmp_path / "none.json")


def test_only_the_last_checkpoint_counts_as_final(results):
    assert [entry["checkpoint_step"] for entry in evaluations_at(results["evaluations"])] == [50000] * 5
    assert evaluations_at([]) == []


def test_a_sampled_figure_is_compared_with_test_batches_and_with_the_whole_split(recipe, results):
    on_batches, on_split = build_published(recipe, results["evaluations"], results["test_batches"])
    assert on_batches["measured_on"] == "10 batches of 24"
    assert on_batches["measured"] == pytest.approx(199 / 240)
    assert on_batches["measured_interval"] == pytest.approx(wilson_interval(199, 240))
    assert on_split["measured_on"] == "whole split" and on_split["measured_examples"] == 2001
    assert on_split["measured"] == pytest.approx((835 + 829) / 2001)
    for entry in (on_batches, on_split):
        assert entry["value"] == pytest.approx(205 / 240) and entry["interval"] == pytest.approx(
            wilson_interval(205, 240)
        )
        assert entry["verdict"] == "not judged" and entry["dropout"] == "on" and len(entry["parts"]) == 10
    json.dumps([on_batches, on_split], allow_nan=False)


def test_dropout_off_is_never_compared_with_a_figure_that_had_it_on(recipe):
    off = [evaluation("tutorial-test", "off", [[900, 101], [100, 900]])]
    (entry,) = build_published(recipe, off, None)
    assert entry["verdict"] == "not measured" and entry["measured"] is None


def test_a_figure_of_a_whole_split_is_not_compared_with_test_batches(recipe, results):
    figure = Figure("accuracy", 0.83, 2001, "tutorial-test", True, "section 1", sampler="whole")
    recipe = with_figures(recipe, figure)
    (entry,) = build_published(recipe, results["evaluations"], results["test_batches"])
    assert entry["measured_on"] == "whole split" and entry["note"] == ""


def test_nothing_from_the_sample_is_compared(recipe, results):
    entries = build_published(recipe, results["evaluations"], results["test_batches"], sample=True)
    assert {entry["verdict"] for entry in entries} == {"not comparable"}
    # Not even where a document says otherwise.
    results["sample"] = True
    assert {row.verdict for row in comparisons(results) if row.name} == {"not comparable"}


def test_one_run_is_never_judged_however_far_it_is(recipe):
    far = [evaluation("tutorial-test", "on", [[500, 501], [500, 500]])]
    (entry,) = build_published(recipe, far, None)
    assert entry["verdict"] == "not judged" and entry["place"] is None
    assert entry["difference"] == pytest.approx(1000 / 2001 - 205 / 240)
    assert entry["difference_interval"][1] < 0


def test_one_run_has_its_place_among_the_seeds_of_the_projects_study(recipe):
    figure = dataclasses.replace(recipe.published.figures[0], iteration=40000)
    recipe = with_figures(recipe, figure)
    own = evaluation("tutorial-test", "on", [[840, 161], [170, 830]], step=40000)
    row: Any = {"recipe": "imdb-lstm", "settings": {}, "split": "tutorial-test", "dropout": "on"}
    row.update(checkpoint=40000, what="accuracy", values={"1": 0.83, "2": own["accuracy"], "3": 0.84})
    others = [{**row, "settings": {"units": 3}}, {**row, "dropout": "off"}]
    (entry,) = build_published(recipe, [own], None, studied=[*others, row])
    assert entry["place"] == {"below": 1, "equal": 1, "above": 1}
    shown = comparisons(make_results(evaluations=[own], published=[entry], test_batches=None))
    assert shown[0].place == "above 1 of 3 seeds, equal to 1"


def test_words_of_older_documents_are_not_repeated(results):
    results["published"][0]["verdict"] = "outside"
    assert comparisons(results)[0].verdict == "not judged"


def test_a_figure_is_compared_with_the_checkpoint_that_it_was_measured_with(recipe):
    figure = dataclasses.replace(recipe.published.figures[0], iteration=40000)
    recipe = with_figures(recipe, figure)
    own = evaluation("tutorial-test", "on", [[840, 161], [170, 830]], step=40000, std=0.003)
    last = evaluation("tutorial-test", "on", [[800, 201], [200, 800]], step=50000, std=0.009)
    other = evaluation("train", "on", [[1, 0], [0, 1]], step=40000)
    (entry,) = build_published(recipe, [own, last], None)
    assert entry["iteration"] == 40000 and entry["checkpoint_step"] == 40000
    assert entry["measured"] == own["accuracy"]
    # A run that did not keep it, or stopped before, is compared by its last checkpoint.
    assert build_published(recipe, [other, last], None)[0]["measured"] == last["accuracy"]
    rows = comparisons(make_results(evaluations=[own, last], published=[entry], test_batches=None))
    assert [(row.where, row.std) for row in rows] == [
        ("whole split, step 40,000", 0.003),
        ("whole split", 0.009),
    ]


def test_a_recipe_without_figures_has_no_published_part(recipe, results):
    assert build_published(with_figures(recipe), results["evaluations"], None) == []


def test_every_final_evaluation_is_shown_once(results):
    shown = [(row.split, row.dropout) for row in comparisons(results) if row.how == "whole split"]
    final = [(entry["split"], entry["dropout"]) for entry in evaluations_at(results["evaluations"])]
    assert sorted(shown) == sorted(final)


def test_deviations_name_used_and_published():
    text = deviations_text({"sampler": ["published", "corrected"], "iterations": [50000, 600]})
    assert text == "iterations 600 (published 50,000), sampler corrected (published published)"
    assert deviations_text({"layers": [1, 2], "cell": ["gru", "lstm"]}, short=True) == "cell lstm, layers 2"


def test_runs_are_grouped_over_seeds_and_apart_by_schedule_and_data(tmp_path):
    longer = {"deviations": {"iterations": [50000, 100000]}, "iterations": 100000}
    made = [make_results(seed=3), make_results(seed=1, sample=True), make_results(seed=1, **longer)]
    made.append(make_results(seed=1))
    groups = grouped({tmp_path / str(k): document for k, document in enumerate(made)})
    seeds = [[document["seed"] for document in group] for group in groups]
    assert seeds == [[1, 3], [1], [1]]
    assert [group[0]["iterations"] for group in groups] == [50000, 100000, 50000]
    assert [group[0]["sample"] for group in groups] == [False, False, True]


def test_an_accuracy_of_steps_has_their_number_and_no_interval_of_examples():
    from tf1_lstm.report.page import verdict_in_words

    one = {
        "split": "test",
        "dropout": "off",
        "examples": 1,
        "accuracy": 0.96,
        "steps": 50,
        "checkpoint_step": 9,
    }
    results = make_results(evaluations=[one], published=[])
    (row,) = comparisons(results)
    assert (row.measured, row.measured_examples, row.measured_interval) == (0.96, 50, None)
    assert "96.0 % of 50 steps right" in verdict_in_words(results)
    table = reproduction_table(results)
    assert "Counted are steps." in table and "Wilson" not in table and "[" not in table
