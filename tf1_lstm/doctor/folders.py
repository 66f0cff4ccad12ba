"""The data and checkpoint folders: what is there, whether it is whole, and where one may write."""

import gzip
import hashlib
import json
import os
import re
import tempfile
from pathlib import Path
from typing import IO, Dict, Iterator, List, Optional, Tuple

from tf1_lstm.data.sources import PUBLIC_FILES, PublicFile
from tf1_lstm.doctor.findings import OK, PROBLEM, PROJECT, UNCHECKED, WARNING, Clock, Finding, size_text

CHUNK = 1 << 20
MOST_CHECKPOINTS = 20
IMDB_FILES = ("wordsList.npy", "wordVectors.npy", "idsMatrix.npy", "idsMatrixTest.npy")
# Of whole files as published. The ids' order is not known, so that no file of theirs is "the" one.
PUBLISHED_ARRAYS = {
    "wordsList.npy": "8d881259aa3131ee5d61ae33d27040a223fe76266aaee24e6885d8b05e567a4a",
    "wordVectors.npy": "8eeeb0808feeb0202ee8dde7e933353f74dc466b1f400cf733a539e11003ab6a",
}
PREPARE = (
    "tf1-lstm prepare imdb --reviews {0}/imdb/aclImdb_v1.tar.gz --glove {0}/glove/glove.6B.50d.txt --data {0}"
)


def examine_data(folder: Path, clock: Clock) -> List[Finding]:
    """Examine the data folder, the smaller files first, as long as the clock allows.

    Args:
      folder: as after ``--data``.
      clock: what is left of the examination.
    """
    if not folder.is_dir():
        found = "no such folder; the embedded sample works without"
        return [examine_sample(), Finding("data", str(folder), WARNING, found, "tf1-lstm fetch all")]
    jobs = [(folder / public.what / public.name, public) for public in PUBLIC_FILES]
    jobs.sort(key=lambda job: job[1].content_bytes)
    findings = [examine_public(path, public, clock) for path, public in jobs]
    return [examine_sample(), *examine_arrays(folder, clock), *findings]


def examine_sample() -> Finding:
    """The embedded sample, on which everything can be tried."""
    files = [path for path in (PROJECT / "data" / "sample").glob("*/*") if path.is_file()]
    if not files:
        fix = "use a complete copy of the project"
        return Finding("data", "sample", PROBLEM, f"not in {PROJECT / 'data' / 'sample'}", fix)
    return Finding("data", "sample", OK, f"{len(files)} files")


def examine_public(path: Path, public: PublicFile, clock: Clock) -> Finding:
    """Compare a public file, as ``fetch`` keeps it, with its published content."""
    name = f"{public.what}/{public.name}"
    fetch = f"tf1-lstm fetch {public.what}"
    if not path.is_file():
        return Finding("data", name, WARNING, "not there", fetch)
    size = size_text(path.stat().st_size)
    if public.kept == "reviews":
        return Finding("data", name, OK, size + f"; `{fetch}` checks its content")
    try:
        with path.open("rb") as raw:
            opened = gzip.GzipFile(fileobj=raw) if public.kept == "gzip" else raw
            digest = sha256(opened, clock)  # type: ignore[arg-type]
    except (OSError, EOFError) as error:
        return Finding("data", name, PROBLEM, f"{size}, not whole: {error}", f"rm {path}; {fetch}")
    return compare_digest(name, path, size, digest, public.sha256, fetch)


def examine_arrays(folder: Path, clock: Clock) -> List[Finding]:
    """Compare the IMDB arrays with the manifest that ``prepare`` wrote, or with the published ones."""
    where = folder / "imdb" if (folder / "imdb").is_dir() else folder
    recorded = recorded_digests(where / "manifest.json")
    prepare = PREPARE.format(folder)
    present = [where / name for name in IMDB_FILES if (where / name).is_file()]
    if not present:
        return [Finding("data", "imdb arrays", WARNING, "not prepared", prepare)]
    findings = []
    for path in present:
        size = size_text(path.stat().st_size)
        expected = recorded.get(path.name) or PUBLISHED_ARRAYS.get(path.name)
        with path.open("rb") as stream:
            digest = sha256(stream, clock)
        finding = compare_digest("imdb/" + path.name, path, size, digest, expected, prepare)
        findings.append(finding)
    return findings


