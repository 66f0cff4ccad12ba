"""The archive's parts: packing, checking, lock files, and what `restore` refuses. `tools/archive-try` tries it whole."""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any, Dict, List

import pytest

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT / "tools"))

import archive_pack  # noqa: E402
import archive_pages  # noqa: E402
import archive_wheels  # noqa: E402
from archive_pack import LIST, ArchiveError, Member  # noqa: E402

from tf1_lstm.data.progress import silent  # noqa: E402


def bar(total: int, what: str) -> Any:
    return silent(total, what, "B")


def suffixes() -> List[str]:
    """``.tar.zst`` only where zstandard is installed (make archive installs it)."""
    try:
        import zstandard  # noqa: F401
    except ImportError:
        return [".tar.xz"]
    return [".tar.xz", ".tar.zst"]


MEMBERS = [
    Member("restore", b"#!/bin/sh\n", True),
    Member("archive/wheels/a.whl", os.urandom(300_000)),
    Member("archive/wheels/b.whl", os.urandom(300_000)),
    Member("tf1_lstm/x.py", b"x = 1\n" * 1000),
]


@pytest.mark.parametrize("suffix", suffixes())
def test_the_same_members_give_the_same_bytes(suffix, tmp_path: Path):
    first = archive_pack.write(tmp_path / "1" / f"name{suffix}", MEMBERS, 1_700_000_000, bar)
    second = archive_pack.write(tmp_path / "2" / f"name{suffix}", MEMBERS[::-1], 1_700_000_000, bar)
    assert first == second
    whole = (tmp_path / "1" / f"name{suffix}").read_bytes()
    assert hashlib.sha256(whole).hexdigest() == first["sha256"]
    assert (tmp_path / "1" / f"name{suffix}.sha256").read_text() == f"{first['sha256']}  name{suffix}\n"
    assert sorted(archive_pack.check(tmp_path / "1" / f"name{suffix}", bar)) == sorted(
        m.name for m in MEMBERS
    )


@pytest.mark.parametrize("suffix", suffixes())
def test_tar_and_sha256sum_read_it(suffix, tmp_path: Path):
    if suffix.endswith("zst") and not shutil.which("zstd"):
        pytest.skip("zstd is not installed")
    archive_pack.write(tmp_path / f"name{suffix}", MEMBERS, 2**32, bar)  # in 2106, beyond 2038
    subprocess.run(["tar", "-xf", f"name{suffix}"], cwd=str(tmp_path), check=True)
    folder = tmp_path / "name"
    subprocess.run(["sha256sum", "--check", "--quiet", LIST], cwd=str(folder), check=True)
    assert os.access(str(folder / "restore"), os.X_OK)
    assert (folder / "restore").stat().st_mtime == 2**32


@pytest.mark.parametrize("suffix", suffixes())
def test_a_damaged_member_is_named(suffix, tmp_path: Path):
    path = tmp_path / f"name{suffix}"
    archive_pack.write(path, MEMBERS, 0, bar)
    whole = path.read_bytes()
    place = whole.find(MEMBERS[2].open().read(64))  # random bytes are stored as they are
    assert place > 0
    path.write_bytes(whole[: place + 9] + bytes([whole[place + 9] ^ 1]) + whole[place + 10 :])
    with pytest.raises(ArchiveError, match=r"archive/wheels/b\.whl"):
        archive_pack.check(path, bar)


@pytest.mark.parametrize("suffix", suffixes())
@pytest.mark.parametrize("kept", [0, 3, 40, 100_000, 500_000, -1])
def test_a_file_that_is_cut_short_is_refused(suffix, kept, tmp_path: Path):
    path = tmp_path / f"name{suffix}"
    archive_pack.write(path, MEMBERS, 0, bar)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ArchiveError):
        archive_pack.check(path, bar)


def test_a_file_of_another_kind_is_refused(tmp_path: Path):
    (tmp_path / "x.tar.zst").write_bytes(b"<html>not found</html>")
    with pytest.raises(ArchiveError, match="found no zstd and no xz file"):
        archive_pack.check(tmp_path / "x.tar.zst", bar)


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    class Full(archive_pack._Hashed):
        def write(self, data: bytes) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive_pack, "_Hashed", Full)
    with pytest.raises(ArchiveError, match="No space left on device; nothing was left of it"):
        archive_pack.write(tmp_path / "name.tar.xz", MEMBERS, 0, bar)
    assert list(tmp_path.iterdir()) == []


