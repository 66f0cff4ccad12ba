"""The little text file named ``checkpoint``: which checkpoint a folder's writer thought the newest.

It is read as bytes, because what stands in it was written on somebody else's machine: absolute
paths that are gone, backslashes, octal escapes, and names in the encoding of that system.
"""

import os
import re
import unicodedata
from contextlib import suppress
from typing import List, Set

NAME = "checkpoint"
LARGEST = 1 << 20  # bytes; a longer file is something else
ENTRY = re.compile(rb"^\s*model_checkpoint_path\s*:\s*(\"((?:[^\"\\\n]|\\.)*)\"|'((?:[^'\\\n]|\\.)*)')", re.M)
ESCAPE = re.compile(rb"\\([0-7]{1,3}|[xX][0-9a-fA-F]{1,2}|.)")
PLAIN = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}
ENCODINGS = ("utf-8", "gb18030", "shift_jis", "cp1252", "latin-1")


def named_paths(content: bytes) -> List[str]:
    """The spellings that the newest checkpoint's path may mean, the likeliest first.

    Args:
      content: the bytes of a ``checkpoint`` file.

    Returns:
      One text for each encoding that can hold the bytes, with and without their escapes undone
      (people write Windows paths by hand); empty where the file names nothing.
    """
    content = _as_utf8(content)
    found = list(ENTRY.finditer(content))
    if not found:
        return []
    raw = found[-1].group(2) if found[-1].group(2) is not None else found[-1].group(3)
    spellings: List[str] = []
    for spelling in (ESCAPE.sub(_unescape, raw), raw):
        spellings.append(os.fsdecode(spelling))  # the very bytes, as this system spells them
        for encoding in ENCODINGS:
            with suppress(UnicodeDecodeError):
                spellings.append(spelling.decode(encoding))
    return list(dict.fromkeys(spellings))


def content_for(name: str) -> bytes:
    """A ``checkpoint`` file that names one checkpoint of its own folder, escaped as TensorFlow does."""
    escaped = "".join(_escape(byte) for byte in name.encode("utf-8", "surrogateescape"))
    return f'model_checkpoint_path: "{escaped}"\nall_model_checkpoint_paths: "{escaped}"\n'.encode("ascii")


def _escape(byte: int) -> str:
    if byte in b'"\\':
        return "\\" + chr(byte)
    return chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}"


def last_part(path: str) -> str:
    """The file name at the end of a path of any system."""
    return re.split(r"[/\\]", path)[-1]


def same_name(first: str, second: str) -> bool:
    """Whether two names are the same text (a Mac takes letters and their accents apart)."""
    return _forms(first) & _forms(second) != set()


def _forms(name: str) -> Set[str]:
    return {unicodedata.normalize(form, name) for form in ("NFC", "NFD")} | {name}


def _as_utf8(content: bytes) -> bytes:
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig")):
        if content.startswith(mark):
            return content.decode(encoding, "replace").encode("utf-8")
    return content


def _unescape(match: "re.Match[bytes]") -> bytes:
    code = match.group(1)
    if code[:1].isdigit():
        return bytes([int(code, 8) & 0xFF])
    if code[:1] in b"xX" and len(code) > 1:
        return bytes([int(code[1:], 16)])
    return PLAIN.get(code, code)
