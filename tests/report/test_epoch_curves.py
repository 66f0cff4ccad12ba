"""Curves by epoch: training and validation, measured over published."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from tests.report.examples import EPOCHS, epoch_log, epoch_results, published_epochs
from tests.report.gallery import assert_readable, draw_epochs, texts_of
from tf1_lstm.recipes import all_recipes
from tf1_lstm.recipes.experiment import Epochs
from tf1_lstm.report.pictures import report_picture


def test_four_curves_are_told_apart_by_colour_marker_and_line(tmp_path, drawn):
    draw_epochs(tmp_path / "a.png")
    for axes, columns in zip(drawn[0].axes, ((0, 2), (1, 3))):
        curves = [line for line in axes.lines if line.get_linestyle() in ("-", "--")]
        looks = {(to_hex(line.get_color()), line.get_marker(), line.get_linestyle()) for line in curves}
        assert len(curves) == len(looks) == 4
        assert len({(colour, marker) for colour, marker, _ in looks}) == 2
        for line in curves:
            assert line.get_xdata().tolist() == [1, 2, 3]
            assert line.get_ydata().tolist() in [[row[column] for row in EPOCHS] for column in columns]


def test_published_epochs_stand_over_measured_ones_whatever_an_epochs_batches_are(tmp_path, drawn):
    draw_epochs(tmp_path / "a.png", log=epoch_log(steps=157), published=published_epochs(steps=195))
    places = {tuple(line.get_xdata()) for line in drawn[0].axes[0].lines if line.get_linestyle() == "--"}
    assert places == {(1, 2, 3)}
    assert drawn[0].axes[1].get_xlabel() == "epoch"


def test_published_epochs_end_where_the_run_ends_and_the_sample_has_none(tmp_path, drawn):
    draw_epochs(tmp_path / "a.png", log=epoch_log(EPOCHS[:2]))
    draw_epochs(tmp_path / "b.png", is_sample=True)
    dashed = [line for line in drawn[0].axes[0].lines if line.get_linestyle() == "--"]
    assert [line.get_xdata().tolist() for line in dashed] == [[1, 2], [1, 2]]
    assert not [line for line in drawn[1].axes[0].lines if line.get_linestyle() == "--"]


def test_a_star_marks_the_lowest_validation_loss_of_both(tmp_path, drawn):
    rows = ((0.6, 0.6, 0.30, 0.9), *EPOCHS[1:])
    draw_epochs(tmp_path / "a.png", log=epoch_log(), published=published_epochs(rows))
    for axes, published, measured in zip(drawn[0].axes, (0.30, 0.9), (0.35, 0.86)):
        stars = [line.get_xydata().tolist() for line in axes.lines if line.get_marker() == "*"]
        assert stars == [[[1, published]], [[2, measured]]]


def test_a_log_without_validation_has_two_curves(tmp_path, drawn):
    log = [{key: entry[key] for key in ("iteration", "epoch", "loss", "accuracy")} for entry in epoch_log()]
    draw_epochs(tmp_path / "a.png", log=log, published=[])
    assert [len(axes.lines) for axes in drawn[0].axes] == [1, 1]
    assert_readable(drawn[0])


@pytest.mark.parametrize(
    "changes",
    [
        {"val_loss": None},
        {"loss": float("nan"), "val_loss": None, "accuracy": None, "val_accuracy": None},
        {"loss": 1e30},
    ],
)
@pytest.mark.filterwarnings("error")
def test_unhappy_epochs_are_drawn_without_a_warning(tmp_path, changes):
    for log in (epoch_log()[:1], epoch_log()):
        for published in ([], published_epochs()):
            draw_epochs(tmp_path / "a.png", log=[{**entry, **changes} for entry in log], published=published)
            assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_what_is_not_a_number_is_marked_at_its_epoch(tmp_path, drawn):
    log = epoch_log()
    log[1]["val_loss"] = None
    draw_epochs(tmp_path / "a.png", log=log)
    (cross,) = [line for line in drawn[0].axes[0].lines if line.get_marker() == "x"]
    assert cross.get_xdata() == [2]
    assert any(text.get_text() == "not a number" for text in texts_of(drawn[0]))


@pytest.mark.parametrize(
    "name", [name for name, recipe in all_recipes().items() if isinstance(recipe.schedule, Epochs)]
)
def test_every_published_log_of_epochs_is_drawn_whole_and_readable(tmp_path, drawn, name):
    recipe = all_recipes()[name]
    assert isinstance(recipe.schedule, Epochs)
    random = np.random.RandomState(0)
    rows = tuple(random.uniform(0.3, 0.9, (recipe.schedule.epochs, 4)).tolist())
    draw_epochs(tmp_path / "a.png", log=epoch_log(rows), published=recipe.published.log)
    dashed = [line for line in drawn[0].axes[1].lines if line.get_linestyle() == "--"]
    assert sorted(line.get_ydata().tolist() for line in dashed) == sorted(
        [getattr(line, what) for line in recipe.published.log]
        for what in ("accuracy", "val_accuracy")
        if recipe.published.log
    )
    assert_readable(drawn[0])


def test_the_report_shows_the_epochs(tmp_path, drawn):
    results = epoch_results()
    report_picture(results, results["log"], published_epochs(), tmp_path / "a.png")
    assert drawn[0].axes[1].get_xlabel() == "epoch"
    assert_readable(drawn[0])