def test_too_small_a_disk_is_said_before_anything_is_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    usage = shutil.disk_usage(str(tmp_path))._replace(free=1000)
    monkeypatch.setattr(archive_pack.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(ArchiveError, match="found 0 MB free, expected up to 1 MB"):
        archive_pack.write(tmp_path / "name.tar.xz", MEMBERS, 0, bar)
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_leaves_nothing(tmp_path: Path):
    class Interrupted:
        def update(self, size: int) -> None:
            raise KeyboardInterrupt

        def close(self) -> None:
            pass

    with pytest.raises(KeyboardInterrupt):
        archive_pack.write(tmp_path / "name.tar.xz", MEMBERS, 0, lambda total, what: Interrupted())
    assert list(tmp_path.iterdir()) == []


# ---- packages ------------------------------------------------------------------------------------


@pytest.fixture
def locked(tmp_path: Path) -> Path:
    """A folder with a lock file of two packages, and ``wheels`` with both."""
    (tmp_path / "wheels").mkdir()
    lines = []
    for name in ("one", "two"):
        path = tmp_path / "wheels" / f"{name}-1.0-py3-none-any.whl"
        with zipfile.ZipFile(str(path), "w") as wheel:
            info = f"{name}-1.0.dist-info"
            wheel.writestr(
                f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nLicense: MIT\n"
            )
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")
            wheel.writestr(f"{info}/LICENSE", "Permission is hereby granted")
        lines.append(f"{name}==1.0 \\\n    --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n")
    (tmp_path / "lock.txt").write_text("# a comment\n" + "".join(lines))
    return tmp_path


def gather(folder: Path) -> List[archive_wheels.Package]:
    return archive_wheels.gather(
        Path(sys.executable), folder, ["lock.txt"], folder / "cache", folder / "wheels"
    )


def test_locked_packages_are_taken_with_their_licences(locked: Path):
    packages = gather(locked)
    assert [(package.name, package.version) for package in packages] == [("one", "1.0"), ("two", "1.0")]
    stated, texts = archive_wheels.licence_of(packages[0].path)
    assert (stated, list(texts.values())) == ("MIT", [b"Permission is hereby granted"])


def test_a_missing_package_is_named_before_anything_is_done(locked: Path):
    (locked / "wheels" / "two-1.0-py3-none-any.whl").unlink()
    with pytest.raises(ArchiveError, match=r"no file of two==1\.0 with a hash of lock\.txt$"):
        gather(locked)
    assert list((locked / "cache").iterdir()) == []


def test_a_package_with_another_content_is_missing(locked: Path):
    (locked / "wheels" / "one-1.0-py3-none-any.whl").write_bytes(b"PK")
    with pytest.raises(ArchiveError, match=r"no file of one==1\.0"):
        gather(locked)


def test_every_lock_of_the_environment_is_archived():
    pytest.importorskip("cyclonedx")
    import archive

    others = {"docs", "nvidia", "ports", "ports-torch", "snakemake"}
    expected = {path.name for path in (PROJECT / "requirements").glob("*.txt") if path.stem not in others}
    assert {Path(name).name for name in archive.LOCKS} == expected | {"requirements.txt"}
    assert all(archive_wheels.pins(PROJECT / name) for name in [*archive.LOCKS, *archive.PORTS_LOCKS])


def test_the_bill_of_materials_is_the_same_each_time():
    pytest.importorskip("cyclonedx")
    import json

    from archive_bom import Part, bill

    parts = [
        Part("pypi", "one", "1.0", "MIT", "ab" * 32, "archive/wheels/one.whl"),
        Part("generic", "x", "", "", "", "x"),
        *(Part("deb", "libx", "1", "", "", f"archive/python/lib/lib{letter}.so") for letter in "abcdef"),
    ]
    text = bill("1.0", "f" * 40, 0, parts)
    assert text == bill("1.0", "f" * 40, 0, parts[::-1])
    document = json.loads(text)
    assert (document["bomFormat"], document["metadata"]["timestamp"][:4]) == ("CycloneDX", "1970")
    assert {each["name"] for each in document["components"]} == {"one", "x", "libx"}
    files = [each["properties"][0]["value"] for each in document["components"] if each["name"] == "libx"]
    assert files == sorted(files)


def test_pages_lead_to_each_other_and_to_files():
    links = "[two](docs/two.md#part) [lock](requirements.txt) [far](https://example.org/x.md)"
    text = f"# One\n\n{links}\n\n| a |\n| --- |\n| b |\n"
    files = [
        Member("README.md", text.encode()),
        Member("docs/two.md", b"# Two\n\n## Part\n\n[up](../README.md)\n"),
    ]
    found = {page.name: page.open().read().decode() for page in archive_pages.pages(files)}
    assert sorted(found) == ["archive/pages/README.html", "archive/pages/docs/two.html"]
    first = found["archive/pages/README.html"]
    for part in (
        'href="docs/two.html#part"',
        'href="../../requirements.txt"',
        'href="https://example.org/x.md"',
        "<table>",
    ):
        assert part in first
    assert 'id="part"' in found["archive/pages/docs/two.html"]
    assert 'href="../README.html"' in found["archive/pages/docs/two.html"]


# ---- restore -------------------------------------------------------------------------------------


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    """An unpacked archive whose Python only says that it was called."""
    folder = tmp_path / "an archive"
    members = [
        Member("restore", (PROJECT / "restore").read_bytes(), True),
        Member("archive/glibc", b"2.17\n"),
        Member("archive/wheels/one.whl", b"PK"),
        Member("archive/python/bin/python3.7", b'#!/bin/sh\necho "called $*"\n', True),
    ]
    members.append(Member(LIST, archive_pack.listing(members)))
    for member in members:
        path = folder / member.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(member.open().read())
        path.chmod(0o755 if member.executable else 0o644)
    return folder


def restore(folder: Path, *arguments: str, **variables: str) -> Any:
    environment: Dict[str, str] = {"PATH": "/usr/bin:/bin", **variables}
    if "TF1_LSTM_CPUINFO" not in variables:
        (folder.parent / "cpuinfo").write_text("processor : 0\nflags\t\t: fpu sse2 avx\n")
        environment["TF1_LSTM_CPUINFO"] = str(folder.parent / "cpuinfo")
    return subprocess.run(
        [str(folder / "restore"), *arguments], env=environment, capture_output=True, text=True, check=False
    )


needs_x86 = pytest.mark.skipif(os.uname().machine != "x86_64", reason="restore refuses other processors")


@needs_x86
def test_restore_sets_up_with_the_archives_own_python(unpacked: Path):
    done = restore(unpacked)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "called -E -s tools/setup_venv.py dev"


def test_restore_names_a_damaged_file(unpacked: Path):
    (unpacked / "archive/wheels/one.whl").write_bytes(b"PQ")
    done = restore(unpacked)
    assert (done.returncode, done.stdout) == (1, "")
    assert "archive/wheels/one.whl: FAILED" in done.stderr


def test_restore_names_a_lost_file(unpacked: Path):
    (unpacked / "archive/glibc").unlink()
    done = restore(unpacked, "--check")
    assert done.returncode == 1
    assert "archive/glibc" in done.stderr


@needs_x86
def test_restore_says_that_there_is_no_avx(unpacked: Path):
    (unpacked.parent / "old").write_text("processor : 0\nflags : fpu sse2\n")
    done = restore(unpacked, TF1_LSTM_CPUINFO=str(unpacked.parent / "old"))
    assert done.returncode == 2
    assert "this processor has no AVX" in done.stderr


@needs_x86
@pytest.mark.parametrize(
    ("found", "code"), [("2.4", 2), ("2.16", 2), ("2.17", 0), ("2.100", 0), ("3.0", 0), ("1.99", 2)]
)
def test_restore_says_that_the_c_library_is_too_old(found, code, unpacked: Path):
    done = restore(unpacked, TF1_LSTM_GLIBC=found)
    assert done.returncode == code
    assert (f"the C library here is glibc {found}, expected 2.17 or newer" in done.stderr) == (code == 2)


def test_restore_in_a_clone_says_that_it_is_no_archive(tmp_path: Path):
    shutil.copy(str(PROJECT / "restore"), str(tmp_path))
    done = restore(tmp_path)
    assert done.returncode == 2
    assert "no folder archive/wheels here" in done.stderr
