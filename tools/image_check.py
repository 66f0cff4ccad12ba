"""Builds the Dockerfile with buildah on a stand-in base, and checks what came out.

No image is pulled: tools/standin_base.py makes what stands for the bases. The build sees no network
either; its wheels come from build/archive, which is filled from the lock files before. Inside the image are
run the default command, the reproduction on the embedded sample and the tests; then its files are
gone through for owners, secrets, data and caches. All else lies in one temporary folder, which is
removed in the end.

Run as root by tools/image-check. Exit code 0 passed or skipped, 1 failed.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable, Dict, List, Optional

sys.path.insert(0, str(Path(__file__).resolve().parent))

from archive_pack import ArchiveError
from archive_wheels import gather
from image_build import VOLUMES, Buildah, CheckError, Image
from image_contents import forbidden_files, found_canaries, plant_canaries, writable_files
from standin_base import LEAK, StandinError, make_base, make_cpu_base

from tf1_lstm.core.supervisor import adopt_orphans, end_all
from tf1_lstm.graphs.engine.build import source_sha256

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("requirements/pip.txt", "requirements.txt", "requirements/dev.txt")
NEEDED = ("buildah", "debootstrap", "dpkg-deb", "ip", "unshare", "setpriv")
ANYBODY = 4242  # a user id that no image knows
ENGINE_SOURCE = source_sha256()  # as it was when the build began
BASES = {"BASE_IMAGE": "localhost/standin", "CPU_IMAGE": "localhost/standin-cpu"}


class Checks:
    """Runs checks one after the other, and says how long each took."""

    def __init__(self) -> None:
        self.failed: List[str] = []

    def __call__(self, name: str, check: Callable[[], Optional[str]]) -> None:
        """Run one check; it passes unless it raises CheckError."""
        start = time.time()
        try:
            note = check()
            verdict = "ok    "
        except CheckError as error:
            self.failed.append(name)
            verdict, note = "FAILED", None
            print(error, file=sys.stderr, flush=True)
        print(f"{verdict} {time.time() - start:4.0f} s  {name}" + (f": {note}" if note else ""), flush=True)


def main() -> int:
    """Build, check, clean up."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--driver", help="buildah's storage (default: overlay, or vfs where that fails)")
    parser.add_argument("--cpu", action="store_true", help="build and check the cpu target too")
    parser.add_argument("--no-tests", action="store_true", help="leave the test stage out")
    parser.add_argument("--keep", action="store_true", help="leave the temporary folder, and say where it is")
    parser.add_argument("tests", nargs="*", help="for pytest, in place of the whole suite")
    options = parser.parse_args()
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing or os.geteuid() != 0:
        reason = f"{', '.join(missing)} not installed" if missing else "it must be run as root"
        print(f"tf1-lstm: image-check skipped: {reason}")
        return 0
    # Stopped in any way that can be noticed, it leaves no process, no mount and no folder.
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, stop)
    adopt_orphans()
    folder = Path(tempfile.mkdtemp(prefix="tf1-lstm-image-"))
    start = time.time()
    try:
        failed = check_all(folder, options)
    except (CheckError, StandinError, subprocess.CalledProcessError) as error:
        print(f"tf1-lstm: image-check: {error}", file=sys.stderr)
        failed = ["build"]
    finally:
        end_all(os.getpid())
        if options.keep:
            print(f"left in {folder}")
        else:
            remove(folder)
    print(
        f"image-check: {'FAILED: ' + ', '.join(failed) if failed else 'passed'} ({time.time() - start:.0f} s)"
    )
    return 1 if failed else 0


def stop(number: int, frame: object) -> None:
    """End by the way of ``finally``; a second signal does not cut the cleaning up short."""
    for other in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(other, signal.SIG_IGN)
    print("tf1-lstm: image-check: stopped; cleaning up", file=sys.stderr, flush=True)
    sys.exit(128 + number)


def check_all(folder: Path, options: argparse.Namespace) -> List[str]:
    """Make bases and wheels, build every target, run every check; returns the names of the failed ones."""
    check = Checks()
    buildah = Buildah(folder, options.driver or usable_driver(folder / "try"))
    archive, context = ROOT / "build" / "archive", folder / "context"
    check("wheels from the lock files", lambda: download(archive / "wheels"))
    check("stand-in base", lambda: prepare_bases(folder, buildah))
    copy_context(context)
    images: Dict[str, Image] = {}

    def build(target: str) -> None:
        images[target] = buildah.build(target, context, archive, BASES)

    targets = ["runtime", *(["cpu"] if options.cpu else []), *([] if options.no_tests else ["test"])]
    for target in targets:
        check(f"build {target}", lambda target=target: build(target))  # type: ignore[misc]
        if target not in images:
            return check.failed
        if target != "test":
            check_image(check, images[target], folder / f"volumes-{target}", target)
    if "test" in images:
        volumes = images["test"].make_volumes(folder / "volumes-test")
        check("tests", lambda: images["test"].run(volumes, options.tests, limit=1800).splitlines()[-1])
    return check.failed


