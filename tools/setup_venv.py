"""Make the project's environment ``.venv`` from the lock files, or see that it is in order.

Run by ``tools/setup`` with the Python 3.7 that ``tools/find-python`` found; needs the standard
library alone. What is installed comes in layers, each with a stamp inside ``.venv`` that says what
it was made from:

* ``base``: requirements/pip.txt (pip itself) and requirements.txt. Whenever they, the interpreter
  or the folder's path change, the environment is made anew from nothing.
* ``project``: the project itself, editable; installed again when pyproject.toml changes.
* ``dev``, ``notebooks``, ``word2vec``, ``archive``: the lock file of that name, when asked for.

In an unpacked archive (docs/archive.md) the packages come from ``archive/wheels``, and no network is used.

A stamp is removed before its layer is touched and written after its last step, so that an
interrupted set-up is seen and done again. Behind a right stamp pip's own records are
compared with the files that are there, which takes a tenth of a second and finds lost packages.
"""

import argparse
import csv
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence

ROOT = Path(__file__).resolve().parent.parent
OPTIONAL_LAYERS = ("dev", "notebooks", "word2vec", "archive")
STAMP_FORMAT = 1  # raised when a stamp written by an older version must not count
# They would make Python import from elsewhere, or pip install elsewhere.
LEAKING_VARIABLES = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT")


class SetupError(Exception):
    """The set-up cannot go on; the message is the one line to print."""


def say(message: str) -> None:
    """Print a line at once, so that it stands before the output of what is run next."""
    print(f"tf1-lstm: {message}", flush=True)


class Environment:
    """The folder ``root/.venv`` and its stamps."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / ".venv"
        self.python = self.folder / "bin" / "python"
        self.site_packages = self.folder / "lib" / "python3.7" / "site-packages"
        self.wheels = root / "archive" / "wheels"

    def requirements(self, layer: str) -> List[str]:
        """The lock files of a layer, in the order in which they are installed."""
        named: Dict[str, List[str]] = {"base": ["requirements/pip.txt", "requirements.txt"], "project": []}
        return named.get(layer, [f"requirements/{layer}.txt"])

    def stamp(self, layer: str) -> Path:
        """The file that says what a layer was made from."""
        return self.folder / f"tf1-lstm-{layer}.json"

    def wanted(self, layer: str) -> Dict[str, Any]:
        """What the stamp of an up-to-date layer holds."""
        # The package's dependencies and version are read from these when it is installed.
        files = self.requirements(layer) or [
            "pyproject.toml",
            "requirements/runtime.in",
            "tf1_lstm/__init__.py",
        ]
        return {
            "format": STAMP_FORMAT,
            "interpreter": [os.path.realpath(sys.executable), sys.version],
            "root": str(self.root),  # the programs in .venv/bin name it
            "sha256": {name: hashlib.sha256((self.root / name).read_bytes()).hexdigest() for name in files},
        }

    def stale(self, layer: str) -> Optional[str]:
        """Why a layer must be installed, or None where it is in order."""
        if layer == "base" and not self.runs():
            return "is not there" if not self.folder.exists() else "does not run"
        try:
            stamp = json.loads(self.stamp(layer).read_text())
        except FileNotFoundError:
            return "was not set up, or not to its end"
        except ValueError:
            return "has a damaged stamp"
        wanted = self.wanted(layer)
        for key in wanted:
            if stamp.get(key) != wanted[key]:
                return {
                    "interpreter": "was made with another Python",
                    "root": "was made in another folder",
                    "sha256": f"was made from another version of {' or '.join(wanted['sha256'])}",
                }.get(key, "has a stamp of another version")
        return self.damage(layer)

    def runs(self) -> bool:
        """Whether the environment's Python starts and is the environment's."""
        command = [str(self.python), "-E", "-s", "-c", "import sys; print(sys.prefix)"]
        try:
            answer = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
        except (OSError, subprocess.CalledProcessError):
            return False
        return os.path.realpath(os.fsdecode(answer.stdout).rstrip("\n")) == os.path.realpath(str(self.folder))

    def damage(self, layer: str) -> Optional[str]:
        """The first difference between a layer's lock files and what is installed, or None."""
        infos = {info_key(path.name): path for path in self.site_packages.glob("*.dist-info")}
        names = [pin for name in self.requirements(layer) for pin in pins((self.root / name).read_text())]
        for pin in names:
            if pin not in infos:
                return f"lacks {pin.replace('-', ' ')}"
            lost = lost_file(infos[pin])
            if lost:
                return f"lacks {lost} of {pin.replace('-', ' ')}"
        if layer == "project" and not (self.folder / "bin" / "tf1-lstm").exists():
            return "lacks the program tf1-lstm"
        return None


def pins(text: str) -> List[str]:
    """``name-version`` of every requirement in a lock file, in the form of :func:`info_key`."""
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", text, flags=re.MULTILINE)
    return [f"{normal_name(name)}-{version}" for name, version in found]


def info_key(folder: str) -> str:
    """``name-version`` from the name of a ``.dist-info`` folder, the name in its normal form."""
    name, _, version = folder[: -len(".dist-info")].partition("-")
    return f"{normal_name(name)}-{version}"


def normal_name(name: str) -> str:
    """A distribution's name as all its spellings have in common, without a hyphen."""
    return re.sub(r"[-_.]+", "_", name).lower()


