"""Python 2's order of a dictionary, held against what Python 2.7 is known to have printed."""

from typing import List

import pytest

from tf1_lstm.data.python2_order import python2_hash, python2_order


@pytest.mark.parametrize(
    ("key", "value"), [(b"", 0), (b"a", 12416037344), (b"b", 12544037731), (b"c", 12672038114)]
)
def test_hashes_are_those_of_64_bit_python_2(key: bytes, value: int) -> None:
    assert python2_hash(key) == value


@pytest.mark.parametrize(
    ("inserted", "printed"),
    [
        (["a", "b", "c"], ["a", "c", "b"]),
        (["one", "two", "three"], ["three", "two", "one"]),
    ],
)
def test_small_dictionaries_print_as_python_2_printed_them(inserted: List[str], printed: List[str]) -> None:
    assert python2_order(word.encode() for word in inserted) == [word.encode() for word in printed]


@pytest.mark.parametrize("count", [0, 1, 5, 6, 21, 22, 85, 86, 60_000])
def test_no_key_is_lost_or_doubled_however_often_the_table_grows(count: int) -> None:
    keys = [b"%d" % number for number in range(count)]
    assert sorted(python2_order(keys)) == sorted(keys)
