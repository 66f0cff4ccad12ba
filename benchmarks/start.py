"""How long a user waits for an answer that needs no TensorFlow: ``--help``, ``recipes``, ``doctor``.

``.venv/bin/python benchmarks/start.py``, on an idle machine; the median of five, and 1 where a goal is missed.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# Seconds: the help is typed again and again, the doctor ends even where everything hangs.
GOALS = {"--help": 0.5, "recipes": 1.0, "doctor": 5.0}


def median_seconds(words: str) -> float:
    """The median of five starts in an empty folder, in seconds."""
    environment = dict(os.environ, PYTHONPATH=str(Path(__file__).resolve().parents[1]))
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(5):
            begun = time.monotonic()
            subprocess.run(
                [sys.executable, "-m", "tf1_lstm", words],
                cwd=folder,
                env=environment,
                stdout=subprocess.DEVNULL,
                check=False,
            )
            found.append(time.monotonic() - begun)
    return statistics.median(found)


if __name__ == "__main__":
    missed = 0
    for words, goal in GOALS.items():
        seconds = median_seconds(words)
        missed += seconds > goal
        print(f"tf1-lstm {words:8} {seconds:5.2f} s  (goal: {goal} s){'  MISSED' if seconds > goal else ''}")
    sys.exit(missed > 0)
