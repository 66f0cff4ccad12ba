"""The container's files, as far as they can be checked without building: `make image-check` builds.

hadolint is run where it is installed; the rules that matter most are checked here without it.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from fnmatch import fnmatch
from pathlib import Path
from typing import Dict, List, Tuple

import pytest

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT / "tools"))

import image_contents  # noqa: E402

from tf1_lstm import __version__  # noqa: E402

SHIPPED = ("cpu", "gpu")


def instructions(text: str) -> List[Tuple[str, str]]:
    """(instruction, arguments) of a Dockerfile, comments and line breaks taken out."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [tuple(line.split(None, 1)) for line in joined.splitlines()]  # type: ignore[misc]


def stages() -> Dict[str, List[Tuple[str, str]]]:
    """Stage name -> its instructions, FROM among them."""
    found: Dict[str, List[Tuple[str, str]]] = {}
    for name, arguments in instructions((PROJECT / "Dockerfile").read_text()):
        if name == "FROM":
            current = arguments.split(" AS ")[1]
            assert current not in found, f"two stages are called {current}"
            found[current] = []
        elif not found:
            assert name == "ARG"
            continue
        found[current].append((name, arguments))
    return found


def of_kind(stage: str, kind: str) -> List[str]:
    return [arguments for name, arguments in stages()[stage] if name == kind]


def test_the_default_target_is_the_gpu_image():
    name, content = list(stages().items())[-1]
    assert (name, content) == ("runtime", [("FROM", "gpu AS runtime")])


def test_bases_are_build_arguments_with_a_tag_and_their_renewal_is_documented():
    defaults = dict(re.findall(r"^ARG (\w+_IMAGE)=(\S+)$", (PROJECT / "Dockerfile").read_text(), re.M))
    assert defaults["BASE_IMAGE"].startswith("tensorflow/tensorflow:1.15.5-gpu-py3")
    pages = (PROJECT / "docs" / "container.md").read_text()
    for image in defaults.values():
        name = re.fullmatch(r"([^@\s]+)(?:@sha256:[0-9a-f]{64})?", image)
        assert name is not None and not name.group(1).endswith(":latest")
        assert f"docker buildx imagetools inspect {name.group(1)} --format" in pages
    assert "@sha256:" in defaults["CPU_IMAGE"]


def test_dead_package_lists_are_removed_before_the_first_update():
    (script,) = [run for run in of_kind("base", "RUN") if "apt-get" in run]
    removal = re.match(r"rm -f (\S+) (\S+) ", script)
    assert removal is not None
    expected = {f"/etc/apt/sources.list.d/{name}.list" for name in ("cuda", "nvidia-ml")}
    assert set(removal.groups()) == expected
    assert script.index("rm -f") < script.index("apt-get update") < script.index("apt-get install")
    assert "install -y --no-install-recommends" in script
    assert script.endswith("rm -rf /var/lib/apt/lists/*")


@pytest.mark.parametrize("stage", SHIPPED)
def test_the_fast_engine_is_compiled_on_the_base_it_runs_on_and_the_compiler_stays_behind(stage):
    base = next(arguments for name, arguments in stages()[stage] if name == "FROM").split()[0]
    (start,) = of_kind(f"{stage}-engine", "FROM")
    assert start.split()[0] == base
    installed, compiled = of_kind(f"{stage}-engine", "RUN")
    # Where there is a compiler nothing is installed; only a build from an archive may go on without one.
    assert re.search(
        r"command -v gcc \|\| \{ +apt-get update .* gcc libc6-dev; +\} \|\| \[ -d /archive/wheels \]$",
        installed,
    )
    assert compiled.endswith(" /engine/build.py --strict")
    assert not any("gcc" in script for script in of_kind(stage, "RUN"))
    folder = "tf1_lstm/graphs/engine"
    assert f"{folder} /engine" in of_kind(f"{stage}-engine", "COPY")
    assert of_kind(stage, "COPY")[2] == f"--from={stage}-engine /engine/ /opt/tf1-lstm/{folder}/"


@pytest.mark.parametrize("stage", [*SHIPPED, "test"])
def test_every_package_comes_from_a_hash_locked_file(stage):
    scripts = " && ".join(of_kind(stage, "RUN"))
    installs = re.findall(r"pip install (.*?)(?:\|\||&&|$)", scripts)
    assert installs
    for options in installs:
        assert "--no-cache-dir" in options
        assert "--no-deps" in options
        # The project itself, from the image's own files, or a lock.
        assert options.strip().endswith("--editable /opt/tf1-lstm") or "--require-hashes -r" in options


