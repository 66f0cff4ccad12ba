"""Checksums, numbers, keys and tables, against published values and TensorFlow's own."""

import struct

import numpy as np
import pytest

from tf1_lstm.checkpoints.formats import MalformedError
from tf1_lstm.checkpoints.formats.crc32c import CHUNK, LANES, SMALL, crc32c, masked
from tf1_lstm.checkpoints.formats.ordered import slice_key
from tf1_lstm.checkpoints.formats.sstable import Table, block_entries
from tf1_lstm.checkpoints.formats.sstable_write import write_table
from tf1_lstm.checkpoints.formats.tensors import check_cover, read_shape, resolve, write_shape
from tf1_lstm.checkpoints.formats.wire import Message, fields, read_varint, unpack_varints, write_varint


def slow_crc32c(data: bytes) -> int:
    """CRC-32C bit by bit, from its definition."""
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0x82F63B78 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


@pytest.mark.parametrize(
    ("data", "expected"),
    [  # the test vectors of RFC 3720, section B.4
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
        (b"123456789", 0xE3069283),
        (b"", 0),
    ],
)
def test_crc32c_gives_the_published_values(data, expected):
    assert crc32c(data) == expected


@pytest.mark.parametrize("size", [1, 7, SMALL - 1, SMALL, SMALL + 1, LANES * 8, LANES * 8 + 1, 40_000])
def test_crc32c_in_lanes_is_the_crc_bit_by_bit(size):
    data = np.random.RandomState(size).bytes(size)
    assert crc32c(data) == slow_crc32c(data)


def test_crc32c_goes_on_from_chunk_to_chunk():
    tail = np.random.RandomState(0).bytes(5000)
    zeros = bytes(CHUNK)
    whole = crc32c(zeros + tail)
    assert whole == crc32c(np.frombuffer(zeros + tail, np.uint8))
    assert whole != crc32c(tail)
    moved = crc32c(zeros[:-1] + b"\1" + tail)
    # CRCs are affine: the difference of two messages does not depend on what they share.
    assert whole ^ moved == crc32c(bytes(len(tail) + 1)) ^ crc32c(b"\1" + bytes(len(tail)))


def test_masking_is_what_leveldb_defines():
    assert masked(0) == 0xA282EAD8
    assert masked(0x8000) == 0xA282EAD9


@pytest.mark.parametrize("value", [0, 1, 127, 128, 300, 2**32, 2**64 - 1])
def test_numbers_come_back_alone_and_packed(value):
    raw = write_varint(value)
    assert read_varint(raw, 0) == (value, len(raw))
    assert [int(number) for number in unpack_varints(raw + b"\5" + raw)] == [value, 5, value]


@pytest.mark.parametrize("raw", [b"\x80", b"\xff" * 10, b"\xff" * 9 + b"\x02", b"\xff" * 30 + b"\0"])
def test_numbers_without_an_end_are_refused(raw):
    with pytest.raises(MalformedError):
        read_varint(raw, 0)


@pytest.mark.parametrize("raw", [b"\x80", b"\5\x80", b"\xff" * 12 + b"\0"])
def test_packed_numbers_without_an_end_are_refused(raw):
    with pytest.raises(MalformedError):
        unpack_varints(raw)


@pytest.mark.parametrize("message", [b"\x0a\x05abc", b"\x0d\0", b"\x0b", b"\x00", b"\x09abc", b"\x08"])
def test_messages_that_run_past_their_end_are_refused(message):
    with pytest.raises(MalformedError):
        list(fields(message))


def test_a_field_of_another_type_is_refused():
    assert Message(b"\x08\x05").integer(1) == 5
    with pytest.raises(MalformedError):
        Message(b"\x08\x05").blob(1)
    with pytest.raises(MalformedError):
        Message(b"\x0a\x01a").integer(1)


def test_shapes_are_tensorflows_shapes():
    from tensorflow.core.framework import tensor_shape_pb2

    for shape in ((), (3,), (2, 0, 5), (2**40, 1)):
        proto = tensor_shape_pb2.TensorShapeProto()
        for extent in shape:
            proto.dim.add(size=extent)
        assert write_shape(shape) == proto.SerializeToString()
        assert read_shape(proto.SerializeToString()) == shape


@pytest.mark.parametrize("extent", [-1, -5])
def test_shapes_with_negative_extents_are_refused(extent):
    from tensorflow.core.framework import tensor_shape_pb2

    proto = tensor_shape_pb2.TensorShapeProto()
    proto.dim.add(size=extent)
    with pytest.raises(MalformedError):
        read_shape(proto.SerializeToString())
    with pytest.raises(MalformedError):
        read_shape(tensor_shape_pb2.TensorShapeProto(unknown_rank=True).SerializeToString())


def test_keys_of_slices_sort_as_name_and_start_do():
    names = ["", "a", "a\0", "a/b", "b", "z\xff"]
    starts = [-(2**40), -129, -65, -64, -1, 0, 1, 63, 64, 8191, 8192, 2**31, 2**50]
    keys = [slice_key(name, [(start, 1)]) for name in names for start in starts]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)


def test_slices_must_fill_a_tensor_exactly():
    halves = [resolve([(0, 2), (0, -1)], (4, 3)), resolve([(2, 2), (0, -1)], (4, 3))]
    check_cover(halves, (4, 3))
    with pytest.raises(MalformedError, match="elements"):
        check_cover(halves[:1], (4, 3))
    with pytest.raises(MalformedError, match="overlap"):
        check_cover([halves[0], halves[0]], (4, 3))
    with pytest.raises(MalformedError):
        resolve([(3, 2), (0, -1)], (4, 3))
    with pytest.raises(MalformedError):
        resolve([(0, -1)], (4, 3))


def test_a_table_of_many_blocks_finds_every_key(tmp_path):
    entries = [(b"%06d" % number, bytes(number % 977)) for number in range(3000)]
    path = tmp_path / "table"
    path.write_bytes(write_table(entries))
    table = Table(str(path))
    assert list(table.items()) == entries
    assert [table.get(key) for key, _ in entries[::191]] == [value for _, value in entries[::191]]
    assert table.get(b"absent") is None
    assert table.get(b"zzz") is None


def test_a_table_wants_its_keys_in_order():
    with pytest.raises(ValueError, match="ascend"):
        write_table([(b"b", b""), (b"a", b"")])


@pytest.mark.parametrize(
    "block",
    [
        b"",
        struct.pack("<I", 5),  # five restart points in no bytes
        b"\0\x05\0ab" + struct.pack("<II", 0, 1),  # a key past the end
        b"\x01\0\0" + struct.pack("<II", 0, 1),  # a prefix of a key that is not there
        b"\0\0\xff\xff\x03" + struct.pack("<II", 0, 1),  # a value past the end
    ],
)
def test_blocks_that_run_past_their_end_are_refused(block):
    with pytest.raises(MalformedError):
        list(block_entries(block))


def test_prefixes_that_unfold_to_gigabytes_are_refused():
    first = b"\0" + write_varint(16000) + b"\0" + b"k" * 16000
    block = first + (write_varint(16000) + b"\0\0") * 5000 + struct.pack("<II", 0, 1)
    with pytest.raises(MalformedError, match="too long together"):
        list(block_entries(block))
