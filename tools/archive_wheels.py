"""The locked packages as files: fetched by pip, each compared with its lock, and their licences."""

import email.parser
import hashlib
import re
import subprocess
import tarfile
import zipfile
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from archive_pack import ArchiveError

PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)((?:\s*\\\n\s+--hash=sha256:[0-9a-f]{64})+)", re.M)
LICENCE_FILE = re.compile(r"(?:^|/)(?:LICEN[CS]E|COPYING|NOTICE|COPYRIGHT)[^/]*$", re.I)
NOT_TEXT = (".py", ".pyc", ".h", ".so")


class Package(NamedTuple):
    """One locked package.

    Attributes:
      name: as the lock spells it.
      version: the pinned one.
      path: the wheel, or the source distribution where there is no wheel.
      sha256: of that file; the lock has it.
    """

    name: str
    version: str
    path: Path
    sha256: str


def pins(lock: Path) -> Dict[Tuple[str, str], List[str]]:
    """(name, version) -> accepted hashes, of a lock file."""
    return {
        (found.group(1), found.group(2)): re.findall(r"sha256:([0-9a-f]{64})", found.group(3))
        for found in PIN.finditer(lock.read_text(encoding="utf-8"))
    }


def hashes_in(folder: Path) -> Dict[str, Path]:
    """SHA-256 -> file, of the wheels and source distributions in a folder."""
    found = {}
    for path in sorted(folder.glob("*")):
        if path.name.endswith((".whl", ".tar.gz", ".zip")):
            found[hashlib.sha256(path.read_bytes()).hexdigest()] = path
    return found


def gather(
    python: Path, root: Path, locks: Sequence[str], cache: Path, source: Optional[Path] = None
) -> List[Package]:
    """Bring every locked package into ``cache``, and return them sorted by name.

    Args:
      python: whose pip chooses among a package's wheels.
      root: the folder that the locks' names are relative to.
      locks: lock files with hashes.
      cache: a folder that keeps them; what it has is not fetched again.
      source: a folder of packages to take instead of asking an index.

    Raises:
      ArchiveError: a package cannot be had; the message names it.
    """
    cache.mkdir(parents=True, exist_ok=True)
    if source is not None:
        here = hashes_in(source)
        for lock in locks:
            lost = [pin for pin, known in pins(root / lock).items() if not any(one in here for one in known)]
            if lost:
                more = f" (and of {len(lost) - 1} more)" if len(lost) > 1 else ""
                raise ArchiveError(f"{source}: no file of {'=='.join(lost[0])} with a hash of {lock}{more}")
    have = hashes_in(cache)
    for lock in locks:
        if all(any(one in have for one in known) for known in pins(root / lock).values()):
            continue  # nothing to ask an index for
        pip = [str(python), "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        pip += ["--no-build-isolation", "--require-hashes", "--dest", str(cache), "--requirement"]
        pip += [str(root / lock), "--find-links", str(cache)]
        if source is not None:
            pip += ["--no-index", "--find-links", str(source)]
        done = subprocess.run(pip, capture_output=True, text=True, check=False)
        if done.returncode:
            told = [line for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
            raise ArchiveError(f"{lock}: pip has not all of it: {(told or ['ERROR: no message'])[-1][7:]}")
    return chosen(root, locks, cache)


def chosen(root: Path, locks: Sequence[str], cache: Path) -> List[Package]:
    """The file of every pin, by its hash; a pin that two locks share is one package."""
    here = hashes_in(cache)
    packages = {}
    for lock in locks:
        for (name, version), known in pins(root / lock).items():
            files = [(one, here[one]) for one in known if one in here]
            if not files:
                raise ArchiveError(f"{cache}: no file of {name}=={version} with a hash of {lock}")
            for sha256, path in files:
                packages[path.name] = Package(name, version, path, sha256)
    return sorted(packages.values())


def _texts(path: Path) -> Iterator[Tuple[str, Any]]:
    """(name, function that reads it) of a package's files."""
    if path.name.endswith(".tar.gz"):
        with tarfile.open(str(path)) as tar:
            for info in tar:
                content = tar.extractfile(info) if info.isreg() else None
                if content is not None:
                    yield info.name, content.read
        return
    with zipfile.ZipFile(str(path)) as archive:
        for name in archive.namelist():
            yield name, lambda name=name: archive.read(name)


def licence_of(path: Path) -> Tuple[str, Dict[str, bytes]]:
    """What a package says of its licence, and the texts in it.

    Returns:
      An SPDX name or the authors' own words, empty where there are none; and file name -> content.
    """
    stated, texts = "", {}
    for name, read in _texts(path):
        if re.search(r"(\.dist-info/METADATA|^[^/]+/PKG-INFO)$", name):
            stated = _stated(read().decode("utf-8", "replace"))
        elif LICENCE_FILE.search(name) and not name.endswith(NOT_TEXT) and not name.endswith("/"):
            texts[name.replace("/", "--")] = read()
    return stated, texts


def _stated(metadata: str) -> str:
    headers = email.parser.HeaderParser().parsestr(metadata)
    for key in ("License-Expression", "License"):
        value = (headers.get(key) or "").strip()
        if value and value != "UNKNOWN" and "\n" not in value and len(value) < 80:
            return value
    classified = [
        line.split(" :: ")[-1] for line in headers.get_all("Classifier") or [] if "License ::" in line
    ]
    return ", ".join(sorted(classified))
