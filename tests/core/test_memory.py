"""Freed memory that is kept."""

import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
import numpy as np
if sys.argv[1] == "kept":
    from tf1_lstm.core.memory import keep_freed_memory
    assert keep_freed_memory()

def step():
    np.empty(48 << 20, np.uint8).fill(1)

step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how):
    done = subprocess.run([sys.executable, "-c", PROGRAM, how], stdout=subprocess.PIPE, check=True)
    return int(done.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="of glibc")
def test_a_step_that_asks_for_the_same_again_faults_in_no_new_pages():
    assert faults("kept") < 100
    assert faults("given back") > 100
