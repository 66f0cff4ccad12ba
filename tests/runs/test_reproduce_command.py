"""The command that a results document says it was made by."""

import shlex
from pathlib import Path

from tf1_lstm.runs.reproduce import ReproduceOptions, _as_typed


def test_it_has_every_option_that_changes_the_figures() -> None:
    options = ReproduceOptions("mnist-rnn", sample=True, settings={"schedule.iterations": 5}, draws=7, seed=3)
    expected = "tf1-lstm reproduce mnist-rnn --sample --set schedule.iterations=5 --draws 7 --seed 3"
    assert _as_typed(options) == expected
    assert "--draws" not in _as_typed(options._replace(draws=3))


def test_it_can_be_typed_and_names_no_folder_of_this_machine(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("")
    options = ReproduceOptions(f"{file}:SMALL", settings={"data.text": "the review's text"})
    words = shlex.split(_as_typed(options))
    assert words[2:5] == ["mine.py:SMALL", "--set", "data.text=the review's text"]
