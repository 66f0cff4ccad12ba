"""While a port runs, the level that it is at is said."""

import time
from pathlib import Path
from typing import List

from tf1_lstm.parity.runner import LEVELS
from tf1_lstm.parity.waiting import Waiting


def test_the_level_that_has_left_nothing_yet_is_said(tmp_path: Path):
    said: List[str] = []
    with Waiting(tmp_path, LEVELS[1:], 60, said.append) as waiting:
        assert waiting._current() == "loading"
        (tmp_path / "port.json").write_text("{}")
        assert waiting._current() == "logits"
        for level in ("logits.npz", "repeats.npz", "weights.json"):
            (tmp_path / level).write_text("")
        assert waiting._current() == "steps"
        limit = time.monotonic() + 30
        while not said and time.monotonic() < limit:
            time.sleep(0.05)
    assert said[0].startswith("the port: ")
    assert said[0].endswith("s of at most 60")
