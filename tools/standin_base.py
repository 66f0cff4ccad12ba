"""A stand-in for the images that the Dockerfile starts from, made of packages where none can be pulled.

It is a Debian made by debootstrap whose ``apt-get install python3.7 python3.7-venv`` installs this
machine's own Python 3.7, from a package repository inside it. So the Dockerfile's own steps are run,
unchanged. What it cannot show is that the real base (Ubuntu 18.04, CUDA 10.0) has what they need.

Two traps are part of it: package lists as dead as NVIDIA's are in the real base, and a Python package
of the base's own that must not be seen from the image's environment.
"""

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict, Iterable, List, Set, Tuple

REPOSITORY = "srv/standin"  # in the base; a `file:` repository, so that a build needs no network
LEAK = "a_package_of_the_base"  # importable by the base's Python 3.7
COMPILER = ("gcc", "libc6-dev")  # in the repository, not in the base: an image may not have them
DEAD_LISTS = ("cuda.list", "nvidia-ml.list")


class StandinError(Exception):
    """The stand-in cannot be made here; the message says why."""


def make_base(folder: Path, python: Path) -> None:
    """Make the root file system that stands for ``BASE_IMAGE``.

    Args:
      folder: where; must not exist yet.
      python: the prefix of a Python 3.7 on this machine, such as ``/usr/local``.

    Raises:
      StandinError: this machine is no Debian, or debootstrap fails.
    """
    suite, mirror = debian()
    packages = ",".join(sorted(packages_of(libraries_of(python))))
    run(["debootstrap", "--variant=minbase", f"--include={packages}", suite, str(folder), mirror])
    downloads = folder / "var/cache/apt/archives"
    for archive in downloads.glob("*.deb"):
        archive.unlink()
    repository = folder / REPOSITORY
    repository.mkdir(parents=True)
    install = ["apt-get", "-qy", "install", "--no-install-recommends"]
    run(["chroot", str(folder), "apt-get", "-q", "update"])
    run(["chroot", str(folder), *install, "--download-only", *COMPILER])
    for archive in sorted(downloads.glob("*.deb")):
        control = subprocess.run(["dpkg-deb", "--field", str(archive)], stdout=subprocess.PIPE, check=True)
        add_to_index(repository, Path(shutil.move(str(archive), str(repository))), control.stdout.decode())
    shutil.rmtree(str(folder / "var/lib/apt/lists"))
    add_package(repository, "python3.7", python_files(folder, python))
    add_package(repository, "python3.7-venv", {})
    add_package(repository, "python3-distutils", {})
    (folder / "etc/apt/sources.list").write_text(f"deb [trusted=yes] file:/{REPOSITORY} ./\n")
    for name in DEAD_LISTS:
        (folder / "etc/apt/sources.list.d" / name).write_text("deb file:/srv/gone ./\n")
    if (
        subprocess.call(
            ["chroot", str(folder), "apt-get", "update"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        == 0
    ):
        raise StandinError("the dead package lists do not make apt-get update fail; they would prove nothing")


def make_cpu_base(folder: Path, base: Path) -> None:
    """Make the stand-in for ``CPU_IMAGE``: the other one, with Python 3.7 installed."""
    run(["cp", "-a", str(base), str(folder)])
    for name in DEAD_LISTS:
        (folder / "etc/apt/sources.list.d" / name).unlink()
    run(["chroot", str(folder), "apt-get", "-q", "update"])
    run(["chroot", str(folder), "apt-get", "-qy", "install", "python3.7", "python3.7-venv"])
    shutil.rmtree(str(folder / "var/lib/apt/lists"))


def debian() -> Tuple[str, str]:
    """Tell the release name and a package mirror of this machine, from its own configuration."""
    release = Path("/etc/os-release")
    words = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', release.read_text(), re.M)) if release.exists() else {}
    if words.get("ID") not in ("debian", "ubuntu") or "VERSION_CODENAME" not in words:
        raise StandinError(f"the stand-in base needs Debian or Ubuntu; this is {words.get('ID', 'neither')}")
    folder = Path("/etc/apt")
    files = [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]
    text = "\n".join(path.read_text() for path in files if path.is_file())
    found = re.findall(r"^(?:URIs:|deb (?:\[[^]]*\] )?)\s*(\S+/(?:debian|ubuntu)/?)(?:\s|$)", text, re.M)
    if not found:
        raise StandinError("no package mirror found in /etc/apt")
    return words["VERSION_CODENAME"], found[0]


def libraries_of(python: Path) -> Set[Path]:
    """The shared libraries outside ``python`` that it and its modules are linked with."""
    modules = [python / "bin/python3.7", *(python / "lib/python3.7/lib-dynload").glob("*.so")]
    linked = subprocess.run(["ldd", *map(str, modules)], stdout=subprocess.PIPE, check=True).stdout.decode()
    paths = {Path(path) for path in re.findall(r"=> (/\S+)", linked)}
    return {path for path in paths if python not in path.parents}


def packages_of(libraries: Iterable[Path]) -> Set[str]:
    """The Debian packages that own ``libraries``; a library that no package owns is left out."""
    found = set()
    for library in libraries:
        # dpkg knows a library by its name before or after /lib became a link to /usr/lib.
        real = str(library.resolve())
        for path in (str(library), real, real.replace("/usr/lib/", "/lib/", 1)):
            answer = subprocess.run(["dpkg", "-S", path], capture_output=True, check=False)
            if answer.returncode == 0:
                found.add(answer.stdout.decode().split(":")[0])
                break
    return found


def python_files(root: Path, python: Path) -> Dict[str, Path]:
    """Where the files of a Python 3.7 go in the base: path there -> file or folder here."""
    libraries = {f"usr/lib/{path.name}": path for path in (python / "lib").glob("libpython3.7m.so.1.0")}
    leak = root / REPOSITORY / f"{LEAK}.py"
    leak.write_text("# a package of the base image\n")
    return {
        "usr/bin/python3.7": python / "bin/python3.7",
        "usr/lib/python3.7": python / "lib/python3.7",
        f"usr/lib/python3.7/site-packages/{LEAK}.py": leak,
        **libraries,
    }


def add_package(repository: Path, name: str, files: Dict[str, Path]) -> None:
    """Make a Debian package and add it to the repository's index."""
    tree = repository / name
    (tree / "DEBIAN").mkdir(parents=True)
    # Not below 3.7.7: Debian's libc6-dev breaks older ones, and apt-get would remove this one for it.
    control = (
        f"Package: {name}\nVersion: 3.7.17-1\nArchitecture: all\nMaintainer: nobody <nobody@localhost>\n"
    )
    (tree / "DEBIAN/control").write_text(control + "Description: stand-in\n")
    for target, source in files.items():
        (tree / target).parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            ignored = shutil.ignore_patterns(
                "site-packages", "test", "tests", "__pycache__", "config-3.7m*", "*.a"
            )
            shutil.copytree(str(source), str(tree / target), symlinks=True, ignore=ignored)
        else:
            shutil.copy2(str(source), str(tree / target))
    archive = repository / f"{name}.deb"
    # Quickly packed, as it is unpacked once.
    run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", str(tree), str(archive)])
    shutil.rmtree(str(tree))
    add_to_index(repository, archive, control + "Description: stand-in\n")


def add_to_index(repository: Path, archive: Path, control: str) -> None:
    """Add a Debian package that lies in the repository to its index."""
    content = archive.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    with (repository / "Packages").open("a") as index:
        index.write(f"{control}Filename: ./{archive.name}\nSize: {len(content)}\nSHA256: {digest}\n\n")


def run(command: List[str]) -> None:
    """Run a command, its output shown only if it fails.

    Raises:
      StandinError: the program is missing or fails.
    """
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except OSError as error:
        raise StandinError(f"{command[0]}: {error.strerror}") from error
    if done.returncode:
        sys.stderr.write((done.stdout + done.stderr).decode("utf-8", "replace")[-4000:])
        raise StandinError(f"{command[0]} failed with status {done.returncode}")
