"""Test batches side by side, and the one picture that ends a reproduction."""

import pytest
from PIL import Image

from tests.report.examples import evaluation, make_results, ten_classes
from tests.report.gallery import MEASURED, PUBLISHED, assert_readable, draw_batches, draw_report, texts_of
from tf1_lstm.report.pictures import report_picture


def test_test_batches_show_both_means_with_their_intervals(tmp_path, drawn):
    draw_batches(tmp_path / "a.png")
    texts = [text.get_text() for text in drawn[0].axes[0].texts]
    assert texts == ["published: 85.4 %\n[80.4, 89.3], 10 x 24", "measured: 82.9 %\n[77.6, 87.2], 10 x 24"]


@pytest.mark.parametrize(
    ("published", "measured"), [([], MEASURED), (PUBLISHED, []), ([], []), ([1.0], [0.0]), ([], [0.5] * 60)]
)
@pytest.mark.filterwarnings("error")
def test_missing_or_single_test_batches_are_drawn(tmp_path, drawn, published, measured):
    draw_batches(tmp_path / "a.png", published=published, measured=measured)
    texts = " ".join(text.get_text() for text in texts_of(drawn[0]))
    assert ("published:" in texts) == bool(published) and ("measured:" in texts) == bool(measured)
    assert ("no test batches" in texts) == (not published and not measured)


@pytest.mark.parametrize(
    "changes",
    [
        {"log": [], "evaluations": [], "published": [], "test_batches": None},
        {"test_batches": {}, "published": []},
        {"evaluations": [evaluation("test", "off", ten_classes())], "published": [], "test_batches": None},
        {"deviations": {name: [1, 2] for name in make_results()["settings"]}},
    ],
)
@pytest.mark.filterwarnings("error")
def test_a_report_with_empty_parts_is_drawn(tmp_path, changes):
    draw_report(tmp_path / "a.png", **changes)
    assert Image.open(str(tmp_path / "a.png")).size == (1450, 880)


def test_the_report_shows_the_matrix_of_the_official_test_without_dropout(tmp_path, drawn):
    draw_report(tmp_path / "a.png")
    texts = "\n".join(text.get_text() for text in texts_of(drawn[0]))
    assert "official-test, dropout off\n20,600 of 25,000 right: 82.40 %" in texts
    assert "published: 85.4 %" in texts and "tutorial-test, dropout on" in texts


def test_another_checkpoint_has_a_line_and_published_batches_keep_their_size(tmp_path, drawn):
    results = make_results()
    results["test_batches"].update(batch_size=48, checkpoint_step=40000)
    results["evaluations"].append(evaluation("tutorial-test", "on", [[840, 161], [170, 830]], step=40000))
    results["published"][1].update(measured=1670 / 2001, checkpoint_step=40000)
    report_picture(results, results["log"], [], tmp_path / "a.png")
    assert_readable(drawn[0])
    texts = "\n".join(text.get_text() for text in texts_of(drawn[0]))
    assert "tutorial-test, dropout on, step 40,000" in texts and "tutorial-test, dropout on\n" in texts
    assert "test batch, dropout on, step 40,000" in texts
    assert "[80.4, 89.3], 10 x 24" in texts and "10 x 48" in texts