@pytest.mark.parametrize("stage", SHIPPED)
def test_shipped_images_run_the_program_as_an_ordinary_user(stage):
    assert of_kind(stage, "USER") == ["${UID}:${GID}"]
    assert {"UID=1000", "GID=1000"} <= set(of_kind(stage, "ARG"))
    assert of_kind(stage, "ENTRYPOINT") == ['["tf1-lstm"]']
    assert of_kind(stage, "CMD") == ['["doctor"]']
    assert of_kind(stage, "VOLUME") == ['["/work/data", "/work/checkpoints", "/work/runs"]']
    (labels,) = of_kind(stage, "LABEL")
    for key in ("title", "description", "licenses", "version", "revision"):
        assert f"org.opencontainers.image.{key}=" in labels


def test_the_test_stage_does_not_end_as_root():
    assert of_kind("test", "USER")[-1] == "${UID}:${GID}"


def test_the_two_images_are_alike_from_the_project_on():
    tails = []
    for stage in SHIPPED:
        content = [" ".join(line) for line in stages()[stage]]
        text = "\n".join(content[content.index("COPY --from=project / /opt/tf1-lstm/") :])
        differing = r"--ignore-requires-python\s+|\((?:CPU|CUDA 10\.0)\)|(?:cpu|gpu)-engine|\s+"
        tails.append(re.sub(differing, " ", text).split())
    assert tails[0] == tails[1]


@pytest.mark.parametrize("stage", [*SHIPPED, "test"])
def test_packages_come_from_the_archive_where_one_is_given(stage):
    installs = [run for run in of_kind(stage, "RUN") if "--require-hashes" in run]
    assert installs
    for run in installs:
        assert run.startswith("--mount=type=bind,from=archive,target=/archive ")
        assert "PIP_NO_INDEX=1 PIP_FIND_LINKS=/archive/wheels" in run


def test_locks_are_copied_before_the_code():
    for stage in SHIPPED:
        copies = of_kind(stage, "COPY")
        assert "requirements.txt" in copies[0]
        assert copies[1] == "--from=project / /opt/tf1-lstm/"


def test_what_is_copied_exists():
    for stage, content in stages().items():
        for name, arguments in content:
            assert name != "ADD", stage
            if name == "COPY" and not arguments.startswith("--from"):
                for source in arguments.split()[:-1]:
                    assert (PROJECT / source).exists(), f"{stage} copies {source}"


def test_hadolint_has_nothing_to_say():
    hadolint = shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("hadolint is not installed")
    done = subprocess.run([hadolint, "Dockerfile"], cwd=str(PROJECT), stdout=subprocess.PIPE, check=False)
    assert done.stdout.decode() == ""


def ignored(path: str, patterns: List[str]) -> bool:
    """Whether a .dockerignore leaves a file out: the last pattern that fits it or a folder above decides."""
    verdict = False
    parents = ["/".join(path.split("/")[: end + 1]) for end in range(path.count("/") + 1)]
    for pattern in patterns:
        keeps, body = pattern.startswith("!"), pattern.lstrip("!")
        depth = None if body.startswith("**/") else body.count("/")
        for parent in parents:
            name = parent.rsplit("/", 1)[-1] if depth is None else parent
            if (depth is None or parent.count("/") == depth) and fnmatch(name, body.replace("**/", "")):
                verdict = not keeps
    return verdict


def test_the_build_context_holds_no_data_no_secret_and_no_cache():
    lines = (PROJECT / ".dockerignore").read_text().splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    for name in (*image_contents.CANARIES, "tf1_lstm/graphs/engine/libtf1_lstm_engine.so"):
        assert ignored(name, patterns), name
    kept = ["pyproject.toml", "tf1_lstm/cli.py", "data/sample/imdb/idsMatrix.npy", "tests/conftest.py"]
    kept += ["requirements/dev.txt", "requirements/nvidia.txt", "Dockerfile", "checkpoints/README.md"]
    for name in kept:
        assert not ignored(name, patterns), name


