"""CPython as it is installed here, made to run from any folder.

The interpreter, its standard library and the shared libraries that are linked with it are copied; every
library is then looked for beside the interpreter (an ``$ORIGIN`` path, by patchelf). Only the C library is
left to the machine. libstdc++ and libgcc come along, because TensorFlow's wheel is linked with them.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Set

from archive_pack import ArchiveError

# What the C library consists of: it must fit the machine's own loader.
C_LIBRARY = re.compile(
    r"^(linux-vdso|ld-linux.*|libc|libm|libdl|librt|libpthread|libutil|libresolv|libanl|libnss_.*)\.so"
)
# Neither is needed here, and they would bring X11 and Kerberos.
LEFT_OUT = ("_tkinter", "nis")
IGNORED = ("__pycache__", "test", "tests", "idlelib", "turtledemo", "tkinter", "site-packages", "config-3*")
EXTRA = ("libstdc++.so.6", "libgcc_s.so.1")
PROBE = "import json, platform, sys; print(json.dumps([sys.base_prefix, platform.python_version(), platform.libc_ver()]))"


class Python(NamedTuple):
    """A relocatable CPython.

    Attributes:
      folder: with ``bin``, ``lib`` and ``include``.
      version: such as ``"3.7.16"``.
      glibc: the oldest C library that it starts with, such as ``"2.35"``.
      libraries: file name -> where it was copied from, of the shared libraries beside it.
    """

    folder: Path
    version: str
    glibc: str
    libraries: Dict[str, Path]


def relocate(python: Path, folder: Path, patchelf: Path) -> Python:
    """Copy the CPython that ``python`` (or the environment that it is of) belongs to.

    Raises:
      ArchiveError: a library that it needs is not on this machine.
    """
    answer = subprocess.run([str(python), "-I", "-c", PROBE], stdout=subprocess.PIPE, check=True).stdout
    found: List[Any] = json.loads(answer)
    prefix, version = Path(found[0]), str(found[1])
    short = ".".join(version.split(".")[:2])
    if folder.exists():
        shutil.rmtree(str(folder))
    (folder / "bin").mkdir(parents=True)
    ignore = shutil.ignore_patterns(*IGNORED, "*.a", *(f"{name}.*.so" for name in LEFT_OUT))
    shutil.copytree(str(prefix / f"lib/python{short}"), str(folder / f"lib/python{short}"), ignore=ignore)
    (folder / f"lib/python{short}/site-packages").mkdir()
    (folder / f"lib/python{short}/site-packages/README.txt").write_text("Packages go into an environment.\n")
    shutil.copytree(str(prefix / "include"), str(folder / "include"))
    shutil.copy2(str(prefix / f"bin/python{short}"), str(folder / f"bin/python{short}"))
    modules = [
        folder / f"bin/python{short}",
        *sorted((folder / f"lib/python{short}/lib-dynload").glob("*.so")),
    ]
    libraries = linked(modules)
    for name, source in libraries.items():
        shutil.copy2(str(source.resolve()), str(folder / "lib" / name))
    for path in [*modules, *(folder / "lib" / name for name in libraries)]:
        # The old kind of path (--force-rpath) holds for the libraries of a module's libraries as well.
        up = {"bin": "$ORIGIN/../lib", "lib": "$ORIGIN"}.get(path.parent.name, "$ORIGIN/../..")
        path.chmod(0o755)
        subprocess.run([str(patchelf), "--force-rpath", "--set-rpath", up, str(path)], check=True)
    files = [path for path in folder.rglob("*") if path.is_symlink()]
    for link in files:
        link.unlink()  # none is needed, and not every file system has links
    return Python(folder, version, newest_glibc(folder), libraries)


def linked(modules: List[Path]) -> Dict[str, Path]:
    """Name -> path of the shared libraries of ``modules`` and of theirs, without the C library's."""
    told = subprocess.run(["ldd", *map(str, modules)], stdout=subprocess.PIPE, check=True).stdout.decode()
    lost = re.search(r"(\S+) => not found", told)
    if lost:
        raise ArchiveError(f"{lost.group(1)}: not found on this machine, and its Python is linked with it")
    found = {name: Path(path) for name, path in re.findall(r"(\S+) => (/\S+)", told)}
    known = subprocess.run(["/sbin/ldconfig", "-p"], stdout=subprocess.PIPE, check=True).stdout.decode()
    for name in EXTRA:
        place = re.search(rf"{re.escape(name)} \(libc6,x86-64[^)]*\) => (/\S+)", known)
        if place is None:
            raise ArchiveError(f"{name}: not found on this machine, and TensorFlow is linked with it")
        found[name] = Path(place.group(1))
    return {name: path for name, path in sorted(found.items()) if not C_LIBRARY.match(name)}


def newest_glibc(folder: Path) -> str:
    """The newest version of a glibc symbol that a file below ``folder`` names."""
    versions: Set[bytes] = set()
    for path in folder.rglob("*"):
        if path.is_file() and (path.suffix == ".so" or ".so." in path.name or path.parent.name == "bin"):
            versions.update(re.findall(rb"\0GLIBC_(\d+\.\d+)", path.read_bytes()))
    newest = max(versions, key=lambda text: [int(part) for part in text.split(b".")], default=b"2.17")
    return newest.decode()


def owner_of(library: Path) -> Dict[str, str]:
    """The Debian package, its version and its licence file, where dpkg knows a library; else nothing."""
    if shutil.which("dpkg-query") is None:
        return {}
    real = str(library.resolve())
    for path in (real, real.replace("/usr/lib/", "/lib/", 1)):
        asked = subprocess.run(["dpkg-query", "--search", path], capture_output=True, text=True, check=False)
        if asked.returncode == 0:
            name = asked.stdout.split(":")[0]
            form = "${Version}\n"
            version = subprocess.run(
                ["dpkg-query", "--show", f"--showformat={form}", name],
                capture_output=True,
                text=True,
                check=False,
            ).stdout.split("\n")[0]
            return {"name": name, "version": version, "licence": f"/usr/share/doc/{name}/copyright"}
    return {}
