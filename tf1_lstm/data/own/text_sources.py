"""Where labelled texts come from: tables, or folders with a folder for each class."""

import hashlib
import os
from pathlib import Path
from typing import Iterator, List, NamedTuple, Optional, Sequence, Tuple, Union

from tf1_lstm.data.guards import regular_file
from tf1_lstm.data.own.splits import TEST, TRAIN, VALIDATION, Share, files_and_shares, split_number
from tf1_lstm.data.own.tables import Format, decoded_lines, read_rows
from tf1_lstm.errors import InputError

LONGEST_TEXT = 64 << 20  # bytes of one file
DRAWN = -1  # the split of what a share is taken of


class LabelledText(NamedTuple):
    """One text.

    Attributes:
      text: as it is in its file.
      label: the name of its class.
      split: a number of ``splits``, or ``DRAWN``.
      place: the file, or file and line, for errors.
    """

    text: str
    label: str
    split: int
    place: str


class TextTable(NamedTuple):
    """Texts in the rows of a CSV, TSV or JSON lines file.

    Attributes:
      path: the file.
      text, label: names of the columns.
      split: the number of a split, or ``DRAWN``.
      split_column: the column that names each row's split, or empty.
      how: see ``Format``.
    """

    path: Path
    text: str
    label: str
    split: int = DRAWN
    split_column: str = ""
    how: Format = Format()

    def texts(self) -> Iterator[LabelledText]:
        """Row by row.

        Raises:
          InputError: see ``read_rows``; an empty label, or a split that has no usual name.
        """
        columns = [self.text, self.label] + ([self.split_column] if self.split_column else [])
        for line, (text, label, *named) in read_rows(self.path, columns, self.how):
            place = f"{self.path}: line {line:,}"
            if not label.strip():
                raise InputError(f"{place}: found no value in the column {self.label!r}, expected a label")
            yield LabelledText(
                text, label.strip(), split_number(named[0], place) if named else self.split, place
            )

    def files(self) -> List[Path]:
        """The file."""
        return [self.path]


class TextFolder(NamedTuple):
    """Texts in the files of a folder's folders, which are the classes.

    Attributes:
      path: the folder.
      classes: the folders that count; every one where none is named.
      split: the number of a split, or ``DRAWN``.
      encoding: of the files.
    """

    path: Path
    classes: Tuple[str, ...] = ()
    split: int = DRAWN
    encoding: str = "utf-8"

    def texts(self) -> Iterator[LabelledText]:
        """File by file, folders and files sorted by name as bytes; hidden files are passed over.

        Raises:
          InputError: no folder, or one without files; a file that is none, is too large or is in
            another encoding.
        """
        for path in self.files():
            with regular_file(path) as stream:
                if path.stat().st_size > LONGEST_TEXT:
                    raise InputError(
                        f"{path}: found {path.stat().st_size:,} bytes, "
                        f"expected a text of at most {LONGEST_TEXT:,}"
                    )
                text = "".join(decoded_lines(stream, path, self.encoding))
            yield LabelledText(text, path.parent.name, self.split, str(path))

    def files(self) -> List[Path]:
        """Every file that counts, in order."""
        found: List[Path] = []
        for folder in self._folders():
            names = sorted((name for name in _names(folder) if not name.startswith(".")), key=os.fsencode)
            files = [folder / name for name in names if not (folder / name).is_dir()]
            if not files:
                raise InputError(f"{folder}: found no file, expected a text in each")
            found += files
        return found

    def _folders(self) -> List[Path]:
        names = [
            name for name in _names(self.path) if not name.startswith(".") and (self.path / name).is_dir()
        ]
        missing = [name for name in self.classes if name not in names]
        if missing or not names:
            expected = f"the folder {missing[0]!r}" if missing else "a folder for each class"
            shown = ", ".join(sorted(names)[:8]) or "no folder"
            raise InputError(f"{self.path}: found {shown}, expected {expected}")
        return [self.path / name for name in sorted(self.classes or names, key=os.fsencode)]


TextSource = Union[TextTable, TextFolder]


def _names(folder: Path) -> List[str]:
    try:
        return os.listdir(str(folder))
    except OSError as error:
        raise InputError(f"{folder}: {error.strerror or error}; expected a folder") from error


def table_sources(
    path: Path,
    text: str,
    label: str,
    validation: Share,
    test: Share,
    split_column: str,
    how: Format,
) -> Tuple[List[TextTable], float, float]:
    """A table and those of its other splits; and the shares to be drawn of the first.

    Args:
      path: the table that is trained on.
      text: name of the texts' column.
      label: name of the labels' column.
      validation: another table's path, or a share of this one.
      test: another table's path, or a share of this one.
      split_column: the column that names each row's split; then there are no shares.
      how: see ``Format``.
    """
    first = TextTable(Path(path), text, label, TRAIN if split_column else DRAWN, split_column, how)
    others, shares = files_and_shares(validation, test)
    if split_column:
        shares = dict.fromkeys(shares, 0.0)
    named = [first._replace(path=other, split=split, split_column="") for split, other in others]
    return [first, *named], shares[VALIDATION], shares[TEST]


def folder_sources(
    path: Path, classes: Sequence[str], validation: Share, test: Share, encoding: str
) -> Tuple[List[TextFolder], float, float]:
    """The same of folders; ``classes`` as in ``TextFolder``."""
    first = TextFolder(Path(path), tuple(classes), DRAWN, encoding)
    others, shares = files_and_shares(validation, test)
    named = [first._replace(path=other, split=split) for split, other in others]
    return [first, *named], shares[VALIDATION], shares[TEST]


def sha256_of_files(paths: Sequence[Path], above: Optional[Path] = None) -> str:
    """SHA-256 over a line for each file: the SHA-256 of its bytes, two spaces, its name, a line end.

    ``find . -type f | sort | xargs sha256sum | sha256sum`` gives the same in the folder ``above``, but
    for its ``./``.
    """
    whole = hashlib.sha256()
    for path in paths:
        with regular_file(path) as stream:
            content = hashlib.sha256(stream.read()).hexdigest()
        name = path if above is None else path.relative_to(above)
        whole.update(f"{content}  {name}\n".encode("utf-8", "surrogateescape"))
    return whole.hexdigest()
