"""Reads the Large Movie Review Dataset: a folder or an archive of ``{train,test}/{pos,neg}/*.txt``."""

import hashlib
import re
from pathlib import Path
from typing import Dict, List, NamedTuple, Tuple

from tf1_lstm.data.archives import iterate_members
from tf1_lstm.data.progress import Progress, complete, silent
from tf1_lstm.errors import InputError

Part = Tuple[str, str]
PARTS: Tuple[Part, ...] = (("train", "pos"), ("train", "neg"), ("test", "pos"), ("test", "neg"))
PUBLIC_REVIEWS = 50_000
ARCHIVE = "aclImdb_v1.tar.gz"
_MEMBER = re.compile(r"(?P<root>(?:.*/)?)(?P<split>train|test)/(?P<side>pos|neg)/(?P<file>[^/.][^/]*\.txt)")
_LINE_END = re.compile("\r\n|\r|\n")
_LIMIT = 2 << 30
_LONGEST_REVIEW = 4 << 20


class Corpus(NamedTuple):
    """The reviews of one folder or archive.

    Attributes:
      lines: for each of ``PARTS`` the first line of every review, in the order of the file names
        sorted as byte strings. Only the first line counts, because the tutorial reads no more.
      sha256: over names and contents of all reviews in that order, so the same for every wrapping.
    """

    lines: Dict[Part, List[str]]
    sha256: str

    def of(self, split: str) -> List[str]:
        """The lines of ``"train"`` or ``"test"``: all positive ones, then all negative ones."""
        return self.lines[split, "pos"] + self.lines[split, "neg"]


def find_reviews(path: Path) -> Path:
    """``path`` itself, or the public archive in the folder ``path`` where it is not unpacked there."""
    folder = Path(path)
    if any((folder / below / "train").is_dir() for below in ("", "aclImdb", "imdb/aclImdb")):
        return folder
    archives = (folder / below / ARCHIVE for below in ("", "imdb"))
    return next((archive for archive in archives if archive.is_file()), folder)


def read_reviews(path: Path, progress: Progress = silent) -> Corpus:
    """Read every review below ``path``.

    Args:
      path: a folder, ``.tar.gz`` or ``.zip`` that holds ``train/pos``, ``train/neg``,
        ``test/pos`` and ``test/neg`` (at any depth, but only once), or the archive's folder.
      progress: shows how many reviews have been read.

    Raises:
      InputError: one of the four parts is missing or there twice, positive and negative ones
        differ in number, or a review is not UTF-8.
    """
    path = find_reviews(path)
    found: Dict[Part, List[Tuple[bytes, bytes]]] = {part: [] for part in PARTS}
    roots = set()
    with progress(PUBLIC_REVIEWS, "reviews", "reviews") as bar:
        for name, content in iterate_members(path, _is_review, _LIMIT, _LONGEST_REVIEW):
            match = _MEMBER.fullmatch(name)
            if match is None:
                continue
            roots.add(match.group("root"))
            found[match.group("split"), match.group("side")].append((match.group("file").encode(), content))
            bar.update()
        complete(bar)
    _check_parts(found, sorted(roots), path)
    digest = hashlib.sha256()
    lines = {}
    for split, side in PARTS:
        folder = f"{split}/{side}"
        members = sorted(found.pop((split, side)))
        lines[split, side] = [_first_line(f"{path}: {folder}/", name, data) for name, data in members]
        for file, data in members:
            digest.update(b"%s/%s\0%d\0" % (folder.encode(), file, len(data)))
            digest.update(data)
    return Corpus(lines, digest.hexdigest())


def _is_review(name: str) -> bool:
    return _MEMBER.fullmatch(name) is not None and not name.startswith("__MACOSX/")


def _check_parts(found: Dict[Part, List[Tuple[bytes, bytes]]], roots: List[str], path: Path) -> None:
    missing = ["/".join(part) for part in PARTS if not found[part]]
    if missing:
        raise InputError(
            f"{path}: found no reviews (*.txt) in {', '.join(missing)}, "
            "expected train/pos, train/neg, test/pos and test/neg"
        )
    if len(roots) > 1:
        raise InputError(
            f"{path}: found reviews below {roots[0]!r} and below {roots[1]!r}, expected one copy"
        )
    for split in ("train", "test"):
        positive, negative = len(found[split, "pos"]), len(found[split, "neg"])
        if positive != negative:
            raise InputError(
                f"{path}: found {positive:,} reviews in {split}/pos and {negative:,} in {split}/neg, "
                "expected as many of each (an incomplete download or unpacking?)"
            )


def _first_line(where: str, name: bytes, data: bytes) -> str:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        shown = name.decode("utf-8", "replace")
        raise InputError(
            f"{where}{shown}: found bytes that are not UTF-8 at {error.start:,}, expected UTF-8 text"
        ) from error
    return _LINE_END.split(text, 1)[0]
