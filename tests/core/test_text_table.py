"""Tables of plain text: aligned, harmless, and as wide as the terminal at most."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tf1_lstm.core.text_table import display_width, fitted, terminal_width, text_table, wrapped

WIDE = 1_000_000


@pytest.mark.parametrize(
    ("text", "width"),
    [("abc", 3), ("电影", 4), ("e\u0301", 1), ("ＡＢ", 4), ("한글", 4), ("a\u200bb", 2), ("", 0)],  # noqa: RUF001
)
def test_display_width_is_that_of_a_terminal(text, width):
    assert display_width(text) == width


def test_columns_align_in_spite_of_wide_characters():
    table = text_table(("word", "n"), [("电影", 5), ("film", 12), ("cafe\u0301", 123)], right=(1,))
    lines = table.split("\n")
    assert lines[0] == "word    n"
    assert lines[1] == "----  ---"
    assert {display_width(line) for line in lines} == {9}


@given(st.lists(st.tuples(st.text(), st.text()), max_size=5))
@settings(derandomize=True, max_examples=50, deadline=None)
def test_a_table_has_one_line_for_each_row_whatever_its_cells_hold(rows):
    lines = text_table(("a", "b"), rows, width=WIDE).split("\n")
    assert len(lines) == 2 + len(rows)
    assert not any("\x1b" in line or "\r" in line for line in lines)
    assert max(display_width(line) for line in lines) == display_width(lines[1])


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ValueError, match="1 cells under 2 headers"):
        text_table(("a", "b"), [("x",)])


VARIABLES = [
    ("rnn/multi_rnn_cell/cell_0/basic_lstm_cell/kernel/Adam_1", "[84, 256]", "a second moment", "1.0363e-10"),
    ("softmax/bias", "[2]", "bias", "0.08"),
]
HEADERS = ("variable", "shape", "what it is", "minimum")


@pytest.mark.parametrize("width", [200, 100, 80, 60, 40, 30])
def test_a_table_fits_and_loses_nothing(width):
    table = text_table(HEADERS, VARIABLES, right=(3,), width=width)
    assert max(map(display_width, table.split("\n"))) <= width
    for row in VARIABLES:
        for word in " ".join(row).replace("/", " ").replace("_", " ").split():
            assert word in table


def test_cells_are_broken_between_words_before_long_names_are():
    lines = text_table(("name", "says"), [("a/long/name", "one two three")], width=21).split("\n")
    assert lines[2:] == ["a/long/name  one two", "             three"]
    lines = text_table(("name", "says"), [("a/long/name", "one two three")], width=14).split("\n")
    assert lines[2:] == ["a/      one", "long/   two", "name    three"]


def test_where_no_wrapping_helps_each_row_is_a_block():
    table = text_table(("name", "first", "2nd"), [("x" * 30, "y" * 30, "z")], width=40)
    assert table.split("\n") == ["x" * 30, "  first  " + "y" * 30, "  2nd    z"]


def test_a_space_that_does_not_break_stays_together():
    table = text_table(("a", "b"), [("1\u00a02 3", "x")], width=6)
    assert table.split("\n")[2:] == ["1 2  x", "3"]


def test_the_width_is_that_of_the_terminal_and_enough_for_whole_names_in_a_file(monkeypatch):
    monkeypatch.setenv("COLUMNS", "57")
    assert terminal_width() == 57
    assert max(map(len, wrapped("word " * 40).split("\n"))) <= 57
    monkeypatch.delenv("COLUMNS")
    monkeypatch.setattr("sys.__stdout__", None)
    assert terminal_width() == 160


def test_a_line_is_broken_in_a_terminal_and_whole_in_a_file(monkeypatch):
    line = "checkpoint      " + "runs/a/checkpoints/a-20 (the folder's checkpoint file names it) " * 2
    monkeypatch.delenv("COLUMNS", raising=False)
    assert fitted(line.rstrip()) == line.rstrip()
    monkeypatch.setenv("COLUMNS", "80")
    broken = fitted(line.rstrip(), " " * 16).split("\n")
    assert len(broken) > 1 and max(map(display_width, broken)) <= 80
    assert [each[:16].strip() for each in broken] == ["checkpoint", *[""] * (len(broken) - 1)]
    assert " ".join(" ".join(broken).split()) == " ".join(line.split())
    assert fitted("short") == "short"
