"""What is read from a training log."""

import math

import numpy as np
import pytest

from tests.report.examples import EPOCHS, epoch_log, published_epochs
from tf1_lstm.recipes import all_recipes
from tf1_lstm.recipes.published import LogLine
from tf1_lstm.report.logs import epochs_part, epochs_summary, is_of_epochs, series, write_curves_csv


def test_a_log_is_one_of_epochs_only_if_every_line_is():
    assert is_of_epochs(epoch_log()) and is_of_epochs(published_epochs())
    assert not is_of_epochs([]) and not is_of_epochs([LogLine(1001, 0.6, 0.5)])
    assert not is_of_epochs([*epoch_log(), {"iteration": 9, "loss": 0.1, "accuracy": 0.5}])
    names = {name for name, recipe in all_recipes().items() if is_of_epochs(recipe.published.log)}
    assert len(names) == 7 and "imdb-lstm" not in names


def test_a_figure_that_is_not_logged_is_left_out_and_one_that_is_null_is_lost():
    log: list = [
        {"epoch": 1, "iteration": 5, "val_loss": 0.5},
        {"epoch": 2, "iteration": 10, "val_loss": None},
    ]
    found = series(log, "val_loss", "epoch")
    assert (found.places.tolist(), found.values.tolist(), found.lost) == ([1], [0.5], [2])
    assert series(log, "val_accuracy", "epoch").lost == []


def test_the_summary_names_best_and_last_epoch_and_the_later_half():
    rows = [
        (0.5, 0.7, loss, accuracy) for loss, accuracy in ((9, 0.1), (2, 0.8), (1, 0.7), (1, 0.9), (3, 0.6))
    ]
    assert epochs_summary(epoch_log(rows)) == {
        "epochs": 5,
        "best_epoch": 3,
        "best_loss": 1,
        "best_accuracy": 0.7,
        "last_accuracy": 0.6,
        "late_first": 3,
        "late_lowest": 0.6,
        "late_highest": 0.9,
    }


def test_the_summary_of_a_published_log_is_what_was_printed():
    # Seed 004's LSTM: the lowest val_loss of its ten epochs is 0.2766, in the third.
    summary = epochs_summary(all_recipes()["imdb-lstm32"].published.log)
    assert summary is not None
    assert (summary["best_epoch"], summary["best_loss"], summary["best_accuracy"]) == (3, 0.2766, 0.8876)
    assert (summary["late_lowest"], summary["late_highest"]) == (0.8234, 0.8902)


@pytest.mark.parametrize(
    "log",
    [
        [],
        [LogLine(1001, 0.6, 0.5)],
        [{"iteration": 5, "epoch": 1, "loss": 0.5, "accuracy": 0.5}],
        [{"iteration": 5, "epoch": 1, "val_loss": None, "val_accuracy": 0.5}],
    ],
)
def test_without_a_validation_there_is_no_summary(log):
    assert epochs_summary(log) is None
    assert epochs_part(log, published_epochs(), "test") is None


def test_the_part_of_a_run_without_published_epochs_has_its_own_only():
    part = epochs_part(epoch_log(), [], "test")
    assert part == {"split": "test", "measured": epochs_summary(epoch_log()), "published": None}


def test_the_csv_of_epochs_holds_every_digit_of_every_figure(tmp_path):
    log = epoch_log(((1 / 3, 0.1 + 0.2, math.pi, 2 / 3), EPOCHS[1]))
    log[1]["val_loss"] = None
    write_curves_csv(log, tmp_path / "c.csv")
    lines = (tmp_path / "c.csv").read_text().split("\n")
    assert lines[:2] == [
        "iteration,epoch,loss,accuracy,val_loss,val_accuracy",
        "157,1,0.3333333333333333,0.30000000000000004,3.141592653589793,0.6666666666666666",
    ]
    read = np.genfromtxt(str(tmp_path / "c.csv"), delimiter=",", names=True)
    assert np.isnan(read["val_loss"][1]) and read["val_accuracy"][1] == 0.86


def test_the_csv_of_epochs_without_validation_has_no_such_columns(tmp_path):
    write_curves_csv([{"iteration": 5, "epoch": 1, "loss": 0.5, "accuracy": 0.25}], tmp_path / "c.csv")
    assert (tmp_path / "c.csv").read_text() == "iteration,epoch,loss,accuracy\n5,1,0.5,0.25\n"
