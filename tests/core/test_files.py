"""Writing in one step: a device or a pipe is refused, and stays what it is."""

import os
import stat
from pathlib import Path

import pytest

from tf1_lstm.errors import InputError
from tf1_lstm.files import replacing, write_json


def test_a_pipe_is_refused_and_stays_one(tmp_path: Path) -> None:
    os.mkfifo(str(tmp_path / "pipe"))
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    for name in ("pipe", "link"):
        with pytest.raises(
            InputError, match=f"{name}: found a device or a pipe, expected the name of a file"
        ):
            write_json(tmp_path / name, {})
    assert stat.S_ISFIFO(os.stat(str(tmp_path / "pipe")).st_mode)
    assert sorted(os.listdir(str(tmp_path))) == ["link", "pipe"]


def test_a_way_to_standard_output_is_refused(tmp_path: Path) -> None:
    (tmp_path / "stdout").symlink_to(f"/proc/{os.getpid()}/fd/1")
    with pytest.raises(InputError, match="found a device or a pipe"):
        write_json(tmp_path / "stdout", {})
    assert (tmp_path / "stdout").is_symlink()


def test_a_file_is_replaced_and_a_folder_is_not(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("before")
    with replacing(tmp_path / "file", "w") as stream:
        stream.write("after")
    assert (tmp_path / "file").read_text() == "after"
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="folder: cannot be written: Is a directory"):
        write_json(tmp_path / "folder", {})
    with pytest.raises(InputError, match="file/x: cannot be written: Not a directory"):
        write_json(tmp_path / "file" / "x", {})