def recorded_digests(manifest: Path) -> Dict[str, str]:
    """File name -> SHA-256 from a manifest; nothing where it is missing or malformed."""
    try:
        files = json.loads(manifest.read_text(encoding="utf-8"))["files"]
        return {name: str(entry["sha256"]) for name, entry in files.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def compare_digest(
    name: str, path: Path, size: str, digest: Optional[str], expected: Optional[str], fix: str
) -> Finding:
    """Judge a file's SHA-256; None stands for one that was not computed, or is not known."""
    if digest is None:
        command = f"sha256sum {path}" + (f"  # expected {expected}" if expected else "")
        return Finding(
            "data", name, UNCHECKED, size + ", not hashed in the time that the doctor has", command
        )
    if expected is None:
        return Finding("data", name, OK, f"{size}, SHA-256 {digest} (no published one to compare with)")
    if digest != expected:
        found = f"{size}, SHA-256 {digest}, expected {expected}"
        return Finding("data", name, PROBLEM, found, fix)
    return Finding("data", name, OK, f"{size}, SHA-256 {digest} as expected")


def sha256(stream: IO[bytes], clock: Clock) -> Optional[str]:
    """SHA-256 of what a stream holds, or None where the time does not suffice."""
    digest = hashlib.sha256()
    while clock.left():
        chunk = stream.read(CHUNK)
        if not chunk:
            return digest.hexdigest()
        digest.update(chunk)
    return None


def examine_checkpoints(folder: Path, clock: Clock) -> List[Finding]:
    """Examine every checkpoint of the bundle format below a folder: all shards there, and their SHA-256."""
    if not folder.is_dir():
        return [Finding("checkpoints", str(folder), OK, "no such folder")]
    prefixes = sorted({path.with_suffix("") for path in folder.rglob("*.index") if path.is_file()})
    lone = sorted({prefix for prefix in data_prefixes(folder) if prefix not in prefixes})
    if not prefixes and not lone:
        return [Finding("checkpoints", str(folder), OK, "no checkpoint of the bundle format")]
    findings = [examine_checkpoint(prefix, folder, clock) for prefix in prefixes[:MOST_CHECKPOINTS]]
    if len(prefixes) > MOST_CHECKPOINTS:
        found = f"{len(prefixes) - MOST_CHECKPOINTS} more, not looked at"
        findings.append(Finding("checkpoints", str(folder), OK, found))
    for prefix in lone:
        name = str(prefix.relative_to(folder))
        fix = f"copy {prefix.name}.index beside it"
        findings.append(Finding("checkpoints", name, PROBLEM, "data without an index", fix))
    return findings


def data_prefixes(folder: Path) -> Iterator[Path]:
    """The prefix of every data file of the bundle format."""
    for path in folder.rglob("*.data-*-of-*"):
        yield path.with_name(path.name.rsplit(".data-", 1)[0])


def examine_checkpoint(prefix: Path, folder: Path, clock: Clock) -> Finding:
    """Look at one checkpoint's files."""
    name = str(prefix.relative_to(folder))
    shards = sorted(prefix.parent.glob(prefix.name.replace("[", "[[]") + ".data-*-of-*"))
    count, missing = count_shards(shards)
    if missing:
        found = f"{missing} of {count} data files are missing"
        fix = f"copy {prefix.name}.data-* beside the index"
        return Finding("checkpoints", name, PROBLEM, found, fix)
    total, digests = 0, []
    for path in [prefix.with_name(prefix.name + ".index"), *shards]:
        total += path.stat().st_size
        with path.open("rb") as stream:
            digests.append(sha256(stream, clock))
    listed = ", ".join(digest or "not computed in the time" for digest in digests)
    found = f"{size_text(total)}, SHA-256 of its files: {listed}"
    return Finding("checkpoints", name, OK, found)


def count_shards(shards: List[Path]) -> Tuple[int, int]:
    """How many data files a checkpoint has by its files' names, and how many of them are missing."""
    counts = [re.search(r"-of-(\d{5})$", path.name) for path in shards]
    count = max([int(found.group(1)) for found in counts if found], default=1)
    return count, max(0, count - len(shards))


def examine_writing(folders: List[Path]) -> List[Finding]:
    """Try to write where runs, data and checkpoints go, and where temporary files do."""
    return [try_to_write(folder) for folder in [*folders, Path(tempfile.gettempdir())]]


def try_to_write(folder: Path) -> Finding:
    """Write a file in a folder, or in the nearest one above it that exists, and remove it."""
    place = folder.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        with tempfile.NamedTemporaryFile(dir=str(place), prefix=".tf1-lstm-"):
            pass
    except OSError as error:
        found = f"cannot be written: {error.strerror or error}"
        user = f"{os.getuid()}:{os.getgid()}" if hasattr(os, "getuid") else "this user"
        fix = f"give {place} to {user} (chown), or run as its owner (docker run --user)"
        return Finding("folders", str(folder), WARNING, found, fix)
    note = "writable" if place == folder.absolute() else "is made when needed"
    return Finding("folders", str(folder), OK, note)
