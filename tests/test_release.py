"""The release workflow's own steps, run as GitHub runs them, on a program that stands for docker or gh."""

import os
import re
import shutil
import subprocess
import textwrap
from pathlib import Path
from typing import Dict

import pytest

from tf1_lstm import __version__

PROJECT = Path(__file__).resolve().parents[1]
WORKFLOW = (PROJECT / ".github/workflows/release.yml").read_text()
DIGEST = "sha256:" + "5" * 64


def script(name: str) -> str:
    """The script of the step whose name begins with ``name``."""
    (step,) = [
        text for text in re.split(r"^      - ", WORKFLOW, flags=re.M) if text.startswith(f"name: {name}")
    ]
    return textwrap.dedent(step[step.index("run: |\n") + len("run: |\n") :])


def run(
    name: str, folder: Path, programs: Dict[str, str], **environment: str
) -> "subprocess.CompletedProcess[str]":
    """Run a step in ``folder``, as ``bash -e`` with the scripts ``programs`` found first."""
    commands = folder / "programs"
    commands.mkdir(exist_ok=True)
    for program, content in programs.items():
        (commands / program).write_text(f"#!/bin/sh\n{content}\n")
        (commands / program).chmod(0o755)
    given = {**os.environ, "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}", **environment}
    return subprocess.run(
        ["bash", "-e", "-c", script(name)],
        cwd=str(folder),
        env=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tf1_lstm").mkdir()
    for name in ("Dockerfile", "CHANGELOG.md", "tf1_lstm/__init__.py"):
        shutil.copy(str(PROJECT / name), str(tmp_path / name))
    return tmp_path


def test_a_tag_of_another_version_is_refused(folder):
    done = run("The tag is the version", folder, {}, GITHUB_REF_NAME="v9.9.9")
    assert (done.returncode, done.stdout) == (1, f"tag v9.9.9, version {__version__}\n")


def test_a_version_without_a_date_in_the_changelog_is_refused_and_one_with_a_date_is_not(folder):
    changes = (folder / "CHANGELOG.md").read_text()
    heading = re.compile(rf"^## {re.escape(__version__)} \(.*\)$", re.M)
    assert heading.search(changes), "CHANGELOG.md has no section of this version"
    for date, code in (("not tagged yet", 1), ("2026-11-30", 0)):
        (folder / "CHANGELOG.md").write_text(heading.sub(f"## {__version__} ({date})", changes))
        done = run("The tag is the version", folder, {}, GITHUB_REF_NAME=f"v{__version__}")
        assert done.returncode == code, done.stdout


def test_base_images_without_a_digest_are_looked_up_and_kept_on_record(folder):
    docker = {"docker": f'[ "$3" = inspect ] && echo "{DIGEST}"'}
    done = run("The base images by digest", folder, docker, GITHUB_ENV=str(folder / "env"))
    assert done.returncode == 0, done.stdout
    recorded = (folder / "base-images.txt").read_text()
    assert recorded == (folder / "env").read_text()
    found = dict(line.split("=", 1) for line in recorded.splitlines())
    defaults = dict(re.findall(r"^ARG (\w+_IMAGE)=(\S+)$", (PROJECT / "Dockerfile").read_text(), re.M))
    assert found == {key: name if "@" in name else f"{name}@{DIGEST}" for key, name in defaults.items()}


def test_a_base_image_that_cannot_be_looked_up_ends_the_release(folder):
    done = run("The base images by digest", folder, {"docker": "exit 1"}, GITHUB_ENV=str(folder / "env"))
    assert done.returncode != 0


def test_the_bill_of_materials_and_the_attestation_are_attached(folder):
    if shutil.which("zstd") is None:
        pytest.skip("zstd is not installed")
    name = f"tf1-lstm-{__version__}-0123456789ab"
    (folder / name / "archive").mkdir(parents=True)
    (folder / name / "archive/sbom.cdx.json").write_text("{}\n")
    (folder / "out").mkdir()
    subprocess.run(["tar", "--zstd", "-cf", f"out/{name}.tar.zst", name], cwd=str(folder), check=True)
    (folder / f"out/{name}.tar.zst.sha256").write_text("")
    (folder / "base-images.txt").write_text("CPU_IMAGE=x\n")
    (folder / "bundle.json").write_text("{}\n")
    assert run("The bill of materials", folder, {}).returncode == 0
    assert (folder / f"out/{name}.cdx.json").read_text() == "{}\n"
    tag = f"v{__version__}"
    names = {"GITHUB_REF_NAME": tag, "BUNDLE": str(folder / "bundle.json")}
    done = run("The release", folder, {"gh": 'printf "%s\\n" "$@"'}, **names)
    files = [f"{name}.cdx.json", f"{name}.tar.zst", f"{name}.tar.zst.sha256", "attestation.sigstore.json"]
    expected = ["release", "create", tag, "--verify-tag", "--title", tag, "--notes-file", "CHANGELOG.md"]
    assert done.stdout.split() == [*expected, *sorted(f"out/{file}" for file in [*files, "base-images.txt"])]
