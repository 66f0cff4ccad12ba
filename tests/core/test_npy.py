"""Headers of ``.npy`` files: what np.save writes is read, and nothing else reaches a parser."""

import subprocess
import zipfile

import numpy as np
import pytest

from tf1_lstm.core.children import script_command
from tf1_lstm.core.npy import LONGEST_HEADER, parse_header
from tf1_lstm.errors import InputError
from tf1_lstm.files import read_json, read_npy
from tf1_lstm.parity.npz import read_npz

ARRAYS = [
    np.arange(24, dtype="<f4").reshape(2, 3, 4),
    np.arange(24, dtype=">i2").reshape(4, 6).T,
    np.array(7, "<i8"),
    np.zeros((0, 5), "u1"),
    np.array([b"a", b"longer"], "S"),
    np.array(["a", "longer"], "U"),
    np.array([True, False]),
    np.array([1 + 2j]),
]


def npy(header: bytes, body: bytes = b"", version: int = 1) -> bytes:
    width = 2 if version == 1 else 4
    return b"\x93NUMPY" + bytes([version, 0]) + len(header).to_bytes(width, "little") + header + body


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: array.dtype.str)
@pytest.mark.parametrize("mmap", [False, True])
def test_reads_what_numpy_writes(array, mmap, tmp_path):
    np.save(str(tmp_path / "a.npy"), array)
    found = read_npy(tmp_path / "a.npy", "an array", mmap=mmap)
    assert (found.dtype, found.shape) == (array.dtype, array.shape)
    np.testing.assert_array_equal(found, array)
    assert found.flags.f_contiguous == array.flags.f_contiguous


def header(shape: str = "(3,)", descr: str = "'<f4'", order: str = "False", rest: str = "") -> bytes:
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, {rest}}}\n".encode()


@pytest.mark.parametrize("shape", ["(3,)", "(3, )", "(3L,)", "( 3 ,)"])
def test_spellings_of_old_pythons_are_read(shape):
    assert parse_header(header(shape)) == (np.dtype("<f4"), (3,), False)


HOSTILE = {
    "a sum": header("(" + "1+" * 2000 + "1j,)"),
    "truth values": header("(True,)"),
    "a bare number": header("(3)"),
    "a list": header("[3]"),
    "negative": header("(-3,)"),
    "a float": header("(3.0,)"),
    "enormous": header("(9999999999999999999,)"),
    "overflowing": header("(4294967296, 4294967296, 4294967296)"),
    "many axes": header("(" + "1, " * 40 + ")"),
    "nested": header("(" * 3000 + ")" * 3000),
    "unclosed": b"{'descr': '<f4', 'fortran_order': False, 'shape': (3,",
    "a call": header("__import__('os').system('true')"),
    "a structured type": header(descr="[('a', '<f4')]"),
    "an empty type": header(descr="'|S0'"),
    "an unknown type": header(descr="'<f3'"),
    "dates": header(descr="'<M8[ns]'"),
    "a number for a truth value": header(order="1"),
    "a key twice": header(rest="'shape': (3,), "),
    "another key": header(rest="'more': (3,), "),
    "text behind": header() + b"{}",
    "no dictionary": b"3",
    "nothing": b"",
    "a line continued": b"{'descr': '<f4', \\",
    "an open string": b"{'descr': '''",
}


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("name", HOSTILE)
def test_anything_else_is_refused_in_a_line(name, version, tmp_path):
    content = npy(HOSTILE[name], np.zeros(3, "<f4").tobytes(), version)
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.npy: not a \.npy file") as refused:
        read_npy(tmp_path / "a.npy", "an array")
    assert len(str(refused.value)) < 300
    with zipfile.ZipFile(str(tmp_path / "a.npz"), "w") as archive:
        archive.writestr("a.npy", content)
    with pytest.raises(InputError, match=r"a\.npz: "):
        read_npz(tmp_path / "a.npz", "arrays")


def test_a_long_header_is_refused_before_it_is_read(tmp_path):
    (tmp_path / "a.npy").write_bytes(npy(b"{" + b"1+" * 200_000, version=2))
    with pytest.raises(InputError, match=f"400,001 bytes, expected at most {LONGEST_HEADER:,}"):
        read_npy(tmp_path / "a.npy", "an array")


def test_the_header_that_ended_numpys_reader_is_refused_by_the_command(tmp_path):
    """400 kB, version 2: a sum of complex numbers as the shape."""
    attack = npy(header("(" + "1+" * 200_000 + "1j,)"), version=2)
    (tmp_path / "attack.npy").write_bytes(attack)
    source = (
        "import sys; from tf1_lstm.files import read_npy; from tf1_lstm.errors import InputError\n"
        "try: read_npy(sys.argv[1], 'pictures')\nexcept InputError as error: print(error)"
    )
    command = script_command(source, str(tmp_path / "attack.npy"))
    done = subprocess.run(command, stdout=subprocess.PIPE, timeout=60, check=False)
    assert done.returncode == 0
    assert b"expected at most 10,000" in done.stdout


def test_objects_sizes_and_kinds_of_file(tmp_path):
    np.save(str(tmp_path / "o.npy"), np.array([{}, []], object), allow_pickle=True)
    with pytest.raises(InputError, match="pickled Python objects, which are never loaded"):
        read_npy(tmp_path / "o.npy", "an array")
    (tmp_path / "long.npy").write_bytes(npy(header(), b"\0" * 13))
    with pytest.raises(InputError, match="longer than its header says"):
        read_npy(tmp_path / "long.npy", "an array")
    (tmp_path / "short.npy").write_bytes(npy(header(), b"\0" * 11))
    with pytest.raises(InputError, match="truncated"):
        read_npy(tmp_path / "short.npy", "an array")


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "[NaN]", "[Infinity]", "", '{"a"'])
def test_json_without_end_and_numbers_that_are_none_are_refused(text, tmp_path):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(InputError, match=r"a\.json: not a readable JSON file"):
        read_json(tmp_path / "a.json")


def test_json_is_not_read_from_a_device():
    with pytest.raises(InputError, match="found not a file"):
        read_json("/dev/zero")
