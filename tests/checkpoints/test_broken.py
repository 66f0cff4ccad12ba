"""Broken files: refused in one line, at once, without using memory for what they claim."""

import shutil
import struct
import time
import tracemalloc
from pathlib import Path
from typing import Dict, List, Tuple

import numpy as np
import pytest

from tests.checkpoints.support import CASES
from tf1_lstm.checkpoints.formats.bundle import HEADER_KEY
from tf1_lstm.checkpoints.formats.bundle_write import write_bundle
from tf1_lstm.checkpoints.formats.crc32c import crc32c, masked
from tf1_lstm.checkpoints.formats.ordered import slice_key
from tf1_lstm.checkpoints.formats.single import META_KEY
from tf1_lstm.checkpoints.formats.single_write import write_single
from tf1_lstm.checkpoints.formats.sstable_write import write_table
from tf1_lstm.checkpoints.formats.tensors import write_extents, write_shape
from tf1_lstm.checkpoints.formats.wire import bytes_field, fixed32_field, int_field
from tf1_lstm.checkpoints.inspection import inspect
from tf1_lstm.checkpoints.reading import read_checkpoint
from tf1_lstm.errors import InputError

BUNDLE, SINGLE = "1.15-basic_lstm-1x1-7", "0.12-basic_lstm-1x1-7"
LARGEST = 4 << 20  # bytes that refusing a small file may take


def copy(folder: Path, name: str) -> Path:
    for path in CASES.glob(name + "*"):
        shutil.copy(str(path), str(folder))
    return folder / name


def refused(path: Path, reason: str) -> str:
    """Inspect a broken checkpoint; return its error, after checking that it cost next to nothing."""
    tracemalloc.start()
    start = time.process_time()
    try:
        with pytest.raises(InputError, match=reason) as caught:
            inspect(path, {})
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < LARGEST
    assert time.process_time() - start < 2
    assert "\n" not in str(caught.value)
    return str(caught.value)


def entry(shape: Tuple[int, ...], offset: int, size: int, shard: int = 0, kind: int = 1) -> bytes:
    fields = [int_field(1, kind), bytes_field(2, write_shape(shape)), int_field(3, shard)]
    return b"".join([*fields, int_field(4, offset), int_field(5, size), fixed32_field(6, 1)])


def bundle(folder: Path, entries: Dict[bytes, bytes], data: bytes = b"", shards: int = 1) -> Path:
    """A bundle whose index is sound and whose claims are not."""
    header = int_field(1, shards) + bytes_field(3, int_field(1, 1))
    index = write_table(sorted({HEADER_KEY: header, **entries}.items()))
    (folder / "m.index").write_bytes(index)
    (folder / "m.data-00000-of-00001").write_bytes(data)
    return folder / "m"


HUGE = 2**31


