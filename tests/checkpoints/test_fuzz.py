"""Thousands of damaged checkpoints, in a process of its own with a limit on memory and on time."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import List

import pytest

ROOT = Path(__file__).resolve().parents[2]
CASES = int(os.environ.get("TF1_LSTM_FUZZ_CASES", "500"))
SEED = os.environ.get("TF1_LSTM_FUZZ_SEED", "0")
SHARED = Path(os.environ.get("TF1_LSTM_SHARED", ROOT.parent / "shared")) / "checkpoints"


@pytest.mark.thorough
def test_damaged_checkpoints_are_read_rightly_or_refused_never_worse():
    """Set TF1_LSTM_FUZZ_CASES and TF1_LSTM_FUZZ_SEED for a longer or another run."""
    command: List[str] = [
        sys.executable,
        "-m",
        "tests.checkpoints.fuzzing",
        "--cases",
        str(CASES),
        "--seed",
        SEED,
    ]
    command += [str(path) for path in sorted(SHARED.glob("*-*"))]  # none where there are no real files
    run = subprocess.run(
        command,
        cwd=str(ROOT),
        capture_output=True,
        check=False,
        text=True,
    )
    assert run.stderr == ""
    report = json.loads(run.stdout)
    assert report["wrong"] == []
    assert report["cases"] == CASES >= 1
    assert report["ended"]["refused"] > CASES / 2  # most damage shows
    assert report["peak_kilobytes"] < 300_000
