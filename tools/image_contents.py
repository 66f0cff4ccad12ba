"""What may not be in an image: files of the machine that built it, secrets, caches, wrong owners."""

import os
import stat
from fnmatch import fnmatch
from pathlib import Path
from typing import Iterator, List, Tuple

# Files that a developer's folder may hold, each written with MARKER as its content before a build.
MARKER = b"tf1-lstm canary: this file was in the build context and may not be in an image\n"
CANARIES = (
    ".env",
    ".git/config",
    ".venv/bin/activate",
    "id_rsa",
    "notes.txt",
    "checkpoints/mine/model.ckpt-7.data-00000-of-00001",
    "data/glove/glove.6B.50d.txt",
    "data/imdb/wordsList.npy",
    "data/mnist/train-images-idx3-ubyte.gz",
    "results/big.json",
    "runs/today/run.json",
    "tf1_lstm.egg-info/PKG-INFO",
    "tf1_lstm/.mypy_cache/canary.json",
    "tf1_lstm/__pycache__/canary.cpython-37.pyc",
    "tf1_lstm/half.part",
    "tests/.hypothesis/canary",
    "tests/__pycache__/canary.cpython-37.pyc",
)

# Relative to the image's root; `*` also matches slashes.
FORBIDDEN = (
    ("a secret", ("*/.env", "*/.netrc", "*/.pypirc", "*/id_rsa*", "*/id_ed25519*", "*/.aws/*", "*/.ssh/*")),
    ("a repository", ("*/.git/*",)),
    ("data", ("work/*/*", "opt/tf1-lstm/runs/*", "*/aclImdb*", "*/glove.6B*")),
    ("a package cache", ("var/lib/apt/lists/*", "var/cache/apt/archives/*.deb", "root/.cache/*", "wheels/*")),
    ("a compiler", ("*/bin/*gcc", "*/bin/*gcc-[0-9]*", "*/bin/cc", "*/bin/clang*", "*/cc1", "*/bin/ld")),
    ("a tool's cache", ("*/.pytest_cache/*", "*/.mypy_cache/*", "*/.ruff_cache/*", "*/.hypothesis/*")),
    ("left over", ("tmp/*", "var/tmp/*", "*.part")),
)
SEARCHED_FOR_OWNERS = ("opt", "work", "usr", "etc", "root", "home", "srv")
LAST_SYSTEM_GROUP = 100  # Debian's own, such as staff (50), in which nobody is
OPEN_TO_ALL = ("work/data", "work/checkpoints", "work/runs")


def plant_canaries(context: Path) -> None:
    """Write every one of ``CANARIES`` that is not a file of the project."""
    for name in CANARIES:
        path = context / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(MARKER)


def found_canaries(root: Path) -> List[str]:
    """The paths in an image of files that hold the marker, whatever they are called there."""
    found = []
    for name, path, status in files_below(root):
        if stat.S_ISREG(status.st_mode) and status.st_size == len(MARKER) and path.read_bytes() == MARKER:
            found.append(name)
    return found


def forbidden_files(root: Path) -> List[str]:
    """``kind: path`` of every file that fits one of ``FORBIDDEN``, or holds a private key."""
    found = []
    for name, path, status in files_below(root):
        if stat.S_ISDIR(status.st_mode):
            continue
        kinds = [kind for kind, patterns in FORBIDDEN if any(fnmatch(name, pattern) for pattern in patterns)]
        if name.endswith((".pem", ".key")) and stat.S_ISREG(status.st_mode):
            # The first line says what such a file is; certificates may be public.
            kinds += ["a private key"] if b"PRIVATE KEY" in path.read_bytes()[:200] else []
        found += [f"{kind}: {name}" for kind in kinds]
    return found


def writable_files(root: Path) -> List[str]:
    """What an ordinary user could change in the image: files of another owner than root, or open ones."""
    found = []
    for folder in SEARCHED_FOR_OWNERS:
        for name, _, status in files_below(root / folder, folder):
            if stat.S_ISLNK(status.st_mode) or name in OPEN_TO_ALL:
                continue
            by_group = status.st_mode & stat.S_IWGRP and status.st_gid > LAST_SYSTEM_GROUP
            if status.st_uid != 0 or by_group or status.st_mode & stat.S_IWOTH:
                found.append(f"{name} ({stat.filemode(status.st_mode)} {status.st_uid}:{status.st_gid})")
    return found


def files_below(folder: Path, prefix: str = "") -> Iterator[Tuple[str, Path, os.stat_result]]:
    """Name relative to the image's root, path and status of all that is below a folder."""
    for parent, folders, files in os.walk(str(folder)):
        below = os.path.normpath(os.path.join(prefix, os.path.relpath(parent, str(folder))))
        for entry in folders + files:
            path = Path(parent) / entry
            yield os.path.normpath(os.path.join(below, entry)), path, path.lstat()
