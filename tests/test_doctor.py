"""The doctor. GPUs, processors, packages and TensorFlow's deaths are fakes here: files and small
programs in front of the real ones. The real environment is examined once, as users do it.
"""

import ast
import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import List

import pytest

from tf1_lstm import doctor
from tf1_lstm.doctor import engine, findings, folders, gpu, machine, packages
from tf1_lstm.doctor.findings import OK, PROBLEM, UNCHECKED, WARNING, Clock, Finding
from tf1_lstm.gpus import Build
from tf1_lstm.graphs.engine import build as engine_build

PROJECT = Path(__file__).resolve().parents[1]
STOCK = Build(True, "10")
PLENTY = 60.0  # seconds


def statuses(found: List[Finding]) -> dict:
    return {finding.name: finding.status for finding in found}


# --- as users run it ---------------------------------------------------------------


@pytest.fixture(scope="module")
def examined(tmp_path_factory: pytest.TempPathFactory):
    """The doctor's JSON in an empty folder, and its exit code."""
    done = subprocess.run(
        [sys.executable, "-m", "tf1_lstm.doctor", "--json"],
        cwd=str(tmp_path_factory.mktemp("empty")),
        env=dict(os.environ, PYTHONPATH=str(PROJECT)),
        stdout=subprocess.PIPE,
        check=False,
    )
    return json.loads(done.stdout.decode()), done.returncode


def test_waits_for_nothing_that_hangs(tmp_path: Path):
    (tmp_path / "tensorflow.py").write_text("import time\ntime.sleep(600)\n")
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\nexec sleep 600\n")
    (tmp_path / "nvidia-smi").chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, "-m", "tf1_lstm.doctor"],
        cwd=str(tmp_path),
        env=dict(os.environ, PATH=path, PYTHONPATH=f"{tmp_path}:{PROJECT}"),
        stdout=subprocess.PIPE,
        check=False,
    )
    assert b"nvidia-smi does not answer" in done.stdout
    assert b"import: not at its end after 4." in done.stdout


def test_json_has_every_topic_and_every_finding_its_fields(examined):
    document = examined[0]
    topics = {finding["topic"] for finding in document["findings"]}
    expected = {
        "machine",
        "python",
        "packages",
        "tensorflow",
        "engine",
        "gpu",
        "data",
        "checkpoints",
        "folders",
    }
    assert topics == expected
    for finding in document["findings"]:
        assert set(finding) == {"topic", "name", "status", "found", "fix"}
        assert finding["status"] in (OK, UNCHECKED, WARNING, PROBLEM)
        if finding["status"] == PROBLEM:
            assert finding["fix"]


def test_the_exit_code_tells_of_problems(examined):
    document, code = examined
    assert code == (1 if document["status"] == PROBLEM else 0)


def test_looks_at_every_locked_package(examined):
    found = [finding["name"] for finding in examined[0]["findings"] if finding["topic"] == "packages"]
    # Counted another way than the doctor does: by the hashes that follow each.
    lines = (PROJECT / "requirements.txt").read_text().splitlines()
    assert len(found) == sum("==" in line and line.endswith("\\") for line in lines)
    assert "tensorflow" in found


def test_does_not_load_tensorflow_or_numpy_into_its_own_process():
    code = "import sys, tf1_lstm.doctor; print([m for m in sys.modules if m in ('tensorflow', 'numpy')])"
    done = subprocess.run([sys.executable, "-c", code], cwd=str(PROJECT), stdout=subprocess.PIPE, check=True)
    assert done.stdout.decode().strip() == "[]"


def standard_imports_only(path: Path) -> List[str]:
    """Modules that a file imports at its top level, apart from the package's own."""
    tree = ast.parse(path.read_text())
    names = [alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in tree.body if isinstance(node, ast.ImportFrom)]
    return [name.split(".")[0] for name in names if not name.startswith("tf1_lstm")]


