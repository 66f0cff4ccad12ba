"""Holds files against the manifest that ``prepare`` wrote beside them: one flipped bit is noticed.

Hashing is done for all files at once in threads, and once for a large file's content and time stamps
(``tf1_lstm.data.checked``).
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Dict, Sequence

from tf1_lstm.data.checked import remembered_sha256
from tf1_lstm.errors import InputError
from tf1_lstm.files import read_json

MANIFEST_FILE = "manifest.json"


def check_manifest(folder: Path, names: Sequence[str]) -> None:
    """Compare files with their SHA-256 in the folder's manifest, where there is one.

    Args:
      folder: holds the files and perhaps ``manifest.json``.
      names: files to be checked, where they are there and the manifest has them.

    Raises:
      InputError: a file is not the one that the manifest was written with, or the manifest is none.
    """
    path = folder / MANIFEST_FILE
    if not path.is_file():
        return
    expected = recorded_hashes(path)
    wanted = [name for name in names if name in expected and (folder / name).is_file()]
    with ThreadPoolExecutor(max_workers=max(1, len(wanted))) as threads:
        found = dict(zip(wanted, threads.map(lambda name: _hash(folder / name), wanted)))
    for name in wanted:
        if found[name] != expected[name]:
            raise InputError(
                f"{folder / name}: found SHA-256 {found[name][:16]}…, expected {expected[name][:16]}… as "
                f"{MANIFEST_FILE} says (`tf1-lstm prepare` makes the files again; remove the manifest if the "
                "change is yours)"
            )


def recorded_hashes(path: Path) -> Dict[str, str]:
    """File name -> SHA-256 of a manifest's ``files``.

    Raises:
      InputError: it is not such a manifest.
    """
    try:
        return {str(name): str(entry["sha256"]) for name, entry in read_json(path)["files"].items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: no SHA-256 of its files in it, expected prepare's manifest") from error


def _hash(path: Path) -> str:
    try:
        return remembered_sha256(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
