"""The README's results table: written from results files, checked, and never half right."""

import json
import statistics as standard_library
from typing import Any

import pytest

from tests.report.examples import EPOCHS, epoch_results, evaluation, make_results, port_results
from tools.results_table import BEGIN, END, main

README = f"# Title\n\nBefore.\n\n{BEGIN}\nold\n{END}\n\nAfter `{{}}`.\n"


@pytest.fixture
def readme(tmp_path):
    path = tmp_path / "README.md"
    path.write_text(README, encoding="utf-8")
    (tmp_path / "short.md").write_text(README, encoding="utf-8")
    (tmp_path / "results").mkdir()
    return path


def run(readme, *options):
    """The page with all tables is ``readme``; the README's short one is ``short.md`` beside it."""
    places = ["--page", str(readme), "--readme", str(readme.parent / "short.md")]
    return main([*places, "--results", str(readme.parent / "results"), *options])


def cells(readme, *beginning):
    """The rows of the tables whose first cells are ``beginning``."""
    lines = [line for line in readme.read_text(encoding="utf-8").split("\n") if line.startswith("| ")]
    rows = [line[2:-2].split(" | ") for line in lines]
    return [row for row in rows if tuple(row[: len(beginning)]) == beginning]


def test_check_fails_until_the_table_is_written_and_then_passes(readme, write_results, capsys):
    write_results("a.json")
    assert run(readme, "--check") == 1
    assert readme.read_text() == README
    assert run(readme) == 0
    assert run(readme, "--check") == 0
    assert run(readme) == 0
    written = readme.read_text()
    assert written.startswith(README.split(BEGIN, maxsplit=1)[0]) and written.endswith(README.split(END)[1])
    assert "old" not in written
    write_results("a.json", seed=2)
    assert run(readme, "--check") == 1
    assert "not up to date" in capsys.readouterr().out


def test_one_run_shows_published_measured_interval_and_difference(readme, write_results):
    write_results("a.json")
    run(readme)
    (row,) = cells(readme, "imdb-lstm", "as published", "tutorial-test", "whole split", "on")
    assert row[5:] == [
        "85.4 % \\[80.4, 89.3\\] of 240",
        "83.2 % \\[81.5, 84.7\\] of 2,001",
        "1",
        "-2.26",
    ]
    (row,) = cells(readme, "imdb-lstm", "as published", "official-test", "whole split", "off")
    assert row[5:] == ["-", "82.40 % \\[81.92, 82.87\\] of 25,000", "1", "-"]
    assert "- imdb-lstm: mean of ten test batches; seed 001, section 6" in readme.read_text()


def test_runs_with_other_seeds_become_mean_and_standard_deviation(readme, write_results):
    right = (10240, 10300, 10190)
    for seed, count in enumerate(right, start=1):
        evaluations = [evaluation("official-test", "off", [[count, 12500 - count], [2140, 10360]])]
        write_results(f"{seed}.json", seed=seed, evaluations=evaluations)
    run(readme)
    accuracies = [(count + 10360) / 250 for count in right]
    mean, std = standard_library.mean(accuracies), standard_library.stdev(accuracies)
    (row,) = cells(readme, "imdb-lstm", "as published", "official-test")
    assert row[6] == f"{mean:.2f} ± {std:.2f} % of 25,000" and row[7] == "3"
    (row,) = [row for row in cells(readme, "imdb-lstm") if "tf1-lstm" in row[-1]]
    assert row == [
        "imdb-lstm",
        "as published",
        "1, 2, 3",
        "50,000",
        "Some CPU @ 2.5 GHz, 2 cores",
        "`tf1-lstm reproduce imdb-lstm --seed 1`",
    ]


def summary_row(readme, recipe):
    return next(row for row in cells(readme.parent / "short.md", recipe) if len(row) == 7)


def test_each_recipe_has_one_row_with_a_verdict_over_its_seeds(readme, write_results):
    right = (840, 842, 844, 846, 848)
    for seed, count in enumerate(right, start=1):
        evaluations = [evaluation("tutorial-test", "on", [[count, 1000 - count], [150, 851]], step=40000)]
        write_results(f"{seed}.json", seed=seed, evaluations=evaluations)
    run(readme)
    row = summary_row(readme, "imdb-lstm")
    # 84.7 % with s = .16: by far the most comes from the 240 published reviews, 2.32 points times 1.97.
    assert row[:5] == [
        "imdb-lstm",
        "tutorial-test, dropout on, iteration 40,000",
        "85.4 %",
        "5",
        "84.7 ± 0.2 %",
    ]
    assert row[6].startswith("cannot tell (±4.")
    (readme.parent / "results" / "5.json").unlink()
    run(readme)
    assert summary_row(readme, "imdb-lstm")[6] == "not judged"