@pytest.mark.parametrize(
    "path",
    [
        "doctor",
        "commands/__init__.py",
        "commands/doctor.py",
        "gpus.py",
        "devices.py",
        "errors.py",
        "data/sources.py",
        "graphs/engine/build.py",
    ],
)
def test_runs_with_the_standard_library_of_python_3_6(path):
    target = PROJECT / "tf1_lstm" / path
    allowed = {
        *("argparse", "contextlib", "gzip", "hashlib", "json", "os", "pathlib", "platform", "re", "shutil"),
        *("signal", "struct", "subprocess", "sys", "tempfile", "time", "typing", "urllib"),
    }
    for file in sorted(target.glob("*.py")) if target.is_dir() else [target]:
        assert set(standard_imports_only(file)) <= allowed, file


@pytest.mark.parametrize("release", ["3.6", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13"])
def test_runs_under_other_pythons_and_says_that_they_are_the_wrong_ones(release, tmp_path: Path):
    root = os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv"))
    pythons = sorted(Path(root).glob(f"versions/{release}.*/bin/python"))
    if not pythons:
        pytest.skip(f"pyenv has no Python {release} here")
    done = subprocess.run(
        [str(pythons[0]), "-m", "tf1_lstm.doctor", "--json", "--data", str(tmp_path)],
        cwd=str(PROJECT),
        capture_output=True,
        check=False,
    )
    document = json.loads(done.stdout.decode())
    assert (done.returncode, done.stderr) == (1, b"")
    by_topic = {finding["topic"]: finding for finding in document["findings"] if finding["status"] == PROBLEM}
    assert "needs Python 3.7" in by_topic["python"]["found"]
    assert "No module named 'tensorflow'" in by_topic["tensorflow"]["found"]


# --- the fast engine ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("library", "path", "status", "words"),
    [
        (None, "", WARNING, "no C compiler"),
        (None, os.environ["PATH"], WARNING, "not built"),
        (b"of another day", "", WARNING, "built from other sources"),
        (b"of these: SOURCE", "", OK, "built, AVX2, source "),
    ],
)
def test_the_fast_engine_is_told_of_in_a_line(library, path, status, words, tmp_path, monkeypatch):
    target = tmp_path / "lib.so"
    if library is not None:
        target.write_bytes(library.replace(b"SOURCE", engine_build.source_sha256().encode()))
    monkeypatch.setattr(engine_build, "LIBRARY", target)
    monkeypatch.setattr(engine, "build_program", lambda: engine_build)
    monkeypatch.setattr(engine, "cpu_flags", lambda: "fpu avx avx2 fma")
    monkeypatch.setattr(engine_build, "find_compiler", lambda: path or None)
    (found,) = engine.examine_engine()
    assert found.status == status
    assert words in found.found
    assert (status == OK) == (not found.fix)


# --- the machine -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cpuinfo", "status"),
    [
        ("processor : 0\nflags\t\t: fpu sse4_2 avx avx2 fma\n", OK),
        ("processor : 0\nflags\t\t: fpu sse4_2 avx512f_is_not_avx\n", PROBLEM),
        ("processor : 0\nFeatures\t: fp asimd evtstrm\n", PROBLEM),
        ("processor : 0\n", WARNING),
    ],
)
def test_a_processor_without_avx_is_a_problem(cpuinfo, status, tmp_path: Path, monkeypatch):
    (tmp_path / "cpuinfo").write_text(cpuinfo)
    monkeypatch.setenv(machine.CPUINFO_VARIABLE, str(tmp_path / "cpuinfo"))
    assert machine.avx().status == status


@pytest.mark.parametrize("name", ["aarch64", "arm64", "ppc64le", "i686"])
def test_an_architecture_without_a_wheel_is_a_problem(name, monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: name)
    finding = machine.architecture()
    assert finding.status == PROBLEM
    assert name in finding.found


