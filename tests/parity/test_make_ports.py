"""What ``tools/make-ports`` installs is locked, and what it cannot do is said."""

import os
import re
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
LOCKS = ["requirements/ports.txt", "requirements/ports-torch.txt"]


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_is_pinned_with_hashes_and_no_address(name):
    text = (PROJECT / name).read_text()
    assert not re.search(r"https?:|file:/|--(extra-)?index-url|--find-links|/(opt|root|home|tmp)/", text)
    packages = re.findall(
        r"^[A-Za-z0-9._-]+==\S+ \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", text, re.M
    )
    assert len(packages) == len(re.findall(r"^[A-Za-z0-9]", text, re.M)) > 5


def test_pytorch_is_the_cpu_build():
    assert re.search(r"^torch==[0-9.]+\+cpu ", (PROJECT / LOCKS[1]).read_text(), re.M)


def test_a_python_that_does_not_run_is_named():
    done = subprocess.run(
        [str(PROJECT / "tools" / "make-ports")],
        env=dict(os.environ, PORTS_PYTHON="/no/such/python"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "PORTS_PYTHON=/no/such/python does not run as Python 3.10 to 3.12" in done.stderr


def test_an_unknown_option_is_refused():
    done = subprocess.run(
        [str(PROJECT / "tools" / "make-ports"), "--all"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (1, 2)
    assert done.stdout == ""
