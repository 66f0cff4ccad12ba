"""What the lock files and the package's description promise."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Dict

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "requirements"
LOCKS = ["requirements.txt", *sorted(f"requirements/{path.name}" for path in FOLDER.glob("*.txt"))]
SOURCES = sorted(f"requirements/{path.name}" for path in FOLDER.glob("*.in"))
# They meet in .venv; the ports (.venv-ports) have another Python and other versions.
TOGETHER = ["requirements/pip.txt", "requirements/dev.txt", "requirements/notebooks.txt"]
TOGETHER += ["requirements/word2vec.txt", "requirements/archive.txt"]


def locked(name: str) -> Dict[str, str]:
    """Version by name of a lock file's requirements."""
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / name).read_text(), flags=re.MULTILINE))


def test_every_lock_has_its_source():
    assert {Path(name).stem for name in LOCKS} - {"requirements"} | {"runtime"} == {
        Path(name).stem for name in SOURCES
    }


def test_only_the_runtimes_lock_lies_beside_the_package():
    assert [path.name for path in ROOT.glob("*requirements*.*")] == ["requirements.txt"]


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_pinned_and_hashed_requirements_alone(name):
    for line in (ROOT / name).read_text().splitlines():
        if line and not line.lstrip().startswith("#"):
            assert re.fullmatch(r"[a-z0-9-]+==[0-9a-z.+]+ \\|    --hash=sha256:[0-9a-f]{64}( \\)?", line), (
                line
            )
    requirements = (ROOT / name).read_text().split("==")[1:]
    assert requirements
    assert all("--hash=sha256:" in requirement for requirement in requirements)


@pytest.mark.parametrize("name", [*LOCKS, *SOURCES, "pyproject.toml"])
def test_no_address_or_path_of_a_machine_is_in_the_files(name):
    text = (ROOT / name).read_text()
    assert not re.search(r"://|--(extra-)?index-url|--find-links|--trusted-host|(^|\s)/\w", text)


def test_tensorflow_and_what_it_can_live_with():
    runtime = locked("requirements.txt")
    assert runtime["tensorflow"] == "1.15.0"
    assert runtime["protobuf"] == "3.20.3"
    assert [int(part) for part in runtime["numpy"].split(".")[:2]] < [1, 20]


@pytest.mark.parametrize("name", TOGETHER)
def test_the_locks_of_one_environment_agree_with_each_other(name):
    runtime, other = locked("requirements.txt"), locked(name)
    assert {key: other[key] for key in other if key in runtime} == {
        key: runtime[key] for key in other if key in runtime
    }


def test_the_extra_is_what_its_lock_installs():
    extra = re.search(
        r'^word2vec = \["gensim==(.+)"\]$', (ROOT / "pyproject.toml").read_text(), flags=re.MULTILINE
    )
    assert extra is not None
    assert locked("requirements/word2vec.txt")["gensim"] == extra.group(1)
    assert "gensim" not in locked("requirements.txt")


def test_what_is_installed_fits_together():
    subprocess.run([sys.executable, "-m", "pip", "check"], check=True)