def test_canaries_are_found_whatever_they_are_called(tmp_path: Path):
    image_contents.plant_canaries(tmp_path)
    (tmp_path / "renamed").write_bytes(image_contents.MARKER)
    (tmp_path / "same size").write_bytes(b"x" * len(image_contents.MARKER))
    found = image_contents.found_canaries(tmp_path)
    assert sorted(found) == sorted([*image_contents.CANARIES, "renamed"])


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("root/.netrc", b"", "a secret"),
        ("opt/tf1-lstm/.env", b"", "a secret"),
        ("opt/key.pem", b"-----BEGIN RSA PRIVATE KEY-----\n", "a private key"),
        ("opt/tf1-lstm/.git/HEAD", b"", "a repository"),
        ("work/data/imdb/wordsList.npy", b"", "data"),
        ("var/lib/apt/lists/lock", b"", "a package cache"),
        ("opt/tf1-lstm/.pytest_cache/x", b"", "a tool's cache"),
        ("tmp/tmp123", b"", "left over"),
        ("opt/venv/lib/cacert.pem", b"-----BEGIN CERTIFICATE-----\n", None),
        ("opt/tf1-lstm/tf1_lstm/cli.py", b"", None),
    ],
)
def test_what_may_not_be_in_an_image_is_found(name, content, kind, tmp_path: Path):
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_bytes(content)
    assert image_contents.forbidden_files(tmp_path) == ([f"{kind}: {name}"] if kind else [])


