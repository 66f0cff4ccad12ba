"""Confusion matrices of every size."""

import numpy as np
import pytest

from tests.report.gallery import texts_of
from tf1_lstm.report import pictures


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ([[5]], "5 of 5 right: 100.0 %"),
        ([[0, 0], [0, 0]], "no examples"),
        ([], "no examples"),
        ([[7, 0], [0, 0]], "7 of 7 right"),
        ([[0, 3], [4, 0]], "0 of 7 right: 0.0 %"),
        (np.eye(46, dtype=int) * 12, "552 of 552 right"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_unusual_confusion_matrices_are_drawn(tmp_path, drawn, matrix, expected):
    pictures.confusion_picture(matrix, ["only $x$ 电影"], tmp_path / "a.png", "x")
    assert any(expected in text.get_text() for text in texts_of(drawn[0]))


def test_each_count_stands_in_its_cell(tmp_path, drawn):
    matrix = [[842, 159], [163, 837]]
    pictures.confusion_picture(matrix, ("positive", "negative"), tmp_path / "a.png", "x")
    cells = {text.get_position(): text.get_text().split("\n")[0] for text in drawn[0].axes[0].texts}
    assert cells == {(0, 0): "842", (1, 0): "159", (0, 1): "163", (1, 1): "837"}