@pytest.mark.parametrize(("limit", "status"), [("500000000", PROBLEM), ("2000000000", WARNING), ("max", OK)])
def test_a_containers_memory_limit_counts(limit, status, tmp_path: Path, monkeypatch):
    (tmp_path / "memory.max").write_text(limit + "\n")
    monkeypatch.setattr(machine, "CGROUP_LIMITS", (str(tmp_path / "memory.max"),))
    monkeypatch.setattr("os.sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 4_000_000}.__getitem__)
    assert machine.memory().status == status


@pytest.mark.parametrize(("free", "status"), [(50 << 20, PROBLEM), (1 << 30, WARNING), (1 << 40, OK)])
def test_a_full_disk_is_found(free, status, tmp_path: Path, monkeypatch):
    usage = type("Usage", (), {"free": free})
    monkeypatch.setattr("shutil.disk_usage", lambda folder: usage)
    assert machine.disk(tmp_path).status == status


# --- packages and TensorFlow -------------------------------------------------------


def test_packages_are_compared_with_the_lock(tmp_path: Path):
    site = tmp_path / "site"
    for name in ("Numpy-1.21.6.dist-info", "six-1.17.0.dist-info", "google_pasta-0.2.0-py3.7.egg-info"):
        (site / name).mkdir(parents=True)
    lock = tmp_path / "lock.txt"
    lock.write_text(
        "numpy==1.18.5 \\\n    --hash=sha256:00\nsix==1.17.0 \\\n    --hash=sha256:11\n    # via a\n"
        "google-pasta==0.2.0\nh5py==2.10.0\n# gone==1.0\n"
    )
    found = packages.examine_packages(lock, [str(site), str(tmp_path / "no such folder")])
    assert statuses(found) == {"numpy": WARNING, "six": OK, "google-pasta": OK, "h5py": PROBLEM}
    assert "1.21.6 is installed, 1.18.5 is locked" in found[0].found


def test_a_missing_lock_is_said(tmp_path: Path):
    (finding,) = packages.examine_packages(tmp_path / "requirements.txt")
    assert (finding.status, finding.name) == (WARNING, "requirements.txt")


def test_nvidias_tensorflow_is_found_under_its_own_name_and_its_packages_are_no_problem(tmp_path: Path):
    site = tmp_path / "site"
    (site / "nvidia_tensorflow-1.15.5+nv23.3.dist-info").mkdir(parents=True)
    lock = tmp_path / "lock.txt"
    lock.write_text("tensorflow==1.15.0\nastor==0.8.1\n")
    found = packages.examine_packages(lock, [str(site)], stock=False)
    assert statuses(found) == {"tensorflow": WARNING, "astor": OK}
    assert "1.15.5+nv23.3 is installed" in found[0].found
    assert statuses(packages.examine_packages(lock, [str(site)])) == {"tensorflow": WARNING, "astor": PROBLEM}


def fake_tensorflow(folder: Path, code: str) -> packages.ImportTrial:
    """An import trial that finds a TensorFlow of one file before the real one."""
    (folder / "tensorflow.py").write_text(code)
    return packages.ImportTrial([str(folder), *sys.path])


def test_a_crash_in_the_import_is_a_finding_that_names_avx(tmp_path: Path):
    code = "import os, signal\nos.kill(os.getpid(), signal.SIGILL)\n"
    finding = fake_tensorflow(tmp_path, code).finding(Clock(PLENTY))
    assert finding.status == PROBLEM
    assert "SIGILL" in finding.found
    assert "AVX" in finding.found


def test_a_hanging_import_is_ended_with_its_children(tmp_path: Path):
    child = tmp_path / "child"
    code = (
        "import subprocess, time\n"
        f"open({str(child)!r}, 'w').write(str(subprocess.Popen(['sleep', '600']).pid))\n"
        "time.sleep(600)\n"
    )
    trial = fake_tensorflow(tmp_path, code)
    while not (child.exists() and child.read_text()):
        time.sleep(0.05)
    finding = trial.finding(Clock(0.2))
    assert finding.status == UNCHECKED
    assert trial.child.returncode == -signal.SIGKILL
    for _ in range(100):  # the grandchild's end is seen as soon as its new parent has
        state = Path(f"/proc/{child.read_text()}/stat")
        if not state.exists() or ") Z " in state.read_text():
            break
        time.sleep(0.05)
    else:
        pytest.fail("the import's own child is still there")


@pytest.mark.parametrize(
    ("code", "part"),
    [
        ("raise TypeError('Descriptors cannot not be created directly.')", "protobuf must be below 3.21"),
        ('raise ImportError("libm.so.6: version `GLIBC_2.23\' not found")', "C library is too old"),
        ("import no_such_module", "No module named 'no_such_module'"),
        ("__version__ = '2.15.0'", "expected 1.15.0"),
        ("raise SystemExit(3)", "exit code 3"),
    ],
)
def test_an_import_that_fails_is_explained(code, part, tmp_path: Path):
    finding = fake_tensorflow(tmp_path, code).finding(Clock(PLENTY))
    assert finding.status == PROBLEM
    assert part in finding.found
    assert finding.fix


def test_another_1_15_is_said_not_to_give_the_same_bits():
    assert packages.judge_version("1.15.5", 1.0).status == WARNING
    assert packages.judge_version("1.15.0", 1.0).status == OK


# --- GPUs --------------------------------------------------------------------------


@pytest.fixture
def new_gpu(tmp_path: Path, monkeypatch) -> None:
    """A machine with an RTX 3090, by a fake nvidia-smi, and without CUDA's libraries."""
    script = "#!/bin/sh\necho '0, NVIDIA GeForce RTX 3090, 535.54, GPU-a, 8.6'\n"
    for name, text in (("nvidia-smi", script), ("ldconfig", "#!/bin/sh\n")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("LD_LIBRARY_PATH", "")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_a_gpu_that_cuda_10_cannot_drive_is_a_warning_with_the_way_out(new_gpu):
    found = {finding.name: finding for finding in gpu.examine_gpus(STOCK, Clock(PLENTY))}
    card = found["GPU 0"]
    assert card.status == WARNING
    for part in ("RTX 3090", "8.6", "535.54", "CUDA 10 drives none above 7.5"):
        assert part in card.found
    assert "--device cpu" in card.fix
    assert found["CUDA 10.0, cuDNN 7"].status == WARNING


def test_the_same_gpu_is_in_order_for_nvidias_own_tensorflow(new_gpu):
    assert {finding.status for finding in gpu.examine_gpus(Build(True, "12.1"), Clock(PLENTY))} == {OK}


def test_a_hidden_gpu_is_no_trouble(new_gpu, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert {finding.status for finding in gpu.examine_gpus(STOCK, Clock(PLENTY))} == {OK}


# --- data, checkpoints, folders ----------------------------------------------------


def test_missing_data_is_said_with_the_command_that_fetches_it(tmp_path: Path):
    found = folders.examine_data(tmp_path / "data", Clock(PLENTY))
    assert found[-1].status == WARNING
    assert found[-1].fix == "tf1-lstm fetch all"


def test_real_data_is_recognised_by_its_hashes(shared: Path):
    found = statuses(folders.examine_data(shared / "data", Clock(PLENTY)))
    # The unpacked bytes count: one of these files is packed differently from the public one.
    assert [status for name, status in found.items() if name.startswith("mnist/")] == [OK] * 4


def test_prepared_arrays_are_recognised_and_changed_ones_found(prepared: Path, tmp_path: Path):
    arrays = tmp_path / "imdb"
    arrays.mkdir()
    for name in ("wordsList.npy", "wordVectors.npy", "manifest.json"):
        (arrays / name).symlink_to(prepared / "imdb" / name)
    ids = bytearray((prepared / "imdb/idsMatrix.npy").read_bytes())
    ids[-1] ^= 1
    (arrays / "idsMatrix.npy").write_bytes(bytes(ids))
    found = statuses(folders.examine_arrays(tmp_path, Clock(PLENTY)))
    expected = {"imdb/wordsList.npy": OK, "imdb/wordVectors.npy": OK, "imdb/idsMatrix.npy": PROBLEM}
    assert found == expected


def test_somebodys_own_arrays_are_not_called_wrong(tmp_path: Path):
    (tmp_path / "idsMatrix.npy").write_bytes(b"somebody's")
    (finding,) = folders.examine_arrays(tmp_path, Clock(PLENTY))
    assert finding.status == OK
    assert "no published one to compare with" in finding.found


@pytest.mark.parametrize("text", ["", "not JSON", "[]", '{"files": 3}', '{"files": {"a": {}}}'])
def test_a_damaged_manifest_is_as_good_as_none(text, tmp_path: Path):
    (tmp_path / "manifest.json").write_text(text)
    assert folders.recorded_digests(tmp_path / "manifest.json") == {}


def test_a_truncated_download_is_a_problem(tmp_path: Path):
    (tmp_path / "mnist").mkdir()
    content = gzip.compress(b"\0" * 100_000)
    (tmp_path / "mnist/t10k-labels-idx1-ubyte.gz").write_bytes(content[: len(content) // 2])
    (tmp_path / "mnist/train-labels-idx1-ubyte.gz").write_bytes(content)
    found = {finding.name: finding for finding in folders.examine_data(tmp_path, Clock(PLENTY))}
    assert "not whole" in found["mnist/t10k-labels-idx1-ubyte.gz"].found
    wrong = found["mnist/train-labels-idx1-ubyte.gz"]
    assert wrong.status == PROBLEM
    assert "expected 65a50cbb" in wrong.found


def test_hashing_stops_when_the_time_is_over(tmp_path: Path):
    (tmp_path / "imdb").mkdir()
    (tmp_path / "imdb/wordsList.npy").write_bytes(b"\0" * (3 << 20))
    found = folders.examine_arrays(tmp_path, Clock(0))
    assert found[0].status == UNCHECKED
    assert found[0].fix.startswith("sha256sum ")


def test_checkpoints_are_listed_with_the_hashes_of_their_files(shared: Path):
    (finding,) = folders.examine_checkpoints(shared / "checkpoints/imdb-lstm-90000", Clock(PLENTY))
    recorded = (shared / "SHA256SUMS").read_text().splitlines()
    expected = [line.split()[0] for line in recorded if "pretrained_lstm" in line]
    assert finding.status == OK
    assert len(expected) == 2
    assert all(digest in finding.found for digest in expected)


def test_halves_of_checkpoints_are_problems(tmp_path: Path):
    for name in (
        "a-1.index",
        "b-2.data-00000-of-00001",
        "c-3.index",
        "c-3.data-00000-of-00002",
        "[d]-4.index",
    ):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "[d]-4.data-00000-of-00001").write_bytes(b"x")
    found = statuses(folders.examine_checkpoints(tmp_path, Clock(PLENTY)))
    assert found == {"a-1": PROBLEM, "b-2": PROBLEM, "c-3": PROBLEM, "[d]-4": OK}


def test_a_folder_that_cannot_be_written_is_found(tmp_path: Path, monkeypatch):
    def refuse(**arguments):
        raise OSError(30, "Read-only file system")

    assert folders.try_to_write(tmp_path).status == OK
    assert folders.try_to_write(tmp_path / "not/yet").found == "is made when needed"
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr("tempfile.NamedTemporaryFile", refuse)
    finding = folders.try_to_write(tmp_path)
    assert finding.status == WARNING
    assert "Read-only file system" in finding.found


# --- what is printed ---------------------------------------------------------------


def test_the_text_says_what_is_wrong_first_and_the_command_after_it():
    found = [
        Finding("machine", "AVX", OK, "yes"),
        *(Finding("packages", f"p{number}", PROBLEM, "not installed", "make setup") for number in range(40)),
        Finding("packages", "six", OK, "1.17.0"),
        Finding("data", "glove", WARNING, "not there", "tf1-lstm fetch glove"),
    ]
    lines = doctor.as_text(found).splitlines()
    assert lines[1].startswith("  problem  packages: p0, p1, ")
    assert "and 32 more: not installed" in lines[1]
    assert lines[2].strip() == "-> make setup"
    assert lines[3].startswith("  warning  data: glove")
    assert lines[-1] == "problems: 40, warnings: 1"
    assert len(lines) == 8


def test_what_was_not_checked_is_named_in_the_last_line_and_is_no_fault():
    found = [
        Finding("machine", "AVX", OK, "yes"),
        Finding("tensorflow", "import", UNCHECKED, "not at its end after 4.3 s"),
    ]
    lines = doctor.as_text(found).splitlines()
    assert lines[1].startswith("  not checked tensorflow: import: not at its end")
    assert lines[-1] == "problems: 0, warnings: 0, not checked: 1 (tensorflow import)"
    assert doctor.worst(found) == UNCHECKED


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (80_000_080, "80 MB"),
        (1_554_848, "1.55 MB"),
        (25_300_000_000, "25.3 GB"),
    ],
)
def test_sizes_are_short(count, text):
    assert findings.size_text(count) == text