def check_image(check: Checks, image: Image, volumes: Path, name: str) -> None:
    """The checks of an image that users run."""
    image.make_volumes(volumes)
    check(f"{name}: configuration", lambda: check_config(image))
    check(f"{name}: doctor", lambda: check_doctor(image, volumes))
    check(f"{name}: the fast engine", lambda: check_engine(image, volumes))
    check(f"{name}: the base's packages do not leak in", lambda: check_leak(image, volumes))
    check(f"{name}: reproduction on the sample, as user {ANYBODY}", lambda: check_reproduce(image, volumes))
    check(f"{name}: nothing that may not be there", lambda: none(found_canaries(image.root)))
    check(f"{name}: no secret, data or cache", lambda: none(forbidden_files(image.root)))
    check(f"{name}: nothing that a user could change", lambda: none(writable_files(image.root)))


def check_config(image: Image) -> str:
    """User, entry point, default command, volumes and labels."""
    config = image.config
    if config["User"].split(":")[0] in ("", "0", "root"):
        raise CheckError(f"USER is {config['User']!r}, expected an ordinary user")
    found = (config["Entrypoint"], config["Cmd"], sorted(config["Volumes"]))
    expected = (["tf1-lstm"], ["doctor"], sorted(f"/work/{name}" for name in VOLUMES))
    if found != expected:
        raise CheckError(f"found {found}, expected {expected}")
    return f"user {config['User']}"


def check_doctor(image: Image, volumes: Path) -> str:
    """The default command, and that it finds no fault with what the image brings."""
    image.run(volumes)
    document = json.loads(image.run(volumes, ["doctor", "--json"], user=ANYBODY))
    faults = [finding for finding in document["findings"] if finding["status"] == "problem"]
    packages = [finding for finding in document["findings"] if finding["topic"] == "packages"]
    if faults or not packages or any(finding["status"] != "ok" for finding in packages):
        raise CheckError(json.dumps(faults or packages, indent=1))
    return f"{len(packages)} packages as locked"


def check_engine(image: Image, volumes: Path) -> str:
    """The engine that the image was built with trains, and the run's record names this project's sources."""
    words = [
        "train",
        "mnist-rnn",
        "--sample",
        "--iterations",
        "3",
        "--engine",
        "fast",
        "--run",
        "runs/engine",
    ]
    image.run(volumes, words, user=ANYBODY, limit=300)
    record = json.loads((volumes / "runs/engine/run.json").read_text())["engine"]
    if record["source_sha256"] != ENGINE_SOURCE:
        raise CheckError(f"engine of source {record['source_sha256']}, expected {ENGINE_SOURCE}")
    return str(record["instruction_set"])


def check_leak(image: Image, volumes: Path) -> str:
    """The package that lies in the base's Python 3.7 is not seen by the image's."""
    code = f"import importlib.util as u, sys; sys.exit(u.find_spec({LEAK!r}) is not None)"
    Image(image.root, {**image.config, "Entrypoint": ["python", "-c", code]}).run(volumes, ["-"])
    base = Image(image.root, {**image.config, "Entrypoint": ["/usr/bin/python3.7", "-c", f"import {LEAK}"]})
    base.run(volumes, ["-"])  # the trap is there: the base's own Python does see it
    return LEAK


def check_reproduce(image: Image, volumes: Path) -> str:
    """Every experiment on its sample, as a user that the image does not know; its files are the user's."""
    image.run(volumes, ["reproduce", "--sample"], user=ANYBODY, limit=900)
    files = [path for name in VOLUMES for path in (volumes / name).rglob("*")]
    others = [str(path) for path in files if path.stat().st_uid != ANYBODY]
    if not files or others:
        raise CheckError(f"{len(files)} files in the volumes; of another owner: {others[:5]}")
    return f"{len(files)} files"


def none(found: List[str]) -> None:
    """Raise CheckError where a list of faults is not empty."""
    if found:
        raise CheckError("\n".join([*found[:20], f"{len(found)} in all"]))


def download(wheels: Path) -> str:
    """Fetch what the lock files name with this machine's pip; what `make archive` has fetched is taken."""
    try:
        return f"{len(gather(Path(sys.executable), ROOT, LOCKS, wheels))} files"
    except ArchiveError as error:
        raise CheckError(str(error)) from error


def prepare_bases(folder: Path, buildah: Buildah) -> None:
    """Make both stand-in images."""
    base, cpu_base = folder / "base", folder / "base-cpu"
    make_base(base, Path(sys.base_prefix))
    make_cpu_base(cpu_base, base)
    buildah.import_base(base, BASES["BASE_IMAGE"])
    buildah.import_base(cpu_base, BASES["CPU_IMAGE"])


def usable_driver(folder: Path) -> str:
    """``"overlay"``, or ``"vfs"``, which copies every layer (10 GB in place of 6) and works everywhere."""
    try:
        trial = Buildah(folder, "overlay")
        trial("mount", trial("from", "scratch"))
    except CheckError:
        return "vfs"
    return "overlay"


def copy_context(context: Path) -> None:
    """Copy the project's files as git sees them, and files beside them that may not get into an image."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = (
        subprocess.run(listed, cwd=str(ROOT), stdout=subprocess.PIPE, check=True).stdout.decode().split("\0")
    )
    for name in names:
        if name and (ROOT / name).is_file():
            (context / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(str(ROOT / name), str(context / name))
    plant_canaries(context)


def remove(folder: Path) -> None:
    """Remove the temporary folder and what is mounted below it."""
    mounted = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for point in sorted(mounted, reverse=True):
        if point.startswith(f"{folder}/"):
            subprocess.run(["umount", point], check=False)
    shutil.rmtree(str(folder))


if __name__ == "__main__":
    sys.exit(main())