@pytest.mark.parametrize(
    ("claim", "reason"),
    [
        (entry((HUGE // 4,), 0, HUGE), "claims bytes 0 to 2,147,483,648"),
        (entry((HUGE // 4,), 0, 16), "16 bytes stored, float32"),
        (entry((2**40, 2**40), 0, 16), "16 bytes stored"),
        (entry((4,), 2**62, 16), "claims bytes"),
        (entry((4,), -16, 16), "claims bytes"),
        (entry((4,), 0, -16), "claims bytes"),
        (entry((4,), 0, 16, shard=3), "data file 3 of 1"),
        (entry((4,), 0, 16, shard=-1), "data file -1 of 1"),
        (entry((-1,), 0, 16), "negative extent"),
        (entry((1,) * 40, 0, 4), "40 dimensions"),
        (entry((4,), 0, 16), "checksum"),
        (b"\xff\xff", "number"),
    ],
)
def test_an_index_that_claims_what_is_not_there_is_refused_at_once(tmp_path, claim, reason):
    refused(bundle(tmp_path, {b"w": claim}, bytes(16)), reason)


def test_two_gigabytes_claimed_in_one_kilobyte_by_slices(tmp_path):
    extents = bytes_field(7, write_extents([(0, -1), (0, -1)]))
    claim = entry((2**15, 2**14), 0, 0) + extents
    key = slice_key("w", [(0, -1), (0, -1)])
    small = entry((2, 2), 0, 16)
    refused(bundle(tmp_path, {b"w": claim, key: small}, bytes(16)), "another type or shape")
    partial = bytes_field(7, write_extents([(0, 2), (0, 2)]))
    claim = entry((2**15, 2**14), 0, 0) + partial
    refused(bundle(tmp_path, {b"w": claim, slice_key("w", [(0, 2), (0, 2)]): small}, bytes(16)), "elements")
    refused(bundle(tmp_path, {b"w": claim}, bytes(16)), "lacks one of its 1 slices")


def single(folder: Path, shape: Tuple[int, ...], values: bytes, extents: List[Tuple[int, int]]) -> Path:
    described = bytes_field(1, b"w") + bytes_field(2, write_shape(shape)) + int_field(3, 1)
    described += bytes_field(4, write_extents(extents))
    saved = (
        bytes_field(1, b"w") + bytes_field(2, write_extents(extents)) + bytes_field(3, bytes_field(5, values))
    )
    entries = [(META_KEY, bytes_field(1, bytes_field(1, described)))]
    entries.append((slice_key("w", extents), bytes_field(2, saved)))
    (folder / "v1").write_bytes(write_table(sorted(entries)))
    return folder / "v1"


@pytest.mark.parametrize(
    ("shape", "values", "extents", "reason"),
    [
        ((HUGE // 4,), bytes(16), [(0, -1)], r"needs 2,147,483,648 bytes, the file has \d{3}$"),
        ((8,), bytes(16), [(0, -1)], "4 values stored"),
        ((2,), bytes(16), [(0, -1)], "4 values stored"),
        ((4,), bytes(15), [(0, -1)], "multiple of element size"),
        ((4,), bytes(16), [(0, 3)], "elements"),
        ((4,), bytes(16), [(2, 4)], "a slice from 2"),
        ((4,), bytes(16), [(0, -1), (0, -1)], "a slice of 2 dimensions"),
    ],
)
def test_a_v1_file_that_claims_what_is_not_there_is_refused_at_once(tmp_path, shape, values, extents, reason):
    refused(single(tmp_path, shape, values, extents), reason)


@pytest.mark.parametrize("name", [BUNDLE, SINGLE])
def test_every_truncation_is_refused(tmp_path, name):
    prefix = copy(tmp_path, name)
    for path in sorted(tmp_path.iterdir()):
        content = path.read_bytes()
        for length in sorted({0, 1, 7, 47, 48, len(content) // 2, len(content) - 1}):
            path.write_bytes(content[:length])
            with pytest.raises(InputError):
                inspect(prefix, {})
        path.write_bytes(content)
    inspect(prefix, {})


def test_the_data_of_another_checkpoint_is_refused(tmp_path):
    prefix = copy(tmp_path, BUNDLE)
    other = CASES / "1.0-basic_lstm-2x1-7.data-00000-of-00001"
    shutil.copy(str(other), str(prefix) + ".data-00000-of-00001")
    refused(prefix, "checksum")


def test_a_data_file_that_shrinks_between_index_and_values_is_refused(tmp_path):
    prefix = copy(tmp_path, BUNDLE)
    checkpoint = read_checkpoint(prefix)
    data = Path(str(prefix) + ".data-00000-of-00001")
    data.write_bytes(data.read_bytes()[:10])
    with pytest.raises(InputError, match="shorter"):
        list(checkpoint.variables.values())


def test_a_v1_file_that_changes_while_it_is_read_is_refused(tmp_path):
    arrays = {name: np.zeros(70_000, np.float32) for name in "abc"}  # a block of its own for each
    write_single(str(tmp_path / "v1"), arrays)
    checkpoint = read_checkpoint(tmp_path / "v1")
    (tmp_path / "v1").write_bytes((tmp_path / "v1").read_bytes() + b"more")
    with pytest.raises(InputError, match="changed while it was read"):
        list(checkpoint.variables.values())


def test_an_unknown_compression_is_refused(tmp_path):
    prefix = copy(tmp_path, SINGLE)
    table = write_table([(b"", b"x")])
    body = bytearray(table)
    size = len(b"\0\0\1x") + 8
    body[size] = 7
    body[size + 1 : size + 5] = struct.pack("<I", masked(crc32c(bytes(body[: size + 1]))))
    prefix.write_bytes(bytes(body))
    refused(prefix, "compression type 7")


def test_an_empty_index_beside_its_data_is_refused(tmp_path):
    prefix = copy(tmp_path, BUNDLE)
    Path(str(prefix) + ".index").write_bytes(b"")
    refused(prefix, "too few")


def test_a_name_that_is_no_text_is_refused(tmp_path):
    refused(bundle(tmp_path, {b"\xff\xfe": entry((), 0, 4)}, bytes(4)), "not text")
    refused(bundle(tmp_path, {b"a\x1b[2Jb": entry((), 0, 4)}, bytes(4)), "control characters")


def test_ten_thousand_variables_are_read_in_seconds(tmp_path):
    arrays = {f"scope/{number}": np.full((3,), number, np.float32) for number in range(10_000)}
    start = time.process_time()
    write_bundle(str(tmp_path / "a"), arrays)
    write_single(str(tmp_path / "b"), arrays)
    for name in "ab":
        checkpoint = read_checkpoint(tmp_path / name)
        assert sum(float(values[0]) for values in checkpoint.variables.values()) == sum(range(10_000))
    assert time.process_time() - start < 60
