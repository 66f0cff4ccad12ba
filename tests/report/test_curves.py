"""Curves by iteration: measured over published, running means, and logs that went wrong."""

import json

import numpy as np
import pytest
from PIL import Image

from tests.report.examples import published_log, training_log
from tests.report.gallery import draw_curves
from tf1_lstm.recipes.published import LogLine
from tf1_lstm.report import pictures
from tf1_lstm.report.logs import running_mean, series, window_for

VERMILLION = (0xD5, 0x5E, 0x00)


def pixels_of(path, colour):
    image = np.asarray(Image.open(str(path)).convert("RGB")).astype(int)
    return int((np.abs(image - np.array(colour)).max(axis=2) < 8).sum())


def test_published_points_are_drawn_on_real_data_only(tmp_path):
    draw_curves(tmp_path / "real.png")
    draw_curves(tmp_path / "alone.png", published=[])
    assert pixels_of(tmp_path / "real.png", VERMILLION) > 500
    assert pixels_of(tmp_path / "alone.png", VERMILLION) == 0
    draw_curves(tmp_path / "sample.png", is_sample=True)
    without_title = Image.open(str(tmp_path / "sample.png")).crop((0, 60, 1000, 660))
    without_title.save(str(tmp_path / "cropped.png"))
    assert pixels_of(tmp_path / "cropped.png", VERMILLION) == 0


def test_published_points_end_where_the_run_ends(tmp_path, drawn):
    draw_curves(tmp_path / "a.png", log=training_log(5000, 500))
    loss, accuracy = drawn[0].axes
    for axes in (loss, accuracy):
        published = [line for line in axes.lines if line.get_marker() == "D"]
        assert max(published[0].get_xdata()) == 5001


def test_the_published_log_of_the_tutorial_is_drawn_whole(tmp_path, drawn, shared):
    document = json.loads((shared / "reference" / "published.json").read_text())["imdb-lstm"]
    draw_curves(tmp_path / "a.png", published=[LogLine(**entry) for entry in document["log"]])
    (points,) = [line for line in drawn[0].axes[0].lines if line.get_marker() == "D"]
    assert points.get_ydata().tolist() == [entry["loss"] for entry in document["log"]]


@pytest.mark.parametrize(
    "log",
    [
        [],
        [{"iteration": 1, "loss": 0.7, "accuracy": 0.5}],
        [{"iteration": 1, "loss": 0.7, "accuracy": 0.5}] * 2,
        [{"iteration": k, "loss": float("nan"), "accuracy": None} for k in (1, 2, 3)],
        [{"iteration": k, "loss": float("inf") if k == 5 else 0.5, "accuracy": 0.0} for k in range(9)],
        [{"iteration": 10**9 + k, "loss": 1e30, "accuracy": 1.0} for k in range(5)],
    ],
)
@pytest.mark.filterwarnings("error")
def test_unhappy_logs_are_drawn_without_a_warning(tmp_path, log):
    for published in ([], published_log(3)):
        draw_curves(tmp_path / "a.png", log=log, published=published)
        assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_what_is_not_a_number_is_marked_at_its_iteration(tmp_path, drawn):
    log = training_log(5000, 500)
    log[3]["loss"], log[6]["loss"] = float("nan"), None
    draw_curves(tmp_path / "a.png", log=log)
    crosses = [line for line in drawn[0].axes[0].lines if line.get_marker() == "x"]
    assert list(crosses[0].get_xdata()) == [2000, 3500]
    assert not [line for line in drawn[0].axes[1].lines if line.get_marker() == "x"]


def test_running_mean_is_the_mean_of_the_neighbours():
    values = np.random.RandomState(0).uniform(size=40)
    for window in (1, 3, 7, 99):
        half = window // 2
        expected = [np.mean(values[max(0, k - half) : k + half + 1]) for k in range(40)]
        np.testing.assert_allclose(running_mean(values, window), expected, rtol=1e-12)
    assert running_mean(np.zeros(0), 3).size == 0
    assert all(window_for(points) % 2 == 1 and window_for(points) >= 3 for points in range(500))


def test_a_published_log_without_losses_lacks_them_and_has_lost_nothing():
    found = series([LogLine(20, None, 0.9), LogLine(10, None, 0.8)], "loss")
    assert not len(found.values) and found.lost == []
    assert series([LogLine(20, None, 0.9), LogLine(10, None, 0.8)], "accuracy").places.tolist() == [
        10,
        20,
    ]


def test_curves_csv_holds_every_digit(tmp_path):
    log: list = [{"iteration": 1, "loss": 0.1 + 0.2, "accuracy": 1 / 3}, {"iteration": 2, "loss": None}]
    pictures.write_curves_csv(log, tmp_path / "c.csv")
    assert (tmp_path / "c.csv").read_bytes() == (
        b"iteration,loss,accuracy\n1,0.30000000000000004,0.3333333333333333\n2,nan,nan\n"
    )
    read = np.genfromtxt(str(tmp_path / "c.csv"), delimiter=",", names=True)
    assert read["loss"][0] == 0.1 + 0.2 and np.isnan(read["loss"][1])
