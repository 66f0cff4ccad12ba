"""Many inputs to one command: shards, lists, and files of JSON lines that go on."""

import io
import json

import pytest

from tf1_lstm.core.many import JsonLines, Shard, answer_all, read_list
from tf1_lstm.errors import InputError

ASKED = {"split": "test"}


def test_shards_are_disjoint_and_together_the_list():
    items = [str(number) for number in range(50)]
    shards = [Shard.parse(f"{number}/16").of_list(items) for number in range(1, 17)]
    assert sorted(item for shard in shards for item in shard) == sorted(items)
    assert max(map(len, shards)) - min(map(len, shards)) == 1


@pytest.mark.parametrize("text", ["", "3", "0/2", "3/2", "a/b", "1/0", "-1/2", "1/2/3", "1 /2"])
def test_a_shard_that_is_none_is_refused(text):
    with pytest.raises(InputError, match="--shard: found"):
        Shard.parse(text)


def test_a_list_has_each_path_once_and_no_empty_line():
    assert read_list(io.BytesIO(b"a\n\n b \na\n"), "list") == ["a", "b"]
    with pytest.raises(InputError, match="not a text file"):
        read_list(io.BytesIO(b"a\0b"), "list")


def test_a_file_goes_on_behind_the_last_whole_line_and_asks_failures_again(tmp_path):
    path = tmp_path / "out.jsonl"

    def fails_on_b(name):
        if name == "b":
            raise InputError("b: damaged\nmore")
        return {"accuracy": 0.5}

    with JsonLines(path, ASKED) as lines:
        assert list(answer_all(["a", "b"], lines, fails_on_b)) == ["a", "b"]
    with open(path, "a") as stream:
        stream.write('{"path": "c", "accu')  # killed in the middle
    with JsonLines(path, ASKED) as lines:
        assert lines.left(["a", "b", "c"]) == ["b", "c"]
        list(answer_all(["b", "c"], lines, lambda name: {"accuracy": 0.6}))
    found = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(one["path"], one.get("accuracy"), one.get("error")) for one in found] == [
        ("a", 0.5, None),
        ("b", None, "b: damaged"),
        ("b", 0.6, None),
        ("c", 0.6, None),
    ]
    with JsonLines(path, ASKED) as lines:
        assert lines.left(["a", "b", "c"]) == []


@pytest.mark.parametrize("line", ["[]", "{}", "x", '{"path": "a"}', "\udcff"])
def test_a_file_of_something_else_is_refused_and_stays(tmp_path, line):
    path = tmp_path / "out.jsonl"
    data = line.encode("utf-8", "surrogateescape") + b"\n"
    path.write_bytes(data)
    with pytest.raises(InputError, match="line 1 is none of this command's JSON lines"):
        JsonLines(path, ASKED)
    assert path.read_bytes() == data


def test_a_file_that_answers_another_question_is_refused(tmp_path):
    path = tmp_path / "out.jsonl"
    with JsonLines(path, {"split": "train"}) as lines:
        lines.write("a", {})
    with pytest.raises(InputError, match="expected another file"):
        JsonLines(path, ASKED)


def test_a_name_that_is_no_unicode_survives(tmp_path):
    path = tmp_path / "out.jsonl"
    with JsonLines(path, ASKED) as lines:
        lines.write("a\udcff", {"accuracy": 1.0})
    with JsonLines(path, ASKED) as lines:
        assert lines.left(["a\udcff"]) == []
