"""Rows of the benchmark that are measured again beside those that stay."""

from benchmarks.bench import commit_lines, earlier_rows, put_row

MACHINE = {"processor": "one", "processors": 2, "environment": {"commit": "a" * 40}}


def row(recipe, threads=1, **more):
    return {"recipe": recipe, "threads": threads, **more}


def test_a_row_takes_the_place_of_its_own_recipe_and_threads_alone():
    rows = [row("first"), row("first", 2), row("second")]
    put_row(rows, row("first", 2, ms=3))
    put_row(rows, row("third"))
    assert rows == [row("first"), row("first", 2, ms=3), row("second"), row("third")]


def test_rows_of_another_machine_do_not_stay_and_those_of_this_one_say_their_commit():
    document = {
        "machine": MACHINE,
        "load": 0.5,
        "rows": [row("first"), row("second", commit="b" * 40, load=0.1)],
    }
    assert earlier_rows(document, {**MACHINE, "processors": 4}) == []
    first, second = earlier_rows(document, MACHINE)
    assert (first["commit"], first["load"]) == ("a" * 40, 0.5)
    assert (second["commit"], second["load"]) == ("b" * 40, 0.1)


def test_the_table_says_at_which_commit_each_recipe_was_measured():
    rows = [row("first"), row("second"), row("third", commit="b" * 40)]
    assert commit_lines({"machine": MACHINE, "rows": rows[:2]}) == ["measured at commit aaaaaaa"]
    assert commit_lines({"machine": MACHINE, "rows": rows}) == [
        "measured at commit aaaaaaa: all others",
        "measured at commit bbbbbbb: third",
    ]