def test_files_that_a_user_could_change_are_found(tmp_path: Path):
    if os.geteuid() != 0:
        pytest.skip("only root can make files of another owner")
    for name in ("usr/bin/program", "opt/open", "opt/mine", "opt/our", "work/data/x"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
        (tmp_path / name).chmod(0o644)
    (tmp_path / "work/data").chmod(0o1777)  # meant to be open, and what is in it is not
    (tmp_path / "opt/open").chmod(0o666)
    os.chown(str(tmp_path / "opt/mine"), 1000, 0)
    os.chown(str(tmp_path / "opt/our"), 0, 1000)
    (tmp_path / "opt/our").chmod(0o664)
    found = [line.split(" ")[0] for line in image_contents.writable_files(tmp_path)]
    assert sorted(found) == ["opt/mine", "opt/open", "opt/our"]


def test_image_check_says_when_it_is_skipped(tmp_path: Path):
    for name in ("sh", "dirname"):
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    command = [str(PROJECT / "tools/image-check")]
    done = subprocess.run(command, env={"PATH": str(tmp_path)}, stdout=subprocess.PIPE, check=True)
    assert done.stdout.decode().startswith("tf1-lstm: image-check skipped: buildah is not installed")


def test_nvidias_lock_leaves_numpy_to_the_image():
    text = (PROJECT / "requirements/nvidia.txt").read_text()
    pins = re.findall(r"^([\w.-]+)==\S+ \\\n +--hash=sha256:[0-9a-f]{64}", text, re.M)
    assert len(pins) == len(re.findall(r"^[\w.-]+==", text, re.M)) > 10
    assert not {"numpy", "tensorflow", "protobuf", "h5py"} & set(pins)


def test_the_documented_build_arguments_and_targets_exist():
    text = (PROJECT / "docs/container.md").read_text()
    arguments = set(re.findall(r"^ARG (\w+)", (PROJECT / "Dockerfile").read_text(), re.M))
    documented = set(re.findall(r"--build-arg (\w+)=", text))
    assert documented <= arguments
    assert {"UID", "GID", "BASE_IMAGE", "PYTHON", "VENV_OPTIONS", "LOCK"} <= documented
    assert set(re.findall(r"--target (\w+)", text)) <= set(stages())


def test_workflows_pin_their_actions_and_may_only_read():
    files = sorted((PROJECT / ".github/workflows").glob("*.yml"))
    assert files
    for path in files:
        text = path.read_text()
        assert re.search(r"^permissions:\n  contents: read$", text, re.M)
        # By commit, since a tag can be moved; the tag stands behind it.
        uses = re.findall(r"uses: (.+)", text)
        assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", use) for use in uses), uses


def test_the_version_is_one():
    labels = re.findall(r"^ARG VERSION=(\S+)$", (PROJECT / "Dockerfile").read_text(), re.M)
    assert set(labels) == {__version__}
    newest = re.search(r"^## (\S+)", (PROJECT / "CHANGELOG.md").read_text(), re.M)
    assert newest is not None
    assert newest.group(1) in (__version__, "Unreleased")
    cited = re.search(r"^version: (\S+)$", (PROJECT / "CITATION.cff").read_text(), re.M)
    assert cited is not None
    assert cited.group(1) == __version__


def test_compose_gives_no_right_that_is_not_needed():
    text = (PROJECT / "docker-compose.yml").read_text()
    shared = text[text.index("x-tf1-lstm:") : text.index("services:")]
    for line in (
        "read_only: true",
        "- ALL",
        "no-new-privileges:true",
        "network_mode: none",
        "pids_limit: 512",
    ):
        assert line in shared
    assert re.findall(r"cap_add:\n((?: +- \w+\n)+)", text) == ["    - SETUID\n    - SETGID\n"]
    assert "mem_limit: ${TF1_LSTM_MEMORY:-8g}" in shared
    assert "user: ${HOST_UID:-0}:${HOST_GID:-0}" in shared
    # Root there is before the program starts: every entry point gives it up.
    points = re.findall(r"entrypoint: (.*)", text)
    assert points
    assert all(point.startswith('["python", "-m", "tf1_lstm.core.owner", ') for point in points)


def test_the_printed_commands_carry_the_limits_of_the_compose_file(tmp_path):
    """Typed in a shell whose ``docker`` prints its arguments."""
    pages = (PROJECT / "docs" / "container.md").read_text()
    setup = re.search(r"```sh\n(mkdir -p runs\n.*?)```", pages, re.S)
    assert setup is not None
    typed = re.findall(r"\| `((?:tf1|contained)[^|]*)` \|", pages)
    assert len(typed) > 8
    script = 'shopt -s expand_aliases\ndocker() { echo "$@"; }\n' + setup.group(1)
    commands = "\n".join(line.replace("`, `", "\n") for line in typed)
    done = subprocess.run(
        ["bash", "-c", script + commands], cwd=str(tmp_path), capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert len(lines) > len(typed)
    for line in lines:
        assert line.startswith("run --rm --read-only --tmpfs /tmp --user ")
        for option in ("--cap-drop ALL", "no-new-privileges", "--pids-limit 512", "--memory 8g"):
            assert option in line
        assert ("--network none" in line) != line.endswith("fetch all")
    outside = [line for line in re.findall(r"docker run --rm.*", pages) if "--gpus" not in line]
    assert len(outside) == 1 and outside[0].startswith("docker run --rm --read-only"), outside
    readme = (PROJECT / "README.md").read_text()
    assert "docker compose run --rm reproduce" in readme and "docker run" not in readme


def test_a_fresh_clone_has_a_folder_for_runs():
    if not (PROJECT / ".git").exists():
        pytest.skip("no clone: an image has what its build took")
    assert (PROJECT / "runs" / "README.md").is_file()
    listed = subprocess.run(
        ["git", "ls-files", "runs"], cwd=str(PROJECT), capture_output=True, text=True, check=True
    )
    assert listed.stdout.split() == ["runs/README.md"]


STOPPED = """
import os, subprocess, sys, time
sys.path.insert(0, {tools!r})
import image_check
image_check.NEEDED = ()
def check_all(folder, options):
    (folder / "storage").mkdir()
    source = "import os, time; os.setsid(); open({place!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    subprocess.Popen(["sh", "-c", '"$0" -c "$1" & sleep 600', sys.executable, source]).wait()
image_check.check_all = check_all
os.environ["TMPDIR"] = {folder!r}
sys.argv = ["image-check"]
sys.exit(image_check.main())
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="image-check is run as root")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_stopped_image_check_leaves_nothing_behind(number, tmp_path):
    place, folder = tmp_path / "pid", tmp_path / "temporary"
    folder.mkdir()
    source = STOPPED.format(tools=str(PROJECT / "tools"), place=str(place), folder=str(folder))
    program = subprocess.Popen([sys.executable, "-c", source], env=dict(os.environ, PYTHONPATH=str(PROJECT)))
    latest = time.time() + 60
    while not place.exists() or not place.read_text():
        assert program.poll() is None and time.time() < latest
        time.sleep(0.02)
    program.send_signal(number)
    assert program.wait(60) == 128 + number
    assert list(folder.iterdir()) == []
    escaped = Path(f"/proc/{place.read_text()}/stat")
    assert not escaped.exists() or ") Z " in escaped.read_text()