def lost_file(info: Path) -> Optional[str]:
    """A file that pip noted in a ``.dist-info`` folder's RECORD and that is gone, or None."""
    try:
        with (info / "RECORD").open(newline="") as lines:
            # Compiled files come and go by themselves. Sizes are not compared:
            # TensorFlow 1.15.0's own RECORD has one that is wrong.
            paths = [row[0] for row in csv.reader(lines) if row and not row[0].endswith(".pyc")]
    except FileNotFoundError:
        return "RECORD"
    return next((path for path in paths if not (info.parent / path).exists()), None)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one set-up at a time go on; the system frees the lock if the process dies."""
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("another set-up of .venv is running; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def run(command: Sequence[str], root: Path, failure: str) -> None:
    """Run a command in the project's folder, its output shown; ``failure`` says what it meant."""
    environment = {name: value for name, value in os.environ.items() if name not in LEAKING_VARIABLES}
    environment["PIP_USER"] = "0"  # a user's pip may be told to install into the home folder
    options: Dict[str, Any] = {"cwd": str(root), "env": environment, "stdin": subprocess.DEVNULL}
    status = subprocess.run(command, check=False, **options).returncode
    if status:
        signal = f", signal {-status}" if status < 0 else ""
        raise SetupError(f"{failure} (status {status}{signal}; its own words are above)")


def pip_install(environment: Environment, arguments: List[str], what: str) -> None:
    """Install with the environment's pip, which says nothing unless something is wrong."""
    pip = [str(environment.python), "-I", "-m", "pip", "--no-input", "--disable-pip-version-check"]
    if environment.wheels.is_dir():
        arguments = ["--no-index", "--no-cache-dir", "--find-links", str(environment.wheels), *arguments]
    # Without isolation, packages that must be built are built with the locked setuptools.
    command = [*pip, "install", "--quiet", "--no-deps", "--no-build-isolation", *arguments]
    run(command, environment.root, f"pip could not install {what}")


def install(environment: Environment, layer: str) -> None:
    """Install one layer from its beginning to its stamp."""
    root = environment.root
    python = str(environment.python)
    wanted = environment.wanted(layer)
    if layer == "base":
        remove(environment.folder)
        run([sys.executable, "-I", "-m", "venv", str(environment.folder)], root, "could not make .venv")
    elif environment.stamp(layer).exists():
        environment.stamp(layer).unlink()
    for name in environment.requirements(layer):
        size = " (TensorFlow alone is a download of 412 MB)" if name == "requirements.txt" else ""
        size = " from archive/wheels" if environment.wheels.is_dir() else size
        say(f"installing {name}{size}")
        pip_install(environment, ["--require-hashes", "-r", name], name)
    if layer == "project":
        say("installing the project")
        pip_install(environment, ["--editable", "."], "the project")
    if layer == "base":
        # A processor or a system library that TensorFlow cannot live with shows here, not in an experiment.
        check = [python, "-I", "-W", "ignore", "-c", "import tensorflow"]
        run(check, root, "TensorFlow 1.15 was installed but does not start here")
    else:  # "project" follows "base" at once
        run([python, "-I", "-m", "pip", "check"], root, "pip check found versions that do not fit together")
    write_stamp(environment.stamp(layer), wanted)


def remove(folder: Path) -> None:
    """Remove an environment; where it is a link, the link alone."""
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    elif folder.exists():
        # First what says that it is in order, should the removal be interrupted.
        for stamp in folder.glob("tf1-lstm-*.json"):
            stamp.unlink()
        shutil.rmtree(str(folder))


def write_stamp(path: Path, content: Dict[str, Any]) -> None:
    """Write a stamp so that it is there as a whole or not at all."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps(content, indent=1) + "\n")
    new.replace(path)


def set_up(root: Path, layers: Sequence[str]) -> List[str]:
    """Bring the environment of the project in ``root`` up to date.

    Args:
      root: the project's folder, with the lock files.
      layers: those wanted beside ``base`` and ``project``.

    Returns:
      The layers that had to be installed.

    Raises:
      SetupError: a step failed; the layer's stamp is not there then.
    """
    environment = Environment(root)
    installed = []
    with locked(root / ".venv.lock"):
        for layer in ["base", "project", *layers]:
            reason = environment.stale(layer)
            if reason:
                say(f".venv ({layer}) {reason}; installing with {sys.executable}")
                install(environment, layer)
                installed.append(layer)
    return installed


def build_engine(root: Path, again: bool) -> None:
    """Build the fast engine where there is a C compiler; it says in a line what it did or lacks."""
    program = str(root / "tf1_lstm" / "graphs" / "engine" / "build.py")
    subprocess.run([sys.executable, "-I", program, *(["--again"] if again else [])], check=False)


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Set up, and say in one line what failed."""
    parser = argparse.ArgumentParser(prog="tools/setup", description="Make or check the environment, .venv.")
    parser.add_argument("layers", nargs="*", metavar="LAYER", help=f"also: {', '.join(OPTIONAL_LAYERS)}")
    layers = parser.parse_args(argv).layers
    unknown = sorted(set(layers) - set(OPTIONAL_LAYERS))
    if unknown:
        parser.error(f"unknown layer {unknown[0]!r}, expected {' or '.join(OPTIONAL_LAYERS)}")
    try:
        installed = set_up(ROOT, layers)
    except SetupError as error:
        say(f"set-up failed: {error}")
        return 1
    except KeyboardInterrupt:
        say("set-up interrupted; it begins again the next time")
        return 130
    build_engine(ROOT, again=not installed)
    say(".venv is ready" if installed else ".venv is up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
