"""Reads CSV, TSV and JSON lines row by row, and says where a file is not what it should be."""

import codecs
import csv
import io
import json
from pathlib import Path
from typing import Any, BinaryIO, Dict, Iterator, List, NamedTuple, Sequence, Tuple

from tf1_lstm.data.archives import open_stream
from tf1_lstm.data.guards import kind_of
from tf1_lstm.errors import InputError
from tf1_lstm.files import whole_number

MOST_BYTES = 8 << 30
LONGEST_FIELD = 16 << 20  # characters; an unclosed quote takes in everything up to here
_SEPARATORS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
_JSON_LINES = (".jsonl", ".ndjson", ".json")
_PACKED = (".gz", ".xz", ".zip")
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

Row = Tuple[int, List[str]]


class Format(NamedTuple):
    """How a table is written, where its name does not say it.

    Attributes:
      encoding: a codec of Python's.
      separator: between fields; by default a comma, or a tab for ``.tsv`` and ``.tab``.
      names: of the columns, for a file whose first line is no header.
    """

    encoding: str = "utf-8"
    separator: str = ""
    names: Tuple[str, ...] = ()


DEFAULT_FORMAT = Format()


def read_rows(path: Path, columns: Sequence[str], how: Format = DEFAULT_FORMAT) -> Iterator[Row]:
    """Read some columns of a table, from its first row to its last.

    A CSV is read as RFC 4180 says, line breaks inside quotes included; a TSV has no quotes. Each line
    of JSON lines is one object; a number or a truth value becomes its JSON text. Any may be packed
    (``.gz``, ``.xz``, ``.zip``). Empty lines are passed over.

    Args:
      path: ``.csv``, ``.tsv``, ``.tab``, ``.jsonl``, ``.ndjson`` or ``.json``.
      columns: names of the columns.
      how: see ``Format``.

    Yields:
      The number of a row's last line, from 1, and its values in the order of ``columns``.

    Raises:
      InputError: missing, of an unknown kind, too large, damaged, in another encoding, without such
        a column or without any row; a row of too few or too many fields, or an unclosed quote.
    """
    kind = _kind(path)
    check_size(path)
    found = False
    with open_stream(path, limit=MOST_BYTES) as stream:
        lines = decoded_lines(stream, path, how.encoding)
        if kind in _JSON_LINES:
            rows = _json_rows(lines, path, columns)
        else:
            rows = _separated_rows(lines, path, columns, how, how.separator or _SEPARATORS[kind], kind)
        for row in rows:
            found = True
            yield row
    if not found:
        raise InputError(f"{path}: found no row, expected some")


def check_size(path: Path, most: int = MOST_BYTES) -> None:
    """Refuse a file that is missing or has more than ``most`` bytes, before it is read."""
    kind_of(path)
    size = path.stat().st_size
    if size > most:
        raise InputError(f"{path}: found {size:,} bytes, expected at most {most:,} (take a part of its rows)")
    if not size:
        raise InputError(f"{path}: found an empty file, expected text")


def decoded_lines(stream: BinaryIO, path: Path, encoding: str) -> Iterator[str]:
    """The lines of a text with their ends.

    Raises:
      InputError: an unknown encoding, bytes that are not of it, or a line of more than 16 MB.
    """
    try:
        codec = codecs.lookup(encoding)
        single = "\n".encode(encoding) == b"\n"
    except (LookupError, UnicodeError, TypeError, ValueError) as error:
        raise InputError(f"encoding: found {encoding!r}, expected one that Python knows, as utf-8") from error
    number = 0
    if not single:
        reader = io.TextIOWrapper(stream, encoding=encoding, newline="")
        try:
            for line in iter(lambda: reader.readline(LONGEST_FIELD), ""):
                number += 1
                yield line
        except (UnicodeError, EOFError) as error:
            raise _other_encoding(path, number + 1, encoding, str(error)) from error
        return
    is_utf8 = codec.name == "utf-8"
    for found in iter(lambda: stream.readline(LONGEST_FIELD), b""):
        content = found
        number += 1
        if number == 1 and is_utf8:
            _refuse_other_unicode(path, found)
            content = found[3:] if found.startswith(codecs.BOM_UTF8) else found
        try:
            line, _ = codec.decode(content)
        except UnicodeDecodeError as error:
            byte = f"the byte 0x{content[error.start]:02x} at column {error.start + 1:,}"
            raise _other_encoding(path, number, encoding, byte) from error
        if len(content) >= LONGEST_FIELD:
            raise InputError(
                f"{path}: line {number:,}: found more than {LONGEST_FIELD:,} bytes, expected a line end"
            )
        yield line


