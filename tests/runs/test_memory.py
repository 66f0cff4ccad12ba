"""Memory stays flat over a long run."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.runs.conftest import environment

# Peak resident memory after 1,000 and after all iterations, measured in a process of its own.
SCRIPT = """
import json, sys
from pathlib import Path
from tf1_lstm.runs import train as training
from tf1_lstm.recipes import find_recipe
from tf1_lstm.runs.resolve import resolve

peaks = {}
iterate = training.TrainingLoop.iterate

def watched(self, iteration):
    iterate(self, iteration)
    if iteration + 1 in (1000, self.schedule.iterations):
        # Not ru_maxrss, which begins with the peak of the process that this one was forked from.
        status = Path("/proc/self/status").read_text()
        peaks[iteration + 1] = int(status.split("VmHWM:")[1].split()[0])

training.TrainingLoop.iterate = watched
settings = {"iterations": sys.argv[2], "units": 8, "batch_size": 4, "save_every": 500, "log_every": 100}
experiment = resolve(find_recipe("imdb-lstm"), sample=True, settings=settings)
training.train(experiment, Path(sys.argv[1]), training.TrainOptions(), progress=False)
print(json.dumps(peaks))
"""


def peaks(tmp_path: Path, iterations: int) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "run"), str(iterations)],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {int(step): peak for step, peak in json.loads(done.stdout.splitlines()[-1]).items()}


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_peak_memory_after_20000_iterations_is_within_5_percent_of_that_after_1000(tmp_path: Path):
    found = peaks(tmp_path, 20_000)
    assert found[20_000] <= 1.05 * found[1000], found
