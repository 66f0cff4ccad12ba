"""What a file is that should have been a checkpoint and is not."""

import os
import re
from typing import Optional

SIGNS = (
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file (Keras weights)"),
    (b"PK\x03\x04", "a zip archive (PyTorch and NumPy also use it); unpack it if it holds a checkpoint"),
    (b"\x1f\x8b", "a gzip file; unpack it first"),
    (b"BZh", "a bzip2 file; unpack it first"),
    (b"\xfd7zXZ\x00", "an xz file; unpack it first"),
    (b"Rar!", "a RAR archive; unpack it first"),
    (b"7z\xbc\xaf", "a 7z archive; unpack it first"),
    (b"\x93NUMPY", "a .npy array"),
    (b"\x80\x02", "a pickle (PyTorch, perhaps)"),
    (b"version https://git-lfs", "a Git LFS pointer, not the file it stands for; run 'git lfs pull'"),
    (b"<!DOCTYPE", "a web page (a download that went wrong)"),
    (b"<html", "a web page (a download that went wrong)"),
)
LFS_SIGN, LFS_SIZE, LFS_LARGEST = b"version https://git-lfs", re.compile(rb"^size (\d{1,18})$", re.M), 1024
TAR_SIGN, TAR_PLACE = b"ustar", 257


def lfs_size(path: str) -> Optional[int]:
    """The size of the file that a Git LFS pointer stands for; None where a file is none."""
    try:
        if os.path.getsize(path) > LFS_LARGEST:
            return None
        with open(path, "rb") as stream:
            content = stream.read(LFS_LARGEST)
    except OSError:
        return None
    size = LFS_SIZE.search(content)
    return int(size.group(1)) if content.startswith(LFS_SIGN) and size else None


def what_is_it(path: str) -> str:
    """A few words on what a file seems to be, for an error message."""
    try:
        with open(path, "rb") as stream:
            head = stream.read(512)
            size = os.fstat(stream.fileno()).st_size
    except OSError as error:
        return f"a file that cannot be read ({error.strerror or error})"
    if not head:
        return "an empty file"
    known = next((name for sign, name in SIGNS if head.lower().startswith(sign.lower())), None)
    if known:
        return known
    if head[TAR_PLACE : TAR_PLACE + len(TAR_SIGN)] == TAR_SIGN:
        return "a tar archive; unpack it first"
    is_text = all(byte in b"\t\r\n\f" or 32 <= byte < 127 for byte in head)
    cut = f"a file of {size:,} bytes that does not end as a checkpoint does (cut off, or another format)"
    return "a text file" if is_text else cut
