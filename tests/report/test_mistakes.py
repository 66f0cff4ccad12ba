"""The most confident mistakes, in pictures and in text."""

import numpy as np
import pytest

from tests.report.gallery import draw_mistakes
from tf1_lstm.report import mistakes, pictures


@pytest.mark.parametrize("wrong", [0, 1, 6, 25, 200])
@pytest.mark.filterwarnings("error")
def test_any_number_of_mistakes_is_drawn_and_counted(tmp_path, drawn, wrong):
    draw_mistakes(tmp_path / "a.png", wrong=wrong)
    shown = sum(bool(axes.images) for axes in drawn[0].axes)
    assert shown == min(wrong, 25)
    title = drawn[0]._suptitle.get_text()
    expected = {0: "no mistakes among 200", 200: "the 25 most confident of 200 mistakes among 200"}
    assert expected.get(wrong, f"all {wrong} mistakes among 200") in title


def test_long_class_names_do_not_run_into_each_other(tmp_path, drawn):
    draw_mistakes(tmp_path / "a.png", class_names=[f"a very long class name {k}" for k in range(10)])
    boxes = [axes.title.get_window_extent(drawn[0].canvas.get_renderer()) for axes in drawn[0].axes[:5]]
    assert all(left.x1 <= right.x0 for left, right in zip(boxes, boxes[1:]))


def test_the_most_confident_mistakes_come_first():
    true, predicted = np.array([0, 1, 1, 0, 1, 0]), np.array([0, 0, 0, 1, 0, 1])
    sure = np.array([1.0, 0.6, 0.9, np.nan, 0.9, 0.95])
    assert mistakes.most_confident_mistakes(true, predicted, sure).tolist() == [5, 2, 4, 1, 3]
    assert mistakes.most_confident_mistakes(true, predicted, sure, most=2).tolist() == [5, 2]
    with pytest.raises(ValueError, match="shapes"):
        mistakes.most_confident_mistakes(true, predicted[:2], sure)


def test_mistakes_among_texts_are_listed_as_safe_markdown(tmp_path):
    texts = ["fine", "<script>*bad*</script>\n# film\x1b[31m", "word " * 200, ""]
    listed = pictures.mistakes_text(
        texts,
        np.array([0, 0, 1, 1]),
        np.array([0, 1, 0, 0]),
        np.array([0.9, 0.8, 0.99, 0.7]),
        tmp_path / "m.md",
        title="imdb-lstm, official-test, dropout off",
        class_names=("positive", "negative"),
        is_sample=True,
    )
    assert (tmp_path / "m.md").read_text() == listed
    lines = [line for line in listed.split("\n") if line]
    assert lines[0] == "# imdb-lstm, official-test, dropout off | EMBEDDED SAMPLE"
    assert lines[1] == "all 3 mistakes among 4."
    assert lines[2].startswith("1. **negative, read as positive**, 99.0 % sure: word word")
    assert lines[2].endswith(" more characters\\]") and len(lines[2]) < 520
    assert "&lt;script&gt;\\*bad\\*" in lines[3] and "\x1b" not in listed
    assert lines[4].endswith("(an empty text)") and len(lines) == 5


def test_no_mistakes_among_texts_says_so():
    listed = pictures.mistakes_text(["a"], np.array([0]), np.array([0]), np.array([1.0]), None, title="x")
    assert listed == "# x\n\nno mistakes among 1.\n"