def test_a_committed_study_takes_the_place_of_single_results(readme, write_results):
    write_results("a.json")
    study: Any = {"recipe": "imdb-lstm", "settings": {}, "engine": "exact", "what": "accuracy", "n": 10}
    study.update(split="tutorial-test", dropout="on", checkpoint=40000, examples=2001, mean=0.85, std=0.004)
    study.update(
        published=0.8541, own_run_of_published_code=None, interval=[0.8, 0.9], verdict="cannot tell (±5.00)"
    )
    (readme.parent / "results" / "studies").mkdir()
    path = readme.parent / "results" / "studies" / "imdb.json"
    path.write_text(json.dumps({"format": 1, "sample": False, "rows": [study]}))
    run(readme)
    row = summary_row(readme, "imdb-lstm")
    assert row[1] == "tutorial-test, dropout on, iteration 40,000" and row[3] == "10"
    assert row[6] == "cannot tell (±5.00)"
    path.write_text("[]")
    assert run(readme) == 2


def test_variants_and_the_sample_have_rows_of_their_own(readme, write_results):
    write_results("a.json", sample=True, iterations=600, deviations={"iterations": [50000, 600]})
    write_results("b.json", iterations=100000, deviations={"iterations": [50000, 100000]})
    write_results("c.json")
    run(readme)
    settings = [row[1] for row in cells(readme, "imdb-lstm") if "official-test" in row and "off" in row]
    assert settings == [
        "as published",
        "iterations 100,000",
        "EMBEDDED SAMPLE, iterations 600",
    ]
    assert len(cells(readme, "imdb-lstm", "iterations 100,000 (published 50,000)")) == 1
    (row,) = cells(readme, "imdb-lstm", settings[2], "tutorial-test", "whole split", "on")
    assert row[-1] == "not comparable"


def test_a_figure_that_was_not_measured_has_a_row(readme, write_results, recipe):
    document = make_results(evaluations=[], test_batches=None)
    document["published"] = [
        {**entry, "measured": None, "measured_interval": None, "verdict": "not measured"}
        for entry in document["published"][:1]
    ]
    write_results("a.json").write_text(json.dumps(document))
    assert run(readme) == 0
    (row,) = cells(readme, "imdb-lstm", "as published", "tutorial-test")
    assert row[6:] == ["-", "0", "not measured"]


def test_an_empty_folder_says_no_results_yet(readme):
    assert run(readme) == 0
    assert f"{BEGIN}\nNo results yet.\n{END}" in readme.read_text()


@pytest.mark.parametrize(
    "text", ["no markers", f"{BEGIN}", f"{END}\n{BEGIN}", f"{BEGIN}{END}{BEGIN}{END}", f"{BEGIN}{BEGIN}{END}"]
)
def test_a_readme_without_its_markers_is_refused_and_left_alone(readme, capsys, text):
    readme.write_text(text)
    assert run(readme) == 2
    assert "expected one each" in capsys.readouterr().err
    assert readme.read_text() == text


@pytest.mark.parametrize("content", ["{", "[]", '{"format": 1}', '{"format": 9}'])
def test_a_bad_results_file_is_named_and_nothing_is_written(readme, capsys, content):
    (readme.parent / "results" / "bad.json").write_text(content)
    assert run(readme) == 2
    assert "bad.json" in capsys.readouterr().err
    assert readme.read_text() == README


def test_missing_places_are_named(readme, tmp_path, capsys):
    assert main(["--readme", str(tmp_path / "none.md"), "--results", str(tmp_path / "results")]) == 2
    assert main(["--readme", str(readme), "--results", str(tmp_path / "nowhere")]) == 2
    errors = capsys.readouterr().err
    assert "none.md: cannot be read" in errors and "nowhere: no such folder" in errors


def test_ports_stand_beside_runs_and_are_not_taken_for_them(readme, write_results):
    write_results("a.json").write_text(json.dumps(epoch_results()))
    write_results("port-a.json").write_text(json.dumps(port_results()))
    assert run(readme) == 0
    (row,) = cells(readme, "imdb-lstm32", "as published", "validation, 5,000 reviews: last epoch")
    assert [cell.split(" %")[0] for cell in row[3:]] == ["86.14", "84.00", "84.00"]
    assert len(cells(readme, "imdb-lstm32", "as published", "validation")) == 1
    (row,) = cells(readme, "imdb-lstm32, port (keras 3.15.1, tensorflow 2.21.0)")
    assert row[1:] == [
        "as published",
        "1",
        "471",
        "Some CPU @ 2.5 GHz, 2 threads",
        "`python -m tf1_lstm.parity.ports.train imdb-lstm32 --seed 1`",
    ]
    assert run(readme, "--check") == 0
    write_results("port-a.json").write_text(json.dumps(port_results(rows=EPOCHS[:2])))
    assert run(readme, "--check") == 1


def test_a_port_without_a_run_and_one_that_was_stopped_say_so(readme, write_results):
    stopped = port_results(seed=3, epochs=2, settings={"validation": "validation", "epochs": 10})
    write_results("port-a.json").write_text(json.dumps(stopped))
    assert run(readme) == 0
    (row,) = cells(readme, "imdb-lstm32, port (keras 3.15.1, tensorflow 2.21.0)")
    assert row[1:3] == ["as published; 2 of 10 epochs", "3"]
    (row,) = cells(readme, "imdb-lstm32", "as published", "validation, 5,000 reviews: last epoch")
    assert row[4] == "-"
