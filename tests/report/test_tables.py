"""Tables in a terminal and in Markdown."""

import re

import pytest

from tests.report.examples import epoch_results, make_results
from tf1_lstm.core.text_table import display_width
from tf1_lstm.report.tables import (
    code,
    duration,
    escape_markdown,
    markdown_table,
    percent,
    percent_interval,
    reproduction_table,
)


def test_markdown_cells_cannot_break_their_table():
    table = markdown_table(("a", "b"), [("x|y\nz", "<b>*bold*</b>"), ("", code("a|b `c`"))], right=(1,))
    assert table.split("\n") == [
        "| a | b |",
        "| --- | ---: |",
        "| x\\|y z | &lt;b&gt;\\*bold\\*&lt;/b&gt; |",
        "|  | `` a\\|b `c` `` |",
    ]


def test_escaping_keeps_a_backslash():
    assert escape_markdown("a\\*b & c") == "a\\\\\\*b &amp; c"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 00 s"),
        (130, "2 min 10 s"),
        (3599.4, "59 min 59 s"),
        (3599.6, "1 h 00 min"),
        (7265, "2 h 01 min"),
    ],
)
def test_durations_never_show_sixty_of_anything(seconds, text):
    assert duration(seconds) == text


def test_decimals_follow_the_number_of_examples():
    assert percent(0.82596, 25000) == "82.60 %"
    assert percent(0.83658, 2001) == "83.7 %"
    assert percent(None) == "-" and percent_interval(None) == "-"
    assert percent_interval((0.8212, 0.8307), 25000) == "[82.12, 83.07]"


def test_the_reproduction_table_shows_published_measured_intervals_and_difference(results, monkeypatch):
    monkeypatch.setenv("COLUMNS", "130")
    table = reproduction_table(results)
    assert table.startswith("imdb-lstm, seed 1, 50,000 iterations, trained in 39 min 44 s")
    line = next(line for line in table.split("\n") if "10 batches of 24" in line)
    cells = re.split(r"\s{2,}", line)
    assert cells[2:] == [
        "on",
        "85.4 % [1] [80.4, 89.3] of 240",
        "82.9 % [77.6, 87.2] of 240",
        "-2.5",
    ]
    assert "[1] mean of ten test batches; seed 001, section 6" in table
    line = next(line for line in table.split("\n") if "whole split" in line)
    assert "83.2 ± 0.4 %" in line and "±: standard deviation over repetitions" in table
    assert "EMBEDDED SAMPLE" not in table and "Not as published" not in table
    assert max(len(line) for line in table.split("\n")) <= 130


def test_the_reproduction_table_fits_eighty_columns_and_breaks_no_figure(results, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    lines = reproduction_table(results).split("\n")
    assert max(map(display_width, lines)) <= 80
    first = next(k for k, line in enumerate(lines) if "10 batches" in line)
    block = [re.split(r"\s{2,}", line.strip()) for line in lines[first : first + 3]]
    assert [row[-3 if k == 0 else -2 :][:2] for k, row in enumerate(block)] == [
        ["85.4 % [1]", "82.9 %"],
        ["[80.4, 89.3]", "[77.6, 87.2]"],
        ["of 240", "of 240"],
    ]


def test_the_reproduction_table_of_the_sample_says_so_and_compares_nothing():
    table = reproduction_table(make_results(sample=True, deviations={"iterations": [50000, 600]}))
    assert "EMBEDDED SAMPLE" in table and "not comparable" in table
    assert "Not as published: iterations 600 (published 50,000)" in table
    assert " inside" not in table and "Note:" not in table


def test_the_reproduction_table_without_evaluations_is_only_its_heading():
    table = reproduction_table(make_results(evaluations=[], published=[], test_batches=None))
    assert "split" in table and "%" not in table.replace("95 %", "")


def test_two_published_figures_get_two_numbers(results):
    results["published"][1]["name"] = "another figure"
    table = reproduction_table(results)
    assert "85.4 % [1]" in table and "85.4 % [2]" in table and "[2] another figure;" in table


def test_the_reproduction_table_of_epochs_has_the_best_epoch_beside_the_last(monkeypatch):
    monkeypatch.setenv("COLUMNS", "130")
    table = reproduction_table(epoch_results())
    lines = [re.split(r"\s{2,}", line) for line in table.split("\n") if line.startswith("validation, ")]
    # Published were two epochs, of which the second has the lower loss.
    assert lines == [
        [
            "validation, measured",
            "3",
            "0.3500",
            "2",
            "86.00 %",
            "84.00 %",
            "84.00 % to 86.00 % (epochs 2 to 3)",
        ],
        [
            "validation, published",
            "2",
            "0.3000",
            "2",
            "90.00 %",
            "90.00 %",
            "90.00 % to 90.00 % (epochs 2 to 2)",
        ],
    ]
    assert "chosen by these figures themselves" in table
    assert "after each epoch" not in reproduction_table(make_results())


def test_a_single_run_is_said_not_to_be_judged():
    results = make_results()
    assert "One run is not judged" in reproduction_table(results)
    assert "of the project's study" not in reproduction_table(results)
    results["published"][1]["place"] = {"below": 3, "equal": 0, "above": 7}
    assert "this run is above 3 of 10 seeds of the project's study" in reproduction_table(results)


def test_where_nothing_was_published_no_column_speaks_of_it(results):
    results.update(published=[], own_file=True, deviations={"schedule.iterations": [0, 20]})
    text = reproduction_table(results)
    assert "diff." not in text and "Not as in the file: schedule.iterations 20 (in the file 0)" in text
    assert "published" not in text
    assert "measured" in text
