"""The pages in a real browser: nothing scrolls sideways, nothing is complained of, light and dark."""

from pathlib import Path
from typing import Any, Iterator

import pytest

from tests.report.browser import Browser, find_browser
from tests.report.examples import make_results
from tests.report.gallery import draw_report
from tf1_lstm.report.html import document, table
from tf1_lstm.report.index_page import Shown, write_index
from tf1_lstm.report.page import write_page

WIDTHS = (400, 800, 1280)
PROGRAM = find_browser()
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no Chromium on this machine")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    assert PROGRAM is not None
    with Browser(PROGRAM, tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run's page and the page of many runs."""
    folder = tmp_path_factory.mktemp("pages")
    draw_report(folder / "report.png")
    results = make_results(sample=True)
    write_page(folder, {**results, "pictures": {"report": "report.png"}}, oddities=["word " * 60, "x" * 300])
    log = [{"iteration": step, "loss": 1 / step, "accuracy": 0.5} for step in range(1, 100)]
    fields: Any = {
        "state": "finished",
        "recipe": "imdb-lstm",
        "sample": True,
        "engine": "exact",
        "changed": {},
    }
    more: Any = {
        "step": 99,
        "iterations": 99,
        "accuracies": {"official-test": 0.5, "train": 0.75},
        "log": log,
    }
    runs = [Shown(name=f"a-run-with-a-long-name-seed{n}", seed=n, **fields, **more) for n in range(9)]
    write_index(folder / "index.html", runs, "Runs")
    return folder


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["report.html", "index.html"])
def test_a_page_fits_its_window_and_says_nothing_to_the_console(browser, pages, name, width, dark):
    seen = browser.open(pages / name, width, dark)
    assert seen.width <= width
    assert seen.messages == []
    assert seen.background == ("rgb(22, 24, 28)" if dark else "rgb(255, 255, 255)")


def test_the_verdict_is_read_before_any_table(browser, pages):
    text = browser.open(pages / "report.html", 800).text
    assert text.index("This run: ") < text.index("Published and measured")


def test_a_page_that_is_too_wide_and_one_that_complains_are_found(browser, tmp_path: Path):
    wide = document("wide", ['<div style="width: 1000px">wide</div>'])
    (tmp_path / "wide.html").write_text(wide)
    assert browser.open(tmp_path / "wide.html", 400).width > 1000
    (tmp_path / "loud.html").write_text(
        wide.replace("wide</div>", '<img src="http://localhost/x.png"></div>')
    )
    assert any(
        "Content Security Policy" in text for text in browser.open(tmp_path / "loud.html", 400).messages
    )
    (tmp_path / "table.html").write_text(document("table", [table(["x" * 90] * 9, [["y" * 90] * 9])]))
    assert browser.open(tmp_path / "table.html", 400).width == 400