def _other_encoding(path: Path, line: int, encoding: str, found: str) -> InputError:
    hint = " (encoding='cp1252' and 'latin-1' are usual others)" if encoding.lower().startswith("utf") else ""
    return InputError(f"{path}: line {line:,}: found {found}, expected {encoding}{hint}")


def _refuse_other_unicode(path: Path, start: bytes) -> None:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if start.startswith(mark):
            raise InputError(
                f"{path}: line 1: found the mark of {encoding}, expected utf-8 "
                f"(encoding={encoding!r} reads it)"
            )


def _kind(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in _PACKED:
        suffixes.pop()
    kind = suffixes[-1] if suffixes else ""
    if kind not in _SEPARATORS and kind not in _JSON_LINES:
        expected = ", ".join((*_SEPARATORS, *_JSON_LINES))
        raise InputError(f"{path}: found a name that ends in {path.suffix!r}, expected one of {expected}")
    return kind


def _separated_rows(
    lines: Iterator[str], path: Path, columns: Sequence[str], how: Format, separator: str, kind: str
) -> Iterator[Row]:
    if len(separator) != 1 or separator in '"\r\n':
        raise InputError(f"separator: found {separator!r}, expected one character")
    csv.field_size_limit(LONGEST_FIELD)
    quoting = csv.QUOTE_MINIMAL if kind == ".csv" else csv.QUOTE_NONE
    reader = csv.reader(lines, delimiter=separator, quoting=quoting, strict=True)
    places: List[int] = _places(path, how.names, columns, separator) if how.names else []
    width, began = len(how.names), 1
    while True:
        try:
            fields = next(reader, None)
        except csv.Error as error:
            where = (
                f"line {began:,}" if began >= reader.line_num else f"lines {began:,} to {reader.line_num:,}"
            )
            raise InputError(
                f"{path}: {where}: found {_plain(error)}, expected fields that end and quotes that close"
            ) from error
        if fields is None:
            return
        began = reader.line_num + 1
        if not fields:
            continue
        if not width:
            places, width = _places(path, fields, columns, separator), len(fields)
            continue
        if len(fields) != width:
            raise InputError(
                f"{path}: line {reader.line_num:,}: found {_count(len(fields), 'field')}, expected {width:,}"
            )
        yield reader.line_num, [fields[place] for place in places]


def _plain(error: csv.Error) -> str:
    reason = str(error)
    if "unexpected end of data" in reason:
        return "the end of the file inside quotes"
    if "field larger than" in reason:
        return f"a field of more than {LONGEST_FIELD:,} characters"
    if "NUL" in reason:
        return "a NUL byte"
    return reason


def _places(path: Path, found: Sequence[str], columns: Sequence[str], separator: str) -> List[int]:
    names = [name.strip() for name in found]
    for column in columns:
        if names.count(column) != 1:
            how_often = "twice or more" if column in names else "not at all"
            shown = ", ".join(names)
            other = next(
                (mark for mark in ";\t|," if mark != separator and mark in shown and len(names) == 1), ""
            )
            hint = f" (separator={other!r} splits them)" if other else ""
            raise InputError(
                f"{path}: line 1: found the column {column!r} {how_often} among {shown[:200]}; "
                f"expected it once{hint}"
            )
    return [names.index(column) for column in columns]


def _json_rows(lines: Iterator[str], path: Path, columns: Sequence[str]) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            document = json.loads(line, parse_int=whole_number)
        except (ValueError, RecursionError) as error:
            hint = " (one object a line, not one list)" if line.lstrip().startswith("[") else ""
            raise InputError(f"{path}: line {number:,}: found no JSON, expected an object{hint}") from error
        if not isinstance(document, dict):
            raise InputError(f"{path}: line {number:,}: found {_json_kind(document)}, expected an object")
        yield number, [_json_value(document, column, path, number) for column in columns]


def _json_value(document: Dict[str, Any], column: str, path: Path, line: int) -> str:
    if column not in document:
        shown = ", ".join(document)
        raise InputError(
            f"{path}: line {line:,}: found {shown[:200] or 'nothing'}, expected the key {column!r}"
        )
    value = document[column]
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, int, float)):
        return json.dumps(value)
    raise InputError(
        f"{path}: line {line:,}: found {_json_kind(value)} at {column!r}, expected a text or a number"
    )


def _json_kind(value: Any) -> str:
    return "null" if value is None else f"a {type(value).__name__}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")
